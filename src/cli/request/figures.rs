//! What many requests came to: outcomes, rates, percentiles.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::units::SimDuration;
use serde_json::{Map, Value, json};

use super::errand::End;
use crate::typeset::{
    BAD, Cell, Column, FAINT, GOOD, HEADING, Table, WIDTH, count, duration, fit, paint, plural, wall,
};

/// What lengths are held to: three digits, which is what is printed.
const DIGITS: u8 = 3;
/// So many kinds of failures are told apart, and printed.
const MOST_REMARKS: usize = 100;
const SHOWN_REMARKS: usize = 8;

/// The percentiles that are told, as lymph's tool has them.
const PERCENTILES: [(&str, f64); 8] = [
    ("50%", 50.0),
    ("90%", 90.0),
    ("95%", 95.0),
    ("97%", 97.0),
    ("98%", 98.0),
    ("99%", 99.0),
    ("99.5%", 99.5),
    ("99.9%", 99.9),
];

/// Counts and lengths of requests.
pub(super) struct Figures {
    outcomes: BTreeMap<OutcomeKind, u64>,
    statuses: BTreeMap<u16, u64>,
    remarks: BTreeMap<String, u64>,
    /// Remarks of kinds beyond those.
    other_remarks: u64,
    /// Of those that were answered, in nanoseconds.
    wall: Histogram<u64>,
    /// Of those whose answer says how long it was under way in virtual time.
    in_virtual: Histogram<u64>,
    took: Duration,
}

impl Default for Figures {
    fn default() -> Self {
        let lengths = || match Histogram::new(DIGITS) {
            Ok(histogram) => histogram,
            Err(_) => unreachable!("three digits are allowed"),
        };
        Figures {
            outcomes: BTreeMap::new(),
            statuses: BTreeMap::new(),
            remarks: BTreeMap::new(),
            other_remarks: 0,
            wall: lengths(),
            in_virtual: lengths(),
            took: Duration::ZERO,
        }
    }
}

impl Figures {
    /// One more request.
    pub(super) fn book(&mut self, end: End, took: Duration) {
        *self.outcomes.entry(end.outcome).or_default() += 1;
        if let Some(status) = end.status {
            *self.statuses.entry(status).or_default() += 1;
        }
        if end.answered {
            record(&mut self.wall, u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        }
        if let Some(elapsed) = end.elapsed {
            record(&mut self.in_virtual, elapsed.as_nanos());
        }
        if let Some(remark) = end.remark {
            self.remark(remark, 1);
        }
    }

    fn remark(&mut self, remark: String, times: u64) {
        if let Some(so_far) = self.remarks.get_mut(&remark) {
            *so_far += times;
        } else if self.remarks.len() < MOST_REMARKS {
            self.remarks.insert(remark, times);
        } else {
            self.other_remarks += times;
        }
    }

    /// Those of somebody else, too.
    pub(super) fn add(&mut self, other: Figures) {
        for (outcome, n) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += n;
        }
        for (status, n) in other.statuses {
            *self.statuses.entry(status).or_default() += n;
        }
        for (remark, n) in other.remarks {
            self.remark(remark, n);
        }
        self.other_remarks += other.other_remarks;
        // Both grow as they need to.
        let _ = self.wall.add(other.wall);
        let _ = self.in_virtual.add(other.in_virtual);
    }

    /// How long all of it took.
    pub(super) fn took(&mut self, took: Duration) {
        self.took = took;
    }

    pub(super) fn count(&self, outcome: OutcomeKind) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    fn all(&self) -> u64 {
        self.outcomes.values().sum()
    }

    fn per_second(&self) -> f64 {
        let seconds = self.took.as_secs_f64();
        if seconds > 0.0 { self.wall.len() as f64 / seconds } else { 0.0 }
    }

    #[cfg(test)]
    pub(super) fn longest(&self) -> Duration {
        Duration::from_nanos(self.wall.max())
    }

