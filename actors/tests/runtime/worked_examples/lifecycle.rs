//! Stopping, waiting and going on, where Actix has rules of its own.

use std::cell::RefCell;
use std::rc::Rc;

use actix::fut::wrap_future;
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Handler, Message, Running, StreamHandler};

use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::Cast;

use crate::common::cast::{chain, enters, once};
use crate::common::story::play_unheard;

type Notes = Rc<RefCell<Vec<u8>>>;
type Begin = Box<dyn FnOnce(&mut ServiceContext<Clerk>)>;

/// Notes the numbers that it gets, by stream, mail or network. At 0 it asks to be stopped, and then
/// changes its mind if it is stubborn; at any odd number it waits for a moment.
struct Clerk {
    begin: Option<Begin>,
    stubborn: bool,
    notes: Notes,
}

impl Clerk {
    fn take(&mut self, number: u8, ctx: &mut ServiceContext<Self>) {
        self.notes.borrow_mut().push(number);
        if number == 0 {
            ctx.stop();
        } else if number % 2 == 1 {
            ctx.wait(wrap_future::<_, Self>(a_moment()));
        }
    }
}

/// Pending once.
async fn a_moment() {
    let mut over = false;
    std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut over, true) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

impl Actor for Clerk {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        if let Some(begin) = self.begin.take() {
            begin(ctx);
        }
    }

    fn stopping(&mut self, _: &mut ServiceContext<Self>) -> Running {
        if self.stubborn { Running::Continue } else { Running::Stop }
    }
}

impl Networked for Clerk {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<u8>();
    }
}

impl Handler<Delivery<u8>> for Clerk {
    type Result = ();

    fn handle(&mut self, delivery: Delivery<u8>, ctx: &mut ServiceContext<Self>) {
        self.take(delivery.body, ctx);
    }
}

struct Mail(u8);

impl Message for Mail {
    type Result = ();
}

impl Handler<Mail> for Clerk {
    type Result = ();

    fn handle(&mut self, Mail(number): Mail, ctx: &mut ServiceContext<Self>) {
        self.take(number, ctx);
    }
}

impl StreamHandler<u8> for Clerk {
    fn handle(&mut self, number: u8, ctx: &mut ServiceContext<Self>) {
        self.take(number, ctx);
    }

    fn finished(&mut self, _: &mut ServiceContext<Self>) {
        self.notes.borrow_mut().push(99);
    }
}

/// What a clerk notes that begins like this.
fn noted(begin: impl FnOnce(&mut ServiceContext<Clerk>) + 'static, stubborn: bool) -> Vec<u8> {
    let (mut setup, nodes) = chain([]);
    let notes = Notes::default();
    let clerk = Clerk { begin: Some(Box::new(begin)), stubborn, notes: notes.clone() };
    enters(&mut setup, "clerk", nodes[0], Cast::actor(clerk));
    let report = play_unheard(setup);
    assert_eq!(report.panics, []);
    notes.take()
}

#[test]
fn a_stream_goes_on_behind_what_its_handler_waits_for() {
    let begin = |ctx: &mut ServiceContext<Clerk>| {
        ctx.add_stream(futures_util::stream::iter([1, 3, 2]));
    };
    assert_eq!(noted(begin, false), [1, 3, 2, 99]);
}

#[test]
fn a_stream_goes_on_when_its_actor_changes_its_mind_about_stopping() {
    let begin = |ctx: &mut ServiceContext<Clerk>| {
        ctx.add_stream(futures_util::stream::iter([2, 0, 4]));
    };
    assert_eq!(noted(begin, true), [2, 0, 4, 99]);
    assert_eq!(noted(begin, false), [2, 0]);
}

#[test]
fn mail_behind_the_one_that_stops_an_actor_is_not_handled() {
    let begin = |ctx: &mut ServiceContext<Clerk>| [2, 0, 4].into_iter().for_each(|n| ctx.address().do_send(Mail(n)));
    assert_eq!(noted(begin, false), [2, 0]);
    assert_eq!(noted(begin, true), [2, 0, 4]);
}

#[test]
fn deliveries_that_found_the_actor_waiting_are_handled_though_one_of_them_asks_it_to_stop() {
    for (stubborn, expected) in [(true, &[1, 2, 0, 4][..]), (false, &[1, 2, 0])] {
        let (mut setup, nodes) = chain([]);
        let notes = Notes::default();
        let (over, wake) = futures_util::future::abortable(futures_util::future::pending::<()>());
        let begin = Box::new(|ctx: &mut ServiceContext<Clerk>| {
            ctx.wait(wrap_future::<_, Clerk>(over).map(|_, _, _| ()));
        });
        let clerk = Clerk { begin: Some(begin), stubborn, notes: notes.clone() };
        enters(&mut setup, "clerk", nodes[0], Cast::actor(clerk));
        let (caller, _) = once(async move |io: &ServiceIo| {
            for number in [1u8, 2, 0, 4] {
                assert!(io.mpi().send("clerk", number).await.is_ok());
            }
            wake.abort();
        });
        enters(&mut setup, "caller", nodes[0], caller);
        play_unheard(setup);
        assert_eq!(notes.take(), expected);
    }
}

#[test]
fn an_actor_that_stops_while_it_waits_waits_for_nothing_more() {
    let begin = |ctx: &mut ServiceContext<Clerk>| {
        for number in [0, 2] {
            let then = move |(), clerk: &mut Clerk, ctx: &mut ServiceContext<Clerk>| clerk.take(number, ctx);
            ctx.wait(wrap_future::<_, Clerk>(a_moment()).map(then));
        }
    };
    assert_eq!(noted(begin, false), [0]);
    assert_eq!(noted(begin, true), [0, 2]);
}
