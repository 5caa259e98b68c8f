//! What good scenarios come to. What is said of bad ones stands in `tests/mistakes.rs`.

use rehearsal_actors::changes::{Change, Factor, Policy, ScheduledChange};
use rehearsal_actors::topology::{LinkId, NodeId};
use rehearsal_actors::units::{Bandwidth, Bytes, Cores, Probability};

use super::prepare::{Unmet, Violation};
use super::*;

mod doors;
mod expectations;
mod routing;
mod supervision;

fn registry() -> Registry {
    let mut registry = Registry::new();
    let added = registry.register("echo", "Is never made.", |(): ()| Err("nobody is made here".into()));
    assert_eq!(added, Ok(()));
    registry
}

fn read(text: &str) -> Scenario {
    match Scenario::parse("test.ron", text, &registry()) {
        Ok(scenario) => scenario,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

fn refuse(text: &str) -> Vec<String> {
    match Scenario::parse("test.ron", text, &registry()) {
        Ok(scenario) => panic!("{scenario:?}"),
        Err(mistakes) => mistakes.iter().map(|mistake| mistake.message().to_owned()).collect(),
    }
}

/// Three machines in a row, `a` to `b` to `c`, 10 and 20 ms long, 100 and 5 Mbit/s wide.
fn row(rest: &str) -> String {
    format!(
        r#"Scenario(version: 1, name: "row", {rest}
            network: Explicit(
                nodes: [
                    (name: "a", group: "edge", cpu: 4, gpu: 0.5, ram: "8GiB", storage: "1TB", availability: 0.99,
                     processing: "2ms"),
                    (name: "b", group: "edge", cpu: 1),
                    (name: "c"),
                ],
                links: [
                    (from: "a", to: "b", latency: "10ms", bandwidth: "100Mbit/s", jitter: "1ms", loss: 0.01,
                     duplication: 0.5, queue_limit: "64KiB"),
                    (from: "b", to: "c", latency: "20ms", bandwidth: "5Mbit/s", symmetric: false),
                ],
            ),
        )"#
    )
}

fn node(scenario: &Scenario, name: &str) -> NodeId {
    scenario.topology().find(name).expect(name)
}

fn link(scenario: &Scenario, from: &str, to: &str) -> LinkId {
    scenario.topology().link_between(node(scenario, from), node(scenario, to)).expect("they are joined")
}

fn at(seconds: u64, change: Change) -> ScheduledChange {
    ScheduledChange { at: SimTime::from_nanos(seconds * 1_000_000_000), change }
}

#[test]
fn nodes_and_links_have_what_is_written_or_the_defaults() {
    let scenario = read(&row(""));
    let a = scenario.topology().node(node(&scenario, "a"));
    assert_eq!(a.group.as_deref(), Some("edge"));
    assert_eq!((a.resources.cpu, a.resources.gpu), (Cores::new(4), Cores::from_milli(500)));
    assert_eq!((a.resources.ram, a.resources.storage), (Bytes(8 << 30), Bytes(1_000_000_000_000)));
    assert_eq!(a.availability, Probability::new(0.99).expect("it is a chance"));
    assert_eq!(a.processing, SimDuration::from_millis(2));
    let c = scenario.topology().node(node(&scenario, "c"));
    assert_eq!(*c, rehearsal_actors::topology::Node::new("c"));

    let there = scenario.topology().link(link(&scenario, "a", "b"));
    assert_eq!(there.latency, SimDuration::from_millis(10));
    assert_eq!(Some(there.bandwidth), Bandwidth::bits_per_second(100_000_000));
    assert_eq!(there.jitter, SimDuration::from_millis(1));
    assert_eq!((there.loss.get(), there.duplication.get()), (0.01, 0.5));
    assert_eq!(there.queue_limit, Bytes(65_536));
    assert_eq!(there, scenario.topology().link(link(&scenario, "b", "a")));
    // One way only, from b to c: three links in all.
    assert_eq!(scenario.topology().link_count(), 3);
    assert!(scenario.topology().link_between(node(&scenario, "c"), node(&scenario, "b")).is_none());
}

#[test]
fn settings_are_what_is_written_or_the_defaults() {
    let prepared = read(&row("")).prepare(None, None).expect("there is nobody to make");
    let setup = &prepared.setup;
    assert_eq!((setup.seed, setup.until, setup.timeout), (0, None, SimDuration::from_secs(2)));
    assert_eq!((setup.model, setup.ordering), (LinkModel::RouteCost, Ordering::Ordered));
    assert!(setup.links.is_none() && setup.changes.is_empty() && setup.policies.is_empty());
    assert_eq!(prepared.network, NetworkSummary { nodes: 3, links: 3 });

    let text = row(r#"seed: 18446744073709551615, until: "1min", timeout: "300ms", model: Queued, ordering: Unordered,
        services: Some([]), links: [],"#);
    let minute = SimTime::from_nanos(60_000_000_000);
    let setup = read(&text).prepare(None, None).expect("there is nobody to make").setup;
    assert_eq!((setup.seed, setup.until, setup.timeout), (u64::MAX, Some(minute), SimDuration::from_millis(300)));
    assert_eq!((setup.model, setup.ordering), (LinkModel::Queued, Ordering::Unordered));
    assert_eq!(setup.links.map(|links| links.len()), Some(0));

    let overruled = read(&text).prepare(Some(3), Some(SimTime::MAX)).expect("there is nobody to make").setup;
    assert_eq!((overruled.seed, overruled.until), (3, Some(SimTime::MAX)));
}

#[test]
fn faults_come_in_the_order_of_time_and_mean_both_ways_of_a_link() {
    let scenario = read(&row(r#"faults: [
        (at: "9s", change: NodeUp("b")),
        (at: "1s", change: NodeDown("b")),
        (at: "2s", change: LinkDown(from: "b", to: "a")),
        (at: "3s", change: LinkUp(from: "a", to: "b", symmetric: false)),
        (at: "4s", change: Latency(from: "b", to: "c", value: "80ms")),
        (at: "5s", change: Bandwidth(from: "b", to: "c", value: "unlimited")),
        (at: "6s", change: Loss(from: "b", to: "c", value: 1)),
    ],"#));
    let (b, ab, ba) = (node(&scenario, "b"), link(&scenario, "a", "b"), link(&scenario, "b", "a"));
    let bc = link(&scenario, "b", "c");
    assert_eq!(
        scenario.plan.changes,
        [
            at(1, Change::NodeDown(b)),
            at(2, Change::LinkDown(ba)),
            at(2, Change::LinkDown(ab)),
            at(3, Change::LinkUp(ab)),
            at(4, Change::Latency(bc, SimDuration::from_millis(80))),
            at(5, Change::Bandwidth(bc, Bandwidth::Unlimited)),
            at(6, Change::Loss(bc, Probability::ALWAYS)),
            at(9, Change::NodeUp(b)),
        ]
    );
}

#[test]
fn partitions_take_groups_and_nodes_and_a_bare_heal_mends_what_is_in_force() {
    let scenario = read(&row(r#"faults: [
        (at: "1s", change: Partition(left: ["edge"], right: ["c"])),
        (at: "2s", change: Partition(left: ["b"])),
        (at: "3s", change: Heal(left: ["c"], right: ["a", "b"])),
        (at: "4s", change: Heal),
    ],"#));
    let [a, b, c] = ["a", "b", "c"].map(|name| node(&scenario, name));
    assert_eq!(
        scenario.plan.changes,
        [
            at(1, Change::Partition { left: vec![a, b], right: vec![c] }),
            at(2, Change::Partition { left: vec![b], right: vec![a, c] }),
            at(3, Change::Heal { left: vec![c], right: vec![a, b] }),
            // What is left of them, its sides in the order of their nodes.
            at(4, Change::Heal { left: vec![a, c], right: vec![b] }),
        ]
    );
}

#[test]
fn partitions_that_cannot_be_are_refused() {
    let fault = |change: &str| row(&format!(r#"faults: [(at: "1s", change: {change})],"#));
    assert_eq!(refuse(&fault(r#"Partition(left: ["edge"], right: ["b", "c"])"#)), ["node `b` is on both sides"]);
    assert_eq!(refuse(&fault(r#"Partition(left: ["edge", "c"])"#)), ["there is nobody on the other side"]);
    assert_eq!(refuse(&fault(r#"Partition(left: [])"#)), ["a side with nobody on it"]);
    assert_eq!(refuse(&fault(r#"Partition(left: ["d"])"#)), ["unknown node or group `d`"]);
    assert_eq!(refuse(&fault("Heal")), ["at 1s there is no such partition to heal"]);
    assert_eq!(refuse(&fault(r#"NodeDown("a", "b")"#)), ["`NodeDown` names one node"]);
}

#[test]
fn policies_are_read_to_the_millionth() {
    let scenario = read(&row(r#"policies: [
        Flap(every: "500ms", down: 0.02, up: 0.5),
        Flap(every: "1s", down: 0, up: 1, on: [Links]),
        Drift(every: "500ms", bandwidth: (0.95, 1.05), latency: (0.9, 1.1)),
    ],"#));
    let chance = |p| Probability::new(p).expect("it is a chance");
    let (half, one) = (SimDuration::from_millis(500), SimDuration::from_secs(1));
    assert_eq!(
        scenario.declared.policies,
        [
            Policy::Flap { every: half, down: chance(0.02), up: chance(0.5), nodes: true, links: false },
            Policy::Flap { every: one, down: chance(0.0), up: chance(1.0), nodes: false, links: true },
            Policy::Drift {
                every: half,
                latency: Some(Factor { low_ppm: 900_000, high_ppm: 1_100_000 }),
                bandwidth: Some(Factor { low_ppm: 950_000, high_ppm: 1_050_000 }),
                processing: None,
            },
        ]
    );
}

#[test]
fn services_that_stand_together_are_placed_as_one() {
    // Together the three need 3 cores, which only `a` has of the two that have a number of them.
    let scenario = read(&row(r#"placement: FirstFit, services: [
        (name: "z", actor: "echo", with: "y", cpu: 1),
        (name: "y", actor: "echo", with: "x", cpu: 1),
        (name: "x", actor: "echo", cpu: 1),
        (name: "pinned", actor: "echo", node: "b", cpu: 1),
    ],"#));
    let (a, b) = (node(&scenario, "a"), node(&scenario, "b"));
    assert_eq!(scenario.plan.nodes, [a, a, a, b]);
}

#[test]
fn links_between_services_run_both_ways_unless_they_say_otherwise() {
    let scenario = read(&row(r#"placement: FirstFit,
        services: [(name: "x", actor: "echo"), (name: "y", actor: "echo"), (name: "z", actor: "echo")],
        links: [(from: "x", to: "y", ordering: Unordered), (from: "y", to: "z", symmetric: false)],"#));
    let links = scenario.declared.links.as_ref().expect("they are written");
    let ends: Vec<_> = links.iter().map(|link| (link.from, link.to, link.ordering)).collect();
    let loose = Some(Ordering::Unordered);
    assert_eq!(ends, [(0, 1, loose), (1, 0, loose), (1, 2, None)]);
}

#[test]
fn requirements_are_held_against_the_route() {
    let scenario = read(&row(r#"
        services: [
            (name: "x", actor: "echo", node: "a"), (name: "y", actor: "echo", node: "c"),
            (name: "z", actor: "echo", node: "a"),
        ],
        links: [
            (from: "x", to: "y", latency: "29ms", bandwidth: "6Mbit/s"),
            (from: "x", to: "z", latency: "0s", bandwidth: "unlimited", symmetric: false),
            (from: "z", to: "y", latency: "30ms", bandwidth: "5Mbit/s", symmetric: false),
        ],"#));
    let violation = |from: &str, to: &str, unmet| Violation { from: from.into(), to: to.into(), unmet };
    let mbit = |n: u64| Bandwidth::bits_per_second(n * 1_000_000).expect("more than nothing");
    // From a over b to c: 10 + 20 ms, and the narrower of 100 and 5 Mbit/s. There is no way back
    // from c. x and z share a node; z asks of the same route exactly what it gives.
    let latency = Unmet::Latency { required: SimDuration::from_millis(29), actual: SimDuration::from_millis(30) };
    let expected = [
        violation("x", "y", latency),
        violation("x", "y", Unmet::Bandwidth { required: mbit(6), actual: mbit(5) }),
        violation("y", "x", Unmet::NoRoute),
    ];
    let found = scenario.violations(&scenario.plan);
    assert_eq!(found, expected);
    assert_eq!(found[0].to_string(), "x -> y: latency 30ms, required at most 29ms");
}

#[test]
fn what_an_actor_does_not_want_is_a_mistake_at_its_parameters() {
    let scenario = read(&row(r#"services: [(name: "x", actor: "echo", params: ())],"#));
    let mistakes = match scenario.prepare(None, None) {
        Ok(prepared) => panic!("{} should not start", prepared.name),
        Err(mistakes) => mistakes,
    };
    let mistake = mistakes.iter().next().expect("there is one");
    assert_eq!(mistake.message(), "service `x`: nobody is made here");
    // `Scenario(version: 1, name: "row", services: [(name: "x", actor: "echo", params: ` is 80 long.
    assert_eq!(mistakes.position(mistake), Some((1, 81)));
}

#[test]
fn generated_networks_take_ranges_or_single_values() {
    let scenario = read(
        r#"(version: 1, name: "drawn", network: Star(nodes: 4, latency: ("2ms", "3ms"), bandwidth: "10Mbit/s",
            processing: "1ms", cpu: (2, 2), symmetric: false))"#,
    );
    assert_eq!((scenario.topology().node_count(), scenario.topology().link_count()), (4, 6));
    for (_, _, _, link) in scenario.topology().links() {
        assert!((SimDuration::from_millis(2)..=SimDuration::from_millis(3)).contains(&link.latency));
        assert_eq!(Some(link.bandwidth), Bandwidth::bits_per_second(10_000_000));
    }
    for (_, node) in scenario.topology().nodes() {
        assert_eq!((node.processing, node.resources.cpu), (SimDuration::from_millis(1), Cores::new(2)));
    }
}

#[test]
fn every_shape_can_be_written() {
    for shape in [
        "Star(nodes: 5)",
        "Hierarchical(nodes: 10, partition: [0.6, 0.4], joined: 0.3, within: 0.1)",
        "Random(nodes: 10, chance: 0.3, bandwidth: \"unlimited\")",
        "ScaleFree(nodes: 10, attachments: 2)",
        "SmallWorld(nodes: 10, neighbours: 4, rewiring: 0.1)",
        "FatTree(k: 4)",
    ] {
        let scenario = read(&format!("(version: 1, name: \"shape\", network: {shape})"));
        assert!(scenario.topology().node_count() >= 5, "{shape}");
    }
}

#[test]
fn a_network_that_cannot_be_is_refused_where_it_says_so() {
    let text = r#"(version: 1, name: "x", network: Hierarchical(nodes: 10, partition: [0.6, 0.5], joined: 0.3))"#;
    let mistakes = Scenario::parse("test.ron", text, &registry()).expect_err("the shares add up to 1.1");
    let mistake = mistakes.iter().next().expect("there is one");
    // `(version: 1, name: "x", network: Hierarchical(nodes: 10, partition: ` is 68 long.
    assert_eq!(mistakes.position(mistake), Some((1, 69)));
}

#[test]
fn the_same_seed_gives_the_same_network_and_another_seed_another() {
    let scenario = read("(version: 1, name: \"x\", seed: 4, network: Random(nodes: 30, chance: 0.2))");
    let latencies = |seed| -> Vec<_> {
        let setup = scenario.prepare(seed, None).expect("there is nobody to make").setup;
        setup.topology.links().map(|(_, _, _, link)| link.latency).collect()
    };
    assert_eq!(latencies(None), latencies(Some(4)));
    assert_ne!(latencies(None), latencies(Some(5)));
}

#[test]
fn comments_raw_texts_and_escapes_are_read_as_ron_reads_them() {
    let scenario = read(
        "#![enable(implicit_some)]\n/* a /* nested */ comment */ Scenario // and another\n(version: 1,\n\
         name /* here */ : /* and ) here */ r#\"a \"raw\" text\"# /* too */, network: Star(nodes: 1_0),)\n// the end",
    );
    assert_eq!(scenario.name(), "a \"raw\" text");
    assert_eq!(scenario.topology().node_count(), 10);
    let escaped = read(r#"(version: 1, name: "\u{41}\x42", network: Star(nodes: 1))"#);
    assert_eq!(escaped.name(), "AB");
}

#[test]
fn the_scenario_in_the_documentation_is_a_good_one() {
    let doc = include_str!("../scenario.rs");
    let from = doc.find("```ron").expect("it begins there");
    let to = doc[from..].find("//! ```\n").map(|len| from + len).expect("and ends here");
    let text: Vec<_> = doc[from..to].lines().skip(1).map(|line| line.trim_start_matches("//!")).collect();

    #[derive(serde::Deserialize)]
    struct Cart {
        items: u32,
    }
    let mut registry = Registry::new();
    let made = |_: ()| Err("nobody is made here".into());
    assert_eq!(registry.register("shop/frontend", "", made), Ok(()));
    assert_eq!(registry.register("shop/orders", "", made), Ok(()));
    assert_eq!(registry.register("directory", "", made), Ok(()));
    let cart = |cart: Cart| Err(format!("nobody is made here for {}", cart.items));
    assert_eq!(registry.register("shop/cart", "", cart), Ok(()));
    if let Err(mistakes) = Scenario::parse("documentation.ron", text.join("\n"), &registry) {
        panic!("{mistakes}");
    }
}

#[test]
fn a_number_behind_a_letter_of_two_bytes_is_a_mistake_and_no_panic() {
    for text in ["Scenario(Ѩ0.x)", "Scenario(Ѩ0.", "Scenario(é1ms)"] {
        assert!(Scenario::parse("letters.ron", text, &Registry::stock()).is_err(), "{text}");
    }
}
