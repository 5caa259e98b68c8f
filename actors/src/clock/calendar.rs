//! The queue of what is due: ordered by time, first in first out within an instant.
//!
//! A calendar queue (R. Brown, "Calendar queues: a fast O(1) priority queue implementation for the
//! simulation event set problem", CACM 31(10), 1988): a ring of buckets, each a short sorted list,
//! covers the near future; what lies beyond waits in a binary heap and moves over as time comes
//! closer. The width of a bucket follows the traffic, so that neither a bucket nor the heap grows
//! long; where many events are on their way there are more buckets, so that most have one or none. All
//! decisions depend on what was pushed and popped alone, never on the wall clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How many buckets there are at first, and how many at most: powers of two.
const FEW: usize = 4096;
const MOST: usize = 4 * FEW;
/// With so many events, there may be more than a few buckets.
const CROWD: usize = FEW / 8;
const NONE: u32 = u32::MAX;
/// How many pushes pass between two looks at the bucket width.
const REVIEW: u32 = 4096;

/// What is due in a bucket: its first event, which mostly is its only one, stands in the bucket itself, so that
/// whoever takes it goes from bucket to bucket through memory. Means nothing while the bucket is empty.
#[derive(Clone, Copy)]
struct Bucket<T> {
    time: u64,
    event: T,
    /// The first and the last entry of those behind it, or `NONE`.
    head: u32,
    tail: u32,
}

/// What stands behind the first of a bucket.
#[derive(Clone, Copy)]
struct Entry<T> {
    time: u64,
    event: T,
    next: u32,
}

/// What waits beyond the ring. `sequence` keeps the heap first in first out within an instant.
struct Far<T> {
    time: u64,
    sequence: u64,
    event: T,
}

impl<T> PartialEq for Far<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.time, self.sequence) == (other.time, other.sequence)
    }
}
impl<T> Eq for Far<T> {}
impl<T> PartialOrd for Far<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Far<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.time, self.sequence).cmp(&(other.time, other.sequence))
    }
}

/// A queue of events, each due at a time. Nothing may be pushed before the time last popped.
pub(crate) struct Calendar<T> {
    buckets: Box<[Bucket<T>]>,
    /// One bit for every bucket that holds something.
    occupied: [u64; MOST / 64],
    /// One bit for every word of `occupied` that is not zero.
    words: [u64; MOST / 64 / 64],
    entries: Vec<Entry<T>>,
    free: u32,
    /// A bucket is `1 << shift` nanoseconds wide.
    shift: u32,
    /// The number of the bucket of the present (time >> shift, not yet folded into the ring).
    present: u64,
    far: BinaryHeap<Reverse<Far<T>>>,
    far_sequence: u64,
    len: usize,
    /// When the first event is due, if there is any.
    next: u64,
    /// Its bucket, if it is in the ring.
    first: Option<u16>,
    pushes: u32,
    steps: u32,
    far_pushes: u32,
    /// Pushes to buckets in which something else was due at another time.
    crowded: u32,
}

impl<T: Copy + Default> Calendar<T> {
    pub(crate) fn new() -> Self {
        Calendar {
            buckets: Calendar::empty(FEW),
            occupied: [0; MOST / 64],
            words: [0; MOST / 64 / 64],
            entries: Vec::new(),
            free: NONE,
            shift: 14,
            present: 0,
            far: BinaryHeap::new(),
            far_sequence: 0,
            len: 0,
            next: 0,
            first: None,
            pushes: 0,
            steps: 0,
            far_pushes: 0,
            crowded: 0,
        }
    }

    fn empty(buckets: usize) -> Box<[Bucket<T>]> {
        vec![Bucket { time: 0, event: T::default(), head: NONE, tail: NONE }; buckets].into()
    }

    /// The bucket of a number of one.
    #[inline]
    fn index(&self, number: u64) -> usize {
        number as usize & (self.buckets.len() - 1)
    }

    /// Everything that is due at some time.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds an event behind all others of the same time.
    pub(crate) fn push(&mut self, time: u64, event: T) {
        self.push_all(std::iter::once((time, event)));
    }

