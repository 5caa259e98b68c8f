//! Who stands where, and to whom each may speak: every message asks for that, and it hardly ever changes.

use std::cell::Cell;

use crate::outcome::Interface;
use crate::rules::Ordering;
use crate::topology::NodeId;
use crate::trace::ServiceId;

/// Whom one service may speak to, sorted; whether messages to each may overtake.
pub(crate) type Neighbours = Box<[(ServiceId, Ordering)]>;

/// One leg of the application graph, by the nodes at its ends.
#[derive(Clone, Copy)]
pub(crate) struct Between {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) unordered: bool,
}

/// Where the services stand, in their order, and then the routers.
pub(crate) struct Positions {
    nodes: Vec<Cell<NodeId>>,
    /// By service; `None` if everyone may speak to everyone.
    neighbours: Option<Vec<Neighbours>>,
    services: usize,
    ordering: Ordering,
}

impl Positions {
    /// The nodes of so many services and of the routers. `neighbours`: for each service, or `None` if everyone
    /// may speak to everyone.
    pub(crate) fn new(
        nodes: impl Iterator<Item = NodeId>,
        services: usize,
        neighbours: Option<Vec<Neighbours>>,
        ordering: Ordering,
    ) -> Self {
        Positions { nodes: nodes.map(Cell::new).collect(), neighbours, services, ordering }
    }

    /// How many services there are, without routers and supervisors.
    pub(crate) fn services(&self) -> usize {
        self.services
    }

    /// Where a service or a router stands. Supervisors, from which nothing is ever said over the network, stand
    /// anywhere.
    pub(crate) fn node_of(&self, service: ServiceId) -> NodeId {
        self.nodes.get(service.index()).map_or(NodeId(0), Cell::get)
    }

    /// A service stands somewhere else from now on.
    pub(super) fn set_node(&self, service: ServiceId, node: NodeId) {
        if let Some(its) = self.nodes.get(service.index()) {
            its.set(node);
        }
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
        let (from_node, to_node) = (self.nodes.get(from.index())?.get(), self.nodes.get(to.index())?.get());
        let ordering = match interface {
            Interface::Control => self.ordering,
            _ => self.ordering_of(from, to, interface, is_reply)?,
        };
        Some(Between { from: from_node, to: to_node, unordered: ordering == Ordering::Unordered })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn three(neighbours: Option<Vec<Neighbours>>) -> Positions {
        // And a router.
        Positions::new([4, 5, 5, 9].map(NodeId).into_iter(), 3, neighbours, Ordering::Ordered)
    }

    #[test]
    fn without_a_graph_everyone_may_speak_to_everyone() {
        let positions = three(None);
        let between = positions.between(ServiceId(0), ServiceId(2), Interface::Mpi, false);
        assert!(between.is_some_and(|Between { from, to, unordered }| (from.0, to.0, unordered) == (4, 5, false)));
        assert_eq!(positions.neighbours(ServiceId(1)), [0, 2].map(ServiceId));
    }

    #[test]
    fn with_a_graph_only_neighbours_do_and_whoever_answers() {
        let own: Neighbours = [(ServiceId(1), Ordering::Unordered)].into();
        let positions = three(Some(vec![own, Neighbours::default(), Neighbours::default()]));
        let from_to = |from, to, is_reply| positions.between(ServiceId(from), ServiceId(to), Interface::Mpi, is_reply);
        assert!(from_to(0, 1, false).is_some_and(|between| between.unordered));
        assert!(from_to(1, 0, false).is_none());
        assert!(from_to(1, 0, true).is_some_and(|between| !between.unordered));
        assert!(from_to(3, 0, false).is_some(), "what a router sends on goes everywhere");
        assert_eq!(positions.neighbours(ServiceId(1)), []);
    }

    #[test]
    fn a_service_moves_and_a_supervisor_stands_nowhere() {
        let positions = three(None);
        positions.set_node(ServiceId(0), NodeId(7));
        positions.set_node(ServiceId(4), NodeId(7));
        assert_eq!([0, 4].map(|seat| positions.node_of(ServiceId(seat))), [7, 0].map(NodeId));
        assert!(positions.between(ServiceId(0), ServiceId(4), Interface::Control, false).is_none());
    }
}
