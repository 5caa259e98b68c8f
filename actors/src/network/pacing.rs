//! Moving the clock of a paced run: no instant comes before the wall clock says so, and what other
//! threads want enters at an instant of its own.
//!
//! What happens in which order is the same as in a run that does not wait: the clock moves to the same
//! instants, as long as nothing comes in from outside. What does is admitted when the clock moves, at
//! the instant that the wall clock shows; or, if the run lags behind it, at the next instant in which
//! something happens, before anything else of that instant.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::clock::wall::{Pace, WallClock};
use crate::network::Network;
use crate::network::pump::{Advance, NetworkActor};
use crate::report::{Ending, Latencies, PacingReport, Progress};

/// The wall clock's timers apart, nobody waits longer before looking whether the run is to end.
const LOOK_UP: Duration = Duration::from_millis(50);

/// How a run keeps to the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pacing {
    /// How fast virtual time goes.
    pub pace: Pace,
    /// Whether the run goes on when nothing is left to happen in it, because something may come in from
    /// outside. Then it ends at its time, if it has one, or when it is told to.
    pub stay_open: bool,
}

/// A paced run's wall clock, and how far the run lagged behind it.
pub(crate) struct Paced {
    clock: WallClock,
    pacing: Pacing,
    lag: Option<Latencies>,
}

impl Paced {
    /// Virtual time begins now.
    pub(crate) fn start(pacing: Pacing) -> Self {
        Paced { clock: WallClock::start(pacing.pace), pacing, lag: Latencies::new().ok() }
    }

    pub(super) fn stays_open(&self) -> bool {
        self.pacing.stay_open
    }

    /// What is known of the lag.
    pub(crate) fn report(&self) -> PacingReport {
        let lag = self.lag.as_ref().and_then(Latencies::summary);
        PacingReport { pace: self.pacing.pace, stay_open: self.pacing.stay_open, lag }
    }

    fn note_lag(&mut self, behind: u64, progress: &Progress) {
        let lag = self.clock.wall(behind);
        progress.lag.store(lag.as_nanos(), Relaxed);
        progress.greatest_lag.fetch_max(lag.as_nanos(), Relaxed);
        if let Some(all) = &mut self.lag {
            all.note(lag);
        }
    }
}

/// Moves the clock to the next instant in which something happens, or waits a while for it.
///
/// Kept out of the pump's loop: runs that do not wait go through it once an instant.
#[inline(never)]
pub(super) fn advance(network: &Network, actor: &mut NetworkActor) -> Advance {
    if let Some(over) = super::pump::look(network) {
        return over;
    }
    let NetworkActor { schedule, until, progress, paced: Some(paced), .. } = actor else {
        return Advance::Over(Ending::Quiescent);
    };
    let own = network.next_time().or_else(|| schedule.next_strike());
    let change = schedule.next_time();
    // Changes alone keep no run going that could end.
    let next = match (own, change) {
        (Some(own), Some(change)) => Some(own.min(change)),
        (None, Some(change)) if paced.pacing.stay_open => Some(change),
        (own, _) => own,
    };
    let foreign = network.executor.has_foreign();
    if next.is_none() && !foreign && !paced.pacing.stay_open {
        return Advance::Over(Ending::Quiescent);
    }
    let until = until.map_or(u64::MAX, |until| until.as_nanos());
    let wall = paced.clock.now();
    let due = next.filter(|next| *next <= wall && *next <= until);
    // A run that lags takes in what comes with whatever is next, so that nobody is kept out for ever.
    let time = match due {
        Some(time) => {
            paced.note_lag(wall - time, progress);
            time
        }
        None if wall > until => {
            network.now.set(until);
            return Advance::Over(Ending::TimeReached);
        }
        None if foreign => wall.max(network.now.get()),
        None => {
            progress.lag.store(0, Relaxed);
            // To see that the time is over takes one nanosecond more.
            paced.clock.wait_until(next.unwrap_or(u64::MAX).min(until.saturating_add(1)), LOOK_UP);
            return Advance::Changed;
        }
    };
    network.now.set(time);
    if foreign {
        network.executor.admit_foreign();
    }
    if due.is_some() && change == Some(time) {
        schedule.carry_out(network);
        return Advance::Changed;
    }
    Advance::On
}
