use std::collections::BTreeSet;

use petgraph::algo::kosaraju_scc;
use proptest::prelude::*;

use super::*;
use crate::topology::NodeId;

fn chance(p: f64) -> Probability {
    Probability::new(p).unwrap()
}

fn drawn(shape: &Shape, seed: u64) -> Topology {
    generate(shape, &Draws::default(), &Streams::new(seed)).unwrap_or_else(|e| panic!("{shape:?}: {e}"))
}

fn refusal(shape: &Shape) -> String {
    generate(shape, &Draws::default(), &Streams::new(1)).expect_err("such a network cannot be").to_string()
}

/// Who is joined to whom, each pair once, by name.
fn pairs(network: &Topology) -> BTreeSet<(String, String)> {
    let name = |id: NodeId| network.node(id).name.clone();
    network.links().map(|(_, a, b, _)| (name(a.min(b)), name(a.max(b)))).collect()
}

fn group_sizes(network: &Topology) -> Vec<(String, usize)> {
    let mut sizes: Vec<(String, usize)> = Vec::new();
    for (_, node) in network.nodes() {
        let group = node.group.clone().unwrap_or_default();
        match sizes.iter_mut().find(|(name, _)| *name == group) {
            Some((_, size)) => *size += 1,
            None => sizes.push((group, 1)),
        }
    }
    sizes
}

fn hierarchical(nodes: u32, partition: &[f64], joined: f64, within: f64) -> Shape {
    Shape::Hierarchical { nodes, partition: partition.to_vec(), joined: chance(joined), within: chance(within) }
}

#[test]
fn a_star_joins_its_centre_to_every_other_node() {
    let star = drawn(&Shape::Star { nodes: 5 }, 1);
    assert_eq!(group_sizes(&star), [("center".to_owned(), 1), ("outer".to_owned(), 4)]);
    let center = star.find("center").unwrap();
    assert_eq!(star.link_count(), 2 * 4);
    assert!(star.links().all(|(_, a, b, _)| a == center || b == center));
    assert_eq!(drawn(&Shape::Star { nodes: 1 }, 1).link_count(), 0);
}

#[test]
fn a_hierarchy_splits_thirty_nodes_as_eclypse_does() {
    // 30 * 0.6 = 18, 30 * 0.1 = 3, 30 * 0.15 = 4.5 rounded down, and the other 5.
    let shop = drawn(&hierarchical(30, &[0.6, 0.1, 0.15, 0.15], 1.0, 0.0), 1);
    let sizes: Vec<usize> = group_sizes(&shop).into_iter().map(|(_, size)| size).collect();
    assert_eq!(sizes, [18, 3, 4, 5]);
    // All of one level with all of the next, both ways.
    assert_eq!(shop.link_count(), 2 * (18 * 3 + 3 * 4 + 4 * 5));
    assert_eq!(shop.node(shop.find("l3_4").unwrap()).group.as_deref(), Some("l3"));
    // 0.29 * 100 is 28.999999999999996 in floating point.
    let sizes = group_sizes(&drawn(&hierarchical(100, &[0.29, 0.71], 1.0, 0.0), 1));
    assert_eq!(sizes, [("l0".to_owned(), 29), ("l1".to_owned(), 71)]);
}

#[test]
fn a_hierarchy_joins_within_a_group_when_asked() {
    let network = drawn(&hierarchical(10, &[0.5, 0.5], 1.0, 1.0), 1);
    // All pairs of ten.
    assert_eq!(pairs(&network).len(), 45);
    let network = drawn(&hierarchical(4, &[1.0], 0.0, 0.0), 1);
    assert_eq!(pairs(&network).len(), 3, "one group is made connected too");
}

