//! Events, as lymph has them: a service tells that something has happened, and every service that has
//! subscribed to events of that kind hears of it.
//!
//! ```
//! use std::rc::Rc;
//! use rehearsal_actors::prelude::*;
//!
//! struct Shop;
//!
//! impl Service for Shop {
//!     async fn step(&self, io: &ServiceIo) -> StepResult {
//!         io.events().emit("order.placed", 17u32)?;
//!         Ok(Step::Stop)
//!     }
//! }
//!
//! struct Warehouse;
//!
//! impl Warehouse {
//!     async fn order_changed(self: Rc<Self>, io: ServiceIo, event: Event<u32>) -> Result<(), StepError> {
//!         io.count(&event.topic, 1);
//!         Ok(())
//!     }
//! }
//!
//! impl Service for Warehouse {
//!     fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
//!         subscriptions.on("order.*", Warehouse::order_changed);
//!     }
//! }
//!
//! # use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup, run};
//! # use rehearsal_actors::topology::{Node, Topology};
//! # let mut topology = Topology::new();
//! # let node = topology.add_node(Node::new("a")).unwrap();
//! # let mut setup = Setup::new(1, topology);
//! # setup.services.push(ServiceSpec::new("shop", node, Cast::service(Shop)));
//! # setup.services.push(ServiceSpec::new("warehouse", node, Cast::service(Warehouse)));
//! # let report = run(setup, None, Default::default()).unwrap();
//! # assert_eq!(report.counters["order.placed"], 1);
//! ```
//!
//! Each subscriber is sent a message of its own, which pays for its way and arrives at most once; nobody
//! awaits it. Its outcome is an ack when the service has taken it, lost if the network loses it, and
//! undelivered if it cannot set out (no route, no application link) or the service is gone. Who has
//! subscribed is known to the runtime, as the application's links are. Handlers of one event run in the
//! order of their registration, side by side; one that fails is counted and traced as a failed step is.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use super::baggage::Baggage;
use super::rpc::{Payload, TraceId, text_size};
use crate::network::ports::Body;
use crate::network::waits::WaitKey;
use crate::network::{Envelope, size_of};
use crate::outcome::{Interface, Undelivered};
use crate::service::{ServiceIo, StepError};
use crate::trace::ServiceId;
use crate::units::{Bytes, SimTime};

mod listening;
mod topics;

pub(crate) use listening::Listeners;
pub use listening::{HEARD_LIMIT, Hearing as NextEvent, ListenError, Listener};
pub(crate) use topics::Subscribers;
use topics::{Pattern, check_topic};
pub use topics::{TOPIC_LIMIT, TopicError};

/// So many subscriptions may one service have.
pub const SUBSCRIPTIONS_LIMIT: usize = 1024;

/// An event, as a handler gets it.
#[derive(Clone, Debug)]
pub struct Event<B> {
    /// What has happened: words with dots between them.
    pub topic: String,
    /// Who tells.
    pub from: ServiceId,
    /// When it was told.
    pub sent_at: SimTime,
    /// The chain of calls and events that it belongs to.
    pub trace_id: TraceId,
    /// More about it.
    pub body: B,
}

/// An event on its way to one subscriber.
#[derive(Clone)]
pub(crate) struct EventMessage {
    pub(crate) topic: Rc<str>,
    pub(crate) trace: TraceId,
    pub(crate) body: Payload,
    pub(crate) baggage: Baggage,
}

impl Serialize for EventMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&*self.topic, self.trace.to_string(), &self.body).serialize(serializer)
    }
}

/// Why an event cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// The topic is none.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The body cannot be put into bytes.
    #[error(transparent)]
    Body(#[from] Undelivered),
}

/// The events of a service: to tell others, and to hear of for a while. What it wants to hear all its life
/// stands in [`Service::subscriptions`](crate::service::Service::subscriptions).
#[derive(Clone, Copy)]
pub struct Events<'a> {
    io: &'a ServiceIo,
}

impl<'a> Events<'a> {
    pub(crate) fn new(io: &'a ServiceIo) -> Self {
        Events { io }
    }

    /// Tells everyone who has subscribed, this service included, that something has happened. Returns
    /// to how many services it sets out; what becomes of it on the way is counted, and told to nobody.
    ///
    /// # Errors
    /// The topic or the body is unfit; then nobody is told.
    pub fn emit<B: Body>(&self, topic: &str, body: B) -> Result<usize, EmitError> {
        check_topic(topic)?;
        let desk = &self.io.desk;
        let network = &desk.network;
        let subscribers = network.commons.hearers(topic);
        let trace = self.io.trace_id().unwrap_or_else(|| network.commons.new_trace());
        let size = size_of(&|| format!("the subscribers of {topic}"), &body)?;
        // The topic, eight bytes of trace id, the body.
        let bytes = Bytes(text_size(topic) + 8 + size.0);
        let message =
            EventMessage { topic: topic.into(), trace, body: Payload::new(body), baggage: self.io.baggage.clone() };
        let sent = subscribers.into_iter().filter(|to| {
            let envelope = Envelope::to_name(desk.id, *to, Interface::Event, WaitKey::NONE, bytes);
            network.send(envelope, message.clone()).is_ok()
        });
        Ok(sent.count())
    }
}

