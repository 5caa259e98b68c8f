//! Who failed, who was restarted, and how soon all was well again.

use std::collections::BTreeMap;

use rehearsal_actors::report::{FailureKind, FailureReport, RestartCause};
use rehearsal_actors::units::SimTime;

use super::traffic::latency_table;
use super::{Detail, hang, more, most_first, number_of, tally};
use crate::finished::Finished;
use crate::typeset::{BAD, WARN, clean, count, paint, plural};

/// Failures that are alike: the same service, and it says the same.
struct Alike<'r> {
    first: &'r FailureReport,
    last: SimTime,
    count: u64,
}

/// Failures that are alike are told as one, at the place of the first.
fn alike(failures: &[FailureReport]) -> Vec<Alike<'_>> {
    let key = |f: &FailureReport| (f.service.clone(), f.kind, f.message.clone(), f.place.clone(), f.by_fault);
    let mut told: Vec<Alike<'_>> = Vec::new();
    let mut places = BTreeMap::new();
    for failure in failures {
        let place = *places.entry(key(failure)).or_insert(told.len());
        match told.get_mut(place) {
            Some(alike) => (alike.last, alike.count) = (failure.at, alike.count + 1),
            None => told.push(Alike { first: failure, last: failure.at, count: 1 }),
        }
    }
    told
}

/// Panics and errors: whose, when, where, and what they said.
pub(super) fn failures(run: &Finished, detail: Detail) -> String {
    let supervision = &run.report.supervision;
    if supervision.failures.is_empty() {
        return String::new();
    }
    let style = if run.unexpected_failures() > 0 { BAD } else { WARN };
    let mut out = format!("{}\n", paint(style, plural(supervision.failure_count, "failure", "failures")));
    let told = alike(&supervision.failures);
    for Alike { first: failure, last, count: number } in told.iter().take(detail.most()) {
        let what = match failure.kind {
            FailureKind::Panic => "panicked",
            FailureKind::Error => "failed",
        };
        let by_fault = if failure.by_fault { ", by a fault of the scenario" } else { "" };
        let place = failure.place.as_deref().map(|place| format!(", {}", clean(place))).unwrap_or_default();
        let when = match number {
            1 => format!("at {}", failure.at),
            _ => format!("{} times, from {} to {last}", count(*number), failure.at),
        };
        let whose = format!("{} {what} {when}{by_fault}{place}:", clean(&failure.service));
        out.push_str(&hang("  ", 2, &whose, detail.lines()));
        out.push_str(&hang("    ", 4, &failure.message, detail.lines()));
    }
    out + &more(told.len(), detail)
}

/// Restarts by child, most first, each with its causes.
pub(super) fn restarts(run: &Finished, detail: Detail) -> String {
    let mut by_child: BTreeMap<&str, (u64, Vec<String>)> = BTreeMap::new();
    for ((child, cause), n) in &run.report.supervision.restarts {
        let (sum, causes) = by_child.entry(child).or_default();
        *sum = sum.saturating_add(*n);
        causes.push(number_of(*n, in_words(*cause)));
    }
    if by_child.is_empty() {
        return String::new();
    }
    let entry = |(child, (sum, causes)): (&str, (u64, Vec<String>))| (format!("{child}: {}", causes.join(", ")), sum);
    let entries: BTreeMap<String, u64> = by_child.into_iter().map(entry).collect();
    tally("restarts", &most_first(&entries), detail)
}

/// `2 panicked, 1 killed`: what happened to the child, or around it.
fn in_words(cause: RestartCause) -> &'static str {
    match cause {
        RestartCause::Panic => "panicked",
        RestartCause::Error => "failed",
        RestartCause::Ended => "ended",
        RestartCause::Killed => "killed",
        RestartCause::NodeCrash => "crashed with the node",
        RestartCause::GaveUp => "gave up",
        RestartCause::Sibling => "for a sibling",
        RestartCause::Supervisor => "with the supervisor",
    }
}

/// Supervisors that gave up.
pub(super) fn given_up(run: &Finished, detail: Detail) -> String {
    let given_up = &run.report.supervision.given_up;
    if given_up.is_empty() {
        return String::new();
    }
    let number = plural(given_up.len() as u64, "supervisor", "supervisors");
    let mut out = format!("{}\n", paint(WARN, format!("{number} gave up")));
    for one in given_up.iter().take(detail.most()) {
        let text = format!("{} at {}: {}", clean(&one.supervisor), one.at, clean(&one.why));
        out.push_str(&hang("  ", 2, &text, detail.lines()));
    }
    out + &more(given_up.len(), detail)
}

/// From failure to the first good reply, over all services and by service.
pub(super) fn recovery(run: &Finished, detail: Detail) -> String {
    let supervision = &run.report.supervision;
    let recovered = supervision.recovery_by_service.iter();
    let recovered: Vec<_> = recovered.filter_map(|(name, recovery)| Some((&**name, recovery.times?))).collect();
    let all = supervision.recovery.map(|all| ("all services", all));
    latency_table("recovery", all.into_iter().chain(recovered.iter().take(detail.most()).copied()))
        + &more(recovered.len(), detail)
}

/// Services that had not recovered when the run ended.
pub(super) fn still_down(run: &Finished, detail: Detail) -> String {
    let services = run.report.supervision.recovery_by_service.iter();
    let down: Vec<_> = services.filter_map(|(name, recovery)| Some((name, recovery.down_since?))).collect();
    if down.is_empty() {
        return String::new();
    }
    let number = plural(down.len() as u64, "service", "services");
    let mut out = format!("{}\n", paint(WARN, format!("{number} not recovered")));
    for (name, since) in down.iter().take(detail.most()) {
        out.push_str(&hang("  ", 2, &format!("{} since {since}", clean(name)), detail.lines()));
    }
    out + &more(down.len(), detail)
}
