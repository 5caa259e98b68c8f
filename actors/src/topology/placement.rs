//! Which service stands on which node.
//!
//! Pinned services are placed first and take what they need; the others follow in the order they
//! are declared. A node hands out no more than it has, and nodes that are down when the run starts
//! take nobody in.

mod shortage;

use std::collections::{BTreeMap, BTreeSet};

pub use self::shortage::Shortage;
use self::shortage::{had, needed};
use crate::random::Streams;
use crate::topology::{NodeId, Resources, Topology};
use crate::units::{Bytes, Cores, Probability};

/// How services that nobody pinned find a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Only where they are pinned.
    Static,
    /// Any node that fits, each as likely as the other.
    #[default]
    Random,
    /// The next node that fits, in turn.
    RoundRobin,
    /// The first node that fits.
    FirstFit,
    /// The node that fits with the least to spare: for each resource, what would be left, as a part
    /// of the most that any node has of it, all four summed. The first of equals.
    BestFit,
}

/// What one service needs of its node.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// The service's name, unique among the demands.
    pub service: String,
    /// What the node must have left, and then has no more.
    pub resources: Resources,
    /// The least availability the node must have.
    pub availability: Probability,
}

/// Why a service has no node.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlacementError {
    /// No node that is up has room.
    #[error(
        "service `{service}` fits on no node: it needs {}, and node `{node}`, the closest, has {}; \
         ask for less, or give a node more",
        needed(.missing),
        had(.missing)
    )]
    NoRoom {
        /// The service without a node.
        service: String,
        /// The node that lacks the least.
        node: String,
        /// What it lacks.
        missing: Vec<Shortage>,
    },
    /// The node where it must stand has no room.
    #[error(
        "service `{service}` needs {}, and node `{node}`, where it is pinned, has {}; \
         pin it elsewhere, or give the node more",
        needed(.missing),
        had(.missing)
    )]
    PinnedWithoutRoom {
        /// The service without a node.
        service: String,
        /// Where it is pinned.
        node: String,
        /// What the node lacks.
        missing: Vec<Shortage>,
    },
    /// The node where it must stand is down when the run starts.
    #[error(
        "service `{service}` is pinned to node `{node}`, which is down at the start; pin it \
         elsewhere, or give the node an availability above 0"
    )]
    PinnedToDown {
        /// The service without a node.
        service: String,
        /// Where it is pinned.
        node: String,
    },
    /// Static placement takes pins alone.
    #[error("service `{service}` has no node: static placement places only what is pinned; pin it to a node")]
    Unpinned {
        /// The service without a node.
        service: String,
    },
    /// There is nowhere to stand.
    #[error("service `{service}` has no node: none is up at the start")]
    NoNodeUp {
        /// The service without a node.
        service: String,
    },
    /// A pin for nobody.
    #[error("service `{service}` is pinned to node `{node}`, but there is no service of that name")]
    UnknownService {
        /// The name that no service has.
        service: String,
        /// Where it is pinned.
        node: String,
    },
}

/// One node for each demand, in their order. `pins` says where some must stand.
///
/// Each service that is placed at random draws from a stream of its own name, so that one service
/// more leaves the others where they are as long as there is room.
///
/// # Errors
///
/// Every service that has no node, in their order, then every pin for a service that is not there.
/// A service without a node takes nothing from those after it.
pub fn place(
    topology: &Topology,
    demands: &[Demand],
    pins: &BTreeMap<String, NodeId>,
    strategy: Strategy,
    streams: &Streams,
) -> Result<Vec<NodeId>, Vec<PlacementError>> {
    let mut room = Room::of(topology);
    let mut places: Vec<Option<Result<NodeId, PlacementError>>> =
        demands.iter().map(|demand| pins.get(&demand.service).map(|&node| room.take_pinned(node, demand))).collect();

    let mut turn = 0;
    for (place, demand) in places.iter_mut().zip(demands) {
        if place.is_none() {
            let chosen = match strategy {
                Strategy::Static => Err(PlacementError::Unpinned { service: demand.service.clone() }),
                Strategy::Random => {
                    let fitting: Vec<usize> = room.fitting(demand).collect();
                    let mut stream = streams.stream(&format!("placement:{}", demand.service));
                    room.take(stream.pick(&fitting).copied(), demand)
                }
                Strategy::RoundRobin => {
                    // The first that fits from whose turn it is; else the first of all.
                    let next = room.fitting(demand).find(|&i| i >= turn);
                    let chosen = next.or_else(|| room.fitting(demand).next());
                    turn = chosen.map_or(turn, |i| i + 1);
                    room.take(chosen, demand)
                }
                Strategy::FirstFit => {
                    let first = room.fitting(demand).next();
                    room.take(first, demand)
                }
                Strategy::BestFit => {
                    let tightest = room.fitting(demand).min_by_key(|&i| room.spare(i, demand));
                    room.take(tightest, demand)
                }
            };
            *place = Some(chosen);
        }
    }

    let mut nodes = Vec::with_capacity(demands.len());
    let mut errors = Vec::new();
    for place in places.into_iter().flatten() {
        match place {
            Ok(node) => nodes.push(node),
            Err(error) => errors.push(error),
        }
    }
    let services: BTreeSet<&str> = demands.iter().map(|demand| demand.service.as_str()).collect();
    for (service, &node) in pins.iter().filter(|(service, _)| !services.contains(service.as_str())) {
        errors.push(PlacementError::UnknownService { service: service.clone(), node: room.name(node) });
    }
    if errors.is_empty() { Ok(nodes) } else { Err(errors) }
}

