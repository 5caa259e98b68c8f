//! What may happen to a life at the wrong moment: before it begins, while it ends, twice at once, far
//! from home.

use std::cell::RefCell;
use std::rc::Rc;

use actix::{Actor, Handler};
use futures_util::future::join3;

use rehearsal_actors::changes::Change;
use rehearsal_actors::interfaces::CallError;
use rehearsal_actors::interfaces::raw::{Draft, PING};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::{Ending, RestartCause};
use rehearsal_actors::router::RouterId;
use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup};
use rehearsal_actors::supervision::{Backoff, ChildSpec, Intensity, Queued, Restart, Shutdown, Strategy, Supervisor};
use rehearsal_actors::topology::{Link, NodeId};
use rehearsal_actors::units::Probability;

use crate::common::cast::{chain, once};
use crate::common::story::play;
use crate::common::troupe::{
    Diary, Idle, child, from_ms, kill, kill_supervisor, orders, outsider, slow_starter, strike, three, worker,
};
use crate::common::{at_ms, ms};

fn gone(name: &str) -> CallError {
    Undelivered::ConnectionGone { to: name.to_owned() }.into()
}

fn wait_before_restarts(setup: &mut Setup, delay: SimDuration) {
    let root = setup.supervision.as_mut().expect("there is a tree");
    root.backoff = Some(Backoff { first: delay, most: delay, jitter: Probability::NEVER });
}

#[test]
fn who_is_killed_at_the_beginning_has_begun_before() {
    let (mut setup, _, diary) = three(Strategy::OneForOne, |_| ());
    kill(&mut setup, 0, "b");
    setup.until = Some(at_ms(10));
    let (report, _) = play(setup);
    let zero = at_ms(0);
    let starts = ["a", "b", "c", "b"].map(|name| (name, "start", zero));
    assert_eq!(diary.borrow()[..4], starts);
    assert_eq!(report.ending, Ending::Quiescent);
}

/// `slow` takes 50 ms to start; `late` and, under `inner`, `later` have to wait for it.
fn latecomers() -> (Setup, Vec<NodeId>, Diary) {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let diary = Diary::default();
    let mut root = Supervisor::new("root");
    root.children.push(slow_starter(&mut setup, "slow", nodes[1], &diary, ms(50)));
    root.children.push(worker(&mut setup, "late", nodes[1], &diary));
    let mut inner = Supervisor::new("inner");
    inner.children.push(worker(&mut setup, "later", nodes[1], &diary));
    root.children.push(ChildSpec::supervisor(inner));
    setup.supervision = Some(root);
    (setup, nodes, diary)
}

#[test]
fn who_has_not_begun_cannot_be_killed() {
    let (mut setup, _, diary) = latecomers();
    kill(&mut setup, 20, "late");
    kill(&mut setup, 20, "later");
    kill_supervisor(&mut setup, 20, "inner");
    setup.until = Some(at_ms(100));
    let (report, _) = play(setup);
    let t = at_ms(50);
    assert_eq!(diary.borrow()[..3], [("slow", "start", t), ("late", "start", t), ("later", "start", t)]);
    assert!(report.supervision.restarts.is_empty(), "{:?}", report.supervision.restarts);
}

#[test]
fn who_is_killed_in_its_first_start_was_not_started_and_so_was_nobody() {
    let (mut setup, _, _) = latecomers();
    kill(&mut setup, 20, "slow");
    let (report, _) = play(setup);
    // REF, `start_link/3`: the supervisor ends with the start that failed.
    assert_eq!(report.ending, Ending::GaveUp { supervisor: "root".to_owned(), at: at_ms(20) });
}

