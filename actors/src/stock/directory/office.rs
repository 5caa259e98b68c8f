//! A directory with a network, and those who wait at it.

use crate::directory::{
    Asker, Config, Directory, Effect, Entry, Offer, Query, Refusal, Registered, Share, Timing, Vnet,
};
use crate::interfaces::directory::{Listing, SHARE_ENTRIES, Word};
use crate::interfaces::raw::{Draft, Msg, PING};
use crate::outcome::Interface;
use crate::prelude::*;
use crate::report::DirectoryFigures;
use crate::router::{Address, KnownDirectory};

use super::{No, ServerParams};

/// So many may wait for somebody to appear. Whoever comes then is told at once that there is nobody.
const WAITERS: usize = 65_536;

/// Somebody who asks, and has perhaps to wait.
#[derive(Debug)]
pub(super) struct Waiter {
    msg: Msg,
    asker: Asker,
    query: Query,
    until: SimTime,
}

impl Waiter {
    pub(super) fn new(msg: &Msg, asker: Asker, query: Query) -> Self {
        Waiter { msg: msg.clone(), asker, query, until: SimTime::ZERO }
    }
}

#[derive(Debug)]
pub(super) struct Office {
    directory: Directory<Address, KnownDirectory>,
    hubs: Vec<KnownDirectory>,
    heartbeat: SimDuration,
    waiters: Vec<Waiter>,
}

/// The directory that a name stands for.
pub(super) fn named(io: &ServiceIo, name: &str) -> Option<KnownDirectory> {
    let network = &io.desk.network;
    if let Some(service) = network.find(name) {
        return Some(KnownDirectory::Service(service.index()));
    }
    let node =
        network.topology(|topology| topology.nodes().find(|(_, node)| node.name == name).map(|(node, _)| node))?;
    Some(KnownDirectory::At(Address::local_hub_directory(node.into())))
}

impl Office {
    /// An empty directory.
    pub(super) fn open(io: &ServiceIo, params: &ServerParams) -> Self {
        let own = io.address().machine;
        let myself = [
            Some(KnownDirectory::Service(io.id().index())),
            params.local_hub.then_some(KnownDirectory::At(Address::local_hub_directory(own))),
        ];
        let mut hubs: Vec<KnownDirectory> = params.hubs.iter().filter_map(|hub| named(io, hub)).collect();
        hubs.retain(|hub| !myself.contains(&Some(*hub)));
        let standing = io.desk.network.book.borrow().standing_of(io.id());
        let own_vnets = standing.iter().flat_map(|standing| &standing.vnets);
        let serves =
            if params.vnets.is_empty() { own_vnets.collect::<Vec<_>>() } else { params.vnets.iter().collect() };
        let config = Config {
            home: io.name().into(),
            epoch: u64::from(io.desk.network.incarnation(io.id())),
            serves: serves.into_iter().map(|vnet| Vnet::from(vnet.as_str())).collect(),
            hubs: hubs.clone(),
            timing: Timing { heartbeat: params.heartbeat, share_delay: params.share_delay },
        };
        let directory = Directory::new(config, io.now());
        Office { directory, hubs, heartbeat: params.heartbeat, waiters: Vec::new() }
    }

    /// Tells the story that there is a directory.
    pub(super) fn begin(&self, io: &ServiceIo) {
        let serves: Vec<&str> = self.directory.serves().map(Vnet::as_str).collect();
        let what = if serves.is_empty() { "serves local".to_owned() } else { format!("serves {}", serves.join(", ")) };
        note(io, &what, |_| ());
    }

    /// When there is something to [do](Self::advance).
    pub(super) fn due(&self) -> SimTime {
        let waiters = self.waiters.iter().map(|waiter| waiter.until).min();
        self.directory.due().min(waiters.unwrap_or(SimTime::MAX))
    }

    pub(super) fn advance(&mut self, io: &ServiceIo) {
        let now = io.now();
        if now >= self.directory.due() {
            let effects = self.directory.advance(now);
            self.carry_out(io, effects);
        }
        let (late, waiters) = std::mem::take(&mut self.waiters).into_iter().partition(|waiter| waiter.until <= now);
        self.waiters = waiters;
        let late: Vec<Waiter> = late;
        late.iter().for_each(|waiter| answer(io, waiter, Vec::new()));
    }

    pub(super) fn heard(&mut self, io: &ServiceIo, from: Address) {
        self.directory.heard(from, io.now());
    }

    pub(super) fn register(&mut self, io: &ServiceIo, sender: Address, entry: Entry<Address>) -> Result<(), Refusal> {
        let what = format!("{} at {}", entry.offer.service, entry.offer.address);
        match self.directory.register(sender, entry, io.now())? {
            Registered::New => note(io, &format!("registered {what}"), |figures| figures.registered += 1),
            Registered::Changed => note(io, &format!("changed {what}"), |_| ()),
            Registered::Same => return Ok(()),
        }
        self.look_again(io);
        Ok(())
    }

