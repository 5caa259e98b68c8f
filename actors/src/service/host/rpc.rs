//! Calls that others make of a service's methods, and answers to its own.
//!
//! A handler is polled once where it stands, at the instant of delivery; only one that has to wait for
//! something becomes a task, and only then the service has the call in its hands. A call that is
//! answered at once so costs two allocations: the call itself, and the body of the reply.

use std::rc::Rc;

use actix::prelude::*;

use super::{CatchPanic, ServiceHost};
use crate::context::ServiceContext;
use crate::interfaces::rpc::{
    AnswerMessage, Begun, Call, CallMessage, Failure, Found, Interfaces, LATE_ANSWERS, Payload, Place, RpcAnswer,
};
use crate::network::ports::Delivery;
use crate::network::waits::Answer;
use crate::panics::Caught;
use crate::service::desk::Desk;
use crate::service::{Service, ServiceIo};

impl<S: Service> Handler<Delivery<AnswerMessage>> for ServiceHost<S> {
    type Result = ();

    fn handle(&mut self, delivery: Delivery<AnswerMessage>, ctx: &mut ServiceContext<Self>) {
        let Delivery { duplicate, body: AnswerMessage { call, answer, headers }, .. } = delivery;
        let in_time = ctx.network().settle_in_time(call, Answer::Rpc(answer, headers));
        if !in_time && !duplicate {
            ctx.network().count(ctx.id(), LATE_ANSWERS, 1);
        }
    }
}

impl<S: Service> Handler<Delivery<CallMessage>> for ServiceHost<S> {
    type Result = ();

    fn handle(&mut self, delivery: Delivery<CallMessage>, ctx: &mut ServiceContext<Self>) {
        // A second copy of a call is recognised as such, as TCP would.
        if delivery.duplicate {
            return;
        }
        let found = self.offers.interfaces.called(&delivery.body);
        let (call, params) = Call::take(&self.desk, delivery);
        // The call was taken this moment: nobody can have answered it.
        let _ = match found {
            Found::Method(place) => return self.begin(place, call, params, ctx),
            Found::Ping => call.reply(()),
            Found::Inspect => call.reply(self.offers.inspect(ctx.network().name_of(ctx.id()))),
            Found::Nothing(reason) => call.answer(RpcAnswer::NotUnderstood(reason)),
        };
    }
}

impl<S: Service> ServiceHost<S> {
    /// Runs the handler of a method.
    #[inline]
    fn begin(&self, place: Place, call: Rc<Call>, params: Payload, ctx: &mut ServiceContext<Self>) {
        let io = ServiceIo::of_call(self.desk.clone(), call.clone());
        let service = self.service.clone();
        match self.offers.interfaces.begin(place, service, io, call.clone(), params) {
            Begun::Done => {
                self.desk.records.borrow_mut().handled += 1;
                // Its channel may be kept for later.
                call.hold();
            }
            Begun::Failed(failure) => conclude(&self.offers.interfaces, place, &self.desk, &call, Ok(Err(failure))),
            Begun::Panicked(caught) => conclude(&self.offers.interfaces, place, &self.desk, &call, Err(caught)),
            Begun::Waits(answering) => {
                call.hold();
                let (offers, desk) = (self.offers.clone(), self.desk.clone());
                let rest = async move {
                    let ended = CatchPanic::of(answering).await;
                    conclude(&offers.interfaces, place, &desk, &call, ended.map(|ended| ended.unwrap_or(Ok(()))));
                };
                ctx.network().spawn(ctx.id(), Box::pin(rest));
            }
            Begun::Unfit(reason) => {
                let reason = format!("the parameters do not fit: {reason}");
                let _ = call.answer(RpcAnswer::BadParameters(reason));
            }
        }
    }
}

/// A handler is over. Unless it has answered, or its channel is kept for later, its failure does.
fn conclude<S: Service>(
    interfaces: &Interfaces<S>,
    place: Place,
    desk: &Desk,
    call: &Call,
    ended: Result<Result<(), Failure>, Caught>,
) {
    desk.records.borrow_mut().handled += 1;
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => drop(call.answer(interfaces.answer(place, failure))),
        Err(caught) => {
            // What it has said before it panicked holds.
            if !call.is_answered() {
                let _ = call.answer(RpcAnswer::panicked(&caught.message));
            }
            desk.handler_panicked(caught);
        }
    }
}
