use petgraph::algo::dijkstra;
use petgraph::graph::NodeIndex;
use proptest::prelude::*;

use super::tree::Price;
use super::*;
use crate::topology::{Link, Node};

fn node(name: &str, processing_ms: u64) -> Node {
    Node { processing: SimDuration::from_millis(processing_ms), ..Node::new(name) }
}

fn link(latency_ms: u64, megabit: u64) -> Link {
    Link {
        bandwidth: Bandwidth::bits_per_second(megabit * 1_000_000).unwrap_or(Bandwidth::Unlimited),
        ..Link::new(SimDuration::from_millis(latency_ms))
    }
}

/// a --10ms, 10 Mbit/s--> b --5ms, 100 Mbit/s--> c, and a --40ms--> c directly.
fn three() -> Result<(Topology, [NodeId; 3], [LinkId; 3]), crate::topology::TopologyError> {
    let mut topology = Topology::new();
    let a = topology.add_node(node("a", 1))?;
    let b = topology.add_node(node("b", 2))?;
    let c = topology.add_node(node("c", 3))?;
    let ab = topology.add_link(a, b, link(10, 10))?;
    let bc = topology.add_link(b, c, link(5, 100))?;
    let ac = topology.add_link(a, c, link(40, 1000))?;
    Ok((topology, [a, b, c], [ab, bc, ac]))
}

#[test]
fn the_price_is_the_sum_worked_out_by_hand() -> Result<(), Box<dyn std::error::Error>> {
    let (topology, [a, b, c], [ab, bc, _]) = three()?;
    // 12,500 bytes are 100,000 bits: 10 ms at 10 Mbit/s, 1 ms at 100 Mbit/s.
    // 1 + (10 + 10) + 2 + (1 + 5) + 3 = 32 ms.
    let route = explain(&topology, a, c, Bytes(12_500)).ok_or("no route")?;
    assert_eq!(route.total, SimDuration::from_millis(32));
    assert_eq!(route.hops.iter().map(|h| (h.node, h.link)).collect::<Vec<_>>(), [(a, ab), (b, bc)]);
    assert_eq!(route.last, (c, SimDuration::from_millis(3)));
    let mut cache = RouteCache::new(&topology);
    let price = cache.price(&topology, a, c).ok_or("no route")?;
    assert_eq!(price, Price { fixed: SimDuration::from_millis(21), sized: true, noisy: false });
    for _ in 0..2 {
        assert_eq!(cache.transmission(&topology, a, c, Bytes(12_500)), SimDuration::from_millis(11));
    }
    Ok(())
}

#[test]
fn within_a_node_a_message_costs_nothing() -> Result<(), Box<dyn std::error::Error>> {
    let (topology, [a, ..], _) = three()?;
    let route = explain(&topology, a, a, Bytes(1 << 30)).ok_or("no route")?;
    assert_eq!((route.total, route.hops.len()), (SimDuration::ZERO, 0));
    Ok(())
}

#[test]
fn what_is_down_is_gone_around_or_not_reached() -> Result<(), Box<dyn std::error::Error>> {
    let (mut topology, [a, b, c], [_, _, ac]) = three()?;
    topology.set_node_up(b, false);
    let around = explain(&topology, a, c, Bytes(0)).ok_or("no route")?;
    assert_eq!(around.total, SimDuration::from_millis(1 + 40 + 3));
    topology.set_link_up(ac, false);
    assert_eq!(explain(&topology, a, c, Bytes(0)), None);
    assert_eq!(explain(&topology, c, a, Bytes(0)), None, "links are directed");
    assert_eq!(explain(&topology, b, b, Bytes(0)), None, "a node that is down does not even reach itself");
    Ok(())
}

#[test]
fn of_equally_fast_routes_the_one_with_fewer_hops_is_taken() -> Result<(), Box<dyn std::error::Error>> {
    let mut topology = Topology::new();
    let ids = ["a", "b", "c"].map(|name| topology.add_node(Node::new(name)));
    let [a, b, c] = ids;
    let (a, b, c) = (a?, b?, c?);
    topology.add_link(a, b, link(1, 0))?;
    topology.add_link(b, c, link(1, 0))?;
    let direct = topology.add_link(a, c, link(2, 0))?;
    let route = explain(&topology, a, c, Bytes(1)).ok_or("no route")?;
    assert_eq!(route.hops.iter().map(|h| h.link).collect::<Vec<_>>(), [direct]);
    Ok(())
}

#[test]
fn transmission_is_rounded_to_the_nearest_nanosecond_and_never_overflows() -> Result<(), &'static str> {
    let three = Bandwidth::bits_per_second(3_000_000_000).ok_or("zero")?;
    // 8 bits / 3 = 2.67 ns; 16 / 3 = 5.33 ns.
    assert_eq!(transmission_time(Bytes(1), three).as_nanos(), 3);
    assert_eq!(transmission_time(Bytes(2), three).as_nanos(), 5);
    let slowest = Bandwidth::bits_per_second(1).ok_or("zero")?;
    assert_eq!(transmission_time(Bytes(u64::MAX), slowest).as_nanos(), u64::MAX);
    Ok(())
}

