//! What the directories did, and who had to look elsewhere.

use rehearsal_actors::report::DirectoryFigures;

use super::{Detail, entry, more, number_of};
use crate::finished::Finished;
use crate::typeset::{Cell, Column, FAINT, Table, count};

type Figure = (&'static str, fn(&DirectoryFigures) -> u64);

const FIGURES: [Figure; 5] = [
    ("registered", |d| d.registered),
    ("withdrawn", |d| d.withdrawn),
    ("dropped", |d| d.dropped),
    ("shared", |d| d.shared),
    ("lookups", |d| d.lookups),
];

/// A row for each directory.
pub(super) fn table(run: &Finished, detail: Detail) -> String {
    let directories = &run.report.directories.by_directory;
    if directories.is_empty() {
        return String::new();
    }
    let columns = FIGURES.iter().map(|(head, _)| Column::number(head));
    let mut table = Table::new(std::iter::once(Column::text("directories")).chain(columns).collect(), 2);
    for (name, figures) in directories.iter().take(detail.most()) {
        let mut row = vec![Cell::from(&**name)];
        row.extend(FIGURES.iter().map(|(_, figure)| match figure(figures) {
            0 => Cell::styled("0", FAINT),
            n => count(n).into(),
        }));
        table.row(row);
    }
    table.set() + &more(directories.len(), detail)
}

/// Who had to look elsewhere; nothing, if nobody had to.
pub(super) fn failovers(run: &Finished) -> String {
    let directories = &run.report.directories;
    let numbers = [
        (directories.provider_failovers, "to another provider"),
        (directories.directory_failovers, "to another directory"),
    ];
    let said: Vec<String> = numbers.iter().filter(|(n, _)| *n > 0).map(|(n, what)| number_of(*n, what)).collect();
    if said.is_empty() { String::new() } else { entry("failovers", &said.join(", "), Detail::Full) }
}
