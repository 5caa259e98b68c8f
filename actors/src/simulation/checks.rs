//! Whether what a setup's changes, policies and monitors speak of is there.

use std::collections::BTreeSet;

use crate::changes::{Change, Policy};
use crate::simulation::{Setup, StartError};
use crate::supervision::Supervisor;
use crate::supervision::root::services_of;
use crate::topology::{LinkId, NodeId};
use crate::trace::ServiceId;

/// Looks at all of them.
pub(super) fn check(setup: &Setup) -> Result<(), StartError> {
    setup.changes.iter().try_for_each(|scheduled| check_change(&scheduled.change, setup))?;
    setup.policies.iter().try_for_each(|policy| match policy {
        Policy::Kill { services, .. } => check_places(&[], &[], services, setup),
        Policy::Flap { .. } | Policy::Drift { .. } => Ok(()),
    })?;
    setup.supervision.as_ref().map_or(Ok(()), |root| check_tree(root, setup))?;
    let watched: Vec<ServiceId> = setup.monitors.iter().filter_map(|monitor| monitor.service).collect();
    check_places(&[], &[], &watched, setup)
}

fn check_change(change: &Change, setup: &Setup) -> Result<(), StartError> {
    match change {
        Change::NodeDown(node)
        | Change::NodeUp(node)
        | Change::NodeCrash(node)
        | Change::NodeRestart(node)
        | Change::Processing(node, _) => check_places(&[*node], &[], &[], setup),
        Change::LinkDown(link)
        | Change::LinkUp(link)
        | Change::Latency(link, _)
        | Change::Bandwidth(link, _)
        | Change::Loss(link, _) => check_places(&[], &[*link], &[], setup),
        Change::Partition { left, right } | Change::Heal { left, right } => {
            check_places(&[&left[..], right].concat(), &[], &[], setup)
        }
        Change::Kill(service) => check_places(&[], &[], &[*service], setup),
        Change::KillSupervisor(name) => {
            let supervisors = setup.supervision.iter().flat_map(Supervisor::all);
            match supervisors.into_iter().any(|supervisor| supervisor.name == *name) {
                true => Ok(()),
                false => Err(StartError::UnknownSupervisor(name.clone())),
            }
        }
    }
}

fn check_tree(root: &Supervisor, setup: &Setup) -> Result<(), StartError> {
    let (mut names, mut supervised) = (BTreeSet::new(), BTreeSet::new());
    for supervisor in root.all() {
        if !names.insert(&supervisor.name) {
            return Err(StartError::DuplicateSupervisor(supervisor.name.clone()));
        }
        for child in &supervisor.children {
            check_places(&child.fallback, &[], &[], setup)?;
        }
    }
    for index in services_of(root) {
        let Some(service) = setup.services.get(index) else {
            let (what, count) = ("a service below a supervisor", setup.services.len());
            return Err(StartError::OutOfRange { what, index, count });
        };
        if !supervised.insert(index) {
            return Err(StartError::SupervisedTwice(service.name.clone()));
        }
    }
    Ok(())
}

fn check_places(nodes: &[NodeId], links: &[LinkId], services: &[ServiceId], setup: &Setup) -> Result<(), StartError> {
    let node = nodes.iter().map(|node| node.index()).max();
    let link = links.iter().map(|link| link.index()).max();
    let service = services.iter().map(|service| service.index()).max();
    let places = [
        ("the node of a change", node, setup.topology.node_count()),
        ("the link of a change", link, setup.topology.link_count()),
        ("the service of a change or monitor", service, setup.services.len()),
    ];
    for (what, index, count) in places {
        if let Some(index) = index.filter(|index| *index >= count) {
            return Err(StartError::OutOfRange { what, index, count });
        }
    }
    Ok(())
}
