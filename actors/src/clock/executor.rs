//! Runs the futures of services, one at a time, in the order in which they were woken.
//!
//! The network's pump polls it between deliveries: time does not move while a task is runnable,
//! which is how quiescence is known exactly. Wakers may be woken from other threads; what the run
//! itself wakes is always in the same order. A paced run admits what other threads woke when it moves
//! its clock, so that it happens at an instant of its own ([`Executor::hold_foreign`]).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use slab::Slab;

use crate::panics::{Caught, catch};

/// Whose task it is; what fails is laid at its door.
pub(crate) type Owner = u32;

pub(crate) type TaskFuture = Pin<Box<dyn Future<Output = ()>>>;

/// A task that was spawned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskId {
    key: u32,
    generation: u32,
}

struct Task {
    /// Taken out while it is polled, so that it may spawn and cancel.
    body: Option<(TaskFuture, Waker)>,
    owner: Owner,
    generation: u32,
    flag: Arc<Flag>,
    /// The owner's task before this one, and the one after it.
    older: u32,
    newer: u32,
}

const NONE: u32 = u32::MAX;

/// The tasks, and each owner's latest.
#[derive(Default)]
struct Tasks {
    all: Slab<Task>,
    latest: Vec<u32>,
}

impl Tasks {
    fn get(&mut self, id: TaskId) -> Option<&mut Task> {
        self.all.get_mut(id.key as usize).filter(|task| task.generation == id.generation)
    }

    fn next_key(&self) -> u32 {
        self.all.vacant_key() as u32
    }

    fn add(&mut self, mut task: Task) {
        let (owner, key) = (task.owner as usize, self.next_key());
        if self.latest.len() <= owner {
            self.latest.resize(owner + 1, NONE);
        }
        task.older = std::mem::replace(&mut self.latest[owner], key);
        if let Some(older) = self.all.get_mut(task.older as usize) {
            older.newer = key;
        }
        self.all.insert(task);
    }

    fn remove(&mut self, id: TaskId) -> Option<Task> {
        self.get(id)?;
        let task = self.all.remove(id.key as usize);
        match self.all.get_mut(task.newer as usize) {
            Some(newer) => newer.older = task.older,
            None => self.latest[task.owner as usize] = task.older,
        }
        if let Some(older) = self.all.get_mut(task.older as usize) {
            older.newer = task.newer;
        }
        Some(task)
    }
}

/// What this thread's executor finds runnable: what a run wakes itself needs no lock.
struct Local {
    /// Whose queue it is; 0 if nobody's.
    executor: u64,
    queue: VecDeque<TaskId>,
}

thread_local! {
    static LOCAL: RefCell<Local> = const { RefCell::new(Local { executor: 0, queue: VecDeque::new() }) };
    /// The length of that queue, to be asked at a glance.
    static LOCAL_LEN: Cell<usize> = const { Cell::new(0) };
}

/// Does something with this thread's queue, if it is that executor's.
#[inline]
fn with_local<R>(executor: u64, run: impl FnOnce(&mut VecDeque<TaskId>) -> R) -> Option<R> {
    let reach = LOCAL.try_with(|local| {
        let mut local = local.try_borrow_mut().ok()?;
        (local.executor == executor).then(|| {
            let result = run(&mut local.queue);
            LOCAL_LEN.set(local.queue.len());
            result
        })
    });
    reach.ok().flatten()
}

/// The runnable tasks: those woken on the executor's own thread lie in [`Local`].
struct Ready {
    executor: u64,
    /// Tasks that other threads woke.
    foreign: Mutex<VecDeque<TaskId>>,
    /// The length of `foreign`, to be asked without locking it.
    foreign_len: AtomicUsize,
    /// Whom to wake for them: the executor's thread may be waiting for the wall clock.
    thread: Thread,
}

