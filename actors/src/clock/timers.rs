//! Timers: started for every awaited call, and nearly always cancelled before they fire.
//!
//! Timers of one duration fire in the order in which they were started, so each duration has a
//! plain first-in-first-out list, and starting or cancelling one is a few writes (G. Varghese and
//! T. Lauck, "Hashed and hierarchical timing wheels", SOSP 1987, scheme for equal intervals). Only
//! the list heads are ordered by time, by lower bounds that are brought up to date when they are
//! reached.

use std::collections::{BTreeSet, HashMap};

const NONE: u32 = u32::MAX;

/// A timer that was started; it can be cancelled until it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerId {
    slot: u32,
    generation: u32,
}

struct Slot<A> {
    generation: u32,
    list: u32,
    previous: u32,
    next: u32,
    due: u64,
    sequence: u64,
    /// `None` while the slot is free.
    action: Option<A>,
}

struct List {
    duration: u64,
    head: u32,
    tail: u32,
    /// Its entry in `bounds`: no timer of the list is due before.
    bound: u64,
}

/// Actions, each due at a time, that can be cancelled.
pub(crate) struct Timers<A> {
    slots: Vec<Slot<A>>,
    free_slots: Vec<u32>,
    lists: Vec<List>,
    free_lists: Vec<u32>,
    /// Looked up, never iterated.
    by_duration: HashMap<u64, u32>,
    bounds: BTreeSet<(u64, u32)>,
    /// The duration used last and its list: mostly it is the scenario's timeout.
    last_used: Option<(u64, u32)>,
    /// The least of `bounds`; `u64::MAX` if there are none.
    earliest: u64,
    sequence: u64,
    len: usize,
    /// When there are so many lists, the empty ones are closed.
    tidy_at: usize,
}

/// So many lists may lie empty in any case.
const TIDY: usize = 64;

impl<A> Timers<A> {
    pub(crate) fn new() -> Self {
        Timers {
            slots: Vec::new(),
            free_slots: Vec::new(),
            lists: Vec::new(),
            free_lists: Vec::new(),
            by_duration: HashMap::new(),
            bounds: BTreeSet::new(),
            last_used: None,
            earliest: u64::MAX,
            sequence: 0,
            len: 0,
            tidy_at: TIDY,
        }
    }

    /// How many timers are running.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Starts a timer that fires `duration` after `now`.
    pub(crate) fn start(&mut self, now: u64, duration: u64, action: A) -> TimerId {
        let due = now.saturating_add(duration);
        let list = match self.last_used {
            Some((last, list)) if last == duration => list,
            _ => match self.by_duration.get(&duration) {
                Some(list) => *list,
                None => self.open_list(duration, due),
            },
        };
        self.last_used = Some((duration, list));
        self.sequence += 1;
        let tail = self.lists[list as usize].tail;
        let (sequence, action) = (self.sequence, Some(action));
        let slot = match self.free_slots.pop() {
            Some(slot) => {
                let entry = &mut self.slots[slot as usize];
                (entry.list, entry.previous, entry.next) = (list, tail, NONE);
                (entry.due, entry.sequence, entry.action) = (due, sequence, action);
                slot
            }
            None => {
                self.slots.push(Slot { generation: 0, list, previous: tail, next: NONE, due, sequence, action });
                (self.slots.len() - 1) as u32
            }
        };
        match tail {
            NONE => self.lists[list as usize].head = slot,
            _ => self.slots[tail as usize].next = slot,
        }
        self.lists[list as usize].tail = slot;
        self.len += 1;
        TimerId { slot, generation: self.slots[slot as usize].generation }
    }

    /// Stops a timer. What it would have done, unless it has fired or was cancelled before.
    pub(crate) fn cancel(&mut self, id: TimerId) -> Option<A> {
        match self.slots.get(id.slot as usize) {
            Some(slot) if slot.generation == id.generation && slot.action.is_some() => self.take(id.slot),
            _ => None,
        }
    }

    /// Whether a timer has neither fired nor been cancelled.
    pub(crate) fn is_running(&self, id: TimerId) -> bool {
        self.slots.get(id.slot as usize).is_some_and(|slot| slot.generation == id.generation && slot.action.is_some())
    }

