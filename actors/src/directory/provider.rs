//! A provider's part: to be registered with one directory of those it knows, whatever becomes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::entry::{Entry, Offer, Place};
use super::timing::Timing;
use crate::units::{SimDuration, SimTime};

/// What a provider asks of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Request<A> {
    /// To register an entry.
    Register(Entry<A>),
    /// To take an entry back.
    Unregister(Arc<Offer<A>>),
    /// To take all entries of the provider back.
    UnregisterAddress,
}

/// A request and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask<A, P = A> {
    /// The directory.
    pub to: P,
    /// What [`Membership::answered`] is told with its answer.
    pub number: u64,
    /// What is asked.
    pub request: Request<A>,
}

/// The registration of one provider's entries.
///
/// Requests are repeated until they are answered. Between one provider and one directory they must
/// not overtake each other, which is the rule of the network unless a scenario lifts it.
///
/// A provider takes its directory for dead when it was not pinged for
/// [`Timing::directory_silence`], and registers with the next it knows, round and round. A directory
/// that it left and that still pings it is told to remove it. A ping says how many entries the
/// directory has of it: if they are not as many as they should be (because the directory was
/// restarted, or had dropped it, and only knows what came since), all are registered again.
#[derive(Debug)]
pub struct Membership<A, P = A> {
    directories: Vec<P>,
    current: usize,
    timing: Timing,
    wanted: BTreeMap<Arc<Offer<A>>, Entry<A>>,
    /// By offer, the last request about it: a later one takes the place of an earlier.
    unanswered: BTreeMap<Arc<Offer<A>>, (u64, Request<A>)>,
    /// True once the current directory has answered.
    settled: bool,
    /// When the current directory was last heard, or first asked.
    heard: SimTime,
    ask_again: SimTime,
    numbers: u64,
}

impl<A: Place, P: Copy + PartialEq> Membership<A, P> {
    /// Nothing registered yet; `directories` in the order in which they are tried.
    pub fn new(directories: Vec<P>, timing: Timing, now: SimTime) -> Self {
        Membership {
            directories,
            current: 0,
            timing,
            wanted: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            settled: false,
            heard: now,
            ask_again: SimTime::MAX,
            numbers: 0,
        }
    }

    /// The directory that the provider is registered with, or tries to be. `None` if it knows none.
    pub fn directory(&self) -> Option<P> {
        self.directories.get(self.current).copied()
    }

    /// All that should be registered.
    pub fn entries(&self) -> impl Iterator<Item = &Entry<A>> {
        self.wanted.values()
    }

    /// All directories that it knows, in the order in which they are tried.
    pub fn directories(&self) -> &[P] {
        &self.directories
    }

    /// It knows these directories now. The one that it is with stays among them until it is left. If it
    /// has known none, it registers what it wants to be registered.
    pub fn know(&mut self, mut directories: Vec<P>, now: SimTime) -> Vec<Ask<A, P>> {
        let Some(current) = self.directory() else {
            (self.directories, self.current) = (directories, 0);
            self.heard = now;
            self.ask_again = now + self.timing.answer();
            return self.asks(self.unanswered.values());
        };
        self.current = directories.iter().position(|known| *known == current).unwrap_or_else(|| {
            let at = self.current.min(directories.len());
            directories.insert(at, current);
            at
        });
        self.directories = directories;
        Vec::new()
    }

    /// How long it waits.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// A directory says how often it pings.
    pub fn keep_time(&mut self, heartbeat: SimDuration) {
        self.timing.heartbeat = heartbeat;
    }

    /// Takes everything back, and waits for no answer: the provider is going to end.
    pub fn leave_all(&mut self) -> Option<Ask<A, P>> {
        let had_any = !self.is_idle();
        self.wanted.clear();
        self.unanswered.clear();
        self.directory().filter(|_| had_any).map(|directory| self.leave(directory))
    }

    /// Registers an entry, or the same offer for others than before.
    pub fn offer(&mut self, entry: Entry<A>, now: SimTime) -> Vec<Ask<A, P>> {
        if self.is_idle() {
            self.heard = now;
        }
        let offer = entry.offer.clone();
        self.wanted.insert(offer.clone(), entry.clone());
        self.ask(offer, Request::Register(entry), now)
    }