struct Flag {
    task: TaskId,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Ready {
    fn push_foreign(&self, task: TaskId) {
        self.foreign.lock().unwrap_or_else(PoisonError::into_inner).push_back(task);
        self.foreign_len.fetch_add(1, Ordering::Release);
        self.thread.unpark();
    }

    fn pop_local(&self) -> Option<TaskId> {
        with_local(self.executor, VecDeque::pop_front).flatten()
    }

    fn pop_foreign(&self) -> Option<TaskId> {
        if self.foreign_len.load(Ordering::Acquire) == 0 {
            return None;
        }
        let task = self.foreign.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        self.foreign_len.fetch_sub(1, Ordering::Release);
        task
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    #[inline]
    fn wake_by_ref(self: &Arc<Self>) {
        let local = with_local(self.ready.executor, |queue| {
            // Whoever polls the task is this very thread, so that nothing has to be synchronised.
            if !self.queued.load(Ordering::Relaxed) {
                self.queued.store(true, Ordering::Relaxed);
                queue.push_back(self.task);
            }
        });
        if local.is_none() && !self.queued.swap(true, Ordering::AcqRel) {
            self.ready.push_foreign(self.task);
        }
    }
}

/// The tasks of a run.
pub(crate) struct Executor {
    tasks: RefCell<Tasks>,
    ready: Arc<Ready>,
    generation: Cell<u32>,
    /// Whether tasks that other threads woke wait until they are admitted.
    hold_foreign: Cell<bool>,
    /// How many of them are.
    admitted: Cell<usize>,
}

/// What [`Executor::poll_one`] did.
pub(crate) enum Polled {
    /// Nothing was runnable.
    Idle,
    /// A task ran, and is over or waits.
    Ran,
    /// A task panicked and is gone.
    Panicked(Owner, Caught),
}

impl Executor {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let executor = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        // The first executor of a thread gets its queue; a second one does without.
        LOCAL.with_borrow_mut(|local| {
            if local.executor == 0 {
                local.executor = executor;
            }
        });
        let (foreign, foreign_len) = (Mutex::new(VecDeque::new()), AtomicUsize::new(0));
        Executor {
            tasks: RefCell::default(),
            ready: Arc::new(Ready { executor, foreign, foreign_len, thread: std::thread::current() }),
            generation: Cell::new(0),
            hold_foreign: Cell::new(false),
            admitted: Cell::new(0),
        }
    }

    /// From now on what other threads wake waits until it is admitted.
    pub(crate) fn hold_foreign(&self) {
        self.hold_foreign.set(true);
    }

    /// Whether other threads have woken something that has not run since.
    #[inline]
    pub(crate) fn has_foreign(&self) -> bool {
        self.ready.foreign_len.load(Ordering::Acquire) > 0
    }

    /// Lets everything run that other threads have woken so far.
    pub(crate) fn admit_foreign(&self) {
        self.admitted.set(self.ready.foreign_len.load(Ordering::Acquire));
    }

    #[inline]
    fn pop(&self) -> Option<TaskId> {
        if let Some(task) = self.ready.pop_local() {
            return Some(task);
        }
        if self.hold_foreign.get() {
            let admitted = self.admitted.get().checked_sub(1)?;
            self.admitted.set(admitted);
        }
        self.ready.pop_foreign()
    }

    /// Adds a task and makes it runnable.
    pub(crate) fn spawn(&self, owner: Owner, future: TaskFuture) -> TaskId {
        let mut tasks = self.tasks.borrow_mut();
        let generation = self.generation.get().wrapping_add(1);
        self.generation.set(generation);
        let id = TaskId { key: tasks.next_key(), generation };
        let flag = Arc::new(Flag { task: id, queued: AtomicBool::new(false), ready: self.ready.clone() });
        flag.wake_by_ref();
        let body = Some((future, Waker::from(flag.clone())));
        tasks.add(Task { body, owner, generation, flag, older: NONE, newer: NONE });
        id
    }

    /// Ends a task; nothing happens if it is over already. A task may cancel itself.
    pub(crate) fn cancel(&self, id: TaskId) {
        let task = self.tasks.borrow_mut().remove(id);
        // Dropped outside the borrow: what a future owns may itself cancel or wake.
        drop(task);
    }

    /// The tasks of one owner, in the order in which they were spawned.
    pub(crate) fn tasks_of(&self, owner: Owner) -> Vec<TaskId> {
        let tasks = self.tasks.borrow();
        let mut ids = Vec::new();
        let mut key = tasks.latest.get(owner as usize).copied().unwrap_or(NONE);
        while let Some(task) = tasks.all.get(key as usize) {
            ids.push(TaskId { key, generation: task.generation });
            key = task.older;
        }
        ids.reverse();
        ids
    }

    /// True if nothing is runnable.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        with_local(self.ready.executor, |queue| queue.is_empty()).unwrap_or(true)
            && self.ready.foreign_len.load(Ordering::Acquire) == 0
    }

