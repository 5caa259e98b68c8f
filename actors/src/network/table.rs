//! What some of the seats have.

use crate::trace::ServiceId;

/// Something of many seats, by seat. It takes room from the first seat that has any to the last: what
/// only the routers have, whose seats are behind those of a million services, takes next to none.
pub(crate) struct Table<T> {
    first: usize,
    entries: Vec<Option<T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { first: 0, entries: Vec::new() }
    }
}

impl<T> Table<T> {
    #[inline]
    pub(crate) fn get(&self, seat: ServiceId) -> Option<&T> {
        // What lies before the first wraps to what lies far behind the last.
        self.entries.get(seat.index().wrapping_sub(self.first))?.as_ref()
    }

    pub(crate) fn take(&mut self, seat: ServiceId) -> Option<T> {
        self.entries.get_mut(seat.index().wrapping_sub(self.first))?.take()
    }

    /// Puts something into its place; returns what was there.
    pub(crate) fn put(&mut self, seat: ServiceId, value: T) -> Option<T> {
        let seat = seat.index();
        if self.entries.is_empty() {
            self.first = seat;
        }
        if seat < self.first {
            // At least twice as large, should the next ones come from behind, too.
            let first = seat.min(self.first.saturating_sub(self.entries.len()));
            self.entries.splice(..0, (first..self.first).map(|_| None));
            self.first = first;
        }
        let at = seat - self.first;
        if self.entries.len() <= at {
            self.entries.resize_with(at + 1, || None);
        }
        self.entries[at].replace(value)
    }

    /// Everything there is, in the order of seats.
    pub(crate) fn all(self) -> impl DoubleEndedIterator<Item = (ServiceId, T)> {
        let first = self.first as u32;
        let seats = (first..first + self.entries.len() as u32).map(ServiceId);
        seats.zip(self.entries).filter_map(|(seat, entry)| Some((seat, entry?)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_table_is_a_map_whatever_the_order_in_which_it_is_filled(
            steps in prop::collection::vec((0..200u32, any::<bool>()), 0..100)
        ) {
            let mut table = Table::default();
            let mut map = BTreeMap::new();
            for (value, (seat, puts)) in steps.into_iter().enumerate() {
                let seat = ServiceId(seat);
                if puts {
                    prop_assert_eq!(table.put(seat, value), map.insert(seat, value));
                } else {
                    prop_assert_eq!(table.take(seat), map.remove(&seat));
                }
                for seat in (0..210).map(ServiceId) {
                    prop_assert_eq!(table.get(seat), map.get(&seat));
                }
            }
            prop_assert!(table.all().eq(map));
        }
    }

    #[test]
    fn what_only_the_last_seats_have_takes_no_room_for_the_others() {
        let mut table = Table::default();
        for seat in 1_000_000..1_000_010 {
            assert_eq!(table.put(ServiceId(seat), "router"), None);
        }
        assert_eq!(table.entries.len(), 10);
    }
}
