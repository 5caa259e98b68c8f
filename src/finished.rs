//! A run that is over, as the reports see it.

use std::time::Duration;

use rehearsal_actors::report::{Ending, Report};

/// What the runtime reported, and what only the one who started it knows.
pub struct Finished {
    /// The name of the scenario.
    pub scenario: String,
    /// How many nodes its network has.
    pub nodes: usize,
    /// How many directed links.
    pub links: usize,
    /// The requirements that the placement violates, spelled out one by one.
    pub violated: Vec<String>,
    /// How long it took.
    pub wall: Duration,
    /// What happened.
    pub report: Report,
}

impl Finished {
    /// Virtual seconds for each second of wall time; `None` where either is nothing.
    pub fn times_real_time(&self) -> Option<f64> {
        let factor = self.report.ended_at.as_secs_f64() / self.wall.as_secs_f64();
        (factor.is_finite() && factor > 0.0).then_some(factor)
    }

    /// Why the run did not end well, in one line; `None` if it did.
    pub fn what_went_wrong(&self) -> Option<String> {
        let panics = match self.report.panics.as_slice() {
            [] => None,
            [one] => Some(format!("`{}` panicked at {}", one.service, one.at)),
            [first, ..] => {
                let panics = self.report.panic_count;
                Some(format!("{panics} panics, the first in `{}` at {}", first.service, first.at))
            }
        };
        let ending = match &self.report.ending {
            Ending::Quiescent | Ending::TimeReached => None,
            Ending::Interrupted => Some(format!("interrupted at {} of virtual time", self.report.ended_at)),
            Ending::GaveUp { supervisor, at } => {
                Some(format!("the supervisor `{supervisor}` gave up at {at}: its children failed too often"))
            }
            Ending::Stuck { service, at } => {
                Some(format!("stuck at {at}: `{service}` kept acting and never waited, so virtual time stood still"))
            }
        };
        match (ending, panics) {
            (Some(ending), Some(panics)) => Some(format!("{ending}; {panics}")),
            (ending, panics) => ending.or(panics),
        }
    }
}

#[cfg(test)]
pub(crate) mod examples;
