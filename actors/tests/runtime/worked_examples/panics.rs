//! Panics stay with the service that panicked.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix::{Actor, ActorContext, ActorFuture, AsyncContext, Handler};
use serde::Serialize;

use rehearsal_actors::interfaces::CallError;
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::{Ending, Report};
use rehearsal_actors::simulation::{Cast, LinkModel};
use rehearsal_actors::topology::Link;
use rehearsal_actors::units::Probability;

use crate::common::cast::{acts, chain, enters, listens, once};
use crate::common::story::{Event, play};
use crate::common::{at_ms, ms};

fn messages(report: &Report) -> Vec<(&str, SimTime, &str)> {
    report.panics.iter().map(|panic| (panic.service.as_str(), panic.at, panic.message.as_str())).collect()
}

#[test]
fn a_step_that_panics_is_recorded_with_message_and_place_and_the_others_go_on() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let line = line!() + 3;
    let clumsy = acts(async |io: &ServiceIo| {
        io.sleep(ms(3)).await;
        panic!("dropped {} cups", 3);
    });
    enters(&mut setup, "clumsy", nodes[0], clumsy);
    enters(&mut setup, "listener", nodes[0], listens());
    let (steady, ends) = once(async |io| {
        let before = io.mpi().send("clumsy", 1u8).await.map(|sent| sent.elapsed);
        io.mpi().send("listener", 1u8).await.map(|sent| (before, sent.elapsed, io.now()))
    });
    enters(&mut setup, "steady", nodes[1], steady);
    let (report, events) = play(setup);
    assert_eq!(messages(&report), [("clumsy", at_ms(3), "dropped 3 cups")]);
    let place = report.panics[0].place.clone().unwrap_or_default();
    assert!(place.contains(&format!("panics.rs:{line}:")), "{place}");
    assert!(events.contains(&Event::Panic { at: at_ms(3), service: 0, message: "dropped 3 cups".to_owned() }));
    // The message arrives at 10 ms, finds nobody, and the notice is back at 20.
    let gone = CallError::Undelivered(Undelivered::ConnectionGone { to: "clumsy".to_owned() });
    assert_eq!(ends.take(), Some(Ok((Err(gone), ms(10), at_ms(30)))));
    assert_eq!(report.services.iter().map(|service| service.crashed).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(report.ending, Ending::Quiescent);
    assert!(!report.ended_well());
}

/// An actor that panics wherever it is told to.
struct Fragile(&'static str);

impl Fragile {
    fn touch(&self, place: &str) {
        if self.0 == place {
            panic!("{place} broke");
        }
    }
}

impl Actor for Fragile {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        self.touch("started");
        ctx.run_later(ms(1).into(), |actor, _| actor.touch("task"));
    }

    fn stopped(&mut self, _: &mut ServiceContext<Self>) {
        self.touch("stopped");
    }
}

impl Networked for Fragile {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<u8>();
    }

    fn is_full(&self, _: std::any::TypeId) -> bool {
        self.touch("is_full");
        false
    }
}

impl Handler<Delivery<u8>> for Fragile {
    type Result = ();

    fn handle(&mut self, _: Delivery<u8>, _: &mut ServiceContext<Self>) {
        self.touch("handler");
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.touch("drop");
    }
}

/// Plays a scene with one fragile actor, to which a message comes at 10 ms.
fn break_at(place: &'static str) -> Report {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "fragile", nodes[1], Cast::actor(Fragile(place)));
    let (caller, _) = once(async |io| io.mpi().send("fragile", 1u8).await);
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup).0
}

fn check_break(place: &'static str, at: SimTime) {
    let report = break_at(place);
    assert_eq!(messages(&report), [("fragile", at, format!("{place} broke").as_str())]);
    assert!(report.services[0].crashed);
    assert_eq!(report.ending, Ending::Quiescent);
    assert_eq!(report.outcomes.values().sum::<u64>(), 1);
}

#[test]
fn an_actor_that_panics_when_it_is_started_is_gone() {
    check_break("started", at_ms(0));
}

#[test]
fn an_actor_that_panics_in_a_task_is_gone() {
    check_break("task", at_ms(1));
}

