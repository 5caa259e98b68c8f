//! Routes and what they cost: plain functions over a [`Topology`].
//!
//! A route is the path of least total latency over nodes and links that are up (E. W. Dijkstra, "A
//! note on two problems in connexion with graphs", 1959); of equally fast ones the one with fewer
//! hops, then the one whose nodes come first. Its price for a message of `b` bytes is ECLYPSE's
//! *route cost*: the processing time of every node on it, both ends included, and for every hop
//! the transmission time `8 b / bandwidth`, rounded to the nearest nanosecond, and the latency.
//! Within one node a message costs nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use crate::topology::{LinkId, NodeId, Topology};
use crate::units::{Bandwidth, Bytes, SimDuration};

/// One leg of a route: the processing at the node where it starts, then the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Where the leg starts.
    pub node: NodeId,
    /// The link that it takes.
    pub link: LinkId,
    /// What the node takes to pass the message on.
    pub processing: SimDuration,
    /// What the link takes to let the message in.
    pub transmission: SimDuration,
    /// What the link takes to carry it.
    pub latency: SimDuration,
}

/// A route and its price, part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteBreakdown {
    /// The legs in order; none if both ends are the same node.
    pub hops: Vec<Hop>,
    /// The last node and its processing time (zero if there are no hops).
    pub last: (NodeId, SimDuration),
    /// The sum of all parts.
    pub total: SimDuration,
}

/// The time that `bytes` need to enter a link, rounded to the nearest nanosecond.
///
/// ```
/// use rehearsal_actors::routes::transmission_time;
/// use rehearsal_actors::units::{Bandwidth, Bytes, SimDuration};
/// let ten_megabit = Bandwidth::bits_per_second(10_000_000).ok_or("zero")?;
/// // 1,250 bytes are 10,000 bits: a thousandth of a second.
/// assert_eq!(transmission_time(Bytes(1250), ten_megabit), SimDuration::from_millis(1));
/// # Ok::<(), &str>(())
/// ```
pub fn transmission_time(bytes: Bytes, bandwidth: Bandwidth) -> SimDuration {
    const NANOS_TIMES_BITS: u64 = 8_000_000_000;
    match bandwidth {
        Bandwidth::Unlimited => SimDuration::ZERO,
        Bandwidth::BitsPerSecond(rate) => {
            let half = rate.get() / 2;
            let nanos = match bytes.0.checked_mul(NANOS_TIMES_BITS).and_then(|n| n.checked_add(half)) {
                Some(n) => n / rate,
                None => {
                    let n = u128::from(bytes.0) * u128::from(NANOS_TIMES_BITS) + u128::from(half);
                    u64::try_from(n / u128::from(rate.get())).unwrap_or(u64::MAX)
                }
            };
            SimDuration::from_nanos(nanos)
        }
    }
}

/// The route that a message of that size would take now, and its price. `None` if nothing that is
/// up leads there.
pub fn explain(topology: &Topology, from: NodeId, to: NodeId, bytes: Bytes) -> Option<RouteBreakdown> {
    let tree = Tree::grow(topology, from);
    if !tree.reaches(to) {
        return None;
    }
    let hops: Vec<Hop> = tree
        .path(topology, to)
        .into_iter()
        .map(|link| {
            let (node, _) = topology.ends(link);
            let values = topology.link(link);
            Hop {
                node,
                link,
                processing: topology.node(node).processing,
                transmission: transmission_time(bytes, values.bandwidth),
                latency: values.latency,
            }
        })
        .collect();
    let last = if hops.is_empty() { SimDuration::ZERO } else { topology.node(to).processing };
    let total = hops.iter().map(|h| h.processing + h.transmission + h.latency).sum::<SimDuration>() + last;
    Some(RouteBreakdown { hops, last: (to, last), total })
}

const NO_LINK: u32 = u32::MAX;
/// Set in a [`Tree::fixed`] price if some link on the way has limited bandwidth.
const SIZED: u64 = 1 << 63;
/// Set in a [`Tree::fixed`] price if some link on the way loses, doubles or shakes messages.
const NOISY: u64 = 1 << 62;
const PRICE: u64 = NOISY - 1;
const UNREACHABLE: u64 = u64::MAX;

