//! Virtual time held to the wall clock: the one place of the runtime that reads it, and only in paced
//! runs.

use std::fmt;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use crate::units::SimDuration;

/// How fast virtual time follows the wall clock: 1 as fast, 10 ten times as fast, 0.5 half as fast.
///
/// ```
/// use rehearsal_actors::simulation::Pace;
/// assert_eq!("10".parse(), Pace::new(10.0));
/// assert_eq!(Pace::REAL_TIME.to_string(), "1");
/// assert!("0".parse::<Pace>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Pace(f64);

/// A pace that virtual time cannot keep to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pace; write a number from 0.001 to 1000000, as 1 or 0.5")]
pub struct PaceError(String);

impl Pace {
    /// As fast as the wall clock.
    pub const REAL_TIME: Pace = Pace(1.0);

    /// So many virtual seconds a second.
    ///
    /// # Errors
    /// It is no number from 0.001 to 1,000,000.
    pub fn new(factor: f64) -> Result<Pace, PaceError> {
        match (1e-3..=1e6).contains(&factor) {
            true => Ok(Pace(factor)),
            false => Err(PaceError(factor.to_string())),
        }
    }

    /// The virtual seconds in a second.
    pub fn factor(self) -> f64 {
        self.0
    }
}

impl Default for Pace {
    fn default() -> Self {
        Pace::REAL_TIME
    }
}

impl FromStr for Pace {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Self, PaceError> {
        let factor: f64 = text.parse().map_err(|_| PaceError(text.to_owned()))?;
        Pace::new(factor).map_err(|_| PaceError(text.to_owned()))
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the wall clock says of virtual time. Instants are nanoseconds of virtual time.
pub(crate) struct WallClock {
    began: Instant,
    pace: Pace,
}

impl WallClock {
    /// Virtual time 0 is now.
    pub(crate) fn start(pace: Pace) -> Self {
        WallClock { began: Instant::now(), pace }
    }

    /// How late it is.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        scaled(self.began.elapsed(), self.pace)
    }

    /// What a stretch of virtual time takes of the wall clock's.
    pub(crate) fn wall(&self, virtual_nanos: u64) -> SimDuration {
        SimDuration::from_nanos(unscaled(virtual_nanos, self.pace))
    }

    /// Blocks the thread until an instant, but no longer than `most`, or until somebody
    /// [unparks](thread::Thread::unpark) it.
    pub(crate) fn wait_until(&self, instant: u64, most: Duration) {
        let ahead = instant.saturating_sub(self.now());
        let wait = Duration::from_nanos(unscaled(ahead, self.pace)).min(most);
        if !wait.is_zero() {
            thread::park_timeout(wait);
        }
    }
}

/// Saturates, as conversions of floating-point numbers do.
fn scaled(wall: Duration, pace: Pace) -> u64 {
    let nanos = wall.as_nanos().min(u128::from(u64::MAX)) as u64;
    if pace == Pace::REAL_TIME { nanos } else { (nanos as f64 * pace.0) as u64 }
}

fn unscaled(virtual_nanos: u64, pace: Pace) -> u64 {
    if pace == Pace::REAL_TIME { virtual_nanos } else { (virtual_nanos as f64 / pace.0).ceil() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_a_factor_within_reason() {
        for text in ["1", "10", "0.5", "0.001", "1e6"] {
            assert!(text.parse::<Pace>().is_ok(), "{text}");
        }
        for text in ["0", "-1", "inf", "NaN", "fast", "", "1e7", "0.0001"] {
            let error = text.parse::<Pace>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is no pace")), "{error}");
        }
    }

    #[test]
    fn ten_times_as_fast_is_a_tenth_of_the_time() {
        let ten = Pace(10.0);
        assert_eq!(scaled(Duration::from_millis(5), ten), 50_000_000);
        assert_eq!(unscaled(50_000_000, ten), 5_000_000);
        // Rather a nanosecond late than early: what is due has then come.
        assert_eq!(unscaled(1, ten), 1);
        assert_eq!(scaled(Duration::MAX, Pace(2.0)), u64::MAX);
    }

    #[test]
    fn waiting_ends_when_somebody_wants_something() {
        let clock = WallClock::start(Pace::REAL_TIME);
        thread::current().unpark();
        clock.wait_until(u64::MAX, Duration::from_secs(600));
        assert!(clock.now() < 300_000_000_000, "it did not wait for ten minutes");
        // What is past is not waited for.
        clock.wait_until(0, Duration::from_secs(600));
    }
}
