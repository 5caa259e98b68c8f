//! Who is registered here, and whether they are still there: providers, pinged in rounds.

use indexmap::{IndexMap, IndexSet};

use super::entry::Place;
use super::index::OfferId;
use crate::units::SimTime;

/// A provider with entries here.
#[derive(Debug)]
struct Provider {
    offers: IndexSet<OfferId>,
    /// When there was last a sign of life.
    heard: SimTime,
    /// When the last round pinged it.
    pinged: Option<SimTime>,
}

/// The providers, in an order that a run repeats.
#[derive(Debug)]
pub(super) struct Providers<A>(IndexMap<A, Provider>);

/// What a round found: whom to ping, and who is not there any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Round<A> {
    /// With the number of their entries here.
    pub(super) ping: Vec<(A, usize)>,
    pub(super) silent: Vec<A>,
}

impl<A: Place> Providers<A> {
    pub(super) fn new() -> Self {
        Providers(IndexMap::new())
    }

    /// The provider of an offer here has been heard.
    pub(super) fn add(&mut self, address: A, offer: OfferId, now: SimTime) {
        let new = || Provider { offers: IndexSet::new(), heard: now, pinged: None };
        let provider = self.0.entry(address).or_insert_with(new);
        provider.offers.insert(offer);
        provider.heard = now;
    }

    /// A provider without offers is none.
    pub(super) fn remove(&mut self, address: A, offer: OfferId) {
        if let Some(provider) = self.0.get_mut(&address) {
            provider.offers.swap_remove(&offer);
            if provider.offers.is_empty() {
                self.0.swap_remove(&address);
            }
        }
    }

    /// A sign of life; of those who have no entries here, of no interest.
    pub(super) fn heard(&mut self, address: A, now: SimTime) {
        if let Some(provider) = self.0.get_mut(&address) {
            provider.heard = now;
        }
    }

    pub(super) fn offers(&self, address: A) -> Vec<OfferId> {
        self.0.get(&address).map(|provider| provider.offers.iter().copied().collect()).unwrap_or_default()
    }

    /// All that is registered here, by provider.
    pub(super) fn all_offers(&self) -> impl Iterator<Item = OfferId> {
        self.0.values().flat_map(|provider| provider.offers.iter().copied())
    }

    /// Begins a round. Those are silent whom the last round pinged and who were not heard since;
    /// they stay until their offers are removed. All others are to be pinged, also those who were
    /// just heard: pings tell them that their directory is alive.
    pub(super) fn round(&mut self, now: SimTime) -> Round<A> {
        let mut round = Round { ping: Vec::new(), silent: Vec::new() };
        for (&address, provider) in &mut self.0 {
            if provider.pinged.is_some_and(|pinged| provider.heard < pinged) {
                round.silent.push(address);
            } else {
                provider.pinged = Some(now);
                round.ping.push((address, provider.offers.len()));
            }
        }
        round
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn who_misses_a_whole_round_is_silent_and_not_before() {
        let mut providers = Providers::new();
        providers.add('a', 0, at(10));
        providers.add('b', 1, at(20));
        providers.add('b', 2, at(30));
        assert_eq!(providers.round(at(1_000)), Round { ping: vec![('a', 1), ('b', 2)], silent: vec![] });
        // At the very instant of the next round is early enough.
        providers.heard('a', at(2_000));
        assert_eq!(providers.round(at(2_000)), Round { ping: vec![('a', 1)], silent: vec!['b'] });
        assert_eq!(providers.round(at(3_000)).silent, ['b'], "a was heard when it was pinged");
    }

    #[test]
    fn who_registers_between_rounds_gets_a_whole_round_to_answer() {
        let mut providers = Providers::new();
        providers.round(at(1_000));
        providers.add('a', 0, at(1_999));
        assert_eq!(providers.round(at(2_000)), Round { ping: vec![('a', 1)], silent: vec![] });
        assert_eq!(providers.round(at(3_000)), Round { ping: vec![], silent: vec!['a'] });
    }

    #[test]
    fn who_has_no_entries_is_not_pinged() {
        let mut providers = Providers::new();
        providers.add('a', 0, at(0));
        providers.remove('a', 0);
        providers.heard('b', at(5));
        assert_eq!(providers.round(at(1_000)), Round { ping: vec![], silent: vec![] });
    }
}
