//! The story of a run, event by event, and its fingerprint.
//!
//! The runtime books every event of a run, always hashes it and, where somebody listens, passes it on
//! to a [`TraceSink`]. The hash is the same with a listener and without.

use std::fmt;

use crate::outcome::{Interface, OutcomeKind};
use crate::units::{Bytes, SimDuration, SimTime};

/// A service, by its place in the order of declaration (names are in [`TraceNames`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(pub(crate) u32);

impl ServiceId {
    /// The service at a position in the order of declaration.
    pub const fn at(position: u32) -> Self {
        ServiceId(position)
    }

    /// The position in the order of declaration.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The fingerprint of a run: equal runs have equal hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceHash(pub u64);

impl fmt::Display for TraceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Why a message was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossCause {
    /// The link's own chance of loss.
    Link,
    /// The queue of a link was full.
    QueueFull,
    /// A link or node on the way, or the target's node, went down.
    Cut,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum TraceEvent<'a> {
    /// A message arrived.
    Delivery {
        /// When.
        at: SimTime,
        /// From whom.
        from: ServiceId,
        /// To whom.
        to: ServiceId,
        /// What it spoke.
        interface: Interface,
        /// When it was sent.
        sent_at: SimTime,
        /// Its size.
        bytes: Bytes,
        /// How long it was held back so as not to overtake.
        held_back: SimDuration,
        /// True for a second copy.
        duplicate: bool,
        /// The type of the body, for people to read (not hashed).
        body_type: &'static str,
    },
    /// A message was lost.
    Lost {
        /// When.
        at: SimTime,
        /// From whom.
        from: ServiceId,
        /// To whom.
        to: ServiceId,
        /// What it spoke.
        interface: Interface,
        /// Its size.
        bytes: Bytes,
        /// Why.
        cause: LossCause,
        /// True for a second copy.
        duplicate: bool,
    },
    /// A request ended.
    Outcome {
        /// When.
        at: SimTime,
        /// Who asked.
        from: ServiceId,
        /// Whom; nobody if there is no such service.
        to: Option<ServiceId>,
        /// Through which interface.
        interface: Interface,
        /// How.
        kind: OutcomeKind,
        /// From request to outcome.
        elapsed: SimDuration,
        /// The cause, for people to read (not hashed).
        cause: Option<&'a str>,
    },
    /// Something in the network changed.
    Fault {
        /// When.
        at: SimTime,
        /// The change, spelled out: `node edge-3 down`.
        what: &'a str,
    },
    /// A service panicked.
    Panic {
        /// When.
        at: SimTime,
        /// Whose.
        service: ServiceId,
        /// Its message.
        message: &'a str,
    },
    /// A step of a service failed.
    StepFailed {
        /// When.
        at: SimTime,
        /// Whose.
        service: ServiceId,
        /// Why.
        reason: &'a str,
    },
    /// A supervisor did something about a child.
    Supervision {
        /// When.
        at: SimTime,
        /// Which supervisor.
        supervisor: &'a str,
        /// The service or supervisor below it.
        child: &'a str,
        /// What it did or saw: `restarted, incarnation 3`.
        what: &'a str,
    },
    /// The entries of a directory changed, or a provider went over to it.
    Directory {
        /// When.
        at: SimTime,
        /// Which directory.
        directory: &'a str,
        /// What changed: `registered add-one at 1:0:7`.
        what: &'a str,
    },
}

/// The names behind the ids of a trace.
#[derive(Clone, Debug, Default)]
pub struct TraceNames {
    /// Services by [`ServiceId::index`].
    pub services: Vec<String>,
}

impl TraceNames {
    /// The service of that name.
    pub fn find(&self, name: &str) -> Option<ServiceId> {
        self.services.iter().position(|service| service == name).map(|index| ServiceId(index as u32))
    }
}

/// Who wants to hear the story while it happens.
pub trait TraceSink {
    /// One event. Sinks that can fail keep their first error to themselves and give it when asked.
    fn record(&mut self, names: &TraceNames, event: &TraceEvent<'_>);
}
