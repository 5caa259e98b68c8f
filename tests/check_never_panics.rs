//! No bytes make the reading of a scenario panic or hang.
//!
//! proptest fails a case that panics. Sizes are small, so that a hang shows as a test that takes
//! seconds; what large files cost is bounded by the limits of the format (16 MiB, depth 64, so many
//! nodes, links and services).

use proptest::collection::vec;
use proptest::prelude::*;

use rehearsal::registry::Registry;
use rehearsal::scenario::Scenario;

/// A scenario with everything in it.
const GOOD: &str = r##"Scenario(
    version: 1, name: "good", seed: 22, until: "50s", timeout: "2s", model: Queued, ordering: Unordered,
    network: Explicit(
        nodes: [
            (name: "a", group: "edge", cpu: 4, gpu: 0.5, ram: "8GiB", storage: "100GiB", availability: 0.99,
             processing: "2ms"),
            (name: r#"b"#), /* in /* a */ comment */ (name: "c\u{e9}"),
        ],
        links: [
            (from: "a", to: "b", latency: "10ms", bandwidth: "100Mbit/s", jitter: "1ms", loss: 0.01,
             duplication: 0.0, queue_limit: "64KiB", symmetric: true),
            (from: "b", to: "cé", latency: "5us", bandwidth: "unlimited"), // the last
        ],
    ),
    placement: FirstFit,
    services: [
        (name: "x", actor: "test/echo", node: "a", cpu: 1, ram: "512MiB", step_every: "500ms", keep_steps: 10),
        (name: "y", actor: "test/load", params: (rate: 5, kind: Slow(3), names: ["p", "q"]), with: "x"),
    ],
    links: [(from: "x", to: "y", latency: "50ms", bandwidth: "5Mbit/s", ordering: Ordered)],
    supervision: Supervisor(
        name: "root", strategy: RestForOne, restarts: 3, period: "5s", backoff: (first: "1ms", most: "1s", jitter: 0.1),
        children: [
            (service: "y", restart: Transient, shutdown: "2s", queued: Keep, fallback: ["a", "b"]),
            Supervisor(name: "below", restart: Temporary, shutdown: Kill, children: ["x"]),
        ],
    ),
    faults: [
        (at: "10s", change: NodeDown("b")), (at: "11s", change: NodeUp("b")), (at: "12s", change: NodeCrash("a")),
        (at: "12s", change: Kill("x")), (at: "12s", change: Kill("below")), (at: "13s", change: NodeRestart("a")),
        (at: "14s", change: LinkDown(from: "a", to: "b")), (at: "15s", change: LinkUp(from: "a", to: "b")),
        (at: "20s", change: Partition(left: ["edge"], right: ["b"])), (at: "25s", change: Heal),
        (at: "30s", change: Latency(from: "a", to: "b", value: "80ms", symmetric: false)),
        (at: "30s", change: Bandwidth(from: "a", to: "b", value: "1Mbit/s")),
        (at: "30s", change: Loss(from: "a", to: "b", value: 0.2)),
    ],
    policies: [
        Flap(every: "500ms", down: 0.02, up: 0.5, on: [Nodes, Links]),
        Drift(every: "500ms", latency: (0.9, 1.1), bandwidth: (0.95, 1.05), processing: (0.9, 1.1)),
        Kill(every: "5s", chance: 0.1, services: ["x"]),
    ],
    expect: [
        Outcomes(interface: Rest, kind: Reply, at_least: 100), Ratio(kinds: [Reply, Ack], at_least: 0.99),
        Latency(interface: Mpi, percentile: 99.9, at_most: "200ms"), Recovery(service: "x", at_most: "2s"),
        Restarts(supervisor: "root", exactly: 5), Failures(service: "x", at_most: 3),
        Counter(name: "orders", at_least: 10), Always(counter: "shipped", at_most: "paid"),
        Eventually(counter: "orders", at_least: 10, by: "20s"),
    ],
)"##;

/// A scenario whose network is drawn.
const GENERATED: &str = r#"(version: 1, name: "drawn", network: Hierarchical(nodes: 12, partition: [0.5, 0.5], joined: 0.3,
    within: 0.1, symmetric: false, latency: ("1ms", "40ms"), bandwidth: "10Mbit/s", cpu: (1, 4)), services: [])"#;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Load {
    rate: u32,
    kind: Kind,
    names: Vec<String>,
}

#[derive(serde::Deserialize)]
enum Kind {
    Fast,
    Slow(u8),
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    let echo = registry.register("test/echo", "", |(): ()| Err("nobody is made here".into()));
    let load = registry.register("test/load", "", |load: Load| {
        let kind = match load.kind {
            Kind::Fast => 0,
            Kind::Slow(by) => by,
        };
        Err(format!("nobody is made here: {} {kind} {}", load.rate, load.names.len()))
    });
    assert!(echo.is_ok() && load.is_ok());
    registry
}

