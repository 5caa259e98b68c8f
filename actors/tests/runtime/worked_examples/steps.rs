//! Steps: how they follow one another, fail and end.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::Ending;
use rehearsal_actors::simulation::{Cast, StartError, run};
use rehearsal_actors::topology::{Link, Node};

use crate::common::cast::{acts, chain, enters, listens, once};
use crate::common::story::{Event, play};
use crate::common::{at_ms, ms};

/// A service that notes when its steps begin, and what they do.
fn noting(step: impl AsyncFn(&ServiceIo, usize) -> StepResult + 'static) -> (Cast, Rc<RefCell<Vec<SimTime>>>) {
    let begins = Rc::new(RefCell::new(Vec::new()));
    let noted = begins.clone();
    let cast = acts(async move |io: &ServiceIo| {
        noted.borrow_mut().push(io.now());
        let number = noted.borrow().len();
        step(io, number).await
    });
    (cast, begins)
}

#[test]
fn a_step_that_fails_is_counted_with_its_reason_and_the_next_begins() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let (cast, begins) = noting(async |io, number| match number {
        1 => Err(StepError::new("out of luck")),
        2 => {
            io.sleep(ms(7)).await;
            Err(StepError::new("out of luck"))
        }
        3 => {
            io.mpi().recv::<u8>().timeout(ms(50)).await?;
            Ok(Step::Continue)
        }
        4 => {
            io.rest().get("listener/nothing").await.success()?;
            Ok(Step::Continue)
        }
        _ => Ok(Step::Stop),
    });
    enters(&mut setup, "trier", nodes[0], cast);
    enters(&mut setup, "listener", nodes[1], listens());
    let (report, events) = play(setup);
    // After a failure at once, a pause of 1 ms; after one that took its time, none.
    assert_eq!(begins.take(), [at_ms(0), at_ms(1), at_ms(8), at_ms(58), at_ms(78)]);
    let failed: Vec<(&str, u64)> = report.services[0].failed_steps.iter().map(|(why, n)| (why.as_str(), *n)).collect();
    assert_eq!(
        failed,
        [("`GET listener/nothing` answered 404", 1), ("out of luck", 2), ("timed out waiting for u8", 1)]
    );
    assert_eq!((report.services[0].steps, report.services[0].failed_step_count()), (0, 4));
    let told = events.iter().filter_map(|event| match event {
        Event::StepFailed { at, service: 0, reason } => Some((*at, reason.as_str())),
        _ => None,
    });
    let first_two: Vec<_> = told.take(2).collect();
    assert_eq!(first_two, [(at_ms(0), "out of luck"), (at_ms(8), "out of luck")]);
}

#[test]
fn steps_begin_no_more_often_than_they_should_and_no_sooner_than_they_can() {
    let (mut setup, nodes) = chain([]);
    let (cast, begins) = noting(async |io, number| {
        // The second step takes longer than its share.
        io.sleep(if number == 2 { ms(250) } else { ms(10) }).await;
        if number == 3 { Err(StepError::new("once")) } else { Ok(Step::Continue) }
    });
    enters(&mut setup, "worker", nodes[0], cast);
    setup.services[0].step_every = Some(ms(100));
    setup.until = Some(at_ms(500));
    let (report, _) = play(setup);
    assert_eq!(begins.take(), [at_ms(0), at_ms(100), at_ms(350), at_ms(450)]);
    assert_eq!(report.ending, Ending::TimeReached);
}

#[test]
fn the_last_values_of_steps_are_kept_if_somebody_wants_them() {
    let (mut setup, nodes) = chain([]);
    for (name, keep) in [("kept", 3), ("forgotten", 0)] {
        let (cast, _) = noting(async |io, number| {
            io.sleep(ms(1)).await;
            Ok(if number <= 5 { Step::Value(number.into()) } else { Step::Stop })
        });
        enters(&mut setup, name, nodes[0], cast);
        setup.services.last_mut().expect("it has just entered").keep_step_values = keep;
    }
    let (report, _) = play(setup);
    assert_eq!(report.services[0].step_values, [3, 4, 5]);
    assert!(report.services[1].step_values.is_empty());
    assert_eq!((report.services[0].steps, report.services[1].steps), (5, 5));
}

