//! Who stands where, whom they may speak to, and how much they have said.

use std::cell::Cell;

use prefetch_index::prefetch_index;

use crate::network::order::LastDue;
use crate::outcome::Interface;
use crate::rules::Ordering;
use crate::topology::NodeId;
use crate::trace::ServiceId;

/// Something that can be ended from outside.
pub(crate) trait Closable {
    /// Begins its life.
    fn start(&self);
    /// Drops it as it is.
    fn close(&self);
    /// Lets it end in an orderly way.
    fn stop(&self);
    /// It is about to end, and takes nothing but answers.
    fn leave(&self);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It has yet to begin.
    Expected,
    Running,
    Stopped,
    Crashed,
}

/// Whom one service may speak to, sorted; whether messages to each may overtake.
pub(crate) type Neighbours = Box<[(ServiceId, Ordering)]>;

/// What is written when a service sends a message that might overtake another, and what fits beside that. It is
/// a cache line: among many services, what a message costs is the lines it touches.
#[repr(align(64))]
struct Seat {
    last_due: LastDue,
    presence: Presence,
    /// Which incarnation there is, counted from 1.
    incarnation: u32,
    /// Where it has its connections; a router's is itself.
    router: ServiceId,
}

const _: () = assert!(size_of::<Seat>() == 64);

impl Seat {
    fn new(router: ServiceId) -> Self {
        let last_due = LastDue::default();
        Seat { last_due, presence: Presence::Running, incarnation: 1, router }
    }
}

/// How many messages each has sent and got: what is written for every message, and nothing else. Seats that were
/// [added](Seats::add_silent) since have neither.
pub(crate) struct Tallies(Vec<Tally>);

#[derive(Clone, Default)]
struct Tally {
    sent: Cell<u64>,
    received: Cell<u64>,
}

impl Tallies {
    pub(crate) fn new(seats: usize) -> Self {
        Tallies(vec![Tally::default(); seats])
    }

    #[inline]
    pub(crate) fn count_sent(&self, from: ServiceId) {
        if let Some(Tally { sent, .. }) = self.0.get(from.index()) {
            sent.set(sent.get() + 1);
        }
    }

    #[inline]
    pub(crate) fn count_received(&self, to: ServiceId) {
        if let Some(Tally { received, .. }) = self.0.get(to.index()) {
            received.set(received.get() + 1);
        }
    }

    /// Messages a service sent and got.
    pub(crate) fn of(&self, service: ServiceId) -> (u64, u64) {
        self.0.get(service.index()).map_or((0, 0), |tally| (tally.sent.get(), tally.received.get()))
    }

    /// Lets the processor fetch what is written when a service gets a message.
    #[inline]
    pub(crate) fn fetch(&self, to: ServiceId) {
        prefetch_index(&self.0, to.index());
    }
}

/// One leg of the application graph, by the nodes at its ends.
#[derive(Clone, Copy)]
pub(crate) struct Between {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) unordered: bool,
}

/// The services in their order, then the routers.
pub(crate) struct Seats {
    /// Apart from the rest, as every message asks for that of its receiver: this way it is at hand.
    nodes: Vec<NodeId>,
    seats: Vec<Seat>,
    /// By service; `None` if everyone may speak to everyone.
    neighbours: Option<Vec<Neighbours>>,
    services: usize,
    ordering: Ordering,
}

impl Seats {
    /// `services`: the node of each, and its router. `neighbours`: for each, or `None` if everyone may
    /// speak to everyone. `routers`: the node of each.
    pub(crate) fn new(
        services: Vec<(NodeId, ServiceId)>,
        neighbours: Option<Vec<Neighbours>>,
        routers: impl ExactSizeIterator<Item = NodeId>,
        ordering: Ordering,
    ) -> Self {
        let services_and_routers = services.len() + routers.len();
        let mut nodes = Vec::with_capacity(services_and_routers);
        let mut seats = Vec::with_capacity(services_and_routers);
        for (node, router) in &services {
            nodes.push(*node);
            seats.push(Seat::new(*router));
        }
        for (node, seat) in routers.zip(services.len() as u32..) {
            nodes.push(node);
            seats.push(Seat::new(ServiceId(seat)));
        }
        Seats { nodes, seats, neighbours, services: services.len(), ordering }
    }