/// Up to twelve nodes and any links between them.
pub(crate) fn any_topology() -> impl Strategy<Value = Topology> {
    (2..12usize).prop_flat_map(|nodes| {
        let links = prop::collection::vec((0..nodes, 0..nodes, 0..40u64, 0..1500u64), 0..nodes * 4);
        let processing = prop::collection::vec(0..25u64, nodes);
        (processing, links).prop_map(|(processing, links)| {
            let mut topology = Topology::new();
            for (i, ms) in processing.iter().enumerate() {
                let _ = topology.add_node(node(&format!("n{i}"), *ms));
            }
            for (from, to, latency, megabit) in links {
                let _ = topology.add_link(NodeId(from as u32), NodeId(to as u32), link(latency, megabit));
            }
            topology
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn routes_are_as_fast_as_petgraphs_and_the_cached_price_is_the_explained_one(
        topology in any_topology(), bytes in 0..10_000_000u64,
    ) {
        let mut cache = RouteCache::new(&topology);
        for (from, _) in topology.nodes() {
            let fastest = dijkstra(topology.graph(), NodeIndex::new(from.index()), None, |e| e.weight().latency.as_nanos());
            for (to, _) in topology.nodes() {
                let route = explain(&topology, from, to, Bytes(bytes));
                let latency = route.as_ref().map(|r| r.hops.iter().map(|h| h.latency.as_nanos()).sum::<u64>());
                prop_assert_eq!(latency, fastest.get(&NodeIndex::new(to.index())).copied());
                let price = cache.price(&topology, from, to);
                prop_assert_eq!(cache.price(&topology, from, to), price, "from the table");
                let cached = price.map(|p| {
                    let sized = if p.sized { cache.transmission(&topology, from, to, Bytes(bytes)) } else { SimDuration::ZERO };
                    p.fixed + sized
                });
                prop_assert_eq!(cached, route.map(|r| r.total));
            }
        }
    }
}

fn up_or_down(topology: &mut Topology, change: (bool, usize)) {
    let (of_node, at) = change;
    if of_node {
        let node = NodeId((at % topology.node_count()) as u32);
        topology.set_node_up(node, !topology.is_node_up(node));
    } else if topology.link_count() > 0 {
        let link = LinkId((at % topology.link_count()) as u32);
        topology.set_link_up(link, !topology.is_link_up(link));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn a_cache_that_lived_through_changes_knows_what_a_new_one_would(
        mut topology in any_topology(),
        changes in prop::collection::vec((any::<bool>(), 0..64usize), 1..8),
        asked in prop::collection::vec((0..12u32, 0..12u32), 1..12),
    ) {
        let mut old = RouteCache::new(&topology);
        let nodes = topology.node_count() as u32;
        for change in changes {
            for (from, to) in &asked {
                let (from, to) = (NodeId(from % nodes), NodeId(to % nodes));
                let mut new = RouteCache::new(&topology);
                for _ in 0..2 {
                    prop_assert_eq!(old.price(&topology, from, to), new.price(&topology, from, to));
                }
                prop_assert_eq!(old.tree(&topology, from).path(&topology, to), new.tree(&topology, from).path(&topology, to));
            }
            up_or_down(&mut topology, change);
            old.clear();
        }
    }
}

#[test]
fn a_network_too_large_for_a_table_has_the_same_prices() -> Result<(), Box<dyn std::error::Error>> {
    // A line: the price of the way from the first to node n is the sum of 0..=n and of n links of 10 ms.
    let mut topology = Topology::new();
    let nodes = (0..10_002).map(|n| topology.add_node(node(&format!("n{n}"), n % 3))).collect::<Result<Vec<_>, _>>()?;
    for pair in nodes.windows(2) {
        topology.add_link(pair[0], pair[1], link(10, 0))?;
    }
    let mut cache = RouteCache::new(&topology);
    for _ in 0..2 {
        let price = cache.price(&topology, nodes[0], nodes[5]).ok_or("no route")?;
        assert_eq!(price.fixed, SimDuration::from_millis(50 + 1 + 2 + 1 + 2));
        assert_eq!(cache.price(&topology, nodes[5], nodes[0]), None);
        let last = cache.price(&topology, nodes[0], nodes[10_001]).ok_or("no route")?;
        // 3,334 threes of nodes, each of 0, 1 and 2 ms.
        assert_eq!(last.fixed, SimDuration::from_millis(10 * 10_001 + 3_334 * 3));
    }
    Ok(())
}
