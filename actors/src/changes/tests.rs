use proptest::prelude::*;

use super::*;
use crate::random::Streams;
use crate::topology::{Link, Node};

fn millis(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}

fn mbits(n: u64) -> Bandwidth {
    Bandwidth::bits_per_second(n * 1_000_000).unwrap()
}

/// Nodes `n0`, `n1`, ... with links of 10 ms and 100 Mbit/s from each to all others.
fn mesh(size: usize) -> Topology {
    let mut topology = Topology::new();
    let node = |i| Node { processing: millis(5), ..Node::new(format!("n{i}")) };
    let ids: Vec<NodeId> = (0..size).map(|i| topology.add_node(node(i)).unwrap()).collect();
    for (i, &a) in ids.iter().enumerate() {
        for &b in &ids[i + 1..] {
            topology.add_symmetric(a, b, Link { bandwidth: mbits(100), ..Link::new(millis(10)) }).unwrap();
        }
    }
    topology
}

fn node(topology: &Topology, name: &str) -> NodeId {
    topology.find(name).unwrap()
}

fn link(topology: &Topology, from: &str, to: &str) -> LinkId {
    topology.link_between(node(topology, from), node(topology, to)).unwrap()
}

/// Which links carry, by the names of their ends.
fn carrying(topology: &Topology) -> Vec<String> {
    let name = |id: NodeId| topology.node(id).name.as_str();
    let up = topology.links().filter(|&(id, ..)| topology.is_link_up(id));
    up.map(|(_, a, b, _)| format!("{}{}", name(a), name(b))).collect()
}

/// Draws a round and carries it out.
fn round(policy: &mut PolicyState, topology: &mut Topology) -> Vec<Change> {
    let changes = policy.draw(topology);
    for change in &changes {
        assert!(apply(topology, change), "{} changes nothing", describe(topology, &[], change));
    }
    changes
}

fn flap(down: f64, up: f64, links: bool) -> Policy {
    let chance = |p| Probability::new(p).unwrap();
    Policy::Flap { every: millis(500), down: chance(down), up: chance(up), nodes: true, links }
}

fn drift(low: f64, high: f64) -> Policy {
    let factor = Factor::new(low, high).ok();
    Policy::Drift { every: millis(500), latency: factor, bandwidth: factor, processing: factor }
}

#[test]
fn a_change_is_noticed_once() {
    let mut topology = mesh(2);
    let (n0, there) = (node(&topology, "n0"), link(&topology, "n0", "n1"));
    let changes = [
        Change::NodeDown(n0),
        Change::LinkDown(there),
        Change::Latency(there, millis(12)),
        Change::Bandwidth(there, Bandwidth::Unlimited),
        Change::Loss(there, Probability::ALWAYS),
        Change::Processing(n0, millis(6)),
        Change::NodeUp(n0),
        Change::NodeCrash(n0),
        Change::NodeRestart(n0),
        Change::LinkUp(there),
    ];
    for change in &changes {
        assert!(apply(&mut topology, change), "{change:?}");
        assert!(!apply(&mut topology, change), "{change:?} again");
    }
    let expected = Link { loss: Probability::ALWAYS, ..Link::new(millis(12)) };
    assert_eq!(*topology.link(there), expected);
    assert_eq!(topology.node(n0).processing, millis(6));
    assert_eq!(*topology.link(link(&topology, "n1", "n0")), Link { bandwidth: mbits(100), ..Link::new(millis(10)) });
}

#[test]
fn a_kill_leaves_the_network_as_it_is() {
    let mut topology = mesh(2);
    for change in [Change::Kill(ServiceId::at(0)), Change::KillSupervisor("root".to_owned())] {
        assert!(!apply(&mut topology, &change) && !change.cuts());
    }
}

