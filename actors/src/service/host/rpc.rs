//! Calls that others make of a service's methods, and answers to its own.
//!
//! A handler is polled once where it stands, at the instant of delivery; only one that has to wait for
//! something becomes a task. A call that is answered at once so costs three allocations: the call that
//! the service has in hand, its handler's future, and the body of the reply.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};

use actix::prelude::*;

use super::{CatchPanic, ServiceHost};
use crate::context::ServiceContext;
use crate::interfaces::rpc::{
    AnswerMessage, Answering, Call, CallMessage, Failure, Found, Interfaces, LATE_ANSWERS, Payload, Place, RpcAnswer,
};
use crate::network::ports::Delivery;
use crate::network::waits::Answer;
use crate::panics::{Caught, catch};
use crate::service::desk::Desk;
use crate::service::{Service, ServiceIo};

impl<S: Service> Handler<Delivery<AnswerMessage>> for ServiceHost<S> {
    type Result = ();

    fn handle(&mut self, delivery: Delivery<AnswerMessage>, ctx: &mut ServiceContext<Self>) {
        let AnswerMessage { call, answer, headers } = delivery.body;
        let in_time = ctx.network().settle_in_time(call, Answer::Rpc(answer, headers));
        if !in_time && !delivery.duplicate {
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
        let found = self.interfaces.find(&delivery.body.method);
        let (call, params) = Call::take_in_hand(&self.desk, &self.handling, delivery);
        // The call was taken this moment: nobody can have answered it.
        let _ = match found {
            Found::Method(place) => return self.begin(place, call, params, ctx),
            Found::Ping => call.reply(()),
            Found::Inspect => call.reply(self.interfaces.inspect(ctx.network().name_of(ctx.id()))),
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
        // The handler's own beginning may panic too, before there is a future.
        let answering = match catch(|| self.interfaces.begin(place, service, io, call.clone(), params)) {
            Ok(Ok(answering)) => answering,
            Ok(Err(reason)) => {
                let _ = call.answer(RpcAnswer::NotUnderstood(format!("the parameters do not fit: {reason}")));
                return;
            }
            Err(caught) => return conclude(&self.interfaces, place, &self.desk, &call, Err(caught)),
        };
        let mut answering: CatchPanic<_> = CatchPanic::<Answering>::of(answering);
        match Pin::new(&mut answering).poll(&mut TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(ended) => conclude(&self.interfaces, place, &self.desk, &call, ended),
            Poll::Pending => {
                let (interfaces, desk) = (self.interfaces.clone(), self.desk.clone());
                let rest = async move {
                    let ended = answering.await;
                    conclude(&interfaces, place, &desk, &call, ended);
                };
                ctx.network().spawn(ctx.id(), Box::pin(rest));
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
