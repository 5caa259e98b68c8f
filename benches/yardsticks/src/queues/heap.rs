//! The standard library's binary heap, with a sequence number for the order within an instant.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::Queue;

struct Entry<E> {
    at: u64,
    sequence: u64,
    event: E,
}

impl<E> Entry<E> {
    fn key(&self) -> (u64, u64) {
        (self.at, self.sequence)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// Events by (time, order of arrival) in a binary heap.
pub struct Heap<E> {
    entries: BinaryHeap<Reverse<Entry<E>>>,
    sequence: u64,
}

impl<E> Queue<E> for Heap<E> {
    fn spanning(_longest: u64) -> Self {
        Heap { entries: BinaryHeap::new(), sequence: 0 }
    }

    #[inline]
    fn push(&mut self, at: u64, event: E) {
        self.sequence += 1;
        self.entries.push(Reverse(Entry { at, sequence: self.sequence, event }));
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, E)> {
        let Reverse(entry) = self.entries.pop()?;
        Some((entry.at, entry.event))
    }
}