#[test]
fn a_partition_cuts_both_directions_between_its_sides_and_heals() {
    let mut topology = mesh(4);
    let all = carrying(&topology);
    let ids: Vec<NodeId> = topology.nodes().map(|(id, _)| id).collect();
    let (left, right) = (vec![ids[0], ids[1]], vec![ids[2]]);
    assert!(apply(&mut topology, &Change::Partition { left: left.clone(), right: right.clone() }));
    // n3 stands on neither side and reaches all.
    let cut = ["n0n2", "n2n0", "n1n2", "n2n1"];
    assert_eq!(carrying(&topology), all.iter().filter(|l| !cut.contains(&l.as_str())).cloned().collect::<Vec<_>>());
    // The sides may be named the other way round.
    assert!(apply(&mut topology, &Change::Heal { left: right, right: left }));
    assert_eq!(carrying(&topology), all);
}

#[test]
fn what_two_partitions_cut_one_healing_does_not_mend() {
    let mut topology = mesh(3);
    let ids: Vec<NodeId> = topology.nodes().map(|(id, _)| id).collect();
    let one = (vec![ids[0]], vec![ids[1], ids[2]]);
    let other = (vec![ids[0]], vec![ids[1]]);
    let partition =
        |(left, right): &(Vec<NodeId>, Vec<NodeId>)| Change::Partition { left: left.clone(), right: right.clone() };
    let heal = |(left, right): &(Vec<NodeId>, Vec<NodeId>)| Change::Heal { left: left.clone(), right: right.clone() };
    assert!(!apply(&mut topology, &heal(&one)), "there is nothing to heal");
    assert!(apply(&mut topology, &partition(&one)));
    assert!(!apply(&mut topology, &partition(&one)), "it is in force already");
    assert!(!apply(&mut topology, &partition(&other)), "its links are cut already");
    assert!(apply(&mut topology, &heal(&one)));
    assert_eq!(carrying(&topology), ["n0n2", "n2n0", "n1n2", "n2n1"]);
    assert!(apply(&mut topology, &heal(&other)));
    assert_eq!(carrying(&topology).len(), 6);
}

#[test]
fn a_link_that_goes_down_while_cut_stays_down_when_healed() {
    let mut topology = mesh(2);
    let (left, right) = (vec![node(&topology, "n0")], vec![node(&topology, "n1")]);
    let there = link(&topology, "n0", "n1");
    assert!(apply(&mut topology, &Change::Partition { left: left.clone(), right: right.clone() }));
    assert!(!apply(&mut topology, &Change::LinkDown(there)));
    assert!(apply(&mut topology, &Change::Heal { left, right }));
    assert_eq!(carrying(&topology), ["n1n0"]);
}

#[test]
fn changes_are_spelled_out_and_counted_by_kind() {
    let topology = mesh(3);
    let (n0, there) = (node(&topology, "n0"), link(&topology, "n0", "n1"));
    let (left, right) = (vec![n0, node(&topology, "n1")], vec![node(&topology, "n2")]);
    let cases = [
        (Change::NodeDown(n0), "node n0 down", "node down"),
        (Change::NodeUp(n0), "node n0 up", "node up"),
        (Change::NodeCrash(n0), "node n0 crash", "node crash"),
        (Change::NodeRestart(n0), "node n0 restart", "node restart"),
        (Change::Kill(ServiceId::at(1)), "kill cart", "kill"),
        (Change::KillSupervisor("shop".to_owned()), "kill supervisor shop", "kill supervisor"),
        (Change::LinkDown(there), "link n0->n1 down", "link down"),
        (Change::LinkUp(there), "link n0->n1 up", "link up"),
        (Change::Partition { left: left.clone(), right: right.clone() }, "partition {n0,n1}|{n2}", "partition"),
        (Change::Heal { left, right }, "heal {n0,n1}|{n2}", "heal"),
        (Change::Latency(there, SimDuration::from_nanos(12_345_678)), "latency n0->n1 12.345678ms", "link latency"),
        (Change::Bandwidth(there, mbits(10)), "bandwidth n0->n1 10Mbit/s", "link bandwidth"),
        (Change::Loss(there, Probability::new(0.1).unwrap()), "loss n0->n1 0.1", "link loss"),
        (Change::Processing(n0, millis(4)), "processing n0 4ms", "node processing"),
    ];
    for (change, spelled, kind) in cases {
        assert_eq!(describe(&topology, &["user".to_owned(), "cart".to_owned()], &change), spelled);
        assert_eq!(change.kind(), kind);
    }
}

