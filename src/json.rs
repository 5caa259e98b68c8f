//! The `--json` object: a run for machines to read.
//!
//! One object, one field a line of this table, always all of them and always in this order:
//!
//! | field | what |
//! |---|---|
//! | `scenario` | its name |
//! | `seed` | what it ran with |
//! | `nodes`, `links` | the size of its network; links are directed |
//! | `virtual_s` | virtual time when it ended |
//! | `wall_s` | how long that took |
//! | `ending` | `quiescent`, `time_reached`, `closed` (a served run), `interrupted`, `stuck` or `gave_up` (the root supervisor) |
//! | `ended_well` | what the exit code says: it came to its end, nothing failed unexpectedly, all expectations hold |
//! | `problem` | why it did not end well, for people; else `null` |
//! | `deliveries` | messages that arrived |
//! | `traffic` | `sent` = `delivered` + `lost` + `undelivered` + `in_flight`; `duplicates`, `held_back`, `bytes` |
//! | `outcomes` | interface, then kind of outcome: how many requests; and `open` for those without one yet |
//! | `causes` | why requests ended as they did, most telling of failures: `interface`, `outcome`, `cause`, `count` |
//! | `latency_ms` | over all deliveries: `count`, `p50`, `p90`, `p99`, `max` (`null` where there were none) |
//! | `latency_ms_by_interface` | the same by interface |
//! | `counters` | the named counters of all services, added up |
//! | `services` | in order of declaration; see [`ServiceReport`] for the fields |
//! | `faults` | how often the network changed, by kind |
//! | `requirements_violated` | by the placement, spelled out |
//! | `expectations` | in order of declaration: see below |
//! | `supervision` | who failed and was restarted: see below |
//! | `directories` | who registered with which directory: see below |
//! | `pacing` | of a paced run its `pace`, and how far it lagged behind the wall clock: `lag_ms`, like `latency_ms`; else `null` |
//! | `panic_count` | how many panics there were |
//! | `panics` | the first thousand: `service`, `at_s`, `message`, `place` |
//! | `trace_hash` | the fingerprint of the run, 16 hexadecimal digits |
//!
//! Each of the `expectations` has `subject`, `wanted` and `measured` (for people to read), `value` (what
//! was measured: a count, a share from 0 to 1, or milliseconds; `null` if nothing was), and `holds`.
//!
//! `supervision` has
//! - `restarts`: how often each `child` was restarted for which `cause` (`panic`, `error`, `ended`,
//!   `killed`, `node_crash`, `gave_up`, `sibling`, `supervisor`), as `count`;
//! - `restarts_by_supervisor`: how many each carried out;
//! - `returned`: messages that were returned because their receiver had ended before it looked at them;
//! - `gave_up`: supervisors that did: `supervisor`, `at_s`, `why`;
//! - `failure_count` and `failures`: panics and errors, the first thousand of them: `service`, `at_s`,
//!   `kind` (`panic`, `error`), `message`, `place`, `by_fault`;
//! - `unexplained`: those that no fault caused, by service;
//! - `recovery_ms`, `recovery_ms_by_service`: from failure to the first good reply, like `latency_ms`;
//! - `down_since_s`: services that had not recovered when the run ended.
//!
//! `directories` has `by_directory` (the entries that were `registered`, `withdrawn`, `dropped` for
//! silence and `shared` by others; `lookups`), `provider_failovers` (requests taken to another
//! provider) and `directory_failovers` (providers that turned to another directory).

mod supervision;

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::report::{Ending, LatencySummary, PacingReport, PanicReport, Report, ServiceReport, Traffic};

use self::supervision::{DirectoriesObject, SupervisionObject};
use crate::expectations::Verdict;
use crate::finished::Finished;

/// Writes a run as one JSON object, indented, with a line break at its end.
///
/// # Errors
///
/// None that a finished run can cause: every key is a string and every number finite.
pub fn render(run: &Finished) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&RunObject::of(run)).map(|object| object + "\n")
}

#[derive(serde::Serialize)]
struct RunObject<'a> {
    scenario: &'a str,
    seed: u64,
    nodes: usize,
    links: usize,
    virtual_s: f64,
    wall_s: f64,
    ending: &'static str,
    ended_well: bool,
    problem: Option<String>,
    deliveries: u64,
    traffic: TrafficObject,
    outcomes: OutcomesByInterface<'a>,
    causes: Vec<CauseObject<'a>>,
    latency_ms: LatencyObject,
    latency_ms_by_interface: LatencyByInterface<'a>,
    counters: &'a BTreeMap<String, u64>,
    services: Vec<ServiceObject<'a>>,
    faults: &'a BTreeMap<String, u64>,
    requirements_violated: &'a [String],
    expectations: Vec<Verdict>,
    supervision: SupervisionObject<'a>,
    directories: DirectoriesObject<'a>,
    pacing: Option<PacingObject>,
    panic_count: u64,
    panics: Vec<PanicObject<'a>>,
    trace_hash: String,
}

