//! Pricing in batches: among hundreds of nodes, what a price costs is the way to memory.
//!
//! A message that will arrive, but not within the network's lookahead (the latency of its fastest link: R. M.
//! Fujimoto, "Parallel discrete event simulation", CACM 33(10), 1990), need not be in the calendar at once.
//! Its price is fetched meanwhile, side by side with those of others, and not one after the other. Nobody
//! can tell: messages enter the calendar in the order in which they were sent, before anything else does and
//! before the clock comes to where they might be due.

use std::cell::Cell;

use crate::network::ports::NO_SLOT;
use crate::network::{Event, NOBODY, Network, World};
use crate::routes::Quote;
use crate::rules::LinkModel;
use crate::topology::Topology;
use crate::trace::ServiceId;
use crate::units::Bytes;

/// A network of fewer nodes has its prices at hand.
const LARGE: usize = 256;

/// So many are priced at once, the oldest of twice as many: by then, their prices have come.
const BATCH: usize = 8;
const ROOM: usize = 2 * BATCH;

const NEVER: u64 = u64::MAX;

/// A message that has boarded, and has yet to enter the calendar.
#[derive(Clone, Copy)]
pub(super) struct Unpriced {
    pub(super) quote: Quote,
    pub(super) from: ServiceId,
    pub(super) unordered: bool,
    pub(super) sent_at: u64,
    pub(super) bytes: Bytes,
    pub(super) event: Event,
}

/// What stands in an outbox where no message is.
const NOTHING: Unpriced = Unpriced {
    quote: Quote::NONE,
    from: NOBODY,
    unordered: false,
    sent_at: 0,
    bytes: Bytes(0),
    event: Event { slot: NO_SLOT, port: 0, to: NOBODY },
};

/// The messages that are yet to be priced, in the order in which they were sent.
pub(super) struct Outbox {
    /// How long every message takes from node to node at least.
    lookahead: u64,
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
    pub(super) fn new(lookahead: u64) -> Self {
        let (first, len) = Default::default();
        Outbox { lookahead, unpriced: [const { Cell::new(NOTHING) }; ROOM], first, len, open_until: Cell::new(NEVER) }
    }

    /// Adds a message; true if it is time to price some.
    #[inline]
    fn put(&self, message: Unpriced) -> bool {
        let len = self.len.get();
        self.unpriced[(self.first.get() + len) % ROOM].set(message);
        self.len.set(len + 1);
        if len == 0 {
            self.note_first();
        }
        len + 1 == ROOM
    }

    /// Takes the first message out.
    #[inline]
    fn take(&self) -> Option<Unpriced> {
        let len = self.len.get().checked_sub(1)?;
        let first = self.first.get();
        self.len.set(len);
        self.first.set((first + 1) % ROOM);
        Some(self.unpriced[first % ROOM].get())
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
        if self.outbox.put(message) {
            self.price(BATCH);
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
        let mut seats = self.seats.borrow_mut();
        let mut calendar = self.calendar.borrow_mut();
        for _ in 0..count {
            let Some(message) = self.outbox.take() else { break };
            let Unpriced { quote, from, unordered, sent_at, bytes, event } = message;
            let price = routes.price_of(quote);
            let cost = price.of(|| routes.transmission(topology, quote.from, quote.to, bytes));
            let arrives = sent_at.saturating_add(cost.as_nanos());
            // Where all of one sender's messages to one receiver cost the same, none overtakes another.
            let mut due = arrives;
            if price.sized && !unordered {
                due = seats.hold(from, event.to, sent_at, arrives);
                if due > arrives {
                    self.held_back(event, arrives);
                }
            }
            calendar.push_here(due, event);
        }
        self.outbox.note_first();
    }

    /// A message is due later than it arrives.
    #[cold]
    fn held_back(&self, event: Event, arrives: u64) {
        if let Some(port) = self.ports.at(event.port) {
            port.with_header(event.slot, &mut |header| header.arrives = arrives);
        }
    }
}