#[test]
fn factors_are_checked_and_kept_in_millionths() {
    assert_eq!(Factor::new(0.9, 1.1), Ok(Factor { low_ppm: 900_000, high_ppm: 1_100_000 }));
    let refusal = |low, high| Factor::new(low, high).unwrap_err().to_string();
    assert_eq!(refusal(1.1, 0.9), "factors from 1.1 to 0.9: the lower end comes first");
    assert_eq!(
        refusal(0.0, 1.0),
        "a factor of 0: must lie between 0.01 and 100, such as 0.95; 1 leaves a value as it is"
    );
    assert!(refusal(f64::NAN, 1.0).starts_with("a factor of NaN"));
    assert!(refusal(1.0, f64::INFINITY).starts_with("a factor of inf"));
}

#[test]
fn nodes_flap_as_often_as_their_chances_say() {
    let mut topology = mesh(20);
    let mut policy = PolicyState::new(flap(0.02, 0.5, false), 0, &Streams::new(1));
    let (rounds, mut down, mut drops) = (5000, 0usize, 0usize);
    for _ in 0..rounds {
        let changes = round(&mut policy, &mut topology);
        drops += changes.iter().filter(|change| matches!(change, Change::NodeDown(_))).count();
        down += topology.nodes().filter(|&(id, _)| !topology.is_node_up(id)).count();
    }
    // In balance 0.02 of those up go down and 0.5 of those down come up, so 1/26 is down: 3846 of
    // 20 * 5000. A node that is down stays so with 0.5 and one that is up falls with 0.02: the
    // correlation of 0.48 between rounds makes the deviation sqrt(3698 * 1.48 / 0.52) = 103. And
    // 0.02 of the 96154 up go down: 1923, deviation 44. Five deviations each.
    assert!((3331..=4361).contains(&down), "{down}");
    assert!((1703..=2143).contains(&drops), "{drops}");
}

#[test]
fn a_fault_on_one_node_leaves_the_others_their_draws() {
    let (mut calm, mut struck) = (mesh(6), mesh(6));
    let victim = node(&struck, "n2");
    let mut one = PolicyState::new(flap(0.3, 0.4, true), 0, &Streams::new(1));
    let mut other = PolicyState::new(flap(0.3, 0.4, true), 0, &Streams::new(1));
    for _ in 0..100 {
        apply(&mut struck, &Change::NodeDown(victim));
        let mut calm_changes = round(&mut one, &mut calm);
        let mut struck_changes = round(&mut other, &mut struck);
        for changes in [&mut calm_changes, &mut struck_changes] {
            changes.retain(|change| !matches!(change, Change::NodeDown(id) | Change::NodeUp(id) if *id == victim));
        }
        assert_eq!(calm_changes, struck_changes);
    }
}

#[test]
fn a_cut_link_flaps_on_its_own_account() {
    let mut topology = mesh(2);
    let (left, right) = (vec![node(&topology, "n0")], vec![node(&topology, "n1")]);
    apply(&mut topology, &Change::Partition { left, right });
    let Policy::Flap { every, down, up, .. } = flap(1.0, 0.0, true) else { unreachable!() };
    let policy = Policy::Flap { every, down, up, nodes: false, links: true };
    let mut policy = PolicyState::new(policy, 0, &Streams::new(1));
    let there = link(&topology, "n0", "n1");
    assert!(policy.draw(&topology).contains(&Change::LinkDown(there)));
}