#[test]
fn an_actor_that_panics_in_a_handler_is_gone_and_the_message_was_delivered() {
    check_break("handler", at_ms(10));
    assert_eq!(break_at("handler").outcomes.get(&(Interface::Mpi, OutcomeKind::Ack)), Some(&1));
}

#[test]
fn an_actor_that_panics_when_it_is_asked_for_room_is_gone() {
    check_break("is_full", at_ms(10));
}

#[test]
fn an_actor_that_panics_when_it_is_stopped_is_noted() {
    check_break("stopped", at_ms(10));
}

#[test]
fn an_actor_that_panics_when_it_is_dropped_is_noted() {
    check_break("drop", at_ms(10));
}

/// An async service whose drop panics, in the middle of a step.
struct Sticky;

impl Service for Sticky {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        struct Guard;
        impl Drop for Guard {
            fn drop(&mut self) {
                panic!("the guard stuck");
            }
        }
        let _guard = Guard;
        io.mpi().recv::<u8>().no_timeout().await?;
        Ok(Step::Stop)
    }
}

#[test]
fn a_step_that_panics_when_it_is_dropped_does_not_take_the_run_down() {
    let (mut setup, nodes) = chain([]);
    enters(&mut setup, "sticky", nodes[0], Cast::service(Sticky));
    let (report, _) = play(setup);
    assert_eq!(messages(&report), [("sticky", at_ms(0), "the guard stuck")]);
}

/// A body that breaks when it is copied or dropped.
#[derive(Serialize)]
struct Glass {
    breaks_when: &'static str,
}

impl Clone for Glass {
    fn clone(&self) -> Self {
        if self.breaks_when == "copied" {
            panic!("splinters");
        }
        Glass { breaks_when: self.breaks_when }
    }
}

impl Drop for Glass {
    fn drop(&mut self) {
        if self.breaks_when == "dropped" {
            panic!("splinters");
        }
    }
}

/// Sends two glasses over that link, both of which break. The listener takes any message, and keeps
/// it; the stranger takes none.
fn break_glass(link: Link, model: LinkModel, breaks_when: &'static str, until: Option<SimTime>) -> Ending {
    let (mut setup, nodes) = chain([link]);
    (setup.model, setup.until) = (model, until);
    let talks = acts(async move |io: &ServiceIo| {
        for name in ["listener", "stranger"] {
            drop(io.mpi().send(name, Glass { breaks_when }));
        }
        Ok(Step::Stop)
    });
    enters(&mut setup, "talker", nodes[0], talks);
    enters(&mut setup, "listener", nodes[1], listens());
    enters(&mut setup, "stranger", nodes[1], Cast::actor(Fragile("nowhere")));
    let (report, _) = play(setup);
    let texts: Vec<&str> = messages(&report).into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(texts, ["splinters"; 2]);
    report.ending
}

#[test]
fn a_body_that_panics_when_it_is_dropped_does_not_take_the_run_down() {
    for model in [LinkModel::RouteCost, LinkModel::Queued] {
        let lossy = Link { loss: Probability::ALWAYS, ..Link::new(ms(10)) };
        assert_eq!(break_glass(lossy, model, "dropped", None), Ending::Quiescent, "lost");
        assert_eq!(break_glass(Link::new(ms(10)), model, "dropped", None), Ending::Quiescent, "kept, and refused");
        let in_flight = break_glass(Link::new(ms(10)), model, "dropped", Some(at_ms(5)));
        assert_eq!(in_flight, Ending::TimeReached);
    }
}

#[test]
fn a_body_that_panics_when_a_link_copies_it_does_not_take_the_run_down() {
    for model in [LinkModel::RouteCost, LinkModel::Queued] {
        let doubling = Link { duplication: Probability::ALWAYS, ..Link::new(ms(10)) };
        assert_eq!(break_glass(doubling, model, "copied", None), Ending::Quiescent);
    }
}

/// Whatever happens to it, it panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        // Two panics at once would end the process.
        if !std::thread::panicking() {
            panic!("bang");
        }
    }
}

