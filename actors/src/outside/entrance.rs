//! From other threads into the run, and back.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::service::ServiceIo;
use crate::service::desk::Desk;

/// So many visitors may be inside, or waiting at the door, at once.
pub const VISITORS_LIMIT: usize = 65_536;

/// What a visitor does inside, which only the run's own thread may poll.
type Stay = Pin<Box<dyn Future<Output = ()>>>;

/// A visitor at the door.
struct Visitor {
    act: Box<dyn FnOnce(ServiceIo) -> Stay + Send>,
    /// Whether a gateway that is to end waits for them.
    is_waited_for: bool,
}

/// The way into a run. All clones are the same; it may be used in any thread.
#[derive(Clone, Default)]
pub struct Entrance {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Told whenever the door is opened.
    opened: Condvar,
    visitors: AtomicUsize,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Visitor>,
    /// Which life of the gateway opened the door; 0 while it is shut.
    open: u64,
    lives: u64,
    gateway: Option<Waker>,
}

/// Why somebody who was sent in did not come back with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntranceError {
    /// There is no gateway, or none any more: it did not happen.
    #[error("the gateway is not there")]
    Closed,
    /// Too many are inside already: it did not happen.
    #[error("the gateway has its hands full")]
    Full,
    /// The gateway ended meanwhile: it may have happened.
    #[error("the gateway is gone, and had it in its hands")]
    Interrupted,
}

impl EntranceError {
    /// True if it is certain that it did not happen.
    pub const fn is_definite(self) -> bool {
        !matches!(self, EntranceError::Interrupted)
    }
}

impl Entrance {
    /// An entrance that leads nowhere until a gateway of it [is in a run](super::Gateway::at).
    pub fn new() -> Self {
        Entrance::default()
    }

    /// Whether there is somebody to let visitors in.
    pub fn is_open(&self) -> bool {
        self.shared.lock().open != 0
    }

