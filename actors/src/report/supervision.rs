//! Who failed, who was restarted, and how long it took until all was well again.

use std::collections::BTreeMap;

use crate::report::LatencySummary;
use crate::units::SimTime;

/// What became of the services that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SupervisionReport {
    /// How often each child (a service or a supervisor, by name) was restarted, and why.
    pub restarts: BTreeMap<(String, RestartCause), u64>,
    /// How many restarts each supervisor carried out.
    pub restarts_by_supervisor: BTreeMap<String, u64>,
    /// Panics and errors, in order: the first thousand of them.
    pub failures: Vec<FailureReport>,
    /// How many there were.
    pub failure_count: u64,
    /// Panics and errors that no fault of the scenario caused: how many of each service.
    pub unexplained: BTreeMap<String, u64>,
    /// Supervisors that gave up, in order.
    pub given_up: Vec<GivenUpReport>,
    /// Messages that were returned because their receiver had ended before it looked at them.
    pub returned: u64,
    /// How long it took from a failure, of whatever cause, to the first good reply, over all
    /// services.
    pub recovery: Option<LatencySummary>,
    /// The same by service, for those that failed at all.
    pub recovery_by_service: BTreeMap<String, Recovery>,
}

/// Why a child was started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RestartCause {
    /// It panicked.
    Panic,
    /// It returned an error.
    Error,
    /// It ended in an orderly way, but is permanent.
    Ended,
    /// It was killed.
    Killed,
    /// Its node crashed.
    NodeCrash,
    /// It is a supervisor that gave up.
    GaveUp,
    /// A sibling failed, and their supervisor's strategy restarts both.
    Sibling,
    /// Its supervisor was restarted.
    Supervisor,
}

impl RestartCause {
    /// The name in machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            RestartCause::Panic => "panic",
            RestartCause::Error => "error",
            RestartCause::Ended => "ended",
            RestartCause::Killed => "killed",
            RestartCause::NodeCrash => "node_crash",
            RestartCause::GaveUp => "gave_up",
            RestartCause::Sibling => "sibling",
            RestartCause::Supervisor => "supervisor",
        }
    }
}

/// How a service failed by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// It panicked.
    Panic,
    /// It returned an error.
    Error,
}

impl FailureKind {
    /// The name in machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            FailureKind::Panic => "panic",
            FailureKind::Error => "error",
        }
    }
}

/// A panic or an error that ended a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureReport {
    /// Whose.
    pub service: String,
    /// When.
    pub at: SimTime,
    /// Which of the two.
    pub kind: FailureKind,
    /// What it said.
    pub message: String,
    /// File, line and column, where known.
    pub place: Option<String>,
    /// Whether a fault of the scenario caused it.
    pub by_fault: bool,
}

/// A supervisor that gave up: it ended its children and failed to its own supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUpReport {
    /// Which.
    pub supervisor: String,
    /// When.
    pub at: SimTime,
    /// Why, for people: `4 restarts within 5s`.
    pub why: String,
}

/// How long a service took to be well again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// From each failure to the first good reply after it. A failure that comes before that reply
    /// belongs to the same time of trouble.
    pub times: Option<LatencySummary>,
    /// Since when it has given no good reply, though it was asked, if it had not recovered when the run
    /// ended.
    pub down_since: Option<SimTime>,
}
