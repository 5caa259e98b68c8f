//! The network as plain data: nodes, directed links, and which of them are up.
//!
//! May use: [`crate::units`], [`crate::random`]. Knows nothing of messages, actors or scenario files.

pub mod generate;
pub mod placement;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::units::{Bandwidth, Bytes, Cores, Probability, SimDuration};

/// A node of the network, by its place in the order of declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

/// A directed link, by its place in the order of declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub(crate) u32);

impl NodeId {
    /// The position in [`Topology::nodes`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl LinkId {
    /// The position in [`Topology::links`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node has to give, or a service asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Processor cores.
    pub cpu: Cores,
    /// Graphics processors.
    pub gpu: Cores,
    /// Memory.
    pub ram: Bytes,
    /// Disk.
    pub storage: Bytes,
}

/// A machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Unique in its topology.
    pub name: String,
    /// The group that partitions and generators speak of.
    pub group: Option<String>,
    /// What placement may hand out.
    pub resources: Resources,
    /// How much of the time the node is said to be up; services may ask for a minimum. A node whose
    /// availability is 0 is down when the run starts.
    pub availability: Probability,
    /// What every message that passes through, starts or ends here pays.
    pub processing: SimDuration,
}

impl Node {
    /// A node with endless resources, always available, that costs nothing to pass.
    pub fn new(name: impl Into<String>) -> Self {
        Node {
            name: name.into(),
            group: None,
            resources: Resources {
                cpu: Cores::from_milli(u64::MAX),
                gpu: Cores::from_milli(u64::MAX),
                ram: Bytes(u64::MAX),
                storage: Bytes(u64::MAX),
            },
            availability: Probability::ALWAYS,
            processing: SimDuration::ZERO,
        }
    }
}

/// A link in one direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// How long a bit travels.
    pub latency: SimDuration,
    /// How many bits enter in a second.
    pub bandwidth: Bandwidth,
    /// Up to this much is added to the latency of each message, uniformly.
    pub jitter: SimDuration,
    /// The chance that a message is lost here.
    pub loss: Probability,
    /// The chance that a message leaves here twice.
    pub duplication: Probability,
    /// In the queued model: how many bytes may wait while another message is being sent.
    pub queue_limit: Bytes,
}

impl Link {
    /// What a queue holds when nobody says otherwise: 1 MiB.
    pub const DEFAULT_QUEUE_LIMIT: Bytes = Bytes::mib(1);

    /// A clean link of unlimited bandwidth.
    pub fn new(latency: SimDuration) -> Self {
        Link {
            latency,
            bandwidth: Bandwidth::Unlimited,
            jitter: SimDuration::ZERO,
            loss: Probability::NEVER,
            duplication: Probability::NEVER,
            queue_limit: Link::DEFAULT_QUEUE_LIMIT,
        }
    }

    /// True if a message may be lost, doubled or shaken here.
    pub(crate) fn is_noisy(&self) -> bool {
        !self.jitter.is_zero() || !self.loss.is_never() || !self.duplication.is_never()
    }
}

/// What is wrong with a node or link that was to be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// Two nodes would have one name.
    #[error("there is already a node named `{0}`; give each node a name of its own")]
    DuplicateNode(String),
    /// Two links would run from one node to the same other one.
    #[error("there is already a link from `{from}` to `{to}`")]
    DuplicateLink {
        /// Where it starts.
        from: String,
        /// Where it ends.
        to: String,
    },
    /// A link would start and end at one node.
    #[error("a link from `{0}` to itself: messages within a node need no link")]
    SelfLoop(String),
}

/// Nodes and directed links, each up or down.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    graph: DiGraph<Node, Link>,
    by_name: BTreeMap<String, NodeId>,
    /// Looked up, never iterated: a centre may have links to 100,000 nodes.
    by_ends: HashMap<(NodeId, NodeId), LinkId>,
    node_up: Vec<bool>,
    link_up: Vec<bool>,
    /// How many partitions in force cut each link.
    cuts: Vec<u32>,
    /// The partitions in force.
    partitions: BTreeSet<Partition>,
}