    /// Adds events, one after the other.
    #[inline(always)]
    pub(crate) fn push_all(&mut self, events: impl Iterator<Item = (u64, T)>) {
        let mut count = 0;
        for (time, event) in events {
            let bucket = self.insert(time, event);
            if time < self.next || self.len + count == 0 {
                (self.next, self.first) = (time, bucket);
            }
            count += 1;
        }
        self.len += count;
        self.pushes += count as u32;
        if self.pushes >= REVIEW {
            self.review();
        }
    }

    /// The time of the first event.
    #[inline]
    pub(crate) fn next_time(&self) -> Option<u64> {
        (self.len > 0).then_some(self.next)
    }

    /// The first event, if it is at hand.
    #[inline]
    pub(crate) fn peek(&self) -> Option<T> {
        self.first.map(|bucket| self.buckets[self.index(bucket.into())].event)
    }

    /// Takes the first event if it is due at `now` (or should have been before).
    #[inline]
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<T> {
        if self.len == 0 || self.next > now {
            return None;
        }
        self.advance(self.next);
        let index = self.index(self.present);
        let bucket = &mut self.buckets[index];
        let event = bucket.event;
        self.len -= 1;
        if let Some(entry) = self.entries.get_mut(bucket.head as usize) {
            let Entry { time, event, next } = *entry;
            entry.next = self.free;
            self.free = bucket.head;
            let tail = if next == NONE { NONE } else { bucket.tail };
            *bucket = Bucket { time, event, head: next, tail };
            (self.next, self.first) = (time, Some(index as u16));
        } else {
            let word = index / 64;
            self.occupied[word] &= !(1 << (index % 64));
            if self.occupied[word] == 0 {
                self.words[word / 64] &= !(1 << (word % 64));
            }
            self.find_first();
        }
        Some(event)
    }

    /// Finds the first event.
    #[inline]
    fn find_first(&mut self) {
        let first = self.first_bucket();
        self.first = first.map(|bucket| bucket as u16);
        self.next = match first {
            Some(bucket) => self.buckets[bucket].time,
            None => self.far.peek().map_or(0, |Reverse(far)| far.time),
        };
    }

    /// Returns the bucket; `None` if the event waits beyond the ring.
    #[inline(always)]
    fn insert(&mut self, time: u64, event: T) -> Option<u16> {
        let number = (time >> self.shift).max(self.present);
        if number - self.present >= self.buckets.len() as u64 {
            self.far_sequence += 1;
            self.far_pushes += 1;
            self.far.push(Reverse(Far { time, sequence: self.far_sequence, event }));
            return None;
        }
        let index = self.index(number);
        let (word, bit) = (index / 64, 1 << (index % 64));
        if self.occupied[word] & bit == 0 {
            self.buckets[index] = Bucket { time, event, head: NONE, tail: NONE };
            self.occupied[word] |= bit;
            self.words[word / 64] |= 1 << (word % 64);
            return Some(index as u16);
        }
        let Bucket { time: first, tail, .. } = self.buckets[index];
        self.crowded += u32::from(time != first);
        if time < self.entries.get(tail as usize).map_or(first, |last| last.time) {
            self.insert_before(index, time, event);
            return Some(index as u16);
        }
        let entry = self.allocate(Entry { time, event, next: NONE });
        match self.entries.get_mut(tail as usize) {
            Some(last) => last.next = entry,
            None => self.buckets[index].head = entry,
        }
        self.buckets[index].tail = entry;
        Some(index as u16)
    }

    /// Adds to a bucket something that comes before the last of what is in it.
    #[inline(never)]
    fn insert_before(&mut self, index: usize, time: u64, event: T) {
        let Bucket { time: first, event: first_event, head, tail } = self.buckets[index];
        if time >= first {
            return self.insert_between(index, time, event);
        }
        let entry = self.allocate(Entry { time: first, event: first_event, next: head });
        let tail = if tail == NONE { entry } else { tail };
        self.buckets[index] = Bucket { time, event, head: entry, tail };
    }

    /// Walks from the head to behind the last entry that is not later.
    fn insert_between(&mut self, index: usize, time: u64, event: T) {
        let mut previous = NONE;
        let mut at = self.buckets[index].head;
        while self.entries[at as usize].time <= time {
            previous = at;
            at = self.entries[at as usize].next;
            self.steps = self.steps.saturating_add(1);
        }
        let entry = self.allocate(Entry { time, event, next: at });
        match previous {
            NONE => self.buckets[index].head = entry,
            _ => self.entries[previous as usize].next = entry,
        }
    }

