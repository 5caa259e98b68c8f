//! Directories: who provides what, for whom, and whether they are still there.
//!
//! Entries are responsibilities, not addresses: many providers may offer the same service, and when
//! one is gone its users find another. What is here are the rules as plain data, without an actor,
//! a network or a clock: a [`Directory`] is told what has happened and when, and says what is to be
//! sent; a [`Membership`] does the same for a provider.
//!
//! | what | file |
//! |---|---|
//! | offers, entries, queries | `entry` |
//! | vnets and permissions: who sees what | `visibility` |
//! | finding | `index` |
//! | pinging providers, dropping the silent | `heartbeat` |
//! | sharing with other directories | `sharing`, `peers` |
//! | staying registered | `provider` |
//! | all intervals, and why they suffice | `timing` |
//!
//! ```
//! use rehearsal_actors::directory::{Asker, Config, Directory, Entry, Query, Registered};
//! use rehearsal_actors::units::SimTime;
//!
//! let mut directory = Directory::<_, u32>::new(Config::new("directory-1").serving("test"), SimTime::ZERO);
//! let worker = 7; // an address
//! let entry = Entry::new(worker, "workers.01").with("ccy", "USD").on("test").needing("trade");
//! assert_eq!(directory.register(worker, entry.clone(), SimTime::ZERO), Ok(Registered::New));
//! assert_eq!(directory.register(worker, entry.clone(), SimTime::ZERO), Ok(Registered::Same));
//!
//! let workers = Query::glob("workers.*")?.with("ccy", "USD");
//! assert_eq!(directory.find(&Asker::on("test").holding("trade"), &workers), [entry]);
//! assert_eq!(directory.find(&Asker::on("test"), &workers), []);
//! # Ok::<(), rehearsal_actors::directory::QueryError>(())
//! ```

mod entry;
mod heartbeat;
mod index;
mod names;
mod peers;
mod provider;
mod sharing;
mod timing;
mod visibility;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

pub use entry::{Entry, NAME_LIMIT, Offer, Params, Place, Query, QueryError, Refusal, Registered};
pub use names::{Home, LOCAL, Permission, Vnet};
pub use provider::{Ask, Membership, Request};
pub use sharing::Share;
pub use timing::Timing;
pub use visibility::Asker;

use self::entry::or_local;
use self::heartbeat::Providers;
use self::index::{Index, OfferId};
use self::peers::Peers;
use self::sharing::{News, States, Update, shared};
use crate::units::{SimDuration, SimTime};

/// What a directory is from its start. Other directories are reached at a `P`.
#[derive(Clone, Debug)]
pub struct Config<P> {
    /// Its name, which no other directory has and which it keeps over restarts.
    pub home: Home,
    /// Which incarnation it is: more than any before.
    pub epoch: u64,
    /// The vnets of which it takes, keeps and passes on entries. Besides them it keeps entries of
    /// `local`, which it shares with nobody.
    pub serves: BTreeSet<Vnet>,
    /// Directories that it shares with from the start, at addresses that they keep over restarts.
    /// They are told the names of all vnets it serves, and entries of those only that they serve too.
    pub hubs: Vec<P>,
    /// The intervals, the same in all directories that share.
    pub timing: Timing,
}

impl<P> Config<P> {
    /// The first incarnation of a directory on its own, for `local` entries.
    pub fn new(home: impl Into<Home>) -> Self {
        let (serves, hubs, timing) = (BTreeSet::new(), Vec::new(), Timing::default());
        Config { home: home.into(), epoch: 1, serves, hubs, timing }
    }

    /// The same serving one more vnet.
    #[must_use]
    pub fn serving(mut self, vnet: impl Into<Vnet>) -> Self {
        self.serves.insert(vnet.into());
        self
    }

    /// The same with one more hub.
    #[must_use]
    pub fn sharing_with(mut self, hub: P) -> Self {
        self.hubs.push(hub);
        self
    }
}

/// What a directory wants done, or known.
#[derive(Clone, Debug)]
pub enum Effect<A, P = A> {
    /// Send a provider a PING; its answer, like all that it sends, goes to [`Directory::heard`].
    Ping {
        /// The provider.
        to: A,
        /// How many entries of it there are here.
        entries: usize,
    },
    /// Send another directory what is new; there it goes to [`Directory::receive`].
    Share {
        /// The other directory.
        to: P,
        /// What it is told.
        share: Share<A>,
    },
    /// A provider did not answer a round of pings: its entries are withdrawn, so many.
    Dropped(A, usize),
    /// Another directory has entries that are new here, so many: those of one vnet, each.
    Learned(Home, usize),
    /// A directory was not heard of for too long: its entries are forgotten.
    Forgot(Home),
}

