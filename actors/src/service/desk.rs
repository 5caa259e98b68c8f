//! What the parts of one service share: its connection, its inbox, its records.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::task::{Poll, Waker};

use slab::Slab;

use crate::interfaces::directory::Member;
use crate::interfaces::events::Listeners;
use crate::interfaces::raw::RawDesk;
use crate::interfaces::rpc::Acquaintances;
use crate::network::Network;
use crate::network::endings::Load;
use crate::network::waits::WaitKey;
use crate::panics::Caught;
use crate::random::Stream;
use crate::router::KnownDirectory;
use crate::service::inbox::Inbox;
use crate::trace::ServiceId;

/// What is kept about the steps of a service.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) steps: u64,
    pub(crate) failed_steps: BTreeMap<String, u64>,
    pub(crate) handled: u64,
    pub(crate) values: VecDeque<serde_json::Value>,
}

/// So many different reasons are told apart; further ones are counted together.
const REASONS: usize = 100;

/// In this order: what every step touches is in the first two cache lines.
#[repr(C)]
pub(crate) struct Desk {
    pub(crate) network: Rc<Network>,
    pub(crate) id: ServiceId,
    /// A step is under way.
    stepping: Cell<bool>,
    /// No step and no request begins any more.
    leaving: Cell<bool>,
    /// The host that it belonged to has ended.
    abandoned: Cell<bool>,
    /// How many futures of it wait for whatever message comes, for as long as it takes.
    serving: Cell<u32>,
    /// How many requests and events its handlers have yet to deal with.
    pub(crate) handling: Cell<u32>,
    pub(crate) inbox: Inbox,
    /// Those of this life and of those before.
    pub(crate) records: RefCell<Records>,
    keep_values: u32,
    /// How many handlers of events, and visitors from outside, are at work.
    at_work: Cell<u32>,
    random: RefCell<Option<Box<Stream>>>,
    /// Made when it is first used, as idle services are many.
    in_hand: OnceCell<Box<RefCell<Slab<InHand>>>>,
    /// Whoever waits for the service to have nothing in its hands.
    idle: RefCell<Option<Waker>>,
    /// Of a service that speaks raw messages.
    raw: OnceCell<Box<RawDesk>>,
    /// Of a service that calls whoever provides an interface.
    acquaintances: OnceCell<Box<Acquaintances>>,
}

/// A request that was taken and has yet to be answered.
#[derive(Clone, Copy)]
pub(crate) struct InHand {
    pub(crate) call: WaitKey,
    pub(crate) from: ServiceId,
}

/// Where a request stands among those in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(usize);

impl Desk {
    pub(crate) fn new(network: Rc<Network>, id: ServiceId, keep_values: usize) -> Self {
        Desk {
            network,
            id,
            inbox: Inbox::default(),
            records: RefCell::default(),
            keep_values: keep_values.min(u32::MAX as usize) as u32,
            random: RefCell::default(),
            in_hand: OnceCell::new(),
            handling: Cell::new(0),
            stepping: Cell::new(false),
            at_work: Cell::new(0),
            serving: Cell::new(0),
            leaving: Cell::new(false),
            idle: RefCell::default(),
            raw: OnceCell::new(),
            acquaintances: OnceCell::new(),
            abandoned: Cell::new(false),
        }
    }

    pub(crate) fn raw(&self) -> &RawDesk {
        self.raw.get_or_init(Box::default)
    }

    pub(crate) fn acquaintances(&self) -> &Acquaintances {
        self.acquaintances.get_or_init(Box::default)
    }

    pub(crate) fn raw_if_used(&self) -> Option<&RawDesk> {
        self.raw.get().map(|raw| &**raw)
    }

    /// Every directory that the service could ask, the best first.
    pub(crate) fn known_directories(&self) -> Vec<KnownDirectory> {
        let book = self.network.book.borrow();
        book.directories(book.main_of(self.id).machine)
    }

    /// The host ends: whatever is still there acts for nobody.
    pub(crate) fn abandon(&self) {
        self.inbox.close();
        self.abandoned.set(true);
        Listeners::close(&self.network, self.id);
    }

    /// Whether the service has ended, or is coming down.
    #[inline]
    pub(crate) fn is_gone(&self) -> bool {
        self.abandoned.get() || !self.network.is_present(self.id)
    }

    /// A request was taken: if the service ends before it is [released](Self::release), the asker is
    /// told that it was interrupted.
    #[inline]
    pub(crate) fn take_in_hand(&self, call: WaitKey, from: ServiceId) -> Ticket {
        Ticket(self.in_hand.get_or_init(Box::default).borrow_mut().insert(InHand { call, from }))
    }