    /// What a running timer will do.
    pub(crate) fn action_mut(&mut self, id: TimerId) -> Option<&mut A> {
        self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation)?.action.as_mut()
    }

    /// When the next timer fires.
    pub(crate) fn next_time(&mut self) -> Option<u64> {
        if self.len == 0 {
            return None;
        }
        loop {
            let (bound, list) = *self.bounds.first()?;
            let head = self.lists[list as usize].head;
            if head == NONE {
                self.close_list(list);
                continue;
            }
            let due = self.slots[head as usize].due;
            if due == bound {
                return Some(due);
            }
            self.rebind(list, due);
        }
    }

    /// A time before which no timer is due, told without looking at any list: it may be earlier than need be.
    #[inline]
    pub(crate) fn surely_none_before(&self) -> u64 {
        if self.len == 0 { u64::MAX } else { self.earliest }
    }

    /// True if no timer is due at or before `time`, told without looking at any list. False may
    /// also mean that nobody knows.
    #[inline]
    pub(crate) fn surely_none_until(&self, time: u64) -> bool {
        time < self.surely_none_before()
    }

    /// Takes every timer that is due at `now`, in the order in which they were started.
    pub(crate) fn take_due(&mut self, now: u64, due: &mut Vec<A>) {
        let mut taken: Vec<(u64, A)> = Vec::new();
        while self.next_time().is_some_and(|time| time <= now) {
            let Some((_, list)) = self.bounds.first().copied() else {
                break;
            };
            let head = self.lists[list as usize].head;
            let sequence = self.slots[head as usize].sequence;
            if let Some(action) = self.take(head) {
                taken.push((sequence, action));
            }
        }
        taken.sort_by_key(|(sequence, _)| *sequence);
        due.extend(taken.into_iter().map(|(_, action)| action));
    }

    fn take(&mut self, slot: u32) -> Option<A> {
        let entry = &mut self.slots[slot as usize];
        let (list, previous, next) = (entry.list, entry.previous, entry.next);
        let action = entry.action.take();
        entry.generation = entry.generation.wrapping_add(1);
        match previous {
            NONE => self.lists[list as usize].head = next,
            _ => self.slots[previous as usize].next = next,
        }
        match next {
            NONE => self.lists[list as usize].tail = previous,
            _ => self.slots[next as usize].previous = previous,
        }
        self.free_slots.push(slot);
        self.len -= 1;
        action
    }

    /// Closes the lists whose timers were all cancelled. Those that are due far off would otherwise
    /// stay until then.
    fn tidy(&mut self) {
        let lists = &self.lists;
        let empty: Vec<u32> =
            self.bounds.iter().map(|(_, list)| *list).filter(|list| lists[*list as usize].head == NONE).collect();
        empty.into_iter().for_each(|list| self.close_list(list));
        self.tidy_at = (2 * self.by_duration.len()).max(TIDY);
    }

    fn open_list(&mut self, duration: u64, bound: u64) -> u32 {
        if self.by_duration.len() >= self.tidy_at {
            self.tidy();
        }
        let list = List { duration, head: NONE, tail: NONE, bound };
        let index = match self.free_lists.pop() {
            Some(index) => {
                self.lists[index as usize] = list;
                index
            }
            None => {
                self.lists.push(list);
                (self.lists.len() - 1) as u32
            }
        };
        self.by_duration.insert(duration, index);
        self.bounds.insert((bound, index));
        self.earliest = self.earliest.min(bound);
        index
    }

    fn close_list(&mut self, index: u32) {
        let list = &self.lists[index as usize];
        self.bounds.remove(&(list.bound, index));
        self.by_duration.remove(&list.duration);
        self.last_used = self.last_used.filter(|(_, last)| *last != index);
        self.free_lists.push(index);
        self.note_earliest();
    }

    fn rebind(&mut self, index: u32, bound: u64) {
        let before = std::mem::replace(&mut self.lists[index as usize].bound, bound);
        self.bounds.remove(&(before, index));
        self.bounds.insert((bound, index));
        self.note_earliest();
    }

    fn note_earliest(&mut self) {
        self.earliest = self.bounds.first().map_or(u64::MAX, |(bound, _)| *bound);
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn timers_fire_when_due_in_order_of_their_start_unless_cancelled(
            steps in prop::collection::vec((prop_oneof![Just(2_000u64), Just(500), 0..5_000u64], any::<bool>(), 0..8usize), 1..200)
        ) {
            let mut timers = Timers::new();
            let mut model = BinaryHeap::new();
            let mut running: Vec<(TimerId, u64, u64)> = Vec::new();
            let mut now = 0;
            for (id, (duration, cancel, which)) in steps.into_iter().enumerate() {
                let id = id as u64;
                let timer = timers.start(now, duration, id);
                running.push((timer, now + duration, id));
                model.push(Reverse((now + duration, id)));
                if cancel {
                    let (timer, due, id) = running.remove(which % running.len());
                    prop_assert!(timers.cancel(timer).is_some());
                    prop_assert!(timers.cancel(timer).is_none());
                    model.retain(|e| e.0 != (due, id));
                }
                prop_assert_eq!(timers.len(), model.len());
                let next = model.peek().map(|e| e.0.0);
                prop_assert_eq!(timers.next_time(), next);
                if let Some(next) = next.filter(|_| which % 2 == 0) {
                    prop_assert!(!timers.surely_none_until(next));
                    now = next;
                    let mut due = Vec::new();
                    timers.take_due(now, &mut due);
                    let mut expected = Vec::new();
                    while model.peek().is_some_and(|e| e.0.0 == now) {
                        expected.extend(model.pop().map(|e| e.0.1));
                    }
                    prop_assert_eq!(&due, &expected);
                    running.retain(|r| !due.contains(&r.2));
                }
            }
        }
    }

    #[test]
    fn durations_whose_timers_were_cancelled_are_forgotten() {
        let mut timers = Timers::new();
        timers.start(0, 500_000, ());
        for now in 0..10_000 {
            let id = timers.start(now, 1_000_000 - now, ());
            assert_eq!(timers.cancel(id), Some(()));
            assert_eq!(timers.next_time(), Some(500_000));
        }
        assert!(timers.lists.len() <= TIDY, "{}", timers.lists.len());
    }

    #[test]
    fn a_timer_that_fired_cannot_be_cancelled() {
        let mut timers = Timers::new();
        let id = timers.start(0, 5, 'a');
        let mut due = Vec::new();
        timers.take_due(5, &mut due);
        assert_eq!(due, ['a']);
        let again = timers.start(5, 5, 'b');
        assert_eq!(timers.cancel(id), None, "the slot is used anew, the old id must not reach it");
        assert!(timers.cancel(again).is_some());
        assert_eq!(timers.next_time(), None);
    }
}
