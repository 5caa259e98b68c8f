use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

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
            let pushed: Vec<_> = delays.into_iter().map(|delay| now.saturating_add(delay)).zip(id..).collect();
            id += pushed.len() as u32;
            match pops % 2 {
                0 => calendar.push_all(pushed.iter().copied()),
                _ => pushed.iter().for_each(|(time, id)| calendar.push(*time, *id)),
            }
            plain.0.extend(pushed);
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn keeps_its_order_when_there_come_to_be_more_buckets(
        delays in prop::collection::vec(prop_oneof![3 => 1..40_000_000u64, 1 => Just(7_000_000)], 97),
    ) {
        // Thousands on their way, of which each is pushed again when it is popped.
        let mut calendar = Calendar::new();
        let mut plain = BTreeSet::new();
        let mut delays = delays.iter().cycle();
        let mut push = |calendar: &mut Calendar<u32>, plain: &mut BTreeSet<(u64, u32)>, now: u64, id: u32| {
            let time = now + delays.next().copied().unwrap_or_default();
            calendar.push(time, id);
            plain.insert((time, id));
        };
        (0..2_000).for_each(|id| push(&mut calendar, &mut plain, 0, id));
        for id in 2_000..12_000 {
            let first = plain.pop_first();
            prop_assert_eq!(calendar.next_time(), first.map(|(time, _)| time));
            let (now, first) = first.unwrap_or_default();
            prop_assert_eq!(calendar.pop_due(now), Some(first));
            push(&mut calendar, &mut plain, now, id);
        }
        prop_assert_eq!((calendar.len(), calendar.buckets.len()), (2_000, MOST));
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

#[test]
fn what_should_have_been_taken_long_ago_is_still_there_in_its_order() {
    let mut calendar = Calendar::new();
    let late = [(10, 'a'), (10, 'b'), (1_000_000, 'c'), (5_000_000_000, 'd')];
    for (time, event) in late {
        calendar.push(time, event);
    }
    let taken = std::iter::from_fn(|| calendar.pop_due(u64::MAX));
    assert_eq!(taken.collect::<String>(), "abcd");
    assert_eq!((calendar.len(), calendar.next_time()), (0, None));
}
