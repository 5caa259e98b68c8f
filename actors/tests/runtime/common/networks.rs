//! Random networks, and what their routes cost by a computation that shares nothing with the
//! runtime's: petgraph's A* for the path, whole numbers for the price.

use petgraph::algo::astar;
use petgraph::graph::{DiGraph, NodeIndex};
use proptest::prelude::*;

use rehearsal_actors::topology::{Link, LinkId, Node, NodeId, Topology};
use rehearsal_actors::units::{Bandwidth, Bytes, Probability, SimDuration};

/// What chance may do on the links of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Noise {
    None,
    Jitter,
    /// Jitter, loss and duplication.
    All,
}

#[derive(Clone, Debug)]
pub struct LinkPlan {
    pub from: usize,
    pub to: usize,
    /// Nanoseconds.
    pub latency: u64,
    /// Bits a second; `None` is unlimited.
    pub bandwidth: Option<u64>,
    /// Nanoseconds.
    pub jitter: u64,
    pub loss: f64,
    pub duplication: f64,
    /// Bytes.
    pub queue_limit: u64,
}

/// A network to be. Every pair of nodes has a way from one to the other.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// By node, in nanoseconds.
    pub processing: Vec<u64>,
    pub links: Vec<LinkPlan>,
}

/// When a message has passed the node before a link, and when it has passed the link.
#[derive(Clone, Copy, Debug)]
pub struct Leg {
    pub link: usize,
    pub enters: u64,
    pub leaves: u64,
}

/// A whole way, if nothing stands in it.
#[derive(Clone, Debug)]
pub struct Way {
    pub legs: Vec<Leg>,
    pub arrives: u64,
}

const MS: u64 = 1_000_000;

impl NetworkPlan {
    pub fn topology(&self) -> (Topology, Vec<NodeId>, Vec<LinkId>) {
        let mut topology = Topology::new();
        let add = |(i, processing): (usize, &u64)| {
            let processing = SimDuration::from_nanos(*processing);
            topology.add_node(Node { processing, ..Node::new(format!("n{i}")) }).expect("names differ")
        };
        let nodes: Vec<NodeId> = self.processing.iter().enumerate().map(add).collect();
        let mut links = Vec::new();
        for link in &self.links {
            let bandwidth = link.bandwidth.and_then(Bandwidth::bits_per_second);
            let values = Link {
                bandwidth: bandwidth.unwrap_or(Bandwidth::Unlimited),
                jitter: SimDuration::from_nanos(link.jitter),
                loss: Probability::new(link.loss).expect("a probability"),
                duplication: Probability::new(link.duplication).expect("a probability"),
                queue_limit: Bytes(link.queue_limit),
                ..Link::new(SimDuration::from_nanos(link.latency))
            };
            links.push(topology.add_link(nodes[link.from], nodes[link.to], values).expect("links differ"));
        }
        (topology, nodes, links)
    }

    /// The fastest path over the links that are usable, as links.
    pub fn shortest_path(&self, from: usize, to: usize, usable: impl Fn(usize) -> bool) -> Option<Vec<usize>> {
        let mut graph = DiGraph::<(), usize>::new();
        let nodes: Vec<NodeIndex> = self.processing.iter().map(|_| graph.add_node(())).collect();
        for (i, link) in self.links.iter().enumerate().filter(|(i, _)| usable(*i)) {
            graph.add_edge(nodes[link.from], nodes[link.to], i);
        }
        let latency = |edge: petgraph::graph::EdgeReference<'_, usize>| self.links[*edge.weight()].latency;
        let (_, path) = astar(&graph, nodes[from], |node| node == nodes[to], latency, |_| 0)?;
        path.windows(2).map(|hop| graph.find_edge(hop[0], hop[1]).map(|edge| graph[edge])).collect()
    }

