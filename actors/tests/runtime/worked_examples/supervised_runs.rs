//! Tables of whole runs under supervision: strategies, kinds of children, intensity, back-off, grace.
//! The rules alone are checked beside their code; here they go through the actors.

use rehearsal_actors::interfaces::raw::Draft;
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::{Ending, RestartCause};
use rehearsal_actors::simulation::Setup;
use rehearsal_actors::supervision::{Backoff, Child, ChildSpec, Intensity, Restart, Shutdown, Strategy, Supervisor};
use rehearsal_actors::topology::NodeId;
use rehearsal_actors::units::Probability;

use crate::common::story::play;
use crate::common::troupe::{Diary, from_ms, kill, orders, outsider, three};
use crate::common::{at_ms, ms};

/// Puts the supervisor of the three below a root, where others may be whom they do not wait for.
fn give_them_a_root(setup: &mut Setup) {
    let inner = Supervisor { name: "inner".to_owned(), ..setup.supervision.take().expect("there is a tree") };
    setup.supervision = Some(Supervisor { children: vec![ChildSpec::supervisor(inner)], ..Supervisor::new("root") });
}

fn three_of_their_own(strategy: Strategy, change: impl Fn(&mut ChildSpec)) -> (Setup, Vec<NodeId>, Diary) {
    let (mut setup, nodes, diary) = three(strategy, change);
    give_them_a_root(&mut setup);
    (setup, nodes, diary)
}

/// How `b` ends at 20 ms.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    Panics,
    Fails,
    Well,
    Killed,
}

/// What the three note then, in one instant, as `name what` with a comma between.
fn what_comes_of(strategy: Strategy, restart: Restart, ends: Ends) -> String {
    let (mut setup, nodes, diary) = three_of_their_own(strategy, |child| {
        if child.child == Child::Service(1) {
            child.restart = restart;
        }
    });
    match ends {
        Ends::Killed => kill(&mut setup, 20, "b"),
        Ends::Panics => orders(&mut setup, nodes[0], &[(10, "b", "panic")]),
        Ends::Fails => orders(&mut setup, nodes[0], &[(10, "b", "fail")]),
        Ends::Well => orders(&mut setup, nodes[0], &[(10, "b", "end")]),
    }
    // Somebody sees to it that the run does not end with them.
    outsider(&mut setup, "watch", nodes[0], async |io| io.sleep(ms(60)).await);
    play(setup);
    let noted: Vec<String> = (diary.borrow().iter())
        .filter(|(.., at)| *at == at_ms(20))
        .map(|(name, what, _)| format!("{name} {what}"))
        .collect();
    noted.join(", ")
}

#[test]
fn every_strategy_does_with_every_kind_of_child_what_otp_says() {
    use Restart::{Permanent, Temporary, Transient};
    use Strategy::{OneForAll, OneForOne, RestForOne};
    let failures = [Ends::Panics, Ends::Fails, Ends::Killed];
    // SB, "Restart Strategy": who goes along with it; and "Stopping": the last one first.
    let (one, all, rest) = ("b start", "c stop, a stop, a start, b start, c start", "c stop, b start, c start");
    // SB, "Child Specification", `restart`: permanent always, transient after a failure, temporary never.
    for (strategy, again) in [(OneForOne, one), (OneForAll, all), (RestForOne, rest)] {
        for ends in failures {
            assert_eq!(what_comes_of(strategy, Permanent, ends), again, "{strategy:?}, permanent, {ends:?}");
            assert_eq!(what_comes_of(strategy, Transient, ends), again, "{strategy:?}, transient, {ends:?}");
            assert_eq!(what_comes_of(strategy, Temporary, ends), "", "{strategy:?}, temporary, {ends:?}");
        }
        let well = |restart| what_comes_of(strategy, restart, Ends::Well);
        assert_eq!(well(Permanent), format!("b stop, {again}"), "{strategy:?}, permanent");
        assert_eq!(well(Transient), "b stop", "{strategy:?}, transient");
        assert_eq!(well(Temporary), "b stop", "{strategy:?}, temporary");
    }
}

#[test]
fn as_many_restarts_as_the_intensity_says_are_allowed_and_one_more_is_not() {
    // Restarts allowed in 100 ms, kills, and when their supervisor gives up.
    let table: [(u32, &[u64], Option<u64>); 6] = [
        (0, &[20], Some(20)),
        (1, &[20], None),
        (1, &[20, 60], Some(60)),
        (1, &[20, 130], None),
        (2, &[20, 60, 110], Some(110)),
        (2, &[20, 60, 130, 170], None),
    ];
    for (restarts, kills, gives_up) in table {
        let (mut setup, nodes, _) = three(Strategy::OneForOne, |_| ());
        setup.supervision.as_mut().expect("there is a tree").intensity = Intensity { restarts, period: ms(100) };
        give_them_a_root(&mut setup);
        // Whichever of them it is: they are counted together.
        kills.iter().zip(["a", "b", "c", "a"]).for_each(|(at, name)| kill(&mut setup, *at, name));
        outsider(&mut setup, "watch", nodes[0], async |io| io.sleep(ms(300)).await);
        let (report, _) = play(setup);
        let given_up: Vec<SimTime> = report.supervision.given_up.iter().map(|given_up| given_up.at).collect();
        assert_eq!(given_up, gives_up.map(at_ms).into_iter().collect::<Vec<_>>(), "{restarts}, {kills:?}");
        assert_eq!(report.ending, Ending::Quiescent, "the root sees to it");
    }
}

