//! A slab of messages in flight.
//!
//! A message is written where it stays until it arrives, and read there: to put it together elsewhere and then
//! move it would cost twice. Whoever takes it has a reference to its place, and not to the slab, so that more
//! may set out meanwhile.

use std::cell::{Cell, RefCell};

use elsa::FrozenVec;

use crate::network::header::{ANY_INCARNATION, Fate, Header, Message, NO_SLOT, Way};
use crate::network::ports::Delivery;
use crate::network::waits::WaitKey;
use crate::network::{NOBODY, Network};
use crate::outcome::Interface;
use crate::prefetch::prefetch_from;
use crate::units::{Bytes, SimTime};

/// A place for a message. What a message among many costs is the cache lines it touches: all but the body stands in
/// the first, and none begins in the middle of one.
#[repr(C, align(64))]
struct Flight<B> {
    slot: u32,
    /// The next one that is free, if this one is; or `TAKEN`.
    next: Cell<u32>,
    header: Cell<Header>,
    body: Cell<Option<B>>,
}

const _: () = assert!(size_of::<Flight<()>>() == 64);

const TAKEN: u32 = NO_SLOT - 1;

/// What stands in a place in which no message has been.
const NOTHING: Header = Header {
    from: NOBODY,
    to: NOBODY,
    sent_at: 0,
    arrives: 0,
    bytes: 0,
    wait: WaitKey::NONE,
    interface: Interface::Control,
    fate: Fate::Gone,
    duplicate: false,
    unordered: false,
    incarnation: ANY_INCARNATION,
};

impl<B> Flight<B> {
    fn free(slot: u32, next: u32) -> Self {
        Flight { body: Cell::default(), header: Cell::new(NOTHING), slot, next: Cell::new(next) }
    }

    #[inline]
    fn is_taken(&self) -> bool {
        self.next.get() == TAKEN
    }

    /// Lets somebody look at the body, if there is one.
    fn look<R>(&self, look: impl FnOnce(&B) -> R) -> Option<R> {
        let lent = Lent { home: &self.body, body: self.body.take() };
        lent.body.as_ref().map(look)
    }
}

/// So many places are made at once.
const CHUNK: u32 = 32;

/// Messages by slot. The slot that has become free last is the next to be taken.
pub(super) struct Flights<B> {
    /// The places never move, and none ever goes.
    chunks: FrozenVec<Box<[Flight<B>]>>,
    free: Cell<u32>,
    ways: Ways,
    /// What the bodies are; asked for where somebody wants to know.
    body_type: Cell<fn() -> &'static str>,
}

impl<B> Flights<B> {
    pub(super) fn new(body_type: fn() -> &'static str) -> Self {
        Flights {
            chunks: FrozenVec::new(),
            free: Cell::new(NO_SLOT),
            ways: Ways::default(),
            body_type: Cell::new(body_type),
        }
    }

    /// What the bodies are from now on.
    pub(super) fn set_body_type(&self, body_type: fn() -> &'static str) {
        self.body_type.set(body_type);
    }

    /// Whatever there is in a slot.
    #[inline(always)]
    fn place(&self, slot: u32) -> Option<&Flight<B>> {
        self.chunks.get((slot / CHUNK) as usize)?.get((slot % CHUNK) as usize)
    }

    /// The message in a slot.
    #[inline(always)]
    fn flight(&self, slot: u32) -> Option<&Flight<B>> {
        self.place(slot).filter(|flight| flight.is_taken())
    }

    /// Takes a message in; returns its slot.
    #[inline(always)]
    pub(super) fn insert(&self, header: Header, body: B) -> u32 {
        let flight = loop {
            match self.place(self.free.get()) {
                Some(flight) => break flight,
                None => self.extend(),
            }
        };
        self.free.set(flight.next.get());
        flight.next.set(TAKEN);
        flight.header.set(header);
        flight.body.set(Some(body));
        flight.slot
    }

    /// Makes more places.
    #[cold]
    fn extend(&self) {
        let first = self.chunks.len() as u32 * CHUNK;
        let last = first + CHUNK - 1;
        let places = (first..last).map(|slot| Flight::free(slot, slot + 1));
        self.chunks.push(places.chain([Flight::free(last, self.free.get())]).collect());
        self.free.set(first);
    }

    /// Lets somebody look at the message in a slot, and change it.
    pub(super) fn with(&self, slot: u32, look: &mut dyn FnMut(&mut Message)) {
        if let Some(flight) = self.flight(slot) {
            self.show(flight, look);
        }
    }