#[test]
fn a_fat_tree_of_four_port_switches_is_the_one_in_the_paper() {
    let tree = drawn(&Shape::FatTree { k: 4 }, 1);
    let counted = |prefix: &str| tree.nodes().filter(|(_, node)| node.name.starts_with(prefix)).count();
    // (k/2)^2 core; k pods of k/2 aggregation and k/2 edge switches; (k/2)^2 hosts a pod: 16.
    assert_eq!((counted("core_"), counted("agg_"), counted("edge_"), counted("host_")), (4, 8, 8, 16));
    // k^3/4 pairs on each of three floors.
    assert_eq!(tree.link_count(), 2 * 3 * 16);
    for (id, node) in tree.nodes() {
        let ports = tree.links().filter(|&(_, from, _, _)| from == id).count();
        assert_eq!(ports, if node.name.starts_with("host_") { 1 } else { 4 }, "{}", node.name);
    }
    // Every core switch reaches every pod.
    assert!(pairs(&tree).contains(&("core_3".to_owned(), "agg_2_1".to_owned())));
    assert_eq!(group_sizes(&tree)[1], ("pod_0".to_owned(), 2 + 2 + 4));
}

#[test]
fn scale_free_networks_have_hubs_and_small_worlds_do_not() {
    let (n, m) = (300, 2);
    let network = drawn(&Shape::ScaleFree { nodes: n, attachments: m }, 1);
    // m links of the first star, then m for each of the n - m - 1 others.
    assert_eq!(pairs(&network).len() as u32, m * (n - m));
    let degree = |network: &Topology, id| network.links().filter(|&(_, from, _, _)| from == id).count();
    let most = network.nodes().map(|(id, _)| degree(&network, id)).max().unwrap();
    assert!(most > 20, "the mean is four, the best joined has {most}");

    let ring = drawn(&Shape::SmallWorld { nodes: 300, neighbours: 4, rewiring: Probability::NEVER }, 1);
    assert!(ring.nodes().all(|(id, _)| degree(&ring, id) == 4));
    assert!(pairs(&ring).contains(&("n0".to_owned(), "n298".to_owned())));
    let world = drawn(&Shape::SmallWorld { nodes: 300, neighbours: 4, rewiring: chance(0.3) }, 1);
    assert_eq!(pairs(&world).len(), 600, "rewiring moves links and adds none");
    let moved = pairs(&ring).difference(&pairs(&world)).count();
    // 600 * 0.3 = 180, five standard deviations of 11.2.
    assert!((124..=236).contains(&moved), "{moved}");
}

#[test]
fn what_cannot_be_is_refused_with_what_would_be_right() {
    let cases = [
        (refusal(&Shape::Star { nodes: 0 }), "a network needs at least one node"),
        (refusal(&Shape::Star { nodes: u32::MAX }), "this network would have 4294967295 nodes; the most is 100000"),
        (
            refusal(&Shape::Random { nodes: 100_000, chance: chance(0.5) }),
            "this network of 100000 nodes would have more than 1000000 links; ask for fewer nodes, or for fewer links at each",
        ),
        (
            refusal(&Shape::ScaleFree { nodes: 5, attachments: 5 }),
            "5 attachments: must be at least 1 and less than the number of nodes, 5",
        ),
        (
            refusal(&Shape::SmallWorld { nodes: 9, neighbours: 3, rewiring: chance(0.1) }),
            "3 neighbours: must be even, at least 2 and less than the number of nodes, 9",
        ),
        (
            refusal(&Shape::FatTree { k: 5 }),
            "a fat tree of 5-port switches: the number of ports must be even and at least 2",
        ),
        (
            // k^3/4 + 5k^2/4
            refusal(&Shape::FatTree { k: 1_000_000 }),
            "this network would have 250001250000000000 nodes; the most is 100000",
        ),
        (
            refusal(&hierarchical(30, &[], 1.0, 0.0)),
            "the partition has no groups; give the share of each group, such as [0.6, 0.4]",
        ),
        (
            refusal(&hierarchical(30, &[0.5, 0.25], 1.0, 0.0)),
            "the shares of the groups add up to 0.75; they must add up to 1",
        ),
        (
            refusal(&hierarchical(30, &[0.5, 0.75], 1.0, 0.0)),
            "the shares of the groups add up to 1.25; they must add up to 1",
        ),
        (
            refusal(&hierarchical(30, &[1.5, -0.5], 1.0, 0.0)),
            "the share of group 0 is 1.5; a share is more than 0 and at most 1",
        ),
        (
            refusal(&hierarchical(30, &[f64::NAN], 1.0, 0.0)),
            "the share of group 0 is NaN; a share is more than 0 and at most 1",
        ),
        (
            refusal(&hierarchical(30, &[0.01, 0.99], 1.0, 0.0)),
            "group 0 would be empty: 0.01 of 30 nodes is less than one; give it more, or leave it out",
        ),
    ];
    for (said, expected) in cases {
        assert_eq!(said, expected);
    }
}

