//! Who stands where, whom they may speak to, and how much they have said.

use crate::network::order::LastDue;
use crate::outcome::Interface;
use crate::rules::Ordering;
use crate::topology::NodeId;
use crate::trace::ServiceId;

/// Something that can be ended from outside.
pub(crate) trait Closable {
    /// Drops it as it is.
    fn close(&self);
    /// Lets it end in an orderly way.
    fn stop(&self);
    /// It is about to end, and takes nothing but answers.
    fn leave(&self);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Running,
    Stopped,
    Crashed,
}

/// Whom one service may speak to, sorted; whether messages to each may overtake.
pub(crate) type Neighbours = Box<[(ServiceId, Ordering)]>;

/// What is written whenever a service sends or gets a message. It fits a cache line: among many
/// services, what a message costs is the lines it touches.
#[derive(Default)]
#[repr(align(64))]
struct Seat {
    sent: u64,
    received: u64,
    last_due: LastDue,
}

/// One leg of the application graph, by the nodes at its ends.
#[derive(Clone, Copy)]
pub(crate) struct Between {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) unordered: bool,
}

/// The services in their order, then one router for each node.
pub(crate) struct Seats {
    nodes: Vec<NodeId>,
    seats: Vec<Seat>,
    presences: Vec<Presence>,
    /// Which incarnation of each there is, counted from 1.
    incarnations: Vec<u32>,
    /// By service; `None` if everyone may speak to everyone.
    neighbours: Option<Vec<Neighbours>>,
    services: usize,
    ordering: Ordering,
}

impl Seats {
    /// `services`: the node of each. `neighbours`: for each, or `None` if everyone may speak to
    /// everyone. `nodes`: how many there are.
    pub(crate) fn new(
        services: &[NodeId],
        neighbours: Option<Vec<Neighbours>>,
        nodes: usize,
        ordering: Ordering,
    ) -> Self {
        let routers = (0..nodes).map(|node| NodeId(node as u32));
        let nodes: Vec<NodeId> = services.iter().copied().chain(routers).collect();
        let mut seats = Vec::new();
        seats.resize_with(nodes.len(), Seat::default);
        let presences = vec![Presence::Running; nodes.len()];
        let incarnations = vec![1; nodes.len()];
        Seats { nodes, seats, presences, incarnations, neighbours, services: services.len(), ordering }
    }

    pub(crate) fn len(&self) -> usize {
        self.seats.len()
    }

    pub(crate) fn node_of(&self, service: ServiceId) -> NodeId {
        self.nodes[service.index()]
    }

    /// Which incarnation of a service there is, counted from 1.
    #[inline]
    pub(crate) fn incarnation(&self, service: ServiceId) -> u32 {
        self.incarnations[service.index()]
    }

    /// The router that a service's node has.
    pub(crate) fn router_of(&self, service: ServiceId) -> ServiceId {
        ServiceId((self.services + self.node_of(service).index()) as u32)
    }

    /// Counts a message that is to leave; `None` if the receiver is not a neighbour. A service is
    /// its own neighbour; the runtime's own traffic and what is said to directories goes everywhere.
    #[inline]
    pub(crate) fn leave(
        &mut self,
        from: ServiceId,
        to: ServiceId,
        interface: Interface,
        is_reply: bool,
    ) -> Option<Between> {
        let target = *self.nodes.get(to.index())?;
        let mut ordering = self.ordering;
        if interface != Interface::Control {
            self.seats[from.index()].sent += 1;
            if let Some(neighbours) = &self.neighbours
                && interface != Interface::Directory
                && from != to
            {
                let neighbours = neighbours.get(from.index())?;
                match neighbours.binary_search_by_key(&to, |(id, _)| *id) {
                    Ok(at) => ordering = neighbours[at].1,
                    Err(_) if is_reply => {}
                    Err(_) => return None,
                }
            }
        }
        Some(Between { from: self.nodes[from.index()], to: target, unordered: ordering == Ordering::Unordered })
    }

    /// When a message that reaches its target at `arrives` is due: not before those that were sent
    /// before it.
    #[inline]
    pub(crate) fn hold(&mut self, from: ServiceId, to: ServiceId, now: u64, arrives: u64) -> u64 {
        self.seats[from.index()].last_due.hold(to, now, arrives)
    }

    /// The last message of a pair is due at another time than it was: some were lost.
    pub(crate) fn set_last_due(&mut self, from: ServiceId, to: ServiceId, due: u64) {
        self.seats[from.index()].last_due.set(to, due);
    }

    pub(crate) fn count_sent(&mut self, from: ServiceId) {
        self.seats[from.index()].sent += 1;
    }

    #[inline]
    pub(crate) fn count_received(&mut self, to: ServiceId, interface: Interface) {
        if interface != Interface::Control {
            self.seats[to.index()].received += 1;
        }
    }

    /// Messages a service sent and got.
    pub(crate) fn counts(&self, service: ServiceId) -> (u64, u64) {
        let seat = &self.seats[service.index()];
        (seat.sent, seat.received)
    }

    pub(crate) fn presence(&self, service: ServiceId) -> Presence {
        self.presences[service.index()]
    }

    pub(crate) fn set_presence(&mut self, service: ServiceId, presence: Presence) {
        self.presences[service.index()] = presence;
    }

    /// A service is there again, as another incarnation.
    pub(crate) fn revive(&mut self, service: ServiceId) {
        self.presences[service.index()] = Presence::Running;
        let incarnation = &mut self.incarnations[service.index()];
        *incarnation = incarnation.wrapping_add(1).max(1);
    }

    /// A service stands somewhere else from now on.
    pub(crate) fn set_node(&mut self, service: ServiceId, node: NodeId) {
        self.nodes[service.index()] = node;
    }

    /// Adds seats from which nothing is ever said over the network; returns the first.
    pub(crate) fn add_silent(&mut self, count: usize) -> ServiceId {
        let first = ServiceId(self.nodes.len() as u32);
        let len = self.nodes.len() + count;
        self.nodes.resize(len, NodeId(0));
        self.seats.resize_with(len, Seat::default);
        self.presences.resize(len, Presence::Running);
        self.incarnations.resize(len, 1);
        first
    }

    /// Everyone a service may speak to but itself, in order of declaration.
    pub(crate) fn neighbours(&self, service: ServiceId) -> Vec<ServiceId> {
        match &self.neighbours {
            Some(neighbours) => {
                let own = neighbours.get(service.index()).map(|own| &**own).unwrap_or_default();
                own.iter().map(|(id, _)| *id).filter(|id| *id != service).collect()
            }
            None => (0..self.services as u32).map(ServiceId).filter(|id| *id != service).collect(),
        }
    }
}
