//! A slab of messages in flight.

use prefetch_index::prefetch_index;

use crate::network::ports::{Header, NO_SLOT};

/// A place for a message, free if there is no body in it. Header and body are written and read where they
/// are: a message that is put together elsewhere and then moved costs twice.
struct Place<B> {
    header: Header,
    /// The next one that is free, if this one is.
    next: u32,
    body: Option<B>,
}

/// What stays in a slot from which nothing was taken.
pub(super) enum Stays {
    /// There is nothing in it.
    Nothing,
    Message,
}

/// Messages by slot. The slot that has become free last is the next to be taken.
pub(super) struct Flights<B> {
    places: Vec<Place<B>>,
    free: u32,
}

impl<B> Flights<B> {
    pub(super) const fn new() -> Self {
        Flights { places: Vec::new(), free: NO_SLOT }
    }

    /// Takes a message in; returns its slot.
    #[inline(always)]
    pub(super) fn insert(&mut self, header: Header, body: B) -> u32 {
        let slot = self.free;
        let Some(place) = self.places.get_mut(slot as usize) else { return self.extend(header, body) };
        self.free = place.next;
        // What has been taken out has left a header without a way: there is nothing to drop.
        std::mem::forget(std::mem::replace(&mut place.header, header));
        place.body = Some(body);
        slot
    }

    #[inline(never)]
    fn extend(&mut self, header: Header, body: B) -> u32 {
        self.places.push(Place { header, next: NO_SLOT, body: Some(body) });
        (self.places.len() - 1) as u32
    }

    /// The header of a message, and its body.
    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<(&mut Header, &B)> {
        let place = self.places.get_mut(slot as usize)?;
        Some((&mut place.header, place.body.as_ref()?))
    }

    /// Takes a message out: its header, and its body to where it is wanted.
    #[inline]
    pub(super) fn remove(&mut self, slot: u32, body: &mut Option<B>) -> Option<Header> {
        self.remove_if(slot, body, |_| true).ok()
    }

    /// The same, unless its header says that it is to stay.
    #[inline]
    pub(super) fn remove_if(
        &mut self,
        slot: u32,
        body: &mut Option<B>,
        may: impl FnOnce(&Header) -> bool,
    ) -> Result<Header, Stays> {
        let place = self.places.get_mut(slot as usize).filter(|place| place.body.is_some()).ok_or(Stays::Nothing)?;
        if !may(&place.header) {
            return Err(Stays::Message);
        }
        *body = place.body.take();
        place.next = self.free;
        self.free = slot;
        Ok(place.header.take())
    }

    /// Every message, in the order of slots.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Header)> {
        let taken = self.places.iter_mut().zip(0..).filter(|(place, _)| place.body.is_some());
        taken.map(|(place, slot)| (slot, &mut place.header))
    }

    /// Lets the processor fetch a message that is soon to be looked at.
    #[inline]
    pub(super) fn fetch(&self, slot: u32) {
        prefetch_index(&self.places, slot as usize);
        // Where it ends.
        prefetch_index(&self.places, slot as usize + 1);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::network::ports::{ANY_INCARNATION, Fate, WHEN_DUE};
    use crate::network::waits::WaitKey;
    use crate::outcome::Interface;
    use crate::trace::ServiceId;

    fn header(bytes: u64) -> Header {
        Header {
            from: ServiceId(0),
            to: ServiceId(1),
            sent_at: 0,
            arrives: WHEN_DUE,
            bytes,
            wait: WaitKey::NONE,
            way: None,
            interface: Interface::Mpi,
            fate: Fate::Moves,
            duplicate: false,
            unordered: false,
            incarnation: ANY_INCARNATION,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn what_goes_in_under_a_slot_comes_out_under_it_once_and_free_slots_are_used_again(
            steps in prop::collection::vec((any::<bool>(), 0..20u32), 0..200)
        ) {
            let mut flights = Flights::new();
            let mut model = BTreeMap::new();
            let mut most = 0;
            for (number, (inserts, slot)) in (0u64..).zip(steps) {
                if inserts {
                    let slot = flights.insert(header(number), number.to_string());
                    prop_assert_eq!(model.insert(slot, number), None, "slot {} was taken", slot);
                    most = most.max(model.len());
                    prop_assert!((slot as usize) < most);
                } else {
                    let mut body = None;
                    prop_assert!(flights.remove_if(slot, &mut body, |_| false).is_err() && body.is_none());
                    let out = flights.remove(slot, &mut body).map(|header| header.bytes).zip(body);
                    prop_assert_eq!(out, model.remove(&slot).map(|number| (number, number.to_string())));
                }
                flights.fetch(slot);
                for slot in 0..25 {
                    let there = flights.get_mut(slot).map(|(header, body)| (header.bytes, body.clone()));
                    prop_assert_eq!(there, model.get(&slot).map(|number| (*number, number.to_string())));
                }
                let all: Vec<(u32, u64)> = flights.iter_mut().map(|(slot, header)| (slot, header.bytes)).collect();
                prop_assert_eq!(all, model.iter().map(|(slot, number)| (*slot, *number)).collect::<Vec<_>>());
            }
        }
    }
}
