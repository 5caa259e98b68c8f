//! Runs made by hand, for the tests of the reports.

use std::collections::BTreeMap;
use std::time::Duration;

use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::report::{
    DirectoryFigures, DirectoryReport, Distributions, Ending, FailureKind, FailureReport, GivenUpReport,
    LatencySummary, PanicReport, Recovery, Report, RestartCause, ServiceReport, SupervisionReport, Traffic,
};
use rehearsal_actors::trace::TraceHash;
use rehearsal_actors::units::{SimDuration, SimTime};
use serde_json::json;

use super::Finished;
use crate::expectations::{Bounds, Expectation, Whose};

const CAUSES: [RestartCause; 8] = [
    RestartCause::Panic,
    RestartCause::Error,
    RestartCause::Ended,
    RestartCause::Killed,
    RestartCause::NodeCrash,
    RestartCause::GaveUp,
    RestartCause::Sibling,
    RestartCause::Supervisor,
];

fn named(entries: &[(&str, u64)]) -> BTreeMap<String, u64> {
    entries.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
}

/// A service that did nothing.
pub(crate) fn idle(name: &str, node: &str) -> ServiceReport {
    ServiceReport {
        name: name.to_owned(),
        node: node.to_owned(),
        sent: 0,
        received: 0,
        steps: 0,
        failed_steps: BTreeMap::new(),
        handled: 0,
        counters: BTreeMap::new(),
        step_values: Vec::new(),
        crashed: false,
        running: true,
        incarnation: 1,
    }
}

/// No services, no messages, no time.
pub(crate) fn nothing_happened() -> Finished {
    Finished {
        scenario: "empty".to_owned(),
        nodes: 1,
        links: 0,
        violated: Vec::new(),
        expectations: Vec::new(),
        wall: Duration::ZERO,
        report: Report {
            seed: 0,
            ended_at: SimTime::ZERO,
            ending: Ending::Quiescent,
            traffic: Traffic::default(),
            outcomes: BTreeMap::new(),
            causes: BTreeMap::new(),
            unfinished: BTreeMap::new(),
            latency: None,
            latency_by_interface: BTreeMap::new(),
            services: Vec::new(),
            faults: BTreeMap::new(),
            counters: BTreeMap::new(),
            panics: Vec::new(),
            panic_count: 0,
            distributions: Distributions::default(),
            supervision: SupervisionReport::default(),
            directories: DirectoryReport::default(),
            pacing: None,
            monitors: Vec::new(),
            trace_hash: TraceHash(0),
        },
    }
}

/// 50 s of a shop with two services: 96 orders placed, four failed.
pub(crate) fn shop() -> Finished {
    let latency = LatencySummary {
        count: 1_980,
        p50: SimDuration::from_micros(12_300),
        p90: SimDuration::from_millis(80),
        p99: SimDuration::from_millis(120),
        max: SimDuration::from_micros(199_870),
    };
    let frontend = ServiceReport {
        sent: 1_000,
        received: 985,
        steps: 96,
        failed_steps: named(&[("no reply from `cart` within 2s", 3), ("no route to `cart`", 1)]),
        counters: named(&[("orders placed", 96), ("orders failed", 4)]),
        step_values: vec![json!({"order": 54321})],
        ..idle("frontend", "edge-1")
    };
    let cart = ServiceReport { sent: 985, received: 995, ..idle("cart", "cloud-2") };
    Finished {
        scenario: "SockShop".to_owned(),
        nodes: 30,
        links: 212,
        violated: vec!["frontend to cart: latency 50ms wanted, 62ms from `edge-1` to `cloud-2`".to_owned()],
        expectations: Vec::new(),
        wall: Duration::from_millis(31),
        report: Report {
            seed: 42,
            ended_at: SimTime::from_nanos(50_000_000_000),
            ending: Ending::TimeReached,
            traffic: Traffic {
                sent: 1_985,
                delivered: 1_980,
                lost: 3,
                undelivered: 1,
                in_flight: 1,
                duplicates: 0,
                held_back: 12,
                bytes: 65_536,
            },
            outcomes: BTreeMap::from([
                ((Interface::Mpi, OutcomeKind::Ack), 1_980),
                ((Interface::Mpi, OutcomeKind::TimedOut), 3),
                ((Interface::Mpi, OutcomeKind::Undelivered), 1),
            ]),
            causes: BTreeMap::new(),
            unfinished: BTreeMap::from([(Interface::Mpi, 1)]),
            latency: Some(latency),
            latency_by_interface: BTreeMap::from([(Interface::Mpi, latency)]),
            services: vec![frontend, cart],
            faults: named(&[("node down", 12), ("node up", 11), ("drift", 100)]),
            counters: named(&[("orders placed", 96), ("orders failed", 4)]),
            panics: Vec::new(),
            panic_count: 0,
            distributions: Distributions::default(),
            supervision: SupervisionReport::default(),
            directories: DirectoryReport::default(),
            pacing: None,
            monitors: Vec::new(),
            trace_hash: TraceHash(0x0123_4567_89ab_cdef),
        },
    }
}

