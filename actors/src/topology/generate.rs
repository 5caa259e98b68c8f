//! Networks drawn from a seed: star, hierarchical, random, scale-free, small-world, fat-tree.
//!
//! A network comes about in two steps: a [`Shape`] says which nodes there are and which are joined,
//! then [`Draws`] says what each node and link is given. Each kind of value has a random stream of
//! its own, so that other latencies do not mean other bandwidths, and the shape stays what it is.
//!
//! Every network is connected, and no two links run from one node to the same other one.

mod plan;
mod rows;
mod shapes;
mod values;

use self::values::{LinkDraws, NodeDraws};
use crate::random::Streams;
use crate::topology::{Resources, Topology};
use crate::units::{Bytes, Cores, Probability, SimDuration};

/// The most nodes that a generated network may have.
pub const MOST_NODES: u32 = 100_000;

/// The most links, counted in one direction each, that a generated network may have.
pub const MOST_LINKS: u32 = 1_000_000;

/// A family of networks and its parameters.
///
/// Names of nodes and groups are those that ECLYPSE's builders give, where it has such a builder.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// One centre, every other node joined to it: `center` and `outer_0`, `outer_1`, ..., in the
    /// groups `center` and `outer`.
    Star {
        /// How many nodes there are, the centre included.
        nodes: u32,
    },
    /// Nodes in groups, called levels; every level is joined to the next. The nodes of the first
    /// level are `l0_0`, `l0_1`, ... in the group `l0`, those of the second `l1_0`, ... in `l1`.
    Hierarchical {
        /// How many nodes there are.
        nodes: u32,
        /// The share of each group; the shares add up to 1. Each group has its share of the nodes,
        /// rounded down, and the last has what is left.
        partition: Vec<f64>,
        /// The chance of each link between two nodes of adjacent groups. A node that would have no
        /// link to the group before its own, or to the one after, is given one.
        joined: Probability,
        /// The chance of each link within a group.
        within: Probability,
    },
    /// Every pair joined with the same chance (P. Erdős and A. Rényi, "On Random Graphs I", 1959;
    /// E. N. Gilbert's form), made connected by a link to each part that would stand apart. The
    /// nodes are `n0`, `n1`, ...
    Random {
        /// How many nodes there are.
        nodes: u32,
        /// The chance of each link.
        chance: Probability,
    },
    /// Preferential attachment (A.-L. Barabási and R. Albert, "Emergence of Scaling in Random
    /// Networks", 1999): each new node joins old ones, each as likely as it has links. It grows
    /// from a star of `attachments + 1` nodes. The nodes are `n0`, `n1`, ...
    ScaleFree {
        /// How many nodes there are.
        nodes: u32,
        /// How many old nodes each new one joins; at least 1 and less than `nodes`.
        attachments: u32,
    },
    /// A ring in which each node is joined to its nearest neighbours, and some links are then led
    /// elsewhere (D. J. Watts and S. H. Strogatz, "Collective dynamics of 'small-world' networks",
    /// 1998), made connected like [`Shape::Random`]. The nodes are `n0`, `n1`, ...
    SmallWorld {
        /// How many nodes there are.
        nodes: u32,
        /// How many neighbours each node has before rewiring: even, at least 2, less than `nodes`.
        neighbours: u32,
        /// The chance that the far end of a link is moved to any other node.
        rewiring: Probability,
    },
    /// The k-ary fat tree of data centres (M. Al-Fares, A. Loukissas and A. Vahdat, "A Scalable,
    /// Commodity Data Center Network Architecture", 2008): (k/2)² core switches, and k pods of k/2
    /// aggregation switches, k/2 edge switches and (k/2)² hosts. The nodes are `core_0`, ... in the
    /// group `core`, and `agg_0_0`, `edge_0_0`, `host_0_0_0`, ... in the group of their pod, `pod_0`.
    FatTree {
        /// How many ports each switch has: even, at least 2.
        k: u32,
    },
}

/// An inclusive range to draw whole numbers from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range<T> {
    /// The least that is drawn.
    pub low: T,
    /// The most that is drawn.
    pub high: T,
}

/// What nodes and links of a generated network are given. Everything is drawn uniformly.
#[derive(Clone, Debug, PartialEq)]
pub struct Draws {
    /// Drawn in whole milliseconds, or in whole micro- or nanoseconds where an end is that fine.
    /// Default 1 to 40 ms.
    pub latency: Range<SimDuration>,
    /// Drawn in whole Mbit/s. Default 50 to 1500 Mbit/s. `None` is unlimited.
    pub bandwidth: Option<Range<u64>>,
    /// Drawn like the latency. Default 1 to 25 ms.
    pub processing: Range<SimDuration>,
    /// What every node has. Cores are drawn whole, memory and disk in whole GiB, or finer where an
    /// end is. Default 2 to 256 cores and graphics processors, 2 to 1024 GiB of memory, 2 to 4096
    /// GiB of disk.
    pub resources: Range<Resources>,
    /// Whether both directions of a link are the same. Otherwise each is drawn. Default true.
    pub symmetric: bool,
}