    pub(crate) fn len(&self) -> usize {
        self.seats.len()
    }

    /// How many services there are, without routers and supervisors.
    pub(crate) fn services(&self) -> usize {
        self.services
    }

    pub(crate) fn node_of(&self, service: ServiceId) -> NodeId {
        self.nodes[service.index()]
    }

    /// Which incarnation of a service there is, counted from 1.
    #[inline]
    pub(crate) fn incarnation(&self, service: ServiceId) -> u32 {
        self.seats[service.index()].incarnation
    }

    /// The router that a service has its connections at.
    pub(crate) fn router_of(&self, service: ServiceId) -> ServiceId {
        self.seats[service.index()].router
    }

    /// Whether one may speak to another. A service is its own neighbour; the runtime's own traffic,
    /// what is said to directories, and what routers send on goes everywhere.
    pub(crate) fn may_speak(&self, from: ServiceId, to: ServiceId, interface: Interface, is_reply: bool) -> bool {
        interface == Interface::Control || self.ordering_of(from, to, interface, is_reply).is_some()
    }

    /// How messages between two are ordered; `None` if the receiver is not a neighbour.
    #[inline]
    fn ordering_of(&self, from: ServiceId, to: ServiceId, interface: Interface, is_reply: bool) -> Option<Ordering> {
        let Some(neighbours) = &self.neighbours else { return Some(self.ordering) };
        if interface == Interface::Directory || from == to || from.index().max(to.index()) >= self.services {
            return Some(self.ordering);
        }
        let neighbours = neighbours.get(from.index())?;
        match neighbours.binary_search_by_key(&to, |(id, _)| *id) {
            Ok(at) => Some(neighbours[at].1),
            Err(_) => is_reply.then_some(self.ordering),
        }
    }

    /// Where a message goes; `None` if the receiver is [not a neighbour](Self::may_speak).
    #[inline]
    pub(crate) fn between(
        &self,
        from: ServiceId,
        to: ServiceId,
        interface: Interface,
        is_reply: bool,
    ) -> Option<Between> {
        let (from_node, to_node) = (*self.nodes.get(from.index())?, *self.nodes.get(to.index())?);
        let ordering = match interface {
            Interface::Control => self.ordering,
            _ => self.ordering_of(from, to, interface, is_reply)?,
        };
        Some(Between { from: from_node, to: to_node, unordered: ordering == Ordering::Unordered })
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

    pub(crate) fn presence(&self, service: ServiceId) -> Presence {
        self.seats[service.index()].presence
    }

    /// Everybody's.
    pub(crate) fn presences(&self) -> Vec<Presence> {
        self.seats.iter().map(|seat| seat.presence).collect()
    }

    pub(crate) fn set_presence(&mut self, service: ServiceId, presence: Presence) {
        self.seats[service.index()].presence = presence;
    }

    /// A service is there again, as another incarnation.
    pub(crate) fn revive(&mut self, service: ServiceId) {
        let seat = &mut self.seats[service.index()];
        seat.presence = Presence::Running;
        seat.incarnation = seat.incarnation.wrapping_add(1).max(1);
    }

    /// A service stands somewhere else from now on, and has its connections at that router there.
    pub(crate) fn set_node(&mut self, service: ServiceId, node: NodeId, router: ServiceId) {
        self.nodes[service.index()] = node;
        self.seats[service.index()].router = router;
    }

    /// Adds seats from which nothing is ever said over the network; returns the first.
    pub(crate) fn add_silent(&mut self, count: usize) -> ServiceId {
        let first = self.nodes.len() as u32;
        // A vector that grows by itself takes twice the room.
        self.nodes.reserve_exact(count);
        self.seats.reserve_exact(count);
        for seat in (first..).take(count) {
            self.nodes.push(NodeId(0));
            self.seats.push(Seat::new(ServiceId(seat)));
        }
        ServiceId(first)
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
