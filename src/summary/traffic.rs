//! Messages and requests: what became of them, and how long they took.

use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::report::LatencySummary;

use super::{Detail, entry, most_first, number_of, tally};
use crate::finished::Finished;
use crate::typeset::{BAD, Cell, Column, FAINT, Table, WARN, count, duration};

/// The named counters: what the application itself has to say.
pub(super) fn counters(run: &Finished, detail: Detail) -> String {
    if run.report.counters.is_empty() {
        return String::new();
    }
    tally("counters", &most_first(&run.report.counters), detail)
}

/// Kinds of outcome down, interfaces across: each new interface is a column more.
pub(super) fn outcomes(run: &Finished) -> String {
    let report = &run.report;
    let number = |interface, kind| report.outcomes.get(&(interface, kind)).copied().unwrap_or(0);
    let open = |interface| report.unfinished.get(&interface).copied().unwrap_or(0);
    let used: Vec<Interface> = Interface::ALL
        .into_iter()
        .filter(|&interface| {
            open(interface) > 0 || OutcomeKind::ALL.into_iter().any(|kind| number(interface, kind) > 0)
        })
        .collect();
    if used.is_empty() {
        return String::new();
    }
    let mut columns = vec![Column::text("outcomes")];
    columns.extend(used.iter().map(|interface| Column::number(&interface.to_string())));
    let mut table = Table::new(columns, 2);
    for kind in OutcomeKind::ALL {
        if used.iter().all(|&interface| number(interface, kind) == 0) {
            continue;
        }
        let mut row = vec![Cell::from(kind.to_string())];
        row.extend(used.iter().map(|&interface| tinted(number(interface, kind), kind)));
        table.row(row);
    }
    if used.iter().any(|&interface| open(interface) > 0) {
        let mut row = vec![Cell::styled("still open", FAINT)];
        row.extend(used.iter().map(|&interface| Cell::styled(count(open(interface)), FAINT)));
        table.row(row);
    }
    table.set()
}

/// A number in the colour of its kind: what failed stands out.
fn tinted(number: u64, kind: OutcomeKind) -> Cell {
    match kind {
        _ if number == 0 => Cell::styled("0", FAINT),
        OutcomeKind::Reply | OutcomeKind::Ack => count(number).into(),
        OutcomeKind::Error => Cell::styled(count(number), BAD),
        _ => Cell::styled(count(number), WARN),
    }
}

/// Percentiles over all messages, and by interface.
pub(super) fn latency(run: &Finished) -> String {
    let report = &run.report;
    let all = report.latency.map(|all| ("all messages".to_owned(), all));
    let by_interface = report.latency_by_interface.iter();
    latency_table("latency", all.into_iter().chain(by_interface.map(|(name, latency)| (name.to_string(), *latency))))
}

/// A row of percentiles for each name; nothing, if there are none.
pub(super) fn latency_table<N: Into<String>>(
    title: &str,
    rows: impl IntoIterator<Item = (N, LatencySummary)>,
) -> String {
    let columns = ["count", "p50", "p90", "p99", "max"].map(Column::number);
    let mut table = Table::new(std::iter::once(Column::text(title)).chain(columns).collect(), 2);
    let mut is_empty = true;
    for (name, LatencySummary { count: values, p50, p90, p99, max }) in rows {
        let mut cells = vec![Cell::from(name), count(values).into()];
        cells.extend([p50, p90, p99, max].map(|length| Cell::from(duration(length))));
        table.row(cells);
        is_empty = false;
    }
    if is_empty { String::new() } else { table.set() }
}

/// One sum over everything that was sent.
pub(super) fn totals(run: &Finished) -> String {
    let t = &run.report.traffic;
    let size = rehearsal_actors::units::Bytes(t.bytes);
    let mut said = vec![number_of(t.sent, "sent"), number_of(t.delivered, &format!("delivered ({size})"))];
    let rest = [
        (t.lost, "lost"),
        (t.undelivered, "undelivered"),
        (t.in_flight, "still in flight"),
        (t.duplicates, "duplicates"),
        (t.held_back, "held back to keep their order"),
    ];
    said.extend(rest.iter().filter(|(n, _)| *n > 0).map(|(n, what)| number_of(*n, what)));
    entry("traffic", &said.join(", "), Detail::Full)
}
