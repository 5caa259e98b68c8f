//! How runs end when services misbehave, with actors of our own among the stock; and that the shop
//! always comes to its end.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rehearsal::actors::outcome::{Interface, OutcomeKind};
use rehearsal::actors::report::{Ending, Report, RestartCause};
use rehearsal::actors::simulation::{Progress, run};
use rehearsal::actors::stock::load::Parcel;
use rehearsal::finished::Finished;
use rehearsal::prelude::*;
use rehearsal::registry::RegistryError;
use rehearsal::scenario::Scenario;
use rehearsal::summary;

type TestResult = Result<(), Box<dyn Error>>;

/// The line of this file in which the porter panics.
const LINE: u32 = line!() + 4;

async fn carry(parcel: &Parcel) {
    if parcel.number == 3 {
        panic!("parcel {} is too heavy", parcel.number);
    }
}

/// An async service that panics in a step.
struct Porter;

impl Service for Porter {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        carry(&io.mpi().recv::<Parcel>().no_timeout().await?.body).await;
        Ok(Step::Continue)
    }
}

/// An actor that panics in a handler.
struct Crane;

impl Actor for Crane {
    type Context = ServiceContext<Self>;
}

impl Networked for Crane {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Parcel>();
    }
}

impl Handler<Delivery<Parcel>> for Crane {
    type Result = ();

    fn handle(&mut self, parcel: Delivery<Parcel>, _: &mut ServiceContext<Self>) {
        assert!(parcel.body.number != 3, "parcel 3 is too heavy");
    }
}

/// A service that never waits for anything.
struct Restless;

impl Service for Restless {
    async fn step(&self, _: &ServiceIo) -> StepResult {
        Ok(Step::Continue)
    }
}

/// A service that waits for what does not come, two seconds at a time.
struct Idler;

impl Service for Idler {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        io.mpi().recv::<Parcel>().await?;
        Ok(Step::Continue)
    }
}

fn registry() -> Result<Registry, RegistryError> {
    let mut registry = Registry::stock();
    registry.register("porter", "Carries what is not too heavy.", |(): ()| Ok(Cast::service(Porter)))?;
    registry.register("crane", "Lifts what is not too heavy.", |(): ()| Ok(Cast::actor(Crane)))?;
    registry.register("restless", "Never waits.", |(): ()| Ok(Cast::service(Restless)))?;
    Ok(registry)
}

/// A service called `taker` gets a parcel every 10 ms, five in all; and somebody else goes about
/// their business.
fn parcels_to(actor: &str) -> String {
    format!(
        r#"Scenario(
            version: 1,
            name: "parcels",
            network: Explicit(nodes: [(name: "a"), (name: "b")], links: [(from: "a", to: "b", latency: "2ms")]),
            services: [
                (name: "sender", actor: "load/sender", node: "a", params: (to: "taker", count: 5)),
                (name: "taker", actor: "{actor}", node: "b"),
                (name: "client", actor: "store/client", node: "a", params: (rounds: 9)),
                (name: "store", actor: "store/server", node: "b"),
            ],
        )"#
    )
}

/// Runs a scenario as the command line does.
fn finish(text: &str) -> Result<Finished, Box<dyn Error>> {
    let prepared = Scenario::parse("parcels.ron", text, &registry()?)?.prepare(None, None)?;
    let report = run(prepared.setup, None, Arc::new(Progress::default()))?;
    let (nodes, links) = (prepared.network.nodes, prepared.network.links);
    Ok(Finished {
        scenario: prepared.name,
        nodes,
        links,
        violated: Vec::new(),
        expectations: prepared.expectations,
        wall: Duration::from_millis(1),
        report,
    })
}

/// Runs it through the command line; the exit code, and the trace.
fn exit_code(text: &str) -> Result<(ExitCode, String), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let [scenario, trace] = ["parcels.ron", "parcels.jsonl"].map(|name| folder.path().join(name));
    fs::write(&scenario, text)?;
    let arguments =
        ["rehearsal".as_ref(), scenario.as_os_str(), "--quiet".as_ref(), "--trace".as_ref(), trace.as_os_str()];
    let code = Cli::new(registry()?).run_from(arguments.map(ToOwned::to_owned));
    Ok((code, fs::read_to_string(&trace)?))
}

fn outcomes(report: &Report, kind: OutcomeKind) -> u64 {
    report.outcomes.get(&(Interface::Mpi, kind)).copied().unwrap_or(0)
}

