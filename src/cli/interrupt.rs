//! Ctrl-C, or SIGTERM: once to end the run with the summary so far, twice to be gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rehearsal_actors::simulation::Progress;

use super::console;

/// What shells report of a program that an interrupt ended: 128 and the number of SIGINT.
const ENDED_BY_INTERRUPT: i32 = 130;

/// From now on the first Ctrl-C asks the run to end, and the second ends the process.
pub(super) fn end_on_ctrl_c(progress: &Arc<Progress>) {
    let progress = Arc::clone(progress);
    on_ctrl_c(move || {
        progress.interrupt.store(true, Ordering::Relaxed);
        console::note("\ninterrupted: ending the run (Ctrl-C again ends it at once)\n");
    });
}

/// From now on the first Ctrl-C does this, and the second ends the process.
pub(super) fn on_ctrl_c(first: impl Fn() + Send + 'static) {
    let asked = AtomicBool::new(false);
    let installed = ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(ENDED_BY_INTERRUPT);
        }
        first();
    });
    if let Err(cause) = installed {
        console::note(&format!("warning: Ctrl-C will end the run without a summary: {cause}\n"));
    }
}
