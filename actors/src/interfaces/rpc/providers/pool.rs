//! Who provides an interface, as far as one caller knows, and whom it calls next. Plain data.

use std::collections::{BTreeMap, BTreeSet};

use crate::random::Stream;
use crate::router::Address;
use crate::units::{SimDuration, SimTime};

/// How calls are spread over the providers of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// Each is as likely as any other, by random numbers of the run's seed that nothing else draws from.
    #[default]
    Random,
    /// One after the other, in the order of their addresses.
    RoundRobin,
    /// The one that has the fewest calls of this caller to answer. Of several, the next in turn.
    LeastOutstanding,
}

/// How many calls of one caller each provider has yet to answer.
pub(super) type Outstanding = BTreeMap<Address, usize>;

/// The providers that a caller knows of.
pub(super) struct Pool {
    /// In order; nobody twice.
    known: Vec<Address>,
    /// When the directory is to be asked again.
    fresh_until: SimTime,
    /// Those that have turned out to be gone, while directories still tell of them. No address is ever
    /// used again.
    gone: BTreeSet<Address>,
    last: Option<Address>,
    random: Stream,
}

impl Pool {
    pub(super) fn new(random: Stream) -> Self {
        Pool { known: Vec::new(), fresh_until: SimTime::ZERO, gone: BTreeSet::new(), last: None, random }
    }

    /// Whether what is known is good enough.
    pub(super) fn is_fresh(&self, now: SimTime) -> bool {
        now < self.fresh_until && !self.known.is_empty()
    }

    /// How many providers are known.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// A directory has told who there is.
    pub(super) fn learn(&mut self, found: impl IntoIterator<Item = Address>, now: SimTime, kept: SimDuration) {
        let found: BTreeSet<Address> = found.into_iter().collect();
        self.gone.retain(|address| found.contains(address));
        self.known = found.difference(&self.gone).copied().collect();
        self.fresh_until = now + kept;
    }

    /// No directory has told anything: what was known has to do, for as long again.
    pub(super) fn make_do(&mut self, now: SimTime, kept: SimDuration) {
        self.fresh_until = now + kept;
    }

    /// A provider could not be reached: what was known is out of date. `for_good`: it never will be.
    pub(super) fn drop_list(&mut self, provider: Address, for_good: bool) {
        self.fresh_until = SimTime::ZERO;
        self.known.retain(|known| *known != provider);
        if for_good {
            self.gone.insert(provider);
        }
    }

    /// How many there are that have not been tried.
    pub(super) fn untried(&self, tried: &[Address]) -> usize {
        self.known.iter().filter(|known| !tried.contains(known)).count()
    }

    /// Whom to call next, other than those that have been tried.
    pub(super) fn choose(&mut self, spread: Spread, tried: &[Address], outstanding: &Outstanding) -> Option<Address> {
        let mut candidates: Vec<Address> = self.known.iter().copied().filter(|known| !tried.contains(known)).collect();
        // In turn: those behind the last one first.
        let behind = candidates.partition_point(|candidate| Some(*candidate) <= self.last);
        candidates.rotate_left(behind);
        let load = |candidate: &Address| outstanding.get(candidate).copied().unwrap_or_default();
        let chosen = match spread {
            Spread::Random => self.random.pick(&candidates).copied(),
            Spread::RoundRobin => candidates.first().copied(),
            Spread::LeastOutstanding => candidates.iter().copied().min_by_key(load),
        };
        self.last = chosen.or(self.last);
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Streams;

    const KEPT: SimDuration = SimDuration::from_secs(1);

    fn at(connection: u32) -> Address {
        format!("0:0:{connection}").parse().expect("it is an address")
    }

    fn pool(connections: impl IntoIterator<Item = u32>) -> Pool {
        let mut pool = Pool::new(Streams::new(1).stream("pool"));
        pool.learn(connections.into_iter().map(at), SimTime::ZERO, KEPT);
        pool
    }

    fn choices(pool: &mut Pool, spread: Spread, count: usize) -> Vec<Address> {
        (0..count).filter_map(|_| pool.choose(spread, &[], &Outstanding::new())).collect()
    }

    #[test]
    fn round_robin_goes_by_the_order_of_addresses_whatever_else_changes() {
        let mut pool = pool([5, 3, 4]);
        assert_eq!(choices(&mut pool, Spread::RoundRobin, 4), [at(3), at(4), at(5), at(3)]);
        // 4 is next, and gone; a new one comes last.
        pool.learn([3, 5, 6].map(at), SimTime::ZERO, KEPT);
        assert_eq!(choices(&mut pool, Spread::RoundRobin, 3), [at(5), at(6), at(3)]);
    }

    #[test]
    fn the_least_outstanding_is_the_idle_one_and_among_equals_the_next_in_turn() {
        let mut pool = pool([3, 4, 5]);
        let load = Outstanding::from([(at(3), 2), (at(5), 1)]);
        assert_eq!(pool.choose(Spread::LeastOutstanding, &[], &load), Some(at(4)));
        assert_eq!(pool.choose(Spread::LeastOutstanding, &[at(4)], &load), Some(at(5)));
        assert_eq!(choices(&mut pool, Spread::LeastOutstanding, 3), [at(3), at(4), at(5)]);
    }

    #[test]
    fn random_choices_reach_everybody_and_are_the_same_for_the_same_seed() {
        let drawn = choices(&mut pool([3, 4, 5]), Spread::Random, 60);
        assert_eq!(drawn, choices(&mut pool([3, 4, 5]), Spread::Random, 60));
        for provider in [3, 4, 5].map(at) {
            // 20 expected of each; that one has fewer than 5 of 60 has a chance below 1e-5.
            assert!(drawn.iter().filter(|drawn| **drawn == provider).count() >= 5, "{drawn:?}");
        }
    }

    #[test]
    fn nobody_is_tried_twice_and_when_all_were_there_is_nobody() {
        let mut pool = pool([3, 4]);
        for spread in [Spread::Random, Spread::RoundRobin, Spread::LeastOutstanding] {
            assert_eq!(pool.choose(spread, &[at(3)], &Outstanding::new()), Some(at(4)));
            assert_eq!(pool.choose(spread, &[at(3), at(4)], &Outstanding::new()), None);
        }
        assert_eq!((pool.untried(&[at(3)]), pool.len()), (1, 2));
    }

    #[test]
    fn a_list_is_good_until_its_time_is_over_or_a_provider_is_not_there() {
        let end = SimTime::ZERO + KEPT;
        let mut pool = pool([3, 4]);
        assert!(pool.is_fresh(SimTime::ZERO) && !pool.is_fresh(end));
        pool.make_do(end, KEPT);
        assert!(pool.is_fresh(end));
        pool.drop_list(at(3), true);
        assert!(!pool.is_fresh(end));
        assert_eq!(choices(&mut pool, Spread::RoundRobin, 2), [at(4), at(4)]);
        assert!(!self::pool([]).is_fresh(SimTime::ZERO), "that nobody was there is not kept");
    }

    #[test]
    fn who_is_gone_is_not_called_again_though_the_directory_still_tells_of_it() {
        let mut pool = pool([3, 4]);
        pool.drop_list(at(3), true);
        pool.learn([3, 4].map(at), SimTime::ZERO, KEPT);
        assert_eq!(choices(&mut pool, Spread::RoundRobin, 2), [at(4), at(4)]);
        // Who could not be reached for a while may be again.
        pool.drop_list(at(4), false);
        pool.learn([3, 4].map(at), SimTime::ZERO, KEPT);
        assert_eq!(choices(&mut pool, Spread::RoundRobin, 1), [at(4)]);
    }
}
