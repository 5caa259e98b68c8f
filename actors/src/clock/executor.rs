//! Runs the futures of services, one at a time, in the order in which they were woken.
//!
//! The network's pump polls it between deliveries: time does not move while a task is runnable,
//! which is how quiescence is known exactly. Wakers may be woken from other threads; what the run
//! itself wakes is always in the same order.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

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
    /// The keys of its owner's tasks before and after it, or [`NONE`].
    before: u32,
    after: u32,
}

/// The key of no task.
const NONE: u32 = u32::MAX;

/// Every task, each in the chain of its owner's: whoever ends finds what is its own, and does not
/// have to ask everybody.
#[derive(Default)]
struct Tasks {
    slab: Slab<Task>,
    /// By owner, the key of the task that it spawned last.
    last: Vec<u32>,
}

impl Tasks {
    /// The key that the next task will have.
    fn vacant_key(&self) -> u32 {
        self.slab.vacant_key() as u32
    }

    fn insert(&mut self, mut task: Task) {
        let (key, owner) = (self.vacant_key(), task.owner as usize);
        if self.last.len() <= owner {
            self.last.resize(owner + 1, NONE);
        }
        task.before = std::mem::replace(&mut self.last[owner], key);
        task.after = NONE;
        if let Some(before) = self.slab.get_mut(task.before as usize) {
            before.after = key;
        }
        self.slab.insert(task);
    }

    fn get_mut(&mut self, id: TaskId) -> Option<&mut Task> {
        self.slab.get_mut(id.key as usize).filter(|task| task.generation == id.generation)
    }

    fn remove(&mut self, id: TaskId) -> Option<Task> {
        self.get_mut(id)?;
        let task = self.slab.remove(id.key as usize);
        if let Some(before) = self.slab.get_mut(task.before as usize) {
            before.after = task.after;
        }
        match self.slab.get_mut(task.after as usize) {
            Some(after) => after.before = task.before,
            None => self.last[task.owner as usize] = task.before,
        }
        Some(task)
    }

