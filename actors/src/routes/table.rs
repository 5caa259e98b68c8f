//! The prices of routes, side by side.

use memmap2::MmapMut;

use super::tree::{Branch, Price};
use crate::topology::NodeId;
use crate::units::SimDuration;

/// The prices of the trees once more, four bytes each: among thousands of nodes what a price costs is the
/// way to memory, and this is the shortest. Rows stand in the order in which they were asked for, so that
/// those nobody asks for take no room.
#[derive(Debug)]
pub(super) struct PriceTable {
    /// By source: its row, or `NO_ROW`. Empty if there are too many nodes for a table.
    rows: Vec<u32>,
    filled: u32,
    /// By row and target: price and flags, or `LOOK_ELSEWHERE`, in the byte order of the machine. Memory
    /// that was never written does not exist.
    prices: Option<MmapMut>,
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
        let rows = if prices.is_some() { vec![NO_ROW; nodes] } else { Vec::new() };
        PriceTable { rows, filled: 0, prices }
    }

    /// Empties the rows of those sources, which are all that are filled.
    pub(super) fn clear(&mut self, sources: &[NodeId]) {
        self.filled = 0;
        for source in sources {
            if let Some(row) = self.rows.get_mut(source.index()) {
                *row = NO_ROW;
            }
        }
    }

    /// Fills in the row of a source; false if there is no table.
    pub(super) fn fill(&mut self, source: NodeId, branches: &[Branch]) -> bool {
        let width = self.rows.len() * ENTRY;
        let (Some(prices), Some(own)) = (&mut self.prices, self.rows.get_mut(source.index())) else { return false };
        let row = &mut prices[self.filled as usize * width..][..width];
        let (entries, _) = row.as_chunks_mut::<ENTRY>();
        entries.fill(LOOK_ELSEWHERE.to_ne_bytes());
        for branch in branches.iter().filter(|branch| branch.node != source.0) {
            let Price { fixed, sized, noisy } = branch.price();
            if fixed.as_nanos() < u64::from(LOOK_ELSEWHERE) {
                let sized = if sized { SIZED } else { 0 };
                let noisy = if noisy { NOISY } else { 0 };
                entries[branch.node as usize] = (fixed.as_nanos() as u32 | sized | noisy).to_ne_bytes();
            }
        }
        *own = self.filled;
        self.filled += 1;
        true
    }

    #[inline]
    pub(super) fn price(&self, from: NodeId, to: NodeId) -> Option<Price> {
        let row = *self.rows.get(from.index())?;
        if row == NO_ROW {
            return None;
        }
        let (entries, _) = self.prices.as_deref()?.as_chunks::<ENTRY>();
        let entry = u32::from_ne_bytes(entries[row as usize * self.rows.len() + to.index()]);
        let price = entry & PRICE;
        (price != LOOK_ELSEWHERE).then(|| Price {
            fixed: SimDuration::from_nanos(u64::from(price)),
            sized: entry & SIZED != 0,
            noisy: entry & NOISY != 0,
        })
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
