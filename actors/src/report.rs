//! What a run leaves behind: plain data that reports are made of.
//!
//! Filled by the runtime, read by whoever prints. Maps are ordered, so that what is printed from
//! them is the same every time.

mod directory;
mod latencies;
mod pacing;
mod supervision;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64};

pub use self::directory::{DirectoryFigures, DirectoryReport};
pub use self::latencies::Latencies;
pub use self::pacing::PacingReport;
pub use self::supervision::{FailureKind, FailureReport, GivenUpReport, Recovery, RestartCause, SupervisionReport};
pub use crate::monitors::{MonitorReport, Violation};
use crate::outcome::{Interface, OutcomeKind};
use crate::trace::TraceHash;
use crate::units::{SimDuration, SimTime};

/// What the outside may watch and ask for while a run goes on.
#[derive(Debug, Default)]
pub struct Progress {
    /// Virtual nanoseconds so far.
    pub now: AtomicU64,
    /// Set it to end the run.
    pub interrupt: AtomicBool,
    /// How far a paced run is behind the wall clock, in nanoseconds of the wall clock.
    pub lag: AtomicU64,
    /// How far it has been at most.
    pub greatest_lag: AtomicU64,
}

/// Everything that is known about a run when it is over.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed it ran with.
    pub seed: u64,
    /// Virtual time when it ended.
    pub ended_at: SimTime,
    /// Why it ended.
    pub ending: Ending,
    /// What became of the messages.
    pub traffic: Traffic,
    /// How many requests of each interface ended in each way.
    pub outcomes: BTreeMap<(Interface, OutcomeKind), u64>,
    /// Why requests ended as they did, where there is a cause to tell: no more than a hundred
    /// different ones, the rest under an empty text.
    pub causes: BTreeMap<(Interface, OutcomeKind, String), u64>,
    /// Requests whose outcome was still open when the run ended, by interface.
    pub unfinished: BTreeMap<Interface, u64>,
    /// From sending to delivery, over all delivered messages.
    pub latency: Option<LatencySummary>,
    /// From request to outcome (REST) or sending to delivery (MPI), by interface.
    pub latency_by_interface: BTreeMap<Interface, LatencySummary>,
    /// What these two summarise, for every other percentile.
    pub distributions: Distributions,
    /// Every service, in order of declaration.
    pub services: Vec<ServiceReport>,
    /// What changed in the network by fault or policy: how often each kind of change happened.
    pub faults: BTreeMap<String, u64>,
    /// The named counters of all services, added up.
    pub counters: BTreeMap<String, u64>,
    /// Panics that hosts caught, in order: the first thousand of them.
    pub panics: Vec<PanicReport>,
    /// How many there were.
    pub panic_count: u64,
    /// Who failed and was restarted.
    pub supervision: SupervisionReport,
    /// What directories did.
    pub directories: DirectoryReport,
    /// How the run kept to the wall clock; `None` if it did not have to.
    pub pacing: Option<PacingReport>,
    /// What became of each of the setup's monitors, in their order.
    pub monitors: Vec<MonitorReport>,
    /// The fingerprint of everything that happened, in order.
    pub trace_hash: TraceHash,
}

impl Report {
    /// True if the run came to its end and nothing in it failed that no fault had caused.
    pub fn ended_well(&self) -> bool {
        self.came_to_its_end() && self.supervision.unexplained.is_empty()
    }

    /// True if nothing was left to happen, the time of the run was over, or it was open and was closed.
    pub fn came_to_its_end(&self) -> bool {
        matches!(self.ending, Ending::Quiescent | Ending::TimeReached | Ending::Closed)
    }
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was left to happen.
    Quiescent,
    /// The time it was given was over.
    TimeReached,
    /// Somebody asked for it (Ctrl-C).
    Interrupted,
    /// Somebody closed a run that was open to the outside, which has no other end.
    Closed,
    /// The supervisor at the root gave up: its children failed more often than it allows.
    GaveUp {
        /// The supervisor.
        supervisor: String,
        /// When.
        at: SimTime,
    },
    /// Virtual time could not move on: a service kept acting without ever waiting.
    Stuck {
        /// The service that would not wait.
        service: String,
        /// When.
        at: SimTime,
    },
}

/// What became of the messages. `sent = delivered + lost + undelivered + in_flight`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages that services handed to the network.
    pub sent: u64,
    /// Messages that arrived.
    pub delivered: u64,
    /// Messages that a link, a full queue, a cut or a dead node swallowed.
    pub lost: u64,
    /// Messages that the sender was told would not arrive.
    pub undelivered: u64,
    /// Still on their way when the run ended.
    pub in_flight: u64,
    /// Second copies, counted apart from all of the above, that arrived.
    pub duplicates: u64,
    /// Messages that waited so as not to overtake.
    pub held_back: u64,
    /// Bytes of the delivered messages.
    pub bytes: u64,
}

/// Percentiles of a latency, in virtual time, to three significant digits; the maximum is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencySummary {
    /// How many values.
    pub count: u64,
    /// Half were faster.
    pub p50: SimDuration,
    /// Nine in ten were faster.
    pub p90: SimDuration,
    /// 99 in a hundred were faster.
    pub p99: SimDuration,
    /// The slowest.
    pub max: SimDuration,
}

/// Latencies as they are distributed.
#[derive(Clone, Debug, Default)]
pub struct Distributions {
    /// As [`Report::latency`]; `None` if nothing was delivered.
    pub deliveries: Option<Latencies>,
    /// As [`Report::latency_by_interface`].
    pub by_interface: BTreeMap<Interface, Latencies>,
}

impl Distributions {
    /// As [`Report::latency_by_interface`].
    pub(crate) fn summaries(&self) -> BTreeMap<Interface, LatencySummary> {
        let summary = |(interface, latencies): (&Interface, &Latencies)| Some((*interface, latencies.summary()?));
        self.by_interface.iter().filter_map(summary).collect()
    }
}

/// One service's part in the run.
#[derive(Clone, Debug)]
pub struct ServiceReport {
    /// Its name.
    pub name: String,
    /// The node it stands on.
    pub node: String,
    /// Messages it sent.
    pub sent: u64,
    /// Messages it got.
    pub received: u64,
    /// Steps that ended well.
    pub steps: u64,
    /// Steps that failed, by reason.
    pub failed_steps: BTreeMap<String, u64>,
    /// REST requests its handlers answered.
    pub handled: u64,
    /// Its named counters.
    pub counters: BTreeMap<String, u64>,
    /// What its steps returned, if it keeps them: the most recent ones, in order.
    pub step_values: Vec<serde_json::Value>,
    /// True if it panicked and is gone.
    pub crashed: bool,
    /// True if it was there when the run ended: it had begun, and neither ended nor failed since.
    pub running: bool,
    /// How many lives it has had: the number of the last one. 0 if it never began.
    pub incarnation: u32,
}

impl ServiceReport {
    /// How many steps failed, for whatever reason.
    pub fn failed_step_count(&self) -> u64 {
        self.failed_steps.values().sum()
    }
}

/// A panic that a service's host caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanicReport {
    /// Whose.
    pub service: String,
    /// When.
    pub at: SimTime,
    /// The panic's message.
    pub message: String,
    /// File, line and column, where known.
    pub place: Option<String>,
}
