//! The scenarios that come with Rehearsal show what their comments say. The numbers are worked out
//! there.

#[path = "scenarios/directories.rs"]
mod directories;
#[path = "scenarios/supervised.rs"]
mod supervised;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rehearsal::actors::outcome::{Interface, OutcomeKind};
use rehearsal::actors::report::{Ending, Report};
use rehearsal::actors::simulation::{Progress, run};
use rehearsal::actors::units::{SimDuration, SimTime};
use rehearsal::finished::Finished;
use rehearsal::registry::Registry;
use rehearsal::scenario::Scenario;

type TestResult = Result<(), Box<dyn Error>>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn play(name: &str, seed: Option<u64>) -> Result<Report, Box<dyn Error>> {
    Ok(finish(name, seed)?.report)
}

/// Plays a scenario, and keeps what it expects.
fn finish(name: &str, seed: Option<u64>) -> Result<Finished, Box<dyn Error>> {
    let prepared = Scenario::load(folder().join(name), &Registry::stock())?.prepare(seed, None)?;
    Ok(Finished {
        scenario: prepared.name,
        nodes: prepared.network.nodes,
        links: prepared.network.links,
        violated: Vec::new(),
        expectations: prepared.expectations,
        wall: Duration::ZERO,
        report: run(prepared.setup, None, Arc::new(Progress::default()))?,
    })
}

fn count(report: &Report, counter: &str) -> u64 {
    report.counters.get(counter).copied().unwrap_or(0)
}

fn outcomes(report: &Report, interface: Interface, kind: OutcomeKind) -> u64 {
    report.outcomes.get(&(interface, kind)).copied().unwrap_or(0)
}

#[test]
fn every_scenario_ends_well_meets_its_expectations_and_is_the_same_twice() -> TestResult {
    for entry in fs::read_dir(folder())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // With somebody outside no two runs are the same, and none goes without a wall clock: that it is
        // sound is all that can be said of it here. Its own tests serve it.
        let prepared = Scenario::load(folder().join(&name), &Registry::stock())?.prepare(None, None)?;
        if !prepared.outside.is_empty() {
            assert_eq!(name, "sockshop-external.ron");
            continue;
        }
        let [first, second] = [finish(&name, None)?, finish(&name, None)?];
        assert_eq!(first.what_went_wrong(), None, "{name}");
        assert_eq!(first.report.trace_hash, second.report.trace_hash, "{name}");
    }
    Ok(())
}

#[test]
fn both_sockshops_place_orders_fail_some_and_are_the_same_every_time() -> TestResult {
    for name in ["sockshop.ron", "sockshop-rest.ron"] {
        let report = play(name, None)?;
        assert!(report.ended_well(), "{name}: {:?}", report.panics);
        assert_eq!(report.ended_at, SimTime::ZERO + SimDuration::from_secs(50));
        let [frontend, ..] = &report.services[..] else { panic!("{name} has no services") };
        assert_eq!(frontend.steps, count(&report, "orders placed"));
        assert!(frontend.steps > 20, "{name}: {} orders", frontend.steps);
        assert!(frontend.failed_step_count() > 0, "{name}: nothing failed");
        assert!(frontend.step_values.iter().all(|order| order["amount"] == "69.97"));
        // Nobody gets what was not paid for.
        assert!(count(&report, "orders placed") <= count(&report, "payments taken"));
        assert_eq!(play(name, None)?.trace_hash, report.trace_hash);
        assert_ne!(play(name, Some(23))?.trace_hash, report.trace_hash);
    }
    Ok(())
}

#[test]
fn an_echo_takes_what_its_comment_works_out() -> TestResult {
    let report = play("echo.ron", None)?;
    assert_eq!(report.ending, Ending::Quiescent);
    assert_eq!(count(&report, "echoes heard"), 10);
    // Ten times 42.056 ms there and 42.104 ms back.
    assert_eq!(report.ended_at, SimTime::ZERO + SimDuration::from_micros(10 * (42_056 + 42_104)));
    Ok(())
}

#[test]
fn the_store_answers_201_200_404_404_405() -> TestResult {
    let report = play("store.ron", None)?;
    let answers = report.services[0].step_values[0].as_array().ok_or("no answers")?;
    let statuses: Vec<_> = answers.iter().map(|answer| &answer["status"]).collect();
    assert_eq!(statuses, [201, 200, 404, 404, 405]);
    assert_eq!(answers[1]["body"]["value"], 42);
    assert_eq!(outcomes(&report, Interface::Rest, OutcomeKind::Reply), 3);
    assert_eq!(outcomes(&report, Interface::Rest, OutcomeKind::NotUnderstood), 2);
    Ok(())
}

#[test]
fn the_narrow_link_is_busy_all_the_time_and_its_buffer_full() -> TestResult {
    let report = play("contention.ron", None)?;
    // A message a millisecond for ten seconds, but for the first few on their way and the pauses
    // before the buffer is full for the first time.
    assert!((9_900..=10_000).contains(&report.traffic.delivered), "{:?}", report.traffic);
    // 12,500 are offered; the deviation of a Poisson process is the root of that, 112. Five of them.
    assert!((11_940..=13_060).contains(&report.traffic.sent), "{:?}", report.traffic);
    // What is sent is delivered, lost, in the buffer (52) or on its way (a few).
    assert!(report.traffic.in_flight <= 60, "{:?}", report.traffic);
    // 7.1 ms without contention, at most 52 messages before it and one half sent.
    let max = report.latency.ok_or("nothing delivered")?.max;
    assert!(max <= SimDuration::from_micros(7_100 + 53_000), "{max}");
    assert!(max >= SimDuration::from_micros(7_100 + 51_000), "{max}");
    Ok(())
}

#[test]
fn a_partition_is_noticed_in_three_ways() -> TestResult {
    let report = play("partition.ron", None)?;
    assert_eq!(outcomes(&report, Interface::Mpi, OutcomeKind::Lost), 5);
    assert_eq!(outcomes(&report, Interface::Mpi, OutcomeKind::TimedOut), 2);
    assert_eq!(outcomes(&report, Interface::Mpi, OutcomeKind::Undelivered), 498 + 49 + 30);
    let failed: Vec<u64> = report.services.iter().map(|service| service.failed_step_count()).collect();
    // Careless, careful, caller, and the two on the other side.
    assert_eq!(failed, [0, 1 + 49, 1 + 30, 0, 0]);
    Ok(())
}