    /// The figures, to be read.
    pub(super) fn set(&self, what: &str, concurrency: u16) -> String {
        let requests = plural(self.all(), "request", "requests");
        let title = format!("{requests} to {what}");
        let pace = format!(
            "  {} at a time, in {}: {} answers a second\n",
            count(concurrency.into()),
            wall(self.took),
            count(self.per_second().round() as u64)
        );
        let mut out = format!("{}\n{pace}\n", paint(HEADING, fit(&title, WIDTH)));
        out.push_str(&self.set_outcomes());
        if !self.wall.is_empty() {
            out.push('\n');
            out.push_str(&self.set_lengths());
        }
        if !self.remarks.is_empty() {
            out.push('\n');
            out.push_str(&self.set_remarks());
        }
        out
    }

    fn set_outcomes(&self) -> String {
        let columns = vec![Column::text("outcomes"), Column::number("requests"), Column::number("share")];
        let mut table = Table::new(columns, 2);
        let all = self.all();
        let share = |n: u64| format!("{:.1}%", 100.0 * n as f64 / all as f64);
        for kind in OutcomeKind::ALL.into_iter().filter(|&kind| self.count(kind) > 0) {
            let style = if kind.is_good() { GOOD } else { BAD };
            let n = self.count(kind);
            table.row(vec![Cell::styled(kind.to_string(), style), count(n).into(), share(n).into()]);
        }
        for (&status, &n) in &self.statuses {
            table.row(vec![Cell::styled(format!("HTTP {status}"), FAINT), count(n).into(), share(n).into()]);
        }
        table.set()
    }

    fn set_lengths(&self) -> String {
        let with_virtual = !self.in_virtual.is_empty();
        let mut columns = vec![Column::text("latency"), Column::number("wall")];
        if with_virtual {
            columns.push(Column::number("virtual"));
        }
        let mut table = Table::new(columns, 2);
        let mut row = |name: &str, of: &dyn Fn(&Histogram<u64>) -> u64| {
            let set = |histogram| duration(SimDuration::from_nanos(of(histogram)));
            let mut cells = vec![name.into(), set(&self.wall).into()];
            if with_virtual {
                cells.push(set(&self.in_virtual).into());
            }
            table.row(cells);
        };
        row("min", &Histogram::min);
        row("mean", &|histogram| histogram.mean().round() as u64);
        row("deviation", &|histogram| histogram.stdev().round() as u64);
        for (name, percentile) in PERCENTILES {
            row(name, &|histogram| histogram.value_at_percentile(percentile));
        }
        row("max", &Histogram::max);
        table.set()
    }

    fn set_remarks(&self) -> String {
        let mut remarks: Vec<(&str, u64)> = self.remarks.iter().map(|(remark, &n)| (remark.as_str(), n)).collect();
        remarks.sort_by_key(|&(remark, n)| (std::cmp::Reverse(n), remark));
        let hidden: u64 = remarks.iter().skip(SHOWN_REMARKS).map(|(_, n)| n).sum::<u64>() + self.other_remarks;
        let mut table = Table::new(vec![Column::text("what was said"), Column::number("times")], 2);
        for (remark, n) in remarks.into_iter().take(SHOWN_REMARKS) {
            table.row(vec![remark.into(), count(n).into()]);
        }
        if hidden > 0 {
            table.row(vec![Cell::styled("something else", FAINT), count(hidden).into()]);
        }
        table.set()
    }

    /// The figures, for machines.
    pub(super) fn as_json(&self, what: &str, concurrency: u16) -> Value {
        let outcomes: Map<String, Value> =
            self.outcomes.iter().map(|(kind, n)| (kind.name().to_owned(), json!(n))).collect();
        let statuses: Map<String, Value> =
            self.statuses.iter().map(|(status, n)| (status.to_string(), json!(n))).collect();
        json!({
            "target": what,
            "requests": self.all(),
            "concurrency": concurrency,
            "seconds": self.took.as_secs_f64(),
            "per_second": self.per_second(),
            "outcomes": outcomes,
            "statuses": statuses,
            "latency_ns": lengths_as_json(&self.wall),
            "virtual_ns": lengths_as_json(&self.in_virtual),
            "said": self.remarks,
        })
    }
}

