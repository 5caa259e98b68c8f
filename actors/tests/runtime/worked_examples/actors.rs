//! The context of plain actors: everything Actix offers, in virtual time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use actix::fut::wrap_future;
use actix::{Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Handler, Message, Running};

use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::Cast;
use rehearsal_actors::topology::Link;

use crate::common::cast::{Unspeakable, chain, enters, once};
use crate::common::story::play;
use crate::common::{at_ms, ms};

type Notes = Rc<RefCell<Vec<(&'static str, SimTime)>>>;
type Begin = Box<dyn FnOnce(&mut Puppet, &mut ServiceContext<Puppet>)>;

/// Does what it is told when it starts, and notes what happens to it.
struct Puppet {
    begin: Option<Begin>,
    notes: Notes,
}

impl Puppet {
    fn note(&self, what: &'static str, ctx: &ServiceContext<Self>) {
        self.notes.borrow_mut().push((what, ctx.now()));
    }
}

impl Actor for Puppet {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        if let Some(begin) = self.begin.take() {
            begin(self, ctx);
        }
    }

    fn stopping(&mut self, ctx: &mut ServiceContext<Self>) -> Running {
        self.note("stopping", ctx);
        Running::Stop
    }

    fn stopped(&mut self, ctx: &mut ServiceContext<Self>) {
        self.note("stopped", ctx);
    }
}

impl Networked for Puppet {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<u8>();
    }
}

impl Handler<Delivery<u8>> for Puppet {
    type Result = ();

    fn handle(&mut self, _: Delivery<u8>, ctx: &mut ServiceContext<Self>) {
        self.note("delivery", ctx);
    }
}

struct Double(u64);

impl Message for Double {
    type Result = u64;
}

impl Handler<Double> for Puppet {
    type Result = u64;

    fn handle(&mut self, Double(number): Double, ctx: &mut ServiceContext<Self>) -> u64 {
        self.note("double", ctx);
        2 * number
    }
}