/// What came of a message, a request and a raw request to `late`, which begins at 50 ms, sent at 0.
fn asks_latecomer(queued: Queued) -> [Result<SimDuration, String>; 3] {
    let (mut setup, nodes, diary) = latecomers();
    let root = setup.supervision.as_mut().expect("there is a tree");
    root.children[1].queued = queued;
    root.await_starts = true;
    // Before everybody else, so that it begins at 0.
    let (cast, ends) = once(async |io| {
        let fred = io.raw().address_of("late").expect("it is in the cast");
        let raw = async {
            let reply = io.raw().request(Draft::new(fred, PING)).await;
            (reply, io.now())
        };
        let rest = io.rest().get("late/slow").send();
        let (message, reply, raw) = join3(io.mpi().send("late", "hello"), rest, raw).await;
        let status = (reply.status == 200).then_some(reply.elapsed).ok_or(reply.status.to_string());
        let raw = raw.0.map(|_| raw.1.since(SimTime::ZERO)).map_err(|error| error.to_string());
        [message.map(|sent| sent.elapsed).map_err(|error| error.to_string()), status, raw]
    });
    let asker = child(&mut setup, ServiceSpec::new("asker", nodes[0], cast));
    setup.supervision.as_mut().expect("there is a tree").children.insert(0, asker);
    play(setup);
    let heard = diary.borrow().iter().any(|(name, what, _)| (*name, *what) == ("late", "hello"));
    assert_eq!(heard, queued == Queued::Keep);
    ends.take().expect("it came to its end")
}

#[test]
fn nobody_takes_messages_before_it_has_begun() {
    let [message, request, raw] = asks_latecomer(Queued::Return);
    assert_eq!(message, Err(gone("late").to_string()));
    assert_eq!(request, Err("503".to_owned()));
    assert!(raw.is_err(), "{raw:?}");
}

#[test]
fn but_they_may_be_kept_until_it_has() {
    let [message, request, raw] = asks_latecomer(Queued::Keep);
    // Taken at 50; the request is at work for 50 more, and 10 on its way back.
    assert_eq!((message, request), (Ok(ms(50)), Ok(ms(110))));
    // What is said to a connection is for that one life, which had not begun.
    assert!(raw.is_err(), "{raw:?}");
}

#[test]
fn who_is_killed_while_it_may_still_finish_leaves_its_successor_alone() {
    let grace = |child: &mut ChildSpec| child.shutdown = Shutdown::Grace(ms(200));
    let (mut setup, nodes, diary) = three(Strategy::OneForAll, grace);
    // c is at work from 20 to 120; b fails at 30, c is killed at 50; its grace would end at 230.
    orders(&mut setup, nodes[0], &[(10, "c", "work"), (20, "b", "fail")]);
    kill(&mut setup, 50, "c");
    setup.until = Some(at_ms(1000));
    let (report, _) = play(setup);
    let t = at_ms(50);
    let expected = [("a", "stop", t), ("a", "start", t), ("b", "start", t), ("c", "start", t)];
    assert_eq!(diary.borrow()[3..7], expected);
    assert_eq!(report.services[2].incarnation, 2, "{:?}", diary.borrow());
    assert_eq!(report.ended_at, t, "nothing waits for the end of a grace that nobody needs");
}

#[test]
fn a_supervisor_that_ends_in_time_leaves_no_grace_behind() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let diary = Diary::default();
    let mut inner = Supervisor::new("inner");
    inner.children.push(worker(&mut setup, "a", nodes[1], &diary));
    let mut root = Supervisor { strategy: Strategy::OneForAll, ..Supervisor::new("root") };
    root.children.push(ChildSpec { shutdown: Shutdown::Grace(ms(60_000)), ..ChildSpec::supervisor(inner) });
    root.children.push(worker(&mut setup, "b", nodes[1], &diary));
    setup.supervision = Some(root);
    kill(&mut setup, 20, "b");
    let (report, _) = play(setup);
    let t = at_ms(20);
    assert_eq!(from_ms(&diary, 1)[..3], [("a", "stop", t), ("a", "start", t), ("b", "start", t)]);
    assert_eq!((report.ending, report.ended_at), (Ending::Quiescent, t));
}