    fn show(&self, flight: &Flight<B>, look: &mut dyn FnMut(&mut Message)) {
        let mut message = Message { header: flight.header.get(), way: self.ways.take(flight.slot) };
        look(&mut message);
        flight.header.set(message.header);
        self.ways.put(flight.slot, message.way);
    }

    /// The message in a slot, for whoever may take it.
    #[inline(always)]
    pub(super) fn arrival(&self, slot: u32) -> Option<Arrival<'_, B>> {
        self.flight(slot).map(|flight| Arrival { flight, flights: self })
    }

    /// Every message, in the order of slots.
    pub(super) fn each(&self, look: &mut dyn FnMut(u32, &mut Message)) {
        let chunks = (0..).map_while(|chunk| self.chunks.get(chunk));
        for flight in chunks.flatten().filter(|flight| flight.is_taken()) {
            self.show(flight, &mut |message| look(flight.slot, message));
        }
    }

    /// Lets the processor fetch a message that is soon to be looked at.
    #[inline]
    pub(super) fn fetch(&self, slot: u32) {
        if let Some(flight) = self.place(slot) {
            prefetch_from(&flight.slot, size_of::<Flight<B>>());
        }
    }
}

impl<B: Clone> Flights<B> {
    /// Adds a second copy of a message; returns its slot.
    pub(super) fn duplicate(&self, slot: u32) -> Option<u32> {
        let original = self.flight(slot)?;
        let body = original.look(B::clone)?;
        let copy = self.insert(Header { duplicate: true, ..original.header.get() }, body);
        if let Some(mut way) = self.ways.take(slot) {
            self.ways.put(copy, Some(Box::new(Way { twin: slot, ..Way::clone(&way) })));
            way.twin = copy;
            self.ways.put(slot, Some(way));
        }
        Some(copy)
    }
}

/// The ways of messages that must know them, by slot: not at hand, as most need none.
#[derive(Default)]
struct Ways(RefCell<Vec<Option<Box<Way>>>>);

impl Ways {
    fn take(&self, slot: u32) -> Option<Box<Way>> {
        self.0.borrow_mut().get_mut(slot as usize)?.take()
    }

    fn put(&self, slot: u32, way: Option<Box<Way>>) {
        let mut ways = self.0.borrow_mut();
        if way.is_some() && ways.len() <= slot as usize {
            ways.resize_with(slot as usize + 1, || None);
        }
        if let Some(place) = ways.get_mut(slot as usize) {
            *place = way;
        }
    }
}

/// A message that has arrived, before anybody has taken it. Once somebody may have, it is not to be touched: in its
/// place there may be another one.
pub(crate) struct Arrival<'a, B> {
    flight: &'a Flight<B>,
    flights: &'a Flights<B>,
}

impl<B> Clone for Arrival<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for Arrival<'_, B> {}

impl<B> Arrival<'_, B> {
    #[inline(always)]
    pub(crate) fn header(self) -> Header {
        self.flight.header.get()
    }

    /// Lets somebody look at the body, who does not take it. `None` if it has been taken.
    pub(crate) fn look<R>(self, look: impl FnOnce(&B) -> R) -> Option<R> {
        self.flight.look(look)
    }

    /// The message is taken, and its body with it: books the delivery, and tells whoever awaits it. `None` if
    /// it has been taken before.
    #[inline(always)]
    pub(crate) fn accept(self, network: &Network) -> Option<Delivery<B>> {
        if !self.flight.is_taken() {
            return None;
        }
        network.book_delivery(&self.flight.header, self.flights.body_type.get());
        let Header { from, sent_at, bytes, duplicate, .. } = self.header();
        let (sent_at, bytes) = (SimTime::from_nanos(sent_at), Bytes(bytes));
        Some(Delivery { from, sent_at, bytes, duplicate, body: self.take()? })
    }

    /// The body; its place is free from now on. `None` if it has been taken before.
    #[inline(always)]
    pub(crate) fn take(self) -> Option<B> {
        let Arrival { flight, flights } = self;
        if !flight.is_taken() {
            return None;
        }
        if flight.header.get().fate != Fate::Arrives {
            flights.ways.take(flight.slot);
        }
        flight.next.set(flights.free.get());
        flights.free.set(flight.slot);
        flight.body.take()
    }

    /// The way that the message took, if somebody had to know.
    pub(super) fn take_way(self) -> Option<Box<Way>> {
        self.flights.ways.take(self.flight.slot)
    }

    pub(super) fn put_way(self, way: Option<Box<Way>>) {
        self.flights.ways.put(self.flight.slot, way);
    }
}