    /// A request is answered.
    #[inline]
    pub(crate) fn release(&self, ticket: Ticket) {
        let released = self.in_hand.get().and_then(|in_hand| in_hand.borrow_mut().try_remove(ticket.0));
        if released.is_some() {
            self.look_whether_idle();
        }
    }

    /// What was taken and will never be answered.
    pub(crate) fn drop_from_hands(&self) -> Vec<InHand> {
        let in_hand = self.in_hand.get().map(|in_hand| in_hand.take()).unwrap_or_default();
        let mut dropped: Vec<InHand> = in_hand.into_iter().map(|(_, request)| request).collect();
        if let Some(raw) = self.raw_if_used() {
            let raw = raw.in_hand.borrow_mut().let_go();
            dropped.extend(raw.into_iter().map(|held| InHand { call: held.wait, from: held.asker }));
        }
        dropped
    }

    #[inline]
    pub(crate) fn set_stepping(&self, stepping: bool) {
        self.stepping.set(stepping);
        self.look_whether_idle();
    }

    /// A future begins to wait for whatever message comes, or has stopped to.
    #[inline]
    pub(crate) fn set_serving(&self, more: bool) {
        let serving = self.serving.get();
        self.serving.set(if more { serving + 1 } else { serving.saturating_sub(1) });
        self.look_whether_idle();
    }

    /// A handler of an event, or a visitor, begins its work, or has done with it.
    pub(crate) fn set_at_work(&self, more: bool) {
        let at_work = self.at_work.get();
        self.at_work.set(if more { at_work + 1 } else { at_work.saturating_sub(1) });
        self.look_whether_idle();
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.get()
    }

    /// Nothing is in hand, and no step is under way that does not wait to be given something to do.
    fn is_idle(&self) -> bool {
        let handling = self.raw_if_used().map_or(0, |raw| raw.handling.get());
        handling == 0
            && self.at_work.get() == 0
            && self.in_hand.get().is_none_or(|in_hand| in_hand.borrow().is_empty())
            && (!self.stepping.get() || self.serving.get() > 0)
    }

    /// What it has yet to deal with.
    pub(crate) fn load(&self) -> Load {
        let raw = self.raw_if_used().map_or(0, |raw| raw.handling.get());
        Load { inbox: self.inbox.len(), in_hand: self.handling.get() as usize + raw }
    }

    /// Something was finished: if the service is leaving, whoever waits for that looks again.
    #[inline]
    pub(crate) fn look_whether_idle(&self) {
        if self.leaving.get() {
            self.look_again();
        }
    }

    #[cold]
    fn look_again(&self) {
        if self.is_idle()
            && let Some(waker) = self.idle.borrow_mut().take()
        {
            waker.wake();
        }
    }

    /// Begins nothing more, and is over when everything that had begun is.
    pub(crate) async fn leave(self: &Rc<Self>) {
        Member::leave(self);
        self.leaving.set(true);
        self.inbox.close();
        std::future::poll_fn(|cx| {
            if self.is_idle() {
                return Poll::Ready(());
            }
            *self.idle.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    pub(crate) fn random<R>(&self, draw: impl FnOnce(&mut Stream) -> R) -> R {
        let mut random = self.random.borrow_mut();
        draw(random.get_or_insert_with(|| Box::new(self.network.stream_of(self.id))))
    }

    pub(crate) fn step_done(&self, value: Option<serde_json::Value>) {
        let mut records = self.records.borrow_mut();
        records.steps += 1;
        if let Some(value) = value.filter(|_| self.keep_values > 0) {
            if records.values.len() >= self.keep_values as usize {
                records.values.pop_front();
            }
            records.values.push_back(value);
        }
    }

    /// A handler panicked, and its caller has been told: the service fails, as soon as nothing of it is
    /// at work. If something else ends it before, the panic is written down all the same.
    #[cold]
    pub(crate) fn handler_panicked(&self, caught: Caught) {
        let (network, id) = (self.network.clone(), self.id);
        let cause = network.note_panic(id, caught);
        self.network.spawn(id, Box::pin(async move { network.end(id, cause) }));
    }

    pub(crate) fn step_failed(&self, reason: &str) {
        let mut records = self.records.borrow_mut();
        let known = records.failed_steps.contains_key(reason);
        let key = if known || records.failed_steps.len() < REASONS { reason } else { "other reasons" };
        *records.failed_steps.entry(key.to_owned()).or_default() += 1;
        self.network.ledger.borrow_mut().step_failed(self.network.now(), self.id, reason);
    }
}