#[test]
fn a_service_that_never_waits_is_found_out_in_seconds() {
    let (mut setup, nodes) = chain([]);
    enters(&mut setup, "patient", nodes[0], listens());
    let steps = Rc::new(Cell::new(0u64));
    let counted = steps.clone();
    let hasty = acts(async move |_: &ServiceIo| {
        counted.set(counted.get() + 1);
        // Without this a run that does not find it out would hang the test.
        Ok(if counted.get() < 50_000_000 { Step::Continue } else { Step::Stop })
    });
    enters(&mut setup, "hasty", nodes[0], hasty);
    let began = Instant::now();
    let (report, _) = play(setup);
    assert_eq!(report.ending, Ending::Stuck { service: "hasty".to_owned(), at: at_ms(0) });
    assert!(!report.ended_well());
    assert!(began.elapsed().as_secs() < 20, "it took {:?}", began.elapsed());
}

#[test]
fn services_that_send_for_ever_in_one_instant_are_found_out() {
    let (mut setup, nodes) = chain([]);
    for (name, other) in [("ping", "pong"), ("pong", "ping")] {
        let cast = acts(async move |io: &ServiceIo| {
            drop(io.mpi().send(other, ()));
            io.mpi().recv::<()>().await?;
            Ok(Step::Continue)
        });
        enters(&mut setup, name, nodes[0], cast);
    }
    let (report, _) = play(setup);
    assert!(matches!(report.ending, Ending::Stuck { at, .. } if at == SimTime::ZERO), "{:?}", report.ending);
}

#[test]
fn one_run_may_follow_another_on_a_thread_but_not_begin_within_it() {
    for _ in 0..2 {
        let (mut setup, nodes) = chain([]);
        let (outer, inner) = once(async |_| run(chain([]).0, None, Arc::default()).map(|_| ()));
        enters(&mut setup, "outer", nodes[0], outer);
        assert!(play(setup).0.ended_well());
        assert!(matches!(inner.take(), Some(Err(StartError::InsideRuntime))));
    }
}

/// Notes the stations of its life.
struct Mortal(Rc<RefCell<Vec<(&'static str, SimTime)>>>, bool);

impl Service for Mortal {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        io.sleep(ms(5)).await;
        self.0.borrow_mut().push(("start", io.now()));
        if self.1 { Ok(()) } else { Err(StepError::new("no ticket")) }
    }

    async fn step(&self, io: &ServiceIo) -> StepResult {
        self.0.borrow_mut().push(("step", io.now()));
        io.sleep(ms(10)).await;
        Ok(Step::Stop)
    }

    fn stop(&self, io: &ServiceIo) {
        self.0.borrow_mut().push(("stop", io.now()));
    }
}

#[test]
fn a_service_starts_steps_and_stops_with_the_run() {
    let (mut setup, nodes) = chain([]);
    let (good, bad) = (Rc::default(), Rc::default());
    enters(&mut setup, "good", nodes[0], Cast::service(Mortal(Rc::clone(&good), true)));
    enters(&mut setup, "bad", nodes[0], Cast::service(Mortal(Rc::clone(&bad), false)));
    let (report, _) = play(setup);
    assert_eq!(good.take(), [("start", at_ms(5)), ("step", at_ms(5)), ("stop", at_ms(15))]);
    // Who cannot start has failed, and is gone.
    assert_eq!(bad.take(), [("start", at_ms(5))]);
    assert!(report.services[1].crashed && !report.services[0].crashed);
    assert_eq!(Rc::strong_count(&good), 1, "nothing of a run stays behind");
}

#[test]
fn the_shop_goes_on_when_a_reply_never_comes() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let island = setup.topology.add_node(Node::new("island")).expect("names differ");
    let (cast, begins) = noting(async |io, _| {
        // It asks, and waits for an answer that the listener never gives.
        drop(io.mpi().send("listener", 1u8));
        drop(io.mpi().send("castaway", 1u8));
        io.mpi().recv::<u16>().await?;
        Ok(Step::Continue)
    });
    enters(&mut setup, "shop", nodes[0], cast);
    enters(&mut setup, "listener", nodes[1], listens());
    enters(&mut setup, "castaway", island, listens());
    setup.until = Some(at_ms(5000));
    let (report, _) = play(setup);
    assert_eq!(begins.take(), [at_ms(0), at_ms(2000), at_ms(4000)]);
    assert_eq!(report.services[0].failed_steps.get("timed out waiting for u16"), Some(&2));
    let undelivered = report.outcomes.iter().filter(|((_, kind), _)| *kind == OutcomeKind::Undelivered);
    assert_eq!(undelivered.map(|(_, count)| *count).sum::<u64>(), 3);
}
