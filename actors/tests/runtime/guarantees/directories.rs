//! Directories, whatever dies, comes back or is cut off meanwhile.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use proptest::prelude::*;
use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::interfaces::directory::{GET_ENTRIES, Offering};
use rehearsal_actors::interfaces::raw::Draft;
use rehearsal_actors::prelude::*;
use rehearsal_actors::random::{Stream, Streams};
use rehearsal_actors::router::KnownDirectory;
use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup};
use rehearsal_actors::stock::directory::ServerParams;
use rehearsal_actors::supervision::{ChildSpec, Intensity, Restart, Supervisor};
use rehearsal_actors::topology::{Link, Node, NodeId, Topology};

use crate::common::cast::acts;
use crate::common::directories::{Standing, directory};
use crate::common::story::play_unheard;
use crate::common::{at_ms, ms};

const VNETS: [&str; 3] = ["v0", "v1", "v2"];
/// How long faults last, in milliseconds, and when it has been quiet for three heartbeats of a second.
const STORM: u64 = 7_000;
const QUIET: u64 = STORM + 3_000;

/// What goes wrong; numbers are taken modulo how many there are.
#[derive(Clone, Debug)]
enum Blow {
    KillDirectory(usize),
    KillProvider(usize),
    /// A machine is down for so long.
    Crash(usize, u64),
    /// The machines of two sides are kept apart for so long.
    Cut(Vec<bool>, u64),
}

fn blows() -> impl Strategy<Value = Vec<(u64, Blow)>> {
    let number = 0usize..8;
    let lasts = 1u64..4_000;
    let blow = prop_oneof![
        3 => number.clone().prop_map(Blow::KillDirectory),
        3 => number.clone().prop_map(Blow::KillProvider),
        1 => (number, lasts.clone()).prop_map(|(node, lasts)| Blow::Crash(node, lasts)),
        1 => (prop::collection::vec(any::<bool>(), 8), lasts).prop_map(|(sides, lasts)| Blow::Cut(sides, lasts)),
    ];
    // Early ones, and some shortly before it is quiet, from which there is least time to recover.
    let when = prop_oneof![2 => 0..STORM, 1 => STORM - 300..STORM];
    prop::collection::vec((when, blow), 0..16)
}

/// A directory: one of them on each of the first machines.
struct Seat {
    vnets: BTreeSet<usize>,
    hubs: BTreeSet<usize>,
    mortal: bool,
}

/// A provider, and what it offers in all its vnets.
struct Post {
    node: usize,
    vnets: BTreeSet<usize>,
    guarded: bool,
    mortal: bool,
}

/// Two to five directories that serve one to three vnets, joined in each, and one to six providers,
/// each in vnets that one directory at least serves all of.
struct Plan {
    seats: Vec<Seat>,
    posts: Vec<Post>,
    stream: Stream,
}

/// Machines on which there is no directory.
const FURTHER: usize = 2;

impl Plan {
    fn draw(seed: u64) -> Plan {
        let mut stream = Streams::new(seed).stream("plan");
        let count = stream.between(2, 5) as usize;
        let new =
            |stream: &mut Stream| Seat { vnets: BTreeSet::new(), hubs: BTreeSet::new(), mortal: stream.below(4) == 0 };
        let mut seats: Vec<Seat> = (0..count).map(|_| new(&mut stream)).collect();
        for vnet in 0..stream.between(1, VNETS.len() as u64) as usize {
            let mut serving: Vec<usize> = (0..count).collect();
            stream.shuffle(&mut serving);
            serving.truncate(stream.between(1, count as u64) as usize);
            for (place, &seat) in serving.iter().enumerate() {
                seats[seat].vnets.insert(vnet);
                if place > 0 {
                    let other = serving[stream.below(place as u64) as usize];
                    // One names the other, or each does.
                    let way = stream.below(3);
                    if way != 0 {
                        seats[seat].hubs.insert(other);
                    }
                    if way != 1 {
                        seats[other].hubs.insert(seat);
                    }
                }
            }
        }
        let serving: Vec<usize> = (0..count).filter(|seat| !seats[*seat].vnets.is_empty()).collect();
        let posts = (0..stream.between(1, 6))
            .map(|_| {
                let home = &seats[serving[stream.below(serving.len() as u64) as usize]];
                let mut vnets: Vec<usize> = home.vnets.iter().copied().collect();
                stream.shuffle(&mut vnets);
                vnets.truncate(stream.between(1, vnets.len() as u64) as usize);
                Post {
                    node: stream.below((count + FURTHER) as u64) as usize,
                    vnets: vnets.into_iter().collect(),
                    guarded: stream.below(3) == 0,
                    mortal: stream.below(3) == 0,
                }
            })
            .collect();
        Plan { seats, posts, stream }
    }