#[test]
fn each_restart_waits_twice_as_long_as_the_one_before_it_up_to_the_most() {
    let (mut setup, nodes, diary) = three(Strategy::OneForOne, |_| ());
    let root = setup.supervision.as_mut().expect("there is a tree");
    root.backoff = Some(Backoff { first: ms(10), most: ms(40), jitter: Probability::NEVER });
    root.intensity = Intensity { restarts: 10, period: ms(1000) };
    // A millisecond after each of its starts: 10, 20, 40 and again 40 ms.
    [20, 31, 52, 93].into_iter().for_each(|at| kill(&mut setup, at, "a"));
    outsider(&mut setup, "watch", nodes[0], async |io| io.sleep(ms(300)).await);
    play(setup);
    let starts: Vec<SimTime> =
        from_ms(&diary, 1).into_iter().filter(|(_, what, _)| *what == "start").map(|(.., at)| at).collect();
    assert_eq!(starts, [30, 51, 92, 133].map(at_ms));
}

#[derive(Clone, Copy, Debug)]
enum By {
    Rest,
    Rpc,
    Raw,
    Event,
    Step,
}

/// The three under a supervisor of their own, where asking one of them keeps nobody from ending; `b` is
/// killed at 30, so that the others have to go.
fn three_who_have_to_go(shutdown: Shutdown) -> (Setup, NodeId, Diary) {
    let (mut setup, nodes, diary) = three_of_their_own(Strategy::OneForAll, |child| child.shutdown = shutdown);
    kill(&mut setup, 30, "b");
    (setup, nodes[0], diary)
}

#[test]
fn who_has_to_go_may_finish_what_it_has_in_its_hands_within_its_grace_and_is_interrupted_after_it() {
    let long = Shutdown::Grace(ms(200));
    let short = Shutdown::Grace(ms(20));
    // What the asker is told, at how many ms, and when the three are started again. Every way is 10 ms.
    let table = [
        (By::Rest, long, "200", 70, 60),
        (By::Rpc, long, "7", 70, 60),
        (By::Raw, long, "7", 70, 60),
        (By::Event, long, "told", 0, 60),
        (By::Step, long, "taken", 10, 110),
        (By::Rest, Shutdown::Infinity, "200", 70, 60),
        (By::Step, Shutdown::Infinity, "taken", 10, 110),
        (By::Rest, short, "502", 60, 50),
        (By::Rpc, short, "interrupted", 60, 50),
        (By::Raw, short, "interrupted", 60, 50),
        // All three have heard of it: a, which is told to go at 50, is done at 60.
        (By::Event, short, "told", 0, 60),
        (By::Step, short, "taken", 10, 50),
        (By::Rest, Shutdown::Kill, "502", 40, 30),
        (By::Rpc, Shutdown::Kill, "interrupted", 40, 30),
        (By::Raw, Shutdown::Kill, "interrupted", 40, 30),
        (By::Event, Shutdown::Kill, "told", 0, 30),
        (By::Step, Shutdown::Kill, "taken", 10, 30),
    ];
    for (by, shutdown, told, at, starts) in table {
        let (mut setup, node, diary) = three_who_have_to_go(shutdown);
        let row = format!("{by:?}, {shutdown:?}");
        let ends = outsider(&mut setup, "asker", node, async move |io| {
            let word = |error: CallError| match error {
                CallError::Interrupted { .. } => "interrupted".to_owned(),
                other => other.to_string(),
            };
            let told = match by {
                By::Rest => io.rest().get("c/slow").await.status.to_string(),
                By::Rpc => {
                    let reply = io.rpc().proxy("c").call::<u64, _>("slow", ()).await;
                    reply.map_or_else(word, |seven| seven.to_string())
                }
                By::Raw => {
                    let to = io.raw().address_of("c").expect("it is in the cast");
                    let reply = io.raw().request(Draft::new(to, "SLOW")).await;
                    reply.map_or_else(word, |msg| msg.contents.to_string())
                }
                By::Event => io.events().emit("work", ()).map_or_else(|e| e.to_string(), |_| "told".to_owned()),
                By::Step => io.mpi().send("c", "work").await.map_or_else(word, |_| "taken".to_owned()),
            };
            (told, io.now())
        });
        outsider(&mut setup, "watch", node, async |io| io.sleep(ms(400)).await);
        let (report, _) = play(setup);
        assert_eq!(ends.take(), Some((told.to_owned(), at_ms(at))), "{row}");
        let start = from_ms(&diary, 1).into_iter().find(|(_, what, _)| *what == "start");
        assert_eq!(start, Some(("a", "start", at_ms(starts))), "{row}: {:?}", diary.borrow());
        let restarts = &report.supervision.restarts;
        // Who takes longer than it may is killed, but not for a fault of its own.
        let cause = |cause| restarts.get(&("c".to_owned(), cause)).copied();
        assert_eq!(cause(RestartCause::Sibling).or(cause(RestartCause::Killed)), Some(1), "{row}: {restarts:?}");
        assert!(report.unfinished.is_empty(), "{row}");
    }
}
