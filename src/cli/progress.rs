//! A bar on the terminal for runs that take their time.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use rehearsal_actors::simulation::Progress;
use rehearsal_actors::units::{SimDuration, SimTime};

use crate::typeset::{duration, times};

/// Runs that take less have no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the bar moves.
const FRAME: Duration = Duration::from_millis(100);

/// A thread that watches a run. Dropped, it clears the bar and ends.
pub(super) struct Watcher {
    /// Nothing is ever sent: dropping it is the sign.
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Watches a run that is to end at `until`, if the standard error is a terminal.
    pub(super) fn start(progress: &Arc<Progress>, until: Option<SimTime>) -> Option<Watcher> {
        if !io::stderr().is_terminal() {
            return None;
        }
        let (alive, ended) = mpsc::channel::<()>();
        let progress = Arc::clone(progress);
        let begun = Instant::now();
        let watch = move || {
            let mut pause = PATIENCE;
            let mut bar = None;
            while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let now = progress.now.load(Ordering::Relaxed);
                let bar = bar.get_or_insert_with(|| new_bar(until).with_position(now));
                bar.set_message(message(now, until, begun.elapsed()));
                bar.set_position(now);
                pause = FRAME;
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        };
        // A run without a bar is better than no run.
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(watch).ok()?;
        Some(Watcher { alive: Some(alive), thread: Some(thread) })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(thread) = self.thread.take() {
            // It only draws: if it panicked there is a bar left to be overwritten, no more.
            let _ = thread.join();
        }
    }
}

/// A bar where the end is known, a word on how far it is where it is not.
fn new_bar(until: Option<SimTime>) -> ProgressBar {
    let (bar, template) = match until {
        Some(until) => (ProgressBar::new(until.as_nanos()), "[{wide_bar}] {percent:>3}%  {msg}"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

/// `12.3 s of 50.0 s virtual, 3.68 s left`, or `12.3 s virtual, 10.3 times real time`.
fn message(now: u64, until: Option<SimTime>, wall: Duration) -> String {
    let so_far = duration(SimDuration::from_nanos(now));
    let Some(until) = until else {
        return format!("{so_far} virtual, {} real time", times(now as f64 / 1e9 / wall.as_secs_f64()));
    };
    let whole = duration(until.since(SimTime::ZERO));
    // As fast as so far; nothing is known before anything has happened, or of ages.
    let left = wall.as_secs_f64() * (until.as_nanos().saturating_sub(now) as f64 / now as f64);
    match Duration::try_from_secs_f64(left) {
        Ok(left) => format!("{so_far} of {whole} virtual, {} left", duration(SimDuration::from(left))),
        Err(_) => format!("{so_far} of {whole} virtual"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_takes_as_long_as_it_took_so_far() {
        let until = Some(SimTime::from_nanos(50_000_000_000));
        let wall = Duration::from_secs(2);
        // 10 s of 50 s in 2 s: the other 40 s in 8 s.
        assert_eq!(message(10_000_000_000, until, wall), "10.0 s of 50.0 s virtual, 8.00 s left");
        assert_eq!(message(0, until, wall), "0 s of 50.0 s virtual");
        assert_eq!(message(10_000_000_000, None, wall), "10.0 s virtual, 5.00 times real time");
    }
}
