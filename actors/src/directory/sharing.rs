//! What directories tell each other: a link-state protocol, one state for each home and vnet.
//!
//! It is the flooding of OSPF (RFC 2328, section 13) with entries for links. A directory is the home
//! of the entries registered with it. What it has for a vnet is numbered, within its own epoch; a
//! change gives the next number, and so does every heartbeat, so that what is not refreshed is known
//! to be old. Nobody but the home gives numbers. A directory takes what is newer than what it has,
//! once, and passes it on to its other peers of that vnet: hence nothing echoes.
//!
//! A state goes under its vnet's name to those who serve that vnet. Which other vnets an entry is in is not
//! in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::entry::{Offer, Place};
use super::index::{Index, OfferId};
use super::names::{Home, Permission, Vnet};
use crate::units::{SimDuration, SimTime};

/// What one directory sends another: who it is, and what is new. Without news it is a greeting.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Share<A> {
    pub(super) home: Home,
    pub(super) epoch: u64,
    /// The vnets of which the sender would like to hear.
    pub(super) serves: BTreeSet<Vnet>,
    pub(super) updates: Vec<Arc<Update<A>>>,
}

impl<A> Share<A> {
    /// The directory that sent it.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// How many states of homes and vnets it brings up to date.
    pub fn updates(&self) -> usize {
        self.updates.len()
    }
}

/// The news of one home and vnet.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Update<A> {
    pub(super) home: Home,
    pub(super) epoch: u64,
    pub(super) vnet: Vnet,
    pub(super) number: u64,
    /// How long ago the home gave the number; how long the message travels is not counted.
    #[serde(serialize_with = "nanos", deserialize_with = "from_nanos")]
    pub(super) age: SimDuration,
    pub(super) news: News<A>,
}

fn nanos<S: Serializer>(duration: &SimDuration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_nanos())
}

fn from_nanos<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SimDuration, D::Error> {
    u64::deserialize(deserializer).map(SimDuration::from_nanos)
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum News<A> {
    /// All there is.
    Snapshot(Vec<Shared<A>>),
    /// What is different from the number before. Entries that are there already are put anew.
    Delta { put: Vec<Shared<A>>, gone: Vec<Arc<Offer<A>>> },
}

/// An entry as it is told within one vnet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Shared<A> {
    pub(super) offer: Arc<Offer<A>>,
    pub(super) permissions: Arc<BTreeSet<Permission>>,
}

/// What another home has for a vnet, as far as it is known here.
#[derive(Debug)]
struct State {
    epoch: u64,
    number: u64,
    /// When the home gave the number, by the clock here.
    given: SimTime,
    offers: BTreeSet<OfferId>,
}

/// The states of all other homes.
#[derive(Debug)]
pub(super) struct States(BTreeMap<(Home, Vnet), State>);

impl States {
    pub(super) fn new() -> Self {
        States(BTreeMap::new())
    }

    /// Takes what is newer into the index, and says how many entries are new. `None` for all else, which is not to be passed on: what is
    /// known already, what is too old for anybody, and a delta to something that is not here (the
    /// next snapshot brings it).
    pub(super) fn take<A: Place>(
        &mut self,
        update: &Update<A>,
        index: &mut Index<A>,
        now: SimTime,
        silence: SimDuration,
    ) -> Option<usize> {
        let Update { home, epoch, vnet, number, age, news } = update;
        let key = (home.clone(), vnet.clone());
        let known = self.0.get(&key).map(|state| (state.epoch, state.number));
        let follows = match news {
            News::Snapshot(_) => known < Some((*epoch, *number)),
            News::Delta { .. } => known.is_some_and(|(e, n)| e == *epoch && n.checked_add(1) == Some(*number)),
        };
        if !follows || *age >= silence {
            return None;
        }
        let given = SimTime::from_nanos(now.as_nanos().saturating_sub(age.as_nanos()));
        let new = || State { epoch: 0, number: 0, given, offers: BTreeSet::new() };
        let state = self.0.entry(key).or_insert_with(new);
        (state.epoch, state.number, state.given) = (*epoch, *number, given);

        let mut claim = |shared: &Shared<A>| index.claim(&shared.offer, home, vnet, &shared.permissions);
        let mut learned = 0;
        match news {
            News::Snapshot(all) => {
                let offers: BTreeSet<OfferId> = all.iter().map(&mut claim).collect();
                let before = std::mem::replace(&mut state.offers, offers);
                for &gone in before.difference(&state.offers) {
                    index.disclaim(gone, home, vnet);
                }
                learned = state.offers.difference(&before).count();
            }
            News::Delta { put, gone } => {
                for id in put.iter().map(claim) {
                    learned += usize::from(state.offers.insert(id));
                }
                for offer in gone {
                    if let Some(id) = index.id(offer).filter(|id| state.offers.remove(id)) {
                        index.disclaim(id, home, vnet);
                    }
                }
            }
        }
        Some(learned)
    }

    /// Forgets the homes that were silent for too long, and takes their entries out of the index.
    pub(super) fn forget<A: Place>(
        &mut self,
        now: SimTime,
        silence: SimDuration,
        index: &mut Index<A>,
    ) -> BTreeSet<Home> {
        let mut forgotten = BTreeSet::new();
        self.0.retain(|(home, vnet), state| {
            let keep = now < state.given + silence;
            if !keep {
                for &id in &state.offers {
                    index.disclaim(id, home, vnet);
                }
                forgotten.insert(home.clone());
            }
            keep
        });
        forgotten
    }

    /// When the first state is to be forgotten if nothing is heard.
    pub(super) fn forget_at(&self, silence: SimDuration) -> SimTime {
        self.0.values().map(|state| state.given + silence).min().unwrap_or(SimTime::MAX)
    }

    /// Everything known of these vnets, for a peer that knows nothing yet.
    pub(super) fn all<A: Place>(
        &self,
        vnets: &BTreeSet<Vnet>,
        index: &Index<A>,
        now: SimTime,
    ) -> impl Iterator<Item = Arc<Update<A>>> {
        self.0.iter().filter(|((_, vnet), _)| vnets.contains(vnet)).map(move |((home, vnet), state)| {
            let shared = state.offers.iter().filter_map(|&id| shared(index, id, home, vnet)).collect();
            Arc::new(Update {
                home: home.clone(),
                epoch: state.epoch,
                vnet: vnet.clone(),
                number: state.number,
                age: now.since(state.given),
                news: News::Snapshot(shared),
            })
        })
    }
}

/// What may be told of a home's offer within a vnet; nothing if it is not in that vnet.
pub(super) fn shared<A: Place>(index: &Index<A>, id: OfferId, home: &Home, vnet: &Vnet) -> Option<Shared<A>> {
    let permissions = index.claimed(id, home, vnet)?.clone();
    Some(Shared { offer: index.offer(id)?.clone(), permissions })
}
