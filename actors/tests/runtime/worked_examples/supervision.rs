//! Who is restarted when, and what becomes of what it leaves behind.

use std::sync::Arc;

use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::interfaces::CallError;
use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::Ending;
use rehearsal_actors::simulation::{ServiceSpec, run};
use rehearsal_actors::supervision::{
    Backoff, Child, ChildSpec, Intensity, Queued, Restart, Shutdown, Strategy, Supervisor,
};
use rehearsal_actors::topology::Link;
use rehearsal_actors::units::Probability;

use crate::common::cast::{chain, once};
use crate::common::story::play;
use crate::common::troupe::{Diary, id_of, orders, three, worker};
use crate::common::{at_ms, ms};

#[test]
fn one_for_one_restarts_the_one_that_failed_at_once() {
    let (mut setup, nodes, diary) = three(Strategy::OneForOne, |_| ());
    orders(&mut setup, nodes[0], &[(10, "b", "panic")]);
    setup.until = Some(at_ms(100));
    let (report, _) = play(setup);
    let zero = at_ms(0);
    // What follows are the stops of the end.
    let expected = [("a", "start", zero), ("b", "start", zero), ("c", "start", zero), ("b", "start", at_ms(20))];
    assert_eq!(diary.borrow()[..4], expected);
    assert_eq!(report.panics.len(), 1);
    assert_eq!(report.ending, Ending::Quiescent);
}

#[test]
fn one_for_all_ends_the_others_in_reverse_order_and_starts_all_in_order() {
    let (mut setup, nodes, diary) = three(Strategy::OneForAll, |_| ());
    orders(&mut setup, nodes[0], &[(10, "b", "fail")]);
    // The boss is the last child, temporary: it is ended too, and not started again.
    setup.until = Some(at_ms(100));
    play(setup);
    let t = at_ms(20);
    let expected = [("c", "stop", t), ("a", "stop", t), ("a", "start", t), ("b", "start", t), ("c", "start", t)];
    assert_eq!(diary.borrow()[3..8], expected);
}

#[test]
fn rest_for_one_leaves_those_before_alone() {
    let (mut setup, nodes, diary) = three(Strategy::RestForOne, |_| ());
    orders(&mut setup, nodes[0], &[(10, "b", "panic")]);
    setup.until = Some(at_ms(100));
    play(setup);
    let t = at_ms(20);
    assert_eq!(diary.borrow()[3..6], [("c", "stop", t), ("b", "start", t), ("c", "start", t)]);
}

#[test]
fn an_orderly_end_is_no_failure_of_a_transient_child() {
    let (mut setup, nodes, diary) = three(Strategy::OneForOne, |child| child.restart = Restart::Transient);
    orders(&mut setup, nodes[0], &[(10, "a", "end"), (20, "b", "fail")]);
    setup.until = Some(at_ms(50));
    let (report, _) = play(setup);
    assert_eq!(diary.borrow()[3..5], [("a", "stop", at_ms(20)), ("b", "start", at_ms(30))]);
    assert!(!report.services[0].crashed);
}

#[test]
fn a_child_may_finish_what_it_has_begun_within_its_grace() {
    let grace = |child: &mut ChildSpec| child.shutdown = Shutdown::Grace(ms(200));
    let (mut setup, nodes, diary) = three(Strategy::OneForAll, grace);
    // c is at work from 20 to 120 ms; b fails at 30; a has to wait until c has ended.
    orders(&mut setup, nodes[0], &[(10, "c", "work"), (20, "b", "fail")]);
    setup.until = Some(at_ms(500));
    play(setup);
    let t = at_ms(120);
    let expected = [("c", "worked", t), ("c", "stop", t), ("a", "stop", t), ("a", "start", t)];
    assert_eq!(diary.borrow()[3..7], expected);
}