#[test]
fn a_machine_that_is_down_from_the_beginning_is_no_place_to_begin() {
    let (mut setup, nodes, diary) = three(Strategy::OneForOne, |_| ());
    setup.supervision.as_mut().expect("there is a tree").children[0].fallback = vec![nodes[0]];
    strike(&mut setup, 0, Change::NodeCrash(nodes[1]));
    strike(&mut setup, 30, Change::NodeRestart(nodes[1]));
    let address = outsider(&mut setup, "asker", nodes[0], async |io| {
        io.sleep(ms(1)).await;
        let address = io.raw().address_of("a").map(|address| address.to_string());
        (address, io.mpi().send("a", "hello").await.map(|sent| sent.elapsed))
    });
    let (report, _) = play(setup);
    let (zero, t) = (at_ms(0), at_ms(30));
    assert_eq!(diary.borrow()[0], ("a", "start", zero));
    assert_eq!(from_ms(&diary, 30)[..2], [("b", "start", t), ("c", "start", t)]);
    // On its other machine it is next door. It is the third to have a connection there: its first life
    // never had one at home.
    assert_eq!(address.take(), Some((Some("0:0:3".to_owned()), Ok(SimDuration::ZERO))));
    assert_eq!(report.services.iter().map(|s| s.node.as_str()).collect::<Vec<_>>(), ["a", "b", "b", "a"]);
    assert!(report.supervision.restarts.is_empty(), "{:?}", report.supervision.restarts);
}

#[test]
fn who_comes_home_has_its_connections_at_its_own_router_again() {
    let (mut setup, nodes, _) = three(Strategy::OneForOne, |_| ());
    setup.services[0].router = RouterId(3);
    setup.supervision.as_mut().expect("there is a tree").children[0].fallback = vec![nodes[0]];
    strike(&mut setup, 20, Change::NodeCrash(nodes[1]));
    strike(&mut setup, 30, Change::NodeRestart(nodes[1]));
    kill(&mut setup, 40, "a");
    let addresses = outsider(&mut setup, "asker", nodes[0], async |io| {
        let mut addresses = Vec::new();
        for _ in 0..3 {
            addresses.push(io.raw().address_of("a").map(|address| address.to_string()).unwrap_or_default());
            io.sleep(ms(25)).await;
        }
        addresses
    });
    play(setup);
    assert_eq!(addresses.take(), Some(["1:3:2", "0:0:3", "1:3:3"].map(str::to_owned).into()));
}

#[test]
fn what_comes_while_a_service_finishes_is_kept_for_the_next_one_as_well() {
    let keeps = |child: &mut ChildSpec| {
        (child.shutdown, child.queued) = (Shutdown::Grace(ms(200)), Queued::Keep);
    };
    let (mut setup, nodes, diary) = three(Strategy::OneForAll, keeps);
    // c is at work from 20 to 120; b fails at 30; one message lies in c's inbox by then, and two come
    // after it.
    let said = [(10, "c", "work"), (15, "c", "1"), (20, "b", "fail"), (30, "c", "2"), (40, "c", "3")];
    let said: &'static [(u64, &str, &str)] = Box::leak(Box::new(said));
    orders(&mut setup, nodes[0], said);
    // The boss ends with the others, but has said it all by 40.
    let (report, _) = play(setup);
    let heard: Vec<&str> = diary.borrow().iter().map(|(_, what, _)| *what).filter(|w| w.len() == 1).collect();
    assert_eq!(heard, ["1", "2", "3"]);
    assert_eq!(report.traffic.undelivered, 0);
}

#[test]
fn messages_are_kept_in_their_order_over_several_lives() {
    let (mut setup, nodes, diary) = three(Strategy::OneForOne, |child| child.queued = Queued::Keep);
    wait_before_restarts(&mut setup, ms(100));
    setup.supervision.as_mut().expect("there is a tree").intensity.restarts = 9;
    // a is killed at 20 and back at 120; it comes to the order to panic at once, and is back at 220.
    kill(&mut setup, 20, "a");
    let said: &'static [(u64, &str, &str)] =
        &[(20, "a", "1"), (60, "a", "2"), (105, "a", "panic"), (106, "a", "3"), (130, "a", "4"), (220, "a", "5")];
    orders(&mut setup, nodes[0], said);
    play(setup);
    let heard: Vec<_> = diary.borrow().iter().filter(|(_, what, _)| what.len() == 1).copied().collect();
    let (t1, t2) = (at_ms(120), at_ms(220));
    // 3 lay unread in its inbox; 4 came when nobody was there.
    assert_eq!(heard, [("a", "1", t1), ("a", "2", t1), ("a", "3", t2), ("a", "4", t2), ("a", "5", at_ms(230))]);
}

/// An actor with a handler, which notes what it gets, and fails at a 13.
struct Counter(Rc<RefCell<Vec<(u32, SimTime)>>>);

