//! Whether a setup contradicts itself.

use std::collections::{BTreeMap, HashMap};

use crate::changes::Change;
use crate::network::seats::Neighbours;
use crate::rules::Ordering;
use crate::simulation::{AppLink, ServiceSpec, StartError};
use crate::topology::{LinkId, NodeId, Topology};
use crate::trace::ServiceId;

pub(super) fn names_of(
    services: &[ServiceSpec],
    topology: &Topology,
) -> Result<HashMap<String, ServiceId>, StartError> {
    let mut by_name = HashMap::with_capacity(services.len());
    for (index, service) in services.iter().enumerate() {
        if service.node.index() >= topology.node_count() {
            let (index, count) = (service.node.index(), topology.node_count());
            return Err(StartError::OutOfRange { what: "the node of a service", index, count });
        }
        if by_name.insert(service.name.clone(), ServiceId(index as u32)).is_some() {
            return Err(StartError::DuplicateService(service.name.clone()));
        }
    }
    Ok(by_name)
}

/// Whether what a change speaks of is there.
pub(super) fn check_change(change: &Change, topology: &Topology) -> Result<(), StartError> {
    let (nodes, links): (Vec<NodeId>, Vec<LinkId>) = match change {
        Change::NodeDown(node) | Change::NodeUp(node) | Change::Processing(node, _) => (vec![*node], vec![]),
        Change::LinkDown(link)
        | Change::LinkUp(link)
        | Change::Latency(link, _)
        | Change::Bandwidth(link, _)
        | Change::Loss(link, _) => (vec![], vec![*link]),
        Change::Partition { left, right } | Change::Heal { left, right } => ([&left[..], right].concat(), vec![]),
    };
    let node = nodes.iter().map(|node| node.index()).max();
    let link = links.iter().map(|link| link.index()).max();
    let places =
        [("the node of a change", node, topology.node_count()), ("the link of a change", link, topology.link_count())];
    for (what, index, count) in places {
        if let Some(index) = index.filter(|index| *index >= count) {
            return Err(StartError::OutOfRange { what, index, count });
        }
    }
    Ok(())
}

pub(super) fn neighbours_of(links: &[AppLink], count: usize, default: Ordering) -> Result<Vec<Neighbours>, StartError> {
    let mut neighbours: Vec<BTreeMap<ServiceId, Ordering>> = vec![BTreeMap::new(); count];
    for link in links {
        for index in [link.from, link.to] {
            if index >= count {
                return Err(StartError::OutOfRange { what: "an end of an application link", index, count });
            }
        }
        neighbours[link.from].insert(ServiceId(link.to as u32), link.ordering.unwrap_or(default));
    }
    Ok(neighbours.into_iter().map(|map| map.into_iter().collect()).collect())
}