    /// Every machine has a link to every other. The last one is the auditors'.
    fn topology(&mut self) -> (Topology, Vec<NodeId>) {
        let mut topology = Topology::new();
        let count = self.seats.len() + FURTHER + 1;
        let nodes: Vec<NodeId> =
            (0..count).map(|i| topology.add_node(Node::new(format!("n{i}"))).expect("names differ")).collect();
        for (i, &a) in nodes.iter().enumerate() {
            for &b in &nodes[i + 1..] {
                let link = Link::new(ms(self.stream.between(1, 10)));
                topology.add_symmetric(a, b, link).expect("links differ");
            }
        }
        (topology, nodes)
    }

    fn changes(&self, blows: &[(u64, Blow)], nodes: &[NodeId]) -> Vec<ScheduledChange> {
        let (auditors, machines) = nodes.split_last().expect("there is one");
        let mut changes = Vec::new();
        let mut at = |at, change| changes.push(ScheduledChange { at: at_ms(at), change });
        let service = |index: usize| ServiceId::at(index as u32);
        for (when, blow) in blows {
            let until = |lasts: &u64| STORM.min(when + lasts);
            match blow {
                Blow::KillDirectory(number) => at(*when, Change::Kill(service(number % self.seats.len()))),
                Blow::KillProvider(number) => {
                    at(*when, Change::Kill(service(self.seats.len() + number % self.posts.len())));
                }
                Blow::Crash(number, lasts) => {
                    let node = machines[number % machines.len()];
                    at(*when, Change::NodeCrash(node));
                    at(until(lasts), Change::NodeRestart(node));
                }
                Blow::Cut(sides, lasts) => {
                    let side = |which| machines.iter().zip(sides).filter(move |(_, side)| **side == which);
                    let left: Vec<NodeId> = side(true).map(|(node, _)| *node).chain([*auditors]).collect();
                    let right: Vec<NodeId> = side(false).map(|(node, _)| *node).collect();
                    at(*when, Change::Partition { left: left.clone(), right: right.clone() });
                    at(until(lasts), Change::Heal { left, right });
                }
            }
        }
        changes.sort_by_key(|change| change.at);
        changes
    }

    /// The groups of living directories that are connected, within a vnet, through peers that serve it.
    fn groups(&self, vnet: usize, living: &BTreeSet<usize>) -> Vec<BTreeSet<usize>> {
        let mut rest: BTreeSet<usize> =
            living.iter().copied().filter(|seat| self.seats[*seat].vnets.contains(&vnet)).collect();
        let joined = |a: usize, b: usize| self.seats[a].hubs.contains(&b) || self.seats[b].hubs.contains(&a);
        let mut groups = Vec::new();
        while let Some(first) = rest.pop_first() {
            let (mut group, mut look) = (BTreeSet::from([first]), vec![first]);
            while let Some(seat) = look.pop() {
                let next: Vec<usize> = rest.iter().copied().filter(|other| joined(seat, *other)).collect();
                rest.retain(|other| !next.contains(other));
                group.extend(&next);
                look.extend(next);
            }
            groups.push(group);
        }
        groups
    }
}

/// Providers that live, by their number: their addresses.
type Living = Rc<RefCell<BTreeMap<usize, String>>>;

/// Registers, and is noted as long as it lives.
struct Provider {
    number: usize,
    offering: Offering,
    living: Living,
}

impl Service for Provider {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        io.directory().register(self.offering.clone());
        self.living.borrow_mut().insert(self.number, io.address().to_string());
        Ok(())
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.living.borrow_mut().remove(&self.number);
    }
}

/// What one auditor, in a vnet and with or without the permission, found at each directory that answered.
type Findings = BTreeMap<usize, BTreeMap<String, BTreeSet<String>>>;

/// Asks every directory for everything once it is quiet.
fn auditor(directories: usize) -> (Cast, Rc<RefCell<Findings>>) {
    let findings = Rc::new(RefCell::new(Findings::new()));
    let found = findings.clone();
    let cast = acts(async move |io| {
        io.sleep_until(at_ms(QUIET)).await;
        for number in 0..directories {
            let Some(to) = io.raw().address_of(format!("d{number}")) else { continue };
            let Ok(reply) = io.raw().request(Draft::new(to, GET_ENTRIES).contents(serde_json::json!({}))).await else {
                continue;
            };
            let entries = reply.contents.as_array().into_iter().flatten().map(|entry| {
                let vnets =
                    entry["vnets"].as_array().into_iter().flatten().map(|vnet| vnet.as_str().unwrap_or("?").to_owned());
                (entry["address"].as_str().unwrap_or("?").to_owned(), vnets.collect())
            });
            found.borrow_mut().insert(number, entries.collect());
        }
        Ok(Step::Stop)
    });
    (cast, findings)
}

