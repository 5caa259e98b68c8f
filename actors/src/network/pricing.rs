//! Pricing in batches: among hundreds of nodes, what a price costs is the way to memory.
//!
//! A message that will arrive, but not within the network's lookahead (the latency of its fastest link: R. M.
//! Fujimoto, "Parallel discrete event simulation", CACM 33(10), 1990), need not be in the calendar at once.
//! Prices are looked up in batches, and while one is, those of the next are fetched, side by side and not one after
//! the other. Nobody can tell: messages enter the calendar in the order in which they were sent, before anything else does and
//! before the clock comes to where they might be due.

use std::cell::Cell;

use crate::network::header::{Header, NO_SLOT};
use crate::network::{Event, NOBODY, Network, World};
use crate::routes::{Price, Quote, Quotes};
use crate::rules::LinkModel;
use crate::topology::{NodeId, Topology};
use crate::units::{Bytes, SimDuration};

/// A network of fewer nodes has its prices at hand.
const LARGE: usize = 256;

/// So many are priced at once, the oldest of twice as many: mostly, their prices have come by then.
const BATCH: usize = 8;
const ROOM: usize = 2 * BATCH;

const NEVER: u64 = u64::MAX;

/// A message that has boarded, and has yet to enter the calendar.
#[derive(Clone, Copy)]
pub(super) struct Unpriced {
    pub(super) quote: Quote,
    pub(super) sent_at: u64,
    pub(super) event: Event,
}

/// What stands in an outbox where no message is.
const NOTHING: Unpriced =
    Unpriced { quote: Quote::NONE, sent_at: 0, event: Event { slot: NO_SLOT, port: 0, to: NOBODY } };

/// The messages that are yet to be priced, in the order in which they were sent.
pub(super) struct Outbox {
    /// How long every message takes from node to node at least; zero if they are priced one by one.
    lookahead: u64,
    quotes: Quotes,
    /// A ring, of which so many are in use from the first on.
    unpriced: [Cell<Unpriced>; ROOM],
    first: Cell<usize>,
    len: Cell<usize>,
    /// Before that, none of them is due.
    open_until: Cell<u64>,
}

/// How long every message takes from node to node at least, where it pays to know that; zero elsewhere.
pub(super) fn lookahead(topology: &Topology, model: LinkModel, changes: bool) -> u64 {
    if topology.node_count() < LARGE || model != LinkModel::RouteCost || changes {
        return 0;
    }
    topology.links().map(|(_, _, _, link)| link.latency.as_nanos()).min().unwrap_or(0)
}

impl Outbox {
    pub(super) fn new(lookahead: u64, quotes: Quotes) -> Self {
        let (first, len) = Default::default();
        let unpriced = [const { Cell::new(NOTHING) }; ROOM];
        Outbox { lookahead, quotes, unpriced, first, len, open_until: Cell::new(NEVER) }
    }

    /// Where the price of a message is that goes from one node to another, if it may be looked up later.
    #[inline(always)]
    pub(super) fn quote(&self, from: NodeId, to: NodeId) -> Option<Quote> {
        if self.lookahead > 0 { self.quotes.get(from, to) } else { None }
    }

    /// Adds a message; returns how many there are now.
    #[inline]
    fn put(&self, message: Unpriced) -> usize {
        let len = self.len.get();
        self.unpriced[(self.first.get() + len) % ROOM].set(message);
        self.len.set(len + 1);
        if len == 0 {
            self.note_first();
        }
        len + 1
    }

    /// Before that, none of them is due.
    pub(super) fn open_until(&self) -> u64 {
        self.open_until.get()
    }

    /// The messages behind the first ones, in order.
    #[inline]
    fn behind(&self, skipped: usize) -> impl Iterator<Item = Unpriced> {
        let first = self.first.get();
        (first + skipped..first + self.len.get()).map(|at| self.unpriced[at % ROOM].get())
    }

    /// Takes the first ones out.
    #[inline]
    fn drop_first(&self, count: usize) {
        self.first.set((self.first.get() + count) % ROOM);
        self.len.set(self.len.get() - count);
        self.note_first();
    }

    #[inline]
    fn note_first(&self) {
        let first = self.unpriced[self.first.get() % ROOM].get().sent_at;
        let open_until = first.saturating_add(self.lookahead).min(NEVER - 1);
        self.open_until.set(if self.len.get() == 0 { NEVER } else { open_until });
    }

    /// Whether something may be due at that time that is not in the calendar.
    #[inline]
    pub(super) fn reaches(&self, time: Option<u64>) -> bool {
        time.unwrap_or(NEVER - 1) >= self.open_until.get()
    }
}

impl Network {
    /// Prices a message some time before it may be due.
    #[inline]
    pub(super) fn price_later(&self, message: Unpriced) {
        match self.outbox.put(message) {
            1 => self.expect(self.outbox.open_until()),
            ROOM => self.price(BATCH),
            _ => {}
        }
    }

    /// Lets everything enter the calendar that was sent.
    #[inline]
    pub(super) fn price_all(&self) {
        if self.outbox.reaches(None) {
            self.price(usize::MAX);
        }
    }

    /// Lets so many messages enter the calendar, those first that were sent first.
    #[inline(never)]
    fn price(&self, count: usize) {
        let World { topology, routes, .. } = &mut *self.world.borrow_mut();
        let mut calendar = self.calendar.borrow_mut();
        let count = self.outbox.len.get().min(count);
        calendar.push_all(self.outbox.behind(0).take(count).map(|Unpriced { quote, sent_at, event }| {
            let Price { fixed, sized, .. } = routes.price_of(quote);
            let due = match sized {
                false => sent_at.saturating_add(fixed.as_nanos()),
                true => self.due_by_size(sent_at, event, |from, to, bytes| {
                    fixed + routes.transmission(topology, from, to, bytes)
                }),
            };
            (due, event)
        }));
        // These come next.
        self.outbox.behind(count).for_each(|Unpriced { quote, .. }| routes.fetch(quote));
        self.outbox.drop_first(count);
    }

    /// When a message is due that costs what it costs by its size. (Where all of one sender's messages to one
    /// receiver cost the same, none overtakes another.)
    #[inline(never)]
    fn due_by_size(&self, sent_at: u64, event: Event, cost: impl FnOnce(NodeId, NodeId, Bytes) -> SimDuration) -> u64 {
        let Some(port) = self.ports.at(event.port) else { return sent_at };
        let Some(Header { from, to, bytes, unordered, .. }) = port.header(event.slot) else { return sent_at };
        let cost = cost(self.positions.node_of(from), self.positions.node_of(to), Bytes(bytes));
        let arrives = sent_at.saturating_add(cost.as_nanos());
        if unordered {
            return arrives;
        }
        let due = self.seats.borrow_mut().hold(from, to, sent_at, arrives);
        if due > arrives {
            port.with(event.slot, &mut |message| message.header.arrives = arrives);
        }
        due
    }
}