/// A future that a bomb goes along with.
struct Armed<F> {
    future: F,
    _bomb: Bomb,
}

impl<F: Future + Unpin> Future for Armed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        Pin::new(&mut self.future).poll(cx)
    }
}

/// An actor with armed futures; it takes `u8`s and counts what it took.
struct Armoury {
    begin: fn(&mut ServiceContext<Armoury>),
    taken: Rc<Cell<u32>>,
}

impl Actor for Armoury {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        (self.begin)(ctx);
    }
}

impl Networked for Armoury {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<u8>();
    }
}

impl Handler<Delivery<u8>> for Armoury {
    type Result = ();

    fn handle(&mut self, _: Delivery<u8>, _: &mut ServiceContext<Self>) {
        self.taken.set(self.taken.get() + 1);
        panic!("no visitors");
    }
}

/// The panics of an armoury that two visitors come to, at 10 and at 20 ms, and how many it let in.
fn explode(begin: fn(&mut ServiceContext<Armoury>)) -> (Vec<String>, u32) {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let taken = Rc::new(Cell::new(0));
    let armoury = Armoury { begin, taken: taken.clone() };
    enters(&mut setup, "armoury", nodes[1], Cast::actor(armoury));
    let (visitor, _) = once(async |io| {
        io.mpi().tell("armoury", 1u8).ok();
        io.sleep(ms(10)).await;
        io.mpi().tell("armoury", 1u8).ok();
    });
    enters(&mut setup, "visitor", nodes[0], visitor);
    let (report, _) = play(setup);
    assert_eq!(report.ending, Ending::Quiescent);
    assert!(report.services[0].crashed);
    (report.panics.into_iter().map(|panic| panic.message).collect(), taken.get())
}

#[test]
fn a_future_that_panics_when_it_is_dropped_at_its_end_ends_its_service_alone() {
    let begin = |ctx: &mut ServiceContext<Armoury>| {
        let armed = Armed { future: std::future::ready(()), _bomb: Bomb };
        ctx.spawn(actix::fut::wrap_future::<_, Armoury>(armed));
    };
    assert_eq!(explode(begin), (vec!["bang".to_owned()], 0));
}

/// Stops its actor, and is still not over.
struct Stops(Bomb);

impl ActorFuture<Armoury> for Stops {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Armoury, ctx: &mut ServiceContext<Armoury>, _: &mut Context<'_>) -> Poll<()> {
        ctx.stop();
        Poll::Pending
    }
}

#[test]
fn a_future_that_ends_its_own_actor_may_panic_when_it_is_dropped() {
    let begin = |ctx: &mut ServiceContext<Armoury>| {
        ctx.spawn(Stops(Bomb));
    };
    assert_eq!(explode(begin), (vec!["bang".to_owned()], 0));
}

#[test]
fn a_service_that_crashed_is_gone_though_dropping_its_futures_panics() {
    let begin = |ctx: &mut ServiceContext<Armoury>| {
        for _ in 0..2 {
            let armed = Armed { future: std::future::pending::<()>(), _bomb: Bomb };
            ctx.spawn(actix::fut::wrap_future::<_, Armoury>(armed));
        }
    };
    let (panics, taken) = explode(begin);
    assert_eq!(panics, ["no visitors", "bang", "bang"]);
    assert_eq!(taken, 1, "the second one finds nobody");
}

/// A service that panics when it is stopped, and again when it is dropped.
struct Sulky;

impl Service for Sulky {
    fn stop(&self, _: &ServiceIo) {
        panic!("no goodbye");
    }
}

impl Drop for Sulky {
    fn drop(&mut self) {
        panic!("slam");
    }
}

#[test]
fn a_service_that_panics_when_it_is_stopped_and_when_it_is_dropped_does_not_take_the_run_down() {
    let (mut setup, nodes) = chain([]);
    enters(&mut setup, "sulky", nodes[0], Cast::service(Sulky));
    let (report, _) = play(setup);
    assert_eq!(messages(&report), [("sulky", at_ms(0), "no goodbye"), ("sulky", at_ms(0), "slam")]);
}
