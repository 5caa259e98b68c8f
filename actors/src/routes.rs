//! Routes and what they cost: plain functions over a [`Topology`].
//!
//! A route is the path of least total latency over nodes and links that are up (E. W. Dijkstra, "A
//! note on two problems in connexion with graphs", 1959); of equally fast ones the one with fewer
//! hops, then the one whose nodes come first. Its price for a message of `b` bytes is ECLYPSE's
//! *route cost*: the processing time of every node on it, both ends included, and for every hop
//! the transmission time `8 b / bandwidth`, rounded to the nearest nanosecond, and the latency.
//! Within one node a message costs nothing.

mod cache;
mod table;
mod tree;

use crate::topology::{LinkId, NodeId, Topology};
use crate::units::{Bandwidth, Bytes, SimDuration};

pub(crate) use cache::RouteCache;
pub(crate) use table::{Quote, Quotes};
use tree::Search;
pub(crate) use tree::{Price, Tree};

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
    let mut search = Search::default();
    search.run(topology, from);
    let tree = Tree::few(from, &mut search);
    tree.price(topology, to)?;
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

#[cfg(test)]
mod tests;
