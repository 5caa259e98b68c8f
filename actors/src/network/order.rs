//! Messages between one sender and one receiver do not overtake each other (MPI's rule; MPI 4.1,
//! section 3.5).
//!
//! With route costs the time of arrival is known when a message is sent, so that a message that
//! would be early is simply due when the one before it is. With queues it is not, so that early
//! messages wait at the target for those before them.

use std::collections::{HashMap, VecDeque};

use crate::trace::ServiceId;

/// When the last message from one sender to each of its receivers is due. What lies in the past
/// constrains nobody and is dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastDue {
    /// Most senders have few receivers at a time: two of them, and when the last message to each is due.
    near: [u32; 2],
    near_due: [u64; 2],
    more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default)]
struct More {
    few: Vec<(u32, u64)>,
    /// Looked up, never iterated in an order that shows.
    many: HashMap<u32, u64>,
    clean_at: usize,
}

const FEW: usize = 32;

impl LastDue {
    /// The last message to `to` is another one, or none: some were lost.
    pub(crate) fn set(&mut self, to: ServiceId, due: u64) {
        let near = self.near.iter().position(|id| *id == to.0).map(|at| &mut self.near_due[at]);
        let last = near.or_else(|| {
            let more = self.more.as_mut()?;
            let few = more.few.iter_mut().find(|(id, _)| *id == to.0).map(|(_, due)| due);
            few.or_else(|| more.many.get_mut(&to.0))
        });
        if let Some(last) = last {
            *last = due;
        }
    }

    /// When a message to `to` that would arrive at `arrives` is due.
    #[inline]
    pub(crate) fn hold(&mut self, to: ServiceId, now: u64, arrives: u64) -> u64 {
        for (receiver, due) in self.near.iter().zip(&mut self.near_due) {
            if *receiver == to.0 {
                *due = arrives.max(*due);
                return *due;
            }
        }
        if self.more.is_none()
            && let Some(stale) = self.near_due.iter().position(|due| *due <= now)
        {
            (self.near[stale], self.near_due[stale]) = (to.0, arrives);
            return arrives;
        }
        self.hold_more(to, now, arrives)
    }

    /// Out of line: it is seldom needed.
    fn hold_more(&mut self, to: ServiceId, now: u64, arrives: u64) -> u64 {
        self.more.get_or_insert_default().hold(to.0, now, arrives)
    }
}

impl More {
    fn hold(&mut self, to: u32, now: u64, arrives: u64) -> u64 {
        if self.many.is_empty() {
            if let Some(entry) = self.few.iter_mut().find(|(id, _)| *id == to) {
                entry.1 = entry.1.max(arrives);
                return entry.1;
            }
            if let Some(stale) = self.few.iter_mut().find(|(_, due)| *due <= now) {
                *stale = (to, arrives);
                return arrives;
            }
            if self.few.len() < FEW {
                self.few.push((to, arrives));
                return arrives;
            }
            self.many.extend(self.few.drain(..));
            self.clean_at = 4 * FEW;
        }
        if self.many.len() >= self.clean_at {
            self.many.retain(|_, due| *due > now);
            self.clean_at = (2 * self.many.len()).max(4 * FEW);
        }
        let due = self.many.entry(to).or_insert(arrives);
        *due = (*due).max(arrives);
        *due
    }
}

/// A message in flight: its port and slot.
pub(crate) type FlightKey = (u16, u32);

/// The messages of each pair that are in flight, in the order in which they were sent.
#[derive(Default)]
pub(crate) struct InSequence {
    lanes: HashMap<(u32, u32), VecDeque<FlightKey>>,
}

impl InSequence {
    pub(crate) fn sent(&mut self, from: ServiceId, to: ServiceId, flight: FlightKey) {
        self.lanes.entry((from.0, to.0)).or_default().push_back(flight);
    }

    /// A second copy was made of a message: it comes right behind the original.
    pub(crate) fn doubled(&mut self, from: ServiceId, to: ServiceId, original: FlightKey, copy: FlightKey) {
        if let Some(lane) = self.lanes.get_mut(&(from.0, to.0)) {
            let at = lane.iter().position(|f| *f == original).map_or(lane.len(), |at| at + 1);
            lane.insert(at, copy);
        }
    }

    /// Whether a message may be delivered: nothing that was sent before it is still to come.
    pub(crate) fn is_first(&self, from: ServiceId, to: ServiceId, flight: FlightKey) -> bool {
        self.lanes.get(&(from.0, to.0)).and_then(VecDeque::front).is_none_or(|first| *first == flight)
    }

    /// A message is delivered or lost. Returns the one that has now become the first.
    pub(crate) fn done(&mut self, from: ServiceId, to: ServiceId, flight: FlightKey) -> Option<FlightKey> {
        let lane = self.lanes.get_mut(&(from.0, to.0))?;
        let was_first = lane.front() == Some(&flight);
        if was_first {
            lane.pop_front();
        } else if let Some(at) = lane.iter().position(|f| *f == flight) {
            lane.remove(at);
        }
        let first = lane.front().copied();
        if first.is_none() {
            self.lanes.remove(&(from.0, to.0));
        }
        first.filter(|_| was_first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn messages_to_one_receiver_are_never_due_before_those_sent_earlier(
            sends in prop::collection::vec((0..60u32, 0..50u64, 0..20u64), 1..400)
        ) {
            let mut last = LastDue::default();
            let mut model: HashMap<u32, u64> = HashMap::new();
            let mut now = 0;
            for (to, cost, pause) in sends {
                now += pause;
                let due = last.hold(ServiceId(to), now, now + cost);
                let expected = model.get(&to).copied().unwrap_or(0).max(now + cost);
                model.insert(to, expected);
                prop_assert_eq!(due, expected);
            }
        }
    }

    #[test]
    fn a_message_that_is_lost_lets_the_next_one_through() {
        let (a, b) = (ServiceId(0), ServiceId(1));
        let mut order = InSequence::default();
        for slot in 0..3 {
            order.sent(a, b, (0, slot));
        }
        assert!(!order.is_first(a, b, (0, 1)));
        assert_eq!(order.done(a, b, (0, 1)), None, "the first is still to come");
        assert_eq!(order.done(a, b, (0, 0)), Some((0, 2)));
        assert_eq!(order.done(a, b, (0, 2)), None);
        assert!(order.lanes.is_empty());
    }
}
