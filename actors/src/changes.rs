//! How the network changes while a run goes on: scheduled faults and drawn policies.
//!
//! May use: [`crate::topology`], [`crate::random`], [`crate::units`]. Who asks for a change, and
//! when, is the business of the actor that holds the topology.

mod policies;

pub use self::policies::{Factor, FactorError, Policy, PolicyState};
use crate::topology::{LinkId, NodeId, Topology};
use crate::units::{Bandwidth, Probability, SimDuration, SimTime};

/// One change of the network.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The node stops: nothing starts, ends or passes there.
    NodeDown(NodeId),
    /// The node runs again.
    NodeUp(NodeId),
    /// The link carries nothing.
    LinkDown(LinkId),
    /// The link carries again, unless a partition cuts it.
    LinkUp(LinkId),
    /// Cuts every link between a node of one side and a node of the other.
    Partition {
        /// One side.
        left: Vec<NodeId>,
        /// The other.
        right: Vec<NodeId>,
    },
    /// Mends the partition of the same sides, whichever is named first. Links that another
    /// partition cuts too stay cut.
    Heal {
        /// One side.
        left: Vec<NodeId>,
        /// The other.
        right: Vec<NodeId>,
    },
    /// The link's latency from now on.
    Latency(LinkId, SimDuration),
    /// The link's bandwidth from now on.
    Bandwidth(LinkId, Bandwidth),
    /// The link's loss from now on.
    Loss(LinkId, Probability),
    /// The node's processing time from now on. By drift only.
    Processing(NodeId, SimDuration),
}

impl Change {
    /// What sort of change it is, to count in reports.
    pub fn kind(&self) -> &'static str {
        match self {
            Change::NodeDown(_) => "node down",
            Change::NodeUp(_) => "node up",
            Change::LinkDown(_) => "link down",
            Change::LinkUp(_) => "link up",
            Change::Partition { .. } => "partition",
            Change::Heal { .. } => "heal",
            Change::Latency(..) => "link latency",
            Change::Bandwidth(..) => "link bandwidth",
            Change::Loss(..) => "link loss",
            Change::Processing(..) => "node processing",
        }
    }
}

/// A change at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledChange {
    /// When it happens.
    pub at: SimTime,
    /// What happens.
    pub change: Change,
}

/// Carries out a change. True if any route, price or reachability may differ afterwards; false if
/// all is as it was, as when a node that is down is taken down.
pub fn apply(topology: &mut Topology, change: &Change) -> bool {
    /// Puts the new value in place; true if it is another one.
    fn set<T: PartialEq + Copy>(place: &mut T, value: T) -> bool {
        std::mem::replace(place, value) != value
    }
    match *change {
        Change::NodeDown(node) => topology.set_node_up(node, false),
        Change::NodeUp(node) => topology.set_node_up(node, true),
        Change::LinkDown(link) => topology.set_link_up(link, false),
        Change::LinkUp(link) => topology.set_link_up(link, true),
        Change::Partition { ref left, ref right } => topology.partition(left, right),
        Change::Heal { ref left, ref right } => topology.heal(left, right),
        Change::Latency(link, latency) => set(&mut topology.link_mut(link).latency, latency),
        Change::Bandwidth(link, bandwidth) => set(&mut topology.link_mut(link).bandwidth, bandwidth),
        Change::Loss(link, loss) => set(&mut topology.link_mut(link).loss, loss),
        Change::Processing(node, time) => set(&mut topology.node_mut(node).processing, time),
    }
}

/// Spells a change out for the trace: `node edge-3 down`, `latency a->b 12ms`. Values are printed
/// to their last digit.
pub fn describe(topology: &Topology, change: &Change) -> String {
    let node = |id: NodeId| topology.node(id).name.as_str();
    let link = |id: LinkId| {
        let (from, to) = topology.ends(id);
        format!("{}->{}", node(from), node(to))
    };
    let sides = |left: &[NodeId], right: &[NodeId]| {
        let side = |ids: &[NodeId]| ids.iter().map(|&id| node(id)).collect::<Vec<_>>().join(",");
        format!("{{{}}}|{{{}}}", side(left), side(right))
    };
    match *change {
        Change::NodeDown(id) => format!("node {} down", node(id)),
        Change::NodeUp(id) => format!("node {} up", node(id)),
        Change::LinkDown(id) => format!("link {} down", link(id)),
        Change::LinkUp(id) => format!("link {} up", link(id)),
        Change::Partition { ref left, ref right } => format!("partition {}", sides(left, right)),
        Change::Heal { ref left, ref right } => format!("heal {}", sides(left, right)),
        Change::Latency(id, latency) => format!("latency {} {latency:#}", link(id)),
        Change::Bandwidth(id, bandwidth) => format!("bandwidth {} {bandwidth:#}", link(id)),
        Change::Loss(id, loss) => format!("loss {} {loss}", link(id)),
        Change::Processing(id, time) => format!("processing {} {time:#}", node(id)),
    }
}

#[cfg(test)]
mod tests;
