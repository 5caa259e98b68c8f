//! `rehearsal actors`: who may be cast.

use std::process::ExitCode;

use super::complaint::Complaint;
use super::console;
use crate::registry::Registry;
use crate::typeset::{HEADING, WIDTH, fit, paint, width, wrap};

pub(super) fn actors(registry: &Registry) -> Result<ExitCode, Complaint> {
    match registry.names().next() {
        Some(_) => console::say(&list(registry))?,
        None => console::note("no actors are registered\n"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Names to the left, what they do to the right.
fn list(registry: &Registry) -> String {
    const LONGEST: usize = 30;
    let names = registry.names().map(|name| width(name).min(LONGEST)).max().unwrap_or(0);
    let mut out = String::new();
    for name in registry.names() {
        let doc = wrap(registry.describe(name).unwrap_or_default(), WIDTH - names - 2, usize::MAX);
        for (at, line) in doc.iter().enumerate() {
            let lead = if at == 0 { fit(name, names) } else { String::new() };
            let blanks = names - width(&lead) + 2;
            out.push_str(format!("{}{:blanks$}{line}", paint(HEADING, lead), "").trim_end());
            out.push('\n');
        }
    }
    out
}