#[test]
fn a_child_that_takes_longer_than_its_grace_is_killed() {
    let grace = |child: &mut ChildSpec| child.shutdown = Shutdown::Grace(ms(40));
    let (mut setup, nodes, diary) = three(Strategy::OneForAll, grace);
    orders(&mut setup, nodes[0], &[(10, "c", "work"), (20, "b", "fail")]);
    setup.until = Some(at_ms(60_000));
    play(setup);
    // b fails at 30, c is killed at 70 and has no last word.
    assert_eq!(diary.borrow()[3..5], [("a", "stop", at_ms(70)), ("a", "start", at_ms(70))]);
}

#[test]
fn what_a_dead_service_had_in_its_hands_is_interrupted_and_says_so_over_the_network() {
    let (mut setup, nodes, _) = three(Strategy::OneForOne, |_| ());
    let (cast, ends) = once(async |io| {
        let reply = io.rest().get("a/slow").await;
        let first = (reply.status, reply.outcome, reply.elapsed);
        let reply = io.rest().get("a/slow").await;
        (first, reply.status, reply.elapsed)
    });
    setup.services.push(ServiceSpec::new("asker", nodes[0], cast));
    let asker = ChildSpec { restart: Restart::Temporary, ..ChildSpec::service(3) };
    setup.supervision.as_mut().expect("there is a tree").children.push(asker);
    setup.changes.push(ScheduledChange { at: at_ms(30), change: Change::Kill(id_of(&setup, "a")) });
    let (report, _) = play(setup);
    // Asked at 0, taken at 10, killed at 30, known at 40. Then 10 there, 50 of work, 10 back.
    assert_eq!(ends.take(), Some(((502, OutcomeKind::Interrupted, ms(40)), 200, ms(70))));
    assert_eq!(report.panic_count, 0);
}

/// What came of awaited messages to `a`, which is killed at 20 ms and back at 120.
fn sends_while_it_is_away(queued: Queued) -> (Vec<Result<SimDuration, CallError>>, Diary) {
    let (mut setup, nodes, diary) = three(Strategy::OneForOne, |child| child.queued = queued);
    let backoff = Backoff { first: ms(100), most: ms(100), jitter: Probability::NEVER };
    let (cast, ends) = once(async |io| {
        let mut ends = Vec::new();
        for _ in 0..4 {
            let sending = io.mpi().send("a", "hello");
            io.sleep(ms(40)).await;
            ends.push(sending);
        }
        futures_util::future::join_all(ends).await.into_iter().map(|end| end.map(|sent| sent.elapsed)).collect()
    });
    setup.services.push(ServiceSpec::new("asker", nodes[0], cast));
    let root = setup.supervision.as_mut().expect("there is a tree");
    root.backoff = Some(backoff);
    root.children.push(ChildSpec { restart: Restart::Temporary, ..ChildSpec::service(3) });
    setup.changes.push(ScheduledChange { at: at_ms(20), change: Change::Kill(id_of(&setup, "a")) });
    play(setup);
    (ends.take().expect("it came to its end"), diary)
}

#[test]
fn messages_for_a_service_between_two_lives_are_returned() {
    let (ends, _) = sends_while_it_is_away(Queued::Return);
    // Sent at 0, 40, 80 and 120; those of 40 and 80 find nobody at 50 and 90.
    let gone = || Err(CallError::Undelivered(Undelivered::ConnectionGone { to: "a".to_owned() }));
    assert_eq!(ends, [Ok(ms(10)), gone(), gone(), Ok(ms(10))]);
}

#[test]
fn or_they_are_kept_for_the_next_one_in_their_order() {
    let (ends, diary) = sends_while_it_is_away(Queued::Keep);
    assert_eq!(ends, [Ok(ms(10)), Ok(ms(80)), Ok(ms(40)), Ok(ms(10))]);
    assert!(diary.borrow().contains(&("a", "start", at_ms(120))));
}