impl Events<'_> {
    /// Hears of the events whose topics fit a [pattern](Subscriptions::on) from now on, until the listener
    /// is dropped. Bodies come as JSON. Who emits an event tells this service as he tells every
    /// subscriber, once, however many listeners and handlers it has for it.
    ///
    /// ```
    /// use rehearsal_actors::prelude::*;
    ///
    /// struct Curious;
    /// impl Service for Curious {
    ///     async fn step(&self, io: &ServiceIo) -> StepResult {
    ///         let mut orders = io.events().listen("order.*")?;
    ///         io.events().emit("order.placed", 17u32)?;
    ///         let Some(event) = orders.recv().await else { return Ok(Step::Stop) };
    ///         assert_eq!((event.topic.as_str(), event.body), ("order.placed", 17.into()));
    ///         io.count("heard", 1);
    ///         Ok(Step::Stop)
    ///     }
    /// }
    /// # use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup, run};
    /// # use rehearsal_actors::topology::{Node, Topology};
    /// # let mut topology = Topology::new();
    /// # let node = topology.add_node(Node::new("a")).unwrap();
    /// # let mut setup = Setup::new(1, topology);
    /// # setup.services.push(ServiceSpec::new("curious", node, Cast::service(Curious)));
    /// # assert_eq!(run(setup, None, Default::default()).unwrap().counters["heard"], 1);
    /// ```
    ///
    /// # Errors
    /// The pattern is none, or the service has [as many](SUBSCRIPTIONS_LIMIT) listeners as it may have.
    pub fn listen(&self, pattern: &str) -> Result<Listener, ListenError> {
        self.listen_keeping(HEARD_LIMIT, pattern)
    }

    /// The same, keeping no more events than that (but always one) until somebody takes them.
    ///
    /// # Errors
    /// As [`listen`](Self::listen).
    pub fn listen_keeping(&self, events: usize, pattern: &str) -> Result<Listener, ListenError> {
        Listener::new(&self.io.desk, pattern, events)
    }
}

/// A handler at work on an event.
pub(crate) type Hearing = Pin<Box<dyn Future<Output = Result<(), StepError>>>>;

/// An event whose body only its handlers can read.
pub(crate) type AnyEvent = Event<Payload>;

/// Begins to handle an event, or says what is wrong with its body.
type Begin<S> = Box<dyn Fn(Rc<S>, ServiceIo, AnyEvent) -> Result<Hearing, String>>;

struct Subscription<S> {
    pattern: Pattern,
    begin: Begin<S>,
}

/// Why a subscription cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadSubscription {
    pub(crate) pattern: String,
    pub(crate) reason: String,
}

/// Collects what a service wants to hear.
pub struct Subscriptions<S> {
    subscriptions: Vec<Subscription<S>>,
    mistakes: Vec<BadSubscription>,
}

impl<S: 'static> Subscriptions<S> {
    pub(crate) fn new() -> Self {
        Subscriptions { subscriptions: Vec::new(), mistakes: Vec::new() }
    }

    /// Subscribes to the events whose topics fit a pattern: words with dots between them, of which `*`
    /// stands for any one and `#` for any number of words, none included. The handler is
    /// `async fn f(self: Rc<S>, io: ServiceIo, event: Event<B>) -> Result<(), StepError>`; an event whose
    /// body is no `B` counts as a failure of it. A pattern that is none keeps the service from starting.
    pub fn on<B, F, Handling>(&mut self, pattern: &str, handler: F) -> &mut Self
    where
        B: DeserializeOwned + 'static,
        F: Fn(Rc<S>, ServiceIo, Event<B>) -> Handling + 'static,
        Handling: Future<Output = Result<(), StepError>> + 'static,
    {
        let begin: Begin<S> = Box::new(move |service, io, event| {
            let Event { topic, from, sent_at, trace_id, body } = event;
            let event = Event { topic, from, sent_at, trace_id, body: body.take()? };
            Ok(Box::pin(handler(service, io, event)))
        });
        let mistake = match Pattern::new(pattern) {
            Err(error) => Some(error.to_string()),
            Ok(_) if self.subscriptions.len() >= SUBSCRIPTIONS_LIMIT => {
                Some(format!("a service has at most {SUBSCRIPTIONS_LIMIT} subscriptions"))
            }
            Ok(pattern) => {
                self.subscriptions.push(Subscription { pattern, begin });
                None
            }
        };
        self.mistakes.extend(mistake.map(|reason| BadSubscription { pattern: pattern.to_owned(), reason }));
        self
    }

    pub(crate) fn take_mistakes(&mut self) -> Vec<BadSubscription> {
        std::mem::take(&mut self.mistakes)
    }

    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.subscriptions.iter().map(|subscription| &subscription.pattern)
    }

    pub(crate) fn len(&self) -> usize {
        self.subscriptions.len()
    }

    /// Whether the subscription of that number wants to hear of it.
    pub(crate) fn wants(&self, number: usize, topic: &str) -> bool {
        self.subscriptions[number].pattern.fits(topic)
    }

    /// Begins to handle an event for the subscription of that number.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub(crate) fn begin(
        &self,
        number: usize,
        service: Rc<S>,
        io: ServiceIo,
        event: AnyEvent,
    ) -> Result<Hearing, String> {
        (self.subscriptions[number].begin)(service, io, event)
    }
}