impl Actor for Counter {
    type Context = ServiceContext<Self>;
}

impl Networked for Counter {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<u32>();
    }
}

impl Handler<Delivery<u32>> for Counter {
    type Result = ();

    fn handle(&mut self, number: Delivery<u32>, ctx: &mut ServiceContext<Self>) {
        assert_ne!(number.body, 13, "bad luck");
        self.0.borrow_mut().push((number.body, ctx.now()));
    }
}

#[test]
fn an_actor_with_handlers_has_its_messages_kept_as_well() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let seen = Rc::new(RefCell::new(Vec::new()));
    let counter = seen.clone();
    let make = move || Cast::actor(Counter(counter.clone()));
    let counter = child(&mut setup, ServiceSpec::restartable("counter", nodes[1], make));
    let mut root = Supervisor::new("root");
    root.children.push(ChildSpec { queued: Queued::Keep, ..counter });
    setup.supervision = Some(root);
    wait_before_restarts(&mut setup, ms(100));
    outsider(&mut setup, "asker", nodes[0], async |io| {
        for number in [13u32, 1, 2] {
            io.mpi().tell("counter", number).ok();
            io.sleep(ms(10)).await;
        }
    });
    play(setup);
    assert_eq!(*seen.borrow(), [(1, at_ms(110)), (2, at_ms(110))]);
}

#[test]
fn what_is_kept_on_a_machine_does_not_outlive_it() {
    let (mut setup, nodes, diary) = three(Strategy::OneForOne, |child| child.queued = Queued::Keep);
    wait_before_restarts(&mut setup, ms(100));
    kill(&mut setup, 20, "a");
    // In between, hello lies there from 40 on.
    strike(&mut setup, 60, Change::NodeCrash(nodes[1]));
    strike(&mut setup, 70, Change::NodeRestart(nodes[1]));
    orders(&mut setup, nodes[0], &[(30, "a", "hello"), (80, "a", "again")]);
    let (report, _) = play(setup);
    let t = at_ms(120);
    assert_eq!(from_ms(&diary, 100)[..2], [("a", "start", t), ("a", "again", t)]);
    assert_eq!(report.traffic.undelivered, 1);
}

#[test]
fn what_comes_for_the_others_is_kept_while_all_wait_for_the_restart_of_one() {
    let (mut setup, nodes, diary) = three(Strategy::OneForAll, |child| child.queued = Queued::Keep);
    wait_before_restarts(&mut setup, ms(100));
    kill(&mut setup, 20, "a");
    // There when b was just ended for a, with which it comes back at 120.
    orders(&mut setup, nodes[0], &[(15, "b", "1")]);
    let (report, _) = play(setup);
    assert!(diary.borrow().contains(&("b", "1", at_ms(120))), "{diary:?}");
    assert_eq!(report.traffic.undelivered, 0);
}

fn what_is_kept_below_a_crew_that_never_begins_is_returned(restart: Restart) {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let diary = Diary::default();
    let mut inner = Supervisor::new("inner");
    inner.children.push(ChildSpec { queued: Queued::Keep, ..worker(&mut setup, "later", nodes[1], &diary) });
    let mut crew = Supervisor::new("crew");
    crew.await_starts = true;
    crew.children.push(slow_starter(&mut setup, "slow", nodes[1], &diary, ms(50)));
    crew.children.push(ChildSpec::supervisor(inner));
    let (cast, end) = once(async |io| (io.mpi().send("later", "hello").await, io.now()));
    let asker = child(&mut setup, ServiceSpec::new("asker", nodes[0], cast));
    let mut root = Supervisor::new("root");
    root.children.push(asker);
    root.children.push(ChildSpec { restart, ..ChildSpec::supervisor(crew) });
    setup.supervision = Some(root);
    // It has not begun by then, so that the crew has not, nor what would have come after it.
    kill(&mut setup, 20, "slow");
    let (report, _) = play(setup);
    let (sent, at) = end.take().expect("it came to its end");
    assert_eq!(sent.map_err(|error| error.to_string()).map(|sent| sent.elapsed), Err(gone("later").to_string()));
    // There at 10, given back at 20, and 10 for the notice.
    assert_eq!(at, at_ms(30));
    assert_eq!((report.traffic.in_flight, report.traffic.undelivered), (0, 1));
}

