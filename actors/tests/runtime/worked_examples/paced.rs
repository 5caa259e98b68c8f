//! Runs held to the wall clock, and what comes into them from outside.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use actix_rt::System;
use rehearsal_actors::outside::{Entrance, EntranceError, Gateway, Visit};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::{Ending, Report};
use rehearsal_actors::simulation::{Cast, Pace, Pacing, Progress, ServiceSpec, Setup, StartError, run, run_paced};
use rehearsal_actors::stock::store::Store;
use rehearsal_actors::topology::{Link, Node, Topology};
use rehearsal_actors::units::{SimDuration, SimTime};
use serde_json::json;

/// Tells its neighbour the time, a hundred times, every ten milliseconds.
struct Clock;

impl Service for Clock {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        if io.now() >= SimTime::from_nanos(1_000_000_000) {
            return Ok(Step::Stop);
        }
        let _ = io.rest().post("store/data", json!({ "key": "time", "value": io.now().as_nanos() })).await;
        io.sleep(SimDuration::from_millis(10)).await;
        Ok(Step::Continue)
    }
}

/// A clock and a gateway at the edge, ten milliseconds from a store.
fn setup(entrance: &Entrance) -> Setup {
    let mut topology = Topology::new();
    let edge = topology.add_node(Node::new("edge")).unwrap();
    let cloud = topology.add_node(Node::new("cloud")).unwrap();
    topology.add_symmetric(edge, cloud, Link::new(SimDuration::from_millis(10))).unwrap();
    let mut setup = Setup::new(3, topology);
    setup.services.push(Gateway::at("gateway", edge, entrance));
    setup.services.push(ServiceSpec::restartable("store", cloud, || Cast::service(Store::default())));
    setup
}

fn with_clock() -> Setup {
    let mut setup = setup(&Entrance::new());
    let edge = setup.services[0].node;
    setup.services.push(ServiceSpec::new("clock", edge, Cast::service(Clock)));
    setup
}

fn pace(factor: f64, stay_open: bool) -> Pacing {
    Pacing { pace: Pace::new(factor).unwrap(), stay_open }
}

/// Waits for it in this thread.
fn back<R: 'static>(visit: Visit<R>) -> Result<R, EntranceError> {
    System::new().block_on(visit)
}

/// Runs an open setup, and meanwhile a thread that closes it in the end.
fn meanwhile<R: Send + 'static>(
    setup: Setup,
    act: impl FnOnce() -> R + Send + 'static,
) -> (R, Result<Report, StartError>) {
    let progress = Arc::new(Progress::default());
    let acting = thread::spawn({
        let progress = progress.clone();
        move || {
            let answer = act();
            progress.interrupt.store(true, Relaxed);
            answer
        }
    });
    let report = run_paced(setup, pace(1.0, true), None, progress);
    (acting.join().unwrap(), report)
}

fn opened(entrance: &Entrance) {
    while !entrance.is_open() {
        thread::yield_now();
    }
}

#[test]
fn a_paced_run_is_the_same_run_and_takes_its_time() {
    let report = run(with_clock(), None, Arc::default()).unwrap();
    assert_eq!(report.pacing, None);
    for factor in [5.0, 20.0] {
        let began = Instant::now();
        let paced = run_paced(with_clock(), pace(factor, false), None, Arc::default()).unwrap();
        let took = began.elapsed().as_secs_f64();
        assert_eq!(paced.trace_hash, report.trace_hash, "{factor}");
        assert_eq!((&paced.ending, paced.ended_at), (&Ending::Quiescent, report.ended_at));
        // Never early; how late it is depends on the machine.
        assert!(took >= report.ended_at.as_secs_f64() / factor, "{took} s at {factor}");
        let pacing = paced.pacing.unwrap();
        assert_eq!(pacing.pace.factor(), factor);
        assert!(pacing.lag.is_some_and(|lag| lag.count > 0));
    }
}

#[test]
fn the_time_of_a_paced_run_ends_by_the_wall_clock_even_when_nothing_happens() {
    let mut setup = setup(&Entrance::new());
    setup.until = Some(SimTime::from_nanos(300_000_000));
    let began = Instant::now();
    let report = run_paced(setup, pace(10.0, true), None, Arc::default()).unwrap();
    assert_eq!((report.ending, report.ended_at), (Ending::TimeReached, SimTime::from_nanos(300_000_000)));
    assert!(began.elapsed() >= Duration::from_millis(30));
}

#[test]
fn what_comes_in_pays_for_its_way_and_several_may_be_inside_at_once() {
    let entrance = Entrance::new();
    let (replies, report) = meanwhile(setup(&entrance), move || {
        opened(&entrance);
        let body = |i: usize| json!({ "key": i.to_string(), "value": i });
        let visits: Vec<_> = (0..20)
            .map(|i| entrance.enter(move |io| async move { io.rest().post("store/data", body(i)).await }))
            .collect();
        visits.into_iter().map(|visit| back(visit).unwrap()).collect::<Vec<_>>()
    });
    let report = report.unwrap();
    for reply in replies {
        assert_eq!((reply.status, reply.elapsed), (201, SimDuration::from_millis(20)));
    }
    assert_eq!(report.ending, Ending::Closed);
    assert!(report.ended_well());
    assert_eq!(report.traffic.delivered, 40);
}

#[test]
fn nobody_comes_in_where_there_is_no_gateway_and_everybody_is_told() {
    let entrance = Entrance::new();
    assert_eq!(back(entrance.enter(|_| async {})), Err(EntranceError::Closed));
    let outside = entrance.clone();
    let (answers, report) = meanwhile(setup(&entrance), move || {
        opened(&outside);
        // A panic inside is the gateway's, which is restarted.
        let failed = back(outside.enter(|_| async { panic!("on purpose") }));
        let inside = outside.enter(|io| async move { io.sleep(SimDuration::from_secs(3600)).await });
        opened(&outside);
        let next = back(outside.enter(|io| async move { io.name() }));
        drop(inside);
        (failed, next)
    });
    let report = report.unwrap();
    assert_eq!(answers.0, Err(EntranceError::Interrupted));
    // It may have knocked while nobody was there.
    assert!(matches!(&answers.1, Ok(name) if name == "gateway") || answers.1 == Err(EntranceError::Closed));
    assert_eq!(report.services[0].incarnation, 2);
    assert!(!report.ended_well(), "a panic that no fault caused is never quiet");
    // Whoever was inside when the run ended is told, too.
    assert_eq!(entrance.visitors(), 0);
    assert_eq!(back(entrance.enter(|_| async {})), Err(EntranceError::Closed));
}