/// What is left on the nodes that are up.
struct Room<'a> {
    topology: &'a Topology,
    /// The nodes that are up, in order of declaration. All positions below are positions here.
    nodes: Vec<NodeId>,
    left: Vec<Resources>,
    /// The most that any of them has of each resource, endless ones aside.
    most: Resources,
}

/// A node with so much of something never runs out of it. See [`crate::topology::Node::new`].
const ENDLESS: u64 = u64::MAX;

impl<'a> Room<'a> {
    fn of(topology: &'a Topology) -> Self {
        let nodes: Vec<NodeId> = topology.nodes().map(|(id, _)| id).filter(|&id| topology.is_node_up(id)).collect();
        let left: Vec<Resources> = nodes.iter().map(|&id| topology.node(id).resources).collect();
        let most = |of: fn(&Resources) -> u64| left.iter().map(of).filter(|&n| n != ENDLESS).max().unwrap_or(0);
        let most = Resources {
            cpu: Cores::from_milli(most(|r| r.cpu.as_milli())),
            gpu: Cores::from_milli(most(|r| r.gpu.as_milli())),
            ram: Bytes(most(|r| r.ram.0)),
            storage: Bytes(most(|r| r.storage.0)),
        };
        Room { topology, nodes, left, most }
    }

    fn name(&self, node: NodeId) -> String {
        self.topology.node(node).name.clone()
    }

    /// The positions of the nodes that have room.
    fn fitting(&self, demand: &Demand) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(move |&i| {
            amounts(&demand.resources, &self.left[i]).iter().all(|(needs, left)| needs <= left)
                && demand.availability <= self.topology.node(self.nodes[i]).availability
        })
    }

    /// How much would be left if the demand were met: in billionths of the most, all resources
    /// summed. What is endless has more to spare than anything that is not.
    fn spare(&self, i: usize, demand: &Demand) -> u64 {
        let amounts = amounts(&demand.resources, &self.left[i]);
        let most = amounts_of(&self.most);
        amounts
            .iter()
            .zip(most)
            .map(|(&(needs, left), most)| match left {
                ENDLESS => 2_000_000_000,
                _ => (u128::from(left - needs) * 1_000_000_000 / u128::from(most.max(1))) as u64,
            })
            .sum()
    }

    /// Gives the demand the node at that position, which has room; the error if there is none.
    fn take(&mut self, position: Option<usize>, demand: &Demand) -> Result<NodeId, PlacementError> {
        let Some(i) = position else {
            return Err(self.no_room(demand));
        };
        let left = &mut self.left[i];
        let give = |left: u64, needs: u64| {
            if left == ENDLESS { ENDLESS } else { left - needs }
        };
        *left = Resources {
            cpu: Cores::from_milli(give(left.cpu.as_milli(), demand.resources.cpu.as_milli())),
            gpu: Cores::from_milli(give(left.gpu.as_milli(), demand.resources.gpu.as_milli())),
            ram: Bytes(give(left.ram.0, demand.resources.ram.0)),
            storage: Bytes(give(left.storage.0, demand.resources.storage.0)),
        };
        Ok(self.nodes[i])
    }

    fn take_pinned(&mut self, node: NodeId, demand: &Demand) -> Result<NodeId, PlacementError> {
        let service = demand.service.clone();
        let Ok(i) = self.nodes.binary_search(&node) else {
            return Err(PlacementError::PinnedToDown { service, node: self.name(node) });
        };
        let missing = self.missing(i, demand);
        if missing.is_empty() {
            self.take(Some(i), demand)
        } else {
            Err(PlacementError::PinnedWithoutRoom { service, node: self.name(node), missing })
        }
    }

    fn missing(&self, i: usize, demand: &Demand) -> Vec<Shortage> {
        Shortage::between(demand, &self.left[i], self.topology.node(self.nodes[i]).availability)
    }

    /// Nothing fits: says what the node that comes closest lacks. That is the one that lacks the
    /// fewest kinds of things, and then the least of them.
    fn no_room(&self, demand: &Demand) -> PlacementError {
        let service = demand.service.clone();
        let closest = (0..self.nodes.len())
            .map(|i| (self.nodes[i], self.missing(i, demand)))
            .min_by_key(|(_, missing)| (missing.len(), missing.iter().map(Shortage::share).sum::<u64>()));
        match closest {
            Some((node, missing)) => PlacementError::NoRoom { service, node: self.name(node), missing },
            None => PlacementError::NoNodeUp { service },
        }
    }
}

/// All four resources in their finest steps.
fn amounts_of(resources: &Resources) -> [u64; 4] {
    [resources.cpu.as_milli(), resources.gpu.as_milli(), resources.ram.0, resources.storage.0]
}

/// What is needed and what is left of each resource.
fn amounts(needs: &Resources, left: &Resources) -> [(u64, u64); 4] {
    let (needs, left) = (amounts_of(needs), amounts_of(left));
    std::array::from_fn(|i| (needs[i], left[i]))
}

#[cfg(test)]
mod tests;