/// A directory: providers are reached at an `A`, other directories at a `P`, which they keep over
/// restarts.
///
/// Time is what its caller says it is, and never goes back. [`Directory::advance`] is to be called
/// at [`Directory::due`], at once for the first time; every call may change when that is.
#[derive(Debug)]
pub struct Directory<A, P = A> {
    config: Config<P>,
    index: Index<A>,
    providers: Providers<A>,
    peers: Peers<P>,
    states: States,
    /// What most entries demand: nothing.
    no_permissions: Arc<BTreeSet<Permission>>,
    /// The last number given for each vnet served.
    numbers: BTreeMap<Vnet, u64>,
    /// Own offers that changed since the last number, in the order of the changes.
    changed: BTreeMap<Vnet, Vec<Arc<Offer<A>>>>,
    next_round: SimTime,
    share_at: SimTime,
}

impl<A: Place, P: Copy + Ord> Directory<A, P> {
    /// A directory that knows nothing yet. Its first round is due at `now`.
    pub fn new(mut config: Config<P>, now: SimTime) -> Self {
        config.serves.remove(LOCAL);
        Directory {
            index: Index::new(),
            providers: Providers::new(),
            peers: Peers::new(config.hubs.iter().copied()),
            states: States::new(),
            no_permissions: Arc::default(),
            numbers: config.serves.iter().map(|vnet| (vnet.clone(), 0)).collect(),
            changed: BTreeMap::new(),
            next_round: now,
            share_at: SimTime::MAX,
            config,
        }
    }

    /// Registers an entry, or gives an offer other vnets and permissions. The cost does not depend on
    /// how many entries there are.
    ///
    /// # Errors
    /// The sender is not the provider; the name is no name; a vnet is not served here. Then nothing
    /// has changed.
    pub fn register(&mut self, sender: A, entry: Entry<A>, now: SimTime) -> Result<Registered, Refusal> {
        if sender != entry.offer.address {
            return Err(Refusal::NotTheOwner);
        }
        let bytes = entry.offer.service.len();
        if !(1..=NAME_LIMIT).contains(&bytes) {
            return Err(Refusal::BadName { bytes });
        }
        let vnets = or_local(&entry.vnets);
        let served = |vnet: &&Vnet| vnet.as_str() == LOCAL || self.config.serves.contains(*vnet);
        if let Some(vnet) = vnets.iter().find(|vnet| !served(vnet)) {
            return Err(Refusal::VnetNotServed(vnet.clone()));
        }

        let home = &self.config.home;
        let former = self.index.id(&entry.offer);
        let former_vnets = former.map(|id| self.index.vnets(id, home)).unwrap_or_default();
        let is_same = |id| {
            let same = |vnet| self.index.claimed(id, home, vnet).is_some_and(|claimed| **claimed == entry.permissions);
            former_vnets == vnets && vnets.iter().all(same)
        };
        if let Some(id) = former.filter(|&id| is_same(id)) {
            self.providers.add(sender, id, now);
            return Ok(Registered::Same);
        }
        let offer = former.and_then(|id| self.index.offer(id).cloned()).unwrap_or(entry.offer);
        let permissions = match entry.permissions.is_empty() {
            true => self.no_permissions.clone(),
            false => Arc::new(entry.permissions),
        };
        for vnet in &vnets {
            let id = self.index.claim(&offer, home, vnet, &permissions);
            self.providers.add(sender, id, now);
        }
        if let Some(id) = former {
            former_vnets.difference(&vnets).for_each(|vnet| self.index.disclaim(id, home, vnet));
        }
        self.note(&offer, vnets.union(&former_vnets).cloned(), now);
        Ok(if former_vnets.is_empty() { Registered::New } else { Registered::Changed })
    }

    /// Takes an entry back. True if it was there.
    ///
    /// # Errors
    /// The sender is not the provider. The answer is the same whether or not the entry exists.
    pub fn unregister(&mut self, sender: A, offer: &Offer<A>, now: SimTime) -> Result<bool, Refusal> {
        if sender != offer.address {
            return Err(Refusal::NotTheOwner);
        }
        self.heard(sender, now);
        Ok(self.index.id(offer).is_some_and(|id| self.withdraw(sender, id, now)))
    }

