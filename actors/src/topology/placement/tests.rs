use proptest::prelude::{Just, ProptestConfig, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;
use crate::topology::Node;

const GIB: u64 = 1 << 30;

/// Nodes `n0`, `n1`, ... with so many cores and GiB of memory, and nothing else.
fn nodes(sizes: &[(u64, u64)]) -> Topology {
    let mut topology = Topology::new();
    for (i, &(cores, gib)) in sizes.iter().enumerate() {
        let resources = Resources { cpu: Cores::new(cores), ram: Bytes(gib * GIB), ..Resources::default() };
        topology.add_node(Node { resources, ..Node::new(format!("n{i}")) }).unwrap();
    }
    topology
}

fn demand(service: &str, cores: u64, gib: u64) -> Demand {
    let resources = Resources { cpu: Cores::new(cores), ram: Bytes(gib * GIB), ..Resources::default() };
    Demand { service: service.to_owned(), resources, availability: Probability::NEVER }
}

fn pins(topology: &Topology, pinned: &[(&str, &str)]) -> BTreeMap<String, NodeId> {
    pinned.iter().map(|&(service, node)| (service.to_owned(), topology.find(node).unwrap())).collect()
}

fn placed(topology: &Topology, demands: &[Demand], strategy: Strategy) -> Vec<usize> {
    let nodes = place(topology, demands, &BTreeMap::new(), strategy, &Streams::new(1)).unwrap();
    nodes.into_iter().map(NodeId::index).collect()
}

fn refusals(topology: &Topology, demands: &[Demand], pinned: &[(&str, &str)], strategy: Strategy) -> Vec<String> {
    let pins = pins(topology, pinned);
    let errors = place(topology, demands, &pins, strategy, &Streams::new(1)).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn first_fit_fills_the_first_node_before_the_next() {
    let topology = nodes(&[(4, 8), (4, 8)]);
    let demands = [demand("a", 3, 1), demand("b", 2, 1), demand("c", 1, 1)];
    // a leaves 1 core on n0: too few for b, enough for c.
    assert_eq!(placed(&topology, &demands, Strategy::FirstFit), [0, 1, 0]);
}

#[test]
fn round_robin_goes_on_from_the_last_node_taken_and_passes_over_full_ones() {
    let topology = nodes(&[(4, 8), (1, 8), (4, 8)]);
    let demands = [demand("a", 1, 0), demand("b", 2, 0), demand("c", 1, 0), demand("d", 1, 0)];
    // n1 has 1 core: b passes over it, d takes it in its turn.
    assert_eq!(placed(&topology, &demands, Strategy::RoundRobin), [0, 2, 0, 1]);
}

#[test]
fn best_fit_takes_the_node_with_the_least_to_spare() {
    // After 2 cores and 2 GiB: 6/8 + 6/8, 0 + 6/8, 2/8 + 0.
    let topology = nodes(&[(8, 8), (2, 8), (4, 2)]);
    assert_eq!(placed(&topology, &[demand("a", 2, 2)], Strategy::BestFit), [2]);
    // An endless node is the last resort.
    let mut topology = nodes(&[]);
    topology.add_node(Node::new("cloud")).unwrap();
    let small = Resources { cpu: Cores::new(64), ..Resources::default() };
    topology.add_node(Node { resources: small, ..Node::new("edge") }).unwrap();
    let demands = [demand("a", 40, 0), demand("b", 40, 0), demand("c", 20, 0)];
    assert_eq!(placed(&topology, &demands, Strategy::BestFit), [1, 0, 1]);
}

#[test]
fn a_pinned_service_is_placed_first_and_takes_its_share() {
    let topology = nodes(&[(4, 8), (4, 8)]);
    let demands = [demand("a", 3, 1), demand("b", 4, 1)];
    let pins = pins(&topology, &[("b", "n0")]);
    let nodes = place(&topology, &demands, &pins, Strategy::FirstFit, &Streams::new(1)).unwrap();
    assert_eq!(nodes.iter().map(|node| node.index()).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn random_placement_uses_every_node_that_fits_and_no_other() {
    let mut topology = nodes(&[(4, 8), (1, 8), (4, 8)]);
    topology.add_node(Node { availability: Probability::NEVER, ..Node::new("dark") }).unwrap();
    let used: std::collections::BTreeSet<usize> =
        (0..64).flat_map(|i| placed(&topology, &[demand(&format!("s{i}"), 2, 0)], Strategy::Random)).collect();
    assert_eq!(used, [0, 2].into());
}

#[test]
fn one_service_more_leaves_the_others_where_they_are() {
    let topology = nodes(&[(100, 100); 20]);
    let services: Vec<Demand> = (0..10).map(|i| demand(&format!("s{i}"), 1, 1)).collect();
    let all = placed(&topology, &services, Strategy::Random);
    assert_eq!(placed(&topology, &services[1..], Strategy::Random), all[1..]);
}

#[test]
fn what_does_not_fit_is_said_of_the_closest_node() {
    let topology = nodes(&[(1, 1), (2, 64), (2, 1)]);
    let mut picky = demand("cart", 4, 8);
    assert_eq!(
        refusals(&topology, &[picky.clone()], &[], Strategy::Random),
        ["service `cart` fits on no node: it needs 4 cores, and node `n1`, the closest, has 2 cores left; \
          ask for less, or give a node more"]
    );
    picky.availability = Probability::ALWAYS;
    picky.resources.gpu = Cores::new(1);
    assert_eq!(
        refusals(&topology, &[picky], &[("cart", "n0")], Strategy::Random),
        ["service `cart` needs 4 cores, 1 gpu and 8GiB of ram, and node `n0`, where it is pinned, has \
          1 core left, 0 gpus left and 1GiB of ram left; pin it elsewhere, or give the node more"]
    );
}

#[test]
fn an_availability_is_asked_of_the_node() {
    let mut topology = nodes(&[]);
    topology.add_node(Node { availability: Probability::new(0.95).unwrap(), ..Node::new("edge-1") }).unwrap();
    let strict = Demand { availability: Probability::new(0.99).unwrap(), ..demand("cart", 0, 0) };
    assert_eq!(
        refusals(&topology, &[strict], &[], Strategy::FirstFit),
        ["service `cart` fits on no node: it needs an availability of 0.99, and node `edge-1`, the closest, has \
          an availability of 0.95; ask for less, or give a node more"]
    );
}

#[test]
fn every_mistake_is_reported_in_one_go() {
    let mut topology = nodes(&[(4, 8)]);
    topology.add_node(Node { availability: Probability::NEVER, ..Node::new("dark") }).unwrap();
    let demands = [demand("a", 3, 1), demand("b", 1, 1), demand("c", 2, 1)];
    assert_eq!(
        refusals(&topology, &demands, &[("b", "dark"), ("c", "n0"), ("ghost", "n0")], Strategy::Static),
        [
            "service `a` has no node: static placement places only what is pinned; pin it to a node",
            "service `b` is pinned to node `dark`, which is down at the start; pin it elsewhere, or give the node \
             an availability above 0",
            "service `ghost` is pinned to node `n0`, but there is no service of that name",
        ]
    );
    let nothing = Topology::new();
    assert_eq!(
        refusals(&nothing, &[demand("a", 0, 0)], &[], Strategy::Random),
        ["service `a` has no node: none is up at the start"]
    );
}

fn any_strategy() -> impl proptest::strategy::Strategy<Value = Strategy> {
    prop_oneof![Just(Strategy::Random), Just(Strategy::RoundRobin), Just(Strategy::FirstFit), Just(Strategy::BestFit)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_node_hands_out_more_than_it_has_and_a_refusal_is_true(
        sizes in proptest::collection::vec((0u64..8, 0u64..8), 1..6),
        needs in proptest::collection::vec((0u64..5, 0u64..5), 0..10),
        strategy in any_strategy(),
        seed: u64,
    ) {
        let topology = nodes(&sizes);
        let demands: Vec<Demand> =
            needs.iter().enumerate().map(|(i, &(cores, gib))| demand(&format!("s{i}"), cores, gib)).collect();
        match place(&topology, &demands, &BTreeMap::new(), strategy, &Streams::new(seed)) {
            Ok(places) => {
                prop_assert_eq!(places.len(), demands.len());
                for (node, &(cores, gib)) in sizes.iter().enumerate() {
                    let here = || places.iter().zip(&needs).filter(|(place, _)| place.index() == node);
                    prop_assert!(here().map(|(_, needs)| needs.0).sum::<u64>() <= cores);
                    prop_assert!(here().map(|(_, needs)| needs.1).sum::<u64>() <= gib);
                }
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    let is_short = matches!(error, PlacementError::NoRoom { ref missing, .. } if !missing.is_empty());
                    prop_assert!(is_short, "{}", error);
                }
            }
        }
    }
}
