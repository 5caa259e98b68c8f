//! What a scenario declares of its supervision: plain data.

use crate::topology::NodeId;
use crate::units::{Probability, SimDuration};

/// Whom a supervisor restarts when one of its children has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// That child alone.
    #[default]
    OneForOne,
    /// All of them: the others are ended first, the last one started first.
    OneForAll,
    /// That child and those that were started after it.
    RestForOne,
}

/// Whether a child that has ended is restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    #[default]
    Permanent,
    /// If it has failed: not if it ended in an orderly way.
    Transient,
    /// Never, not even when another child's failure ends it.
    Temporary,
}

/// How a child is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// At once, whatever it is doing.
    Kill,
    /// It may finish what it has in its hands, for so long; then it is killed.
    Grace(SimDuration),
    /// It may finish what it has in its hands. OTP advises this for supervisors.
    Infinity,
}

impl Default for Shutdown {
    /// OTP's default for workers: five seconds.
    fn default() -> Self {
        Shutdown::Grace(SimDuration::from_secs(5))
    }
}

/// What becomes of messages that a service has not looked at when it ends, and of those that come
/// until it is there again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Queued {
    /// They are returned: their requests end as undelivered. An MPI message that had been delivered has
    /// had its outcome; it is counted as returned.
    #[default]
    Return,
    /// The next incarnation gets them, in their order. They are returned if there will be none, and when the
    /// supervisor ends that would have begun it.
    Keep,
}

/// How often children may be restarted before their supervisor gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// So many restarts are allowed within a period; one more is not.
    pub restarts: u32,
    /// The period.
    pub period: SimDuration,
}

impl Default for Intensity {
    /// OTP's default: one restart in five seconds.
    fn default() -> Self {
        Intensity { restarts: 1, period: SimDuration::from_secs(5) }
    }
}

/// How long to wait before a restart: twice as long for each restart that went before it within the
/// intensity's period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// Before the first restart.
    pub first: SimDuration,
    /// No longer than this.
    pub most: SimDuration,
    /// Each delay is shortened by a random part of itself, this much at most.
    pub jitter: Probability,
}

/// What a supervisor watches over.
#[derive(Clone, Debug, PartialEq)]
pub enum Child {
    /// A service, by its position in [`Setup::services`](crate::simulation::Setup::services).
    Service(usize),
    /// Another supervisor.
    Supervisor(Box<Supervisor>),
}

/// A child, and how it is treated.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildSpec {
    /// Who it is.
    pub child: Child,
    /// Whether it is restarted.
    pub restart: Restart,
    /// How it is made to end.
    pub shutdown: Shutdown,
    /// What becomes of its messages. Nothing that a supervisor has.
    pub queued: Queued,
    /// Where it comes back if its own node is down: on the first of these that is up. If none is, it
    /// waits for its own. Nothing that a supervisor has.
    pub fallback: Vec<NodeId>,
}

impl ChildSpec {
    /// A permanent service that gets five seconds to end.
    pub fn service(index: usize) -> Self {
        ChildSpec {
            child: Child::Service(index),
            restart: Restart::default(),
            shutdown: Shutdown::default(),
            queued: Queued::default(),
            fallback: Vec::new(),
        }
    }

    /// A permanent supervisor that gets as long as it takes to end.
    pub fn supervisor(supervisor: Supervisor) -> Self {
        ChildSpec {
            child: Child::Supervisor(Box::new(supervisor)),
            restart: Restart::default(),
            shutdown: Shutdown::Infinity,
            queued: Queued::default(),
            fallback: Vec::new(),
        }
    }
}

/// A supervisor and all below it.
#[derive(Clone, Debug, PartialEq)]
pub struct Supervisor {
    /// What it is called; unique among supervisors and services.
    pub name: String,
    /// Whom it restarts.
    pub strategy: Strategy,
    /// How often.
    pub intensity: Intensity,
    /// After how long; at once if there is none.
    pub backoff: Option<Backoff>,
    /// Whether each child's start must be over before the next one is started, as in OTP. True by
    /// default.
    pub await_starts: bool,
    /// Its children, in the order in which they are started.
    pub children: Vec<ChildSpec>,
}

impl Supervisor {
    /// Itself and every supervisor below it, each before its own children.
    pub fn all(&self) -> Vec<&Supervisor> {
        let mut all = vec![self];
        for spec in &self.children {
            if let Child::Supervisor(supervisor) = &spec.child {
                all.extend(supervisor.all());
            }
        }
        all
    }

    /// One-for-one, with OTP's intensity, without children.
    pub fn new(name: impl Into<String>) -> Self {
        Supervisor {
            name: name.into(),
            strategy: Strategy::default(),
            intensity: Intensity::default(),
            backoff: None,
            await_starts: true,
            children: Vec::new(),
        }
    }
}