/// Reads and prepares, and prints whatever is wrong.
fn check(bytes: impl Into<Vec<u8>>) {
    match Scenario::parse("fuzz.ron", bytes, &registry()) {
        Ok(scenario) => {
            if let Err(mistakes) = scenario.prepare(Some(7), None) {
                assert!(mistakes.count() > 0 && mistakes.to_string().len() < 100_000);
            }
        }
        Err(mistakes) => {
            assert!(mistakes.count() > 0 && mistakes.to_string().len() < 100_000);
            for mistake in mistakes.iter() {
                assert!(mistakes.position(mistake).is_none_or(|(line, column)| line > 0 && column > 0));
            }
        }
    }
}

/// Values of RON in each other, right and wrong ones, with names of the format and others.
fn nested_ron() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("()".to_owned()),
        Just("None".to_owned()),
        Just("\"10ms\"".to_owned()),
        Just("'c'".to_owned()),
        Just("b\"bytes\"".to_owned()),
        Just("r##\"raw \"# text\"##".to_owned()),
        Just("1..=5".to_owned()),
        Just("inf".to_owned()),
        Just("0x_ff".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| n.to_string()),
        "\\PC{0,8}".prop_map(|text| format!("{text:?}")),
        "[a-zA-Z_][a-zA-Z0-9_]{0,8}",
    ];
    let name = prop_oneof![
        Just("version"),
        Just("name"),
        Just("network"),
        Just("nodes"),
        Just("links"),
        Just("services"),
        Just("faults"),
        Just("policies"),
        Just("supervision"),
        Just("children"),
        Just("service"),
        Just("expect"),
        Just("counter"),
        Just("at_most"),
        Just("params"),
        Just("from"),
        Just("to"),
        Just("at"),
        Just("change"),
        Just("every"),
        Just("latency"),
        Just("r#type"),
    ];
    let word = prop_oneof![
        Just(""),
        Just("Scenario"),
        Just("Explicit"),
        Just("Star"),
        Just("Heal"),
        Just("Partition"),
        Just("Some"),
        Just("Drift"),
        Just("Kill"),
        Just("Supervisor"),
        Just("Always"),
        Just("Outcomes"),
        Just("Unknown"),
    ];
    leaf.prop_recursive(6, 48, 5, move |inner| {
        prop_oneof![
            (word.clone(), vec((name.clone(), inner.clone()), 0..5)).prop_map(|(word, fields)| {
                let fields: Vec<_> = fields.into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
                format!("{word}({})", fields.join(", "))
            }),
            (word.clone(), vec(inner.clone(), 0..4)).prop_map(|(word, items)| format!("{word}({})", items.join(", "))),
            vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(",\n"))),
            vec((inner.clone(), inner), 0..3).prop_map(|pairs| {
                let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", pairs.join(", "))
            }),
        ]
    })
}

#[test]
fn the_scenarios_that_are_mangled_below_are_good_themselves() {
    for good in [GOOD, GENERATED] {
        if let Err(mistakes) = Scenario::parse("good.ron", good, &registry()) {
            panic!("{mistakes}");
        }
    }
}

/// A character of four bytes before a number that ron stops in.
#[test]
fn a_number_behind_a_letter_of_many_bytes_does_not_panic() {
    check("Scenario(\u{11300}0.)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..512)) {
        check(bytes);
    }

    #[test]
    fn arbitrary_text_in_parentheses_never_panics(text in "\\PC{0,200}") {
        check(format!("Scenario({text})"));
    }

    #[test]
    fn good_scenarios_with_a_few_bytes_changed_never_panic(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        generated in any::<bool>(),
    ) {
        let mut bytes = if generated { GENERATED } else { GOOD }.as_bytes().to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        check(bytes);
    }

    #[test]
    fn good_scenarios_with_a_piece_cut_out_or_put_elsewhere_never_panic(
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
        put in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        let (a, b) = (from.index(bytes.len()), to.index(bytes.len()));
        let piece: Vec<u8> = bytes.drain(a.min(b)..a.max(b)).collect();
        if let Some(place) = put {
            let place = place.index(bytes.len() + 1);
            bytes.splice(place..place, piece);
        }
        check(bytes);
    }

    #[test]
    fn good_scenarios_with_one_word_for_another_never_panic(
        which in any::<prop::sample::Index>(),
        with in nested_ron(),
        generated in any::<bool>(),
    ) {
        let text = if generated { GENERATED } else { GOOD };
        let places: Vec<_> = text.match_indices(": ").map(|(at, _)| at + 2).collect();
        let start = places[which.index(places.len())];
        let end = text[start..].find([',', ')', ']']).map_or(text.len(), |len| start + len);
        check(format!("{}{with}{}", &text[..start], &text[end..]));
    }

    #[test]
    fn arbitrary_nested_ron_never_panics(ron in nested_ron()) {
        check(format!("Scenario(version: 1, name: \"nested\", network: {ron}, services: [{ron}], supervision: {ron}, faults: [{ron}], expect: [{ron}])"));
        check(ron);
    }
}
