//! What goes wrong when: changes of the network at a time.

use std::collections::{BTreeMap, BTreeSet};

use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::topology::{LinkId, NodeId, Topology};
use rehearsal_actors::units::{Bandwidth, Probability, SimDuration, SimTime};

use super::decode::{Raw, Spanned};
use super::fields::Fields;
use super::mistakes::{Mistake, Mistakes, Span, quoted};
use super::network::find_node;
use super::strikes::{Victims, read_one_name};
use super::values::{limited, unknown_name, unknown_word};

const MOST_FAULTS: usize = 1_000_000;
/// How many partitions and heals a scenario may have, times the nodes of its network.
const MOST_PARTED: usize = 20_000_000;

/// A change at a time, with the names still to be looked up in the network.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    at: SimTime,
    /// What it is called, where.
    word: Span,
    change: Named,
}

/// A change in the words of the file.
#[derive(Clone, Debug)]
enum Named {
    Node {
        name: Spanned<String>,
        change: fn(NodeId) -> Change,
    },
    /// Somebody is killed. Whom, does not depend on the network.
    Kill(Change),
    Link {
        ends: Ends,
        change: LinkChange,
    },
    Partition(Sides),
    /// `None`: every partition in force.
    Heal(Option<Sides>),
}

/// A link by its ends.
#[derive(Clone, Debug)]
struct Ends {
    from: Spanned<String>,
    to: Spanned<String>,
    /// The way back too, where there is one.
    symmetric: bool,
}

#[derive(Clone, Copy, Debug)]
enum LinkChange {
    Up,
    Down,
    Latency(SimDuration),
    Bandwidth(Bandwidth),
    Loss(Probability),
}

impl LinkChange {
    fn of(self, link: LinkId) -> Change {
        match self {
            LinkChange::Up => Change::LinkUp(link),
            LinkChange::Down => Change::LinkDown(link),
            LinkChange::Latency(latency) => Change::Latency(link, latency),
            LinkChange::Bandwidth(bandwidth) => Change::Bandwidth(link, bandwidth),
            LinkChange::Loss(loss) => Change::Loss(link, loss),
        }
    }
}

/// The two sides of a partition: names of nodes and groups. No right side: everybody else.
#[derive(Clone, Debug)]
struct Sides {
    left: Vec<Spanned<String>>,
    right: Option<Vec<Spanned<String>>>,
}

/// Reads the list of faults of a run that ends then.
pub(crate) fn read_faults(
    raw: Raw<'_>,
    until: Option<SimTime>,
    victims: &Victims<'_>,
    mistakes: &mut Mistakes,
) -> Vec<Fault> {
    let list = raw.items("a list of faults", mistakes);
    let list = list.and_then(|list| limited(list, MOST_FAULTS, "faults", mistakes));
    list.unwrap_or_default().into_iter().filter_map(|raw| read_fault(raw, until, victims, mistakes)).collect()
}

fn read_fault(raw: Raw<'_>, until: Option<SimTime>, victims: &Victims<'_>, mistakes: &mut Mistakes) -> Option<Fault> {
    let mut fields = raw.fields("a fault", mistakes)?;
    let at = fields.required("at", "\"10s\"", mistakes).and_then(|raw| read_moment(raw, until, mistakes));
    let change = fields.required("change", "NodeDown(\"edge-1\")", mistakes);
    let change = change.and_then(|raw| read_change(raw, victims, mistakes));
    fields.finish(mistakes);
    let (word, change) = change?;
    Some(Fault { at: at?, word, change })
}

/// When a fault happens: not after the run.
fn read_moment(raw: Raw<'_>, until: Option<SimTime>, mistakes: &mut Mistakes) -> Option<SimTime> {
    let at: SimTime = raw.quantity(mistakes)?;
    if let Some(until) = until.filter(|until| at > *until) {
        let mistake = Mistake::new("a fault that never happens").label(format!("the run ends at {until}"));
        mistakes.add(raw.span(), mistake.help("write a later `until`, or leave the fault out"));
    }
    Some(at)
}

