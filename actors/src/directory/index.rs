//! All offers that a directory knows of, whoever's, and how they are found.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use slab::Slab;

use super::entry::{Entry, Offer, Pattern, Place, Query};
use super::names::{Home, Permission, Vnet};
use super::visibility::{Asker, Claims};

/// Where an offer stands in the index, for as long as anybody claims it.
pub(super) type OfferId = usize;

/// An offer that somebody claims.
#[derive(Debug)]
struct Record<A> {
    offer: Arc<Offer<A>>,
    claims: Claims,
}

/// Offers by identity and by service. Putting one in, taking it out and finding a service's offers
/// by its exact name are hash look-ups: their cost does not grow with the number of entries.
///
/// The `HashMap` is never walked; what is walked keeps the order of its changes, which a run repeats.
#[derive(Debug)]
pub(super) struct Index<A> {
    records: Slab<Record<A>>,
    ids: HashMap<Arc<Offer<A>>, OfferId>,
    services: IndexMap<String, Offers>,
}

/// The offers of one service, of which most have one.
#[derive(Debug)]
enum Offers {
    One(OfferId),
    Many(IndexSet<OfferId>),
}

impl Offers {
    fn insert(&mut self, id: OfferId) {
        match self {
            Offers::One(first) => *self = Offers::Many([*first, id].into()),
            Offers::Many(ids) => {
                ids.insert(id);
            }
        }
    }

    /// Takes one out; true if none is left.
    fn remove(&mut self, id: OfferId) -> bool {
        match self {
            Offers::One(last) => *last == id,
            Offers::Many(ids) => {
                ids.swap_remove(&id);
                ids.is_empty()
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = OfferId> {
        let (one, many) = match self {
            Offers::One(id) => (Some(*id), None),
            Offers::Many(ids) => (None, Some(ids)),
        };
        one.into_iter().chain(many.into_iter().flatten().copied())
    }
}

impl<A: Place> Index<A> {
    pub(super) fn new() -> Self {
        Index { records: Slab::new(), ids: HashMap::new(), services: IndexMap::new() }
    }

    /// Notes that a home claims an offer for a vnet.
    pub(super) fn claim(
        &mut self,
        offer: &Arc<Offer<A>>,
        home: &Home,
        vnet: &Vnet,
        permissions: &Arc<BTreeSet<Permission>>,
    ) -> OfferId {
        let id = match self.ids.get(offer) {
            Some(&id) => id,
            None => self.insert(offer),
        };
        self.records[id].claims.set(home, vnet, permissions);
        id
    }

    fn insert(&mut self, offer: &Arc<Offer<A>>) -> OfferId {
        let id = self.records.insert(Record { offer: offer.clone(), claims: Claims::default() });
        self.ids.insert(offer.clone(), id);
        match self.services.get_mut(&offer.service) {
            Some(offers) => offers.insert(id),
            None => {
                self.services.insert(offer.service.clone(), Offers::One(id));
            }
        }
        id
    }

    /// Takes a claim back. An offer that nobody claims any more is gone, and its id with it.
    pub(super) fn disclaim(&mut self, id: OfferId, home: &Home, vnet: &Vnet) {
        let Some(record) = self.records.get_mut(id) else { return };
        record.claims.unset(home, vnet);
        if !record.claims.is_empty() {
            return;
        }
        let offer = self.records.remove(id).offer;
        self.ids.remove(&offer);
        if self.services.get_mut(&offer.service).is_some_and(|offers| offers.remove(id)) {
            self.services.swap_remove(&offer.service);
        }
    }

    pub(super) fn id(&self, offer: &Offer<A>) -> Option<OfferId> {
        self.ids.get(offer).copied()
    }

    pub(super) fn offer(&self, id: OfferId) -> Option<&Arc<Offer<A>>> {
        self.records.get(id).map(|record| &record.offer)
    }

    /// What a home claims of an offer for a vnet: all that may be told to directories of that vnet.
    pub(super) fn claimed(&self, id: OfferId, home: &Home, vnet: &Vnet) -> Option<&Arc<BTreeSet<Permission>>> {
        self.records.get(id)?.claims.of(home, vnet)
    }

    /// The vnets for which a home claims an offer.
    pub(super) fn vnets(&self, id: OfferId, home: &Home) -> BTreeSet<Vnet> {
        self.records.get(id).map(|record| record.claims.vnets_of(home)).unwrap_or_default()
    }

    /// All entries that fit and that the asker may see, in the order of offers.
    ///
    /// By name it costs what the entries of that name cost, by pattern a match for every name.
    pub(super) fn find(&self, asker: &Asker, query: &Query) -> Vec<Entry<A>> {
        let mut found = Vec::new();
        match &query.service {
            Pattern::Exact(name) => {
                if let Some(offers) = self.services.get(name) {
                    self.look(offers, asker, query, &mut found);
                }
            }
            Pattern::Glob(glob) => {
                for (_, offers) in self.services.iter().filter(|(name, _)| glob.matches(name)) {
                    self.look(offers, asker, query, &mut found);
                }
            }
        }
        found.sort_unstable_by(|a, b| a.offer.cmp(&b.offer));
        found
    }

    fn look(&self, offers: &Offers, asker: &Asker, query: &Query, found: &mut Vec<Entry<A>>) {
        for record in offers.iter().map(|id| &self.records[id]).filter(|record| query.fits(&record.offer.params)) {
            if let Some((vnets, permissions)) = record.claims.seen_by(asker) {
                found.push(Entry { offer: record.offer.clone(), vnets, permissions });
            }
        }
    }
}
