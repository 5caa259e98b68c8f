//! How the network changes while a run goes on, and whom it strikes: scheduled faults and drawn
//! policies.
//!
//! May use: [`crate::topology`], [`crate::random`], [`crate::units`], and the ids of
//! [`crate::trace`]. Who asks for a change, and when, is the business of the actor that holds the
//! topology; what it does to services, of whoever starts and ends them.

mod policies;

pub use self::policies::{Factor, FactorError, Policy, PolicyState};
use crate::topology::{LinkId, NodeId, Topology};
use crate::trace::ServiceId;
use crate::units::{Bandwidth, Probability, SimDuration, SimTime};

/// One change of the network, or a blow to what runs on it.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The node is out of reach: nothing starts, ends or passes there. What runs on it runs on.
    NodeDown(NodeId),
    /// The node is within reach again.
    NodeUp(NodeId),
    /// The node goes down, and every service on it dies.
    NodeCrash(NodeId),
    /// The node comes up, and the services that died with it come back.
    NodeRestart(NodeId),
    /// The service dies. The network stays as it is.
    Kill(ServiceId),
    /// The supervisor of this name dies, and all below it. The network stays as it is.
    KillSupervisor(String),
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
            Change::NodeCrash(_) => "node crash",
            Change::NodeRestart(_) => "node restart",
            Change::Kill(_) => "kill",
            Change::KillSupervisor(_) => "kill supervisor",
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

    /// Whether services may die or come back by it.
    pub(crate) fn strikes(&self) -> bool {
        matches!(self, Change::NodeCrash(_) | Change::NodeRestart(_) | Change::Kill(_) | Change::KillSupervisor(_))
    }

    /// Whether it can cut off what is on its way.
    pub(crate) fn cuts(&self) -> bool {
        matches!(self, Change::NodeDown(_) | Change::NodeCrash(_) | Change::LinkDown(_) | Change::Partition { .. })
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

/// Carries out what a change does to the network. True if any route, price or reachability may differ afterwards; false if
/// all is as it was, as when a node that is down is taken down, or a service is killed.
pub fn apply(topology: &mut Topology, change: &Change) -> bool {
    /// Puts the new value in place; true if it is another one.
    fn set<T: PartialEq + Copy>(place: &mut T, value: T) -> bool {
        std::mem::replace(place, value) != value
    }
    match *change {
        Change::NodeDown(node) | Change::NodeCrash(node) => topology.set_node_up(node, false),
        Change::NodeUp(node) | Change::NodeRestart(node) => topology.set_node_up(node, true),
        Change::Kill(_) | Change::KillSupervisor(_) => false,
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

/// Spells a change out for the trace: `node edge-3 down`, `latency a->b 12ms`, `kill cart`. Values are
/// printed to their last digit. `services` has their names, by [`ServiceId::index`].
pub fn describe(topology: &Topology, services: &[String], change: &Change) -> String {
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
        Change::NodeCrash(id) => format!("node {} crash", node(id)),
        Change::NodeRestart(id) => format!("node {} restart", node(id)),
        Change::Kill(id) => format!("kill {}", services.get(id.index()).map_or("?", String::as_str)),
        Change::KillSupervisor(ref name) => format!("kill supervisor {name}"),
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