impl<'a> RunObject<'a> {
    fn of(run: &'a Finished) -> Self {
        let report = &run.report;
        RunObject {
            scenario: &run.scenario,
            seed: report.seed,
            nodes: run.nodes,
            links: run.links,
            virtual_s: report.ended_at.as_secs_f64(),
            wall_s: run.wall.as_secs_f64(),
            ending: match report.ending {
                Ending::Quiescent => "quiescent",
                Ending::TimeReached => "time_reached",
                Ending::Interrupted => "interrupted",
                Ending::Closed => "closed",
                Ending::Stuck { .. } => "stuck",
                Ending::GaveUp { .. } => "gave_up",
            },
            ended_well: run.ended_well(),
            problem: run.what_went_wrong(),
            deliveries: report.traffic.delivered,
            traffic: TrafficObject::of(report.traffic),
            outcomes: OutcomesByInterface(report),
            causes: CauseObject::all(report),
            latency_ms: LatencyObject::of(report.latency.as_ref()),
            latency_ms_by_interface: LatencyByInterface(report),
            counters: &report.counters,
            services: report.services.iter().map(ServiceObject::of).collect(),
            faults: &report.faults,
            requirements_violated: &run.violated,
            expectations: run.verdicts(),
            supervision: SupervisionObject::of(report),
            directories: DirectoriesObject::of(&report.directories),
            pacing: report.pacing.as_ref().map(PacingObject::of),
            panic_count: report.panic_count,
            panics: report.panics.iter().map(PanicObject::of).collect(),
            trace_hash: report.trace_hash.to_string(),
        }
    }
}

#[derive(serde::Serialize)]
struct PacingObject {
    pace: f64,
    lag_ms: LatencyObject,
}

impl PacingObject {
    fn of(pacing: &PacingReport) -> Self {
        PacingObject { pace: pacing.pace.factor(), lag_ms: LatencyObject::of(pacing.lag.as_ref()) }
    }
}

#[derive(serde::Serialize)]
struct TrafficObject {
    sent: u64,
    delivered: u64,
    lost: u64,
    undelivered: u64,
    in_flight: u64,
    duplicates: u64,
    held_back: u64,
    bytes: u64,
}

impl TrafficObject {
    fn of(traffic: Traffic) -> Self {
        let Traffic { sent, delivered, lost, undelivered, in_flight, duplicates, held_back, bytes } = traffic;
        TrafficObject { sent, delivered, lost, undelivered, in_flight, duplicates, held_back, bytes }
    }
}

#[derive(serde::Serialize)]
struct CauseObject<'a> {
    interface: &'static str,
    outcome: &'static str,
    cause: &'a str,
    count: u64,
}

impl<'a> CauseObject<'a> {
    fn all(report: &'a Report) -> Vec<Self> {
        let cause = |((interface, kind, cause), count): (&'a (Interface, OutcomeKind, String), &u64)| CauseObject {
            interface: interface.name(),
            outcome: kind.name(),
            cause,
            count: *count,
        };
        report.causes.iter().map(cause).collect()
    }
}

/// Every interface, whether the run used it or not, so that no reader meets a missing key.
struct OutcomesByInterface<'a>(&'a Report);

impl Serialize for OutcomesByInterface<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_map(Interface::ALL.into_iter().map(|interface| (interface.name(), OutcomesOf(self.0, interface))))
    }
}

/// Every kind of outcome, in the order of reports, and what is still open.
struct OutcomesOf<'a>(&'a Report, Interface);

impl Serialize for OutcomesOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let OutcomesOf(report, interface) = self;
        let mut map = serializer.serialize_map(Some(OutcomeKind::ALL.len() + 1))?;
        for kind in OutcomeKind::ALL {
            map.serialize_entry(kind.name(), report.outcomes.get(&(*interface, kind)).unwrap_or(&0))?;
        }
        map.serialize_entry("open", report.unfinished.get(interface).unwrap_or(&0))?;
        map.end()
    }
}

#[derive(serde::Serialize)]
struct LatencyObject {
    count: u64,
    p50: Option<f64>,
    p90: Option<f64>,
    p99: Option<f64>,
    max: Option<f64>,
}

impl LatencyObject {
    fn of(latency: Option<&LatencySummary>) -> Self {
        LatencyObject {
            count: latency.map_or(0, |l| l.count),
            p50: latency.map(|l| l.p50.as_millis_f64()),
            p90: latency.map(|l| l.p90.as_millis_f64()),
            p99: latency.map(|l| l.p99.as_millis_f64()),
            max: latency.map(|l| l.max.as_millis_f64()),
        }
    }
}

struct LatencyByInterface<'a>(&'a Report);

impl Serialize for LatencyByInterface<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let of = |interface| LatencyObject::of(self.0.latency_by_interface.get(&interface));
        serializer.collect_map(Interface::ALL.into_iter().map(|interface| (interface.name(), of(interface))))
    }
}