#[test]
fn a_panic_ends_its_service_and_not_the_run_and_is_told_with_message_and_place() -> TestResult {
    for actor in ["porter", "crane"] {
        let finished = finish(&parcels_to(actor))?;
        let report = &finished.report;
        assert_eq!(report.ending, Ending::Quiescent, "{actor}");
        assert!(!report.ended_well());
        let [panic] = report.panics.as_slice() else { panic!("{actor}: {:?}", report.panics) };
        assert_eq!((panic.service.as_str(), panic.message.as_str()), ("taker", "parcel 3 is too heavy"));
        // The third is sent after 20 ms, and 2 ms on its way.
        assert_eq!(panic.at, SimTime::ZERO + SimDuration::from_millis(22));
        let place = panic.place.as_deref().unwrap_or_default();
        assert!(place.starts_with(file!()), "{place}");
        assert!(actor != "porter" || place.contains(&format!(":{LINE}:")), "{place}");
        // All five were delivered, the last two to the next taker: it was restarted at once.
        assert_eq!((outcomes(report, OutcomeKind::Ack), outcomes(report, OutcomeKind::Undelivered)), (5, 0), "{actor}");
        let restarts = &report.supervision.restarts;
        assert_eq!(restarts.get(&("taker".to_owned(), RestartCause::Panic)), Some(&1), "{actor}: {restarts:?}");
        // The others noticed nothing: five requests a round.
        assert_eq!(report.counters["answers as expected"], 9 * 5);
        assert_eq!(
            report.services.iter().map(|service| (service.running, service.incarnation)).collect::<Vec<_>>(),
            [(true, 1), (true, 2), (true, 1), (true, 1)]
        );

        let text = summary::render(&finished, summary::Detail::Short);
        for said in ["taker", "parcel 3 is too heavy", place] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        let (code, trace) = exit_code(&parcels_to(actor))?;
        assert_eq!(code, ExitCode::from(1));
        let told =
            |line: &&str| line.contains(r#""event":"panic","service":"taker","message":"parcel 3 is too heavy""#);
        assert_eq!(trace.lines().filter(told).count(), 1, "{trace}");
    }
    // The same with a taker that bears it.
    assert_eq!(exit_code(&parcels_to("load/sink"))?.0, ExitCode::SUCCESS);
    Ok(())
}

#[test]
fn a_panic_that_the_scenario_expects_is_told_and_ends_nothing_badly() -> TestResult {
    let expecting = |n: u32| {
        let expectation = format!("version: 1, expect: [Failures(service: \"taker\", exactly: {n})],");
        parcels_to("porter").replacen("version: 1,", &expectation, 1)
    };
    let finished = finish(&expecting(1))?;
    assert!(finished.ended_well() && !finished.report.ended_well());
    let text = summary::render(&finished, summary::Detail::Short);
    assert!(text.contains("parcel 3 is too heavy"), "{text}");
    assert_eq!(exit_code(&expecting(1))?.0, ExitCode::SUCCESS);
    assert_eq!(exit_code(&expecting(2))?.0, ExitCode::from(1));
    Ok(())
}

#[test]
fn a_service_that_never_waits_is_named_and_the_run_ends() -> TestResult {
    let scenario = parcels_to("restless");
    let finished = finish(&scenario)?;
    assert_eq!(finished.report.ending, Ending::Stuck { service: "taker".to_owned(), at: SimTime::ZERO });
    let why = finished.what_went_wrong().unwrap_or_default();
    assert!(why.contains("stuck at 0s: `taker` kept acting and never waited"), "{why}");
    assert_eq!(exit_code(&scenario)?.0, ExitCode::from(1));
    Ok(())
}

/// 40,000 services whose tasks all wait when the run is over.
#[test]
fn many_services_end_as_fast_as_they_begin() -> TestResult {
    let mut registry = Registry::new();
    registry.register("idler", "Waits.", |(): ()| Ok(Cast::service(Idler)))?;
    let services: String = (0..40_000).map(|i| format!("(name: \"{i}\", actor: \"idler\"),")).collect();
    let text = format!(
        "Scenario(version: 1, name: \"many\", until: \"1ms\", network: Star(nodes: 3), services: [{services}])"
    );
    let setup = Scenario::parse("many.ron", text, &registry)?.prepare(None, None)?.setup;
    let begun = Instant::now();
    let report = run(setup, None, Arc::new(Progress::default()))?;
    assert_eq!(report.ending, Ending::TimeReached);
    // A quarter of a second; a quarter of a minute where each looks for its tasks among everyone's.
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    Ok(())
}

#[test]
fn whoever_interrupts_is_heard_where_the_network_changes_and_nothing_else_happens() -> TestResult {
    // The second parcel would leave an hour after the first.
    let text = r#"Scenario(
        version: 1,
        name: "restless",
        until: "2ms",
        network: Star(nodes: 3),
        services: [(name: "sender", actor: "load/sender", params: (to: "sender", every: "1h"))],
        policies: [Flap(every: "1ns", down: 0.5, up: 0.5)],
    )"#;
    let setup = Scenario::parse("restless.ron", text, &Registry::stock())?.prepare(None, None)?.setup;
    let progress = Arc::new(Progress::default());
    progress.interrupt.store(true, std::sync::atomic::Ordering::Relaxed);
    let report = run(setup, None, progress)?;
    assert_eq!(report.ending, Ending::Interrupted);
    Ok(())
}

