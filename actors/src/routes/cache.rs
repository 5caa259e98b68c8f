//! The routes and prices that were asked for since the network last changed.

use std::rc::Rc;

use super::table::{PriceTable, Quote, Quotes};
use super::transmission_time;
use super::tree::{Price, Search, Tree};
use crate::topology::{NodeId, Topology};
use crate::units::{Bytes, SimDuration};

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
        if !self.grown.is_empty() {
            self.search.forget();
            self.table.clear(&self.grown);
        }
        for source in self.grown.drain(..) {
            self.trees[source.index()] = None;
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
            search.run(topology, from);
            grown.push(from);
            // A tree that reaches little is quicker to search than a row to fill.
            let much = search.settled.len() > topology.node_count() / 16;
            Rc::new(if much && table.fill(from, &search.settled) {
                Tree::most(from, search, topology.node_count())
            } else {
                Tree::few(from, search)
            })
        })
    }

    /// What the route between two nodes costs; `None` if there is none.
    #[inline]
    pub(crate) fn price(&mut self, topology: &Topology, from: NodeId, to: NodeId) -> Option<Price> {
        match self.table.price(from, to) {
            Some(price) => Some(price),
            None => self.tree(topology, from).price(topology, to),
        }
    }

    /// The places of prices that are certain: to be looked up later, side by side.
    pub(crate) fn quotes(&self) -> Quotes {
        self.table.quotes()
    }

    #[inline]
    pub(crate) fn fetch(&self, quote: Quote) {
        self.table.fetch(quote);
    }

    #[inline]
    pub(crate) fn price_of(&self, quote: Quote) -> Price {
        self.table.price_of(quote)
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
