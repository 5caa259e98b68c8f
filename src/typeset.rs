//! How reports are set: widths, numbers, columns, colours.
//!
//! Plain functions over text; knows nothing of runs. Used by the summary, the route table and the
//! lists of the command line. Text is set with ANSI styles throughout; whoever prints strips them
//! where nobody would see them.

mod fit;
mod number;
mod style;
mod table;

pub(crate) use fit::{NO_BREAK, clean, fit, width, wrap};
pub(crate) use number::{count, duration, plural, times, wall};
pub(crate) use style::{BAD, FAINT, GOOD, HEADING, WARN, paint};
pub(crate) use table::{Cell, Column, Table};

/// How many columns a report takes at most.
pub(crate) const WIDTH: usize = 80;
