use std::collections::BTreeSet;

use super::super::{Shape, generate};
use super::*;
use crate::topology::{NodeId, Topology};

fn drawn(shape: &Shape) -> Topology {
    generate(shape, &Draws::default(), &Streams::new(3)).unwrap_or_else(|e| panic!("{shape:?}: {e}"))
}

#[test]
fn values_are_whole_within_their_range_and_all_of_it() {
    let network = drawn(&Shape::Random { nodes: 60, chance: Probability::ALWAYS });
    let millis: BTreeSet<u64> = network.links().map(|(_, _, _, link)| link.latency.as_nanos()).collect();
    // 1770 pairs, 40 values: each is drawn.
    assert_eq!(millis, (1..=40).map(|ms| ms * 1_000_000).collect());
    for (_, _, _, link) in network.links() {
        let Bandwidth::BitsPerSecond(bits) = link.bandwidth else { panic!("unlimited") };
        assert!(bits.get() % 1_000_000 == 0 && (50_000_000..=1_500_000_000).contains(&bits.get()));
    }
    for (_, node) in network.nodes() {
        let millis = node.processing.as_nanos() / 1_000_000;
        assert!((1..=25).contains(&millis) && node.processing == SimDuration::from_millis(millis));
        assert!((2..=256).map(Cores::new).any(|cores| cores == node.resources.cpu));
        assert!(node.resources.ram >= Bytes(2 << 30) && node.resources.ram.0 % (1 << 30) == 0);
    }
}

#[test]
fn a_range_with_finer_ends_is_drawn_in_finer_steps() {
    let latency = Range { low: SimDuration::from_nanos(500_000), high: SimDuration::from_nanos(2_000_000) };
    let draws = Draws { latency, bandwidth: None, ..Draws::default() };
    let network = generate(&Shape::Star { nodes: 500 }, &draws, &Streams::new(1)).unwrap();
    let links: Vec<&Link> = network.links().map(|(_, _, _, link)| link).collect();
    assert!(links.iter().all(|link| link.latency.as_nanos() % 1000 == 0));
    assert!(links.iter().any(|link| link.latency.as_nanos() % 1_000_000 != 0));
    assert!(links.iter().all(|link| link.bandwidth == Bandwidth::Unlimited));
}

#[test]
fn other_latencies_leave_the_shape_and_all_other_values_as_they_were() {
    let shape = Shape::Random { nodes: 40, chance: Probability::new(0.2).unwrap() };
    let draws = Draws::default();
    let slow = Range { low: SimDuration::from_millis(100), high: SimDuration::from_millis(777) };
    let one = generate(&shape, &draws, &Streams::new(5)).unwrap();
    let other = generate(&shape, &Draws { latency: slow, ..draws }, &Streams::new(5)).unwrap();
    assert!(one.links().map(|(_, a, b, _)| (a, b)).eq(other.links().map(|(_, a, b, _)| (a, b))));
    assert!(one.nodes().eq(other.nodes()));
    for ((_, _, _, a), (_, _, _, b)) in one.links().zip(other.links()) {
        assert_eq!(a.bandwidth, b.bandwidth);
        assert_ne!(a.latency, b.latency);
    }
}

#[test]
fn both_directions_are_the_same_only_when_symmetric() {
    let shape = Shape::Star { nodes: 50 };
    let back = |network: &Topology| {
        let same =
            |(_, a, b, link): (_, NodeId, NodeId, &Link)| *network.link(network.link_between(b, a).unwrap()) == *link;
        network.links().filter(|&link| same(link)).count()
    };
    assert_eq!(back(&drawn(&shape)), 98);
    let uneven = generate(&shape, &Draws { symmetric: false, ..Draws::default() }, &Streams::new(1)).unwrap();
    assert!(back(&uneven) < 10, "{}", back(&uneven));
}

#[test]
fn draws_that_cannot_be_are_refused() {
    let refused = |draws: Draws| generate(&Shape::Star { nodes: 3 }, &draws, &Streams::new(1)).unwrap_err().to_string();
    let millis = SimDuration::from_millis;
    assert_eq!(
        refused(Draws { latency: Range { low: millis(40), high: millis(1) }, ..Draws::default() }),
        "latency from 40ms to 1ms: the lower end comes first"
    );
    assert_eq!(
        refused(Draws { bandwidth: Some(Range { low: 0, high: 9 }), ..Draws::default() }),
        "bandwidth from 0Mbit/s: nothing would ever get through; draw from 1Mbit/s or more"
    );
    assert_eq!(
        refused(Draws { bandwidth: Some(Range { low: 1, high: u64::MAX }), ..Draws::default() }),
        "bandwidth to 18446744073709551615Mbit/s is too large; the most is 18446744073709Mbit/s, or leave it unlimited"
    );
}