struct Note(&'static str);

impl Message for Note {
    type Result = ();
}

impl Handler<Note> for Puppet {
    type Result = ();

    fn handle(&mut self, Note(what): Note, ctx: &mut ServiceContext<Self>) {
        self.note(what, ctx);
    }
}

fn puppet(begin: impl FnOnce(&mut Puppet, &mut ServiceContext<Puppet>) + 'static) -> (Cast, Notes) {
    let notes = Notes::default();
    (Cast::actor(Puppet { begin: Some(Box::new(begin)), notes: notes.clone() }), notes)
}

/// What a puppet that begins like this notes until the run stops it. A message sent at 0 reaches it
/// at 10 ms.
fn life_of(begin: impl FnOnce(&mut Puppet, &mut ServiceContext<Puppet>) + 'static) -> Vec<(&'static str, SimTime)> {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let (cast, notes) = puppet(begin);
    enters(&mut setup, "puppet", nodes[1], cast);
    let (caller, _) = once(async |io| io.mpi().send("puppet", 1u8).await);
    enters(&mut setup, "caller", nodes[0], caller);
    setup.until = Some(at_ms(100));
    play(setup);
    notes.take()
}

fn millis(millis: u64) -> Duration {
    ms(millis).into()
}

#[test]
fn later_means_later_in_virtual_time() {
    let life = life_of(|_, ctx| {
        ctx.run_later(millis(30), |puppet, ctx| puppet.note("later", ctx));
        ctx.run_later(millis(0), |puppet, ctx| puppet.note("now", ctx));
        ctx.notify_later(Note("told later"), millis(40));
        ctx.notify(Note("told now"));
    });
    let expected = [
        ("now", at_ms(0)),
        ("told now", at_ms(0)),
        ("delivery", at_ms(10)),
        ("later", at_ms(30)),
        ("told later", at_ms(40)),
        ("stopped", at_ms(40)),
    ];
    assert_eq!(life, expected);
}

#[test]
fn an_interval_recurs_until_it_is_cancelled() {
    let life = life_of(|_, ctx| {
        let beat = ctx.run_interval(millis(20), |puppet, ctx| puppet.note("beat", ctx));
        ctx.run_later(millis(65), move |puppet, ctx| {
            assert!(ctx.cancel_future(beat));
            assert!(!ctx.cancel_future(beat), "it is cancelled already");
            puppet.note("enough", ctx);
        });
    });
    let expected = [
        ("delivery", at_ms(10)),
        ("beat", at_ms(20)),
        ("beat", at_ms(40)),
        ("beat", at_ms(60)),
        ("enough", at_ms(65)),
        ("stopped", at_ms(65)),
    ];
    assert_eq!(life, expected);
}

#[test]
fn an_interval_may_cancel_itself() {
    let life = life_of(|_, ctx| {
        let handle = Rc::new(RefCell::new(None));
        let own = handle.clone();
        let beat = ctx.run_interval(millis(20), move |puppet, ctx| {
            puppet.note("beat", ctx);
            if let Some(own) = own.take() {
                ctx.cancel_future(own);
            }
        });
        handle.replace(Some(beat));
    });
    assert_eq!(life, [("delivery", at_ms(10)), ("beat", at_ms(20)), ("stopped", at_ms(20))]);
}

#[test]
fn while_an_actor_waits_everything_else_of_it_waits() {
    let (over, wake) = futures_util::future::abortable(futures_util::future::pending::<()>());
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let (cast, notes) = puppet(|_, ctx| {
        ctx.run_later(millis(5), |puppet, ctx| puppet.note("task", ctx));
        ctx.address().do_send(Note("mail"));
        ctx.wait(wrap_future::<_, Puppet>(over).map(|_, puppet, ctx| puppet.note("waited", ctx)));
        ctx.wait(wrap_future::<_, Puppet>(async {}).map(|(), puppet, ctx| puppet.note("waited again", ctx)));
        assert!(ctx.waiting());
    });
    enters(&mut setup, "puppet", nodes[1], cast);
    let (caller, sent) = once(async move |io: &ServiceIo| {
        let sent = io.mpi().send("puppet", 1u8).await.map(|sent| sent.elapsed);
        io.sleep(ms(40)).await;
        wake.abort();
        sent
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    let notes = notes.take();
    assert_eq!(notes[..3], [("waited", at_ms(50)), ("waited again", at_ms(50)), ("delivery", at_ms(50))]);
    let mut rest: Vec<_> = notes[3..].to_vec();
    rest.sort_unstable();
    assert_eq!(rest, [("mail", at_ms(50)), ("stopped", at_ms(50)), ("task", at_ms(50))]);
    assert_eq!(sent.take(), Some(Ok(ms(10))), "for the network it is delivered when it arrives");
}

#[test]
fn an_address_works_from_within_and_from_other_services_and_takes_no_time() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let place: Rc<RefCell<Option<Addr<Puppet>>>> = Rc::default();
    let given = place.clone();
    let (cast, notes) = puppet(move |_, ctx| {
        let own = ctx.address();
        let doubled = wrap_future::<_, Puppet>(own.send(Double(4)));
        ctx.spawn(doubled.map(|answer, puppet: &mut Puppet, ctx| {
            assert_eq!(answer.ok(), Some(8));
            puppet.note("spawned", ctx);
        }));
        given.replace(Some(own));
    });
    enters(&mut setup, "puppet", nodes[1], cast);
    let (caller, doubled) = once(async move |io: &ServiceIo| {
        io.sleep(ms(3)).await;
        let address = place.take().expect("the puppet has started");
        (address.send(Double(21)).await.ok(), io.now())
    });
    enters(&mut setup, "caller", nodes[0], caller);
    let (report, _) = play(setup);
    assert_eq!(doubled.take(), Some((Some(42), at_ms(3))));
    let expected = [("double", at_ms(0)), ("spawned", at_ms(0)), ("double", at_ms(3)), ("stopped", at_ms(3))];
    assert_eq!(notes.take(), expected);
    assert_eq!(report.panics, []);
}

#[test]
fn an_actor_that_stops_is_gone_with_its_tasks() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let (cast, notes) = puppet(|_, ctx| {
        ctx.run_later(millis(5), |_, ctx| ctx.stop());
        ctx.run_later(millis(7), |puppet, ctx| puppet.note("too late", ctx));
    });
    enters(&mut setup, "puppet", nodes[1], cast);
    let (caller, sent) = once(async |io| io.mpi().send("puppet", 1u8).await.map_err(|why| why.to_string()));
    enters(&mut setup, "caller", nodes[0], caller);
    let (report, _) = play(setup);
    assert_eq!(notes.take(), [("stopping", at_ms(5)), ("stopped", at_ms(5))]);
    assert_eq!(sent.take(), Some(Err("`puppet` is gone".to_owned())));
    assert!(!report.services[0].crashed && report.ended_well());
}

#[test]
fn a_message_of_a_type_that_an_actor_does_not_take_is_not_understood() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let (cast, notes) = puppet(|_, _| ());
    enters(&mut setup, "puppet", nodes[1], cast);
    let (caller, sent) = once(async |io| {
        let awaited = io.mpi().send("puppet", "text").await.map_err(|why| why.to_string());
        drop(io.mpi().send("puppet", "forgotten"));
        (awaited.map(|_| ()), io.now())
    });
    enters(&mut setup, "caller", nodes[0], caller);
    let (report, _) = play(setup);
    assert_eq!(sent.take(), Some((Err("`puppet` does not take messages of this type".to_owned()), at_ms(20))));
    assert_eq!(report.outcomes.get(&(Interface::Mpi, OutcomeKind::NotUnderstood)), Some(&2));
    assert_eq!(notes.take(), [("stopped", at_ms(40))]);
}

#[test]
fn a_body_without_a_size_is_undelivered_and_counted_as_such_for_plain_actors_too() {
    let (mut setup, nodes) = chain([]);
    let (cast, _) = puppet(|_, ctx| {
        let sent = ctx.send(ctx.id(), Unspeakable);
        assert!(matches!(sent, Err(Undelivered::Unserialisable { .. })));
    });
    enters(&mut setup, "puppet", nodes[0], cast);
    let (report, _) = play(setup);
    assert_eq!(report.panics, []);
    assert_eq!((report.traffic.sent, report.traffic.undelivered, report.services[0].sent), (1, 1, 1));
    assert_eq!(report.outcomes.get(&(Interface::Mpi, OutcomeKind::Undelivered)), Some(&1));
}

#[test]
fn counters_are_shown_by_service_and_added_up() {
    let (mut setup, nodes) = chain([]);
    for name in ["one", "other"] {
        let (cast, _) = puppet(|_, ctx| {
            ctx.count("cups", 2);
            ctx.count("cups", 1);
        });
        enters(&mut setup, name, nodes[0], cast);
    }
    let (report, _) = play(setup);
    assert_eq!(report.counters.get("cups"), Some(&6));
    assert!(report.services.iter().all(|service| service.counters.get("cups") == Some(&3)));
}