    pub(super) fn unregister(
        &mut self,
        io: &ServiceIo,
        sender: Address,
        offer: &Offer<Address>,
    ) -> Result<(), Refusal> {
        if self.directory.unregister(sender, offer, io.now())? {
            let what = format!("withdrew {} at {}", offer.service, offer.address);
            note(io, &what, |figures| figures.withdrawn += 1);
        }
        Ok(())
    }

    pub(super) fn unregister_address(
        &mut self,
        io: &ServiceIo,
        sender: Address,
        address: Address,
    ) -> Result<(), Refusal> {
        let entries = self.directory.unregister_address(sender, address, io.now())? as u64;
        if entries > 0 {
            note(io, &format!("withdrew {} at {address}", counted(entries)), |figures| figures.withdrawn += entries);
        }
        Ok(())
    }

    /// What a provider is told.
    pub(super) fn word_to(&self, provider: Address) -> Word {
        Word { entries: self.directory.entries_of(provider), heartbeat: self.heartbeat }
    }

    /// The answer to somebody who looks for something; none yet, if he waits.
    pub(super) fn look_up(
        &mut self,
        io: &ServiceIo,
        msg: &Msg,
        waiter: Waiter,
        patience: SimDuration,
    ) -> Result<Option<Draft>, No> {
        let Waiter { asker, query, .. } = &waiter;
        if !self.directory.serves_any_of(asker) {
            return Err(No::Denied("none of the asker's vnets is served here".to_owned()));
        }
        let found = self.directory.find(asker, query);
        if found.is_empty() && !patience.is_zero() && self.waiters.len() < WAITERS {
            self.waiters.push(Waiter { until: io.now() + patience, ..waiter });
            return Ok(None);
        }
        Ok(Some(listing(io, msg, found)))
    }

    pub(super) fn receive(&mut self, io: &ServiceIo, sender: ServiceId, share: &Share<Address>) {
        let from = {
            let book = io.desk.network.book.borrow();
            let hub = self.hubs.iter().find(|hub| book.is_meant(sender, **hub));
            hub.copied().unwrap_or(KnownDirectory::Service(sender.index()))
        };
        let effects = self.directory.receive(from, share, io.now());
        self.carry_out(io, effects);
    }

    fn carry_out(&mut self, io: &ServiceIo, effects: Vec<Effect<Address, KnownDirectory>>) {
        let mut learned = false;
        for effect in effects {
            match effect {
                Effect::Ping { to, entries } => {
                    let word = Word { entries, heartbeat: self.heartbeat };
                    say(io, Draft::new(to, PING).contents(word));
                }
                Effect::Share { to, share } => {
                    let to = io.desk.network.book.borrow().reach(to);
                    say(io, Draft::new(to, SHARE_ENTRIES).contents(share));
                }
                Effect::Dropped(provider, entries) => {
                    let entries = entries as u64;
                    let what = format!("dropped {} at {provider}: it did not answer", counted(entries));
                    note(io, &what, |figures| figures.dropped += entries);
                }
                Effect::Learned(home, entries) => {
                    learned = true;
                    let entries = entries as u64;
                    note(io, &format!("learned {} of {home}", counted(entries)), |figures| figures.shared += entries);
                }
                Effect::Forgot(home) => note(io, &format!("forgot {home}: nothing was heard of it"), |_| ()),
            }
        }
        if learned {
            self.look_again(io);
        }
    }

    /// There are new entries: some may have waited for them.
    fn look_again(&mut self, io: &ServiceIo) {
        let directory = &self.directory;
        self.waiters.retain(|waiter| {
            let found = directory.find(&waiter.asker, &waiter.query);
            let waits = found.is_empty();
            if !waits {
                answer(io, waiter, found);
            }
            waits
        });
    }
}

fn counted(entries: u64) -> String {
    if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") }
}

fn answer(io: &ServiceIo, waiter: &Waiter, found: Vec<Entry<Address>>) {
    // Whoever cannot be reached asks again.
    let _ = io.raw().send(listing(io, &waiter.msg, found));
}

/// What is found, as the answer to who has looked for it.
fn listing(io: &ServiceIo, msg: &Msg, found: Vec<Entry<Address>>) -> Draft {
    io.desk.network.ledger.borrow_mut().figures_of(io.id()).lookups += 1;
    msg.reply(found.into_iter().map(Listing::from).collect::<Vec<_>>())
}

/// What cannot set out is as good as lost: the next heartbeat says it again.
fn say(io: &ServiceIo, draft: Draft) {
    let _ = io.raw().send(draft.speaking(Interface::Directory));
}

/// Writes down what happened, for the story and the report.
fn note(io: &ServiceIo, what: &str, count: impl FnOnce(&mut DirectoryFigures)) {
    let mut ledger = io.desk.network.ledger.borrow_mut();
    count(ledger.figures_of(io.id()));
    ledger.directed(io.now(), io.id(), what);
}
