//! The ways in which a service speaks: [`mpi`] messages, [`rest`] requests, [`rpc`] calls, [`raw`]
//! messages and [`events`]; and the [`directory`], by which they find each other.
//!
//! Each interface is bodies over the network and nothing more: a new one is a new file here and a
//! method of [`ServiceIo`](crate::service::ServiceIo).

pub(crate) mod baggage;
pub mod directory;
pub mod events;
pub mod exchange;
pub mod mpi;
pub mod raw;
pub mod rest;
pub mod rpc;
mod unread;

use std::cell::{Cell, RefCell};
use std::rc::Weak;

use crate::interfaces::events::{Listeners, Subscribers};
use crate::interfaces::rpc::{RemoteError, TraceId};
use crate::network::Network;
use crate::network::waits::Course;
use crate::outcome::Undelivered;
use crate::service::desk::Desk;
use crate::service::offers::AllOffers;
use crate::topology::NodeId;
use crate::trace::ServiceId;
use crate::units::SimDuration;

/// What the interfaces of all services of a run share.
#[derive(Default)]
pub(crate) struct Commons {
    pub(crate) subscribers: RefCell<Subscribers>,
    /// Those who listen for a while.
    pub(crate) listeners: RefCell<Listeners>,
    pub(crate) offers: AllOffers,
    /// Services that would register something and know no directory.
    pub(crate) homeless: RefCell<Vec<Weak<Desk>>>,
    traces: Cell<u64>,
}

impl Commons {
    /// Everyone who wants to hear of an event, each once, in order of declaration.
    pub(crate) fn hearers(&self, topic: &str) -> Vec<ServiceId> {
        let mut hearers = self.subscribers.borrow().of(topic);
        let listeners = self.listeners.borrow();
        if !listeners.is_empty() {
            hearers.extend(listeners.of(topic));
            hearers.sort_unstable();
            hearers.dedup();
        }
        hearers
    }

    /// Names a chain of calls that begins now.
    #[inline]
    pub(crate) fn new_trace(&self) -> TraceId {
        self.traces.set(self.traces.get() + 1);
        TraceId(self.traces.get())
    }
}

/// The way that a message took, as far as it is known to the one who sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The nodes from the sender's to the receiver's, both included; empty if the message never
    /// left its node.
    pub nodes: Vec<NodeId>,
}

impl Route {
    /// How many links it takes.
    pub fn hops(&self) -> usize {
        self.nodes.len().saturating_sub(1)
    }

    fn of(network: &Network, course: Course) -> Route {
        Route { nodes: network.nodes_of(course) }
    }
}

/// How a service is named: by its name, or by the id that came with one of its messages.
pub trait Recipient {
    /// The service, or the name that nobody bears.
    #[doc(hidden)]
    fn resolve(&self, network: NetworkView<'_>) -> Result<ServiceId, String>;
}

/// What a [`Recipient`] may look at.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct NetworkView<'a>(&'a Network);

impl Recipient for ServiceId {
    fn resolve(&self, _: NetworkView<'_>) -> Result<ServiceId, String> {
        Ok(*self)
    }
}

impl Recipient for str {
    fn resolve(&self, network: NetworkView<'_>) -> Result<ServiceId, String> {
        network.0.find(self).ok_or_else(|| self.to_owned())
    }
}

impl Recipient for String {
    fn resolve(&self, network: NetworkView<'_>) -> Result<ServiceId, String> {
        self.as_str().resolve(network)
    }
}

impl<R: Recipient + ?Sized> Recipient for &R {
    fn resolve(&self, network: NetworkView<'_>) -> Result<ServiceId, String> {
        (**self).resolve(network)
    }
}

/// Who did not do what, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// The service.
    pub by: String,
    /// What it was asked: a method or a subject.
    pub what: String,
    /// Why not.
    pub reason: String,
}

impl Declined {
    pub(crate) fn new(by: impl Into<String>, what: impl Into<String>, reason: impl Into<String>) -> Box<Self> {
        Box::new(Declined { by: by.into(), what: what.into(), reason: reason.into() })
    }
}

/// Why a call did not succeed. It is moved with every result that a service awaits, so that what is
/// large and rare in it is boxed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Nothing came in time: it may have happened all the same.
    #[error("timed out waiting for {what}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        waited: SimDuration,
    },
    /// It will not arrive: it did not happen.
    #[error(transparent)]
    Undelivered(#[from] Undelivered),
    /// The service that had it in its hands is gone: it may have happened.
    #[error("`{by}` is gone, and had it in its hands")]
    Interrupted {
        /// The service.
        by: String,
    },
    /// It was done and failed.
    #[error("`{by}` failed: {reason}")]
    Failed {
        /// Who has done it.
        by: String,
        /// How it failed.
        reason: String,
    },
    /// A method failed with an error that it declares, or panicked: it was done, and failed.
    #[error(transparent)]
    Remote(#[from] Box<RemoteError>),
    /// It was not done, and it is safe to try again.
    #[error("`{}` does not do `{}`: {}", .0.by, .0.what, .0.reason)]
    Nack(Box<Declined>),
    /// The service has no such method: it did not happen.
    #[error("`{}` does not understand `{}`: {}", .0.by, .0.what, .0.reason)]
    NotUnderstood(Box<Declined>),
    /// The method is there and cannot read its parameters: it did not happen. Its outcome is that it
    /// was not understood.
    #[error("`{}` does not understand `{}`: {}", .0.by, .0.what, .0.reason)]
    BadParameters(Box<Declined>),
    /// The caller may not: it did not happen.
    #[error("`{}` does not allow `{}`: {}", .0.by, .0.what, .0.reason)]
    Denied(Box<Declined>),
    /// A REST request was answered with a failure.
    #[error("`{endpoint}` answered {status}")]
    Status {
        /// What was asked.
        endpoint: String,
        /// What it said.
        status: u16,
    },
    /// An answer does not have the expected form.
    #[error("the body of `{endpoint}` is not what was expected: {reason}")]
    Malformed {
        /// What was asked.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl CallError {
    /// Whether the same call may be made again, to the same service or to another: after what surely
    /// did not happen and may turn out otherwise the next time (nack and undelivered), and, if it does
    /// no harm to do it twice, after what may have happened too.
    pub fn may_be_tried_again(&self, idempotent: bool) -> bool {
        match self {
            // It will never have a size.
            CallError::Undelivered(Undelivered::Unserialisable { .. }) => false,
            CallError::Nack(_) | CallError::Undelivered(_) => true,
            CallError::TimedOut { .. }
            | CallError::Interrupted { .. }
            | CallError::Remote(_)
            | CallError::Failed { .. } => idempotent,
            CallError::NotUnderstood(_)
            | CallError::BadParameters(_)
            | CallError::Denied(_)
            | CallError::Status { .. }
            | CallError::Malformed { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_error_is_no_larger_than_two_texts_and_what_tells_them_apart() {
        assert!(size_of::<super::CallError>() <= 2 * size_of::<String>() + 8);
    }
}
