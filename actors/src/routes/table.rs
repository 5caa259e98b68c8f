//! The prices of routes, side by side.

use std::cell::Cell;
use std::rc::Rc;

use memmap2::MmapMut;
use prefetch_index::prefetch_index;

use super::tree::{Branch, Price};
use crate::topology::NodeId;
use crate::units::SimDuration;

/// The prices of the trees once more, four bytes each: among thousands of nodes what a price costs is the
/// way to memory, and this is the shortest. Rows stand in the order in which they were asked for, so that
/// those nobody asks for take no room.
#[derive(Debug)]
pub(super) struct PriceTable {
    /// By source. Empty if there are too many nodes for a table.
    rows: Quotes,
    filled: u32,
    /// By row and target: price and flags, or `LOOK_ELSEWHERE`, in the byte order of the machine. Memory
    /// that was never written does not exist.
    prices: Option<MmapMut>,
}

/// Where the prices of one source are.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Which row of the table, or `NO_ROW`.
    at: u32,
    /// Whether it has a price for every other node, and none is noisy.
    complete: bool,
}

const NOT_FILLED: Row = Row { at: NO_ROW, complete: false };

/// Where a price is that is in the table for sure, until the network changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quote(u32);

impl Quote {
    /// Of nothing.
    pub(crate) const NONE: Quote = Quote(u32::MAX);
}

/// Where the prices of each source are, for whoever wants to know no more than that.
#[derive(Clone, Debug)]
pub(crate) struct Quotes(Rc<[Cell<Row>]>);

impl Quotes {
    /// Where the price of a message to another node is, if every node has a price for that source and none
    /// is noisy.
    #[inline]
    pub(crate) fn get(&self, from: NodeId, to: NodeId) -> Option<Quote> {
        let row = self.0.get(from.index()).map(Cell::get).filter(|row| row.complete && from != to)?;
        Some(Quote(self.place(row, to)))
    }

    #[inline]
    fn place(&self, row: Row, to: NodeId) -> u32 {
        row.at * self.0.len() as u32 + to.0
    }
}

/// Networks of up to so many nodes have a table: at most 400 MB, if every node sends.
const NODES: usize = 10_000;
const ENTRY: usize = size_of::<u32>();
const NO_ROW: u32 = u32::MAX;
const SIZED: u32 = 1 << 31;
const NOISY: u32 = 1 << 30;
const PRICE: u32 = NOISY - 1;
/// No route, the node itself, or a price of more than a second.
const LOOK_ELSEWHERE: u32 = PRICE;

impl PriceTable {
    pub(super) fn new(nodes: usize) -> Self {
        let prices = if nodes <= NODES { memory(nodes * nodes * ENTRY) } else { None };
        let rows = if prices.is_some() { vec![Cell::new(NOT_FILLED); nodes] } else { Vec::new() };
        PriceTable { rows: Quotes(rows.into()), filled: 0, prices }
    }

    /// Empties the rows of those sources, which are all that are filled.
    pub(super) fn clear(&mut self, sources: &[NodeId]) {
        self.filled = 0;
        for source in sources {
            if let Some(row) = self.rows.0.get(source.index()) {
                row.set(NOT_FILLED);
            }
        }
    }

    /// Fills in the row of a source; false if there is no table.
    pub(super) fn fill(&mut self, source: NodeId, branches: &[Branch]) -> bool {
        let width = self.rows.0.len() * ENTRY;
        let (Some(prices), Some(own)) = (&mut self.prices, self.rows.0.get(source.index())) else { return false };
        let row = &mut prices[self.filled as usize * width..][..width];
        let (entries, _) = row.as_chunks_mut::<ENTRY>();
        entries.fill(LOOK_ELSEWHERE.to_ne_bytes());
        let mut priced = 0;
        for branch in branches.iter().filter(|branch| branch.node != source.0) {
            let Price { fixed, sized, noisy } = branch.price();
            if fixed.as_nanos() < u64::from(LOOK_ELSEWHERE) {
                priced += usize::from(!noisy);
                let sized = if sized { SIZED } else { 0 };
                let noisy = if noisy { NOISY } else { 0 };
                entries[branch.node as usize] = (fixed.as_nanos() as u32 | sized | noisy).to_ne_bytes();
            }
        }
        own.set(Row { at: self.filled, complete: priced + 1 == entries.len() });
        self.filled += 1;
        true
    }

    #[inline]
    pub(super) fn price(&self, from: NodeId, to: NodeId) -> Option<Price> {
        let row = self.rows.0.get(from.index())?.get();
        if row.at == NO_ROW {
            return None;
        }
        let entry = self.entry(self.rows.place(row, to));
        (entry & PRICE != LOOK_ELSEWHERE).then(|| price_in(entry))
    }

    #[inline]
    fn entry(&self, at: u32) -> u32 {
        let (entries, _) = self.prices.as_deref().unwrap_or_default().as_chunks::<ENTRY>();
        u32::from_ne_bytes(entries[at as usize])
    }

    pub(super) fn quotes(&self) -> Quotes {
        self.rows.clone()
    }

    /// Lets the processor fetch a price that is soon to be looked up.
    #[inline]
    pub(super) fn fetch(&self, quote: Quote) {
        let (entries, _) = self.prices.as_deref().unwrap_or_default().as_chunks::<ENTRY>();
        prefetch_index(entries, quote.0 as usize);
    }

    #[inline]
    pub(super) fn price_of(&self, quote: Quote) -> Price {
        price_in(self.entry(quote.0))
    }
}

#[inline]
fn price_in(entry: u32) -> Price {
    Price {
        fixed: SimDuration::from_nanos(u64::from(entry & PRICE)),
        sized: entry & SIZED != 0,
        noisy: entry & NOISY != 0,
    }
}

/// So many bytes, all zero; `None` if there are not as many, or none are asked for. In large pages where
/// the system has them: among thousands of nodes every look is at another page, and to find where a small
/// one is takes as long again as to read it.
fn memory(bytes: usize) -> Option<MmapMut> {
    let memory = MmapMut::map_anon(bytes).ok()?;
    // Where there are none, small ones do.
    #[cfg(target_os = "linux")]
    let _ = memory.advise(memmap2::Advice::HugePage);
    Some(memory)
}
