//! What goes down and comes up during a run, replayed without the runtime.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::at_ms;
use super::networks::{NetworkPlan, Way};
use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::topology::{LinkId, NodeId};

#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    Node(usize, bool),
    Link(usize, bool),
    /// Each node's side, and whether the two are kept apart from now on.
    Sides(Vec<bool>, bool),
}

/// Something that goes down or comes up.
#[derive(Clone, Debug)]
pub struct Cut {
    /// Milliseconds after the start.
    pub at: u64,
    pub turn: Turn,
}

/// What is up at some moment.
#[derive(Clone, Debug)]
pub struct Standing {
    nodes: Vec<bool>,
    links: Vec<bool>,
    /// The partitions in force, by the sides of the nodes; the first node's side is `true`.
    apart: BTreeSet<Vec<bool>>,
}

impl Standing {
    fn new(plan: &NetworkPlan) -> Self {
        let (nodes, links) = (vec![true; plan.processing.len()], vec![true; plan.links.len()]);
        Standing { nodes, links, apart: BTreeSet::new() }
    }

    /// What is up at an instant, after everything that changes in it.
    pub fn at(plan: &NetworkPlan, cuts: &[Cut], nanos: u64) -> Self {
        let mut standing = Standing::new(plan);
        cuts.iter().filter(|cut| cut.at * 1_000_000 <= nanos).for_each(|cut| standing.turn(&cut.turn));
        standing
    }

    fn turn(&mut self, turn: &Turn) {
        match turn {
            Turn::Node(node, up) => self.nodes[*node] = *up,
            Turn::Link(link, up) => self.links[*link] = *up,
            Turn::Sides(sides, apart) => {
                let sides: Vec<bool> = sides.iter().map(|side| *side == sides[0]).collect();
                if *apart {
                    self.apart.insert(sides);
                } else {
                    self.apart.remove(&sides);
                }
            }
        }
    }

    pub fn is_node_up(&self, node: usize) -> bool {
        self.nodes[node]
    }

    fn is_link_up(&self, plan: &NetworkPlan, link: usize) -> bool {
        let (from, to) = (plan.links[link].from, plan.links[link].to);
        self.links[link] && self.apart.iter().all(|sides| sides[from] == sides[to])
    }

    /// The fastest path over what is up.
    pub fn path(&self, plan: &NetworkPlan, from: usize, to: usize) -> Option<Vec<usize>> {
        let usable = |link: usize| {
            self.is_link_up(plan, link) && self.nodes[plan.links[link].from] && self.nodes[plan.links[link].to]
        };
        if self.nodes[from] && self.nodes[to] { plan.shortest_path(from, to, usable) } else { None }
    }
}

/// The first moment after `sent` in which something goes down that a message on that way has yet to
/// pass.
pub fn cut_off_at(plan: &NetworkPlan, cuts: &[Cut], way: &Way, target: usize, sent: u64) -> Option<u64> {
    let mut standing = Standing::at(plan, cuts, sent);
    for cut in cuts {
        let now = cut.at * 1_000_000;
        if now <= sent || now > way.arrives {
            continue;
        }
        standing.turn(&cut.turn);
        let hit = !standing.nodes[target]
            || way.legs.iter().any(|leg| {
                (leg.leaves > now && !standing.is_link_up(plan, leg.link))
                    || (leg.enters > now && !standing.nodes[plan.links[leg.link].from])
            });
        if hit {
            return Some(now);
        }
    }
    None
}

/// The same as the runtime is told it.
pub fn scheduled(cuts: &[Cut], nodes: &[NodeId], links: &[LinkId]) -> Vec<ScheduledChange> {
    let side = |sides: &[bool], which: bool| {
        nodes.iter().zip(sides).filter(|(_, side)| **side == which).map(|(node, _)| *node).collect::<Vec<_>>()
    };
    let change = |turn: &Turn| match turn {
        Turn::Node(node, true) => Change::NodeUp(nodes[*node]),
        Turn::Node(node, false) => Change::NodeDown(nodes[*node]),
        Turn::Link(link, true) => Change::LinkUp(links[*link]),
        Turn::Link(link, false) => Change::LinkDown(links[*link]),
        Turn::Sides(sides, true) => Change::Partition { left: side(sides, true), right: side(sides, false) },
        // The other side first: a partition is the same, whichever side is named first.
        Turn::Sides(sides, false) => Change::Heal { left: side(sides, false), right: side(sides, true) },
    };
    cuts.iter().map(|cut| ScheduledChange { at: at_ms(cut.at), change: change(&cut.turn) }).collect()
}

/// Up to a dozen troubles: nodes, links and partitions that come and go, from the first millisecond
/// on. Some never end.
pub fn cuts_of(plan: &NetworkPlan) -> impl Strategy<Value = Vec<Cut>> + use<> {
    let (nodes, links) = (plan.processing.len(), plan.links.len());
    let what = prop_oneof![
        (0..nodes).prop_map(|node| (Turn::Node(node, false), Turn::Node(node, true))),
        (0..links).prop_map(|link| (Turn::Link(link, false), Turn::Link(link, true))),
        prop::collection::vec(any::<bool>(), nodes)
            .prop_map(|sides| (Turn::Sides(sides.clone(), true), Turn::Sides(sides, false))),
    ];
    prop::collection::vec((1u64..150, 0u64..80, what), 0..12).prop_map(|troubles| {
        let mut cuts: Vec<Cut> = Vec::new();
        for (at, lasts, (begins, ends)) in troubles {
            cuts.push(Cut { at, turn: begins });
            if lasts < 70 {
                cuts.push(Cut { at: at + lasts, turn: ends });
            }
        }
        cuts.sort_by_key(|cut| cut.at);
        cuts
    })
}