/// A body that somebody looks at. It goes back to its place whatever happens.
struct Lent<'a, B> {
    home: &'a Cell<Option<B>>,
    body: Option<B>,
}

impl<B> Drop for Lent<'_, B> {
    fn drop(&mut self) {
        self.home.set(self.body.take());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::panics::catch;

    fn header(bytes: u64) -> Header {
        Header { bytes, fate: Fate::Arrives, ..NOTHING }
    }

    fn all<B>(flights: &Flights<B>) -> Vec<(u32, u64)> {
        let mut all = Vec::new();
        flights.each(&mut |slot, message| all.push((slot, message.header.bytes)));
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn what_goes_in_under_a_slot_comes_out_under_it_once_and_free_slots_are_used_again(
            steps in prop::collection::vec((any::<bool>(), 0..80u32), 0..300)
        ) {
            let flights = Flights::new(|| "text");
            let mut model = BTreeMap::new();
            let mut free = Vec::new();
            for (number, (inserts, slot)) in (0u64..).zip(steps) {
                if inserts {
                    let slot = flights.insert(header(number), number.to_string());
                    // The one that became free last; if there is none, the next one there is.
                    let expected = free.pop().unwrap_or(model.len() as u32);
                    prop_assert_eq!(slot, expected);
                    prop_assert_eq!(model.insert(slot, number), None, "slot {} was taken", slot);
                } else {
                    let arrival = flights.arrival(slot);
                    let there = arrival.and_then(|arrival| arrival.look(String::clone).map(|body| (arrival.header().bytes, body)));
                    prop_assert_eq!(&there, &model.get(&slot).map(|number| (*number, number.to_string())));
                    let out = arrival.and_then(Arrival::take);
                    prop_assert_eq!(&out, &there.map(|(_, body)| body));
                    prop_assert_eq!(arrival.and_then(Arrival::take), None, "taken twice");
                    model.remove(&slot);
                    free.extend(out.map(|_| slot));
                }
                flights.fetch(slot);
                prop_assert_eq!(all(&flights), model.iter().map(|(slot, number)| (*slot, *number)).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn more_may_set_out_while_somebody_looks_at_a_message() {
        let flights = Flights::new(|| "number");
        let slot = flights.insert(header(0), 0);
        let arrival = flights.arrival(slot);
        let others = arrival.and_then(|arrival| {
            arrival
                .look(|body| (1..100).map(|number| flights.insert(header(number), body + number)).collect::<Vec<_>>())
        });
        assert_eq!(others, Some((1..100).collect()));
        assert_eq!(flights.arrival(99).and_then(Arrival::take), Some(99));
        assert_eq!(arrival.and_then(Arrival::take), Some(0), "the first is where it was");
    }

    #[test]
    fn a_body_that_cannot_be_copied_stays_what_it_was() {
        struct Fragile(RefCell<u32>);
        impl Clone for Fragile {
            fn clone(&self) -> Self {
                panic!("{} cannot be copied", self.0.borrow())
            }
        }
        let flights = Flights::new(|| "fragile");
        let slot = flights.insert(header(7), Fragile(RefCell::new(7)));
        assert!(catch(|| flights.duplicate(slot)).is_err());
        assert_eq!(all(&flights), [(slot, 7)]);
        assert_eq!(flights.arrival(slot).and_then(Arrival::take).map(|Fragile(number)| number.into_inner()), Some(7));
    }

    #[test]
    fn a_copy_and_its_original_know_of_each_other() {
        let flights = Flights::new(|| "text");
        let slot = flights.insert(header(1), "one");
        flights.with(slot, &mut |message| message.set_way(Way { legs: Box::default(), leg: 3, twin: NO_SLOT, due: 9 }));
        let copy = flights.duplicate(slot);
        let mut seen = Vec::new();
        flights.each(&mut |slot, message| {
            seen.push((slot, message.header.duplicate, message.header.fate, message.twin()))
        });
        assert_eq!(copy, Some(1));
        assert_eq!(seen, [(0, false, Fate::Moves, Some(1)), (1, true, Fate::Moves, Some(0))]);
    }
}
