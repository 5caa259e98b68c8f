//! A little world of directories and providers: it carries what they say, loses some of it in a
//! storm, and knows who should be found.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use super::{at, everything};
use crate::random::{Stream, Streams};
use crate::units::{Probability, SimDuration};

/// Addresses of directories are below, of providers from here on.
const FIRST_PROVIDER: u32 = 100;
pub(super) const VNETS: [&str; 3] = ["v0", "v1", "v2"];

/// What happens in a storm. Numbers are taken modulo how many there are.
#[derive(Clone, Debug)]
pub(super) enum Act {
    KillDirectory(usize),
    StartDirectory(usize),
    KillProvider(usize),
    StartProvider(usize),
    /// One of a provider's services, in one of some forms: other vnets, other permissions.
    Offer(usize, usize, usize),
    Withdraw(usize, usize),
    Cut(usize, usize),
    Mend(usize, usize),
}

#[derive(Clone)]
enum Body {
    Share(Share<u32>),
    Ping(usize),
    Pong,
    Ask(u64, Request<u32>),
    Done(u64),
}

/// A place for a directory, whether or not one runs there.
struct Seat {
    config: Config<u32>,
    running: Option<Directory<u32>>,
}

/// A place for a provider.
struct Post {
    address: u32,
    vnets: BTreeSet<Vnet>,
    /// Directories that serve these vnets.
    known: Vec<u32>,
    running: Option<Membership<u32>>,
}

/// What is found somewhere, and what should be.
pub(super) struct Sight {
    pub(super) place: String,
    pub(super) found: Vec<Entry<u32>>,
    pub(super) expected: Vec<Entry<u32>>,
}

pub(super) struct World {
    pub(super) now: SimTime,
    seats: Vec<Seat>,
    posts: Vec<Post>,
    on_the_way: BTreeMap<(SimTime, u64), (u32, u32, Body)>,
    sent: u64,
    /// When the last message of a pair arrives, where messages do not overtake each other.
    last: BTreeMap<(u32, u32), SimTime>,
    cuts: BTreeSet<(u32, u32)>,
    storm: bool,
    stream: Stream,
    /// The next provider's address: a restarted one has another.
    next_address: u32,
    /// How many shares were sent.
    pub(super) shares: usize,
}

impl World {
    /// Directories by the vnets they serve and their hubs, all running, and no provider.
    pub(super) fn new(directories: &[(&[&str], &[u32])], seed: u64) -> Self {
        let seat = |(number, (vnets, hubs)): (usize, &(&[&str], &[u32]))| {
            let mut config = Config::new(format!("d{number}"));
            config.epoch = 0;
            config.serves = vnets.iter().map(|&vnet| vnet.into()).collect();
            config.hubs = hubs.to_vec();
            Seat { config, running: None }
        };
        let mut world = World {
            now: at(0),
            seats: directories.iter().enumerate().map(seat).collect(),
            posts: Vec::new(),
            on_the_way: BTreeMap::new(),
            sent: 0,
            last: BTreeMap::new(),
            cuts: BTreeSet::new(),
            storm: false,
            stream: Streams::new(seed).stream("world"),
            next_address: FIRST_PROVIDER,
            shares: 0,
        };
        (0..world.seats.len()).for_each(|number| world.start_directory(number));
        world
    }

