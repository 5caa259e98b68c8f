//! Connections that a service opens while it runs.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::handling::HandlingResult;
use super::in_hand::{Held, InHand};
use super::msg::{Draft, Msg, MsgId};
use super::request::RawRequest;
use super::sending::set_out;
use crate::interfaces::CallError;
use crate::interfaces::directory::Member;
use crate::network::pending::Deadline;
use crate::network::waits::WaitKey;
use crate::outcome::Undelivered;
use crate::router::{Address, KnownDirectory, NotDelivered, Why};
use crate::service::ServiceIo;
use crate::service::desk::Desk;
use crate::units::SimDuration;

/// What is being done about a message.
pub(super) type Handler = Rc<dyn Fn(ServiceIo, Msg) -> Pin<Box<dyn Future<Output = HandlingResult>>>>;

/// Who takes what comes to a connection.
#[derive(Clone)]
pub(super) enum Taker {
    /// It waits until somebody receives it.
    Queue,
    /// A handler.
    Handler(Handler),
}

/// A connection, as the door of its service sees it.
pub(super) struct Opened {
    pub(super) taker: Taker,
    pub(super) ignores_replies: Cell<bool>,
    queue: RefCell<VecDeque<Msg>>,
    /// Futures that found nothing.
    waiting: RefCell<Vec<Waker>>,
}

/// How many messages may wait at one connection. What comes beyond that is refused, and its sender
/// told.
const QUEUE_LIMIT: usize = 65_536;

impl Opened {
    pub(super) fn is_full(&self) -> bool {
        self.queue.borrow().len() >= QUEUE_LIMIT
    }

    pub(super) fn put(&self, msg: Msg) {
        self.queue.borrow_mut().push_back(msg);
        self.waiting.borrow_mut().drain(..).for_each(Waker::wake);
    }
}

/// What a service's desk knows of raw messages.
#[derive(Default)]
pub(crate) struct RawDesk {
    /// The connections beside the main one.
    pub(super) opened: RefCell<BTreeMap<Address, Rc<Opened>>>,
    /// Requests that were taken and not answered.
    pub(crate) in_hand: RefCell<InHand>,
    /// Messages that handlers are at work on.
    pub(crate) handling: Cell<usize>,
    /// What keeps its entries registered, if it has any.
    pub(crate) member: OnceCell<Rc<Member>>,
    /// The directory that answered last.
    pub(crate) answering: Cell<Option<KnownDirectory>>,
}

/// A service takes a message into its hands: until it answers, the asker waits for it.
pub(super) fn take_in_hand(desk: &Desk, msg: &Msg) {
    let (wait, asker) = (msg.stamp.request, msg.stamp.sender);
    if !wait.is_none() {
        let is_awaited = |wait| desk.network.is_open(wait);
        desk.raw().in_hand.borrow_mut().take(msg.id, Held { wait, asker }, is_awaited);
    }
}

/// A connection beside a service's main one. It closes when it is dropped: what lies in it unread is
/// undelivered, what is on its way there is refused when it arrives, and its address is never used
/// again.
pub struct Connection {
    desk: Rc<Desk>,
    address: Address,
    opened: Rc<Opened>,
}

impl Connection {
    pub(super) fn open(desk: &Rc<Desk>, taker: Taker) -> Self {
        let address = desk.network.open_connection(desk.id);
        let opened = Rc::new(Opened {
            taker,
            ignores_replies: Cell::new(false),
            queue: RefCell::default(),
            waiting: RefCell::default(),
        });
        desk.raw().opened.borrow_mut().insert(address, opened.clone());
        Connection { desk: desk.clone(), address, opened }
    }

    /// Replies that nobody awaits (any more) are ignored, instead of being received like every other
    /// message. A [handler](super::Raw::open_with) decides that itself.
    #[must_use]
    pub fn ignoring_unhandled_replies(self) -> Self {
        self.opened.ignores_replies.set(true);
        self
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Sends a message and forgets it. If it turns out that nobody takes it, a
    /// [`MSG_NOT_DELIVERED`](super::MSG_NOT_DELIVERED) that answers it comes back to this connection.
    ///
    /// # Errors
    /// Told at once: there is no such machine, no application link or no route, or the contents
    /// cannot be put into JSON.
    pub fn send(&self, draft: Draft) -> Result<MsgId, Undelivered> {
        set_out(&self.desk, self.address, draft, WaitKey::NONE)
    }

    /// Sends a message whose answer is to be awaited.
    pub fn request(&self, draft: Draft) -> RawRequest {
        RawRequest { desk: self.desk.clone(), from: self.address, draft, timeout: None }
    }

    /// The next message, in order of arrival; none if a [handler](super::Raw::open_with) takes them. It
    /// waits as long as the scenario's timeout, unless [`timeout`](Arriving::timeout) or
    /// [`no_timeout`](Arriving::no_timeout) says otherwise.
    pub fn recv(&self) -> Arriving<'_> {
        Arriving { connection: self, waits: Some(self.desk.network.timeout), deadline: None, serves: false }
    }

    /// Closes it, as dropping it does.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let network = &self.desk.network;
        network.book.borrow_mut().close(self.address);
        self.desk.raw().opened.borrow_mut().remove(&self.address);
        let why = Undelivered::UnknownAddress { address: self.address.to_string() };
        for msg in self.opened.queue.take() {
            let wait = msg.stamp.request;
            if !wait.is_none() {
                let notice = NotDelivered { wait, why: Why::Undelivered(why.clone()) };
                network.notify(self.desk.id, msg.stamp.sender, notice);
            }
        }
    }
}

/// Waits for a message: see [`Connection::recv`].
#[must_use = "nothing is received unless it is awaited"]
pub struct Arriving<'a> {
    connection: &'a Connection,
    waits: Option<SimDuration>,
    deadline: Option<Deadline>,
    /// It waits for whatever comes, for as long as it takes: whoever waits so has nothing to do.
    serves: bool,
}

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        if self.serves {
            self.connection.desk.set_serving(false);
        }
    }
}

impl Arriving<'_> {
    /// Waits so long, counted from the first await.
    pub fn timeout(mut self, timeout: SimDuration) -> Self {
        self.waits = Some(timeout);
        self
    }

    /// Waits as long as it takes.
    pub fn no_timeout(mut self) -> Self {
        self.waits = None;
        self
    }
}

impl Future for Arriving<'_> {
    type Output = Result<Msg, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Connection { desk, opened, address } = this.connection;
        if let Some(msg) = opened.queue.borrow_mut().pop_front() {
            take_in_hand(desk, &msg);
            if std::mem::take(&mut this.serves) {
                desk.set_serving(false);
            }
            return Poll::Ready(Ok(msg));
        }
        if let Some(waits) = this.waits {
            let network = &desk.network;
            let deadline = this.deadline.get_or_insert_with(|| Deadline::new(network.clone(), network.now() + waits));
            if Pin::new(deadline).poll(cx).is_ready() {
                let what = format!("a message to `{address}`");
                return Poll::Ready(Err(CallError::TimedOut { what, waited: waits }));
            }
        }
        let mut waiting = opened.waiting.borrow_mut();
        if !waiting.iter().any(|other| other.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        drop(waiting);
        if this.waits.is_none() && !std::mem::replace(&mut this.serves, true) {
            desk.set_serving(true);
        }
        Poll::Pending
    }
}
