use rehearsal_actors::monitors::{Limit, Rule};
use rehearsal_actors::report::{Latencies, LatencySummary, MonitorReport, Recovery, RestartCause, Violation};
use rehearsal_actors::units::SimTime;

use super::*;
use crate::finished::Finished;
use crate::finished::examples::shop;

fn ms(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}

fn at(seconds: u64) -> SimTime {
    SimTime::from_nanos(seconds * 1_000_000_000)
}

fn least<T>(value: T) -> Bounds<T> {
    Bounds { at_least: Some(value), at_most: None }
}

fn most<T>(value: T) -> Bounds<T> {
    Bounds { at_least: None, at_most: Some(value) }
}

/// What is said of one expectation: as the summary has it, and whether it holds.
fn told(run: &Finished, expectation: Expectation) -> (String, bool) {
    let verdicts = judge(&[expectation], &run.report);
    let Verdict { subject, wanted, measured, holds, .. } = &verdicts[0];
    (format!("{subject}: {measured} ({wanted})"), *holds)
}

#[track_caller]
fn assert_told(run: &Finished, expectation: Expectation, said: &str, holds: bool) {
    assert_eq!(told(run, expectation), (said.to_owned(), holds));
}

/// 1,980 acks over MPI, 3 timeouts, one undelivered: 1,984 requests that ended.
#[test]
fn outcomes_are_counted_by_interface_and_kind() {
    let outcomes =
        |interface, kinds: &[OutcomeKind], bounds| Expectation::Outcomes { interface, kinds: kinds.to_vec(), bounds };
    let (mpi, rest) = (Some(Interface::Mpi), Some(Interface::Rest));
    let bad = [OutcomeKind::TimedOut, OutcomeKind::Undelivered];
    assert_told(&shop(), outcomes(mpi, &bad, most(4)), "MPI timed out or undelivered: 4 (at most 4)", true);
    assert_told(&shop(), outcomes(None, &bad, most(3)), "timed out or undelivered: 4 (at most 3)", false);
    assert_told(&shop(), outcomes(rest, &[OutcomeKind::Ack], least(1)), "REST ack: 0 (at least 1)", false);
    let exactly = Bounds { at_least: Some(1_980), at_most: Some(1_980) };
    assert_told(&shop(), outcomes(mpi, &[OutcomeKind::Ack], exactly), "MPI ack: 1,980 (exactly 1,980)", true);
}

#[test]
fn a_ratio_is_of_all_that_ended_and_of_nothing_there_is_none() {
    let ratio = |interface, p| Expectation::Ratio {
        interface: Some(interface),
        kinds: vec![OutcomeKind::Ack],
        bounds: least(Probability::new(p).expect("it is a chance")),
    };
    // 1980 / 1984 = 0.99798387...
    assert_told(&shop(), ratio(Interface::Mpi, 0.99), "MPI ack: 99.7984 %, 1,980 of 1,984 (at least 99 %)", true);
    assert!(!told(&shop(), ratio(Interface::Mpi, 0.998)).1);
    assert_told(&shop(), ratio(Interface::Rest, 0.0), "REST ack: no request ended (at least 0 %)", false);

    // Whatever share is written is met by that share, to the last digit.
    for hundredths in 0..=100 {
        let mut run = shop();
        run.report.outcomes = [(OutcomeKind::Ack, hundredths), (OutcomeKind::Lost, 100 - hundredths)]
            .map(|(kind, n)| ((Interface::Mpi, kind), n))
            .into();
        let share: f64 = format!("{}.{:02}", hundredths / 100, hundredths % 100).parse().expect("it is a number");
        assert!(told(&run, ratio(Interface::Mpi, share)).1, "{share}");
    }
}

#[test]
fn any_percentile_is_taken_of_what_was_measured() {
    let mut run = shop();
    run.report.distributions.deliveries = Latencies::of((1..=1000).map(ms));
    run.report.distributions.by_interface.insert(Interface::Rest, Latencies::of([ms(5)]).expect("there is one"));
    let latency = |interface, percentile, bounds| Expectation::Latency { interface, percentile, bounds };
    // The 999th of 1,000, to three digits.
    assert_told(&run, latency(None, 99.9, most(ms(1000))), "all messages p99.9: 1.00 s (at most 1s)", true);
    assert!(told(&run, latency(None, 50.0, most(ms(502)))).1 && !told(&run, latency(None, 50.0, most(ms(498)))).1);
    let rest = Some(Interface::Rest);
    assert_told(&run, latency(rest, 99.0, most(ms(4))), "REST p99: 5.00 ms (at most 4ms)", false);
    let rpc = Some(Interface::Rpc);
    assert_told(&run, latency(rpc, 99.0, most(ms(4))), "RPC p99: never measured (at most 4ms)", false);
}

