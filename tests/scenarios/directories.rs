//! Who finds whom. The numbers are worked out on top of the scenarios.

use rehearsal::actors::outcome::{Interface, OutcomeKind};
use rehearsal::actors::report::{DirectoryFigures, Report};
use rehearsal::actors::units::{SimDuration, SimTime};

use super::{TestResult, count, finish, outcomes, play};

fn directory(report: &Report, name: &str) -> DirectoryFigures {
    report.directories.by_directory.get(name).copied().unwrap_or_default()
}

#[test]
fn one_is_found_who_adds_one_and_by_nobody_from_another_vnet() -> TestResult {
    let report = play("add-one.ron", None)?;
    assert_eq!(report.services[3].step_values, [42]);
    assert_eq!((directory(&report, "hub").registered, directory(&report, "leaf").shared), (1, 1));
    // The spy's one question was never asked.
    assert_eq!(outcomes(&report, Interface::Raw, OutcomeKind::Reply), 1);
    let spied: Vec<_> = report.services[4].failed_steps.keys().collect();
    assert_eq!(spied, ["timed out waiting for a provider of `AddOneAgent`"]);
    Ok(())
}

#[test]
fn who_calls_any_provider_sees_answers_and_interruptions_alone() -> TestResult {
    for seed in 1..6 {
        let run = finish("failover.ron", Some(seed))?;
        assert_eq!(run.what_went_wrong(), None, "seed {seed}");
        let report = run.report;
        // Two traders make 280 calls each.
        assert_eq!(count(&report, "calls answered") + count(&report, "calls failed"), 560, "seed {seed}");
        for trader in &report.services[4..] {
            let reasons: Vec<_> = trader.failed_steps.keys().collect();
            assert!(reasons.iter().all(|reason| reason.ends_with("is gone, and had it in its hands")), "{reasons:?}");
        }
        // Whoever found nobody there tried another one, and with three of them never in vain.
        let undelivered = outcomes(&report, Interface::Rpc, OutcomeKind::Undelivered);
        assert_eq!(report.directories.provider_failovers, undelivered, "seed {seed}");
        // Three at the start, and each of five killed ones anew; the directory noticed all five.
        let directory = directory(&report, "directory");
        assert_eq!((directory.registered, directory.dropped), (3 + 5, 5), "seed {seed}");
    }
    Ok(())
}

#[test]
fn who_loses_a_directory_goes_to_another_and_nobody_who_looks_notices() -> TestResult {
    let report = play("hub-loss.ron", None)?;
    let [hub_1, hub_2] = ["hub-1", "hub-2"].map(|name| directory(&report, name));
    // Two ovens: at the start and after 20 s with the one, after 5 s with the other.
    assert_eq!((hub_1.registered, hub_2.registered), (2 + 2, 2));
    // Told of both ovens: the one when it was back, the other at the start.
    assert_eq!((hub_1.shared, hub_2.shared), (2, 2));
    assert_eq!(report.directories.directory_failovers, 2 + 2);
    // Each of 290 calls looks for the ovens once, and before the first one the baker waits for them.
    assert_eq!(hub_1.lookups + hub_2.lookups, 290 + 1);
    assert_eq!(count(&report, "calls answered"), 290);
    Ok(())
}

#[test]
fn who_may_see_the_ledger_reaches_it_by_way_of_desk_and_post_room_and_nobody_else_finds_it() -> TestResult {
    let report = play("departments.ron", None)?;
    let [_, _, clerk, visitor, stranger] = &report.services[..] else { panic!("five services were declared") };
    assert_eq!(clerk.step_values, [42, 43, 44, 45]);
    let hops_take = |hops: u64| SimDuration::from_millis(10 * hops);
    let hops = report.latency_by_interface[&Interface::Raw];
    // Four answers; three hops there and two back for each.
    assert_eq!((hops.count, hops.max), (4 * (3 + 2), hops_take(1)));
    // And before the first one two hops to the directory, and one back.
    assert_eq!(report.monitors[0].met_at, Some(SimTime::ZERO + hops_take(2 + 1) + hops_take(3 + 2)));
    for other in [visitor, stranger] {
        let reasons: Vec<_> = other.failed_steps.keys().collect();
        assert_eq!(reasons, ["timed out waiting for a provider of `ledger`"]);
    }
    Ok(())
}
