//! What a scenario expects of its run, and whether it came true.
//!
//! An [`Expectation`] is plain data. Most are held against the report when the run is over; those
//! that say *always* or *eventually* are watched by the runtime while it goes on, as a
//! [`Monitor`]. What comes of each is a [`Verdict`].
//!
//! What was never measured meets no expectation: a percentile of requests that nobody made says
//! nothing, and silence must not pass for success.
//!
//! Knows the report of a run; used by [`finished`](crate::finished).

mod bounds;
mod measure;
#[cfg(test)]
mod tests;
mod words;

use rehearsal_actors::monitors::Monitor;
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::units::{Probability, SimDuration};

pub use bounds::Bounds;
pub use measure::judge;

/// One thing that a scenario expects.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// So many requests ended in one of these ways.
    Outcomes {
        /// Of this interface; `None`: of any.
        interface: Option<Interface>,
        /// The ways.
        kinds: Vec<OutcomeKind>,
        /// How many.
        bounds: Bounds<u64>,
    },
    /// Such a share of the requests that ended did so in one of these ways.
    Ratio {
        /// Of this interface; `None`: of any.
        interface: Option<Interface>,
        /// The ways.
        kinds: Vec<OutcomeKind>,
        /// Which share.
        bounds: Bounds<Probability>,
    },
    /// A percentile of the latencies, as the summary shows them.
    Latency {
        /// Of this interface; `None`: of all deliveries.
        interface: Option<Interface>,
        /// From 0 to 100.
        percentile: f64,
        /// How long.
        bounds: Bounds<SimDuration>,
    },
    /// The longest time from a failure to the first good reply.
    Recovery {
        /// Of this service; `None`: of any.
        service: Option<String>,
        /// How long.
        bounds: Bounds<SimDuration>,
    },
    /// Restarts.
    Restarts {
        /// Whose.
        whose: Whose,
        /// How many.
        bounds: Bounds<u64>,
    },
    /// Panics and errors that no fault caused. A service of which they are expected may fail; every
    /// other's end the run badly.
    Failures {
        /// Of this service; `None`: of any.
        service: Option<String>,
        /// How many.
        bounds: Bounds<u64>,
    },
    /// A named counter at the end.
    Counter {
        /// Its name.
        name: String,
        /// Of this service; `None`: of all together.
        service: Option<String>,
        /// How much.
        bounds: Bounds<u64>,
    },
    /// Something about a named counter while the run goes on.
    Meanwhile {
        /// What the runtime is to watch.
        monitor: Monitor,
        /// The name of the monitor's service.
        service: Option<String>,
    },
}

/// Whose restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's.
    Anybody,
    /// Those of one service.
    Service(String),
    /// Those that one supervisor carried out.
    Supervisor(String),
}

impl Expectation {
    /// What the runtime is to watch for it.
    pub fn monitor(&self) -> Option<&Monitor> {
        match self {
            Expectation::Meanwhile { monitor, .. } => Some(monitor),
            _ => None,
        }
    }

    /// Whether failures of a service are expected: how many, is another question.
    pub fn excuses(&self, failed: &str) -> bool {
        match self {
            Expectation::Failures { service, .. } => service.as_deref().is_none_or(|service| service == failed),
            _ => false,
        }
    }
}

/// What came of one expectation. It stands in the `--json` object as it is.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Verdict {
    /// What is expected of: `REST p99`.
    pub subject: String,
    /// What was expected of it: `at most 200ms`.
    pub wanted: String,
    /// What it was: `187 ms`.
    pub measured: String,
    /// The same as a number, where it is one: a count, a share from 0 to 1, milliseconds.
    pub value: Option<serde_json::Number>,
    /// Whether the expectation holds.
    pub holds: bool,
}
