//! The targets: which figure of ours, held against which of whom, and how far apart they may be.

use crate::measure::Findings;
use crate::peers::Column;
use crate::process::Whole;
use crate::workloads::Case;

/// On which side of the mark the measured value must lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark {
    /// Met by this and less.
    AtMost(f64),
    /// Met by this and more.
    AtLeast(f64),
}

/// What is held against the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Our time a message as a multiple of theirs.
    Time {
        /// In this workload.
        case: Case,
        /// Ours.
        ours: Column,
        /// Theirs.
        theirs: Column,
    },
    /// As [`Quantity::Time`], but without the start-up that either of the two may have: routes, which the bare loop
    /// finds in a table that was there before its clock started.
    SteadyTime {
        /// In this workload.
        case: Case,
        /// Ours.
        ours: Column,
        /// Theirs.
        theirs: Column,
    },
    /// Our messages a second as a multiple of theirs.
    Rate {
        /// In this workload.
        case: Case,
        /// Ours.
        ours: Column,
        /// Theirs.
        theirs: Column,
    },
    /// Bytes each of so many idle services takes, at the peak.
    Idle {
        /// So many.
        services: u32,
        /// Ours.
        ours: Column,
    },
    /// Seconds that the whole process takes for the main scenario.
    ProcessSeconds,
    /// MiB that it takes, at the peak.
    ProcessMebibytes,
}

/// A target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// What is measured.
    pub quantity: Quantity,
    /// What it should be.
    pub mark: Mark,
    /// True for the second mark, which is to be aimed for.
    pub second_mark: bool,
}

/// A target beside what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Which.
    pub target: Target,
    /// Our figure and theirs (or none where the mark is absolute); `None` if one of them is missing.
    pub measured: Option<(f64, Option<f64>)>,
}

const fn first(quantity: Quantity, mark: Mark) -> Target {
    Target { quantity, mark, second_mark: false }
}

const fn second(case: Case) -> Target {
    let quantity = steady(case, Column::Handlers, Column::Simulacra);
    Target { quantity, mark: Mark::AtMost(1.0), second_mark: true }
}

const fn time(case: Case, ours: Column, theirs: Column) -> Quantity {
    Quantity::Time { case, ours, theirs }
}

const fn steady(case: Case, ours: Column, theirs: Column) -> Quantity {
    Quantity::SteadyTime { case, ours, theirs }
}

const fn rate(case: Case, ours: Column, theirs: Column) -> Quantity {
    Quantity::Rate { case, ours, theirs }
}

const fn idle(ours: Column) -> Quantity {
    Quantity::Idle { services: 1_000_000, ours }
}

/// All targets, in the order of the table.
pub const TARGETS: [Target; 15] = {
    use Case::{Gossip, PingPong};
    use Column::{BareLoop, Handlers, Nexosim, RawActix, Sequential, Simulacra};
    use Mark::{AtLeast, AtMost};
    [
        first(time(PingPong(100), Handlers, RawActix), AtMost(0.8)),
        first(time(PingPong(100), Sequential, RawActix), AtMost(1.4)),
        first(time(PingPong(100), Handlers, Simulacra), AtMost(1.5)),
        first(rate(PingPong(100), Handlers, Nexosim), AtLeast(5.0)),
        first(rate(PingPong(10_000), Handlers, Nexosim), AtLeast(10.0)),
        first(rate(PingPong(10_000), Handlers, Simulacra), AtLeast(15.0)),
        first(steady(Gossip(1_000), Handlers, BareLoop), AtMost(2.0)),
        first(steady(Gossip(10_000), Handlers, BareLoop), AtMost(2.0)),
        first(idle(Handlers), AtMost(2_048.0)),
        first(idle(Sequential), AtMost(2_048.0)),
        first(Quantity::ProcessSeconds, AtMost(0.1)),
        first(Quantity::ProcessMebibytes, AtMost(32.0)),
        second(PingPong(1)),
        second(PingPong(100)),
        second(PingPong(10_000)),
    ]
};