/// All the routes from one node: the tree of shortest paths.
#[derive(Debug)]
pub(crate) struct Tree {
    source: NodeId,
    /// By target: processing and latency of the whole path, with flags; `UNREACHABLE` if none.
    fixed: Vec<u64>,
    /// By target: the last link of its path.
    via: Vec<u32>,
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

impl Tree {
    /// Finds the routes from `source` to everywhere.
    pub(crate) fn grow(topology: &Topology, source: NodeId) -> Tree {
        let count = topology.node_count();
        let mut tree = Tree { source, fixed: vec![UNREACHABLE; count], via: vec![NO_LINK; count] };
        if !topology.is_node_up(source) {
            return tree;
        }
        let mut best = vec![(u64::MAX, u32::MAX, u32::MAX); count];
        let mut done = vec![false; count];
        let mut open = BinaryHeap::new();
        best[source.index()] = (0, 0, source.0);
        open.push(Reverse((0u64, 0u32, source.0)));
        while let Some(Reverse((latency, hops, at))) = open.pop() {
            if std::mem::replace(&mut done[at as usize], true) {
                continue;
            }
            tree.settle(topology, NodeId(at));
            for (link, next, values) in topology.links_from(NodeId(at)) {
                if done[next.index()] || !topology.is_link_up(link) || !topology.is_node_up(next) {
                    continue;
                }
                let reached = (latency.saturating_add(values.latency.as_nanos()), hops + 1, at);
                if reached < best[next.index()] {
                    best[next.index()] = reached;
                    tree.via[next.index()] = link.0;
                    open.push(Reverse((reached.0, reached.1, next.0)));
                }
            }
        }
        tree
    }

    /// Notes the price of a node whose predecessor is settled already.
    fn settle(&mut self, topology: &Topology, node: NodeId) {
        let via = self.via[node.index()];
        self.fixed[node.index()] = if via == NO_LINK {
            topology.node(node).processing.as_nanos().min(PRICE)
        } else {
            let link = LinkId(via);
            let before = self.fixed[topology.ends(link).0.index()];
            let values = topology.link(link);
            let own = values.latency.as_nanos().saturating_add(topology.node(node).processing.as_nanos());
            let mut flags = before & (SIZED | NOISY);
            if values.bandwidth != Bandwidth::Unlimited {
                flags |= SIZED;
            }
            if values.is_noisy() {
                flags |= NOISY;
            }
            // All of PRICE and both flags would read as unreachable.
            flags | (before & PRICE).saturating_add(own).min(PRICE - 1)
        };
    }

    /// Whether there is a route to `to`.
    pub(crate) fn reaches(&self, to: NodeId) -> bool {
        self.fixed[to.index()] != UNREACHABLE
    }

    /// What the route to `to` costs; `None` if there is none. Zero for the source itself.
    #[inline]
    pub(crate) fn price(&self, to: NodeId) -> Option<Price> {
        let fixed = self.fixed[to.index()];
        if fixed == UNREACHABLE {
            return None;
        }
        if to == self.source {
            return Some(Price { fixed: SimDuration::ZERO, sized: false, noisy: false });
        }
        Some(Price {
            fixed: SimDuration::from_nanos(fixed & PRICE),
            sized: fixed & SIZED != 0,
            noisy: fixed & NOISY != 0,
        })
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
            let via = self.via[at.index()];
            if via == NO_LINK {
                return None;
            }
            at = topology.ends(LinkId(via)).0;
            Some(LinkId(via))
        })
    }
}

/// The trees that were asked for since the topology last changed.
#[derive(Debug)]
pub(crate) struct RouteCache {
    trees: Vec<Option<Rc<Tree>>>,
    /// Transmission times of recent (from, to, bytes), overwritten on collision.
    memo: Vec<Memo>,
    epoch: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Memo {
    epoch: u32,
    from: u32,
    to: u32,
    bytes: u64,
    nanos: u64,
}

const MEMOS: usize = 2048;

impl RouteCache {
    pub(crate) fn new(topology: &Topology) -> Self {
        RouteCache { trees: vec![None; topology.node_count()], memo: vec![Memo::default(); MEMOS], epoch: 1 }
    }

    /// Forgets everything: the topology has changed.
    pub(crate) fn clear(&mut self) {
        self.trees.fill(None);
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.memo.fill(Memo::default());
            self.epoch = 1;
        }
    }

    /// The routes from a node.
    #[inline]
    pub(crate) fn tree(&mut self, topology: &Topology, from: NodeId) -> &Rc<Tree> {
        self.trees[from.index()].get_or_insert_with(|| Rc::new(Tree::grow(topology, from)))
    }

    /// The sum of the transmission times on the way to `to`.
    pub(crate) fn transmission(&mut self, topology: &Topology, from: NodeId, to: NodeId, bytes: Bytes) -> SimDuration {
        let key = u64::from(from.0) << 32 | u64::from(to.0);
        let hash = (key ^ bytes.0.rotate_left(24)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let index = (hash >> 53) as usize % MEMOS;
        let memo = self.memo[index];
        if memo.epoch == self.epoch && memo.from == from.0 && memo.to == to.0 && memo.bytes == bytes.0 {
            return SimDuration::from_nanos(memo.nanos);
        }
        let tree = self.tree(topology, from).clone();
        let sum: SimDuration =
            tree.links_back(topology, to).map(|link| transmission_time(bytes, topology.link(link).bandwidth)).sum();
        self.memo[index] = Memo { epoch: self.epoch, from: from.0, to: to.0, bytes: bytes.0, nanos: sum.as_nanos() };
        sum
    }
}

#[cfg(test)]
mod tests;
