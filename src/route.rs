//! The price of a message, part by part: what `rehearsal route` prints.
//!
//! The prices come from [`rehearsal_actors::routes`], the same that deliveries pay; here they are
//! only set in a table.

use std::collections::VecDeque;

use rehearsal_actors::routes::{RouteBreakdown, explain};
use rehearsal_actors::simulation::{LinkModel, Setup};
use rehearsal_actors::topology::{Link, NodeId, Topology};
use rehearsal_actors::units::{Bytes, SimDuration};

use crate::typeset::{Cell, Column, FAINT, HEADING, Table, WIDTH, clean, fit, paint, wrap};

/// A service or a node, as somebody named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its position among the services, if it is one.
    pub service: Option<usize>,
    /// The node it is, or stands on.
    pub node: NodeId,
}

/// Why no price can be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// No service or node has that name.
    #[error("there is no service or node named `{name}`{}", did_you_mean(.nearest))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The name it resembles.
        nearest: Option<String>,
    },
    /// A service stands on another node than the one that has its name.
    #[error("`{name}` is a service and also a node that it does not stand on: write service:{name} or node:{name}")]
    Ambiguous {
        /// The name of both.
        name: String,
    },
    /// Nothing that is up leads there.
    #[error("no route from `{from}` to `{to}` when the run starts: {why}")]
    NoRoute {
        /// The node where the message would start.
        from: String,
        /// The node where it would arrive.
        to: String,
        /// What is in its way.
        why: String,
    },
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

impl Place {
    /// Finds a service or node by name; `service:` and `node:` before the name say which.
    ///
    /// # Errors
    ///
    /// [`RouteError::Unknown`] and [`RouteError::Ambiguous`].
    pub fn find(setup: &Setup, name: &str) -> Result<Place, RouteError> {
        let service = |name: &str| {
            let at = setup.services.iter().position(|spec| spec.name == name)?;
            Some(Place { service: Some(at), node: setup.services[at].node })
        };
        let node = |name: &str| setup.topology.find(name).map(|node| Place { service: None, node });
        match (service(name), node(name)) {
            (Some(service), Some(node)) if service.node != node.node => {
                Err(RouteError::Ambiguous { name: name.to_owned() })
            }
            (Some(place), _) | (None, Some(place)) => Ok(place),
            (None, None) => {
                let marked = name.strip_prefix("service:").and_then(service);
                let place = marked.or_else(|| name.strip_prefix("node:").and_then(node));
                place.ok_or_else(|| RouteError::Unknown { name: name.to_owned(), nearest: nearest(setup, name) })
            }
        }
    }

    /// `cart on cloud-2`, or the bare name of a node.
    fn spelled(self, setup: &Setup) -> String {
        let node = &setup.topology.node(self.node).name;
        match self.service {
            Some(at) => format!("{} on {}", clean(&setup.services[at].name), clean(node)),
            None => clean(node).into_owned(),
        }
    }
}

/// The name that differs by at most a third of its letters, if there is one.
fn nearest(setup: &Setup, name: &str) -> Option<String> {
    let services = setup.services.iter().map(|spec| &spec.name);
    let names = services.chain(setup.topology.nodes().map(|(_, node)| &node.name));
    let most = name.chars().count().max(3) / 3;
    names
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, known)| known.clone())
}

/// The route of a message and what it pays, when the run starts.
///
/// # Errors
///
/// [`RouteError::NoRoute`].
pub fn render(setup: &Setup, from: Place, to: Place, size: Bytes) -> Result<String, RouteError> {
    let topology = &setup.topology;
    let Some(route) = explain(topology, from.node, to.node, size) else {
        return Err(RouteError::NoRoute {
            from: topology.node(from.node).name.clone(),
            to: topology.node(to.node).name.clone(),
            why: why_not(topology, from.node, to.node),
        });
    };
    let heading = format!("{} to {}, {size:#}", from.spelled(setup), to.spelled(setup));
    let mut out = paint(HEADING, fit(&heading, WIDTH)) + "\n\n";
    out.push_str(&table(topology, &route));
    let remarks = remarks(setup, from, to, &route);
    if !remarks.is_empty() {
        out.push('\n');
    }
    for line in remarks.iter().flat_map(|remark| wrap(remark, WIDTH, usize::MAX)) {
        out.push_str(&paint(FAINT, line));
        out.push('\n');
    }
    Ok(out)
}