/// Two sides that a partition keeps apart, whichever is named first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Partition(BTreeSet<NodeId>, BTreeSet<NodeId>);

impl Partition {
    fn between(left: &[NodeId], right: &[NodeId]) -> Self {
        let side = |nodes: &[NodeId]| nodes.iter().copied().collect::<BTreeSet<_>>();
        let (left, right) = (side(left), side(right));
        if left <= right { Partition(left, right) } else { Partition(right, left) }
    }
}

impl Topology {
    /// No nodes, no links.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node. It starts up unless its availability is 0.
    pub fn add_node(&mut self, node: Node) -> Result<NodeId, TopologyError> {
        if self.by_name.contains_key(&node.name) {
            return Err(TopologyError::DuplicateNode(node.name));
        }
        Ok(self.insert_node(node))
    }

    /// Adds a node whose name is known to be new.
    fn insert_node(&mut self, node: Node) -> NodeId {
        self.node_up.push(!node.availability.is_never());
        let name = node.name.clone();
        let id = NodeId(self.graph.add_node(node).index() as u32);
        self.by_name.insert(name, id);
        id
    }

    /// Adds a link in one direction.
    pub fn add_link(&mut self, from: NodeId, to: NodeId, link: Link) -> Result<LinkId, TopologyError> {
        if from == to {
            return Err(TopologyError::SelfLoop(self.node(from).name.clone()));
        }
        if self.link_between(from, to).is_some() {
            return Err(TopologyError::DuplicateLink {
                from: self.node(from).name.clone(),
                to: self.node(to).name.clone(),
            });
        }
        Ok(self.insert_link(from, to, link))
    }

    /// Adds a link that is known to be the first from one node to another one.
    fn insert_link(&mut self, from: NodeId, to: NodeId, link: Link) -> LinkId {
        self.link_up.push(true);
        self.cuts.push(0);
        let edge = self.graph.add_edge(NodeIndex::new(from.index()), NodeIndex::new(to.index()), link);
        let link = LinkId(edge.index() as u32);
        self.by_ends.insert((from, to), link);
        link
    }

    /// Adds the same link in both directions; returns the one from `a` to `b` first.
    pub fn add_symmetric(&mut self, a: NodeId, b: NodeId, link: Link) -> Result<(LinkId, LinkId), TopologyError> {
        if self.link_between(b, a).is_some() {
            return Err(TopologyError::DuplicateLink {
                from: self.node(b).name.clone(),
                to: self.node(a).name.clone(),
            });
        }
        let there = self.add_link(a, b, link.clone())?;
        let back = self.add_link(b, a, link)?;
        Ok((there, back))
    }

    /// The petgraph graph underneath: node and edge indices are those of [`NodeId`] and [`LinkId`].
    pub fn graph(&self) -> &DiGraph<Node, Link> {
        &self.graph
    }

