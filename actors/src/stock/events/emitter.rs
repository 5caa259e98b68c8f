//! The one who tells.

use std::cell::Cell;

use serde::Deserialize;

use crate::prelude::*;
use crate::stock::NoPause;
use crate::stock::pace::Pace;

/// What an [`Emitter`] may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmitterParams {
    /// The topics of its events, in turn. Default `order.placed`, `payment.taken`, `order.shipped`.
    pub topics: Vec<String>,
    /// From one event to the next; the first is told at once. Default 100 ms.
    pub every: SimDuration,
    /// How many events to tell; without it, until the run ends.
    pub count: Option<u64>,
}

impl Default for EmitterParams {
    fn default() -> Self {
        EmitterParams {
            topics: ["order.placed", "payment.taken", "order.shipped"].map(str::to_owned).to_vec(),
            every: SimDuration::from_millis(100),
            count: None,
        }
    }
}

/// Why there can be no such [`Emitter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEmitter {
    /// There is no time between its events.
    #[error(transparent)]
    NoPause(#[from] NoPause),
    /// It would have nothing to tell of.
    #[error("`topics` is empty; name one at least, such as \"order.placed\"")]
    NoTopics,
}

/// Tells of an event in every step, whose body is its number, from 1 on. Counts `events told` and the
/// `copies sent` of them.
#[derive(Debug)]
pub struct Emitter {
    params: EmitterParams,
    pace: Pace,
    told: Cell<u64>,
}

impl Emitter {
    /// An emitter that has yet to tell of anything.
    ///
    /// # Errors
    /// The parameters make no sense.
    pub fn new(params: EmitterParams) -> Result<Self, BadEmitter> {
        if params.topics.is_empty() {
            return Err(BadEmitter::NoTopics);
        }
        Ok(Emitter { pace: Pace::new(params.every)?, params, told: Cell::new(0) })
    }
}

impl Service for Emitter {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let EmitterParams { topics, count, .. } = &self.params;
        let told = self.told.get();
        if count.is_some_and(|count| told >= count) {
            return Ok(Step::Stop);
        }
        self.pace.turn(io).await;
        self.told.set(told + 1);
        let topic = &topics[(told % topics.len() as u64) as usize];
        let copies = io.events().emit(topic, told + 1)?;
        io.count("events told", 1);
        io.count("copies sent", copies as u64);
        Ok(Step::Continue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_something_to_tell_of_and_the_time_to_do_so() {
        let params = EmitterParams { topics: Vec::new(), ..EmitterParams::default() };
        assert_eq!(Emitter::new(params).err(), Some(BadEmitter::NoTopics));
        let params = EmitterParams { every: SimDuration::ZERO, ..EmitterParams::default() };
        assert_eq!(Emitter::new(params).err(), Some(BadEmitter::NoPause(NoPause)));
    }
}
