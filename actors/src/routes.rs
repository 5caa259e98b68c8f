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

use crate::topology::{Link, LinkId, NodeId, Topology};
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
    let tree = Tree::grow(topology, from, &mut Search::default());
    tree.price(to)?;
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
/// Set in a price if some link on the way has limited bandwidth.
const SIZED: u64 = 1 << 63;
/// Set in a price if some link on the way loses, doubles or shakes messages.
const NOISY: u64 = 1 << 62;
const PRICE: u64 = NOISY - 1;

/// All the routes from one node: the tree of shortest paths.
#[derive(Debug)]
pub(crate) struct Tree {
    source: NodeId,
    /// The nodes that it reaches, in their order.
    branches: Box<[Branch]>,
}

/// What a tree knows of one node that it reaches.
#[derive(Clone, Copy, Debug)]
struct Branch {
    node: u32,
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

impl Tree {
    /// Finds the routes from `source` to everywhere.
    fn grow(topology: &Topology, source: NodeId, search: &mut Search) -> Tree {
        search.run(topology, source);
        search.settled.sort_unstable_by_key(|branch| branch.node);
        Tree { source, branches: search.settled.as_slice().into() }
    }

    #[inline]
    fn branch(&self, to: NodeId) -> Option<&Branch> {
        // A tree that reaches everything has each node in its place.
        match self.branches.get(to.index()) {
            Some(branch) if branch.node == to.0 => Some(branch),
            _ => {
                let at = self.branches.binary_search_by_key(&to.0, |branch| branch.node).ok()?;
                Some(&self.branches[at])
            }
        }
    }

    /// What the route to `to` costs; `None` if there is none. Zero for the source itself.
    #[inline]
    pub(crate) fn price(&self, to: NodeId) -> Option<Price> {
        let fixed = self.branch(to)?.fixed;
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
            let via = self.branch(at)?.via;
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
struct Search {
    /// By node: the best known (latency, hops, predecessor, last link), if of this round.
    best: Vec<Best>,
    round: u32,
    open: BinaryHeap<Reverse<(u64, u32, u32)>>,
    /// The nodes that were reached, nearest first.
    settled: Vec<Branch>,
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
    fn run(&mut self, topology: &Topology, source: NodeId) {
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

/// The routes that were asked for since the topology last changed.
#[derive(Debug)]
pub(crate) struct RouteCache {
    trees: Vec<Option<Rc<Tree>>>,
    /// The sources whose trees there are.
    grown: Vec<NodeId>,
    search: Search,
    table: PriceTable,
    /// Transmission times of recent (from, to, bytes), overwritten on collision.
    memo: Vec<Memo>,
    epoch: u32,
}

/// The prices of the trees once more, four bytes each, side by side: among thousands of nodes what
/// a price costs is the way to memory, and this is the shortest.
#[derive(Debug)]
struct PriceTable {
    nodes: usize,
    /// Which rows are filled in. Empty if there are too many nodes for a table.
    rows: Vec<bool>,
    /// By source and target: price and flags, or `LOOK_ELSEWHERE`. Memory that was never written
    /// does not exist, so that rows nobody asks for cost nothing.
    prices: Vec<u32>,
}

/// Networks of up to so many nodes have a table: at most 400 MB, if every node sends.
const TABLE_NODES: usize = 10_000;
const TABLE_SIZED: u32 = 1 << 31;
const TABLE_NOISY: u32 = 1 << 30;
const TABLE_PRICE: u32 = TABLE_NOISY - 1;
/// No route, the node itself, or a price of more than a second.
const LOOK_ELSEWHERE: u32 = TABLE_PRICE;

impl PriceTable {
    fn new(nodes: usize) -> Self {
        let fits = nodes <= TABLE_NODES;
        let (rows, prices) = if fits { (vec![false; nodes], vec![0; nodes * nodes]) } else { (Vec::new(), Vec::new()) };
        PriceTable { nodes, rows, prices }
    }

    fn fill(&mut self, tree: &Tree) {
        // A tree that reaches little is quicker to search than a row to fill.
        if self.rows.is_empty() || tree.branches.len() < self.nodes / 16 {
            return;
        }
        let source = tree.source.index();
        let row = &mut self.prices[source * self.nodes..][..self.nodes];
        row.fill(LOOK_ELSEWHERE);
        for branch in tree.branches.iter().filter(|branch| branch.node != tree.source.0) {
            let price = branch.fixed & PRICE;
            if price < u64::from(LOOK_ELSEWHERE) {
                let sized = if branch.fixed & SIZED != 0 { TABLE_SIZED } else { 0 };
                let noisy = if branch.fixed & NOISY != 0 { TABLE_NOISY } else { 0 };
                row[branch.node as usize] = price as u32 | sized | noisy;
            }
        }
        self.rows[source] = true;
    }

    #[inline]
    fn price(&self, from: NodeId, to: NodeId) -> Option<Price> {
        if !self.rows.get(from.index()).copied().unwrap_or(false) {
            return None;
        }
        let entry = self.prices[from.index() * self.nodes + to.index()];
        let price = entry & TABLE_PRICE;
        (price != LOOK_ELSEWHERE).then(|| Price {
            fixed: SimDuration::from_nanos(u64::from(price)),
            sized: entry & TABLE_SIZED != 0,
            noisy: entry & TABLE_NOISY != 0,
        })
    }
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
        let nodes = topology.node_count();
        RouteCache {
            trees: vec![None; nodes],
            grown: Vec::new(),
            search: Search::default(),
            table: PriceTable::new(nodes),
            memo: vec![Memo::default(); MEMOS],
            epoch: 1,
        }
    }

    /// Forgets everything: the topology has changed.
    pub(crate) fn clear(&mut self) {
        // As many changes may come at once as there are links: the second one finds nothing left.
        for source in self.grown.drain(..) {
            self.trees[source.index()] = None;
            if let Some(row) = self.table.rows.get_mut(source.index()) {
                *row = false;
            }
        }
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.memo.fill(Memo::default());
            self.epoch = 1;
        }
    }

    /// The routes from a node.
    pub(crate) fn tree(&mut self, topology: &Topology, from: NodeId) -> &Rc<Tree> {
        let RouteCache { trees, grown, search, table, .. } = self;
        trees[from.index()].get_or_insert_with(|| {
            let tree = Tree::grow(topology, from, search);
            table.fill(&tree);
            grown.push(from);
            Rc::new(tree)
        })
    }

    /// What the route between two nodes costs; `None` if there is none.
    #[inline]
    pub(crate) fn price(&mut self, topology: &Topology, from: NodeId, to: NodeId) -> Option<Price> {
        match self.table.price(from, to) {
            Some(price) => Some(price),
            None => self.tree(topology, from).price(to),
        }
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