    #[inline]
    fn allocate(&mut self, entry: Entry<T>) -> u32 {
        let slot = self.free;
        match self.entries.get_mut(slot as usize) {
            Some(place) => {
                self.free = place.next;
                *place = entry;
                slot
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        }
    }

    /// The first bucket that holds something, from the present on, around the ring.
    #[inline]
    fn first_bucket(&self) -> Option<usize> {
        let start = self.index(self.present);
        let (word, bit) = (start / 64, start % 64);
        let here = self.occupied[word] & (u64::MAX << bit);
        let word = match here {
            // The bits of the present's own word that lie before it come last.
            0 => self.first_word(word + 1).or_else(|| self.first_word(0))?,
            _ => word,
        };
        let bits = if here == 0 { self.occupied[word] } else { here };
        Some(word * 64 + bits.trailing_zeros() as usize)
    }

    /// The first word of `occupied` that is not zero, from one on.
    #[inline]
    fn first_word(&self, from: usize) -> Option<usize> {
        let mut mask = u64::MAX << (from % 64);
        for (at, words) in self.words.iter().enumerate().skip(from / 64) {
            if words & mask != 0 {
                return Some(at * 64 + (words & mask).trailing_zeros() as usize);
            }
            mask = u64::MAX;
        }
        None
    }

    /// Moves the present on and fetches what comes within reach of the ring, before anything else
    /// can be pushed there: that keeps the order within an instant.
    #[inline]
    fn advance(&mut self, now: u64) {
        self.present = self.present.max(now >> self.shift);
        if !self.far.is_empty() {
            self.fetch_near();
        }
    }

    fn fetch_near(&mut self) {
        while let Some(Reverse(far)) = self.far.peek() {
            if (far.time >> self.shift).saturating_sub(self.present) >= self.buckets.len() as u64 {
                break;
            }
            if let Some(Reverse(far)) = self.far.pop() {
                self.insert(far.time, far.event);
            }
        }
    }

    /// Narrows the buckets when lists have grown long, widens them when much goes to the heap, and makes more
    /// of them, which are narrower, when many events meet others.
    fn review(&mut self) {
        let (pushes, steps, far, crowded) = (self.pushes, self.steps, self.far_pushes, self.crowded);
        (self.pushes, self.steps, self.far_pushes, self.crowded) = (0, 0, 0, 0);
        let buckets = self.buckets.len();
        if crowded > pushes / 8 && self.len > CROWD && buckets < MOST {
            self.rebuild(self.shift.saturating_sub(2), 4 * buckets);
        } else if steps > 4 * pushes && self.shift > 0 {
            self.rebuild(self.shift.saturating_sub(2), buckets);
        } else if far > pushes / 8 && steps < pushes / 4 && self.shift < 40 {
            self.rebuild(self.shift + 2, buckets);
        }
    }

    fn rebuild(&mut self, shift: u32, buckets: usize) {
        let mut all = Vec::with_capacity(self.len);
        for number in self.present..self.present + self.buckets.len() as u64 {
            let index = self.index(number);
            if self.occupied[index / 64] & (1 << (index % 64)) == 0 {
                continue;
            }
            let Bucket { time, event, head, .. } = self.buckets[index];
            all.push((time, event));
            let mut at = head;
            while let Some(entry) = self.entries.get(at as usize) {
                all.push((entry.time, entry.event));
                at = entry.next;
            }
        }
        while let Some(Reverse(far)) = self.far.pop() {
            all.push((far.time, far.event));
        }
        let present_time = self.present << self.shift;
        self.entries.clear();
        self.free = NONE;
        self.occupied = [0; MOST / 64];
        self.words = [0; MOST / 64 / 64];
        if buckets > self.buckets.len() {
            self.buckets = Calendar::empty(buckets);
        }
        self.shift = shift;
        self.present = present_time >> shift;
        for (time, event) in all {
            self.insert(time, event);
        }
        (self.steps, self.far_pushes, self.crowded) = (0, 0, 0);
        self.find_first();
    }
}

#[cfg(test)]
mod tests;
