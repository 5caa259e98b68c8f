//! A few threads that make calls for those who do not want to wait.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

/// How many calls may lie in wait before whoever brings another has to wait as well.
const QUEUE: usize = 1_024;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that begin with the first job and end when the pool is dropped and the last job is done.
pub(super) struct Pool {
    threads: usize,
    queue: OnceLock<Option<SyncSender<Job>>>,
}

impl Pool {
    /// At most so many threads, none of them yet.
    pub(super) fn new(threads: usize) -> Self {
        Pool { threads, queue: OnceLock::new() }
    }

    /// Has a thread do it when one is free. Where the system gives no thread, the caller's does it at once.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) {
        let queue = self.queue.get_or_init(|| begin(self.threads));
        let job: Job = Box::new(job);
        match queue {
            Some(queue) => {
                if let Err(refused) = queue.send(job) {
                    (refused.0)();
                }
            }
            None => job(),
        }
    }
}

/// The queue of as many threads as can be had; nothing if none can.
fn begin(threads: usize) -> Option<SyncSender<Job>> {
    let (queue, jobs) = sync_channel(QUEUE);
    let jobs = Arc::new(Mutex::new(jobs));
    let begun = (0..threads).filter(|_| {
        let jobs = Arc::clone(&jobs);
        thread::Builder::new().name("rehearsal-call".to_owned()).spawn(move || work(&jobs)).is_ok()
    });
    if begun.count() > 0 { Some(queue) } else { None }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while one waits for a job, never while it is done. A job that panicked did
        // so without it.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            // What a panic leaves behind is its own: whoever waits for the job sees that it is gone.
            Ok(job) => drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(job))),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_job_is_done_even_when_the_pool_is_dropped_and_others_panic() {
        let (done, dones) = mpsc::channel();
        let pool = Pool::new(2);
        for n in 0..100 {
            let done = done.clone();
            pool.run(move || {
                assert!(n % 10 != 0, "this one is meant to fail");
                done.send(n).expect("the test listens");
            });
        }
        drop((pool, done));
        // The channel ends when the last job has.
        assert_eq!(dones.iter().count(), 90);
    }

    #[test]
    fn so_many_at_once_and_no_more() {
        let (begun, begins) = mpsc::channel();
        let (leave, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let pool = Pool::new(3);
        for n in 0..4 {
            let (begun, gate) = (begun.clone(), Arc::clone(&gate));
            pool.run(move || {
                begun.send(n).expect("the test listens");
                let _ = gate.lock().map(|gate| gate.recv());
            });
        }
        let soon = Duration::from_secs(10);
        for _ in 0..3 {
            assert!(begins.recv_timeout(soon).is_ok());
        }
        assert!(begins.recv_timeout(Duration::from_millis(50)).is_err(), "the fourth waits for a thread");
        drop(leave);
        assert!(begins.recv_timeout(soon).is_ok());
    }
}
