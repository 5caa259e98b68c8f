//! Hearing of events for a while: subscriptions that begin and end while a service is at work.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use futures_util::Stream;
use serde_json::Value;

use super::topics::Pattern;
use super::{Event, EventMessage, SUBSCRIPTIONS_LIMIT, TopicError};
use crate::network::Network;
use crate::network::ports::{Arrival, Delivery, Receiver, Refusal};
use crate::panics::catch;
use crate::service::desk::Desk;
use crate::trace::ServiceId;

/// So many events a [`Listener`] keeps until somebody takes them, unless it is told otherwise.
pub const HEARD_LIMIT: usize = 1024;

/// Why a service cannot listen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    /// The pattern is none.
    #[error(transparent)]
    Pattern(#[from] TopicError),
    /// It listens to too much already.
    #[error("a service listens in at most {SUBSCRIPTIONS_LIMIT} ways at once; drop a listener first")]
    TooMany,
}

/// What one listener has heard.
struct Ear {
    pattern: Pattern,
    capacity: usize,
    heard: RefCell<VecDeque<Event<Value>>>,
    dropped: Cell<u64>,
    /// The service's life is over.
    closed: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Ear {
    fn hear(&self, event: Event<Value>) {
        let mut heard = self.heard.borrow_mut();
        if heard.len() >= self.capacity {
            heard.pop_front();
            self.dropped.set(self.dropped.get() + 1);
        }
        heard.push_back(event);
        drop(heard);
        self.wake();
    }

    fn wake(&self) {
        let waker = self.waker.borrow_mut().take();
        waker.into_iter().for_each(Waker::wake);
    }
}

/// Everybody who listens.
#[derive(Default)]
pub(crate) struct Listeners {
    by_service: BTreeMap<ServiceId, Vec<Rc<Ear>>>,
}

impl Listeners {
    pub(crate) fn is_empty(&self) -> bool {
        self.by_service.is_empty()
    }

    /// Who listens to events of that topic, each once, in order of declaration.
    pub(crate) fn of<'a>(&'a self, topic: &'a str) -> impl Iterator<Item = ServiceId> + 'a {
        let listens = |ears: &[Rc<Ear>]| ears.iter().any(|ear| ear.pattern.fits(topic));
        self.by_service.iter().filter(move |(_, ears)| listens(ears)).map(|(service, _)| *service)
    }

    fn ears(&self, service: ServiceId, topic: &str) -> Vec<Rc<Ear>> {
        let ears = self.by_service.get(&service).map(Vec::as_slice).unwrap_or_default();
        ears.iter().filter(|ear| ear.pattern.fits(topic)).cloned().collect()
    }

    fn remove(&mut self, service: ServiceId, ear: &Rc<Ear>) {
        let Some(ears) = self.by_service.get_mut(&service) else { return };
        ears.retain(|other| !Rc::ptr_eq(other, ear));
        if ears.is_empty() {
            self.by_service.remove(&service);
        }
    }

    /// A service's life is over, and so is its listening.
    pub(crate) fn close(network: &Network, service: ServiceId) {
        let ears = network.commons.listeners.borrow_mut().by_service.remove(&service);
        for ear in ears.into_iter().flatten() {
            ear.closed.set(true);
            ear.wake();
        }
    }

