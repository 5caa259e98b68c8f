//! Many requests: so many at once, so many a second, until there were enough.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::errand::End;
use super::figures::Figures;

/// What takes less has no bar; how often one moves; how long nobody hears that all is to end.
const PATIENCE: Duration = Duration::from_secs(1);
const FRAME: Duration = Duration::from_millis(100);

/// How many requests, and how fast.
pub(super) struct Plan {
    /// So many; without it, until the time is over.
    pub(super) requests: Option<u64>,
    /// For so long.
    pub(super) lasting: Option<Duration>,
    /// So many at once, at least one.
    pub(super) concurrency: u16,
    /// So many a second; without it, the next as soon as one is answered.
    pub(super) rate: Option<u32>,
}

impl Plan {
    /// When request `number` (from 0) is to be sent, after the beginning.
    fn due(&self, number: u64) -> Duration {
        match self.rate {
            Some(rate) => Duration::from_secs_f64(number as f64 / f64::from(rate)),
            None => Duration::ZERO,
        }
    }

    fn is_enough(&self, number: u64, so_far: Duration) -> bool {
        self.requests.is_some_and(|requests| number >= requests)
            || self.lasting.is_some_and(|lasting| so_far.max(self.due(number)) >= lasting)
    }
}

/// Sends requests until there are enough or somebody says `stop`. With a rate, the time that a request
/// takes is counted from when it was due: what waits because earlier ones are slow is slow itself.
pub(super) fn send(plan: &Plan, send_one: impl Fn() -> End + Sync, stop: &AtomicBool, show: bool) -> Figures {
    let next = AtomicU64::new(0);
    let done = AtomicU64::new(0);
    let begun = Instant::now();
    let work = || {
        let mut figures = Figures::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if plan.is_enough(number, begun.elapsed()) || !wait_until(begun + plan.due(number), stop) {
                return figures;
            }
            let sent = if plan.rate.is_some() { begun + plan.due(number) } else { Instant::now() };
            let end = send_one();
            figures.book(end, sent.elapsed());
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    let workers = plan.requests.map_or(plan.concurrency.into(), |requests| requests.min(plan.concurrency.into()));
    let mut all = Figures::default();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        let mut alone = None;
        for _ in 0..workers {
            match thread::Builder::new().spawn_scoped(scope, work) {
                Ok(thread) => threads.push(thread),
                // Fewer than were asked for are better than none.
                Err(_) if !threads.is_empty() => break,
                Err(_) => alone = Some(work()),
            }
        }
        let (alive, ended) = mpsc::channel::<()>();
        if show && io::stderr().is_terminal() {
            scope.spawn(|| watch(plan, &done, begun, ended));
        }
        all.add(alone.unwrap_or_default());
        for thread in threads {
            // Whatever a thread has counted is lost with it, and nothing in it panics.
            all.add(thread.join().unwrap_or_default());
        }
        drop(alive);
    });
    all.took(begun.elapsed());
    all
}

/// Whether it was reached before somebody said `stop`.
fn wait_until(due: Instant, stop: &AtomicBool) -> bool {
    loop {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        match due.checked_duration_since(Instant::now()) {
            None | Some(Duration::ZERO) => return true,
            Some(left) => thread::sleep(left.min(FRAME)),
        }
    }
}

/// Draws a bar until it is over.
fn watch(plan: &Plan, done: &AtomicU64, begun: Instant, ended: mpsc::Receiver<()>) {
    let mut pause = PATIENCE;
    let mut bar: Option<ProgressBar> = None;
    while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        let bar = bar.get_or_insert_with(|| new_bar(plan));
        let so_far = done.load(Ordering::Relaxed);
        match plan.lasting {
            Some(_) => bar.set_position(begun.elapsed().as_millis() as u64),
            None => bar.set_position(so_far),
        }
        bar.set_message(format!("{so_far} requests"));
        pause = FRAME;
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn new_bar(plan: &Plan) -> ProgressBar {
    let (bar, template) = match (plan.lasting, plan.requests) {
        (Some(lasting), _) => (ProgressBar::new(lasting.as_millis() as u64), "[{wide_bar}] {percent:>3}%  {msg}"),
        (None, Some(requests)) => (ProgressBar::new(requests), "[{wide_bar}] {percent:>3}%  {msg}"),
        (None, None) => (ProgressBar::new_spinner(), "{spinner} {msg}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use rehearsal_actors::outcome::OutcomeKind;

    use super::*;

    fn good() -> End {
        End { outcome: OutcomeKind::Reply, answered: true, status: None, elapsed: None, remark: None }
    }

    fn plan(requests: u64, concurrency: u16) -> Plan {
        Plan { requests: Some(requests), lasting: None, concurrency, rate: None }
    }

    #[test]
    fn exactly_as_many_are_sent_as_were_asked_for() {
        for (requests, concurrency) in [(1, 1), (3, 16), (1_000, 7)] {
            let sent = AtomicU64::new(0);
            let send_one = || {
                sent.fetch_add(1, Ordering::Relaxed);
                good()
            };
            let figures = send(&plan(requests, concurrency), send_one, &AtomicBool::new(false), false);
            assert_eq!((sent.into_inner(), figures.count(OutcomeKind::Reply)), (requests, requests));
        }
    }

    #[test]
    fn no_more_are_under_way_at_once_than_may_be() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let send_one = || {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(2));
            now.fetch_sub(1, Ordering::SeqCst);
            good()
        };
        send(&plan(40, 4), send_one, &AtomicBool::new(false), false);
        assert_eq!(most.into_inner(), 4);
    }

    #[test]
    fn a_rate_spreads_them_and_counts_what_waits() {
        // 20 at 1,000 a second, each of which takes 5 ms, one at a time: the last is due after 19 ms and
        // done after 100 ms, so it took 81 ms at least, not 5.
        let plan = Plan { requests: Some(20), lasting: None, concurrency: 1, rate: Some(1_000) };
        let send_one = || {
            thread::sleep(Duration::from_millis(5));
            good()
        };
        let figures = send(&plan, send_one, &AtomicBool::new(false), false);
        assert!(figures.longest() >= Duration::from_millis(81), "{:?}", figures.longest());
        assert_eq!((plan.due(0), plan.due(19)), (Duration::ZERO, Duration::from_millis(19)));
    }

    #[test]
    fn a_time_ends_it_and_so_does_whoever_says_stop() {
        let lasting = Some(Duration::from_millis(50));
        let plan = Plan { requests: None, lasting, concurrency: 2, rate: Some(100) };
        let figures = send(&plan, good, &AtomicBool::new(false), false);
        // At 0, 10, 20, 30 and 40 ms.
        assert_eq!(figures.count(OutcomeKind::Reply), 5);

        let forever = Plan { requests: None, lasting: None, concurrency: 2, rate: None };
        let stop = AtomicBool::new(false);
        let left = AtomicU64::new(100);
        let send_one = || {
            if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                stop.store(true, Ordering::Relaxed);
            }
            good()
        };
        assert!(send(&forever, send_one, &stop, false).count(OutcomeKind::Reply) >= 100);
    }
}