fn read_change(raw: Raw<'_>, victims: &Victims<'_>, mistakes: &mut Mistakes) -> Option<(Span, Named)> {
    const CHANGES: [&str; 12] = [
        "NodeDown",
        "NodeUp",
        "NodeCrash",
        "NodeRestart",
        "Kill",
        "LinkDown",
        "LinkUp",
        "Partition",
        "Heal",
        "Latency",
        "Bandwidth",
        "Loss",
    ];
    let Some((word, rest)) = raw.variant() else {
        raw.unexpected("a change such as `NodeDown(\"edge-1\")`", mistakes);
        return None;
    };
    let change = match word.value {
        "NodeDown" => read_node(&word, rest, Change::NodeDown, mistakes),
        "NodeUp" => read_node(&word, rest, Change::NodeUp, mistakes),
        "NodeCrash" => read_node(&word, rest, Change::NodeCrash, mistakes),
        "NodeRestart" => read_node(&word, rest, Change::NodeRestart, mistakes),
        "Kill" => {
            let name = read_one_name(&word, rest, "a service or supervisor", "cart", mistakes);
            name.and_then(|name| victims.kill(&name, mistakes)).map(Named::Kill)
        }
        "LinkDown" => read_link(rest, |_, _| Some(LinkChange::Down), mistakes),
        "LinkUp" => read_link(rest, |_, _| Some(LinkChange::Up), mistakes),
        "Latency" => {
            let read = |raw: Raw<'_>, mistakes: &mut Mistakes| raw.quantity(mistakes).map(LinkChange::Latency);
            read_link(rest, with_value("\"10ms\"", read), mistakes)
        }
        "Bandwidth" => {
            let read = |raw: Raw<'_>, mistakes: &mut Mistakes| raw.bandwidth(mistakes).map(LinkChange::Bandwidth);
            read_link(rest, with_value("\"10Mbit/s\"", read), mistakes)
        }
        "Loss" => {
            let read = |raw: Raw<'_>, mistakes: &mut Mistakes| raw.quantity(mistakes).map(LinkChange::Loss);
            read_link(rest, with_value("0.1", read), mistakes)
        }
        "Partition" => {
            let fields = rest.fields("a partition", mistakes)?;
            read_sides(fields, mistakes).map(Named::Partition)
        }
        "Heal" => read_heal(rest, mistakes),
        _ => {
            unknown_word(&word, "a change", CHANGES.into_iter(), mistakes);
            None
        }
    };
    change.map(|change| (word.span, change))
}

fn read_node(
    word: &Spanned<&str>,
    raw: Raw<'_>,
    change: fn(NodeId) -> Change,
    mistakes: &mut Mistakes,
) -> Option<Named> {
    read_one_name(word, raw, "a node", "edge-1", mistakes).map(|name| Named::Node { name, change })
}

fn read_link<'a>(
    raw: Raw<'a>,
    read: impl FnOnce(&mut Fields<'a>, &mut Mistakes) -> Option<LinkChange>,
    mistakes: &mut Mistakes,
) -> Option<Named> {
    let mut fields = raw.fields("a change of a link", mistakes)?;
    let mut end = |name, mistakes: &mut Mistakes| {
        let raw: Option<Raw<'_>> = fields.required(name, "\"edge-1\"", mistakes);
        raw.and_then(|raw| raw.name("a node", mistakes))
    };
    let (from, to) = (end("from", mistakes), end("to", mistakes));
    let change = read(&mut fields, mistakes);
    let symmetric = fields.optional("symmetric", mistakes).and_then(|raw| raw.truth(mistakes)).unwrap_or(true);
    fields.finish(mistakes);
    Some(Named::Link { ends: Ends { from: from?, to: to?, symmetric }, change: change? })
}

fn with_value<'a>(
    example: &'static str,
    read: impl Fn(Raw<'a>, &mut Mistakes) -> Option<LinkChange>,
) -> impl FnOnce(&mut Fields<'a>, &mut Mistakes) -> Option<LinkChange> {
    move |fields, mistakes| {
        let raw = fields.required("value", example, mistakes)?;
        read(raw, mistakes)
    }
}