#[test]
fn the_largest_networks_are_drawn() {
    assert_eq!(drawn(&Shape::Star { nodes: MOST_NODES }, 1).link_count(), 199_998);
    let sparse = drawn(&Shape::Random { nodes: MOST_NODES, chance: chance(1e-5) }, 1);
    assert_eq!(kosaraju_scc(sparse.graph()).len(), 1);
}

fn any_shape() -> impl Strategy<Value = Shape> {
    let p = || (0.0f64..=1.0).prop_map(chance);
    prop_oneof![
        (1u32..60).prop_map(|nodes| Shape::Star { nodes }),
        (10u32..60, 1u32..5, p(), p()).prop_map(|(nodes, groups, joined, within)| {
            Shape::Hierarchical { nodes, partition: vec![1.0 / f64::from(groups); groups as usize], joined, within }
        }),
        (1u32..60, p()).prop_map(|(nodes, chance)| Shape::Random { nodes, chance }),
        (2u32..60, 1u32..6).prop_map(|(nodes, m)| Shape::ScaleFree { nodes, attachments: m.min(nodes - 1) }),
        (3u32..60, 1u32..4, p()).prop_map(|(nodes, k, rewiring)| Shape::SmallWorld {
            nodes,
            neighbours: (2 * k).min((nodes - 1) / 2 * 2),
            rewiring,
        }),
        (1u32..4).prop_map(|half| Shape::FatTree { k: 2 * half }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_network_is_connected_both_ways_and_joins_no_pair_twice(shape in any_shape(), seed: u64) {
        let network = drawn(&shape, seed);
        prop_assert_eq!(kosaraju_scc(network.graph()).len(), 1);
        let ends: BTreeSet<_> = network.links().map(|(_, a, b, _)| (a, b)).collect();
        prop_assert_eq!(ends.len(), network.link_count());
        prop_assert!(ends.iter().all(|&(a, b)| a != b && ends.contains(&(b, a))));
    }

    #[test]
    fn the_same_seed_draws_the_same_network(shape in any_shape(), seed: u64) {
        let (one, other) = (drawn(&shape, seed), drawn(&shape, seed));
        prop_assert!(one.nodes().eq(other.nodes()));
        prop_assert!(one.links().eq(other.links()));
    }

    #[test]
    fn levels_are_joined_to_the_next_only_and_every_node_to_both(p in 0.0f64..0.3, seed: u64) {
        let network = drawn(&hierarchical(40, &[0.3, 0.4, 0.3], p, 0.0), seed);
        let level = |id: NodeId| network.node(id).group.clone().unwrap();
        for (id, node) in network.nodes() {
            let joined: BTreeSet<String> =
                network.links().filter(|&(_, a, _, _)| a == id).map(|(_, _, b, _)| level(b)).collect();
            let expected: &[&str] = match node.group.as_deref() {
                Some("l1") => &["l0", "l2"],
                _ => &["l1"],
            };
            prop_assert!(joined.iter().eq(expected), "{} is joined to {:?}", node.name, joined);
        }
    }
}