/// A row for each node: its processing, and the link that the message takes from there.
fn table(topology: &Topology, route: &RouteBreakdown) -> String {
    let sums: Vec<[SimDuration; 3]> =
        route.hops.iter().map(|hop| [hop.processing, hop.transmission, hop.latency]).collect();
    let part = |at: usize| -> SimDuration { sums.iter().map(|hop| hop[at]).sum() };
    let (last, last_processing) = route.last;
    let totals = [part(0) + last_processing, part(1), part(2), route.total];
    // Every digit, so that sums can be checked by hand; rounded where columns would burst.
    let is_wide = totals.iter().any(|total| format!("{total:#}").len() > 14);
    let price = |length: SimDuration| if is_wide { length.to_string() } else { format!("{length:#}") };

    let heads = ["processing", "transmission", "latency", "sum"].map(Column::number);
    let mut table = Table::new(std::iter::once(Column::text("route")).chain(heads).collect(), 2);
    for (hop, &[processing, transmission, latency]) in route.hops.iter().zip(&sums) {
        let mut row = vec![Cell::from(&*topology.node(hop.node).name)];
        row.extend([processing, transmission, latency].map(|length| Cell::from(price(length))));
        row.push(price(processing + transmission + latency).into());
        table.row(row);
    }
    let name = &*topology.node(last).name;
    table.row(vec![name.into(), price(last_processing).into(), "".into(), "".into(), price(last_processing).into()]);
    let mut row = vec![Cell::styled("total", HEADING)];
    row.extend(totals.map(|length| Cell::styled(price(length), HEADING)));
    table.row(row);
    table.set()
}

/// What the price does not say.
fn remarks(setup: &Setup, from: Place, to: Place, route: &RouteBreakdown) -> Vec<String> {
    let mut said = Vec::new();
    if route.hops.is_empty() {
        said.push("Within a node a message costs nothing.".to_owned());
    }
    let links: Vec<&Link> = route.hops.iter().map(|hop| setup.topology.link(hop.link)).collect();
    let jitter: SimDuration = links.iter().map(|link| link.jitter).sum();
    if !jitter.is_zero() {
        said.push(format!("Jitter adds up to {jitter}."));
    }
    let arrives: f64 = links.iter().map(|link| 1.0 - link.loss.get()).product();
    if arrives < 1.0 {
        said.push(format!("The chance to be lost on the way is {:.4}.", 1.0 - arrives));
    }
    if setup.model == LinkModel::Queued && !route.hops.is_empty() {
        said.push("Links are queued: a message that meets others waits for them as well.".to_owned());
    }
    if !setup.policies.is_empty() || !setup.changes.is_empty() {
        said.push("This is the price when the run starts: the scenario changes the network later.".to_owned());
    }
    if let (Some(from), Some(to), Some(links)) = (from.service, to.service, &setup.links)
        && from != to
        && !links.iter().any(|link| (link.from, link.to) == (from, to))
    {
        let (from, to) = (&setup.services[from].name, &setup.services[to].name);
        said.push(format!("`{from}` has no application link to `{to}`: what it sends there is refused."));
    }
    said
}

/// What stands in the way: there are no links at all, or something is down.
fn why_not(topology: &Topology, from: NodeId, to: NodeId) -> String {
    for end in [from, to] {
        if !topology.is_node_up(end) {
            return format!("`{}` is down", topology.node(end).name);
        }
    }
    if !is_linked(topology, from, to) {
        return "no chain of links leads there".to_owned();
    }
    let down = topology.nodes().filter(|(id, _)| !topology.is_node_up(*id));
    let mut names: Vec<String> = down.map(|(_, node)| format!("`{}`", node.name)).collect();
    let cut = topology.links().filter(|(id, ..)| !topology.is_link_up(*id));
    names.extend(cut.map(|(_, a, b, _)| format!("`{}` to `{}`", topology.node(a).name, topology.node(b).name)));
    const NAMED: usize = 5;
    let left = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if left > 0 { format!(" and {left} more") } else { String::new() };
    format!("every way leads over something that is down ({}{more})", names.join(", "))
}

/// Whether links lead from one node to another if everything were up.
fn is_linked(topology: &Topology, from: NodeId, to: NodeId) -> bool {
    let mut next: Vec<Vec<NodeId>> = vec![Vec::new(); topology.node_count()];
    for (_, a, b, _) in topology.links() {
        next[a.index()].push(b);
    }
    let mut seen = vec![false; topology.node_count()];
    seen[from.index()] = true;
    let mut queue = VecDeque::from([from]);
    while let Some(node) = queue.pop_front() {
        if node == to {
            return true;
        }
        for &neighbour in &next[node.index()] {
            if !std::mem::replace(&mut seen[neighbour.index()], true) {
                queue.push_back(neighbour);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests;
