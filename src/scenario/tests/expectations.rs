//! What must hold.

use rehearsal_actors::monitors::{Limit, Monitor, Rule};
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::trace::ServiceId;

use super::*;
use crate::expectations::{Bounds, Expectation, Whose};

/// The expectations of a scenario with the services x and y and the supervisor root.
fn expectations(text: &str) -> Vec<Expectation> {
    read(&expecting(text)).declared.expectations
}

fn expecting(text: &str) -> String {
    row(&format!(
        "services: [(name: \"x\", actor: \"echo\"), (name: \"y\", actor: \"echo\")],
         supervision: Supervisor(name: \"root\"), expect: [{text}],"
    ))
}

fn seconds(n: u64) -> SimDuration {
    SimDuration::from_secs(n)
}

fn least<T>(value: T) -> Bounds<T> {
    Bounds { at_least: Some(value), at_most: None }
}

fn most<T>(value: T) -> Bounds<T> {
    Bounds { at_least: None, at_most: Some(value) }
}

#[test]
fn what_must_hold_at_the_end_is_what_is_written() {
    let found = expectations(
        r#"Outcomes(interface: Rpc, kind: Reply, at_least: 100, at_most: 200),
        Outcomes(kinds: [TimedOut, Lost], exactly: 0),
        Ratio(interface: Directory, kinds: [Reply, Ack], at_least: 0.99),
        Latency(interface: Rest, percentile: 99.9, at_most: "200ms"),
        Latency(percentile: 50, at_least: "1s", at_most: "2s"),
        Recovery(service: "x", at_most: "2s"),
        Restarts(service: "y", exactly: 3),
        Restarts(supervisor: "root", at_most: 4),
        Restarts(at_least: 1),
        Failures(service: "x", at_most: 3),
        Counter(name: "orders placed", at_least: 10, service: "y"),"#,
    );
    let both = |a, b| Bounds { at_least: Some(a), at_most: Some(b) };
    let x = || Some("x".to_owned());
    let expected = [
        Expectation::Outcomes {
            interface: Some(Interface::Rpc),
            kinds: vec![OutcomeKind::Reply],
            bounds: both(100, 200),
        },
        Expectation::Outcomes {
            interface: None,
            kinds: vec![OutcomeKind::TimedOut, OutcomeKind::Lost],
            bounds: both(0, 0),
        },
        Expectation::Ratio {
            interface: Some(Interface::Directory),
            kinds: vec![OutcomeKind::Reply, OutcomeKind::Ack],
            bounds: least(Probability::new(0.99).expect("it is a share")),
        },
        Expectation::Latency {
            interface: Some(Interface::Rest),
            percentile: 99.9,
            bounds: most(SimDuration::from_millis(200)),
        },
        Expectation::Latency {
            interface: None,
            percentile: 50.0,
            bounds: Bounds { at_least: Some(seconds(1)), at_most: Some(seconds(2)) },
        },
        Expectation::Recovery { service: x(), bounds: most(seconds(2)) },
        Expectation::Restarts { whose: Whose::Service("y".to_owned()), bounds: both(3, 3) },
        Expectation::Restarts { whose: Whose::Supervisor("root".to_owned()), bounds: most(4) },
        Expectation::Restarts { whose: Whose::Anybody, bounds: least(1) },
        Expectation::Failures { service: x(), bounds: most(3) },
        Expectation::Counter { name: "orders placed".to_owned(), service: Some("y".to_owned()), bounds: least(10) },
    ];
    assert_eq!(found, expected);
    assert!(found.iter().all(|expectation| expectation.monitor().is_none()));
}

#[test]
fn what_must_hold_meanwhile_is_watched_by_the_runtime() {
    let found = expectations(
        r#"Restarts(exactly: 0),
        Always(counter: "shipped", at_most: "paid", at_least: "received"),
        Always(counter: "shipped", service: "y", at_most: 1_000),
        Eventually(counter: "shipped", at_least: 10, by: "20s"),
        Eventually(counter: "shipped", at_least: 1),"#,
    );
    let shipped = |service: Option<u32>, rule| Monitor {
        counter: "shipped".to_owned(),
        service: service.map(ServiceId::at),
        rule,
    };
    let counter = |name: &str| Some(Limit::Counter(name.to_owned()));
    let by = Some(SimTime::from_nanos(20_000_000_000));
    let monitors = [
        shipped(None, Rule::Always { at_least: counter("received"), at_most: counter("paid") }),
        shipped(Some(1), Rule::Always { at_least: None, at_most: Some(Limit::Number(1_000)) }),
        shipped(None, Rule::Eventually { at_least: 10, by }),
        shipped(None, Rule::Eventually { at_least: 1, by: None }),
    ];
    assert_eq!(found.iter().filter_map(Expectation::monitor).cloned().collect::<Vec<_>>(), monitors);
}

#[test]
fn an_expectation_that_everything_or_nothing_meets_is_refused() {
    assert_eq!(refuse(&expecting("Restarts()")), ["an expectation that every run meets"]);
    assert_eq!(refuse(&expecting("Always(counter: \"a\")")), ["an expectation that every run meets"]);
    assert_eq!(refuse(&expecting("Restarts(at_least: 5, at_most: 4)")), ["no value is as large and as small as this"]);
    assert_eq!(expectations("Restarts(at_least: 4, at_most: 4)").len(), 1);
}