    /// Takes all entries of an address back, and says how many there were.
    ///
    /// # Errors
    /// The sender is another address. The answer is the same whether or not there are entries.
    pub fn unregister_address(&mut self, sender: A, address: A, now: SimTime) -> Result<usize, Refusal> {
        if sender != address {
            return Err(Refusal::NotTheOwner);
        }
        Ok(self.withdraw_all(address, now))
    }

    /// All entries that fit the query and that the asker may see, each once, ordered by service,
    /// address and parameters. Of an entry's vnets the asker is told those that it is in itself.
    pub fn find(&self, asker: &Asker, query: &Query) -> Vec<Entry<A>> {
        self.index.find(asker, query)
    }

    /// The vnets that it serves beside `local`.
    pub fn serves(&self) -> impl Iterator<Item = &Vnet> {
        self.config.serves.iter()
    }

    /// Whether there could be anything here for somebody to see.
    pub fn serves_any_of(&self, asker: &Asker) -> bool {
        asker.is_on(LOCAL) || self.config.serves.iter().any(|vnet| asker.is_on(vnet.as_str()))
    }

    /// How many entries a provider has here.
    pub fn entries_of(&self, provider: A) -> usize {
        self.providers.offers(provider).len()
    }

    /// There was a sign of life from somebody: an answer to a PING, or any other message.
    pub fn heard(&mut self, sender: A, now: SimTime) {
        self.providers.heard(sender, now);
    }

    /// Another directory has sent something. What is new in it goes on to the other peers.
    pub fn receive(&mut self, from: P, share: &Share<A>, now: SimTime) -> Vec<Effect<A, P>> {
        let Config { home, serves, timing, .. } = &self.config;
        if share.home == *home {
            return Vec::new();
        }
        let silence = timing.home_silence();
        let fresh = self.peers.hear(from, share, serves, now);
        let mut news = Vec::new();
        let mut learned: BTreeMap<&Home, usize> = BTreeMap::new();
        for update in &share.updates {
            // Of its own entries nobody knows more than the directory itself, and a former
            // incarnation's are nobody's.
            let wanted = update.home != *home && serves.contains(&update.vnet);
            if !wanted {
                continue;
            }
            let taken = self.states.take(update, &mut self.index, now, silence);
            if let Some(entries) = taken {
                news.push(update.clone());
                *learned.entry(&update.home).or_default() += entries;
            }
        }
        let mut effects = self.tell_peers(&news, |peer| peer != from);
        let learned = learned.into_iter().filter(|(_, entries)| *entries > 0);
        effects.extend(learned.map(|(home, entries)| Effect::Learned(home.clone(), entries)));
        if !fresh.is_empty() {
            let mut all: Vec<_> = self.snapshots().into_iter().filter(|own| fresh.contains(&own.vnet)).collect();
            all.extend(self.states.all(&fresh, &self.index, now));
            effects.push(self.tell(from, all));
        }
        effects
    }

    /// When [`Directory::advance`] has something to do.
    pub fn due(&self) -> SimTime {
        let silence = self.config.timing.home_silence();
        let forget = self.states.forget_at(silence).min(self.peers.forget_at(silence));
        self.next_round.min(self.share_at).min(forget)
    }

    /// Does what is due: forgets, begins a round, shares changes.
    pub fn advance(&mut self, now: SimTime) -> Vec<Effect<A, P>> {
        let silence = self.config.timing.home_silence();
        self.peers.forget(now, silence);
        let forgotten = self.states.forget(now, silence, &mut self.index);
        let mut effects: Vec<_> = forgotten.into_iter().map(Effect::Forgot).collect();
        if now >= self.next_round {
            self.next_round = now + self.config.timing.heartbeat;
            self.round(now, &mut effects);
        } else if now >= self.share_at {
            let news = self.deltas();
            effects.extend(self.tell_peers(&news, |_| true));
        }
        effects
    }

    /// Drops the silent, tells every peer all, pings the others.
    fn round(&mut self, now: SimTime, effects: &mut Vec<Effect<A, P>>) {
        let round = self.providers.round(now);
        for address in round.silent {
            let entries = self.withdraw_all(address, now);
            effects.push(Effect::Dropped(address, entries));
        }
        self.changed.clear();
        self.share_at = SimTime::MAX;
        self.numbers.values_mut().for_each(|number| *number += 1);
        let all = self.snapshots();
        for to in self.peers.addresses() {
            effects.push(self.tell(to, self.concerning(to, &all)));
        }
        effects.extend(round.ping.into_iter().map(|(to, entries)| Effect::Ping { to, entries }));
    }

