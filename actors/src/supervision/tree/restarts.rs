//! How often, and after how long, a supervisor may restart.

use std::collections::VecDeque;

use crate::random::Stream;
use crate::supervision::spec::{Backoff, Intensity};
use crate::units::{SimDuration, SimTime};

/// The restarts of the last period, and the delays that follow from their number.
#[derive(Debug)]
pub(super) struct Restarts {
    intensity: Intensity,
    backoff: Option<Backoff>,
    stream: Stream,
    /// The oldest first. One longer than the intensity at most.
    times: VecDeque<SimTime>,
}

impl Restarts {
    pub(super) fn new(intensity: Intensity, backoff: Option<Backoff>, stream: Stream) -> Self {
        Restarts { intensity, backoff, stream, times: VecDeque::new() }
    }

    /// Counts a restart and says how long to wait before it; `None` if it is one too many.
    ///
    /// As in `supervisor.erl`, `add_restart`: the new one joins those that are no older than the
    /// period, one that is exactly as old included, and too many are more than the intensity. OTP
    /// reads its clock in whole seconds; here a period is exact.
    pub(super) fn count(&mut self, now: SimTime) -> Option<SimDuration> {
        let period = self.intensity.period;
        while self.times.front().is_some_and(|&time| now.since(time) > period) {
            self.times.pop_front();
        }
        self.times.push_back(now);
        let counted = self.times.len() as u64;
        (counted <= u64::from(self.intensity.restarts)).then(|| self.delay(counted))
    }

    /// Before the `k`-th restart: `first * 2^(k-1)`, `most` at most, less up to `jitter` of itself.
    fn delay(&mut self, k: u64) -> SimDuration {
        let Some(backoff) = self.backoff else { return SimDuration::ZERO };
        let doubled = 1u64.checked_shl((k - 1).min(64) as u32).unwrap_or(u64::MAX);
        let whole = backoff.first.as_nanos().saturating_mul(doubled).min(backoff.most.as_nanos());
        // `threshold` is the jitter in 2^64ths, and never above 2^64, so this is at most `whole`.
        let jitter = (u128::from(whole) * backoff.jitter.threshold()) >> 64;
        let off = self.stream.between(0, jitter as u64);
        SimDuration::from_nanos(whole - off)
    }
}