    /// Takes an entry back; nothing if there is none.
    pub fn withdraw(&mut self, offer: &Offer<A>, now: SimTime) -> Vec<Ask<A, P>> {
        match self.wanted.remove(offer) {
            Some(entry) => self.ask(entry.offer.clone(), Request::Unregister(entry.offer), now),
            None => Vec::new(),
        }
    }

    /// A directory has answered a request, by doing it. One that answers late is good enough for a
    /// provider that has found no other yet.
    pub fn answered(&mut self, from: P, number: u64, now: SimTime) {
        self.return_to(from);
        if self.directory() == Some(from) {
            self.settled = true;
            self.heard = now;
            self.unanswered.retain(|_, (unanswered, _)| *unanswered != number);
        }
    }

    /// A directory has refused a request. If it takes none at all, another one may; if it takes others,
    /// this one is left alone until its next ping.
    pub fn refused(&mut self, from: P, number: u64) {
        if self.settled && self.directory() == Some(from) {
            self.unanswered.retain(|_, (unanswered, _)| *unanswered != number);
        }
    }

    /// A directory has pinged this provider, of which it has so many entries.
    pub fn pinged(&mut self, from: P, entries: usize, now: SimTime) -> Vec<Ask<A, P>> {
        if self.directory() != Some(from) {
            // A provider that still looks for a directory is better off with a former one than with none.
            let leaves = self.settled || self.wanted.is_empty();
            return if leaves { vec![self.leave(from)] } else { Vec::new() };
        }
        self.settled = true;
        self.heard = now;
        if !self.unanswered.is_empty() || entries == self.wanted.len() {
            return Vec::new();
        }
        let mut asks = if entries > self.wanted.len() { vec![self.leave(from)] } else { Vec::new() };
        asks.extend(self.register_all(now));
        asks
    }

    /// When [`Membership::advance`] has something to do.
    pub fn due(&self) -> SimTime {
        if self.is_idle() || self.directories.is_empty() {
            return SimTime::MAX;
        }
        let again = if self.unanswered.is_empty() { SimTime::MAX } else { self.ask_again };
        if self.settled { again.min(self.heard + self.timing.directory_silence()) } else { again }
    }

    /// Does what is due: asks again, or goes to the next directory.
    pub fn advance(&mut self, now: SimTime) -> Vec<Ask<A, P>> {
        if now < self.due() {
            return Vec::new();
        }
        if self.settled && now < self.heard + self.timing.directory_silence() {
            self.ask_again = now + self.timing.answer();
            return self.asks(self.unanswered.values());
        }
        self.current = (self.current + 1) % self.directories.len();
        self.settled = false;
        self.heard = now;
        // What the last directory was asked to remove, the next has never had.
        self.unanswered.clear();
        self.register_all(now)
    }

    /// While it looks for a directory, it takes the first that answers, if it was asked long ago.
    fn return_to(&mut self, directory: P) {
        let known = self.directories.iter().position(|known| *known == directory);
        if let Some(at) = known.filter(|_| !self.settled && !self.wanted.is_empty()) {
            self.current = at;
        }
    }

    fn is_idle(&self) -> bool {
        self.wanted.is_empty() && self.unanswered.is_empty()
    }

    fn ask(&mut self, offer: Arc<Offer<A>>, request: Request<A>, now: SimTime) -> Vec<Ask<A, P>> {
        if self.unanswered.is_empty() {
            self.ask_again = now + self.timing.answer();
        }
        self.numbers += 1;
        let numbered = (self.numbers, request);
        let asks = self.asks([&numbered]);
        self.unanswered.insert(offer, numbered);
        asks
    }

    fn register_all(&mut self, now: SimTime) -> Vec<Ask<A, P>> {
        let entries: Vec<Entry<A>> = self.wanted.values().cloned().collect();
        let ask = |entry: Entry<A>| self.ask(entry.offer.clone(), Request::Register(entry), now);
        entries.into_iter().flat_map(ask).collect()
    }

    /// Nobody waits for the answer: a directory that did not hear it pings once more.
    fn leave(&self, directory: P) -> Ask<A, P> {
        Ask { to: directory, number: 0, request: Request::UnregisterAddress }
    }

    fn asks<'a>(&self, requests: impl IntoIterator<Item = &'a (u64, Request<A>)>) -> Vec<Ask<A, P>> {
        let Some(to) = self.directory() else { return Vec::new() };
        requests.into_iter().map(|(number, request)| Ask { to, number: *number, request: request.clone() }).collect()
    }
}

#[cfg(test)]
mod tests;