#[test]
fn sums_that_no_number_holds_stay_at_the_largest() -> TestResult {
    for model in ["RouteCost", "Queued"] {
        let text = parcels_to("load/sink")
            .replace("(to: \"taker\", count: 5)", "(to: \"taker\", count: 5, bytes: 18446744073709551615)")
            .replace("network:", &format!("model: {model}, network:"));
        let finished = finish(&text)?;
        assert!(finished.report.ended_well(), "{model}: {:?}", finished.report.panics);
        assert_eq!((finished.report.traffic.bytes, outcomes(&finished.report, OutcomeKind::Ack)), (u64::MAX, 5));
        assert_eq!(finished.report.counters["bytes taken"], u64::MAX);
    }
    Ok(())
}

/// The run of a scenario of ours under a seed.
fn play(scenario: &Scenario, seed: u64) -> Result<Report, Box<dyn Error>> {
    Ok(run(scenario.prepare(Some(seed), None)?.setup, None, Arc::new(Progress::default()))?)
}

/// What must be true of the shop, whatever goes wrong in it.
fn judge(report: &Report) -> Result<(), String> {
    let check = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("seed {}: {what}", report.seed)) };
    check(report.ended_well(), &format!("{:?}, {:?}", report.ending, report.panics))?;
    check(report.ending == Ending::TimeReached, "it plays to the end")?;
    check(report.ended_at == SimTime::ZERO + SimDuration::from_secs(50), "the end is at 50 s")?;

    let traffic = report.traffic;
    let ends = traffic.delivered + traffic.lost + traffic.undelivered + traffic.in_flight;
    check(traffic.sent == ends, &format!("{traffic:?}"))?;

    let count = |counter: &str| report.counters.get(counter).copied().unwrap_or(0);
    let frontend = &report.services[0];
    let (placed, failed) = (count("orders placed"), frontend.failed_step_count());
    check(placed > 0, "somebody gets their socks")?;
    check(placed == frontend.steps, "a step that ends well is an order")?;
    // A step begins every 500 ms at most: at 0 s, 0.5 s, …, and the last at 50 s.
    check(placed + failed <= 101, &format!("{placed} placed, {failed} failed"))?;
    check(
        count("payments taken") >= placed && count("shipments arranged") >= placed,
        "what is ordered is paid and sent",
    )?;
    // `catalog: timed out`: who was asked, and what became of it.
    let asked = ["catalog: ", "user: ", "cart: ", "order: "];
    for reason in frontend.failed_steps.keys() {
        let rest = asked.iter().find_map(|who| reason.strip_prefix(who));
        check(rest.is_some_and(|what| !what.is_empty()), &format!("`{reason}` is no reason"))?;
    }
    Ok(())
}

fn a_hundred_seeds_of(name: &str) -> TestResult {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    let scenario = Scenario::load(file, &Registry::stock())?;
    let (mut hashes, mut some_failed) = (BTreeSet::new(), 0);
    for seed in 0..100 {
        let report = play(&scenario, seed)?;
        judge(&report)?;
        hashes.insert(report.trace_hash.0);
        some_failed += u64::from(report.services[0].failed_step_count() > 0);
    }
    assert_eq!(hashes.len(), 100, "every seed is another run");
    // Two of a hundred nodes go down every half second, so that hardly any run is spared.
    assert!(some_failed > 90, "orders failed in {some_failed} runs");
    Ok(())
}

#[test]
fn a_hundred_seeds_of_the_shop_end_and_every_failed_order_has_its_reason() -> TestResult {
    a_hundred_seeds_of("sockshop.ron")
}

#[test]
fn a_hundred_seeds_of_the_shop_over_rest_end_and_every_failed_order_has_its_reason() -> TestResult {
    a_hundred_seeds_of("sockshop-rest.ron")
}
