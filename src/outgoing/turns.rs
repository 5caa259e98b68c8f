//! Who may go to which destination, and who waits.

use std::collections::{BTreeMap, VecDeque};

/// So many are out to one destination at once.
pub(super) const AT_ONCE: usize = 64;

/// So many wait for one destination. Each service has as many outside at most; here several may be of one
/// destination.
pub(super) const WAITING: usize = 1024;

/// Who is out and who waits, destination by destination: those of one know nothing of those of another.
pub(super) struct Turns<T> {
    /// Those alone to which somebody is out.
    destinations: BTreeMap<String, Destination<T>>,
}

struct Destination<T> {
    out: usize,
    waiting: VecDeque<T>,
}

/// What becomes of somebody who wants to go.
#[derive(Debug, PartialEq)]
pub(super) enum Place<T> {
    /// They go, and say so when they [come back](Turns::come_back).
    Goes(T),
    /// Somebody who comes back takes them along.
    Waits,
    /// There is no room to wait in.
    TooMany(T),
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Turns { destinations: BTreeMap::new() }
    }
}

impl<T> Turns<T> {
    pub(super) fn come(&mut self, destination: &str, who: T) -> Place<T> {
        let Some(there) = self.destinations.get_mut(destination) else {
            let first = Destination { out: 1, waiting: VecDeque::new() };
            self.destinations.insert(destination.to_owned(), first);
            return Place::Goes(who);
        };
        if there.out < AT_ONCE {
            there.out += 1;
            return Place::Goes(who);
        }
        if there.waiting.len() >= WAITING {
            return Place::TooMany(who);
        }
        there.waiting.push_back(who);
        Place::Waits
    }

    /// Somebody is back; whoever has waited longest goes in their place.
    pub(super) fn come_back(&mut self, destination: &str) -> Option<T> {
        let there = self.destinations.get_mut(destination)?;
        let next = there.waiting.pop_front();
        if next.is_none() {
            there.out -= 1;
            if there.out == 0 {
                self.destinations.remove(destination);
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_goes_to_one_destination_never_waits_for_those_of_another() {
        let mut turns = Turns::default();
        for number in 0..AT_ONCE {
            assert_eq!(turns.come("hangs", number), Place::Goes(number));
        }
        for number in 0..WAITING {
            assert_eq!(turns.come("hangs", number), Place::Waits);
        }
        assert_eq!(turns.come("hangs", 7), Place::TooMany(7));
        assert_eq!(turns.come("is well", 8), Place::Goes(8));
    }

    #[test]
    fn they_go_in_the_order_in_which_they_came_and_nothing_is_kept_of_whoever_is_back() {
        let mut turns = Turns::default();
        let mut goes = |number| turns.come("there", number) == Place::Goes(number);
        assert_eq!((0..AT_ONCE + 2).filter(|number| goes(*number)).count(), AT_ONCE);
        assert_eq!(turns.come_back("there"), Some(AT_ONCE));
        assert_eq!(turns.come_back("there"), Some(AT_ONCE + 1));
        (0..AT_ONCE).for_each(|_| assert_eq!(turns.come_back("there"), None));
        assert!(turns.destinations.is_empty());
    }
}
