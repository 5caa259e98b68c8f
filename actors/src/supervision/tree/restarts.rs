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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::Streams;
    use crate::units::Probability;

    fn restarts(intensity: u32, backoff: Option<Backoff>) -> Restarts {
        let intensity = Intensity { restarts: intensity, period: SimDuration::from_secs(5) };
        Restarts::new(intensity, backoff, Streams::new(1).stream("restarts"))
    }

    fn backoff(first: u64, most: u64, jitter: f64) -> Option<Backoff> {
        let jitter = Probability::new(jitter).unwrap();
        Some(Backoff { first: SimDuration::from_nanos(first), most: SimDuration::from_nanos(most), jitter })
    }

    #[test]
    fn delays_double_up_to_the_most_and_never_overflow() {
        let mut doubling = restarts(100, backoff(3, u64::MAX, 0.0));
        for k in 1..=100 {
            let exact = 3 * 2u128.saturating_pow(k - 1);
            let expected = u64::try_from(exact).unwrap_or(u64::MAX);
            assert_eq!(doubling.count(SimTime::ZERO).unwrap().as_nanos(), expected, "restart {k}");
        }
        let mut none = restarts(100, backoff(0, 0, 1.0));
        assert!((0..100).all(|_| none.count(SimTime::ZERO) == Some(SimDuration::ZERO)));
    }

    #[test]
    fn jitter_shortens_by_any_part_up_to_its_own() {
        // 100 ns, a quarter less at most: each of the 26 lengths from 75 to 100 comes up.
        let mut jittery = restarts(2000, backoff(100, 100, 0.25));
        let mut seen: Vec<u64> = (0..2000).map(|_| jittery.count(SimTime::ZERO).unwrap().as_nanos()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, (75..=100).collect::<Vec<_>>());
    }

    proptest! {
        /// From the definition: it is one too many if more than the intensity, itself and refused
        /// ones included, have come in the last period.
        #[test]
        fn only_the_last_period_counts(intensity in 0u32..5, steps in proptest::collection::vec(0u64..4, 0..60)) {
            let mut restarts = restarts(intensity, None);
            let mut times = Vec::new();
            for step in steps {
                let now = times.last().map_or(0, |last| last + step);
                times.push(now);
                let recent = times.iter().filter(|&&time| now - time <= 5).count();
                let at = SimTime::ZERO + SimDuration::from_secs(now);
                prop_assert_eq!(restarts.count(at).is_some(), recent <= intensity as usize);
            }
        }
    }
}
