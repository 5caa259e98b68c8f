//! Holding expectations against the report of a run.

use serde_json::Number;

use rehearsal_actors::monitors::{MonitorReport, Rule};
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::report::{Recovery, Report};
use rehearsal_actors::units::{Probability, SimDuration};

use super::words::{bounds_of, share, subject};
use super::{Bounds, Expectation, Verdict, Whose};
use crate::typeset::{count, duration};

/// What was found: in words, as a number, and whether it is as expected.
struct Found {
    measured: String,
    value: Option<Number>,
    holds: bool,
}

impl Found {
    /// There was nothing to measure, which is no success.
    fn nothing(why: &str) -> Self {
        Found { measured: why.to_owned(), value: None, holds: false }
    }

    fn count(n: u64, bounds: &Bounds<u64>) -> Self {
        Found { measured: count(n), value: Some(n.into()), holds: bounds.hold(n) }
    }

    fn time(length: SimDuration, bounds: &Bounds<SimDuration>) -> Self {
        Found {
            measured: duration(length),
            value: Number::from_f64(length.as_millis_f64()),
            holds: bounds.hold(length),
        }
    }
}

/// What came of each expectation, in their order.
pub fn judge(expectations: &[Expectation], report: &Report) -> Vec<Verdict> {
    // The setup's monitors are those of the expectations, in the same order.
    let mut monitors = report.monitors.iter();
    let verdict = |expectation| {
        let Found { measured, value, holds } = find(expectation, report, &mut monitors);
        Verdict { subject: subject(expectation), wanted: bounds_of(expectation), measured, value, holds }
    };
    expectations.iter().map(verdict).collect()
}

fn find<'r>(
    expectation: &Expectation,
    report: &'r Report,
    monitors: &mut impl Iterator<Item = &'r MonitorReport>,
) -> Found {
    match expectation {
        Expectation::Outcomes { interface, kinds, bounds } => {
            Found::count(ended(report, *interface, |kind| kinds.contains(&kind)), bounds)
        }
        Expectation::Ratio { interface, kinds, bounds } => {
            let hits = ended(report, *interface, |kind| kinds.contains(&kind));
            ratio(hits, ended(report, *interface, |_| true), bounds)
        }
        Expectation::Latency { interface, percentile, bounds } => {
            let distributions = &report.distributions;
            let latencies = match interface {
                Some(interface) => distributions.by_interface.get(interface),
                None => distributions.deliveries.as_ref(),
            };
            match latencies {
                Some(latencies) => Found::time(latencies.percentile(*percentile), bounds),
                None => Found::nothing("never measured"),
            }
        }
        Expectation::Recovery { service, bounds } => recovery(report, service.as_deref(), bounds),
        Expectation::Restarts { whose, bounds } => Found::count(restarts(report, whose), bounds),
        Expectation::Failures { service, bounds } => {
            let all = report.supervision.unexplained.iter();
            let failures = all.filter(|(failed, _)| service.as_ref().is_none_or(|service| service == *failed));
            Found::count(sum(failures.map(|(_, n)| *n)), bounds)
        }
        Expectation::Counter { name, service, bounds } => {
            let counters = match service {
                None => Some(&report.counters),
                Some(name) => report.services.iter().find(|service| service.name == *name).map(|s| &s.counters),
            };
            Found::count(counters.and_then(|counters| counters.get(name)).copied().unwrap_or(0), bounds)
        }
        Expectation::Meanwhile { monitor, .. } => match monitors.next() {
            Some(report) => watched(&monitor.rule, report),
            None => Found::nothing("never watched"),
        },
    }
}

fn sum(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}

/// How many requests ended in one of some ways.
fn ended(report: &Report, interface: Option<Interface>, is_one: impl Fn(OutcomeKind) -> bool) -> u64 {
    let of = report.outcomes.iter().filter(|((of, _), _)| interface.is_none_or(|interface| interface == *of));
    sum(of.filter(|((_, kind), _)| is_one(*kind)).map(|(_, n)| *n))
}

fn ratio(hits: u64, of: u64, bounds: &Bounds<Probability>) -> Found {
    if of == 0 {
        return Found::nothing("no request ended");
    }
    // One division, correctly rounded: 7 of 100 is the very number that is written 0.07.
    let ratio = hits as f64 / of as f64;
    let ends =
        Bounds { at_least: bounds.at_least.map(Probability::get), at_most: bounds.at_most.map(Probability::get) };
    Found {
        measured: format!("{}, {} of {}", share(ratio), count(hits), count(of)),
        value: Number::from_f64(ratio),
        holds: ends.hold(ratio),
    }
}

fn restarts(report: &Report, whose: &Whose) -> u64 {
    let supervision = &report.supervision;
    match whose {
        Whose::Anybody => sum(supervision.restarts.values().copied()),
        Whose::Service(name) => {
            sum(supervision.restarts.iter().filter(|((child, _), _)| child == name).map(|(_, n)| *n))
        }
        Whose::Supervisor(name) => supervision.restarts_by_supervisor.get(name).copied().unwrap_or(0),
    }
}

/// The longest of all recoveries; one that had yet to come when the run ended has taken until then,
/// and holds against nobody unless that was too long.
fn recovery(report: &Report, service: Option<&str>, bounds: &Bounds<SimDuration>) -> Found {
    let all = report.supervision.recovery_by_service.iter();
    let failed: Vec<&Recovery> =
        all.filter(|(failed, _)| service.is_none_or(|service| service == *failed)).map(|(_, r)| r).collect();
    let down = failed.iter().filter_map(|recovery| recovery.down_since).min();
    if let Some(since) = down
        && bounds.at_most.is_some_and(|most| report.ended_at.since(since) > most)
    {
        return Found::nothing(&format!("none since {since}"));
    }
    match failed.iter().filter_map(|recovery| recovery.times).map(|times| times.max).max() {
        Some(longest) => Found::time(longest, bounds),
        None => Found::nothing(if down.is_some() { "not yet" } else { "nothing failed" }),
    }
}

fn watched(rule: &Rule, report: &MonitorReport) -> Found {
    let measured = match (rule, report.violation, report.met_at) {
        (Rule::Always { .. }, Some(violation), _) => {
            format!("{} at {}, when the limit was {}", count(violation.value), violation.at, count(violation.limit))
        }
        (Rule::Eventually { .. }, Some(violation), _) => format!("{} at {}", count(violation.value), violation.at),
        (_, None, Some(at)) => format!("since {at}"),
        (_, None, None) => "held".to_owned(),
    };
    Found {
        measured,
        value: report.violation.map(|violation| violation.value.into()),
        holds: report.violation.is_none(),
    }
}