#[test]
fn a_supervisor_whose_children_fail_too_often_ends_them_and_fails_to_its_own() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let diary = Diary::default();
    let mut inner = Supervisor::new("inner");
    for name in ["a", "b"] {
        inner.children.push(worker(&mut setup, name, nodes[1], &diary));
    }
    let mut root = Supervisor { intensity: Intensity { restarts: 1, period: ms(1000) }, ..Supervisor::new("root") };
    root.children.push(ChildSpec::supervisor(inner));
    setup.supervision = Some(root);
    orders(&mut setup, nodes[0], &[(10, "a", "panic"), (20, "a", "panic"), (30, "a", "panic"), (40, "a", "panic")]);
    let (report, _) = play(setup);
    let (t1, t2, t3) = (at_ms(20), at_ms(30), at_ms(40));
    let expected = [
        ("a", "start", t1),
        // The second within five seconds is one too many: b is ended, and both are started by the root.
        ("b", "stop", t2),
        ("a", "start", t2),
        ("b", "start", t2),
        ("a", "start", t3),
        ("b", "stop", at_ms(50)),
    ];
    assert_eq!(diary.borrow()[2..], expected);
    assert_eq!(report.ending, Ending::GaveUp { supervisor: "root".to_owned(), at: at_ms(50) });
    assert!(!report.ended_well());
}

#[test]
fn a_machine_that_crashes_takes_its_services_along_and_brings_them_back() {
    let (mut setup, nodes, diary) = three(Strategy::OneForOne, |_| ());
    setup.changes = vec![
        ScheduledChange { at: at_ms(20), change: Change::NodeCrash(nodes[1]) },
        ScheduledChange { at: at_ms(200), change: Change::NodeRestart(nodes[1]) },
    ];
    setup.until = Some(at_ms(300));
    let (report, _) = play(setup);
    let t = at_ms(200);
    assert_eq!(diary.borrow()[3..6], [("a", "start", t), ("b", "start", t), ("c", "start", t)]);
    assert_eq!(report.ending, Ending::Quiescent, "what is no fault of the children is not counted against them");
}

#[test]
fn or_they_come_back_elsewhere() {
    let (mut setup, nodes, diary) = three(Strategy::OneForOne, |_| ());
    let root = setup.supervision.as_mut().expect("there is a tree");
    root.children[0].fallback = vec![nodes[0]];
    assert!(matches!(root.children[0].child, Child::Service(0)));
    setup.changes = vec![ScheduledChange { at: at_ms(20), change: Change::NodeCrash(nodes[1]) }];
    setup.until = Some(at_ms(300));
    let (report, _) = play(setup);
    assert_eq!(diary.borrow()[3..4], [("a", "start", at_ms(20))]);
    assert_eq!(report.services[0].node, "a");
}

#[test]
fn a_supervisor_that_is_killed_takes_its_children_along_and_is_restarted_with_them() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let diary = Diary::default();
    let mut inner = Supervisor::new("inner");
    for name in ["a", "b"] {
        inner.children.push(worker(&mut setup, name, nodes[1], &diary));
    }
    let mut root = Supervisor::new("root");
    root.children.push(ChildSpec::supervisor(inner));
    setup.supervision = Some(root);
    setup.changes = vec![ScheduledChange { at: at_ms(20), change: Change::KillSupervisor("inner".to_owned()) }];
    setup.until = Some(at_ms(30));
    play(setup);
    let t = at_ms(20);
    assert_eq!(diary.borrow()[2..4], [("a", "start", t), ("b", "start", t)]);
}

#[test]
fn a_tree_that_contradicts_itself_is_refused() {
    let sound = || three(Strategy::OneForOne, |_| ()).0;
    let refused = |change: fn(&mut Supervisor)| {
        let mut setup = sound();
        setup.supervision.iter_mut().for_each(change);
        run(setup, None, Arc::default()).err().map(|error| error.to_string())
    };
    assert_eq!(refused(|_| ()), None);
    let out_of_range = refused(|root| root.children.push(ChildSpec::service(3)));
    assert_eq!(out_of_range.as_deref(), Some("a service below a supervisor is at position 3, but there are only 3"));
    let twice = refused(|root| root.children.push(ChildSpec::service(0)));
    assert_eq!(twice.as_deref(), Some("service `a` is supervised twice; name it once in the tree of supervisors"));
    let same_name = refused(|root| root.children.push(ChildSpec::supervisor(Supervisor::new("root"))));
    assert_eq!(same_name.as_deref(), Some("there are two supervisors named `root`; give each a name of its own"));
}
