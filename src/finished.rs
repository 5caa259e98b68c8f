//! A run that is over, as the reports see it.

use std::time::Duration;

use rehearsal_actors::report::{Ending, FailureKind, FailureReport, Report};

use crate::expectations::{Expectation, Verdict, judge};

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
    /// What must hold of it.
    pub expectations: Vec<Expectation>,
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

    /// What came of each expectation, in their order.
    pub fn verdicts(&self) -> Vec<Verdict> {
        judge(&self.expectations, &self.report)
    }

    /// True if the run came to its end, nothing failed in it that neither a fault caused nor anybody
    /// expected, and all that was expected holds. The exit code says so.
    pub fn ended_well(&self) -> bool {
        self.report.came_to_its_end()
            && self.unexpected_failures() == 0
            && self.verdicts().iter().all(|verdict| verdict.holds)
    }

    /// Panics and errors that no fault caused, of services of which none are expected.
    pub fn unexpected_failures(&self) -> u64 {
        let unexplained = self.report.supervision.unexplained.iter();
        let unexpected = unexplained.filter(|(service, _)| !self.is_expected_to_fail(service));
        unexpected.fold(0, |sum, (_, n)| sum.saturating_add(*n))
    }

    fn is_expected_to_fail(&self, service: &str) -> bool {
        self.expectations.iter().any(|expectation| expectation.excuses(service))
    }

    /// Why the run did not end well, in one line; `None` if it did.
    pub fn what_went_wrong(&self) -> Option<String> {
        let ending = match &self.report.ending {
            Ending::Quiescent | Ending::TimeReached | Ending::Closed => None,
            Ending::Interrupted => Some(format!("interrupted at {} of virtual time", self.report.ended_at)),
            Ending::GaveUp { supervisor, at } => {
                Some(format!("the supervisor `{supervisor}` gave up at {at}: its children failed too often"))
            }
            Ending::Stuck { service, at } => {
                Some(format!("stuck at {at}: `{service}` kept acting and never waited, so virtual time stood still"))
            }
        };
        let all = [ending, self.why_failures(), self.why_expectations()];
        all.into_iter().flatten().reduce(|sum, next| format!("{sum}; {next}"))
    }

    fn why_failures(&self) -> Option<String> {
        let count = self.unexpected_failures();
        let is_unexpected = |failure: &&FailureReport| !failure.by_fault && !self.is_expected_to_fail(&failure.service);
        match self.report.supervision.failures.iter().find(is_unexpected) {
            _ if count == 0 => None,
            Some(FailureReport { service, at, kind, .. }) if count == 1 => match kind {
                FailureKind::Panic => Some(format!("`{service}` panicked at {at}")),
                FailureKind::Error => Some(format!("`{service}` failed at {at}")),
            },
            Some(first) => Some(format!("{count} failures, the first in `{}` at {}", first.service, first.at)),
            None => Some(format!("{count} failures")),
        }
    }

    fn why_expectations(&self) -> Option<String> {
        let verdicts = self.verdicts();
        let broken: Vec<&Verdict> = verdicts.iter().filter(|verdict| !verdict.holds).collect();
        let Verdict { subject, wanted, measured, .. } = broken.first()?;
        let first = format!("{subject}: expected {wanted}, but found {measured}");
        Some(match broken.len() {
            1 => first,
            n => format!("{n} expectations do not hold, the first {first}"),
        })
    }
}

#[cfg(test)]
pub(crate) mod examples;
