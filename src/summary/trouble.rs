//! What went wrong, by whose hand: the scenario's faults, steps that failed, and requirements that the
//! placement never met.

use std::collections::BTreeMap;

use super::{Detail, entry, hang, listing, more, most_first, tally};
use crate::finished::Finished;
use crate::typeset::{WARN, paint, plural};

/// Why steps failed, over all services, the most frequent reason first.
pub(super) fn failed_steps(run: &Finished, detail: Detail) -> String {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for service in &run.report.services {
        for (reason, n) in &service.failed_steps {
            let sum = reasons.entry(reason.clone()).or_default();
            *sum = sum.saturating_add(*n);
        }
    }
    if reasons.is_empty() {
        return String::new();
    }
    tally("failed steps", &most_first(&reasons), detail)
}

/// Why requests did not get what they asked for, the most frequent cause first.
pub(super) fn causes(run: &Finished, detail: Detail) -> String {
    let mut causes: BTreeMap<String, u64> = BTreeMap::new();
    for ((interface, kind, cause), n) in &run.report.causes {
        let cause = if cause.is_empty() { "other causes" } else { cause };
        let sum = causes.entry(format!("{interface} {kind}: {cause}")).or_default();
        *sum = sum.saturating_add(*n);
    }
    if causes.is_empty() {
        return String::new();
    }
    tally("causes", &most_first(&causes), detail)
}

/// Requirements that the placement violates from the start.
pub(super) fn requirements(run: &Finished, detail: Detail) -> String {
    if run.violated.is_empty() {
        return String::new();
    }
    let number = plural(run.violated.len() as u64, "requirement", "requirements");
    let mut out = format!("{}\n", paint(WARN, format!("{number} violated by the placement")));
    for requirement in run.violated.iter().take(detail.most()) {
        out.push_str(&hang("  ", 2, requirement, detail.lines()));
    }
    out + &more(run.violated.len(), detail)
}

/// How often the network changed, by kind.
pub(super) fn faults(run: &Finished, detail: Detail) -> String {
    match run.report.faults.is_empty() {
        true => String::new(),
        false => entry("faults", &listing(&run.report.faults), detail),
    }
}
