//! What the scenario expected, and what came of it.

use super::{Detail, hang};
use crate::expectations::Verdict;
use crate::finished::Finished;
use crate::typeset::{BAD, GOOD, HEADING, paint};

/// A line for each, with a tick or a cross.
pub(super) fn verdicts(run: &Finished, detail: Detail) -> String {
    let verdicts = run.verdicts();
    if verdicts.is_empty() {
        return String::new();
    }
    let mut out = format!("{}\n", paint(HEADING, "expectations"));
    for Verdict { subject, wanted, measured, holds, .. } in verdicts {
        let mark = if holds { paint(GOOD, '✓') } else { paint(BAD, '✗') };
        out.push_str(&hang(&format!("  {mark} "), 4, &format!("{subject}: {measured} ({wanted})"), detail.lines()));
    }
    out
}
