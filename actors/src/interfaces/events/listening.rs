//! Listening for a while: what a service wants to hear besides its subscriptions.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::rc::Rc;
use std::task::{Poll, Waker};

use serde::de::DeserializeOwned;

use super::topics::Pattern;
use super::{AnyEvent, Event, EventMessage};
use crate::network::Network;
use crate::network::ports::{Arrival, Delivery, Receiver, Refused};
use crate::service::desk::Desk;
use crate::trace::ServiceId;

/// Events that were heard and not looked at yet.
pub(crate) struct Queue {
    events: RefCell<VecDeque<AnyEvent>>,
    room: usize,
    missed: Cell<u64>,
    listener: RefCell<Option<Waker>>,
}

impl Queue {
    /// Takes an event; the oldest one makes room for it if need be.
    fn put(&self, event: AnyEvent) {
        let mut events = self.events.borrow_mut();
        if events.len() >= self.room && events.pop_front().is_some() {
            self.missed.set(self.missed.get() + 1);
        }
        events.push_back(event);
        drop(events);
        self.listener.take().into_iter().for_each(Waker::wake);
    }
}

/// Somebody who listens.
pub(crate) struct Listener {
    pub(crate) service: ServiceId,
    pub(crate) pattern: Pattern,
    queue: Rc<Queue>,
}

/// What a service hears of events while it listens. It ends when this is dropped.
#[must_use = "it listens no longer than this is there"]
pub struct Listening<B> {
    desk: Rc<Desk>,
    queue: Rc<Queue>,
    body: PhantomData<fn() -> B>,
}

impl<B> Listening<B> {
    pub(super) fn begin(desk: &Rc<Desk>, pattern: Pattern, room: usize) -> Self {
        let (events, missed, listener) = Default::default();
        let queue = Rc::new(Queue { events, room: room.max(1), missed, listener });
        let network = &desk.network;
        let listener = Listener { service: desk.id, pattern, queue: queue.clone() };
        network.commons.subscribers.borrow_mut().listeners.push(listener);
        // Who has subscriptions has somebody who takes events; all others get one now.
        network.set_receiver_if_none::<EventMessage>(desk.id, Rc::new(Ear));
        Listening { desk: desk.clone(), queue, body: PhantomData }
    }

    /// How many events have been dropped so far because they were not looked at in time: of those that
    /// wait, the oldest go first.
    pub fn missed(&self) -> u64 {
        self.queue.missed.get()
    }
}

impl<B: DeserializeOwned + 'static> Listening<B> {
    /// The next event, as soon as there is one.
    ///
    /// # Errors
    /// Its body is no `B`, and why.
    pub async fn next(&mut self) -> Result<Event<B>, String> {
        let event = poll_fn(|cx| match self.queue.events.borrow_mut().pop_front() {
            Some(event) => Poll::Ready(event),
            None => {
                self.queue.listener.replace(Some(cx.waker().clone()));
                Poll::Pending
            }
        });
        let Event { topic, from, sent_at, trace_id, body } = event.await;
        Ok(Event { topic, from, sent_at, trace_id, body: body.take()? })
    }
}

impl<B> Drop for Listening<B> {
    fn drop(&mut self) {
        let listeners = &mut self.desk.network.commons.subscribers.borrow_mut().listeners;
        listeners.retain(|listener| !Rc::ptr_eq(&listener.queue, &self.queue));
    }
}

impl<B> fmt::Debug for Listening<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").field("service", &self.desk.id).field("missed", &self.missed()).finish()
    }
}

/// Lets everybody at that service hear of it who listens.
pub(crate) fn tell_listeners(network: &Network, service: ServiceId, delivery: &Delivery<EventMessage>) {
    let subscribers = network.commons.subscribers.borrow();
    let EventMessage { topic, trace, body } = &delivery.body;
    let hear = |listener: &&Listener| listener.service == service && listener.pattern.fits(topic);
    for listener in subscribers.listeners.iter().filter(hear) {
        let (from, sent_at) = (delivery.from, delivery.sent_at);
        listener.queue.put(Event { topic: topic.to_string(), from, sent_at, trace_id: *trace, body: body.clone() });
    }
}

/// Takes events for a service without subscriptions.
struct Ear;

impl Receiver<EventMessage> for Ear {
    fn receive(&self, arrival: &Arrival<'_>, event: EventMessage) -> Result<(), Refused<EventMessage>> {
        let delivery = arrival.accept(event);
        // At most once.
        if !delivery.duplicate {
            tell_listeners(arrival.network, arrival.header.to, &delivery);
        }
        Ok(())
    }
}
