//! What the parts of one service share: its connection, its inbox, its records.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::network::Network;
use crate::network::seats::Presence;
use crate::panics::Caught;
use crate::random::Stream;
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

pub(crate) struct Desk {
    pub(crate) network: Rc<Network>,
    pub(crate) id: ServiceId,
    pub(crate) inbox: Inbox,
    pub(crate) records: RefCell<Records>,
    keep_values: usize,
    random: RefCell<Option<Box<Stream>>>,
    /// The host that it belonged to has ended.
    abandoned: Cell<bool>,
}

impl Desk {
    pub(crate) fn new(network: Rc<Network>, id: ServiceId, keep_values: usize) -> Self {
        Desk {
            network,
            id,
            inbox: Inbox::default(),
            records: RefCell::default(),
            keep_values,
            random: RefCell::default(),
            abandoned: Cell::new(false),
        }
    }

    /// The host ends: whatever is still there acts for nobody.
    pub(crate) fn abandon(&self) {
        self.inbox.close();
        self.abandoned.set(true);
    }

    /// Whether the service has ended, or is coming down.
    #[inline]
    pub(crate) fn is_gone(&self) -> bool {
        self.abandoned.get() || self.network.seats.borrow().presence(self.id) != Presence::Running
    }

    pub(crate) fn random<R>(&self, draw: impl FnOnce(&mut Stream) -> R) -> R {
        let mut random = self.random.borrow_mut();
        draw(random.get_or_insert_with(|| Box::new(self.network.stream_of(self.id))))
    }

    pub(crate) fn step_done(&self, value: Option<serde_json::Value>) {
        let mut records = self.records.borrow_mut();
        records.steps += 1;
        if let Some(value) = value.filter(|_| self.keep_values > 0) {
            if records.values.len() >= self.keep_values {
                records.values.pop_front();
            }
            records.values.push_back(value);
        }
    }

    /// A handler panicked, and its caller has been told.
    #[cold]
    pub(crate) fn handler_panicked(&self, caught: Caught) {
        self.network.ledger.borrow_mut().panicked(self.network.now(), self.id, caught);
    }

    pub(crate) fn step_failed(&self, reason: &str) {
        let mut records = self.records.borrow_mut();
        let known = records.failed_steps.contains_key(reason);
        let key = if known || records.failed_steps.len() < REASONS { reason } else { "other reasons" };
        *records.failed_steps.entry(key.to_owned()).or_default() += 1;
        self.network.ledger.borrow_mut().step_failed(self.network.now(), self.id, reason);
    }
}