    /// What becomes of a message of that size that sets out at `sent` on that path: processing at
    /// every node, both ends included, and transmission and latency on every link. A message that
    /// stays within its node is there at once.
    pub fn way(&self, path: &[usize], sent: u64, bytes: u64) -> Way {
        let mut now = sent;
        let mut legs = Vec::new();
        for &link in path {
            let values = &self.links[link];
            let enters = now + self.processing[values.from];
            now = enters + transmission(bytes, values.bandwidth) + values.latency;
            legs.push(Leg { link, enters, leaves: now });
        }
        let last = path.last().map_or(0, |link| self.processing[self.links[*link].to]);
        Way { legs, arrives: now + last }
    }

    /// The price of the fastest way while everything is up.
    pub fn cost(&self, from: usize, to: usize, bytes: u64) -> u64 {
        let path = self.shortest_path(from, to, |_| true).expect("every node is reachable");
        self.way(&path, 0, bytes).arrives
    }

    /// A grain of its own on the latency of each link, a power of two of nanoseconds: the latencies
    /// of any two paths differ, so that the fastest is unique.
    pub fn with_unique_paths(mut self) -> Self {
        for (i, link) in self.links.iter_mut().enumerate() {
            link.latency += 1 << i;
        }
        self
    }

    /// With three hundred more nodes behind the first one, which lie on nobody's way.
    pub fn in_a_crowd(mut self) -> Self {
        for _ in 0..300 {
            let one_more = self.processing.len();
            self.processing.push(0);
            let link = |from, to| LinkPlan {
                from,
                to,
                latency: 500 * MS,
                bandwidth: None,
                jitter: 0,
                loss: 0.0,
                duplication: 0.0,
                queue_limit: u64::MAX,
            };
            self.links.extend([link(0, one_more), link(one_more, 0)]);
        }
        self
    }

    /// Queues so short that they overflow.
    pub fn with_short_queues(mut self) -> Self {
        self.links.iter_mut().for_each(|link| link.queue_limit = 10_000);
        self
    }
}

/// 8 bits a byte at so many bits a second, in nanoseconds, rounded to the nearest.
pub fn transmission(bytes: u64, bandwidth: Option<u64>) -> u64 {
    let Some(bandwidth) = bandwidth else { return 0 };
    let (bits, rate) = (u128::from(bytes) * 8, u128::from(bandwidth));
    ((2 * bits * 1_000_000_000 + rate) / (2 * rate)) as u64
}

fn bandwidths() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), (100_000u64..50_000_000).prop_map(Some)]
}

/// Networks of two to eight nodes: a random tree with links both ways, and up to ten more links in
/// one direction, each with values of its own. Latencies are whole milliseconds.
pub fn networks(noise: Noise) -> impl Strategy<Value = NetworkPlan> {
    let values = || (1u64..=40, bandwidths(), 0u64..=30, 0.0f64..0.3, 0.0f64..0.3);
    let links = prop::collection::vec((any::<usize>(), any::<usize>(), (values(), values())), 7 + 10);
    (prop::collection::vec(0u64..=5, 2..=8), 0usize..=10, links).prop_map(move |(processing, more, drawn)| {
        let nodes = processing.len();
        let mut links: Vec<LinkPlan> = Vec::new();
        let mut add = |from, to, (latency, bandwidth, jitter, loss, duplication): (u64, Option<u64>, u64, f64, f64)| {
            if from == to || links.iter().any(|link| (link.from, link.to) == (from, to)) {
                return;
            }
            let shaken = u64::from(noise != Noise::None);
            let chance = if noise == Noise::All { 1.0 } else { 0.0 };
            links.push(LinkPlan {
                from,
                to,
                latency: latency * MS,
                bandwidth,
                jitter: jitter * MS * shaken,
                loss: loss * chance,
                duplication: duplication * chance,
                queue_limit: u64::MAX,
            });
        };
        for (i, (near, _, (there, back))) in drawn.iter().take(nodes - 1).enumerate() {
            add(i + 1, near % (i + 1), *there);
            add(near % (i + 1), i + 1, *back);
        }
        for (from, to, (values, _)) in drawn.iter().skip(nodes - 1).take(more) {
            add(from % nodes, to % nodes, *values);
        }
        NetworkPlan { processing: processing.into_iter().map(|p| p * MS).collect(), links }
    })
}