impl Default for Draws {
    /// The ranges of ECLYPSE's default assets. (It draws resources from the powers of two in them.)
    fn default() -> Self {
        let millis = |low, high| Range { low: SimDuration::from_millis(low), high: SimDuration::from_millis(high) };
        let resources = |cores, ram, storage| Resources {
            cpu: Cores::new(cores),
            gpu: Cores::new(cores),
            ram: Bytes(ram * GIB),
            storage: Bytes(storage * GIB),
        };
        Draws {
            latency: millis(1, 40),
            bandwidth: Some(Range { low: 50, high: 1500 }),
            processing: millis(1, 25),
            resources: Range { low: resources(2, 2, 2), high: resources(256, 1024, 4096) },
            symmetric: true,
        }
    }
}

/// Why no such network can be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GenerateError {
    /// A network of nothing.
    #[error("a network needs at least one node")]
    NoNodes,
    /// More nodes than [`MOST_NODES`].
    #[error("this network would have {nodes} nodes; the most is {MOST_NODES}")]
    TooManyNodes {
        /// How many it would have.
        nodes: u128,
    },
    /// More links than [`MOST_LINKS`].
    #[error(
        "this network of {nodes} nodes would have more than {MOST_LINKS} links; ask for fewer nodes, or for fewer links \
         at each"
    )]
    TooManyLinks {
        /// How many nodes it would have.
        nodes: u32,
    },
    /// A group's share is no share.
    #[error("the share of group {group} is {share}; a share is more than 0 and at most 1")]
    NoShare {
        /// Its position in the partition, from 0.
        group: usize,
        /// Its share.
        share: f64,
    },
    /// The shares leave nodes over, or hand out more than there are.
    #[error("the shares of the groups add up to {sum}; they must add up to 1")]
    SharesSum {
        /// What they add up to.
        sum: f64,
    },
    /// There are no shares.
    #[error("the partition has no groups; give the share of each group, such as [0.6, 0.4]")]
    NoGroups,
    /// A share comes to less than one node, so that its neighbours could not be joined.
    #[error("group {group} would be empty: {share} of {nodes} nodes is less than one; give it more, or leave it out")]
    EmptyGroup {
        /// Its position in the partition, from 0.
        group: usize,
        /// Its share.
        share: f64,
        /// How many nodes there are.
        nodes: u32,
    },
    /// A new node cannot join that many others.
    #[error("{attachments} attachments: must be at least 1 and less than the number of nodes, {nodes}")]
    Attachments {
        /// How many were asked for.
        attachments: u32,
        /// How many nodes there are.
        nodes: u32,
    },
    /// A node in a ring cannot have that many neighbours, as many on either side.
    #[error("{neighbours} neighbours: must be even, at least 2 and less than the number of nodes, {nodes}")]
    Neighbours {
        /// How many were asked for.
        neighbours: u32,
        /// How many nodes there are.
        nodes: u32,
    },
    /// Half of a switch's ports lead up, half down.
    #[error("a fat tree of {k}-port switches: the number of ports must be even and at least 2")]
    Ports {
        /// How many ports were asked for.
        k: u32,
    },
    /// The ends of a range are the wrong way round.
    #[error("{what} from {low} to {high}: the lower end comes first")]
    Backwards {
        /// What was to be drawn.
        what: &'static str,
        /// The end that stands first.
        low: String,
        /// The end that stands last.
        high: String,
    },
    /// A link that nothing would get through might be drawn.
    #[error("bandwidth from 0Mbit/s: nothing would ever get through; draw from 1Mbit/s or more")]
    ZeroBandwidth,
    /// More bits a second than can be held.
    #[error("bandwidth to {mbits}Mbit/s is too large; the most is {}Mbit/s, or leave it unlimited", u64::MAX / MBIT)]
    BandwidthTooLarge {
        /// The upper end.
        mbits: u64,
    },
}

const MBIT: u64 = 1_000_000;
const GIB: u64 = 1 << 30;

/// Draws the network of the given shape. The same arguments give the same network.
///
/// ```
/// use rehearsal_actors::random::Streams;
/// use rehearsal_actors::topology::generate::{Draws, Shape, generate};
///
/// let network = generate(&Shape::Star { nodes: 4 }, &Draws::default(), &Streams::new(7))?;
/// assert_eq!((network.node_count(), network.link_count()), (4, 6));
/// assert!(network.find("outer_2").is_some());
/// # Ok::<(), rehearsal_actors::topology::generate::GenerateError>(())
/// ```
pub fn generate(shape: &Shape, draws: &Draws, streams: &Streams) -> Result<Topology, GenerateError> {
    let mut nodes = NodeDraws::new(draws, streams)?;
    let mut links = LinkDraws::new(draws, streams)?;
    let plan = shapes::plan(shape, &mut streams.stream("network:shape"))?;

    let mut topology = Topology::new();
    let ids: Vec<_> =
        plan.nodes.into_iter().map(|node| topology.insert_node(nodes.draw(node.name, node.group))).collect();
    for (a, b) in plan.pairs {
        let (a, b) = (ids[a as usize], ids[b as usize]);
        let there = links.draw();
        let back = if draws.symmetric { there.clone() } else { links.draw() };
        topology.insert_link(a, b, there);
        topology.insert_link(b, a, back);
    }
    Ok(topology)
}

#[cfg(test)]
mod tests;