impl Target {
    /// Looks the figures up.
    pub fn judge(&self, findings: &Findings, whole: Option<&Whole>) -> Verdict {
        let fastest = |case, column| findings.figure(case, column).map(|figure| figure.fastest);
        let steady = |case, column| findings.figure(case, column).map(|figure| figure.steady.unwrap_or(figure.fastest));
        let against = |ours: Option<f64>, theirs: Option<f64>| Some((ours?, Some(theirs?)));
        let measured = match self.quantity {
            Quantity::Time { case, ours, theirs } | Quantity::Rate { case, ours, theirs } => {
                against(fastest(case, ours), fastest(case, theirs))
            }
            Quantity::SteadyTime { case, ours, theirs } => against(steady(case, ours), steady(case, theirs)),
            Quantity::Idle { services, ours } => {
                findings.crowd(services, ours).map(|crowd| (crowd.growth.peak as f64 / f64::from(crowd.services), None))
            }
            Quantity::ProcessSeconds => whole.map(|whole| (whole.fastest.as_secs_f64(), None)),
            Quantity::ProcessMebibytes => whole.map(|whole| (whole.peak as f64 / 1_048_576.0, None)),
        };
        Verdict { target: *self, measured }
    }

    /// What is measured, in a few words.
    pub fn name(&self) -> String {
        match self.quantity {
            Quantity::Time { case, ours, theirs } => {
                format!("{case}: {} / {}, time", ours.heading(), theirs.heading())
            }
            Quantity::SteadyTime { case, ours, theirs } => {
                format!("{case}: {} / {}, steady", ours.heading(), theirs.heading())
            }
            Quantity::Rate { case, ours, theirs } => {
                format!("{case}: {} / {}, rate", ours.heading(), theirs.heading())
            }
            Quantity::Idle { services, ours } => {
                format!("idle {services}: {}, bytes each", ours.heading())
            }
            Quantity::ProcessSeconds => "sockshop.ron, whole process: seconds".to_string(),
            Quantity::ProcessMebibytes => "sockshop.ron, whole process: MiB".to_string(),
        }
    }
}

impl Verdict {
    /// The value that is held against the mark: a ratio, or our figure itself.
    pub fn value(&self) -> Option<f64> {
        let (ours, theirs) = self.measured?;
        Some(match (self.target.quantity, theirs) {
            (_, None) => ours,
            (Quantity::Rate { .. }, Some(theirs)) => theirs / ours,
            (_, Some(theirs)) => ours / theirs,
        })
    }

    /// Whether the target is met; `None` if it was not measured.
    pub fn is_met(&self) -> Option<bool> {
        let value = self.value()?;
        Some(match self.target.mark {
            Mark::AtMost(mark) => value <= mark,
            Mark::AtLeast(mark) => value >= mark,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Figure;

    fn figure(column: Column, fastest: f64, steady: Option<f64>) -> Figure {
        let case = Case::PingPong(10_000);
        Figure { case, peer: "someone", column, messages: 1, fastest, median: fastest, rounds: 1, steady }
    }

    fn found() -> Findings {
        Findings {
            figures: vec![
                figure(Column::Handlers, 50.0, None),
                figure(Column::Nexosim, 600.0, None),
                figure(Column::Simulacra, 900.0, Some(40.0)),
                // Two peers in one column: the faster counts.
                figure(Column::BareLoop, 20.0, None),
                figure(Column::BareLoop, 10.0, None),
            ],
            ..Findings::default()
        }
    }

    #[test]
    fn a_time_is_ours_over_theirs_and_a_rate_theirs_over_ours() {
        let case = Case::PingPong(10_000);
        let judge = |quantity, mark| first(quantity, mark).judge(&found(), None);
        let time = judge(time(case, Column::Handlers, Column::BareLoop), Mark::AtMost(4.0));
        assert_eq!((time.value(), time.is_met()), (Some(5.0), Some(false)));
        let rate = judge(rate(case, Column::Handlers, Column::Nexosim), Mark::AtLeast(12.0));
        assert_eq!((rate.value(), rate.is_met()), (Some(12.0), Some(true)));
    }

    #[test]
    fn the_second_mark_leaves_the_start_up_of_the_other_aside() {
        let verdict = second(Case::PingPong(10_000)).judge(&found(), None);
        assert_eq!((verdict.value(), verdict.is_met()), (Some(1.25), Some(false)));
    }

    #[test]
    fn what_was_not_measured_is_neither_met_nor_missed() {
        for target in TARGETS {
            assert_eq!(target.judge(&Findings::default(), None).is_met(), None, "{}", target.name());
        }
    }
}
