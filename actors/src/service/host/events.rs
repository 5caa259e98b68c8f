//! Events that a service hears.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};

use actix::prelude::*;

use super::{CatchPanic, ServiceHost};
use crate::context::ServiceContext;
use crate::interfaces::baggage::Baggage;
use crate::interfaces::events::{AnyEvent, Event, EventMessage, Hearing, Listeners};
use crate::network::ports::Delivery;
use crate::panics::{Caught, catch};
use crate::service::desk::Desk;
use crate::service::{Service, ServiceIo, StepError};

impl<S: Service> Handler<Delivery<EventMessage>> for ServiceHost<S> {
    type Result = ();

    fn handle(&mut self, delivery: Delivery<EventMessage>, ctx: &mut ServiceContext<Self>) {
        // At most once.
        if delivery.duplicate {
            return;
        }
        Listeners::tell(ctx.network(), ctx.id(), &delivery);
        let Delivery { from, sent_at, body: EventMessage { topic, trace, body, baggage }, .. } = delivery;
        for number in 0..self.offers.subscriptions.len() {
            if self.offers.subscriptions.wants(number, &topic) {
                let event = Event { topic: topic.to_string(), from, sent_at, trace_id: trace, body: body.clone() };
                self.hear(number, event, baggage.clone(), ctx);
            }
        }
    }
}

impl<S: Service> ServiceHost<S> {
    /// Runs the handler of one subscription.
    fn hear(&self, number: usize, event: AnyEvent, baggage: Baggage, ctx: &mut ServiceContext<Self>) {
        let topic = event.topic.clone();
        let io = ServiceIo::of_event(self.desk.clone(), event.trace_id).bearing(baggage);
        let service = self.service.clone();
        let hearing = match catch(|| self.offers.subscriptions.begin(number, service, io, event)) {
            Ok(Ok(hearing)) => hearing,
            Ok(Err(reason)) => {
                let unfit = StepError::new(format!("the body does not fit: {reason}"));
                return conclude(&self.desk, &topic, Ok(Err(unfit)));
            }
            Err(caught) => return conclude(&self.desk, &topic, Err(caught)),
        };
        let mut hearing = CatchPanic::<Hearing>::of(hearing);
        match Pin::new(&mut hearing).poll(&mut TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(ended) => conclude(&self.desk, &topic, ended),
            Poll::Pending => {
                let (desk, in_hand) = (self.desk.clone(), InHand::one_more(&self.desk));
                let rest = async move {
                    let ended = hearing.await;
                    drop(in_hand);
                    conclude(&desk, &topic, ended);
                };
                ctx.network().spawn(ctx.id(), Box::pin(rest));
            }
        }
    }
}

/// An event that a handler is at work on, among all that the service has in its hands.
struct InHand(Rc<Desk>);

impl InHand {
    fn one_more(desk: &Rc<Desk>) -> Self {
        desk.handling.set(desk.handling.get() + 1);
        desk.set_at_work(true);
        InHand(desk.clone())
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.handling.set(self.0.handling.get() - 1);
        self.0.set_at_work(false);
    }
}

/// A handler is over.
fn conclude(desk: &Desk, topic: &str, ended: Result<Result<(), StepError>, Caught>) {
    desk.records.borrow_mut().handled += 1;
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => desk.step_failed(&format!("event {topic}: {error}")),
        Err(caught) => desk.handler_panicked(caught),
    }
}
