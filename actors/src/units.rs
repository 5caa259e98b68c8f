//! Quantities with their units: instants, durations, sizes, bandwidths, probabilities, cores.
//!
//! Nothing here knows of networks or actors. Every type is a newtype over an integer where that is
//! possible, so that arithmetic is exact and a run is the same on every machine; every type parses
//! from, and prints as, what people write (`"40ms"`, `"10Mbit/s"`, `"64KiB"`).

mod mistake;
mod parse;
mod print;
mod serial;

use std::num::NonZeroU64;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

pub use mistake::UnitError;

/// An instant of virtual time: nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(u64);

impl SimTime {
    /// The start of every run.
    pub const ZERO: SimTime = SimTime(0);
    /// Later than anything that happens.
    pub const MAX: SimTime = SimTime(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        SimTime(nanos)
    }

    /// Nanoseconds since the start of the run.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start of the run, for people to read.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time from `earlier` to here; zero if `earlier` is in fact later.
    pub const fn since(self, earlier: SimTime) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;
    /// Saturates at [`SimTime::MAX`], some 584 years after the start.
    fn add(self, rhs: SimDuration) -> SimTime {
        SimTime(self.0.saturating_add(rhs.0))
    }
}

/// A length of virtual time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimDuration(u64);

impl SimDuration {
    /// No time at all.
    pub const ZERO: SimDuration = SimDuration(0);

    /// `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        SimDuration(nanos)
    }
    /// `micros` microseconds (saturating).
    pub const fn from_micros(micros: u64) -> Self {
        SimDuration(micros.saturating_mul(1_000))
    }
    /// `millis` milliseconds (saturating).
    pub const fn from_millis(millis: u64) -> Self {
        SimDuration(millis.saturating_mul(1_000_000))
    }
    /// `secs` seconds (saturating).
    pub const fn from_secs(secs: u64) -> Self {
        SimDuration(secs.saturating_mul(1_000_000_000))
    }
    /// The length in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    /// The length in milliseconds, for people to read.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// True for no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add for SimDuration {
    type Output = SimDuration;
    fn add(self, rhs: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_add(rhs.0))
    }
}

impl AddAssign for SimDuration {
    fn add_assign(&mut self, rhs: SimDuration) {
        *self = *self + rhs;
    }
}

impl Sub for SimDuration {
    type Output = SimDuration;
    /// Stops at zero.
    fn sub(self, rhs: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_sub(rhs.0))
    }
}

impl std::iter::Sum for SimDuration {
    fn sum<I: Iterator<Item = SimDuration>>(iter: I) -> Self {
        iter.fold(SimDuration::ZERO, Add::add)
    }
}

impl From<Duration> for SimDuration {
    /// Saturates at some 584 years.
    fn from(d: Duration) -> Self {
        SimDuration(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<SimDuration> for Duration {
    fn from(d: SimDuration) -> Self {
        Duration::from_nanos(d.0)
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

impl Bytes {
    /// `n` times 1024 bytes.
    pub const fn kib(n: u64) -> Self {
        Bytes(n * 1024)
    }
    /// `n` times 1024 KiB.
    pub const fn mib(n: u64) -> Self {
        Bytes(n * 1024 * 1024)
    }
}

/// How much a link carries in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bandwidth {
    /// Sending takes no time, whatever the size.
    Unlimited,
    /// So many bits a second.
    BitsPerSecond(NonZeroU64),
}

impl Bandwidth {
    /// `bits` a second, or `None` for zero, over which nothing would ever get through.
    pub fn bits_per_second(bits: u64) -> Option<Self> {
        NonZeroU64::new(bits).map(Bandwidth::BitsPerSecond)
    }
}

/// A chance between 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Probability(f64);

impl Probability {
    /// Never.
    pub const NEVER: Probability = Probability(0.0);
    /// Always.
    pub const ALWAYS: Probability = Probability(1.0);

    /// `p`, if it lies in 0..=1.
    pub fn new(p: f64) -> Option<Self> {
        (0.0..=1.0).contains(&p).then_some(Probability(p))
    }
    /// The chance as a number in 0..=1.
    pub const fn get(self) -> f64 {
        self.0
    }
    /// True if it never happens.
    pub fn is_never(self) -> bool {
        self.0 == 0.0
    }
    /// Of the 2^64 values of a uniform `u64`, how many are hits. Multiplying by a power of two is
    /// exact, so this is the same on every machine.
    pub(crate) fn threshold(self) -> u128 {
        (self.0 * 18_446_744_073_709_551_616.0) as u128
    }
}

/// Processor cores, in thousandths of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cores(u64);

impl Cores {
    /// `n` whole cores.
    pub const fn new(n: u64) -> Self {
        Cores(n.saturating_mul(1000))
    }
    /// `n` thousandths of a core.
    pub const fn from_milli(n: u64) -> Self {
        Cores(n)
    }
    /// Thousandths of a core.
    pub const fn as_milli(self) -> u64 {
        self.0
    }
}