/// The shop again, in trouble: `cart` was killed twice and panicked, `user` crashed with its node and
/// did not come back; a directory was at hand.
pub(crate) fn chaos() -> Finished {
    let times = LatencySummary {
        count: 3,
        p50: SimDuration::from_millis(120),
        p90: SimDuration::from_millis(800),
        p99: SimDuration::from_millis(800),
        max: SimDuration::from_millis(800),
    };
    let restarts = [
        (("cart".to_owned(), RestartCause::Panic), 1),
        (("cart".to_owned(), RestartCause::Killed), 2),
        (("payments".to_owned(), RestartCause::GaveUp), 1),
    ];
    let panic = FailureReport {
        service: "cart".to_owned(),
        at: SimTime::from_nanos(7_500_000_000),
        kind: FailureKind::Panic,
        message: "no socks left".to_owned(),
        place: Some("src/shop.rs:3:4".to_owned()),
        by_fault: false,
    };
    let why = "2 restarts within 5s".to_owned();
    let figures = DirectoryFigures { registered: 4, withdrawn: 0, dropped: 1, shared: 0, lookups: 1_200 };
    let shop = shop();
    let supervision = SupervisionReport {
        restarts: restarts.into(),
        restarts_by_supervisor: named(&[("root", 4)]),
        returned: 7,
        failures: vec![panic],
        failure_count: 1,
        unexplained: named(&[("cart", 1)]),
        given_up: vec![GivenUpReport {
            supervisor: "payments".to_owned(),
            at: SimTime::from_nanos(9_000_000_000),
            why,
        }],
        recovery: Some(times),
        recovery_by_service: BTreeMap::from([
            ("cart".to_owned(), Recovery { times: Some(times), down_since: None }),
            ("user".to_owned(), Recovery { times: None, down_since: Some(SimTime::from_nanos(48_000_000_000)) }),
        ]),
    };
    let directories = DirectoryReport {
        by_directory: BTreeMap::from([("hub".to_owned(), figures)]),
        provider_failovers: 3,
        directory_failovers: 1,
    };
    let exactly = |n| Bounds { at_least: Some(n), at_most: Some(n) };
    let expectations = vec![
        Expectation::Counter {
            name: "orders placed".to_owned(),
            service: None,
            bounds: Bounds { at_least: Some(90), at_most: None },
        },
        Expectation::Restarts { whose: Whose::Service("cart".to_owned()), bounds: exactly(3) },
        Expectation::Failures { service: Some("cart".to_owned()), bounds: exactly(1) },
    ];
    Finished { expectations, report: Report { supervision, directories, ..shop.report }, ..shop }
}