    /// Two to six directories that serve one to three vnets, connected in each, and one to six providers.
    pub(super) fn random(seed: u64) -> Self {
        let mut stream = Streams::new(seed).stream("shape");
        let count = stream.between(2, 6) as usize;
        let mut serves: Vec<Vec<&str>> = vec![Vec::new(); count];
        let mut hubs: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); count];
        let mut join = |a: usize, b: usize, stream: &mut Stream| {
            // One names the other, or each does.
            let way = stream.below(3);
            if way != 0 {
                hubs[a].insert(b as u32);
            }
            if way != 1 {
                hubs[b].insert(a as u32);
            }
        };
        for vnet in &VNETS[..stream.between(1, 3) as usize] {
            let mut members: Vec<usize> = (0..count).collect();
            stream.shuffle(&mut members);
            members.truncate(stream.between(2, count as u64) as usize);
            for (i, &member) in members.iter().enumerate() {
                serves[member].push(vnet);
                if i > 0 {
                    join(members[stream.below(i as u64) as usize], member, &mut stream);
                }
            }
        }
        for _ in 0..stream.below(4) {
            let (a, b) = (stream.below(count as u64) as usize, stream.below(count as u64) as usize);
            if a != b {
                join(a, b, &mut stream);
            }
        }
        let hubs: Vec<Vec<u32>> = hubs.into_iter().map(|hubs| hubs.into_iter().collect()).collect();
        let directories: Vec<_> = serves.iter().zip(&hubs).map(|(vnets, hubs)| (&vnets[..], &hubs[..])).collect();
        let mut world = World::new(&directories, seed);
        for _ in 0..stream.between(1, 6) {
            let start = stream.below(count as u64) as usize;
            let Some(first) = (0..count).map(|i| (start + i) % count).find(|&i| !serves[i].is_empty()) else {
                continue;
            };
            let vnets: Vec<&str> = serves[first].iter().copied().take(stream.between(1, 3) as usize).collect();
            world.post(&vnets, &mut stream);
        }
        world
    }

    /// A place for a provider of these vnets, which knows all directories that serve them.
    fn post(&mut self, vnets: &[&str], stream: &mut Stream) {
        let vnets: BTreeSet<Vnet> = vnets.iter().map(|&vnet| vnet.into()).collect();
        let serving = self.seats.iter().zip(0..).filter(|(seat, _)| vnets.is_subset(&seat.config.serves));
        let mut known: Vec<u32> = serving.map(|(_, number)| number).collect();
        stream.shuffle(&mut known);
        self.posts.push(Post { address: 0, vnets, known, running: None });
        let number = self.posts.len() - 1;
        self.act(&Act::StartProvider(number));
    }

    fn start_directory(&mut self, number: usize) {
        let seat = &mut self.seats[number];
        if seat.running.is_none() {
            seat.config.epoch += 1;
            seat.running = Some(Directory::new(seat.config.clone(), self.now));
        }
    }

    pub(super) fn act(&mut self, act: &Act) {
        let (seats, posts) = (self.seats.len(), self.posts.len().max(1));
        let pair = |a: usize, b: usize| ((a % seats).min(b % seats) as u32, (a % seats).max(b % seats) as u32);
        match *act {
            Act::KillDirectory(number) => self.seats[number % seats].running = None,
            Act::StartDirectory(number) => self.start_directory(number % seats),
            Act::Cut(a, b) => {
                self.cuts.insert(pair(a, b));
            }
            Act::Mend(a, b) => {
                self.cuts.remove(&pair(a, b));
            }
            Act::KillProvider(number) => {
                if let Some(post) = self.posts.get_mut(number % posts) {
                    post.running = None;
                }
            }
            Act::StartProvider(number) => {
                let (now, next) = (self.now, &mut self.next_address);
                if let Some(post) = self.posts.get_mut(number % posts).filter(|post| post.running.is_none()) {
                    post.address = *next;
                    *next += 1;
                    post.running = Some(Membership::new(post.known.clone(), Timing::default(), now));
                    self.act(&Act::Offer(number, 0, 0));
                }
            }
            Act::Offer(number, service, form) => {
                let Some(post) = self.posts.get_mut(number % posts) else { return };
                let mut entry = Entry::new(post.address, format!("s{}", service % 3)).with("n", service.to_string());
                let vnets = post.vnets.len();
                entry.vnets = post.vnets.iter().take(1 + form % vnets).cloned().collect();
                if form % 2 == 1 {
                    entry = entry.needing("p");
                }
                let asks = post.running.as_mut().map(|membership| membership.offer(entry, self.now));
                self.ask(number % posts, asks.unwrap_or_default());
            }
            Act::Withdraw(number, service) => {
                let Some(post) = self.posts.get_mut(number % posts) else { return };
                let entry = Entry::new(post.address, format!("s{}", service % 3)).with("n", service.to_string());
                let asks = post.running.as_mut().map(|membership| membership.withdraw(&entry.offer, self.now));
                self.ask(number % posts, asks.unwrap_or_default());
            }
        }
    }

    /// From now on much is lost, late, out of order or there twice.
    pub(super) fn begin_storm(&mut self) {
        self.storm = true;
    }

    /// From now on all arrives, and nobody dies. Directories are started again as far as the others
    /// need them: for each vnet those who run are connected, and every provider knows one of them.
    pub(super) fn end_storm(&mut self) {
        self.storm = false;
        self.cuts.clear();
        let runs = |seat: &Seat| seat.running.is_some();
        for number in 0..self.posts.len() {
            let known = &self.posts[number].known;
            if self.posts[number].running.is_some() && !known.iter().any(|&seat| runs(&self.seats[seat as usize])) {
                self.start_directory(known[0] as usize);
            }
        }
        while !VNETS.iter().all(|vnet| self.is_connected(vnet)) {
            if let Some(dead) = self.seats.iter().position(|seat| seat.running.is_none()) {
                self.start_directory(dead);
            }
        }
    }

    fn is_connected(&self, vnet: &str) -> bool {
        let runs = |&i: &usize| self.seats[i].running.is_some() && self.seats[i].config.serves.contains(vnet);
        let members: Vec<usize> = (0..self.seats.len()).filter(runs).collect();
        let joined = |a: usize, b: usize| {
            self.seats[a].config.hubs.contains(&(b as u32)) || self.seats[b].config.hubs.contains(&(a as u32))
        };
        let mut reached: Vec<usize> = members.first().copied().into_iter().collect();
        let mut next = 0;
        while let Some(&a) = reached.get(next) {
            next += 1;
            let new: Vec<usize> = members.iter().copied().filter(|&b| joined(a, b) && !reached.contains(&b)).collect();
            reached.extend(new);
        }
        reached.len() == members.len()
    }

    /// Lets all that happens before `until` happen.
    pub(super) fn run(&mut self, until: SimTime) {
        loop {
            let message = self.on_the_way.keys().next().map_or(SimTime::MAX, |&(arrives, _)| arrives);
            let directories = self.seats.iter().filter_map(|seat| seat.running.as_ref()).map(Directory::due).min();
            let providers = self.posts.iter().filter_map(|post| post.running.as_ref()).map(Membership::due).min();
            let timer = directories.unwrap_or(SimTime::MAX).min(providers.unwrap_or(SimTime::MAX));
            let next = message.min(timer);
            if next >= until {
                self.now = until;
                return;
            }
            self.now = self.now.max(next);
            if message <= timer {
                if let Some((_, (from, to, body))) = self.on_the_way.pop_first() {
                    self.deliver(from, to, body);
                }
                continue;
            }
            for number in 0..self.seats.len() {
                let effects = self.seats[number].running.as_mut().map(|directory| directory.advance(self.now));
                self.carry_out(number as u32, effects.unwrap_or_default());
            }
            for number in 0..self.posts.len() {
                let asks = self.posts[number].running.as_mut().map(|membership| membership.advance(self.now));
                self.ask(number, asks.unwrap_or_default());
            }
        }
    }

    fn ask(&mut self, post: usize, asks: Vec<Ask<u32>>) {
        let from = self.posts[post].address;
        for Ask { to, number, request } in asks {
            self.send(from, to, Body::Ask(number, request));
        }
    }

    fn carry_out(&mut self, from: u32, effects: Vec<Effect<u32>>) {
        for effect in effects {
            match effect {
                Effect::Ping { to, entries } => self.send(from, to, Body::Ping(entries)),
                Effect::Share { to, share } => self.send(from, to, Body::Share(share)),
                Effect::Dropped(..) | Effect::Learned(..) | Effect::Forgot(_) => {}
            }
        }
    }

    fn send(&mut self, from: u32, to: u32, body: Body) {
        let chance = |percent: u32| Probability::new(f64::from(percent) / 100.0).unwrap_or_default();
        let is_share = matches!(body, Body::Share(_));
        self.shares += usize::from(is_share);
        let mut copies = 1;
        if self.storm {
            let is_cut = is_share && self.cuts.contains(&(from.min(to), from.max(to)));
            if is_cut || self.stream.chance(chance(25)) {
                return;
            }
            copies += u32::from(self.stream.chance(chance(15)));
        }
        for _ in 0..copies {
            let millis = if self.storm { self.stream.between(1, 100) } else { 1 + u64::from((from + to) % 10) };
            let mut arrives = self.now + SimDuration::from_millis(millis);
            if !is_share {
                let last = self.last.entry((from, to)).or_insert(arrives);
                arrives = arrives.max(*last);
                *last = arrives;
            }
            self.sent += 1;
            self.on_the_way.insert((arrives, self.sent), (from, to, body.clone()));
        }
    }

    fn deliver(&mut self, from: u32, to: u32, body: Body) {
        let now = self.now;
        if let Some(post) = self.posts.iter().position(|post| post.address == to && post.running.is_some()) {
            let Some(membership) = self.posts[post].running.as_mut() else { return };
            match body {
                Body::Ping(entries) => {
                    let asks = membership.pinged(from, entries, now);
                    self.send(to, from, Body::Pong);
                    self.ask(post, asks);
                }
                Body::Done(number) => membership.answered(from, number, now),
                Body::Share(_) | Body::Pong | Body::Ask(..) => {}
            }
            return;
        }
        let Some(seat) = self.seats.get_mut(to as usize) else { return };
        let Some(directory) = seat.running.as_mut() else { return };
        match body {
            Body::Share(share) => {
                for update in &share.updates {
                    assert!(seat.config.serves.contains(&update.vnet), "d{to} is told of {}", update.vnet);
                }
                let effects = directory.receive(from, &share, now);
                self.carry_out(to, effects);
            }
            Body::Ask(number, request) => {
                let done = match request {
                    Request::Register(entry) => directory.register(from, entry, now).is_ok(),
                    Request::Unregister(offer) => directory.unregister(from, &offer, now).is_ok(),
                    Request::UnregisterAddress => directory.unregister_address(from, from, now).is_ok(),
                };
                if done {
                    self.send(to, from, Body::Done(number));
                }
            }
            Body::Pong => directory.heard(from, now),
            Body::Ping(_) | Body::Done(_) => {}
        }
    }

    /// What those who hold `permissions` find in every directory that runs, for each vnet there is.
    pub(super) fn sights(&self, permissions: &[&str]) -> Vec<Sight> {
        let mut all = Vec::new();
        for seat in &self.seats {
            let Some(directory) = &seat.running else { continue };
            for vnet in VNETS {
                let holds: BTreeSet<Permission> = permissions.iter().map(|&permission| permission.into()).collect();
                let asker = Asker::new(&[vnet.into()].into(), holds.clone());
                let alive = self.posts.iter().filter_map(|post| post.running.as_ref()).flat_map(Membership::entries);
                let visible = |entry: &&Entry<u32>| {
                    seat.config.serves.contains(vnet)
                        && entry.vnets.contains(vnet)
                        && entry.permissions.is_subset(&holds)
                };
                let mut expected: Vec<Entry<u32>> = alive.filter(visible).cloned().collect();
                expected.iter_mut().for_each(|entry| entry.vnets = [vnet.into()].into());
                expected.sort_by(|a, b| a.offer.cmp(&b.offer));
                let place = format!("{} in {vnet} at {}", seat.config.home, self.now);
                all.push(Sight { place, found: directory.find(&asker, &everything()), expected });
            }
        }
        all
    }

    /// No more shares than these are sent in an interval in which nothing changes: for every home
    /// and vnet, one each way between any two peers.
    pub(super) fn most_shares(&self) -> usize {
        let joined: BTreeSet<(u32, u32)> = self
            .seats
            .iter()
            .zip(0..)
            .flat_map(|(seat, a)| seat.config.hubs.iter().map(move |&b: &u32| (a.min(b), a.max(b))))
            .collect();
        self.seats.len() * VNETS.len() * 2 * joined.len()
    }
}