fn names(vnets: &BTreeSet<usize>) -> BTreeSet<String> {
    vnets.iter().map(|vnet| VNETS[*vnet].to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn three_quiet_heartbeats_after_the_last_fault_all_directories_of_a_vnet_agree_on_all_who_live_and_no_others(
        seed in any::<u64>(),
        blows in blows(),
    ) {
        let mut plan = Plan::draw(seed);
        let (topology, nodes) = plan.topology();
        let living = Living::default();
        let mut setup = Setup { until: Some(at_ms(QUIET + 100)), ..Setup::new(seed, topology) };
        for (number, seat) in plan.seats.iter().enumerate() {
            // Half of the hubs are known by their machines.
            let hub = |hub: &usize| if (hub + number).is_multiple_of(2) { format!("d{hub}") } else { format!("n{hub}") };
            let params = ServerParams {
                vnets: names(&seat.vnets),
                hubs: seat.hubs.iter().map(hub).collect(),
                ..ServerParams::default()
            };
            setup.services.push(directory(&format!("d{number}"), nodes[number], params));
            setup.routing.directories.push(KnownDirectory::Service(number));
        }
        for (number, post) in plan.posts.iter().enumerate() {
            let offering = Offering::of(format!("service-{}", number % 3)).with("number", number.to_string());
            let offering = if post.guarded { offering.needing("p") } else { offering };
            let living = living.clone();
            let make = move || Cast::service(Provider { number, offering: offering.clone(), living: living.clone() });
            let spec = ServiceSpec::restartable(format!("p{number}"), nodes[post.node], make);
            setup.services.push(ServiceSpec { vnets: names(&post.vnets), ..spec });
        }
        let mortals: Vec<bool> =
            plan.seats.iter().map(|seat| seat.mortal).chain(plan.posts.iter().map(|post| post.mortal)).collect();
        let mut audits = Vec::new();
        for (vnet, name) in VNETS.iter().enumerate() {
            for holds in [true, false] {
                let (cast, findings) = auditor(plan.seats.len());
                let spec = ServiceSpec::new(format!("auditor of {name}, {holds}"), nodes[nodes.len() - 1], cast).on(name);
                setup.services.push(if holds { spec.holding("p") } else { spec });
                audits.push((vnet, holds, findings));
            }
        }
        // Who lives when it is audited.
        let lives = Rc::new(RefCell::new(BTreeMap::new()));
        let (census, living_then) = (living.clone(), lives.clone());
        let registrar = acts(async move |io| {
            io.sleep_until(at_ms(QUIET)).await;
            living_then.replace(census.borrow().clone());
            Ok(Step::Stop)
        });
        setup.services.push(ServiceSpec::new("registrar", nodes[nodes.len() - 1], registrar));
        let child = |number: usize| {
            let restart = if mortals.get(number) == Some(&false) { Restart::Permanent } else { Restart::Temporary };
            ChildSpec { restart, ..ChildSpec::service(number) }
        };
        setup.supervision = Some(Supervisor {
            intensity: Intensity { restarts: 1_000, period: ms(1_000) },
            await_starts: false,
            children: (0..setup.services.len()).map(child).collect(),
            ..Supervisor::new("root")
        });
        setup.changes = plan.changes(&blows, &nodes);
        let report = play_unheard(setup);
        prop_assert_eq!(report.panic_count, 0);

        let lives = lives.take();
        for (vnet, holds, findings) in audits {
            let found = findings.take();
            let served = |seat: &usize| plan.seats[*seat].vnets.contains(&vnet);
            for (number, seat) in plan.seats.iter().enumerate() {
                // Where the vnet is not served, its auditor is denied.
                prop_assert!(!found.contains_key(&number) || served(&number));
                prop_assert!(found.contains_key(&number) || !served(&number) || seat.mortal, "d{} is dead", number);
            }
            let up: BTreeSet<usize> = found.keys().copied().collect();
            let expected: BTreeMap<String, BTreeSet<String>> = lives
                .iter()
                .filter(|(number, _)| {
                    let post = &plan.posts[**number];
                    post.vnets.contains(&vnet) && (holds || !post.guarded)
                })
                .map(|(_, address)| (address.clone(), BTreeSet::from([VNETS[vnet].to_owned()])))
                .collect();
            let has_home = |number: &usize| {
                let mut able = plan.seats.iter().enumerate().filter(|(_, seat)| plan.posts[*number].vnets.is_subset(&seat.vnets));
                able.any(|(seat, _)| !plan.seats[seat].mortal)
            };
            let groups = plan.groups(vnet, &up);
            for group in &groups {
                let views: Vec<_> = group.iter().map(|seat| &found[seat]).collect();
                for (seat, view) in group.iter().zip(&views) {
                    prop_assert_eq!(view, &views[0], "d{} of {:?} in {}", seat, group, VNETS[vnet]);
                    for (address, vnets) in view.iter() {
                        prop_assert_eq!(expected.get(address), Some(vnets), "d{}: {} in {}", seat, address, VNETS[vnet]);
                    }
                }
            }
            for (number, address) in lives.iter().filter(|(number, address)| has_home(number) && expected.contains_key(*address)) {
                let holders = groups.iter().filter(|group| group.iter().all(|seat| found[seat].contains_key(address)));
                prop_assert!(holders.count() >= 1, "p{} at {} is nowhere in {}", number, address, VNETS[vnet]);
            }
        }
    }
}