    /// Ends every task.
    pub(crate) fn clear(&self) {
        let tasks = std::mem::take(&mut *self.tasks.borrow_mut());
        // What a future owns may panic when it is dropped; nobody is left to tell.
        let _ = catch(|| drop(tasks));
    }

    /// True if nothing is runnable, told at a glance. False may also mean that somebody has to look.
    #[inline]
    pub(crate) fn is_surely_idle(&self) -> bool {
        LOCAL_LEN.get() == 0 && self.ready.foreign_len.load(Ordering::Relaxed) == 0
    }

    /// Polls the task that has been runnable longest. `begin` is told whose it is.
    pub(crate) fn poll_one(&self, begin: impl FnOnce(Owner)) -> Polled {
        let Some(id) = self.pop() else { return Polled::Idle };
        let taken = {
            let mut tasks = self.tasks.borrow_mut();
            tasks.get(id).and_then(|task| {
                task.flag.queued.store(false, Ordering::Release);
                task.body.take().map(|body| (body, task.owner))
            })
        };
        let Some(((mut future, waker), owner)) = taken else {
            return Polled::Ran;
        };
        begin(owner);
        let polled = catch(|| future.as_mut().poll(&mut Context::from_waker(&waker)));
        if let Ok(Poll::Pending) = polled {
            // Unless it has cancelled itself, it goes on.
            if let Some(task) = self.tasks.borrow_mut().get(id) {
                task.body = Some((future, waker));
                return Polled::Ran;
            }
        }
        self.cancel(id);
        // A future may panic when it is dropped, even if it has panicked before.
        match (polled, catch(|| drop(future))) {
            (_, Err(caught)) | (Err(caught), Ok(())) => Polled::Panicked(owner, caught),
            (Ok(_), Ok(())) => Polled::Ran,
        }
    }