fn read_heal(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Named> {
    let fields = raw.fields("a heal", mistakes)?;
    if fields.is_empty() {
        return Some(Named::Heal(None));
    }
    read_sides(fields, mistakes).map(|sides| Named::Heal(Some(sides)))
}

fn read_sides(mut fields: Fields<'_>, mistakes: &mut Mistakes) -> Option<Sides> {
    let left = fields.required("left", "[\"edge\"]", mistakes);
    let right = fields.optional("right", mistakes);
    fields.finish(mistakes);
    let left = read_side(left?, mistakes)?;
    let right = match right {
        Some(raw) => Some(read_side(raw, mistakes)?),
        None => None,
    };
    Some(Sides { left, right })
}

fn read_side(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Vec<Spanned<String>>> {
    let items = raw.items("a list of nodes and groups", mistakes)?;
    if items.is_empty() {
        mistakes.add(raw.span(), Mistake::new("a side with nobody on it").label("name nodes or groups"));
        return None;
    }
    let names: Vec<_> = items.iter().map(|item| item.name("a node or group", mistakes)).collect();
    names.into_iter().collect()
}

/// Looks up the names of the faults, in the order in which they happen: at one time, in the order
/// of the file.
pub(crate) fn resolve(faults: &[Fault], topology: &Topology, mistakes: &mut Mistakes) -> Vec<ScheduledChange> {
    let mut in_time: Vec<&Fault> = faults.iter().collect();
    in_time.sort_by_key(|fault| fault.at);
    let groups = Groups::of(topology);
    let mut in_force: BTreeSet<(Vec<NodeId>, Vec<NodeId>)> = BTreeSet::new();
    let mut changes = Vec::new();
    let mut parted = 0;
    for fault in in_time {
        if parted > MOST_PARTED {
            let mistake = Mistake::new(format!("too many partitions for a network of {} nodes", topology.node_count()));
            let most = MOST_PARTED / topology.node_count();
            mistakes.add(fault.word, mistake.label(format!("the most is about {most}")));
            break;
        }
        let mut schedule = |change| changes.push(ScheduledChange { at: fault.at, change });
        match &fault.change {
            Named::Node { name, change } => {
                if let Some(node) = find_node(name, topology, mistakes) {
                    schedule(change(node));
                }
            }
            Named::Kill(kill) => schedule(kill.clone()),
            Named::Link { ends, change } => {
                for link in find_links(ends, topology, mistakes) {
                    schedule(change.of(link));
                }
            }
            Named::Partition(sides) => {
                parted += topology.node_count();
                let Some((left, right)) = groups.sides(sides, mistakes) else {
                    continue;
                };
                // A partition that is in force already stays what it is, and is healed once.
                in_force.insert(whichever_first(left.clone(), right.clone()));
                schedule(Change::Partition { left, right });
            }
            Named::Heal(None) => {
                if in_force.is_empty() {
                    nothing_to_heal(fault, mistakes);
                }
                for (left, right) in std::mem::take(&mut in_force) {
                    schedule(Change::Heal { left, right });
                }
            }
            Named::Heal(Some(sides)) => {
                parted += topology.node_count();
                let Some((left, right)) = groups.sides(sides, mistakes) else {
                    continue;
                };
                if in_force.remove(&whichever_first(left.clone(), right.clone())) {
                    schedule(Change::Heal { left, right });
                } else {
                    nothing_to_heal(fault, mistakes);
                }
            }
        }
    }
    changes
}

/// The same pair of sides, whichever of them is named first.
fn whichever_first(left: Vec<NodeId>, right: Vec<NodeId>) -> (Vec<NodeId>, Vec<NodeId>) {
    if left <= right { (left, right) } else { (right, left) }
}

fn nothing_to_heal(fault: &Fault, mistakes: &mut Mistakes) {
    let mistake = Mistake::new(format!("at {} there is no such partition to heal", fault.at));
    mistakes.add(fault.word, mistake.help("a heal names the sides of a partition before it, or none to heal them all"));
}

fn find_links(ends: &Ends, topology: &Topology, mistakes: &mut Mistakes) -> Vec<LinkId> {
    let from = find_node(&ends.from, topology, mistakes);
    let to = find_node(&ends.to, topology, mistakes);
    let (Some(from), Some(to)) = (from, to) else {
        return Vec::new();
    };
    let Some(there) = topology.link_between(from, to) else {
        let (a, b) = (quoted(&ends.from.value), quoted(&ends.to.value));
        let mistake = Mistake::new(format!("there is no link from `{a}` to `{b}`"));
        let mistake = match topology.link_between(to, from) {
            Some(_) => mistake.label(format!("there is one from `{b}` to `{a}`")),
            None if mistakes.may_suggest() => mistake.help(neighbours_of(from, topology)),
            None => mistake,
        };
        mistakes.add(ends.to.span, mistake);
        return Vec::new();
    };
    let back = topology.link_between(to, from).filter(|_| ends.symmetric);
    std::iter::once(there).chain(back).collect()
}

fn neighbours_of(node: NodeId, topology: &Topology) -> String {
    let leaving = topology.links().filter(|(_, from, _, _)| *from == node);
    let names: Vec<_> = leaving.take(5).map(|(_, _, to, _)| quoted(&topology.node(to).name)).collect();
    let name = quoted(&topology.node(node).name);
    match names.as_slice() {
        [] => format!("no link leaves `{name}`"),
        names => format!("links from `{name}` lead to {}", names.join(", ")),
    }
}

/// The nodes by group.
struct Groups<'t> {
    topology: &'t Topology,
    members: BTreeMap<&'t str, Vec<NodeId>>,
}

impl<'t> Groups<'t> {
    fn of(topology: &'t Topology) -> Self {
        let mut members: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
        for (id, node) in topology.nodes() {
            if let Some(group) = &node.group {
                members.entry(group).or_default().push(id);
            }
        }
        Groups { topology, members }
    }

    fn sides(&self, sides: &Sides, mistakes: &mut Mistakes) -> Option<(Vec<NodeId>, Vec<NodeId>)> {
        let left = self.side(&sides.left, mistakes);
        let Some(names) = &sides.right else {
            let left = left?;
            let right: Vec<_> = self.topology.nodes().map(|(id, _)| id).filter(|id| !left.contains(id)).collect();
            if right.is_empty() {
                let at = sides.left.first().map(|name| name.span).unwrap_or_default();
                mistakes.add(at, Mistake::new("there is nobody on the other side").label("this side is everybody"));
                return None;
            }
            return Some((left.into_iter().collect(), right));
        };
        let right = self.side(names, mistakes);
        let (left, right) = (left?, right?);
        if let Some(both) = left.intersection(&right).next() {
            let name = quoted(&self.topology.node(*both).name);
            let at = names.first().map(|name| name.span).unwrap_or_default();
            mistakes.add(at, Mistake::new(format!("node `{name}` is on both sides")));
            return None;
        }
        Some((left.into_iter().collect(), right.into_iter().collect()))
    }

    fn side(&self, names: &[Spanned<String>], mistakes: &mut Mistakes) -> Option<BTreeSet<NodeId>> {
        let mut side = BTreeSet::new();
        let mut all_known = true;
        for name in names {
            match (self.topology.find(&name.value), self.members.get(name.value.as_str())) {
                (Some(node), None) => drop(side.insert(node)),
                (None, Some(members)) => side.extend(members),
                // The centre of a star is alone in a group of its name.
                (Some(node), Some(members)) if members[..] == [node] => drop(side.insert(node)),
                (Some(_), Some(_)) => {
                    let mistake = Mistake::new(format!("`{}` is a node and a group", quoted(&name.value)));
                    mistakes.add(name.span, mistake.label("give one of them another name"));
                    all_known = false;
                }
                (None, None) => {
                    let nodes = self.topology.nodes().map(|(_, node)| node.name.as_str());
                    unknown_name(name, "node or group", self.members.keys().copied().chain(nodes), mistakes);
                    all_known = false;
                }
            }
        }
        all_known.then_some(side)
    }
}
