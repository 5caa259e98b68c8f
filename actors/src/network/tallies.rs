//! How many messages each service has sent and got.

use std::cell::Cell;

use prefetch_index::prefetch_index;

use crate::trace::ServiceId;

/// How many messages each has sent and got: what is written for every message, and nothing else. Seats that were
/// [added](crate::network::seats::Seats::add_silent) since have neither.
pub(crate) struct Tallies(Vec<Tally>);

#[derive(Clone, Default)]
struct Tally {
    sent: Cell<u64>,
    received: Cell<u64>,
}

impl Tallies {
    pub(crate) fn new(seats: usize) -> Self {
        Tallies(vec![Tally::default(); seats])
    }

    #[inline]
    pub(crate) fn count_sent(&self, from: ServiceId) {
        if let Some(Tally { sent, .. }) = self.0.get(from.index()) {
            sent.set(sent.get() + 1);
        }
    }

    #[inline]
    pub(crate) fn count_received(&self, to: ServiceId) {
        if let Some(Tally { received, .. }) = self.0.get(to.index()) {
            received.set(received.get() + 1);
        }
    }

    /// Messages a service sent and got.
    pub(crate) fn of(&self, service: ServiceId) -> (u64, u64) {
        self.0.get(service.index()).map_or((0, 0), |tally| (tally.sent.get(), tally.received.get()))
    }

    /// Lets the processor fetch what is written when a service gets a message.
    #[inline]
    pub(crate) fn fetch(&self, to: ServiceId) {
        prefetch_index(&self.0, to.index());
    }
}
