//! Drawings of a scenario: its network, its application, and who stands where.
//!
//! A `Drawing` says what is to be seen, whatever draws it; each format is a file that writes one
//! down. Names may hold anything: vertices are known by ids made here (`n3`, `s0`, …) and names
//! appear only in labels, which each format quotes.

mod dot;
mod mermaid;

use std::collections::BTreeMap;

use rehearsal_actors::simulation::Setup;
use rehearsal_actors::topology::{Link, NodeId, Topology};
use rehearsal_actors::units::Bandwidth;

/// What draws it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Graphviz: `dot -Tsvg`.
    #[default]
    Dot,
    /// Mermaid, as Markdown pages show it.
    Mermaid,
}

/// What is to be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum View {
    /// Network and application side by side, and where each service stands.
    #[default]
    All,
    /// The nodes, in their groups, and the links between them.
    Infrastructure,
    /// The services and who may speak to whom.
    Application,
    /// The nodes that hold services, the services in them, and who may speak to whom.
    Placement,
}

/// Draws a scenario.
pub fn render(name: &str, setup: &Setup, view: View, format: Format) -> String {
    let drawing = Drawing::of(name, setup, view);
    match format {
        Format::Dot => dot::write(&drawing),
        Format::Mermaid => mermaid::write(&drawing),
    }
}

/// How many lines between vertices a drawing has: beyond some hundreds, Mermaid refuses.
pub fn edge_count(setup: &Setup, view: View) -> usize {
    Drawing::of("", setup, view).edges.len()
}

/// Boxes within boxes and what joins them.
struct Drawing {
    title: String,
    items: Vec<Item>,
    edges: Vec<Edge>,
}

enum Item {
    /// A frame around others.
    Frame { label: String, items: Vec<Item> },
    /// Something an edge may start or end at.
    Vertex(Vertex),
}

