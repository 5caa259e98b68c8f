//! Seeded randomness: one ChaCha stream for each consumer, by name.
//!
//! A stream depends on the run's seed and on the consumer's name alone, so adding a service or a
//! link leaves what all the others draw as it was. The samplers are integer arithmetic over the
//! ChaCha8 word stream and stand here, not in a library, because a golden trace must survive an
//! update of that library.

use std::convert::Infallible;

use rand::TryRng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::units::{Probability, SimDuration};

/// The source of every stream of a run.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// All the streams of one seed.
    pub const fn new(seed: u64) -> Self {
        Streams { seed }
    }

    /// The stream of one consumer. The same name gives the same stream from its beginning.
    ///
    /// ```
    /// use rehearsal_actors::random::Streams;
    /// let mut a = Streams::new(7).stream("link:edge->cloud");
    /// let mut b = Streams::new(7).stream("link:edge->cloud");
    /// assert_eq!(a.below(1000), b.below(1000));
    /// ```
    pub fn stream(&self, consumer: &str) -> Stream {
        let mut key = [0u8; 32];
        let low = xxh3_128_with_seed(consumer.as_bytes(), self.seed);
        let high = xxh3_128_with_seed(consumer.as_bytes(), !self.seed);
        key[..16].copy_from_slice(&low.to_le_bytes());
        key[16..].copy_from_slice(&high.to_le_bytes());
        Stream(ChaCha8Rng::from_seed(key))
    }
}

/// One consumer's random numbers.
///
/// It is also a [`rand::Rng`], for services that want distributions of their own.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// A uniform 64-bit number.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A uniform number below `n`; 0 if `n` is 0.
    ///
    /// Multiply and reject: D. Lemire, "Fast Random Integer Generation in an Interval", 2019.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        loop {
            let wide = u128::from(self.bits()) * u128::from(n);
            let low = wide as u64;
            // What is to be rejected is less than `n`, so that the division is seldom needed.
            if low >= n || low >= n.wrapping_neg() % n {
                return (wide >> 64) as u64;
            }
        }
    }

    /// A uniform whole number from `low` to `high`, both included. The ends may come in any order.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        let (low, high) = (low.min(high), low.max(high));
        match (high - low).checked_add(1) {
            Some(n) => low + self.below(n),
            None => self.bits(),
        }
    }

    /// True with the given chance.
    pub fn chance(&mut self, p: Probability) -> bool {
        u128::from(self.bits()) < p.threshold()
    }

    /// An exponentially distributed duration of the given mean.
    ///
    /// Von Neumann's comparison method ("Various techniques used in connection with random
    /// digits", 1951): it needs no logarithm, so it gives the same on every machine.
    pub fn exponential(&mut self, mean: SimDuration) -> SimDuration {
        let mut whole: u64 = 0;
        loop {
            let first = self.bits();
            let mut last = first;
            let mut run_is_odd = true;
            loop {
                let next = self.bits();
                if next >= last {
                    break;
                }
                last = next;
                run_is_odd = !run_is_odd;
            }
            if run_is_odd {
                let mean = u128::from(mean.as_nanos());
                let fraction = (mean * u128::from(first)) >> 64;
                let nanos = mean * u128::from(whole) + fraction;
                return SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            }
            whole += 1;
        }
    }

    /// One of the items, each as likely as the other; `None` if there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u64) as usize)
    }

    /// Puts the items in a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u64 + 1) as usize;
            items.swap(i, j);
        }
    }
}

impl TryRng for Stream {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(dst);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_different_names_differ() {
        let s = Streams::new(1);
        assert_ne!(s.stream("a").bits(), s.stream("b").bits());
        assert_ne!(s.stream("a").bits(), Streams::new(2).stream("a").bits());
    }

    #[test]
    fn between_reaches_both_ends_and_nothing_else() {
        let mut r = Streams::new(3).stream("t");
        let mut seen = [0u32; 4];
        for _ in 0..4000 {
            seen[(r.between(10, 13) - 10) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| (850..1150).contains(&n)), "{seen:?}");
    }

    #[test]
    fn exponential_has_its_mean_and_variance() {
        let mut r = Streams::new(5).stream("t");
        let n = 200_000;
        let xs: Vec<f64> = (0..n).map(|_| r.exponential(SimDuration::from_millis(10)).as_millis_f64()).collect();
        let mean = xs.iter().sum::<f64>() / f64::from(n);
        let var = xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        // Mean 10, variance 100: five standard errors of each.
        assert!((mean - 10.0).abs() < 0.12, "{mean}");
        assert!((var - 100.0).abs() < 3.2, "{var}");
    }

    #[test]
    fn a_chance_of_one_always_and_of_zero_never() {
        let mut r = Streams::new(5).stream("t");
        assert!((0..1000).all(|_| r.chance(Probability::ALWAYS)));
        assert!((0..1000).all(|_| !r.chance(Probability::NEVER)));
    }
}
