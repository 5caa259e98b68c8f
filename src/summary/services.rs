//! The services: each one's part in the run.

use rehearsal_actors::report::ServiceReport;

use super::{Detail, hang, listing, more};
use crate::finished::Finished;
use crate::typeset::{BAD, Cell, Column, FAINT, HEADING, Table, WIDTH, clean, count, fit, paint};

/// The most step values that are shown of a service; `--json` has them all.
const STEP_VALUES: usize = 5;

/// A number of a service.
type Number = fn(&ServiceReport) -> u64;

/// The numbers of a service that may have a column, and the heads of these.
const NUMBERS: [(&str, Number); 5] = [
    ("sent", |s| s.sent),
    ("received", |s| s.received),
    ("steps", |s| s.steps),
    ("failed", ServiceReport::failed_step_count),
    ("handled", |s| s.handled),
];

/// A row for each service: in order of declaration, or the busiest ones where they are too many.
pub(super) fn table(run: &Finished, detail: Detail) -> String {
    let services = &run.report.services;
    if services.is_empty() {
        return String::new();
    }
    let mut shown: Vec<&ServiceReport> = services.iter().collect();
    if shown.len() > detail.most() {
        // Stable: of equally busy ones the first declared come first. What crashed is never left out
        // for being idle.
        shown.sort_by_key(|s| std::cmp::Reverse((s.crashed, s.sent.saturating_add(s.received))));
        shown.truncate(detail.most());
    }
    // Sent and received always; what no service did needs no column.
    let numbers: Vec<_> = NUMBERS
        .iter()
        .enumerate()
        .filter(|(at, (_, number))| *at < 2 || services.iter().any(|s| number(s) > 0))
        .map(|(_, column)| column)
        .collect();
    let any_crashed = services.iter().any(|s| s.crashed);

    let mut columns = vec![Column::text("services"), Column::text("node")];
    columns.extend(numbers.iter().map(|(head, _)| Column::number(head)));
    if any_crashed {
        columns.push(Column::text(""));
    }
    let mut table = Table::new(columns, 2);
    for service in shown {
        let mut row = vec![Cell::from(&*service.name), Cell::styled(&*service.node, FAINT)];
        row.extend(numbers.iter().map(|(head, number)| match number(service) {
            0 => Cell::styled("0", FAINT),
            n if *head == "failed" => Cell::styled(count(n), BAD),
            n => count(n).into(),
        }));
        if any_crashed {
            row.push(Cell::styled(if service.crashed { "crashed" } else { "" }, BAD));
        }
        table.row(row);
    }
    table.set() + &more(services.len(), detail)
}

/// What a service counted, why its steps failed and what they returned; only in full detail.
pub(super) fn details(run: &Finished, detail: Detail) -> String {
    if detail == Detail::Short {
        return String::new();
    }
    let mut out = String::new();
    for service in &run.report.services {
        let mut said = String::new();
        if !service.counters.is_empty() {
            said.push_str(&point("counted", &listing(&service.counters)));
        }
        if !service.failed_steps.is_empty() {
            said.push_str(&point("failed", &listing(&service.failed_steps)));
        }
        let kept = service.step_values.len();
        for (at, value) in service.step_values.iter().skip(kept.saturating_sub(STEP_VALUES)).enumerate() {
            let label = if at == 0 { "last values" } else { "" };
            said.push_str(&point(label, &fit(&value.to_string(), 2 * WIDTH)));
        }
        if !said.is_empty() {
            let heading = fit(&format!("{} on {}", clean(&service.name), clean(&service.node)), WIDTH);
            out.push_str(&format!("{}\n{said}", paint(HEADING, heading.trim_end())));
        }
    }
    out
}

fn point(label: &str, text: &str) -> String {
    hang(&format!("  {}", paint(FAINT, format!("{label:<13}"))), 15, text, usize::MAX)
}
