//! Pairs of nodes, each taken with the same chance, at a cost of those taken and not of all.
//!
//! The number of misses before the next hit is geometric. Its logarithmic sampler needs floating
//! point, so it is drawn digit by digit: of a geometric number with chance `q` of going on, the
//! binary digits are independent, and digit `j` is 1 with chance `q^(2^j) / (1 + q^(2^j))`. (The
//! chance of a number is the product of `q^(2^j)` over its ones, times a constant.) All is fixed
//! point in 64 bits; squaring 33 times makes an error below 2^-30 of the chance to go on.

use std::ops::Range;

use super::MOST_NODES;
use crate::random::Stream;
use crate::units::Probability;

/// Enough for all pairs of the largest network.
const DIGITS: u32 = 33;
const _: () = assert!((MOST_NODES as u64) * (MOST_NODES as u64 - 1) / 2 < 1 << DIGITS);

const ONE: u128 = 1 << 64;

/// How many misses come before the next hit.
struct Gap {
    /// For each binary digit, lowest first: of 2^64 draws, how many make it a 1.
    digits: Vec<u64>,
    /// Of 2^64 draws, how many leave more misses than all digits can say.
    beyond: u128,
}

impl Gap {
    fn new(hit: Probability) -> Self {
        let mut miss = ONE - hit.threshold().min(ONE);
        let mut digits = Vec::new();
        if miss < ONE {
            // Digits that are never 1 need no draw: the likelier a hit, the fewer draws.
            while miss > 0 && digits.len() < DIGITS as usize {
                digits.push(((miss << 64) / (ONE + miss)) as u64);
                miss = (miss * miss) >> 64;
            }
        }
        Gap { digits, beyond: miss }
    }

    fn draw(&self, stream: &mut Stream) -> Option<u64> {
        if self.beyond > 0 && u128::from(stream.bits()) < self.beyond {
            return None;
        }
        let digits = self.digits.iter().enumerate();
        Some(digits.map(|(place, &ones)| u64::from(stream.bits() < ones) << place).sum())
    }
}

/// The hits among `trials` trials in a row, from 0.
fn hits(chance: Probability, trials: u64, stream: &mut Stream) -> impl Iterator<Item = u64> {
    let gap = Gap::new(chance);
    let mut next = 0;
    std::iter::from_fn(move || {
        let hit = gap.draw(stream).map(|misses| next + misses).filter(|&hit| hit < trials)?;
        next = hit + 1;
        Some(hit)
    })
}

/// Pairs of one node of `upper` and one of `lower`, each taken with the given chance, in order.
pub(super) fn between(
    upper: Range<u32>,
    lower: Range<u32>,
    chance: Probability,
    stream: &mut Stream,
) -> impl Iterator<Item = (u32, u32)> {
    let width = lower.len() as u64;
    // Both ranges are below MOST_NODES, so what remains of a division fits.
    hits(chance, upper.len() as u64 * width, stream)
        .map(move |hit| (upper.start + (hit / width) as u32, lower.start + (hit % width) as u32))
}

/// Pairs of two of the nodes, each taken with the given chance, in order.
pub(super) fn among(nodes: Range<u32>, chance: Probability, stream: &mut Stream) -> impl Iterator<Item = (u32, u32)> {
    let count = nodes.len() as u64;
    // Row r holds the pairs of node r with all that come after it.
    let (mut row, mut row_start, mut row_len) = (0, 0, count.saturating_sub(1));
    hits(chance, count * count.saturating_sub(1) / 2, stream).map(move |hit| {
        while hit >= row_start + row_len {
            row_start += row_len;
            row_len -= 1;
            row += 1;
        }
        (nodes.start + row, nodes.start + row + 1 + (hit - row_start) as u32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Streams;

    fn chance(p: f64) -> Probability {
        Probability::new(p).unwrap()
    }

    #[test]
    fn a_certain_hit_takes_every_pair_in_order_and_a_certain_miss_none() {
        let mut stream = Streams::new(1).stream("t");
        let all: Vec<_> = among(5..9, Probability::ALWAYS, &mut stream).collect();
        assert_eq!(all, [(5, 6), (5, 7), (5, 8), (6, 7), (6, 8), (7, 8)]);
        let all: Vec<_> = between(0..2, 2..5, Probability::ALWAYS, &mut stream).collect();
        assert_eq!(all, [(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4)]);
        assert_eq!(among(0..100_000, Probability::NEVER, &mut stream).count(), 0);
        assert_eq!(among(3..3, Probability::ALWAYS, &mut stream).count(), 0);
        assert_eq!(between(0..3, 3..3, Probability::ALWAYS, &mut stream).count(), 0);
    }

    #[test]
    fn hits_are_as_many_as_their_chance_says() {
        for (p, trials) in [(0.5, 40_000u64), (0.02, 1_000_000), (0.97, 40_000), (1e-6, 4_000_000_000)] {
            let mut stream = Streams::new(1).stream("t");
            let taken = hits(chance(p), trials, &mut stream).count() as f64;
            // Binomial: five standard deviations either way.
            let (mean, deviation) = (p * trials as f64, (p * (1.0 - p) * trials as f64).sqrt());
            assert!((taken - mean).abs() < 5.0 * deviation, "{taken} of {trials} at {p}, not {mean}");
        }
    }

    #[test]
    fn gaps_are_geometric() {
        let (p, n) = (0.3, 100_000);
        let gap = Gap::new(chance(p));
        let mut stream = Streams::new(2).stream("t");
        let mut seen = [0u32; 6];
        for _ in 0..n {
            if let Some(count) = gap.draw(&mut stream).and_then(|misses| seen.get_mut(misses as usize)) {
                *count += 1;
            }
        }
        for (misses, &count) in seen.iter().enumerate() {
            // p (1-p)^k, five standard deviations.
            let share = p * (1.0f64 - p).powi(misses as i32);
            let deviation = (share * (1.0 - share) * f64::from(n)).sqrt();
            assert!((f64::from(count) - share * f64::from(n)).abs() < 5.0 * deviation, "{misses} misses: {count}");
        }
    }
}