/// One more length. The histogram grows as it needs to; only what nobody could wait for does not fit.
fn record(lengths: &mut Histogram<u64>, nanos: u64) {
    if lengths.record(nanos).is_err() {
        lengths.saturating_record(nanos);
    }
}

/// Nothing if there are none.
fn lengths_as_json(lengths: &Histogram<u64>) -> Value {
    if lengths.is_empty() {
        return Value::Null;
    }
    let mut told = json!({
        "min": lengths.min(),
        "mean": lengths.mean(),
        "deviation": lengths.stdev(),
        "max": lengths.max(),
    });
    for (name, percentile) in PERCENTILES {
        told[format!("p{}", name.trim_end_matches('%'))] = json!(lengths.value_at_percentile(percentile));
    }
    told
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;
    use crate::typeset::width;

    fn end(outcome: OutcomeKind, remark: Option<&str>) -> End {
        let answered = outcome != OutcomeKind::TimedOut;
        let elapsed = Some(SimDuration::from_nanos(42_000_000)).filter(|_| answered);
        End { outcome, answered, status: None, elapsed, remark: remark.map(str::to_owned) }
    }

    /// 1 ms, 2 ms, ... 100 ms, and two that were never answered.
    fn hundred() -> Figures {
        let mut figures = Figures::default();
        for n in 1..=100 {
            figures.book(end(OutcomeKind::Reply, None), Duration::from_millis(n));
        }
        let mut others = Figures::default();
        for _ in 0..2 {
            others.book(end(OutcomeKind::TimedOut, Some("it did not answer")), Duration::from_secs(30));
        }
        figures.add(others);
        figures.took(Duration::from_secs(10));
        figures
    }

    #[test]
    fn percentiles_are_of_what_was_answered() {
        let told = hundred().as_json("cart.list", 4);
        assert_eq!(told["outcomes"], json!({"reply": 100, "timed_out": 2}));
        assert_eq!((&told["requests"], &told["per_second"]), (&json!(102), &json!(10.0)));
        // The nth percentile of 1 to 100 ms is n ms, to three digits.
        let milliseconds = |name: &str| told["latency_ns"][name].as_f64().map(|nanos| (nanos / 1e5).round() / 10.0);
        for (name, expected) in
            [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99.9", 100.0), ("max", 100.0), ("min", 1.0)]
        {
            let got = milliseconds(name).expect("it is told");
            assert!((got - expected).abs() <= expected / 1_000.0 + 0.05, "{name}: {got}");
        }
        // (1 + 100) / 2
        assert!((milliseconds("mean").expect("it is told") - 50.5).abs() < 0.1);
        assert_eq!(told["said"], json!({"it did not answer": 2}));
    }

    #[test]
    fn figures_are_set_within_80_columns_whatever_was_said() {
        let mut figures = hundred();
        for n in 0..1_000 {
            figures.book(
                end(OutcomeKind::Error, Some(&format!("{n} \u{1b}[31m{}", "long ".repeat(50)))),
                Duration::from_secs(1),
            );
        }
        let set = strip_str(&figures.set(&"name".repeat(50), 16)).to_string();
        assert!(set.lines().all(|line| width(line) <= WIDTH), "{set}");
        assert!(set.contains("something else") && !set.contains('\u{1b}'), "{set}");
        assert!(figures.remarks.len() <= MOST_REMARKS);
    }

    #[test]
    fn figures_read_from_the_whole_to_the_parts() {
        let set = strip_str(&hundred().set("cart.list", 4)).to_string();
        let lines: Vec<&str> = set.lines().collect();
        assert_eq!(lines[0], "102 requests to cart.list");
        assert_eq!(lines[1], "  4 at a time, in 10.0 s: 10 answers a second");
        assert_eq!(lines[3], "outcomes     requests  share");
        assert_eq!(lines[4], "  reply           100  98.0%");
        assert_eq!(lines[5], "  timed out         2   2.0%");
        assert!(set.contains("\nlatency") && set.contains("virtual\n"), "{set}");
        assert!(set.contains("what was said") && set.contains("it did not answer"), "{set}");
    }
}