    fn withdraw_all(&mut self, address: A, now: SimTime) -> usize {
        let offers = self.providers.offers(address);
        offers.into_iter().filter(|&id| self.withdraw(address, id, now)).count()
    }

    /// Takes back what this directory claims of an offer. False if it claims nothing.
    fn withdraw(&mut self, address: A, id: OfferId, now: SimTime) -> bool {
        let vnets = self.index.vnets(id, &self.config.home);
        let Some(offer) = self.index.offer(id).filter(|_| !vnets.is_empty()).cloned() else { return false };
        self.providers.remove(address, id);
        for vnet in &vnets {
            self.index.disclaim(id, &self.config.home, vnet);
        }
        self.note(&offer, vnets, now);
        true
    }

    /// Remembers that an own offer has changed in some vnets.
    fn note(&mut self, offer: &Arc<Offer<A>>, vnets: impl IntoIterator<Item = Vnet>, now: SimTime) {
        for vnet in vnets.into_iter().filter(|vnet| vnet.as_str() != LOCAL) {
            self.changed.entry(vnet).or_default().push(offer.clone());
            self.share_at = self.share_at.min(now + self.config.timing.share_delay);
        }
    }

    /// What changed since the last number, under the next: the last state of everything that changed.
    fn deltas(&mut self) -> Vec<Arc<Update<A>>> {
        self.share_at = SimTime::MAX;
        let home = &self.config.home;
        let mut news = Vec::new();
        for (vnet, mut changed) in mem::take(&mut self.changed) {
            let Some(number) = self.numbers.get_mut(&vnet) else { continue };
            *number += 1;
            changed.sort_unstable();
            changed.dedup();
            let (mut put, mut gone) = (Vec::new(), Vec::new());
            for offer in changed {
                match self.index.id(&offer).and_then(|id| shared(&self.index, id, home, &vnet)) {
                    Some(shared) => put.push(shared),
                    None => gone.push(offer),
                }
            }
            news.push((vnet, *number, News::Delta { put, gone }));
        }
        news.into_iter().map(|(vnet, number, news)| self.update(vnet, number, news)).collect()
    }

    /// All own entries, by vnet, under their last number. Changes that have no number yet are in it:
    /// the delta that will bring them brings them twice, which changes nothing.
    fn snapshots(&self) -> Vec<Arc<Update<A>>> {
        let home = &self.config.home;
        let mut all: BTreeMap<&Vnet, Vec<_>> = self.config.serves.iter().map(|vnet| (vnet, Vec::new())).collect();
        for id in self.providers.all_offers() {
            for (vnet, entries) in &mut all {
                entries.extend(shared(&self.index, id, home, vnet));
            }
        }
        let number = |vnet: &Vnet| self.numbers.get(vnet).copied().unwrap_or_default();
        all.into_iter().map(|(vnet, all)| self.update(vnet.clone(), number(vnet), News::Snapshot(all))).collect()
    }

    fn update(&self, vnet: Vnet, number: u64, news: News<A>) -> Arc<Update<A>> {
        let Config { home, epoch, .. } = &self.config;
        let age = SimDuration::ZERO;
        Arc::new(Update { home: home.clone(), epoch: *epoch, vnet, number, age, news })
    }

    /// Tells peers the news of the vnets that they serve too, and nothing to those for whom there is none.
    fn tell_peers(&self, news: &[Arc<Update<A>>], whom: impl Fn(P) -> bool) -> Vec<Effect<A, P>> {
        let mut effects = Vec::new();
        for to in self.peers.addresses().into_iter().filter(|&peer| whom(peer)) {
            let updates = self.concerning(to, news);
            if !updates.is_empty() {
                effects.push(self.tell(to, updates));
            }
        }
        effects
    }

    /// What a peer may hear of some news.
    fn concerning(&self, peer: P, news: &[Arc<Update<A>>]) -> Vec<Arc<Update<A>>> {
        news.iter().filter(|update| self.peers.serves(peer, &update.vnet)).cloned().collect()
    }

    fn tell(&self, to: P, updates: Vec<Arc<Update<A>>>) -> Effect<A, P> {
        let Config { home, epoch, serves, .. } = &self.config;
        let serves = self.peers.announced(to, serves);
        Effect::Share { to, share: Share { home: home.clone(), epoch: *epoch, serves, updates } }
    }
}

#[cfg(test)]
mod tests;