    /// How many tasks there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.tasks.borrow().all.len()
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        let _ = LOCAL.try_with(|local| {
            let Ok(mut local) = local.try_borrow_mut() else { return };
            if local.executor == self.ready.executor {
                local.executor = 0;
                local.queue.clear();
                LOCAL_LEN.set(0);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    /// Pending once.
    async fn pause() {
        let mut paused = false;
        std::future::poll_fn(|_| if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending })
            .await
    }

    fn run(executor: &Executor) -> Vec<Owner> {
        let mut panicked = Vec::new();
        loop {
            match executor.poll_one(|_| ()) {
                Polled::Idle => return panicked,
                Polled::Ran => {}
                Polled::Panicked(owner, _) => panicked.push(owner),
            }
        }
    }

    #[test]
    fn tasks_run_in_the_order_of_their_wakes() {
        let executor = Executor::new();
        let story = Rc::new(RefCell::new(Vec::new()));
        for name in ["a", "b"] {
            let story = story.clone();
            executor.spawn(
                0,
                Box::pin(async move {
                    story.borrow_mut().push(format!("{name}1"));
                    pause().await;
                    story.borrow_mut().push(format!("{name}2"));
                }),
            );
        }
        run(&executor);
        let wakers: Vec<Waker> = executor.tasks.borrow().all.iter().map(|(_, t)| Waker::from(t.flag.clone())).collect();
        wakers[1].wake_by_ref();
        wakers[0].wake_by_ref();
        wakers[1].wake_by_ref();
        run(&executor);
        assert_eq!(*story.borrow(), ["a1", "b1", "b2", "a2"]);
        assert_eq!(executor.len(), 0);
    }

    #[test]
    fn wakes_from_other_threads_and_of_a_second_executor_are_not_lost() {
        let first = Executor::new();
        let second = Executor::new();
        let runs = Rc::new(Cell::new(0));
        for executor in [&first, &second] {
            let runs = runs.clone();
            executor.spawn(
                0,
                Box::pin(async move {
                    pause().await;
                    runs.set(runs.get() + 1);
                }),
            );
            run(executor);
            let waker = Waker::from(executor.tasks.borrow().all[0].flag.clone());
            assert!(std::thread::spawn(move || waker.wake()).join().is_ok());
            run(executor);
        }
        assert_eq!(runs.get(), 2);
    }

    #[test]
    fn what_other_threads_wake_waits_to_be_admitted_where_it_is_held() {
        let executor = Executor::new();
        executor.hold_foreign();
        let done = Rc::new(Cell::new(false));
        let seen = done.clone();
        executor.spawn(
            0,
            Box::pin(async move {
                pause().await;
                seen.set(true);
            }),
        );
        run(&executor);
        let waker = Waker::from(executor.tasks.borrow().all[0].flag.clone());
        assert!(!executor.has_foreign());
        assert!(std::thread::spawn(move || waker.wake()).join().is_ok());
        run(&executor);
        assert!(executor.has_foreign() && !done.get());
        executor.admit_foreign();
        run(&executor);
        assert!(!executor.has_foreign() && done.get());
    }

    #[test]
    fn a_panic_ends_its_task_and_no_other() {
        let executor = Executor::new();
        let reached = Rc::new(Cell::new(false));
        let seen = reached.clone();
        executor.spawn(7, Box::pin(async { panic!("on purpose") }));
        executor.spawn(8, Box::pin(async move { seen.set(true) }));
        assert_eq!(run(&executor), [7]);
        assert!(reached.get());
        assert_eq!(executor.len(), 0);
    }

    #[test]
    fn cancelled_tasks_are_dropped_at_once_and_late_wakes_are_harmless() {
        let executor = Executor::new();
        let alive = Rc::new(());
        let held = alive.clone();
        let id = executor.spawn(
            1,
            Box::pin(async move {
                let _held = held;
                pause().await;
            }),
        );
        run(&executor);
        let waker = Waker::from(executor.tasks.borrow().all[id.key as usize].flag.clone());
        executor.tasks_of(1).into_iter().for_each(|task| executor.cancel(task));
        assert_eq!(Rc::strong_count(&alive), 1);
        waker.wake();
        run(&executor);
        assert!(executor.is_idle());
    }

    #[test]
    fn the_tasks_of_an_owner_are_those_that_are_left_in_the_order_in_which_they_were_spawned() {
        let executor = Executor::new();
        let mut left: [Vec<TaskId>; 3] = Default::default();
        for i in 0..60usize {
            let owner = i * i % 3;
            left[owner].push(executor.spawn(owner as Owner, Box::pin(std::future::pending())));
            if i % 4 == 3 {
                let ids = &mut left[i % 3];
                if !ids.is_empty() {
                    executor.cancel(ids.remove(i % ids.len()));
                }
            }
            for (owner, ids) in left.iter().enumerate() {
                assert_eq!(executor.tasks_of(owner as Owner), *ids);
            }
        }
        assert_eq!(executor.tasks_of(7), []);
    }
}
