//! How often somebody does something.

use std::cell::Cell;

use crate::prelude::*;

/// Whoever has no pause might go on without end in a single instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`every` is no time at all, and would go on without end at once; write more than zero, such as \"100ms\"")]
pub struct NoPause;

/// A turn every so often: the first at once, each further one so long after the one before, or at once
/// if that time is past.
#[derive(Debug)]
pub(super) struct Pace {
    every: SimDuration,
    /// When the next turn is; `None` before the first.
    next: Cell<Option<SimTime>>,
}

impl Pace {
    pub(super) fn new(every: SimDuration) -> Result<Self, NoPause> {
        if every.is_zero() { Err(NoPause) } else { Ok(Pace { every, next: Cell::new(None) }) }
    }

    /// Waits for the next turn.
    pub(super) async fn turn(&self, io: &ServiceIo) {
        if let Some(next) = self.next.get() {
            io.sleep_until(next).await;
        }
        self.next.set(Some(io.now() + self.every));
    }
}
