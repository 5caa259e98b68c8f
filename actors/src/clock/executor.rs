//! Runs the futures of services, one at a time, in the order in which they were woken.
//!
//! The network's pump polls it between deliveries: time does not move while a task is runnable,
//! which is how quiescence is known exactly. Wakers may be woken from other threads; what the run
//! itself wakes is always in the same order.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
}

/// The runnable tasks.
struct Ready {
    queue: Mutex<VecDeque<TaskId>>,
    /// The length of `queue`, to be asked without locking it.
    len: AtomicUsize,
}

struct Flag {
    task: TaskId,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Ready {
    fn push(&self, task: TaskId) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(task);
        self.len.fetch_add(1, Ordering::Release);
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.ready.push(self.task);
        }
    }
}

/// The tasks of a run.
pub(crate) struct Executor {
    tasks: RefCell<Slab<Task>>,
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
        Executor {
            tasks: RefCell::new(Slab::new()),
            ready: Arc::new(Ready { queue: Mutex::new(VecDeque::new()), len: AtomicUsize::new(0) }),
            generation: Cell::new(0),
        }
    }

    /// Adds a task and makes it runnable.
    pub(crate) fn spawn(&self, owner: Owner, future: TaskFuture) -> TaskId {
        let mut tasks = self.tasks.borrow_mut();
        let entry = tasks.vacant_entry();
        let generation = self.generation.get().wrapping_add(1);
        self.generation.set(generation);
        let id = TaskId { key: entry.key() as u32, generation };
        let flag = Arc::new(Flag { task: id, queued: AtomicBool::new(true), ready: self.ready.clone() });
        entry.insert(Task { body: Some((future, Waker::from(flag.clone()))), owner, generation, flag });
        drop(tasks);
        self.ready.push(id);
        id
    }

    /// Ends a task; nothing happens if it is over already. A task may cancel itself.
    pub(crate) fn cancel(&self, id: TaskId) {
        let task = {
            let mut tasks = self.tasks.borrow_mut();
            match tasks.get(id.key as usize) {
                Some(task) if task.generation == id.generation => Some(tasks.remove(id.key as usize)),
                _ => None,
            }
        };
        // Dropped outside the borrow: what a future owns may itself cancel or wake.
        drop(task);
    }

    /// Ends every task of one owner.
    pub(crate) fn cancel_all(&self, owner: Owner) {
        let ids: Vec<TaskId> = self
            .tasks
            .borrow()
            .iter()
            .filter(|(_, task)| task.owner == owner)
            .map(|(key, task)| TaskId { key: key as u32, generation: task.generation })
            .collect();
        for id in ids {
            self.cancel(id);
        }
    }

    /// True if nothing is runnable.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.ready.len.load(Ordering::Acquire) == 0
    }

    /// Ends every task.
    pub(crate) fn clear(&self) {
        let tasks = std::mem::take(&mut *self.tasks.borrow_mut());
        // What a future owns may panic when it is dropped; nobody is left to tell.
        let _ = catch(|| drop(tasks));
    }

    /// Polls the task that has been runnable longest. `begin` is told whose it is.
    pub(crate) fn poll_one(&self, begin: impl FnOnce(Owner)) -> Polled {
        if self.is_idle() {
            return Polled::Idle;
        }
        let next = self.ready.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(id) = next else { return Polled::Idle };
        self.ready.len.fetch_sub(1, Ordering::Release);
        let taken = {
            let mut tasks = self.tasks.borrow_mut();
            match tasks.get_mut(id.key as usize) {
                Some(task) if task.generation == id.generation => {
                    task.flag.queued.store(false, Ordering::Release);
                    task.body.take().map(|body| (body, task.owner))
                }
                _ => None,
            }
        };
        let Some(((mut future, waker), owner)) = taken else {
            return Polled::Ran;
        };
        begin(owner);
        match catch(|| future.as_mut().poll(&mut Context::from_waker(&waker))) {
            Ok(Poll::Pending) => {
                let mut tasks = self.tasks.borrow_mut();
                match tasks.get_mut(id.key as usize) {
                    Some(task) if task.generation == id.generation => task.body = Some((future, waker)),
                    _ => {
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
        self.tasks.borrow().len()
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
        let wakers: Vec<Waker> = executor.tasks.borrow().iter().map(|(_, t)| Waker::from(t.flag.clone())).collect();
        wakers[1].wake_by_ref();
        wakers[0].wake_by_ref();
        wakers[1].wake_by_ref();
        run(&executor);
        assert_eq!(*story.borrow(), ["a1", "b1", "b2", "a2"]);
        assert_eq!(executor.len(), 0);
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
        let waker = Waker::from(executor.tasks.borrow()[id.key as usize].flag.clone());
        executor.cancel_all(1);
        assert_eq!(Rc::strong_count(&alive), 1);
        waker.wake();
        run(&executor);
        assert!(executor.is_idle());
    }
}
