//! Runs made by hand, for the tests of the reports.

use std::collections::BTreeMap;
use std::time::Duration;

use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::report::{
    DirectoryReport, Distributions, Ending, LatencySummary, PanicReport, Report, ServiceReport, SupervisionReport,
    Traffic,
};
use rehearsal_actors::trace::TraceHash;
use rehearsal_actors::units::{SimDuration, SimTime};
use serde_json::json;

use super::Finished;

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
    }
}

/// No services, no messages, no time.
pub(crate) fn nothing_happened() -> Finished {
    Finished {
        scenario: "empty".to_owned(),
        nodes: 1,
        links: 0,
        violated: Vec::new(),
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
            monitors: Vec::new(),
            trace_hash: TraceHash(0x0123_4567_89ab_cdef),
        },
    }
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
    };
    let panic = |name: &String| PanicReport {
        service: name.clone(),
        at: SimTime::MAX,
        message: name.clone(),
        place: Some(name.clone()),
    };
    Finished {
        scenario: names[1].repeat(9),
        nodes: usize::MAX,
        links: usize::MAX,
        violated: names.to_vec(),
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
            counters: counted,
            panic_count: u64::MAX,
            panics: names.iter().map(panic).collect(),
            distributions: Distributions::default(),
            supervision: SupervisionReport::default(),
            directories: DirectoryReport::default(),
            monitors: Vec::new(),
            trace_hash: TraceHash(u64::MAX),
        },
    }
}
