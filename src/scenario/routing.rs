//! How raw messages find their way: routers, gateways, directories, and what services may see.

use std::collections::{BTreeMap, BTreeSet};

use rehearsal_actors::router::{KnownDirectory, RouterId};
use rehearsal_actors::topology::{NodeId, Topology};

use super::decode::{Raw, Spanned};
use super::fields::Fields;
use super::mistakes::{Mistake, Mistakes, Span, quoted};
use super::network::find_node;
use super::services::find_service;
use super::values::limited;

const MOST_DIRECTORIES: usize = 1_000;
const MOST_GATEWAYS: usize = 1_000_000;
/// The most virtual networks, or permissions, of one service.
const MOST_MEMBERSHIPS: usize = 1_000;
/// How many machines of a circle a message names.
const MOST_NAMED: usize = 8;

/// Where a service has its connections, and what it may see of others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Membership {
    pub(crate) router: RouterId,
    pub(crate) vnets: BTreeSet<String>,
    pub(crate) permissions: BTreeSet<String>,
}

impl Membership {
    /// Reads the fields `router`, `vnets` and `permissions` of a service.
    pub(super) fn read(fields: &mut Fields<'_>, mistakes: &mut Mistakes) -> Membership {
        let router = fields.optional("router", mistakes);
        let router = router.and_then(|raw| raw.whole(0, u16::MAX.into(), mistakes));
        Membership {
            // It was just seen to fit.
            router: RouterId(router.unwrap_or(0) as u16),
            vnets: read_names(fields, "vnets", "a virtual network", mistakes),
            permissions: read_names(fields, "permissions", "a permission", mistakes),
        }
    }
}

/// A list of names, none of them twice.
fn read_names(fields: &mut Fields<'_>, field: &'static str, what: &str, mistakes: &mut Mistakes) -> BTreeSet<String> {
    let items = fields.optional(field, mistakes);
    let items = items.and_then(|raw| raw.items(&format!("a list of names such as `{field}: [\"test\"]`"), mistakes));
    let items = items.and_then(|items| limited(items, MOST_MEMBERSHIPS, field, mistakes));
    let mut first_named: BTreeMap<String, Span> = BTreeMap::new();
    for raw in items.unwrap_or_default() {
        let Some(Spanned { value, span }) = raw.name(what, mistakes) else {
            continue;
        };
        if let Some(&first) = first_named.get(&value) {
            let noun = what.split_once(' ').map_or(what, |(_, noun)| noun);
            mistakes.add(span, Mistake::new(format!("{noun} `{}` is named twice", quoted(&value))).first(first));
        } else {
            first_named.insert(value, span);
        }
    }
    first_named.into_keys().collect()
}

/// Reads the services that everybody knows as directories, the best first.
pub(super) fn read_directories(
    raw: Raw<'_>,
    services: &BTreeMap<String, usize>,
    mistakes: &mut Mistakes,
) -> Vec<KnownDirectory> {
    let items = raw.items("a list of services such as `directories: [\"hub\"]`", mistakes);
    let items = items.and_then(|items| limited(items, MOST_DIRECTORIES, "directories", mistakes));
    let mut first_named: BTreeMap<usize, Span> = BTreeMap::new();
    let mut directories = Vec::new();
    for raw in items.unwrap_or_default() {
        let Some(name) = raw.name("a service", mistakes) else {
            continue;
        };
        let Some(service) = find_service(&name, services, mistakes) else {
            continue;
        };
        if let Some(&first) = first_named.get(&service) {
            let mistake = Mistake::new(format!("directory `{}` is named twice", quoted(&name.value)));
            mistakes.add(name.span, mistake.first(first));
        } else {
            first_named.insert(service, name.span);
            directories.push(KnownDirectory::Service(service));
        }
    }
    directories
}

/// One machine sends what is for others by way of another, with the names still to be looked up.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    machine: Spanned<String>,
    by: Spanned<String>,
}

/// Reads the gateways.
pub(super) fn read_gateways(raw: Raw<'_>, mistakes: &mut Mistakes) -> Vec<Gateway> {
    let list = raw.items("a list of gateways", mistakes);
    let list = list.and_then(|list| limited(list, MOST_GATEWAYS, "gateways", mistakes));
    list.unwrap_or_default().into_iter().filter_map(|raw| read_gateway(raw, mistakes)).collect()
}

fn read_gateway(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Gateway> {
    let mut fields = raw.fields("a gateway", mistakes)?;
    let machine = fields.required("machine", "\"edge-1\"", mistakes).and_then(|raw| raw.name("a node", mistakes));
    let by = fields.required("by", "\"edge-2\"", mistakes).and_then(|raw| raw.name("a node", mistakes));
    fields.finish(mistakes);
    Some(Gateway { machine: machine?, by: by? })
}

/// Looks the gateways up in a network.
pub(super) fn resolve(gateways: &[Gateway], topology: &Topology, mistakes: &mut Mistakes) -> BTreeMap<usize, usize> {
    let mut ways: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    let mut named: BTreeMap<NodeId, Span> = BTreeMap::new();
    for Gateway { machine, by } in gateways {
        let from = find_node(machine, topology, mistakes);
        let (Some(from), Some(to)) = (from, find_node(by, topology, mistakes)) else {
            continue;
        };
        if from == to {
            mistakes.add(by.span, Mistake::new("a machine is no gateway of its own").label("name another node"));
        } else if let Some(&first) = named.get(&from) {
            let mistake = Mistake::new(format!("machine `{}` has two gateways", quoted(&machine.value)));
            mistakes.add(machine.span, mistake.first(first));
        } else {
            named.insert(from, machine.span);
            ways.insert(from, to);
        }
    }
    for circle in circles(&ways) {
        let name = |node: &NodeId| quoted(&topology.node(*node).name);
        let mut names: Vec<String> = circle.iter().take(MOST_NAMED).map(name).collect();
        if circle.len() > MOST_NAMED {
            names.push("...".to_owned());
        }
        names.extend(circle.first().map(name));
        let mistake = Mistake::new(format!("the gateways go in a circle: {}", names.join(" -> ")));
        let at = circle.first().and_then(|first| named.get(first)).copied().unwrap_or_default();
        mistakes.add(at, mistake.label("what goes this way may never arrive"));
    }
    ways.into_iter().map(|(from, to)| (from.index(), to.index())).collect()
}

/// The circles that the gateways lead in. Each machine is walked over once.
fn circles(ways: &BTreeMap<NodeId, NodeId>) -> Vec<Vec<NodeId>> {
    let mut circles = Vec::new();
    let mut seen: BTreeSet<NodeId> = BTreeSet::new();
    for &start in ways.keys() {
        let mut path = Vec::new();
        let mut here = Some(start);
        while let Some(node) = here.filter(|node| seen.insert(*node)) {
            path.push(node);
            here = ways.get(&node).copied();
        }
        // The walk has come back to itself, and not to an older one.
        if let Some(at) = here.and_then(|back| path.iter().position(|&node| node == back)) {
            circles.push(path.split_off(at));
        }
    }
    circles
}