    /// An event has come for a service: those of its listeners hear of it that want to.
    pub(crate) fn tell(network: &Network, service: ServiceId, event: &Delivery<EventMessage>) {
        let EventMessage { topic, trace, body, .. } = &event.body;
        let ears = network.commons.listeners.borrow().ears(service, topic);
        if ears.is_empty() {
            return;
        }
        // It is the body's own code that puts it into JSON. One that has none is heard by nobody.
        match body.json() {
            Ok(body) => {
                let (topic, from, sent_at) = (topic.to_string(), event.from, event.sent_at);
                let event = Event { topic, from, sent_at, trace_id: *trace, body };
                ears.iter().for_each(|ear| ear.hear(event.clone()));
            }
            Err(_) => ears.iter().for_each(|ear| ear.dropped.set(ear.dropped.get() + 1)),
        }
    }
}

/// Takes the events of a service that has no handlers for any. It keeps nobody alive who is gone.
struct EarsOnly {
    desk: Weak<Desk>,
}

impl Receiver<EventMessage> for EarsOnly {
    fn receive(&self, network: &Network, arrival: Arrival<'_, EventMessage>) -> Result<(), Refusal> {
        let present = self.desk.upgrade().filter(|desk| !desk.is_gone() && !desk.is_leaving());
        let desk = present.ok_or(Refusal::Gone)?;
        let Some(event) = arrival.accept(network) else { return Ok(()) };
        // At most once.
        if !event.duplicate
            && let Err(caught) = catch(|| Listeners::tell(&desk.network, desk.id, &event))
        {
            desk.network.crash(desk.id, caught);
        }
        Ok(())
    }
}

/// A subscription that lasts until it is dropped, or the service's life ends: see
/// [`Events::listen`](super::Events::listen).
///
/// What it hears it keeps until somebody takes it, in order; when it can keep no more, the oldest goes, and
/// is [counted](Listener::dropped). It is a stream too.
pub struct Listener {
    desk: Rc<Desk>,
    ear: Rc<Ear>,
}

impl Listener {
    pub(super) fn new(desk: &Rc<Desk>, pattern: &str, capacity: usize) -> Result<Self, ListenError> {
        let ear = Rc::new(Ear {
            pattern: Pattern::new(pattern)?,
            capacity: capacity.max(1),
            heard: RefCell::default(),
            dropped: Cell::new(0),
            closed: Cell::new(desk.is_gone()),
            waker: RefCell::default(),
        });
        let listener = Listener { desk: desk.clone(), ear };
        if listener.ear.closed.get() {
            return Ok(listener);
        }
        let network = &desk.network;
        {
            let mut listeners = network.commons.listeners.borrow_mut();
            let ears = listeners.by_service.entry(desk.id).or_default();
            if ears.len() >= SUBSCRIPTIONS_LIMIT {
                return Err(ListenError::TooMany);
            }
            ears.push(listener.ear.clone());
        }
        if !network.has_receiver::<EventMessage>(desk.id) {
            network.set_receiver::<EventMessage>(desk.id, Rc::new(EarsOnly { desk: Rc::downgrade(desk) }));
        }
        Ok(listener)
    }

    /// The next event; nothing when the service's life is over.
    pub fn recv(&mut self) -> Hearing<'_> {
        Hearing { listener: self, serves: false }
    }

    /// How many events nobody has taken yet.
    pub fn waiting(&self) -> usize {
        self.ear.heard.borrow().len()
    }

    /// How many events were dropped: because nobody took them in time, or because they have bodies that
    /// cannot be put into JSON.
    pub fn dropped(&self) -> u64 {
        self.ear.dropped.get()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pattern = self.ear.pattern.to_string();
        f.debug_struct("Listener").field("pattern", &pattern).field("waiting", &self.waiting()).finish()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.desk.network.commons.listeners.borrow_mut().remove(self.desk.id, &self.ear);
    }
}

impl Stream for Listener {
    type Item = Event<Value>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event<Value>>> {
        let ear = &self.ear;
        if let Some(event) = ear.heard.borrow_mut().pop_front() {
            return Poll::Ready(Some(event));
        }
        if ear.closed.get() {
            return Poll::Ready(None);
        }
        let former = ear.waker.replace(Some(cx.waker().clone()));
        drop(former);
        Poll::Pending
    }
}

/// Waits for an event: see [`Listener::recv`].
#[must_use = "nothing is heard unless it is awaited"]
pub struct Hearing<'a> {
    listener: &'a mut Listener,
    /// It waits for whatever comes, for as long as it takes: whoever waits so has nothing to do.
    serves: bool,
}

impl Future for Hearing<'_> {
    type Output = Option<Event<Value>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let polled = Pin::new(&mut *this.listener).poll_next(cx);
        if polled.is_pending() != this.serves {
            this.serves = polled.is_pending();
            this.listener.desk.set_serving(this.serves);
        }
        polled
    }
}

impl Drop for Hearing<'_> {
    fn drop(&mut self) {
        if self.serves {
            self.listener.desk.set_serving(false);
        }
    }
}