    /// Waits until there is somebody to let visitors in, and no longer than that. Blocks the thread, which
    /// must not be that of the run. False if nobody has come.
    pub fn wait_until_open(&self, patience: Duration) -> bool {
        let queue = self.shared.lock();
        let waited = self.shared.opened.wait_timeout_while(queue, patience, |queue| queue.open == 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.open != 0
    }

    /// How many visitors are inside or at the door.
    pub fn visitors(&self) -> usize {
        self.shared.visitors.load(Ordering::Relaxed)
    }

    /// Sends somebody in, who acts as the gateway. What it does begins whether the visit is awaited or
    /// not, and goes on if it is dropped. A gateway that is to end in an orderly way waits for it, for as
    /// long as its supervisor lets it.
    pub fn enter<R, F, Acting>(&self, act: F) -> Visit<R>
    where
        R: Send + 'static,
        F: FnOnce(ServiceIo) -> Acting + Send + 'static,
        Acting: Future<Output = R> + 'static,
    {
        self.send_in(act, true)
    }

    /// The same for somebody who stays for as long as it takes, to listen: a gateway that is to end does not
    /// wait for them.
    pub fn linger<R, F, Acting>(&self, act: F) -> Visit<R>
    where
        R: Send + 'static,
        F: FnOnce(ServiceIo) -> Acting + Send + 'static,
        Acting: Future<Output = R> + 'static,
    {
        self.send_in(act, false)
    }

    fn send_in<R, F, Acting>(&self, act: F, is_waited_for: bool) -> Visit<R>
    where
        R: Send + 'static,
        F: FnOnce(ServiceIo) -> Acting + Send + 'static,
        Acting: Future<Output = R> + 'static,
    {
        let (answer, coming) = oneshot::channel();
        let ticket = Ticket { answer: Some(answer), entered: false, shared: self.shared.clone() };
        if self.shared.visitors.fetch_add(1, Ordering::Relaxed) >= VISITORS_LIMIT {
            ticket.come_back(Err(EntranceError::Full));
            return Visit(coming);
        }
        let act: Box<dyn FnOnce(ServiceIo) -> Stay + Send> = Box::new(move |io| {
            let mut ticket = ticket;
            ticket.entered = true;
            let acting = act(io);
            Box::pin(async move {
                let answer = acting.await;
                ticket.come_back(Ok(answer));
            })
        });
        let visitor = Visitor { act, is_waited_for };
        let mut queue = self.shared.lock();
        if queue.open == 0 {
            drop(queue);
            drop(visitor);
            return Visit(coming);
        }
        queue.waiting.push_back(visitor);
        let gateway = queue.gateway.take();
        drop(queue);
        // Once the gateway knows, it takes in everybody.
        if let Some(gateway) = gateway {
            gateway.wake();
        }
        Visit(coming)
    }

    /// Opens the door for one life of the gateway, which it is told the number of.
    pub(super) fn open(&self) -> u64 {
        let mut queue = self.shared.lock();
        queue.lives += 1;
        queue.open = queue.lives;
        self.shared.opened.notify_all();
        queue.lives
    }

    /// Shuts the door, unless a later life of the gateway has opened it anew.
    pub(super) fn shut(&self, life: u64) {
        let mut queue = self.shared.lock();
        if queue.open != life || life == 0 {
            return;
        }
        queue.open = 0;
        queue.gateway = None;
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        drop(waiting);
    }

    /// Takes in everybody who is at the door. Pending for ever.
    pub(super) fn poll_take_in(&self, cx: &mut Context<'_>, mut take_in: impl FnMut(Entering)) -> Poll<()> {
        loop {
            let mut queue = self.shared.lock();
            if queue.waiting.is_empty() {
                queue.gateway = Some(cx.waker().clone());
                return Poll::Pending;
            }
            let waiting = std::mem::take(&mut queue.waiting);
            drop(queue);
            waiting.into_iter().for_each(|visitor| take_in(Entering(visitor)));
        }
    }
}

impl fmt::Debug for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entrance").field("open", &self.is_open()).field("visitors", &self.visitors()).finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A visitor who comes in.
pub(super) struct Entering(Visitor);

impl Entering {
    pub(super) async fn stay(self, io: ServiceIo) {
        let _at_work = self.0.is_waited_for.then(|| AtWork::begin(&io));
        (self.0.act)(io).await;
    }
}

/// A visitor who is waited for.
struct AtWork(Rc<Desk>);

impl AtWork {
    fn begin(io: &ServiceIo) -> Self {
        io.desk.set_at_work(true);
        AtWork(io.desk.clone())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.set_at_work(false);
    }
}

/// What a visitor comes back with. Dropped, it says why there is nothing.
struct Ticket<R> {
    answer: Option<oneshot::Sender<Result<R, EntranceError>>>,
    entered: bool,
    shared: Arc<Shared>,
}

impl<R> Ticket<R> {
    fn come_back(mut self, with: Result<R, EntranceError>) {
        self.answer(with);
    }

    fn answer(&mut self, with: Result<R, EntranceError>) {
        if let Some(answer) = self.answer.take() {
            self.shared.visitors.fetch_sub(1, Ordering::Relaxed);
            // Whoever does not wait any more does not need it.
            let _ = answer.send(with);
        }
    }
}

impl<R> Drop for Ticket<R> {
    fn drop(&mut self) {
        self.answer(Err(if self.entered { EntranceError::Interrupted } else { EntranceError::Closed }));
    }
}

/// Somebody who was sent in. Awaited, in any thread, it is what they come back with.
#[derive(Debug)]
#[must_use = "what they come back with is lost unless it is awaited"]
pub struct Visit<R>(oneshot::Receiver<Result<R, EntranceError>>);

impl<R> Future for Visit<R> {
    type Output = Result<R, EntranceError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // A ticket always answers.
        Pin::new(&mut self.0).poll(cx).map(|answer| answer.unwrap_or(Err(EntranceError::Interrupted)))
    }
}
