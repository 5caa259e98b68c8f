//! Who stands where, whom they may speak to, and how much they have said.

use crate::outcome::Interface;
use crate::simulation::Ordering;
use crate::topology::NodeId;
use crate::trace::ServiceId;

/// Something that can be ended from outside.
pub(crate) trait Closable {
    /// Drops it as it is.
    fn close(&self);
    /// Lets it end in an orderly way.
    fn stop(&self);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Running,
    Stopped,
    Crashed,
}

/// Whom one service may speak to, sorted; whether messages to each may overtake.
pub(crate) type Neighbours = Box<[(ServiceId, Ordering)]>;

struct Seat {
    node: NodeId,
    presence: Presence,
    sent: u64,
    received: u64,
    neighbours: Option<Neighbours>,
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
    seats: Vec<Seat>,
    services: usize,
    ordering: Ordering,
}

impl Seats {
    /// `services`: the node of each. `neighbours`: for each, or `None` if everyone may speak to
    /// everyone.
    pub(crate) fn new(
        services: &[NodeId],
        neighbours: Option<Vec<Neighbours>>,
        nodes: usize,
        ordering: Ordering,
    ) -> Self {
        let mut neighbours = neighbours.map(Vec::into_iter);
        let seat = |node, neighbours| Seat { node, presence: Presence::Running, sent: 0, received: 0, neighbours };
        let mut seats: Vec<Seat> = services
            .iter()
            .map(|node| seat(*node, neighbours.as_mut().map(|n| n.next().unwrap_or_default())))
            .collect();
        seats.extend((0..nodes).map(|node| seat(NodeId(node as u32), None)));
        Seats { seats, services: services.len(), ordering }
    }

    pub(crate) fn len(&self) -> usize {
        self.seats.len()
    }

    pub(crate) fn node_of(&self, service: ServiceId) -> NodeId {
        self.seats[service.index()].node
    }

    /// The router that a service's node has.
    pub(crate) fn router_of(&self, service: ServiceId) -> ServiceId {
        ServiceId((self.services + self.node_of(service).index()) as u32)
    }

    /// Counts a message that is to leave; `None` if the receiver is not a neighbour. A service is
    /// its own neighbour, and the runtime's own traffic goes everywhere.
    #[inline]
    pub(crate) fn leave(
        &mut self,
        from: ServiceId,
        to: ServiceId,
        interface: Interface,
        is_reply: bool,
    ) -> Option<Between> {
        let target = self.seats.get(to.index())?.node;
        let seat = &mut self.seats[from.index()];
        let mut ordering = self.ordering;
        if interface != Interface::Control {
            seat.sent += 1;
            if let Some(neighbours) = &seat.neighbours
                && from != to
            {
                match neighbours.binary_search_by_key(&to, |(id, _)| *id) {
                    Ok(at) => ordering = neighbours[at].1,
                    Err(_) if is_reply => {}
                    Err(_) => return None,
                }
            }
        }
        Some(Between { from: seat.node, to: target, unordered: ordering == Ordering::Unordered })
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
        self.seats[service.index()].presence
    }

    pub(crate) fn set_crashed(&mut self, service: ServiceId) {
        self.seats[service.index()].presence = Presence::Crashed;
    }

    pub(crate) fn set_stopped(&mut self, service: ServiceId) {
        let seat = &mut self.seats[service.index()];
        if seat.presence == Presence::Running {
            seat.presence = Presence::Stopped;
        }
    }

    /// Everyone a service may speak to but itself, in order of declaration.
    pub(crate) fn neighbours(&self, service: ServiceId) -> Vec<ServiceId> {
        match self.seats.get(service.index()).and_then(|seat| seat.neighbours.as_ref()) {
            Some(neighbours) => neighbours.iter().map(|(id, _)| *id).filter(|id| *id != service).collect(),
            None => (0..self.services as u32).map(ServiceId).filter(|id| *id != service).collect(),
        }
    }
}