#[test]
fn what_is_kept_for_one_that_never_begins_is_returned() {
    what_is_kept_below_a_crew_that_never_begins_is_returned(Restart::Temporary);
}

#[test]
fn and_when_the_supervisor_ends_that_would_have_begun_it() {
    what_is_kept_below_a_crew_that_never_begins_is_returned(Restart::Permanent);
}

#[test]
fn a_run_ends_its_services_in_the_opposite_order_of_their_starts_and_none_that_never_began() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let diary = Diary::default();
    let mut of = |name, node| worker(&mut setup, name, node, &diary);
    let (one, two, three) = (of("one", nodes[0]), of("two", nodes[0]), of("three", nodes[0]));
    let away = of("away", nodes[1]);
    let inner = Supervisor { children: vec![two, away], ..Supervisor::new("inner") };
    setup.supervision =
        Some(Supervisor { children: vec![three, ChildSpec::supervisor(inner), one], ..Supervisor::new("root") });
    strike(&mut setup, 0, Change::NodeCrash(nodes[1]));
    let (report, _) = play(setup);
    let zero = at_ms(0);
    let starts = ["three", "two", "one"].map(|name| (name, "start", zero));
    let stops = ["one", "two", "three"].map(|name| (name, "stop", zero));
    assert_eq!(*diary.borrow(), [starts, stops].concat());
    let running: Vec<_> = report.services.iter().map(|s| (s.running, s.incarnation)).collect();
    assert_eq!(running, [(true, 1), (true, 1), (true, 1), (false, 0)]);
}

/// Panics whenever it is dropped.
struct Sticky;

impl Drop for Sticky {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("stuck");
        }
    }
}

impl Service for Sticky {}

#[test]
fn a_machine_s_crash_is_no_failure_of_a_service_that_panics_over_it() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let child = child(&mut setup, ServiceSpec::restartable("sticky", nodes[1], || Cast::service(Sticky)));
    let intensity = Intensity { restarts: 0, period: ms(1000) };
    setup.supervision = Some(Supervisor { intensity, children: vec![child], ..Supervisor::new("root") });
    strike(&mut setup, 10, Change::NodeCrash(nodes[1]));
    strike(&mut setup, 20, Change::NodeRestart(nodes[1]));
    let (report, _) = play(setup);
    assert_eq!(report.ending, Ending::Quiescent);
    assert_eq!(report.supervision.restarts.get(&("sticky".to_owned(), RestartCause::NodeCrash)), Some(&1));
    // Once in the crash, and once at the end of the run.
    assert_eq!(report.panic_count, 2);
}

#[test]
fn what_makes_a_service_may_panic_when_it_is_dropped() {
    let (mut setup, nodes) = chain([]);
    let sticky = Sticky;
    let make = move || {
        let _ = &sticky;
        Cast::service(Idle)
    };
    setup.services.push(ServiceSpec::restartable("idle", nodes[0], make));
    let (report, _) = play(setup);
    assert_eq!(report.ending, Ending::Quiescent);
    assert_eq!(report.panics.iter().map(|p| p.message.as_str()).collect::<Vec<_>>(), ["stuck"]);
}

/// Waits at a connection of its own for whatever comes, as long as it takes.
struct Listener(Diary);

impl Service for Listener {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let connection = io.raw().open();
        connection.recv().no_timeout().await?;
        Ok(Step::Continue)
    }

    fn stop(&self, io: &ServiceIo) {
        self.0.borrow_mut().push(("listener", "stop", io.now()));
    }
}

#[test]
fn who_only_waits_to_be_given_something_to_do_at_a_connection_ends_at_once() {
    let (mut setup, nodes, diary) = three(Strategy::OneForAll, |_| ());
    let own = diary.clone();
    let make = move || Cast::service(Listener(own.clone()));
    let listener = child(&mut setup, ServiceSpec::restartable("listener", nodes[1], make));
    setup.supervision.as_mut().expect("there is a tree").children.push(listener);
    kill(&mut setup, 20, "a");
    play(setup);
    let t = at_ms(20);
    assert_eq!(from_ms(&diary, 1)[..3], [("listener", "stop", t), ("c", "stop", t), ("b", "stop", t)]);
}

