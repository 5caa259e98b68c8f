//! The queue of what is due: ordered by time, first in first out within an instant.
//!
//! A calendar queue (R. Brown, "Calendar queues: a fast O(1) priority queue implementation for the
//! simulation event set problem", CACM 31(10), 1988): a ring of buckets, each a short sorted list,
//! covers the near future; what lies beyond waits in a binary heap and moves over as time comes
//! closer. The width of a bucket follows the traffic, so that neither a bucket nor the heap grows
//! long. All decisions depend on what was pushed and popped alone, never on the wall clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

const BUCKETS: u64 = 4096;
const WORDS: usize = (BUCKETS / 64) as usize;
const NONE: u32 = u32::MAX;
/// How many pushes pass between two looks at the bucket width.
const REVIEW: u32 = 4096;

#[derive(Clone, Copy)]
struct Entry<T> {
    time: u64,
    event: T,
    next: u32,
}

#[derive(Clone, Copy)]
struct Bucket {
    head: u32,
    tail: u32,
}

const EMPTY: Bucket = Bucket { head: NONE, tail: NONE };

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
    entries: Vec<Entry<T>>,
    free: u32,
    buckets: Box<[Bucket; BUCKETS as usize]>,
    /// One bit for every bucket that holds something.
    occupied: [u64; WORDS],
    /// One bit for every word of `occupied` that is not zero.
    words: u64,
    /// A bucket is `1 << shift` nanoseconds wide.
    shift: u32,
    /// The number of the bucket of the present (time >> shift, not yet folded into the ring).
    present: u64,
    far: BinaryHeap<Reverse<Far<T>>>,
    far_sequence: u64,
    len: usize,
    /// When the first event is due, if there is any.
    next: u64,
    /// Its entry, if it is in the ring.
    first: u32,
    pushes: u32,
    steps: u32,
    far_pushes: u32,
}

impl<T: Copy> Calendar<T> {
    pub(crate) fn new() -> Self {
        Calendar {
            entries: Vec::new(),
            free: NONE,
            buckets: Box::new([EMPTY; BUCKETS as usize]),
            occupied: [0; WORDS],
            words: 0,
            shift: 14,
            present: 0,
            far: BinaryHeap::new(),
            far_sequence: 0,
            len: 0,
            next: 0,
            first: NONE,
            pushes: 0,
            steps: 0,
            far_pushes: 0,
        }
    }

    /// Everything that is due at some time.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds an event behind all others of the same time.
    #[inline]
    pub(crate) fn push(&mut self, time: u64, event: T) {
        self.pushes += 1;
        if self.pushes == REVIEW {
            self.review();
        }
        let entry = self.insert(time, event);
        if self.len == 0 || time < self.next {
            (self.next, self.first) = (time, entry);
        }
        self.len += 1;
    }

    /// The time of the first event.
    #[inline]
    pub(crate) fn next_time(&self) -> Option<u64> {
        (self.len > 0).then_some(self.next)
    }

    /// The first event, if it is at hand.
    #[inline]
    pub(crate) fn peek(&self) -> Option<T> {
        self.entries.get(self.first as usize).map(|entry| entry.event)
    }

    /// Takes the first event if it is due at `now` (or should have been before).
    #[inline]
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<T> {
        if self.len == 0 || self.next > now {
            return None;
        }
        if now >> self.shift > self.present {
            self.advance(now);
        }
        let bucket = (self.present % BUCKETS) as usize;
        let head = self.buckets[bucket].head;
        let entry = self.entries.get_mut(head as usize)?;
        let Entry { event, next, .. } = *entry;
        entry.next = self.free;
        self.free = head;
        self.len -= 1;
        self.unlink_head(bucket, next);
        self.find_first(next);
        Some(event)
    }

    /// Finds the first event after one was taken. What was behind that one in its bucket comes before all
    /// other buckets.
    #[inline]
    fn find_first(&mut self, behind: u32) {
        self.first = match behind {
            NONE => self.first_bucket().map_or(NONE, |bucket| self.buckets[bucket].head),
            _ => behind,
        };
        self.next = match self.entries.get(self.first as usize) {
            Some(first) => first.time,
            None => self.far.peek().map_or(0, |Reverse(far)| far.time),
        };
    }

