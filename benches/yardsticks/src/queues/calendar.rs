//! A calendar queue (R. Brown, Communications of the ACM 31, 1988): a ring of buckets, each a day of the year that
//! the ring spans.
//!
//! A bucket is a list in order of time, first in first out within an instant, through one slab of nodes. Two levels of
//! bits say which buckets hold anything, so that an empty stretch of the year is skipped at the cost of two
//! trailing-zero counts. Where delays are of few lengths, as they are on links, nearly every event goes to the end of
//! its bucket, and putting one in and taking it out cost the same however many there are.

use super::Queue;

/// 64 words of 64 bits.
const BUCKETS: u64 = 4_096;

/// No node.
const NONE: u32 = u32::MAX;

struct Node<E> {
    at: u64,
    next: u32,
    event: E,
}

/// First and last node of a bucket; both [`NONE`] when it is empty.
#[derive(Clone, Copy)]
struct Bucket {
    first: u32,
    last: u32,
}

const EMPTY: Bucket = Bucket { first: NONE, last: NONE };

/// See the module.
pub struct Calendar<E> {
    /// The time of the last event that came out. All events lie less than a year after it.
    now: u64,
    /// A bucket is `2^shift` nanoseconds wide.
    shift: u32,
    nodes: Vec<Node<E>>,
    /// The first of the nodes that hold nothing.
    free: u32,
    buckets: Box<[Bucket; BUCKETS as usize]>,
    /// A bit for each bucket that holds something.
    filled: [u64; 64],
    /// A bit for each word of `filled` that is not 0.
    words: u64,
}

impl<E> Calendar<E> {
    #[inline]
    fn bucket_of(&self, at: u64) -> usize {
        ((at >> self.shift) % BUCKETS) as usize
    }

    /// The first bucket at or after that of `now` which holds something, around the ring.
    #[inline]
    fn earliest(&self) -> Option<usize> {
        let start = self.bucket_of(self.now);
        let word = start / 64;
        let here = self.filled[word] & (u64::MAX << (start % 64));
        if here != 0 {
            return Some(word * 64 + here.trailing_zeros() as usize);
        }
        if self.words == 0 {
            return None;
        }
        // The words after this one first, this one (for what lies before `start`, a year on) last.
        let ahead = self.words.rotate_right((word as u32 + 1) % 64).trailing_zeros() as usize;
        let word = (word + 1 + ahead) % 64;
        Some(word * 64 + self.filled[word].trailing_zeros() as usize)
    }

    /// Where an event that does not belong at the end of its bucket goes: behind all that are not later.
    #[cold]
    fn insert_before_later(&mut self, bucket: usize, node: u32, at: u64) {
        let mut previous = NONE;
        let mut next = self.buckets[bucket].first;
        while self.nodes[next as usize].at <= at {
            previous = next;
            next = self.nodes[next as usize].next;
        }
        self.nodes[node as usize].next = next;
        match previous {
            NONE => self.buckets[bucket].first = node,
            _ => self.nodes[previous as usize].next = node,
        }
    }
}

impl<E: Copy> Queue<E> for Calendar<E> {
    fn spanning(longest: u64) -> Self {
        // Two buckets fewer than there are: an event may lie at the end of its bucket, and `now` at the start.
        let mut shift = 0;
        while longest >> shift > BUCKETS - 2 {
            shift += 1;
        }
        Calendar {
            now: 0,
            shift,
            nodes: Vec::new(),
            free: NONE,
            buckets: Box::new([EMPTY; BUCKETS as usize]),
            filled: [0; 64],
            words: 0,
        }
    }

    #[inline]
    fn push(&mut self, at: u64, event: E) {
        debug_assert!(at >= self.now && (at >> self.shift) - (self.now >> self.shift) < BUCKETS);
        let filled = Node { at, next: NONE, event };
        let node = self.free;
        let node = if node == NONE {
            self.nodes.push(filled);
            self.nodes.len() as u32 - 1
        } else {
            let place = &mut self.nodes[node as usize];
            self.free = place.next;
            *place = filled;
            node
        };
        let bucket = self.bucket_of(at);
        let Bucket { last, .. } = self.buckets[bucket];
        if last == NONE {
            self.buckets[bucket] = Bucket { first: node, last: node };
            self.filled[bucket / 64] |= 1 << (bucket % 64);
            self.words |= 1 << (bucket / 64);
        } else if self.nodes[last as usize].at <= at {
            self.nodes[last as usize].next = node;
            self.buckets[bucket].last = node;
        } else {
            self.insert_before_later(bucket, node, at);
        }
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, E)> {
        let bucket = self.earliest()?;
        let first = self.buckets[bucket].first;
        let node = &mut self.nodes[first as usize];
        let (at, event, next) = (node.at, node.event, node.next);
        node.next = self.free;
        self.free = first;
        if next == NONE {
            self.buckets[bucket] = EMPTY;
            self.filled[bucket / 64] &= !(1 << (bucket % 64));
            if self.filled[bucket / 64] == 0 {
                self.words &= !(1 << (bucket / 64));
            }
        } else {
            self.buckets[bucket].first = next;
        }
        self.now = at;
        Some((at, event))
    }
}
