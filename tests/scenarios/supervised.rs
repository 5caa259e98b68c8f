//! What fails and comes back. The numbers are worked out on top of the scenarios.

use rehearsal::actors::outcome::{Interface, OutcomeKind};
use rehearsal::actors::report::{Ending, RestartCause};
use rehearsal::actors::units::{SimDuration, SimTime};

use super::{TestResult, count, outcomes, play};

fn at(millis: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(millis)
}

#[test]
fn a_storm_of_restarts_is_passed_on_twice_and_others_go_on() -> TestResult {
    let report = play("restart-storm.ron", None)?;
    let failed: Vec<SimTime> = report.supervision.failures.iter().map(|failure| failure.at).collect();
    // A second after each start. The wing is back 200 ms after it gave up, then 400 ms.
    assert_eq!(failed, [1000, 2000, 3000, 4000, 5200, 6200, 7200, 8200, 9600].map(at));
    let given_up: Vec<_> = report.supervision.given_up.iter().map(|one| (&*one.supervisor, one.at)).collect();
    assert_eq!(given_up, [("wing", at(4000)), ("wing", at(8200))]);
    let restarts = |child: &str, cause| report.supervision.restarts.get(&(child.to_owned(), cause)).copied();
    assert_eq!(restarts("mill", RestartCause::Error), Some(7));
    assert_eq!(restarts("mill", RestartCause::Supervisor), Some(2));
    assert_eq!(restarts("lamp", RestartCause::Supervisor), Some(2));
    assert_eq!(restarts("wing", RestartCause::GaveUp), Some(2));
    assert!(report.supervision.restarts.keys().all(|(child, _)| child != "shop"));
    // The lives of the lamp, and of the mill, and that of the shop.
    assert_eq!(count(&report, "lives"), 3 + 10 + 1);
    Ok(())
}

#[test]
fn those_after_the_one_that_fails_are_restarted_with_it() -> TestResult {
    let report = play("rest-for-one.ron", None)?;
    let restarts: Vec<_> =
        report.supervision.restarts.iter().map(|((child, cause), n)| (&**child, *cause, *n)).collect();
    let (killed, sibling) = (RestartCause::Killed, RestartCause::Sibling);
    let expected =
        [("index", killed, 1), ("index", sibling, 1), ("site", killed, 1), ("site", sibling, 2), ("store", killed, 1)];
    assert_eq!(restarts, expected);
    // One call of each, in the hands of the one who was killed.
    assert!(report.services[3..].iter().all(|caller| caller.failed_step_count() == 1));
    let recovery = report.supervision.recovery.ok_or("nobody recovered")?;
    // The next call is made 80 ms after the kill, and takes 5 ms there, 50 ms of work, 5 ms back.
    assert_eq!((recovery.count, recovery.max), (3, SimDuration::from_millis(80 + 60)));
    Ok(())
}

#[test]
fn a_call_ends_in_nine_ways_each_in_its_time() -> TestResult {
    let report = play("rpc-outcomes.ron", None)?;
    let told: Vec<_> = report.services[0].step_values.iter().map(|value| (&value["outcome"], &value["took"])).collect();
    // 10 ms there, 10 ms back, 5 ms of work. The last one begins after the 130 ms of the first seven and
    // the second of the eighth; the worker is killed at 5 s, which is 10 ms away.
    let expected = [
        ("reply", "25ms"),
        ("ack", "20ms"),
        ("nack", "20ms"),
        ("error", "25ms"),
        ("denied", "20ms"),
        ("not_understood", "20ms"),
        ("undelivered", "0s"),
        ("timed_out", "1s"),
        ("interrupted", "3.88s"),
    ];
    assert_eq!(told.len(), expected.len());
    for ((outcome, took), expected) in told.into_iter().zip(expected) {
        assert_eq!((outcome, took), (&expected.0.into(), &expected.1.into()));
    }
    assert_eq!((report.ending, report.ended_at), (Ending::Quiescent, at(5010)));
    Ok(())
}

#[test]
fn events_are_heard_at_most_once() -> TestResult {
    let report = play("events.ron", None)?;
    // Of 90 events, the clerk is sent 60 and the auditor 90.
    let ended = [OutcomeKind::Ack, OutcomeKind::Lost, OutcomeKind::Undelivered];
    let ended = ended.map(|kind| outcomes(&report, Interface::Event, kind));
    assert_eq!(ended, [(60 - 2) + (90 - 21), 1, 20 + 2]);
    // What has no route does not set out.
    assert_eq!(count(&report, "copies sent"), 60 + 90 - 20);
    Ok(())
}

#[test]
fn in_chaos_orders_are_placed_and_each_that_is_not_is_explained() -> TestResult {
    let report = play("sockshop-chaos.ron", None)?;
    let frontend = &report.services[0];
    assert_eq!(frontend.steps, count(&report, "orders placed"));
    assert!(frontend.failed_step_count() > 0, "chaos has done no harm");
    for reason in frontend.failed_steps.keys() {
        let explained = ["catalog: ", "user: ", "cart: ", "order: "].iter().any(|stage| reason.starts_with(stage));
        assert!(explained && reason.ends_with("hands") | reason.ends_with("gone"), "{reason}");
    }
    // Whoever was killed is there again at the end: all that is not well is a restart yet to come.
    let killed = report.faults.get("kill").copied().unwrap_or(0);
    let restarted: u64 = report
        .supervision
        .restarts
        .iter()
        .filter(|((_, cause), _)| *cause == RestartCause::Killed)
        .map(|(_, restarts)| restarts)
        .sum();
    assert!(killed > 10 && restarted >= killed - 1, "{killed} killed, {restarted} restarted");
    Ok(())
}
