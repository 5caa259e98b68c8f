//! The routes from one node: Dijkstra's algorithm, and the tree that it grows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::topology::{Link, LinkId, NodeId, Topology};
use crate::units::{Bandwidth, SimDuration};

/// Comes before the source of a tree.
const NO_LINK: u32 = u32::MAX;
/// Comes before a node that a tree does not reach.
const UNREACHED: u32 = u32::MAX - 1;
/// Set in a price if some link on the way has limited bandwidth.
const SIZED: u64 = 1 << 63;
/// Set in a price if some link on the way loses, doubles or shakes messages.
const NOISY: u64 = 1 << 62;
const PRICE: u64 = NOISY - 1;

/// All the routes from one node: the tree of shortest paths.
#[derive(Debug)]
pub(crate) struct Tree {
    source: NodeId,
    reached: Reached,
}

/// The nodes that a tree reaches.
#[derive(Debug)]
enum Reached {
    /// By node: the last link of its path. Four bytes a node: in a network of thousands that all send
    /// to all, the trees are what takes the room.
    Most(Box<[u32]>),
    /// Sorted by node: a network in a thousand pieces does not take the room of a million.
    Few(Box<[Branch]>),
}

/// One node that was reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Branch {
    pub(super) node: u32,
    /// The last link of its path; `NO_LINK` for the source.
    via: u32,
    /// Processing and latency of the whole path, with flags.
    fixed: u64,
}

/// The price of a route to one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    /// Processing and latency, for every size.
    pub(crate) fixed: SimDuration,
    /// Whether transmission times come on top.
    pub(crate) sized: bool,
    /// Whether some link on the way loses, doubles or shakes messages.
    pub(crate) noisy: bool,
}

impl Price {
    const NOTHING: Price = Price { fixed: SimDuration::ZERO, sized: false, noisy: false };

    fn of(fixed: u64) -> Price {
        Price { fixed: SimDuration::from_nanos(fixed & PRICE), sized: fixed & SIZED != 0, noisy: fixed & NOISY != 0 }
    }
}

impl Branch {
    pub(super) fn price(&self) -> Price {
        Price::of(self.fixed)
    }
}

impl Tree {
    /// The tree that a search has just grown, for sources that reach much of a network of so many
    /// nodes.
    pub(super) fn most(source: NodeId, search: &Search, nodes: usize) -> Tree {
        let mut via = vec![UNREACHED; nodes];
        for branch in &search.settled {
            via[branch.node as usize] = branch.via;
        }
        Tree { source, reached: Reached::Most(via.into()) }
    }

    /// The same for sources that reach little.
    pub(super) fn few(source: NodeId, search: &mut Search) -> Tree {
        search.settled.sort_unstable_by_key(|branch| branch.node);
        Tree { source, reached: Reached::Few(search.settled.as_slice().into()) }
    }

    /// The last link on the way to a node, or `NO_LINK`; `None` if there is no way.
    fn via(&self, to: NodeId) -> Option<u32> {
        match &self.reached {
            Reached::Most(via) => via.get(to.index()).copied().filter(|via| *via != UNREACHED),
            Reached::Few(branches) => {
                let at = branches.binary_search_by_key(&to.0, |branch| branch.node).ok()?;
                Some(branches[at].via)
            }
        }
    }

    /// What the route to `to` costs; `None` if there is none. Zero for the source itself. The
    /// topology must be as it was when the tree grew.
    pub(super) fn price(&self, topology: &Topology, to: NodeId) -> Option<Price> {
        if to == self.source {
            return self.via(to).map(|_| Price::NOTHING);
        }
        if let Reached::Few(branches) = &self.reached {
            let at = branches.binary_search_by_key(&to.0, |branch| branch.node).ok()?;
            return Some(branches[at].price());
        }
        self.via(to)?;
        let start = topology.node(self.source).processing.as_nanos().min(PRICE);
        let fixed = self.links_back(topology, to).fold(start, |fixed, link| {
            let (_, end) = topology.ends(link);
            extend(fixed, topology.link(link), topology.node(end).processing)
        });
        Some(Price::of(fixed))
    }

    /// The links to `to`, in order.
    pub(crate) fn path(&self, topology: &Topology, to: NodeId) -> Vec<LinkId> {
        let mut links: Vec<LinkId> = self.links_back(topology, to).collect();
        links.reverse();
        links
    }

    /// The links to `to`, the last one first.
    pub(crate) fn links_back<'a>(&'a self, topology: &'a Topology, to: NodeId) -> impl Iterator<Item = LinkId> + 'a {
        let mut at = to;
        std::iter::from_fn(move || {
            let via = self.via(at)?;
            if via == NO_LINK {
                return None;
            }
            at = topology.ends(LinkId(via)).0;
            Some(LinkId(via))
        })
    }
}

/// Dijkstra's algorithm, and its notes. They are kept from one search to the next, so that a
/// search costs what it visits and not what there is.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// By node: the best known (latency, hops, predecessor, last link), if of this round.
    best: Vec<Best>,
    round: u32,
    open: BinaryHeap<Reverse<(u64, u32, u32)>>,
    /// The nodes that were reached, nearest first.
    pub(super) settled: Vec<Branch>,
}

#[derive(Clone, Copy, Debug)]
struct Best {
    round: u32,
    done: bool,
    rank: (u64, u32, u32),
    via: u32,
    fixed: u64,
}

const UNSEEN: Best = Best { round: 0, done: false, rank: (u64::MAX, u32::MAX, u32::MAX), via: NO_LINK, fixed: 0 };

impl Search {
    /// Finds the routes from `source` to everywhere: they are in `settled` then.
    pub(super) fn run(&mut self, topology: &Topology, source: NodeId) {
        self.settled.clear();
        self.open.clear();
        self.best.resize(topology.node_count(), UNSEEN);
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.best.fill(UNSEEN);
            self.round = 1;
        }
        if !topology.is_node_up(source) {
            return;
        }
        let start = topology.node(source).processing.as_nanos().min(PRICE);
        self.best[source.index()] = Best { round: self.round, rank: (0, 0, source.0), fixed: start, ..UNSEEN };
        self.open.push(Reverse((0, 0, source.0)));
        while let Some(Reverse((latency, hops, at))) = self.open.pop() {
            let here = &mut self.best[at as usize];
            if std::mem::replace(&mut here.done, true) {
                continue;
            }
            let fixed = here.fixed;
            self.settled.push(Branch { node: at, via: here.via, fixed });
            for (link, next, values) in topology.links_from(NodeId(at)) {
                if !topology.is_link_up(link) || !topology.is_node_up(next) {
                    continue;
                }
                let known = &mut self.best[next.index()];
                if known.round != self.round {
                    *known = Best { round: self.round, ..UNSEEN };
                }
                let rank = (latency.saturating_add(values.latency.as_nanos()), hops + 1, at);
                if !known.done && rank < known.rank {
                    known.rank = rank;
                    known.via = link.0;
                    known.fixed = extend(fixed, values, topology.node(next).processing);
                    self.open.push(Reverse((rank.0, rank.1, next.0)));
                }
            }
        }
    }
}

/// The price of a path that goes on over a link to a node.
fn extend(before: u64, link: &Link, processing: SimDuration) -> u64 {
    let own = link.latency.as_nanos().saturating_add(processing.as_nanos());
    let mut flags = before & (SIZED | NOISY);
    if link.bandwidth != Bandwidth::Unlimited {
        flags |= SIZED;
    }
    if link.is_noisy() {
        flags |= NOISY;
    }
    flags | (before & PRICE).saturating_add(own).min(PRICE)
}