#[test]
fn each_service_is_killed_by_its_own_chance_and_nobody_else_is() {
    let topology = mesh(1);
    let services = vec![ServiceId::at(4), ServiceId::at(2)];
    let chance = Probability::new(0.1).unwrap();
    let kill = Policy::Kill { every: millis(5000), chance, services: services.clone() };
    let mut policy = PolicyState::new(kill, 0, &Streams::new(1));
    assert_eq!(policy.every(), millis(5000));
    let rounds: Vec<Vec<Change>> = (0..10_000).map(|_| policy.draw(&topology)).collect();
    let kills = |id: ServiceId| rounds.iter().flatten().filter(|change| **change == Change::Kill(id)).count();
    // 1000 of each expected, deviation sqrt(10000 * 0.1 * 0.9) = 30; both in 100 rounds, deviation
    // sqrt(10000 * 0.01 * 0.99) = 10. Five deviations each.
    let (first, second) = (kills(services[0]), kills(services[1]));
    assert!((850..=1150).contains(&first) && (850..=1150).contains(&second), "{first} and {second}");
    assert_eq!(rounds.iter().flatten().count(), first + second);
    let both = rounds.iter().filter(|round| **round == services.iter().map(|&id| Change::Kill(id)).collect::<Vec<_>>());
    assert!((50..=150).contains(&both.count()));
}

#[test]
fn a_drift_multiplies_every_value_and_leaves_nothing_and_unlimited_alone() {
    let mut topology = mesh(2);
    let (there, back) = (link(&topology, "n0", "n1"), link(&topology, "n1", "n0"));
    apply(&mut topology, &Change::Bandwidth(there, Bandwidth::Unlimited));
    apply(&mut topology, &Change::Latency(there, SimDuration::ZERO));
    // One factor is no choice: 10 ms * 1.1, 100 Mbit/s * 1.1, 5 ms * 1.1 twice.
    let changes = round(&mut PolicyState::new(drift(1.1, 1.1), 0, &Streams::new(1)), &mut topology);
    let (n0, n1) = (node(&topology, "n0"), node(&topology, "n1"));
    assert_eq!(
        changes,
        [
            Change::Latency(back, millis(11)),
            Change::Bandwidth(back, mbits(110)),
            Change::Processing(n0, SimDuration::from_micros(5500)),
            Change::Processing(n1, SimDuration::from_micros(5500)),
        ]
    );
}

#[test]
fn what_a_fault_put_out_of_bounds_drifts_inwards_only() {
    let mut topology = mesh(2);
    let there = link(&topology, "n0", "n1");
    let mut up = PolicyState::new(drift(1.1, 1.1), 0, &Streams::new(1));
    round(&mut up, &mut topology);
    // More than 100 times the 10 ms of the start.
    apply(&mut topology, &Change::Latency(there, millis(5000)));
    round(&mut up, &mut topology);
    assert_eq!(topology.link(there).latency, millis(5000));
    let mut down = PolicyState::new(drift(0.9, 0.9), 1, &Streams::new(1));
    round(&mut down, &mut topology);
    assert_eq!(topology.link(there).latency, millis(4500));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn however_long_it_drifts_a_value_neither_dies_nor_leaves_its_bounds(
        start in 1u64..,
        shift in 0u32..64,
        ends in (0.01f64..3.0, 0.01f64..3.0),
        seed: u64,
    ) {
        let start = (start >> shift).max(1);
        let mut topology = mesh(2);
        let there = link(&topology, "n0", "n1");
        apply(&mut topology, &Change::Latency(there, SimDuration::from_nanos(start)));
        let mut policy = PolicyState::new(drift(ends.0.min(ends.1), ends.0.max(ends.1)), 0, &Streams::new(seed));
        for _ in 0..200 {
            round(&mut policy, &mut topology);
            let now = topology.link(there).latency.as_nanos();
            prop_assert!(now >= (start / 100).max(1) && now <= start.saturating_mul(100), "{} from {}", now, start);
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_changes(seed: u64, index in 0usize..4) {
        for policy in [flap(0.2, 0.5, true), drift(0.9, 1.1)] {
            let (mut one, mut other) = (mesh(4), mesh(4));
            let mut first = PolicyState::new(policy.clone(), index, &Streams::new(seed));
            let mut second = PolicyState::new(policy, index, &Streams::new(seed));
            for _ in 0..20 {
                prop_assert_eq!(round(&mut first, &mut one), round(&mut second, &mut other));
            }
        }
    }
}
