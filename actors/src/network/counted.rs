//! Latencies are counted first, and put into a histogram when somebody asks.
//!
//! To find the place of one in a histogram that is kept in order costs several times what it costs to count it
//! together with those that the histogram does not tell apart from it.

use crate::report::Latencies;
use crate::units::SimDuration;

/// A histogram of three digits tells so many lengths apart between a power of two and the next: the least one
/// that is more than 1,000 (G. Tene, HdrHistogram).
const STEPS: u64 = 1024;

/// Latencies, of which some have yet to be put in order.
pub(super) struct Counted {
    /// How many there are of each class that have yet to be: 450 kB if one took as long as there is time.
    recent: Vec<u64>,
    sum: u128,
    max: u64,
    all: Latencies,
}

impl Counted {
    pub(super) fn new() -> Result<Self, hdrhistogram::CreationError> {
        Ok(Counted { recent: Vec::new(), sum: 0, max: 0, all: Latencies::new()? })
    }

    #[inline(always)]
    pub(super) fn note(&mut self, latency: SimDuration) {
        let nanos = latency.as_nanos();
        self.sum += u128::from(nanos);
        if nanos > self.max {
            self.max = nanos;
        }
        let class = class(nanos);
        match self.recent.get_mut(class) {
            Some(times) => *times += 1,
            None => self.note_longer(class),
        }
    }

    /// Notes one that is longer than all before.
    #[cold]
    fn note_longer(&mut self, class: usize) {
        self.recent.resize(class + 1, 0);
        self.recent[class] = 1;
    }

    /// All of them, in order.
    pub(super) fn in_order(&mut self) -> &Latencies {
        let counted = self.recent.iter_mut().enumerate().filter(|(_, times)| **times > 0);
        let classes = counted.map(|(class, times)| (shortest(class), std::mem::take(times)));
        self.all.note_counted(classes, std::mem::take(&mut self.sum), self.max);
        &self.all
    }
}

/// Which lengths a length is counted with.
#[inline]
fn class(nanos: u64) -> usize {
    // All that are shorter than two powers of two are told apart.
    let shift = (nanos | (2 * STEPS - 1)).ilog2() - STEPS.ilog2();
    (u64::from(shift) * STEPS + (nanos >> shift)) as usize
}

/// The shortest of a class.
fn shortest(class: usize) -> u64 {
    let class = class as u64;
    let shift = (class / STEPS).saturating_sub(1);
    (class - shift * STEPS) << shift
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn counted_latencies_are_those_that_were_noted_one_by_one(
            noted in prop::collection::vec((any::<u64>(), 0..64u32), 1..500), asks in 1..50usize
        ) {
            let noted: Vec<_> = noted.iter().map(|(any, shift)| SimDuration::from_nanos(any >> shift)).collect();
            let mut counted = Counted::new().map_err(|error| TestCaseError::fail(error.to_string()))?;
            for some in noted.chunks(asks) {
                some.iter().for_each(|latency| counted.note(*latency));
                counted.in_order();
            }
            let found = counted.in_order();
            let Some(expected) = Latencies::of(noted.iter().copied()) else { return Ok(()) };
            prop_assert_eq!(found.count(), expected.count());
            for percentile in (0..=1000).map(|thousandth| f64::from(thousandth) / 10.0) {
                prop_assert_eq!(found.percentile(percentile), expected.percentile(percentile));
            }
            prop_assert_eq!(found.sum_secs(), expected.sum_secs());
            prop_assert_eq!(found.summary(), expected.summary());
        }

        #[test]
        fn the_shortest_of_a_class_is_in_it_and_the_one_before_is_not(any in 1..u64::MAX, shift in 0..64u32) {
            let nanos = any >> shift;
            let first = shortest(class(nanos));
            prop_assert!(first <= nanos && class(first) == class(nanos));
            prop_assert!(first == 0 || class(first - 1) + 1 == class(nanos));
        }
    }

    #[test]
    fn the_ends_of_classes_are_where_the_powers_of_two_are() {
        let classes = [0, 1, 2047, 2048, 2049, 2050, 4095, 4096, u64::MAX].map(class);
        assert_eq!(classes, [0, 1, 2047, 2048, 2048, 2049, 3071, 3072, 56_319]);
        assert_eq!([2048, 2049, 3072, 56_319].map(shortest), [2048, 2050, 4096, 2047 << 53]);
    }
}
