//! The routes from one node: Dijkstra's algorithm, and the tree that it grows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

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

    /// What a message costs, if what its size costs is that.
    #[inline]
    pub(crate) fn of(&self, transmission: impl FnOnce() -> SimDuration) -> SimDuration {
        if self.sized { self.fixed + transmission() } else { self.fixed }
    }

    fn packed(fixed: u64) -> Price {
        Price { fixed: SimDuration::from_nanos(fixed & PRICE), sized: fixed & SIZED != 0, noisy: fixed & NOISY != 0 }
    }
}

impl Branch {
    pub(super) fn price(&self) -> Price {
        Price::packed(self.fixed)
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
            extend(fixed, Road::over(topology, link, end, topology.link(link)).price)
        });
        Some(Price::packed(fixed))
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

/// A link that is up, to a node that is up, as a search reads it.
#[derive(Clone, Copy, Debug)]
struct Road {
    to: u32,
    link: u32,
    /// What counts: the fastest route is taken.
    latency: u64,
    /// What it costs to go on over it: the latency and the processing at its end, with flags.
    price: u64,
}

impl Road {
    fn over(topology: &Topology, link: LinkId, to: NodeId, values: &Link) -> Road {
        let latency = values.latency.as_nanos();
        let mut price = latency.saturating_add(topology.node(to).processing.as_nanos()).min(PRICE);
        if values.bandwidth != Bandwidth::Unlimited {
            price |= SIZED;
        }
        if values.is_noisy() {
            price |= NOISY;
        }
        Road { to: to.0, link: link.0, latency, price }
    }
}

/// The roads of every node that a search has come to since the network last changed, each node's side
/// by side, as the graph itself does not have them.
#[derive(Debug, Default)]
struct Map {
    roads: Vec<Road>,
    /// By node: where its roads are, if drawn.
    drawn: Vec<Range<u32>>,
}

impl Map {
    const NOT_DRAWN: Range<u32> = u32::MAX..u32::MAX;

    #[inline]
    fn from(&mut self, topology: &Topology, node: u32) -> &[Road] {
        let Range { start, end } = match self.drawn.get(node as usize) {
            Some(range) if *range != Self::NOT_DRAWN => range.clone(),
            _ => self.draw(topology, node),
        };
        &self.roads[start as usize..end as usize]
    }

    fn draw(&mut self, topology: &Topology, node: u32) -> Range<u32> {
        let start = self.roads.len() as u32;
        let ways = topology.links_from(NodeId(node));
        let open = ways.filter(|(link, next, _)| topology.is_link_up(*link) && topology.is_node_up(*next));
        self.roads.extend(open.map(|(link, next, values)| Road::over(topology, link, next, values)));
        if self.drawn.is_empty() {
            self.drawn.resize(topology.node_count(), Self::NOT_DRAWN);
        }
        let range = start..self.roads.len() as u32;
        self.drawn[node as usize] = range.clone();
        range
    }
}

/// Dijkstra's algorithm, and its notes. They are kept from one search to the next, so that a
/// search costs what it visits and not what there is.
#[derive(Debug, Default)]
pub(super) struct Search {
    map: Map,
    /// By node: the best way known, if of this round.
    best: Vec<Best>,
    round: u32,
    /// What is to be settled next: its latency, hops and node, from the high bits to the low.
    open: BinaryHeap<Reverse<u128>>,
    /// The nodes that were reached, nearest first.
    pub(super) settled: Vec<Branch>,
}

/// Two of them share a cache line.
#[derive(Clone, Copy, Debug)]
struct Best {
    round: u32,
    via: u32,
    /// Latency, hops and predecessor of the way; `DONE` if none is better.
    rank: (u64, u32, u32),
    fixed: u64,
}

const UNSEEN: Best = Best { round: 0, rank: (u64::MAX, u32::MAX, u32::MAX), via: NO_LINK, fixed: 0 };
/// No way to the source is better: others have a hop at least.
const AT_SOURCE: (u64, u32, u32) = (0, 0, 1);
/// And none is better than what is settled.
const DONE: (u64, u32, u32) = (0, 0, 0);

fn in_turn(latency: u64, hops: u32, node: u32) -> Reverse<u128> {
    Reverse(u128::from(latency) << 64 | u128::from(hops) << 32 | u128::from(node))
}

impl Search {
    /// The network has changed.
    pub(super) fn forget(&mut self) {
        self.map.roads.clear();
        self.map.drawn.clear();
    }

    /// Finds the routes from `source` to everywhere: they are in `settled` then.
    pub(super) fn run(&mut self, topology: &Topology, source: NodeId) {
        let Search { map, best, round, open, settled } = self;
        settled.clear();
        open.clear();
        best.resize(topology.node_count(), UNSEEN);
        *round = round.wrapping_add(1);
        if *round == 0 {
            best.fill(UNSEEN);
            *round = 1;
        }
        if !topology.is_node_up(source) {
            return;
        }
        let start = topology.node(source).processing.as_nanos().min(PRICE);
        best[source.index()] = Best { round: *round, via: NO_LINK, rank: AT_SOURCE, fixed: start };
        open.push(in_turn(0, 0, source.0));
        while let Some(Reverse(next)) = open.pop() {
            let (latency, hops, at) = ((next >> 64) as u64, (next >> 32) as u32, next as u32);
            let here = &mut best[at as usize];
            if std::mem::replace(&mut here.rank, DONE) == DONE {
                continue;
            }
            let fixed = here.fixed;
            settled.push(Branch { node: at, via: here.via, fixed });
            for road in map.from(topology, at) {
                let known = &mut best[road.to as usize];
                if known.round != *round {
                    *known = Best { round: *round, ..UNSEEN };
                }
                let rank = (latency.saturating_add(road.latency), hops + 1, at);
                if rank < known.rank {
                    *known = Best { round: *round, via: road.link, rank, fixed: extend(fixed, road.price) };
                    open.push(in_turn(rank.0, rank.1, road.to));
                }
            }
        }
    }
}

/// The price of a path that goes on over a road.
fn extend(before: u64, road: u64) -> u64 {
    let flags = (before | road) & (SIZED | NOISY);
    flags | ((before & PRICE) + (road & PRICE)).min(PRICE)
}
