//! Where everybody stands and has its connections.

use std::collections::{BTreeMap, BTreeSet};

use crate::network::positions::{Neighbours, Positions};
use crate::network::seats::Seats;
use crate::router::book::{AddressBook, Entrant};
use crate::router::{KnownDirectory, MachineId, RouterId, Routing, Standing};
use crate::rules::Ordering;
use crate::simulation::{ServiceSpec, StartError};
use crate::topology::{NodeId, Topology};
use crate::trace::ServiceId;

/// Every router, by node and number: router 0 of each node, then the further ones.
pub(super) fn routers_of(services: &[ServiceSpec], topology: &Topology) -> Vec<(NodeId, RouterId)> {
    let further: BTreeSet<(NodeId, RouterId)> =
        services.iter().filter(|spec| spec.router != RouterId(0)).map(|spec| (spec.node, spec.router)).collect();
    topology.nodes().map(|(node, _)| (node, RouterId(0))).chain(further).collect()
}

/// Where everybody stands and has its connections.
pub(super) fn places(
    services: &[ServiceSpec],
    routers: &[(NodeId, RouterId)],
    routing: Routing,
    neighbours: Option<Vec<Neighbours>>,
    ordering: Ordering,
) -> (Positions, Seats, AddressBook) {
    let seats_of_routers: BTreeMap<(NodeId, RouterId), ServiceId> =
        routers.iter().zip(services.len()..).map(|(at, index)| (*at, ServiceId(index as u32))).collect();
    let at = services.iter().map(|spec| (spec.node, spec.router)).chain(routers.iter().copied());
    let positions = Positions::new(at.clone().map(|(node, _)| node), services.len(), neighbours, ordering);
    let seats = Seats::new(at.map(|at| seats_of_routers[&at]));
    let entrant = |spec: &ServiceSpec| {
        let standing = Standing { vnets: spec.vnets.clone(), permissions: spec.permissions.clone() };
        Entrant { machine: spec.node.into(), router: spec.router, standing }
    };
    let pages = seats_of_routers.into_iter().map(|((node, router), seat)| ((MachineId::from(node), router), seat));
    (positions, seats, AddressBook::new(pages, services.iter().map(entrant).collect(), routing))
}

/// Whether the machines and services that the routing speaks of are there.
pub(super) fn check_routing(routing: &Routing, topology: &Topology, services: usize) -> Result<(), StartError> {
    let gateways = routing.gateways.iter().flat_map(|(from, by)| [*from, *by]).max();
    let directories = routing.directories.iter().filter_map(|known| match known {
        KnownDirectory::Service(index) => Some(*index),
        KnownDirectory::At(_) => None,
    });
    let places =
        [("a gateway or its machine", gateways, topology.node_count()), ("a directory", directories.max(), services)];
    for (what, index, count) in places {
        if let Some(index) = index.filter(|index| *index >= count) {
            return Err(StartError::OutOfRange { what, index, count });
        }
    }
    Ok(())
}
