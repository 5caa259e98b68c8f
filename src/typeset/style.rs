//! The few colours there are.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// Titles of sections.
pub(crate) const HEADING: Style = Style::new().bold();
/// All is well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Worth a look.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// Something went wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Column heads and remarks.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// `text` in a style, and the plain style again after it.
pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}