    /// Returns the entry, or `NONE` if the event waits beyond the ring.
    #[inline(always)]
    fn insert(&mut self, time: u64, event: T) -> u32 {
        let number = (time >> self.shift).max(self.present);
        if number - self.present >= BUCKETS {
            self.far_sequence += 1;
            self.far_pushes += 1;
            self.far.push(Reverse(Far { time, sequence: self.far_sequence, event }));
            return NONE;
        }
        let slot = self.allocate(time, event);
        let index = (number % BUCKETS) as usize;
        let bucket = self.buckets[index];
        if bucket.head == NONE {
            self.buckets[index] = Bucket { head: slot, tail: slot };
            self.occupied[index / 64] |= 1 << (index % 64);
            self.words |= 1 << (index / 64);
        } else if self.entries[bucket.tail as usize].time <= time {
            self.entries[bucket.tail as usize].next = slot;
            self.buckets[index].tail = slot;
        } else {
            self.insert_sorted(index, slot, time);
        }
        slot
    }

    /// Apart from [`push`](Self::push), into which the same is written out.
    #[inline(never)]
    fn move_in(&mut self, time: u64, event: T) {
        self.insert(time, event);
    }

    /// Walks from the head to behind the last entry that is not later.
    #[inline(never)]
    fn insert_sorted(&mut self, index: usize, slot: u32, time: u64) {
        let mut previous = NONE;
        let mut at = self.buckets[index].head;
        while self.entries[at as usize].time <= time {
            previous = at;
            at = self.entries[at as usize].next;
            self.steps = self.steps.saturating_add(1);
        }
        self.entries[slot as usize].next = at;
        match previous {
            NONE => self.buckets[index].head = slot,
            _ => self.entries[previous as usize].next = slot,
        }
    }

    #[inline]
    fn allocate(&mut self, time: u64, event: T) -> u32 {
        let entry = Entry { time, event, next: NONE };
        if self.free == NONE {
            self.entries.push(entry);
            (self.entries.len() - 1) as u32
        } else {
            let slot = self.free;
            self.free = self.entries[slot as usize].next;
            self.entries[slot as usize] = entry;
            slot
        }
    }

    #[inline]
    fn unlink_head(&mut self, bucket: usize, next: u32) {
        self.buckets[bucket].head = next;
        if next == NONE {
            self.buckets[bucket].tail = NONE;
            let word = bucket / 64;
            self.occupied[word] &= !(1 << (bucket % 64));
            if self.occupied[word] == 0 {
                self.words &= !(1 << word);
            }
        }
    }

    /// The first bucket that holds something, from the present on, around the ring.
    #[inline]
    fn first_bucket(&self) -> Option<usize> {
        if self.words == 0 {
            return None;
        }
        let start = (self.present % BUCKETS) as usize;
        let (word, bit) = (start / 64, start % 64);
        let here = self.occupied[word] & (u64::MAX << bit);
        if here != 0 {
            return Some(word * 64 + here.trailing_zeros() as usize);
        }
        // From the next word on, around to the bits of the first word that lie before the start.
        let turned = self.words.rotate_right((word as u32 + 1) % 64);
        let word = (word + 1 + turned.trailing_zeros() as usize) % WORDS;
        Some(word * 64 + self.occupied[word].trailing_zeros() as usize)
    }

    /// Moves the present on and fetches what comes within reach of the ring, before anything else
    /// can be pushed there: that keeps the order within an instant.
    fn advance(&mut self, now: u64) {
        self.present = now >> self.shift;
        while let Some(Reverse(far)) = self.far.peek() {
            if (far.time >> self.shift) - self.present.min(far.time >> self.shift) >= BUCKETS {
                break;
            }
            if let Some(Reverse(far)) = self.far.pop() {
                self.move_in(far.time, far.event);
            }
        }
    }

