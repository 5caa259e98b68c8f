//! Columns: text to the left, numbers to the right, never wider than a report may be.

use anstyle::Style;

use super::{FAINT, HEADING, WIDTH, fit, paint, width};

/// Blanks between two columns.
const GAP: usize = 2;
/// What text columns shrink to before numbers would suffer.
const NARROWEST: usize = 4;

/// The head of a column and how it is set.
pub(crate) struct Column {
    head: String,
    is_number: bool,
}

impl Column {
    /// Set to the left; shrinks where the table would be too wide.
    pub(crate) fn text(head: &str) -> Self {
        Column { head: head.to_owned(), is_number: false }
    }

    /// Set to the right; keeps its width.
    pub(crate) fn number(head: &str) -> Self {
        Column { head: head.to_owned(), is_number: true }
    }
}

/// A piece of text and its style.
#[derive(Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// `text` in a style.
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Cell { text: text.into(), style }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell::styled(text, Style::new())
    }
}

/// Rows under a head. The first column's head is the title.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    indent: usize,
}

impl Table {
    /// No rows yet. Rows are set `indent` columns in from the title.
    pub(crate) fn new(columns: Vec<Column>, indent: usize) -> Self {
        Table { columns, rows: Vec::new(), indent }
    }

    /// One more row, with a cell for every column.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "a cell for every column");
        self.rows.push(cells);
    }

    /// The table as lines of text, each ended.
    pub(crate) fn set(self) -> String {
        let widths = self.widths();
        let head: Vec<Cell> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| Cell::styled(&*column.head, if at == 0 { HEADING } else { FAINT }))
            .collect();
        let mut out = String::new();
        if !self.columns.iter().all(|column| column.head.is_empty()) {
            self.set_row(&head, &widths, 0, &mut out);
        }
        for row in &self.rows {
            self.set_row(row, &widths, self.indent, &mut out);
        }
        out
    }

    /// The width of each column, indentation included in the first.
    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let indent = if at == 0 { self.indent } else { 0 };
                let widest = self.rows.iter().map(|row| width(&fit(&row[at].text, WIDTH)) + indent).max().unwrap_or(0);
                widest.max(width(&column.head))
            })
            .collect();
        let gaps = GAP * widths.len().saturating_sub(1);
        // The widest text gives way first, so that short names stay whole next to long ones.
        while widths.iter().sum::<usize>() + gaps > WIDTH {
            let text = (0..widths.len()).filter(|&at| !self.columns[at].is_number && widths[at] > NARROWEST);
            match text.max_by_key(|&at| widths[at]) {
                Some(at) => widths[at] -= 1,
                None => break,
            }
        }
        widths
    }

    fn set_row(&self, cells: &[Cell], widths: &[usize], indent: usize, out: &mut String) {
        // Blanks are written only before something that follows them: no line ends in blanks.
        let mut owed = 0;
        for (at, cell) in cells.iter().enumerate() {
            let lead = if at == 0 { indent } else { 0 };
            let text = fit(&cell.text, widths[at].saturating_sub(lead));
            let spare = widths[at].saturating_sub(lead + width(&text));
            owed += lead + if self.columns[at].is_number { spare } else { 0 };
            if !text.is_empty() {
                out.extend(std::iter::repeat_n(' ', owed));
                out.push_str(&paint(cell.style, &text));
                owed = 0;
            }
            owed += GAP + if self.columns[at].is_number { 0 } else { spare };
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    #[test]
    fn text_stands_left_and_numbers_right() {
        let mut table = Table::new(vec![Column::text("latency"), Column::number("p50"), Column::number("max")], 2);
        table.row(vec!["all".into(), "1.25 ms".into(), "10 ms".into()]);
        table.row(vec!["REST".into(), "2 ms".into(), "10 ms".into()]);
        let set = strip_str(&table.set()).to_string();
        assert_eq!(
            set,
            "latency      p50    max\n\
             \x20 all    1.25 ms  10 ms\n\
             \x20 REST      2 ms  10 ms\n"
        );
    }

    #[test]
    fn long_names_give_way_and_numbers_stay_whole() {
        let mut table = Table::new(vec![Column::text("services"), Column::text("node"), Column::number("sent")], 2);
        table.row(vec!["購".repeat(300).into(), "edge-1".into(), "999,999,999".into()]);
        let set = strip_str(&table.set()).to_string();
        assert!(set.contains("edge-1") && set.contains("999,999,999"), "{set}");
        assert!(set.lines().all(|line| width(line) <= WIDTH), "{set}");
    }
}