#[test]
fn two_blows_in_one_instant_are_one() {
    let (mut setup, nodes, diary) = three(Strategy::OneForOne, |_| ());
    kill(&mut setup, 20, "a");
    kill(&mut setup, 20, "a");
    strike(&mut setup, 20, Change::NodeCrash(nodes[1]));
    strike(&mut setup, 20, Change::NodeCrash(nodes[1]));
    strike(&mut setup, 20, Change::NodeRestart(nodes[1]));
    strike(&mut setup, 20, Change::NodeRestart(nodes[1]));
    kill(&mut setup, 20, "b");
    let (report, _) = play(setup);
    let t = at_ms(20);
    let starts: Vec<_> = from_ms(&diary, 1).into_iter().filter(|(_, what, _)| *what == "start").collect();
    assert_eq!(starts, [("a", "start", t), ("b", "start", t), ("c", "start", t)]);
    assert_eq!(report.services.iter().map(|s| (s.running, s.incarnation)).collect::<Vec<_>>(), [(true, 2); 3]);
}

#[test]
fn who_is_down_already_cannot_be_killed_again() {
    let (mut setup, nodes, diary) = three(Strategy::OneForOne, |_| ());
    wait_before_restarts(&mut setup, ms(100));
    // Between two lives; then while its machine is down; then a machine that never crashed comes back.
    kill(&mut setup, 20, "a");
    kill(&mut setup, 50, "a");
    strike(&mut setup, 60, Change::NodeCrash(nodes[1]));
    kill(&mut setup, 130, "a");
    kill(&mut setup, 130, "b");
    strike(&mut setup, 150, Change::NodeRestart(nodes[1]));
    strike(&mut setup, 160, Change::NodeRestart(nodes[0]));
    let (report, _) = play(setup);
    let t = at_ms(150);
    let starts: Vec<_> = from_ms(&diary, 1).into_iter().filter(|(_, what, _)| *what == "start").collect();
    // b and c are told of first: they have waited since 60, a since its back-off ended.
    assert_eq!(starts.len(), 3, "{starts:?}");
    assert!(starts.iter().all(|(.., at)| *at == t), "{starts:?}");
    let restarts = &report.supervision.restarts;
    assert_eq!(restarts.get(&("a".to_owned(), RestartCause::Killed)), Some(&1), "{restarts:?}");
    assert_eq!(restarts.get(&("b".to_owned(), RestartCause::NodeCrash)), Some(&1), "{restarts:?}");
}

#[test]
fn a_child_and_its_supervisor_may_die_in_one_instant() {
    for child_first in [true, false] {
        let (mut setup, nodes) = chain([Link::new(ms(10))]);
        let diary = Diary::default();
        let mut inner = Supervisor::new("inner");
        for name in ["a", "b"] {
            inner.children.push(worker(&mut setup, name, nodes[1], &diary));
        }
        let mut root = Supervisor::new("root");
        root.children.push(ChildSpec::supervisor(inner));
        setup.supervision = Some(root);
        if child_first {
            kill(&mut setup, 20, "a");
        }
        kill_supervisor(&mut setup, 20, "inner");
        kill(&mut setup, 20, "a");
        let (report, _) = play(setup);
        let t = at_ms(20);
        assert_eq!(from_ms(&diary, 1)[..2], [("a", "start", t), ("b", "start", t)]);
        assert_eq!(report.services.iter().map(|s| s.incarnation).collect::<Vec<_>>(), [2, 2]);
    }
}

#[test]
fn the_back_off_of_a_dead_supervisor_starts_nobody() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let diary = Diary::default();
    let mut inner = Supervisor::new("inner");
    inner.backoff = Some(Backoff { first: ms(100), most: ms(100), jitter: Probability::NEVER });
    inner.children.push(worker(&mut setup, "a", nodes[1], &diary));
    let mut root = Supervisor::new("root");
    root.children.push(ChildSpec::supervisor(inner));
    setup.supervision = Some(root);
    kill(&mut setup, 20, "a");
    kill_supervisor(&mut setup, 50, "inner");
    let (report, _) = play(setup);
    assert_eq!(from_ms(&diary, 1), [("a", "start", at_ms(50)), ("a", "stop", at_ms(50))]);
    assert_eq!(report.ended_at, at_ms(50));
}
