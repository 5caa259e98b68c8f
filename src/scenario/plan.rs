//! What a seed makes of a scenario: its network, who stands where, and what changes when.

use std::collections::BTreeMap;

use rehearsal_actors::changes::ScheduledChange;
use rehearsal_actors::random::Streams;
use rehearsal_actors::supervision::Supervisor;
use rehearsal_actors::topology::placement::{Demand, PlacementError, place};
use rehearsal_actors::topology::{NodeId, Topology};
use rehearsal_actors::units::{Bytes, Cores};

use super::Declared;
use super::faults;
use super::mistakes::{Mistake, Mistakes, quoted};
use super::network::find_node;
use super::routing;
use super::services::{Service, Site, find_service};

/// Placement looks at every node for every service that nobody pinned; beyond this it would take
/// longer than anybody waits.
const MOST_TRIALS: usize = 2_000_000_000;

/// A scenario under one seed.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) topology: Topology,
    /// The node of each service.
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) changes: Vec<ScheduledChange>,
    pub(crate) supervision: Option<Supervisor>,
    /// By which machine another one sends what is for others, by the positions of both.
    pub(crate) gateways: BTreeMap<usize, usize>,
}

impl Plan {
    /// Draws and looks up everything. As far as it goes, it also finds the mistakes of a scenario
    /// in which there are others.
    pub(crate) fn new(declared: &Declared, seed: u64, mistakes: &mut Mistakes) -> Option<Plan> {
        let streams = Streams::new(seed);
        let topology = declared.network.as_ref()?.build(&streams, mistakes)?;
        let changes = faults::resolve(&declared.faults, &topology, mistakes);
        let supervision = declared.supervision.as_ref().map(|tree| tree.resolve(&topology, mistakes));
        let gateways = routing::resolve(&declared.gateways, &topology, mistakes);
        let groups = group(declared, &topology, mistakes);
        // What is wrong already would only be found wrong again.
        if !mistakes.is_empty() {
            return None;
        }
        let nodes = stand(declared, &groups, &topology, &streams, mistakes)?;
        Some(Plan { seed, topology, nodes, changes, supervision, gateways })
    }
}

/// Services that stand on one node, wherever that may be.
#[derive(Clone, Debug)]
struct Group {
    /// The service that all the others stand with.
    leader: usize,
    pin: Option<NodeId>,
}

/// For each service the one that it stands with in the end: itself, if it stands with nobody.
fn group(declared: &Declared, topology: &Topology, mistakes: &mut Mistakes) -> Vec<Group> {
    let services = &declared.services;
    let mut with = vec![None; services.len()];
    let mut groups: Vec<Group> = (0..services.len()).map(|leader| Group { leader, pin: None }).collect();
    for (index, service) in services.iter().enumerate() {
        match &service.site {
            Site::Anywhere => {}
            Site::Node(name) => groups[index].pin = find_node(name, topology, mistakes),
            Site::With(name) => with[index] = find_service(name, &declared.indices, mistakes),
        }
    }
    // 0: not seen, 1: on the way, 2: done. Each service is walked over once.
    let mut seen = vec![0u8; services.len()];
    for start in 0..services.len() {
        let mut path = Vec::new();
        let mut here = start;
        while seen[here] == 0 {
            seen[here] = 1;
            path.push(here);
            match with[here] {
                Some(next) => here = next,
                None => break,
            }
        }
        if seen[here] == 1 && with[here].is_some() {
            report_cycle(&path, here, services, mistakes);
        }
        let leader = groups[here].leader;
        for index in path {
            seen[index] = 2;
            groups[index].leader = leader;
        }
    }
    groups
}

/// Says that services stand with each other in a circle: the part of `path` from `back` on.
fn report_cycle(path: &[usize], back: usize, services: &[Service], mistakes: &mut Mistakes) {
    const MOST_NAMED: usize = 8;
    let circle = path.iter().position(|&index| index == back).map_or(path, |from| &path[from..]);
    let names = circle.iter().map(|&index| quoted(&services[index].name.value));
    let mut shown: Vec<String> = names.take(MOST_NAMED).collect();
    if circle.len() > MOST_NAMED {
        shown.push("...".to_owned());
    }
    shown.push(quoted(&services[back].name.value));
    let at = match &services[back].site {
        Site::With(name) => name.span,
        _ => services[back].name.span,
    };
    let mistake = Mistake::new(format!("the placement is cyclic: {}", shown.join(" -> ")));
    mistakes.add(at, mistake.help("give one of them a `node`, or leave its place open"));
}

/// Places each group as a whole.
fn stand(
    declared: &Declared,
    groups: &[Group],
    topology: &Topology,
    streams: &Streams,
    mistakes: &mut Mistakes,
) -> Option<Vec<NodeId>> {
    let mut demands: Vec<Demand> = Vec::new();
    let mut pins = BTreeMap::new();
    let mut place_of = vec![usize::MAX; groups.len()];
    for (index, service) in declared.services.iter().enumerate() {
        if groups[index].leader == index {
            place_of[index] = demands.len();
            demands.push(Demand {
                service: service.name.value.clone(),
                resources: service.resources,
                availability: service.availability,
            });
            pins.extend(groups[index].pin.map(|node| (service.name.value.clone(), node)));
        }
    }
    for (index, service) in declared.services.iter().enumerate() {
        let leader = groups[index].leader;
        if leader == index {
            continue;
        }
        let demand = &mut demands[place_of[leader]];
        let (sum, more) = (&mut demand.resources, &service.resources);
        sum.cpu = Cores::from_milli(sum.cpu.as_milli().saturating_add(more.cpu.as_milli()));
        sum.gpu = Cores::from_milli(sum.gpu.as_milli().saturating_add(more.gpu.as_milli()));
        sum.ram = Bytes(sum.ram.0.saturating_add(more.ram.0));
        sum.storage = Bytes(sum.storage.0.saturating_add(more.storage.0));
        if service.availability > demand.availability {
            demand.availability = service.availability;
        }
    }
    let trials = (demands.len() - pins.len()).saturating_mul(topology.node_count());
    if trials > MOST_TRIALS {
        let (services, nodes) = (demands.len() - pins.len(), topology.node_count());
        let mistake = Mistake::new(format!("{services} services to be placed on {nodes} nodes are too many"));
        mistakes.add_file(mistake.help("pin most of them to nodes, or use fewer nodes"));
        return None;
    }
    match place(topology, &demands, &pins, declared.placement, streams) {
        Ok(nodes) => groups.iter().map(|group| nodes.get(place_of[group.leader]).copied()).collect(),
        Err(errors) => {
            for error in errors {
                complain(declared, &error, mistakes);
            }
            None
        }
    }
}

/// Shows a placement error at the service that has no node.
fn complain(declared: &Declared, error: &PlacementError, mistakes: &mut Mistakes) {
    let mistake = Mistake::from_error(error);
    match declared.indices.get(whose(error)) {
        Some(&index) => {
            let service = &declared.services[index];
            let at = match &service.site {
                Site::Node(node) => node.span,
                Site::Anywhere | Site::With(_) => service.name.span,
            };
            mistakes.add(at, mistake);
        }
        None => mistakes.add_file(mistake),
    }
}

/// The service that a placement error is about.
fn whose(error: &PlacementError) -> &str {
    match error {
        PlacementError::NoRoom { service, .. }
        | PlacementError::PinnedWithoutRoom { service, .. }
        | PlacementError::PinnedToDown { service, .. }
        | PlacementError::Unpinned { service }
        | PlacementError::NoNodeUp { service }
        | PlacementError::UnknownService { service, .. } => service,
    }
}
