//! How a run kept to the wall clock.

use crate::clock::wall::Pace;
use crate::report::LatencySummary;

/// How a paced run kept to the wall clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PacingReport {
    /// How fast virtual time was to go.
    pub pace: Pace,
    /// Whether the run was open to the outside.
    pub stay_open: bool,
    /// How late the wall clock was when what was due happened, in time of the wall clock; `None` if
    /// nothing ever was due.
    pub lag: Option<LatencySummary>,
}