/// Of the 50 s of the run.
#[test]
fn recovery_is_the_longest_and_whoever_is_down_too_long_fails_it() {
    let times = LatencySummary { count: 2, p50: ms(100), p90: ms(900), p99: ms(900), max: ms(900) };
    let mut run = shop();
    let recovery = |service: Option<&str>, limit| Expectation::Recovery {
        service: service.map(str::to_owned),
        bounds: most(limit),
    };
    assert_told(&run, recovery(None, ms(1)), "recovery: nothing failed (at most 1ms)", false);
    let services = &mut run.report.supervision.recovery_by_service;
    services.insert("cart".to_owned(), Recovery { times: Some(times), down_since: None });
    services.insert("user".to_owned(), Recovery { times: None, down_since: Some(at(49)) });
    assert_told(&run, recovery(Some("cart"), ms(900)), "recovery of cart: 900 ms (at most 900ms)", true);
    assert!(!told(&run, recovery(Some("cart"), ms(899))).1);
    // A second is left of the run, and may be needed.
    assert_told(&run, recovery(None, ms(1000)), "recovery: 900 ms (at most 1s)", true);
    assert_told(&run, recovery(None, ms(999)), "recovery: none since 49s (at most 999ms)", false);
    assert_told(&run, recovery(Some("user"), ms(1000)), "recovery of user: not yet (at most 1s)", false);
}

#[test]
fn restarts_failures_and_counters_are_counted_for_one_or_for_all() {
    let mut run = shop();
    let supervision = &mut run.report.supervision;
    supervision.restarts =
        [("cart", RestartCause::Panic, 2), ("cart", RestartCause::Killed, 1), ("user", RestartCause::Killed, 4)]
            .map(|(child, cause, n)| ((child.to_owned(), cause), n))
            .into();
    supervision.restarts_by_supervisor = [("root".to_owned(), 7)].into();
    supervision.unexplained = [("cart".to_owned(), 2), ("user".to_owned(), 1)].into();
    let restarts = |whose| Expectation::Restarts { whose, bounds: most(5) };
    assert_told(&run, restarts(Whose::Anybody), "restarts: 7 (at most 5)", false);
    assert_told(&run, restarts(Whose::Service("cart".to_owned())), "restarts of cart: 3 (at most 5)", true);
    assert_told(&run, restarts(Whose::Supervisor("root".to_owned())), "restarts by root: 7 (at most 5)", false);

    let failures =
        |service: Option<&str>| Expectation::Failures { service: service.map(str::to_owned), bounds: most(2) };
    assert_told(&run, failures(None), "failures: 3 (at most 2)", false);
    assert_told(&run, failures(Some("cart")), "failures of cart: 2 (at most 2)", true);

    let counter = |name: &str, service: Option<&str>| Expectation::Counter {
        name: name.to_owned(),
        service: service.map(str::to_owned),
        bounds: least(96),
    };
    assert_told(&run, counter("orders placed", None), "orders placed: 96 (at least 96)", true);
    let frontend = counter("orders placed", Some("frontend"));
    assert_told(&run, frontend, "orders placed of frontend: 96 (at least 96)", true);
    assert_told(&run, counter("orders placed", Some("cart")), "orders placed of cart: 0 (at least 96)", false);
    assert_told(&run, counter("orders lost", None), "orders lost: 0 (at least 96)", false);
}

#[test]
fn failures_are_excused_where_they_are_expected_and_nowhere_else() {
    let mut run = shop();
    assert!(run.ended_well());
    run.report.supervision.unexplained = [("cart".to_owned(), 2), ("user".to_owned(), 1)].into();
    run.report.supervision.failure_count = 3;
    assert_eq!((run.ended_well(), run.unexpected_failures()), (false, 3));
    let failures =
        |service: Option<&str>, bounds| Expectation::Failures { service: service.map(str::to_owned), bounds };
    run.expectations = vec![failures(Some("cart"), most(2))];
    assert_eq!((run.ended_well(), run.unexpected_failures()), (false, 1));
    run.expectations = vec![failures(None, most(3))];
    assert_eq!((run.ended_well(), run.unexpected_failures()), (true, 0));
    // Expected, but not so many.
    run.expectations = vec![failures(None, most(2))];
    assert_eq!((run.ended_well(), run.unexpected_failures()), (false, 0));
    assert_eq!(run.what_went_wrong().as_deref(), Some("failures: expected at most 2, but found 3"));
}

#[test]
fn what_was_watched_is_told_in_the_order_of_the_monitors() {
    let meanwhile = |rule| Expectation::Meanwhile {
        monitor: Monitor { counter: "shipped".to_owned(), service: None, rule },
        service: None,
    };
    let always = || meanwhile(Rule::Always { at_least: None, at_most: Some(Limit::Counter("paid".to_owned())) });
    let eventually = |by| meanwhile(Rule::Eventually { at_least: 10, by });
    let other = Expectation::Restarts { whose: Whose::Anybody, bounds: most(0) };
    let violated =
        |value, limit| MonitorReport { met_at: None, violation: Some(Violation { at: at(12), value, limit }) };
    let mut run = shop();
    run.report.monitors = vec![
        violated(4, 3),
        MonitorReport::default(),
        MonitorReport { met_at: Some(at(9)), violation: None },
        violated(7, 10),
    ];
    let expectations = [always(), other, always(), eventually(None), eventually(Some(at(12)))];
    let said: Vec<String> = judge(&expectations, &run.report)
        .iter()
        .map(|v| format!("{} {}: {} ({})", if v.holds { '+' } else { '-' }, v.subject, v.measured, v.wanted))
        .collect();
    assert_eq!(
        said,
        [
            "- shipped, always: 4 at 12s, when the limit was 3 (at most paid)",
            "+ restarts: 0 (at most 0)",
            "+ shipped, always: held (at most paid)",
            "+ shipped, eventually: since 9s (at least 10)",
            "- shipped, eventually: 7 at 12s (at least 10 by 12s)",
        ]
    );
}