    /// Narrows the buckets when lists have grown long, widens them when much goes to the heap.
    fn review(&mut self) {
        let (pushes, steps, far) = (self.pushes, self.steps, self.far_pushes);
        (self.pushes, self.steps, self.far_pushes) = (0, 0, 0);
        if steps > 4 * pushes && self.shift > 0 {
            self.rebuild(self.shift.saturating_sub(2));
        } else if far > pushes / 8 && steps < pushes / 4 && self.shift < 40 {
            self.rebuild(self.shift + 2);
        }
    }

    fn rebuild(&mut self, shift: u32) {
        let mut all = Vec::with_capacity(self.len);
        let start = (self.present % BUCKETS) as usize;
        for offset in 0..BUCKETS as usize {
            let mut at = self.buckets[(start + offset) % BUCKETS as usize].head;
            while at != NONE {
                let entry = self.entries[at as usize];
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
        self.buckets.fill(EMPTY);
        self.occupied = [0; WORDS];
        self.words = 0;
        self.shift = shift;
        self.present = present_time >> shift;
        for (time, event) in all {
            self.move_in(time, event);
        }
        self.far_pushes = 0;
        self.steps = 0;
        self.find_first(NONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The plainest queue there is: a list that is searched.
    #[derive(Default)]
    struct Plain(Vec<(u64, u32)>);

    impl Plain {
        fn next_time(&self) -> Option<u64> {
            self.0.iter().map(|e| e.0).min()
        }
        fn first(&self) -> Option<usize> {
            self.0.iter().position(|e| Some(e.0) == self.next_time())
        }
        fn peek(&self) -> Option<u32> {
            Some(self.0[self.first()?].1)
        }
        fn pop_due(&mut self, now: u64) -> Option<u32> {
            self.next_time().filter(|t| *t <= now)?;
            Some(self.0.remove(self.first()?).1)
        }
    }

    fn spread() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), 0..50u64, 0..1_000_000u64, 0..5_000_000_000u64, 0..u64::MAX / 4]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn pops_in_order_of_time_and_first_in_first_out_within_an_instant(
            rounds in prop::collection::vec((prop::collection::vec(spread(), 0..40), 0..30usize), 1..40)
        ) {
            let mut calendar = Calendar::new();
            let mut plain = Plain::default();
            let mut now = 0u64;
            let mut id = 0u32;
            for (delays, pops) in rounds {
                for delay in delays {
                    let time = now.saturating_add(delay);
                    calendar.push(time, id);
                    plain.0.push((time, id));
                    id += 1;
                }
                for _ in 0..pops {
                    prop_assert_eq!(calendar.next_time(), plain.next_time());
                    prop_assert!(calendar.peek().is_none_or(|first| plain.peek() == Some(first)));
                    let Some(time) = plain.next_time() else { break };
                    now = now.max(time);
                    prop_assert_eq!(calendar.pop_due(now), plain.pop_due(now));
                }
                prop_assert_eq!(calendar.len(), plain.0.len());
            }
        }

        #[test]
        fn keeps_its_order_through_changes_of_width(
            delays in prop::collection::vec(prop_oneof![0..100u64, 0..100_000u64, 0..100_000_000_000u64], 50),
        ) {
            // Enough pushes for several reviews, each event pushed again when it is popped.
            let mut calendar = Calendar::new();
            for (id, delay) in delays.iter().enumerate() {
                calendar.push(*delay, id as u32);
            }
            let (mut now, mut last) = (0, 0);
            for turn in 0..20_000usize {
                let time = calendar.next_time();
                prop_assert!(time.is_some());
                now = now.max(time.unwrap_or_default());
                prop_assert!(now >= last);
                last = now;
                let first = calendar.peek();
                let event = calendar.pop_due(now);
                prop_assert!(event.is_some());
                prop_assert!(first.is_none() || first == event);
                calendar.push(now + delays[turn % delays.len()], event.unwrap_or_default());
            }
            prop_assert_eq!(calendar.len(), delays.len());
        }
    }

    #[test]
    fn nothing_comes_before_its_time() {
        let mut calendar = Calendar::new();
        calendar.push(10, 'a');
        assert_eq!(calendar.pop_due(9), None);
        assert_eq!(calendar.next_time(), Some(10));
        assert_eq!(calendar.pop_due(10), Some('a'));
        assert_eq!(calendar.next_time(), None);
    }
}