#[derive(serde::Serialize)]
struct ServiceObject<'a> {
    name: &'a str,
    node: &'a str,
    sent: u64,
    received: u64,
    steps: u64,
    failed_steps: &'a BTreeMap<String, u64>,
    handled: u64,
    counters: &'a BTreeMap<String, u64>,
    step_values: &'a [Value],
    crashed: bool,
    running: bool,
    incarnation: u32,
}

impl<'a> ServiceObject<'a> {
    fn of(service: &'a ServiceReport) -> Self {
        ServiceObject {
            name: &service.name,
            node: &service.node,
            sent: service.sent,
            received: service.received,
            steps: service.steps,
            failed_steps: &service.failed_steps,
            handled: service.handled,
            counters: &service.counters,
            step_values: &service.step_values,
            crashed: service.crashed,
            running: service.running,
            incarnation: service.incarnation,
        }
    }
}

#[derive(serde::Serialize)]
struct PanicObject<'a> {
    service: &'a str,
    at_s: f64,
    message: &'a str,
    place: Option<&'a str>,
}

impl<'a> PanicObject<'a> {
    fn of(panic: &'a PanicReport) -> Self {
        PanicObject {
            service: &panic.service,
            at_s: panic.at.as_secs_f64(),
            message: &panic.message,
            place: panic.place.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::finished::examples::{chaos, nasty, nothing_happened, shop};

    /// Every key of an object in the order in which it is written.
    fn keys(object: &str) -> Vec<String> {
        // Two blanks of indentation: the keys of the object itself.
        let own = object.lines().filter_map(|line| line.strip_prefix("  \""));
        own.filter_map(|line| line.split_once('"').map(|(key, _)| key.to_owned())).collect()
    }

    #[test]
    fn the_fields_are_those_of_the_table_in_its_order() {
        let promised: Vec<String> = include_str!("json.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `"))
            .filter_map(|row| row.split(" | ").next())
            .flat_map(|names| names.split(", "))
            .map(|name| name.trim_matches('`').to_owned())
            .collect();
        for run in [shop(), nothing_happened(), nasty(), chaos()] {
            assert_eq!(keys(&render(&run).unwrap()), promised);
        }
    }

    #[test]
    fn a_shop_is_told_in_numbers() {
        let object: Value = serde_json::from_str(&render(&shop()).unwrap()).unwrap();
        assert_eq!(object["scenario"], "SockShop");
        assert_eq!(object["virtual_s"], 50.0);
        assert_eq!(object["ending"], "time_reached");
        assert_eq!(object["ended_well"], true);
        assert_eq!(object["problem"], Value::Null);
        assert_eq!(object["deliveries"], 1_980);
        assert_eq!(object["outcomes"]["mpi"]["ack"], 1_980);
        assert_eq!(object["outcomes"]["mpi"]["timed_out"], 3);
        assert_eq!(object["outcomes"]["rest"]["reply"], 0);
        assert_eq!(object["outcomes"]["mpi"]["open"], 1);
        assert_eq!(object["latency_ms"]["p50"], 12.3);
        assert_eq!(object["latency_ms_by_interface"]["rest"]["p50"], Value::Null);
        assert_eq!(object["counters"]["orders placed"], 96);
        assert_eq!(object["services"][0]["name"], "frontend");
        assert_eq!(object["services"][0]["step_values"][0]["order"], 54321);
        assert_eq!(object["faults"]["node down"], 12);
        assert_eq!(object["trace_hash"], "0123456789abcdef");
    }

    #[test]
    fn trouble_is_told_in_numbers() {
        let object: Value = serde_json::from_str(&render(&chaos()).unwrap()).unwrap();
        let supervision = &object["supervision"];
        assert_eq!(supervision["restarts"][1], json!({"child": "cart", "cause": "killed", "count": 2}));
        assert_eq!(supervision["gave_up"][0]["supervisor"], "payments");
        assert_eq!(supervision["failures"][0]["by_fault"], false);
        assert_eq!(supervision["unexplained"], json!({"cart": 1}));
        assert_eq!(supervision["recovery_ms_by_service"]["cart"]["max"], 800.0);
        assert_eq!(supervision["recovery_ms_by_service"]["user"]["count"], 0);
        assert_eq!(supervision["down_since_s"], json!({"user": 48.0}));
        assert_eq!(object["directories"]["by_directory"]["hub"]["lookups"], 1_200);
        assert_eq!(object["directories"]["provider_failovers"], 3);
        assert_eq!(
            object["expectations"][0],
            json!({"subject": "orders placed", "wanted": "at least 90", "measured": "96", "value": 96, "holds": true})
        );
        assert_eq!(object["ended_well"], true);
    }

    #[test]
    fn the_largest_numbers_and_the_strangest_names_are_kept_to_the_digit() {
        let text = render(&nasty()).unwrap();
        let object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object["seed"], u64::MAX);
        assert_eq!(object["services"][0]["name"].as_str(), Some(&*nasty().report.services[0].name));
        assert_eq!(object["ended_well"], false);
    }
}