/// Everything as large as it can be, every name as bad as it can be.
pub(crate) fn nasty() -> Finished {
    let names = [
        "購物車服務".repeat(40),
        "\u{1b}[31mred\u{7}\nsecond line\u{202e}sdrawkcab".to_owned(),
        "e\u{301}".repeat(200),
        "👩‍👩‍👧‍👦".repeat(30),
        "x".repeat(500),
        "\"quotes\" \\back\\slashes & <tags> `ticks` #9829; %%{init}%%".to_owned(),
        String::new(),
    ];
    let most = LatencySummary {
        count: u64::MAX,
        p50: SimDuration::from_nanos(999_950),
        p90: SimDuration::from_secs(86_399),
        p99: SimDuration::from_nanos(u64::MAX),
        max: SimDuration::from_nanos(u64::MAX),
    };
    let counted: BTreeMap<String, u64> = names.iter().map(|name| (name.clone(), u64::MAX)).collect();
    let busy = |at: usize| ServiceReport {
        name: names[at % names.len()].clone(),
        node: names[(at + 1) % names.len()].clone(),
        sent: u64::MAX,
        received: u64::MAX,
        steps: u64::MAX,
        failed_steps: counted.keys().map(|name| (name.clone(), u64::MAX / 8)).collect(),
        handled: u64::MAX,
        counters: counted.clone(),
        step_values: names.iter().map(|name| json!({ name.clone(): name })).collect(),
        crashed: at == 0,
        running: at != 0,
        incarnation: u32::MAX,
    };
    let panic = |name: &String| PanicReport {
        service: name.clone(),
        at: SimTime::MAX,
        message: name.clone(),
        place: Some(name.clone()),
    };
    let failure = |name: &String| FailureReport {
        service: name.clone(),
        at: SimTime::MAX,
        kind: FailureKind::Error,
        message: name.clone(),
        place: Some(name.clone()),
        by_fault: true,
    };
    let given_up = |name: &String| GivenUpReport { supervisor: name.clone(), at: SimTime::MAX, why: name.clone() };
    let recovery = Recovery { times: Some(most), down_since: Some(SimTime::MAX) };
    let figures = DirectoryFigures {
        registered: u64::MAX,
        withdrawn: u64::MAX,
        dropped: u64::MAX,
        shared: u64::MAX,
        lookups: u64::MAX,
    };
    let expectation = |name: &String| Expectation::Counter {
        name: name.clone(),
        service: Some(name.clone()),
        bounds: Bounds { at_least: Some(u64::MAX), at_most: None },
    };
    Finished {
        scenario: names[1].repeat(9),
        nodes: usize::MAX,
        links: usize::MAX,
        violated: names.to_vec(),
        expectations: names.iter().map(expectation).collect(),
        wall: Duration::MAX,
        report: Report {
            seed: u64::MAX,
            ended_at: SimTime::MAX,
            ending: Ending::Stuck { service: names[0].clone(), at: SimTime::MAX },
            traffic: Traffic {
                sent: u64::MAX,
                delivered: u64::MAX,
                lost: u64::MAX,
                undelivered: u64::MAX,
                in_flight: u64::MAX,
                duplicates: u64::MAX,
                held_back: u64::MAX,
                bytes: u64::MAX,
            },
            outcomes: Interface::ALL
                .into_iter()
                .flat_map(|interface| OutcomeKind::ALL.map(|kind| ((interface, kind), u64::MAX)))
                .collect(),
            causes: BTreeMap::new(),
            unfinished: Interface::ALL.map(|interface| (interface, u64::MAX)).into(),
            latency: Some(most),
            latency_by_interface: Interface::ALL.map(|interface| (interface, most)).into(),
            services: (0..40).map(busy).collect(),
            faults: counted.clone(),
            counters: counted.clone(),
            panic_count: u64::MAX,
            panics: names.iter().map(panic).collect(),
            distributions: Distributions::default(),
            supervision: SupervisionReport {
                restarts: CAUSES
                    .iter()
                    .flat_map(|&cause| names.iter().map(move |name| ((name.clone(), cause), u64::MAX)))
                    .collect(),
                restarts_by_supervisor: counted.clone(),
                returned: u64::MAX,
                failures: names.iter().map(failure).collect(),
                failure_count: u64::MAX,
                unexplained: counted.clone(),
                given_up: names.iter().map(given_up).collect(),
                recovery: Some(most),
                recovery_by_service: names.iter().map(|name| (name.clone(), recovery)).collect(),
            },
            directories: DirectoryReport {
                by_directory: names.iter().map(|name| (name.clone(), figures)).collect(),
                provider_failovers: u64::MAX,
                directory_failovers: u64::MAX,
            },
            pacing: None,
            monitors: Vec::new(),
            trace_hash: TraceHash(u64::MAX),
        },
    }
}
