//! The event queues of the bare loop: a binary heap, and a calendar queue. Both give events out by time, and events
//! of one instant in the order in which they were put in.

mod calendar;
mod heap;

pub use calendar::Calendar;
pub use heap::Heap;

/// What a discrete-event loop needs of its queue.
pub trait Queue<E> {
    /// An empty queue at time 0, for events that lie at most `longest` nanoseconds ahead when they are put in.
    fn spanning(longest: u64) -> Self;

    /// Puts an event in, at or after the time of the last event that came out.
    fn push(&mut self, at: u64, event: E);

    /// Takes the earliest event out, with its time.
    fn pop(&mut self) -> Option<(u64, E)>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workloads::Choices;

    /// Given thousands of events with many ties, more of which come in while others go out, then the order is that
    /// of (time, number of the push), and nothing is lost.
    fn gives_out_by_time_then_by_order_of_arrival<Q: Queue<u64>>(longest: u64) {
        let mut queue = Q::spanning(longest);
        let mut choices = Choices::seeded(longest);
        let mut times = Vec::new();
        let mut push = |queue: &mut Q, now: u64, times: &mut Vec<u64>| {
            // Half of the delays are among eight values, so that instants are shared.
            let wide = choices.below(2) == 0;
            let part = if wide { choices.bits() % (longest + 1) } else { longest / 8 * u64::from(choices.below(9)) };
            queue.push(now + part.min(longest), times.len() as u64);
            times.push(now + part.min(longest));
        };
        for _ in 0..500 {
            push(&mut queue, 0, &mut times);
        }
        let mut last = (0, None);
        let mut taken = 0;
        while let Some((at, number)) = queue.pop() {
            assert_eq!(at, times[number as usize]);
            assert!((at, Some(number)) > last, "{number} at {at} after {last:?}");
            last = (at, Some(number));
            taken += 1;
            if times.len() < 20_000 {
                push(&mut queue, at, &mut times);
            }
        }
        assert_eq!(taken, times.len());
    }

    #[test]
    fn the_heap_keeps_the_order() {
        gives_out_by_time_then_by_order_of_arrival::<Heap<u64>>(1_000_000);
    }

    #[test]
    fn the_calendar_keeps_the_order_whatever_its_span() {
        for longest in [0, 1, 7, 4_094, 4_095, 4_096, 1_000_000, 47_000_000, u64::MAX >> 16] {
            gives_out_by_time_then_by_order_of_arrival::<Calendar<u64>>(longest);
        }
    }
}
