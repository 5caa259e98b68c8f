//! Who is called what, and who may speak to whom.

use std::collections::{BTreeMap, HashMap};

use crate::network::positions::Neighbours;
use crate::rules::Ordering;
use crate::simulation::{AppLink, ServiceSpec, StartError};
use crate::topology::Topology;
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
