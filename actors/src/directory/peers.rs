//! The directories that this one shares with.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{Home, Vnet};
use super::sharing::Share;
use crate::units::{SimDuration, SimTime};

/// Another directory, by its address.
#[derive(Debug)]
struct Peer {
    /// Named by the configuration, and so never given up.
    hub: bool,
    /// What it said of itself, unless it was silent for too long since.
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    home: Home,
    epoch: u64,
    /// Vnets that both serve.
    common: BTreeSet<Vnet>,
    heard: SimTime,
}

/// Hubs, which are known for ever, and members, which are known because they share.
#[derive(Debug)]
pub(super) struct Peers<P>(BTreeMap<P, Peer>);

impl<P: Copy + Ord> Peers<P> {
    pub(super) fn new(hubs: impl IntoIterator<Item = P>) -> Self {
        Peers(hubs.into_iter().map(|hub| (hub, Peer { hub: true, known: None })).collect())
    }

    /// Notes what a peer says of itself. Returns the vnets in common of which it knows nothing yet:
    /// all, if this incarnation of it was not heard before. Those who have no vnet in common with
    /// this directory do not become its peers.
    pub(super) fn hear<A>(
        &mut self,
        from: P,
        share: &Share<A>,
        serves: &BTreeSet<Vnet>,
        now: SimTime,
    ) -> BTreeSet<Vnet> {
        let common: BTreeSet<Vnet> = share.serves.intersection(serves).cloned().collect();
        let hub = self.0.get(&from).is_some_and(|peer| peer.hub);
        if common.is_empty() && !hub {
            self.0.remove(&from);
            return common;
        }
        // The same directory, restarted at another address: nobody is at the former one.
        self.0.retain(|&address, peer| {
            let former = |known: &Known| known.home == share.home && known.epoch < share.epoch;
            address == from || peer.hub || !peer.known.as_ref().is_some_and(former)
        });
        let peer = self.0.entry(from).or_insert(Peer { hub, known: None });
        let before = peer.known.take().filter(|known| known.home == share.home && known.epoch == share.epoch);
        let fresh =
            before.map_or_else(|| common.clone(), |before| common.difference(&before.common).cloned().collect());
        peer.known = Some(Known { home: share.home.clone(), epoch: share.epoch, common, heard: now });
        fresh
    }

    /// Gives up members that were silent for too long, and what silent hubs have said of themselves.
    pub(super) fn forget(&mut self, now: SimTime, silence: SimDuration) {
        self.0.retain(|_, peer| {
            peer.known.take_if(|known| now >= known.heard + silence);
            peer.hub || peer.known.is_some()
        });
    }

    /// When the first peer is to be given up if nothing is heard.
    pub(super) fn forget_at(&self, silence: SimDuration) -> SimTime {
        let known = self.0.values().filter_map(|peer| peer.known.as_ref());
        known.map(|known| known.heard + silence).min().unwrap_or(SimTime::MAX)
    }

    /// Every peer, by address.
    pub(super) fn addresses(&self) -> Vec<P> {
        self.0.keys().copied().collect()
    }

    /// True if a peer may hear of a vnet. Nobody may before it has said that it serves it.
    pub(super) fn serves(&self, address: P, vnet: &Vnet) -> bool {
        let known = self.0.get(&address).and_then(|peer| peer.known.as_ref());
        known.is_some_and(|known| known.common.contains(vnet))
    }

    /// The vnets that a peer is told this directory serves. A hub is told of all, so that each pair of
    /// peers finds out what it has in common, whichever is restarted; a member of those in common.
    pub(super) fn announced(&self, address: P, serves: &BTreeSet<Vnet>) -> BTreeSet<Vnet> {
        match self.0.get(&address) {
            Some(Peer { hub: false, known }) => known.as_ref().map(|known| known.common.clone()).unwrap_or_default(),
            Some(Peer { hub: true, .. }) => serves.clone(),
            None => BTreeSet::new(),
        }
    }
}