    /// The tasks of one owner, in the order of their keys.
    fn of(&self, owner: Owner) -> Vec<TaskId> {
        let mut ids = Vec::new();
        let mut next = self.last.get(owner as usize).copied().unwrap_or(NONE);
        while let Some(task) = self.slab.get(next as usize) {
            ids.push(TaskId { key: next, generation: task.generation });
            next = task.before;
        }
        ids.sort_unstable_by_key(|id| id.key);
        ids
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
}

/// Does something with this thread's queue, if it is that executor's.
#[inline]
fn with_local<R>(executor: u64, run: impl FnOnce(&mut VecDeque<TaskId>) -> R) -> Option<R> {
    let reach = LOCAL.try_with(|local| {
        let mut local = local.try_borrow_mut().ok()?;
        (local.executor == executor).then(|| run(&mut local.queue))
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
    }

    fn pop(&self) -> Option<TaskId> {
        if let Some(task) = with_local(self.executor, VecDeque::pop_front).flatten() {
            return Some(task);
        }
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
            tasks: RefCell::new(Tasks::default()),
            ready: Arc::new(Ready { executor, foreign, foreign_len }),
            generation: Cell::new(0),
        }
    }

    /// Adds a task and makes it runnable.
    pub(crate) fn spawn(&self, owner: Owner, future: TaskFuture) -> TaskId {
        let mut tasks = self.tasks.borrow_mut();
        let generation = self.generation.get().wrapping_add(1);
        self.generation.set(generation);
        let id = TaskId { key: tasks.vacant_key(), generation };
        let flag = Arc::new(Flag { task: id, queued: AtomicBool::new(false), ready: self.ready.clone() });
        flag.wake_by_ref();
        let body = Some((future, Waker::from(flag.clone())));
        tasks.insert(Task { body, owner, generation, flag, before: NONE, after: NONE });
        id
    }

    /// Ends a task; nothing happens if it is over already. A task may cancel itself.
    pub(crate) fn cancel(&self, id: TaskId) {
        let task = self.tasks.borrow_mut().remove(id);
        // Dropped outside the borrow: what a future owns may itself cancel or wake.
        drop(task);
    }

    /// Ends every task of one owner.
    pub(crate) fn cancel_all(&self, owner: Owner) {
        let ids = self.tasks.borrow().of(owner);
        for id in ids {
            self.cancel(id);
        }
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

    /// Polls the task that has been runnable longest. `begin` is told whose it is.
    pub(crate) fn poll_one(&self, begin: impl FnOnce(Owner)) -> Polled {
        let Some(id) = self.ready.pop() else { return Polled::Idle };
        let taken = {
            let mut tasks = self.tasks.borrow_mut();
            tasks.get_mut(id).and_then(|task| {
                task.flag.queued.store(false, Ordering::Release);
                task.body.take().map(|body| (body, task.owner))
            })
        };
        let Some(((mut future, waker), owner)) = taken else {
            return Polled::Ran;
        };
        begin(owner);
        match catch(|| future.as_mut().poll(&mut Context::from_waker(&waker))) {
            Ok(Poll::Pending) => {
                let mut tasks = self.tasks.borrow_mut();
                match tasks.get_mut(id) {
                    Some(task) => task.body = Some((future, waker)),
                    None => {
                        drop(tasks);
                        drop(future);
                    }
                }
                Polled::Ran
            }
            Ok(Poll::Ready(())) => {
                self.cancel(id);
                Polled::Ran
            }
            Err(panic) => {
                self.cancel(id);
                // A future that panicked may panic again when it is dropped.
                Polled::Panicked(owner, catch(|| drop(future)).err().unwrap_or(panic))
            }
        }
    }

    /// How many tasks there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.tasks.borrow().slab.len()
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        let _ = LOCAL.try_with(|local| {
            let Ok(mut local) = local.try_borrow_mut() else { return };
            if local.executor == self.ready.executor {
                local.executor = 0;
                local.queue.clear();
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
        let wakers: Vec<Waker> =
            executor.tasks.borrow().slab.iter().map(|(_, t)| Waker::from(t.flag.clone())).collect();
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
            let waker = Waker::from(executor.tasks.borrow().slab[0].flag.clone());
            assert!(std::thread::spawn(move || waker.wake()).join().is_ok());
            run(executor);
        }
        assert_eq!(runs.get(), 2);
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
        let waker = Waker::from(executor.tasks.borrow().slab[id.key as usize].flag.clone());
        executor.cancel_all(1);
        assert_eq!(Rc::strong_count(&alive), 1);
        waker.wake();
        run(&executor);
        assert!(executor.is_idle());
    }

    #[test]
    fn the_tasks_of_an_owner_are_found_whatever_has_come_and_gone() {
        let executor = Executor::new();
        // Every third ends by itself, so that later tasks take the places of earlier ones.
        let mut left: Vec<(Owner, TaskId)> = Vec::new();
        for n in 0..300 {
            let (owner, ends) = (n * 7 % 5, n % 3 == 0);
            let id = executor.spawn(
                owner,
                Box::pin(async move {
                    if !ends {
                        std::future::pending::<()>().await;
                    }
                }),
            );
            if n % 4 == 0 {
                run(&executor);
                if n % 8 == 0 && !left.is_empty() {
                    executor.cancel(left.remove(n as usize % left.len()).1);
                }
            }
            if !ends {
                left.push((owner, id));
            }
        }
        run(&executor);
        for owner in 0..6 {
            let mut expected: Vec<TaskId> =
                left.iter().filter(|(whose, _)| *whose == owner).map(|(_, id)| *id).collect();
            expected.sort_by_key(|id| id.key);
            assert_eq!(executor.tasks.borrow().of(owner), expected);
            executor.cancel_all(owner);
            assert_eq!(executor.tasks.borrow().of(owner), []);
        }
        assert_eq!(executor.len(), 0);
    }
}