    /// Every node, in order of declaration.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.graph.node_weights().enumerate().map(|(i, n)| (NodeId(i as u32), n))
    }

    /// Every link with its ends, in order of declaration.
    pub fn links(&self) -> impl Iterator<Item = (LinkId, NodeId, NodeId, &Link)> {
        self.graph.edge_references().map(|e| {
            (
                LinkId(e.id().index() as u32),
                NodeId(e.source().index() as u32),
                NodeId(e.target().index() as u32),
                e.weight(),
            )
        })
    }

    /// The links that start at a node, each with where it ends.
    pub fn links_from(&self, node: NodeId) -> impl Iterator<Item = (LinkId, NodeId, &Link)> {
        self.graph
            .edges(NodeIndex::new(node.index()))
            .map(|e| (LinkId(e.id().index() as u32), NodeId(e.target().index() as u32), e.weight()))
    }

    /// The links that end at a node.
    pub(crate) fn links_to(&self, node: NodeId) -> impl Iterator<Item = LinkId> {
        let edges = self.graph.edges_directed(NodeIndex::new(node.index()), petgraph::Direction::Incoming);
        edges.map(|edge| LinkId(edge.id().index() as u32))
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.graph.node_count()
    }

    /// How many directed links there are.
    pub fn link_count(&self) -> usize {
        self.graph.edge_count()
    }

    /// The node of that name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// One node. Ids come from this topology, so there is always one.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.graph[NodeIndex::new(id.index())]
    }

    /// One node, to change. Its name stays what it is.
    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.graph[NodeIndex::new(id.index())]
    }

    /// One link. Ids come from this topology, so there is always one.
    pub fn link(&self, id: LinkId) -> &Link {
        &self.graph[EdgeIndex::new(id.index())]
    }

    /// One link, to change.
    pub(crate) fn link_mut(&mut self, id: LinkId) -> &mut Link {
        &mut self.graph[EdgeIndex::new(id.index())]
    }

    /// Where a link starts and ends.
    pub fn ends(&self, id: LinkId) -> (NodeId, NodeId) {
        let edge = &self.graph.raw_edges()[id.index()];
        (NodeId(edge.source().index() as u32), NodeId(edge.target().index() as u32))
    }

    /// The link from `from` to `to`, if there is one.
    pub fn link_between(&self, from: NodeId, to: NodeId) -> Option<LinkId> {
        self.by_ends.get(&(from, to)).copied()
    }

    /// Whether a node is up.
    pub fn is_node_up(&self, id: NodeId) -> bool {
        self.node_up[id.index()]
    }

    /// Whether a link is up and no partition cuts it. Its ends may be down all the same.
    pub fn is_link_up(&self, id: LinkId) -> bool {
        self.link_up[id.index()] && self.cuts[id.index()] == 0
    }

    /// Whether a link is up on its own account, cut by a partition or not.
    pub(crate) fn is_link_sound(&self, id: LinkId) -> bool {
        self.link_up[id.index()]
    }

    /// Takes a node up or down; true if that changed anything.
    pub(crate) fn set_node_up(&mut self, id: NodeId, up: bool) -> bool {
        std::mem::replace(&mut self.node_up[id.index()], up) != up
    }

    /// Takes a link up or down; true if messages notice (a cut link stays cut).
    pub(crate) fn set_link_up(&mut self, id: LinkId, up: bool) -> bool {
        let before = self.is_link_up(id);
        self.link_up[id.index()] = up;
        before != self.is_link_up(id)
    }

    /// Cuts every link between a node of one side and a node of the other; true if messages
    /// notice. A partition that is in force already stays what it is.
    pub(crate) fn partition(&mut self, left: &[NodeId], right: &[NodeId]) -> bool {
        let partition = Partition::between(left, right);
        self.partitions.insert(partition.clone()) && self.cut_across(&partition, |cuts| cuts + 1)
    }

    /// Ends the partition of the same sides; true if messages notice. Links that another partition
    /// cuts too stay cut. Where there is no such partition, nothing happens.
    pub(crate) fn heal(&mut self, left: &[NodeId], right: &[NodeId]) -> bool {
        let partition = Partition::between(left, right);
        self.partitions.remove(&partition) && self.cut_across(&partition, |cuts| cuts - 1)
    }

    /// Changes how often each link across a partition is cut; true if messages notice.
    fn cut_across(&mut self, partition: &Partition, change: impl Fn(u32) -> u32) -> bool {
        let Partition(left, right) = partition;
        let across: Vec<LinkId> = self
            .links()
            .filter(|(_, a, b, _)| left.contains(a) && right.contains(b) || right.contains(a) && left.contains(b))
            .map(|(id, _, _, _)| id)
            .collect();
        let mut noticed = false;
        for link in across {
            let before = self.is_link_up(link);
            self.cuts[link.index()] = change(self.cuts[link.index()]);
            noticed |= before != self.is_link_up(link);
        }
        noticed
    }
}