struct Vertex {
    id: String,
    /// The name and what else is to be known, a line each.
    label: Vec<String>,
    kind: VertexKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum VertexKind {
    Node,
    /// A node that is down when the run starts.
    NodeDown,
    Service,
    /// Not a part of the scenario, but a word about it.
    Remark,
}

struct Edge {
    from: String,
    to: String,
    label: String,
    kind: EdgeKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EdgeKind {
    /// A link of the network in one direction.
    Link,
    /// Two links, one each way, that are the same.
    LinkBothWays,
    /// From a service to one that it may speak to.
    Application,
    /// Two services that may speak to each other.
    ApplicationBothWays,
    /// From a service to the node that it stands on.
    Placement,
}

impl Drawing {
    fn of(name: &str, setup: &Setup, view: View) -> Self {
        let (mut items, mut edges) = (Vec::new(), Vec::new());
        match view {
            View::Infrastructure => {
                items = infrastructure(&setup.topology);
                edges = links(&setup.topology);
            }
            View::Application => {
                items = application(setup);
                edges = application_links(setup);
            }
            View::Placement => {
                items = placement(setup);
                edges = application_links(setup);
            }
            View::All => {
                let parts = [("application", application(setup)), ("infrastructure", infrastructure(&setup.topology))];
                // A frame around nothing would be drawn as one more vertex.
                items.extend(
                    parts
                        .into_iter()
                        .filter(|(_, items)| !items.is_empty())
                        .map(|(label, items)| Item::Frame { label: label.to_owned(), items }),
                );
                edges.extend(application_links(setup));
                edges.extend(links(&setup.topology));
                edges.extend(setup.services.iter().enumerate().map(|(at, service)| Edge {
                    from: service_id(at),
                    to: node_id(service.node),
                    label: String::new(),
                    kind: EdgeKind::Placement,
                }));
            }
        }
        Drawing { title: name.to_owned(), items, edges }
    }
}

fn node_id(node: NodeId) -> String {
    format!("n{}", node.index())
}

fn service_id(position: usize) -> String {
    format!("s{position}")
}

/// Groups in the order in which they first appear, nodes without one after them.
fn infrastructure(topology: &Topology) -> Vec<Item> {
    let mut groups: Vec<(&str, Vec<Item>)> = Vec::new();
    let mut position: BTreeMap<&str, usize> = BTreeMap::new();
    let mut alone = Vec::new();
    for (id, node) in topology.nodes() {
        let mut label = vec![node.name.clone()];
        if !node.processing.is_zero() {
            label.push(format!("{} processing", node.processing));
        }
        let kind = if topology.is_node_up(id) { VertexKind::Node } else { VertexKind::NodeDown };
        let vertex = Item::Vertex(Vertex { id: node_id(id), label, kind });
        match &node.group {
            None => alone.push(vertex),
            Some(group) => {
                let at = *position.entry(group).or_insert_with(|| {
                    groups.push((group, Vec::new()));
                    groups.len() - 1
                });
                groups[at].1.push(vertex);
            }
        }
    }
    let frames = groups.into_iter().map(|(group, items)| Item::Frame { label: group.to_owned(), items });
    frames.chain(alone).collect()
}

/// One edge for two links that differ in direction only.
fn links(topology: &Topology) -> Vec<Edge> {
    let edge = |(_, from, to, link): (_, NodeId, NodeId, &Link)| {
        let back = topology.link_between(to, from).map(|id| topology.link(id));
        let kind = if back == Some(link) { EdgeKind::LinkBothWays } else { EdgeKind::Link };
        // Of two that are the same, the one that starts at the node declared first speaks for both.
        let speaks = kind == EdgeKind::Link || from < to;
        speaks.then(|| Edge { from: node_id(from), to: node_id(to), label: describe(link), kind })
    };
    topology.links().filter_map(edge).collect()
}

/// `10ms, 100Mbit/s, 1% loss`: what a link does to a message, and nothing that it does not.
fn describe(link: &Link) -> String {
    let mut said = vec![link.latency.to_string()];
    if !link.jitter.is_zero() {
        said.push(format!("up to {} jitter", link.jitter));
    }
    if link.bandwidth != Bandwidth::Unlimited {
        said.push(link.bandwidth.to_string());
    }
    if !link.loss.is_never() {
        said.push(format!("{} loss", link.loss));
    }
    if !link.duplication.is_never() {
        said.push(format!("{} duplication", link.duplication));
    }
    said.join(", ")
}

fn service(at: usize, name: &str) -> Item {
    Item::Vertex(Vertex { id: service_id(at), label: vec![name.to_owned()], kind: VertexKind::Service })
}

/// Every service; and where no links are declared, the reason why none are drawn.
fn application(setup: &Setup) -> Vec<Item> {
    let services = setup.services.iter().enumerate().map(|(at, spec)| service(at, &spec.name));
    services.chain(remark(setup)).collect()
}

fn remark(setup: &Setup) -> Option<Item> {
    (setup.links.is_none() && setup.services.len() > 1).then(|| {
        let label = vec!["every service may speak to every other".to_owned()];
        Item::Vertex(Vertex { id: "remark".to_owned(), label, kind: VertexKind::Remark })
    })
}

fn application_links(setup: &Setup) -> Vec<Edge> {
    let pairs: std::collections::BTreeSet<(usize, usize)> =
        setup.links.iter().flatten().map(|link| (link.from, link.to)).collect();
    let edge = |&(from, to): &(usize, usize)| {
        let both_ways = from != to && pairs.contains(&(to, from));
        let kind = if both_ways { EdgeKind::ApplicationBothWays } else { EdgeKind::Application };
        (!both_ways || from < to).then(|| Edge {
            from: service_id(from),
            to: service_id(to),
            label: String::new(),
            kind,
        })
    };
    pairs.iter().filter_map(edge).collect()
}

/// A frame for each node that holds services, in the order of the nodes.
fn placement(setup: &Setup) -> Vec<Item> {
    let mut held: BTreeMap<NodeId, Vec<Item>> = BTreeMap::new();
    for (at, spec) in setup.services.iter().enumerate() {
        held.entry(spec.node).or_default().push(service(at, &spec.name));
    }
    let frames =
        held.into_iter().map(|(node, items)| Item::Frame { label: setup.topology.node(node).name.clone(), items });
    frames.chain(remark(setup)).collect()
}

#[cfg(test)]
mod tests;
