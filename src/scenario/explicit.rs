//! A network that is listed node by node and link by link.

use std::collections::BTreeMap;

use rehearsal_actors::topology::{Link, Node, NodeId, Topology};

use super::decode::Raw;
use super::fields::Fields;
use super::mistakes::{Mistake, Mistakes, Span, quoted};
use super::network::{find_node, read_resources};
use super::values::{duplicate, limited, quantity_or};

/// The most nodes a scenario may list.
const MOST_NODES: usize = 100_000;
/// The most links a scenario may list.
const MOST_LINKS: usize = 1_000_000;

/// Reads the lists of nodes and links.
pub(super) fn read_topology(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Topology> {
    let mut fields = raw.fields("an explicit network", mistakes)?;
    let nodes = fields.required("nodes", "[(name: \"a\")]", mistakes);
    let links = fields.optional("links", mistakes);
    fields.finish(mistakes);
    let nodes = nodes?;

    let mut topology = Topology::new();
    let mut first_named = BTreeMap::new();
    let list = limited(nodes.items("a list of nodes", mistakes)?, MOST_NODES, "nodes", mistakes)?;
    if list.is_empty() {
        mistakes.add(nodes.span(), Mistake::new("a network needs at least one node"));
    }
    for raw in list {
        let Some((node, span)) = read_node(raw, mistakes) else {
            continue;
        };
        if let Some(first) = first_named.insert(node.name.clone(), span) {
            duplicate(&format!("node `{}`", quoted(&node.name)), first, span, mistakes);
        } else if let Err(error) = topology.add_node(node) {
            mistakes.add(span, Mistake::from_error(&error));
        }
    }
    let links = match links {
        Some(raw) => limited(raw.items("a list of links", mistakes)?, MOST_LINKS, "links", mistakes)?,
        None => Vec::new(),
    };
    let mut first_joined = BTreeMap::new();
    for raw in links {
        read_link(raw, &mut topology, &mut first_joined, mistakes);
    }
    Some(topology)
}

fn read_node(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<(Node, Span)> {
    let mut fields = raw.fields("a node", mistakes)?;
    let name = fields.required("name", "\"edge-1\"", mistakes).and_then(|raw| raw.name("a node", mistakes));
    // A node of whatever name, so that the rest is read too.
    let endless = Node::new("");
    let group = fields.optional("group", mistakes).and_then(|raw| raw.name("a group", mistakes));
    let node = Node {
        group: group.map(|group| group.value),
        resources: read_resources(&mut fields, endless.resources, mistakes),
        availability: quantity_or(&mut fields, "availability", endless.availability, mistakes),
        processing: quantity_or(&mut fields, "processing", endless.processing, mistakes),
        name: endless.name,
    };
    fields.finish(mistakes);
    let name = name?;
    Some((Node { name: name.value, ..node }, name.span))
}

/// Where each pair of nodes was first joined.
type Joined = BTreeMap<(NodeId, NodeId), Span>;

fn read_link(raw: Raw<'_>, topology: &mut Topology, joined: &mut Joined, mistakes: &mut Mistakes) {
    let Some(mut fields) = raw.fields("a link", mistakes) else {
        return;
    };
    let from = read_end(&mut fields, "from", topology, mistakes);
    let to = read_end(&mut fields, "to", topology, mistakes);
    let latency = fields.required("latency", "\"10ms\"", mistakes).and_then(|raw| raw.quantity(mistakes));
    let bandwidth = fields.optional("bandwidth", mistakes).and_then(|raw| raw.bandwidth(mistakes));
    let plain = Link::new(latency.unwrap_or_default());
    let link = Link {
        bandwidth: bandwidth.unwrap_or(plain.bandwidth),
        jitter: quantity_or(&mut fields, "jitter", plain.jitter, mistakes),
        loss: quantity_or(&mut fields, "loss", plain.loss, mistakes),
        duplication: quantity_or(&mut fields, "duplication", plain.duplication, mistakes),
        queue_limit: quantity_or(&mut fields, "queue_limit", plain.queue_limit, mistakes),
        ..plain
    };
    let symmetric = fields.optional("symmetric", mistakes).and_then(|raw| raw.truth(mistakes)).unwrap_or(true);
    fields.finish(mistakes);
    let (Some((from, at)), Some((to, _))) = (from, to) else {
        return;
    };
    let directions = if symmetric { vec![(from, to), (to, from)] } else { vec![(from, to)] };
    for (from, to) in directions {
        if let Some(&first) = joined.get(&(from, to)) {
            let names = (&topology.node(from).name, &topology.node(to).name);
            let what = format!("the link from `{}` to `{}`", quoted(names.0), quoted(names.1));
            duplicate(&what, first, at, mistakes);
            return;
        }
        joined.insert((from, to), at);
        if let Err(error) = topology.add_link(from, to, link.clone()) {
            mistakes.add(at, Mistake::from_error(&error));
            return;
        }
    }
}

fn read_end(
    fields: &mut Fields<'_>,
    name: &'static str,
    topology: &Topology,
    mistakes: &mut Mistakes,
) -> Option<(NodeId, Span)> {
    let end = fields.required(name, "\"edge-1\"", mistakes)?.name("a node", mistakes)?;
    find_node(&end, topology, mistakes).map(|id| (id, end.span))
}
