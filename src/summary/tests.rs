use anstream::adapter::strip_str;
use rehearsal_actors::report::{Ending, FailureKind, FailureReport};
use rehearsal_actors::units::SimTime;

use super::*;
use crate::expectations::Expectation;
use crate::finished::examples::{chaos, idle, nasty, nothing_happened, shop};

fn plain(run: &Finished, detail: Detail) -> String {
    strip_str(&render(run, detail)).to_string()
}

#[test]
fn a_shop_is_told_on_one_screen() {
    assert_eq!(
        plain(&shop(), Detail::Short),
        "\
SockShop                                                                 seed 42
30 nodes, 212 links, 2 services

counters
  96  orders placed
   4  orders failed

outcomes         MPI
  ack          1,980
  timed out        3
  undelivered      1
  still open       1

latency         count      p50      p90     p99     max
  all messages  1,980  12.3 ms  80.0 ms  120 ms  200 ms
  MPI           1,980  12.3 ms  80.0 ms  120 ms  200 ms

services    node      sent  received  steps  failed
  frontend  edge-1   1,000       985     96       4
  cart      cloud-2    985       995      0       0

failed steps
  3  no reply from `cart` within 2s
  1  no route to `cart`

1 requirement violated by the placement
  frontend to cart: latency 50ms wanted, 62ms from `edge-1` to `cloud-2`

traffic       1,985 sent, 1,980 delivered (64KiB), 3 lost, 1 undelivered,
              1 still in flight, 12 held back to keep their order
faults        100 drift, 12 node down, 11 node up
time          50.0 s virtual in 31.0 ms: 1,613 times real time
trace hash    0123456789abcdef
ended well    its time was over
"
    );
}

#[test]
fn more_detail_tells_each_service_apart() {
    let told = plain(&shop(), Detail::Full);
    assert!(
        told.contains(
            "frontend on edge-1\n  \
               counted      96 orders placed, 4 orders failed\n  \
               failed       3 no reply from `cart` within 2s, 1 no route to `cart`\n  \
               last values  {\"order\":54321}\n"
        ),
        "{told}"
    );
    assert!(!told.contains("cart on cloud-2"), "a service with nothing to say is not mentioned\n{told}");
}

#[test]
fn what_did_not_happen_is_not_mentioned() {
    assert_eq!(
        plain(&nothing_happened(), Detail::Short),
        "\
empty                                                                     seed 0
1 node, 0 links, 0 services

traffic       0 sent, 0 delivered (0B)
time          0 s virtual in 0 s
trace hash    0000000000000000
ended well    nothing was left to happen
"
    );
}

#[test]
fn no_line_is_wider_than_80_columns_and_none_commands_the_terminal() {
    for detail in [Detail::Short, Detail::Full] {
        let text = render(&nasty(), detail);
        let told = strip_str(&text).to_string();
        for line in told.lines() {
            assert!(width(line) <= WIDTH, "{} columns: {line}", width(line));
            assert_eq!(line, line.trim_end(), "blanks at the end");
        }
        assert!(!told.contains(|c: char| c.is_control() && c != '\n'));
        assert!(!told.contains('\u{202e}'));
    }
}

#[test]
fn long_lists_stop_and_say_how_many_more_there_are() {
    let mut run = shop();
    run.report.services = (0..25).map(|at| idle(&format!("idle-{at}"), "edge-1")).collect();
    run.report.services[24].sent = 1;
    run.report.services[23].crashed = true;
    let told = plain(&run, Detail::Short);
    let first = told.lines().skip_while(|line| !line.starts_with("services")).nth(1).unwrap();
    assert!(first.contains("idle-23") && first.contains("crashed"), "what crashed comes first: {first}");
    assert!(told.contains("idle-24"), "then the busiest\n{told}");
    // Ten of 25 are shown.
    assert!(told.contains("and 15 more (-v shows all)"), "{told}");
    assert!(plain(&run, Detail::Full).contains("idle-17"));
}

#[test]
fn failures_that_are_alike_are_told_as_one() {
    let mut run = shop();
    let failure = |service: &str, seconds: u64, message: &str| FailureReport {
        service: service.to_owned(),
        at: SimTime::from_nanos(seconds * 1_000_000_000),
        kind: FailureKind::Error,
        message: message.to_owned(),
        place: None,
        by_fault: false,
    };
    run.report.supervision.failure_count = 4;
    run.report.supervision.failures = vec![
        failure("cart", 1, "no socks left"),
        failure("cart", 2, "no cart left"),
        failure("user", 3, "no socks left"),
        failure("cart", 4, "no socks left"),
    ];
    let told = plain(&run, Detail::Short);
    let failures = "4 failures\n  cart failed 2 times, from 1s to 4s:\n    no socks left\n  cart failed at 2s:\n    \
                    no cart left\n  user failed at 3s:\n    no socks left\n";
    assert!(told.contains(failures), "{told}");
}

#[test]
fn what_went_wrong_stands_at_the_bottom() {
    let mut run = shop();
    run.report.ending = Ending::Stuck { service: "cart".to_owned(), at: SimTime::from_nanos(3_200_000_000) };
    run.report.supervision.failure_count = 1;
    run.report.supervision.unexplained.insert("frontend".to_owned(), 1);
    run.report.supervision.failures = vec![FailureReport {
        service: "frontend".to_owned(),
        at: SimTime::from_nanos(1_500_000_000),
        kind: FailureKind::Panic,
        message: "index out of bounds".to_owned(),
        place: Some("src/shop.rs:3:4".to_owned()),
        by_fault: false,
    }];
    let told = plain(&run, Detail::Short);
    let failure = "1 failure\n  frontend panicked at 1.5s, src/shop.rs:3:4:\n    index out of bounds\n";
    assert!(told.contains(failure), "{told}");
    assert!(
        told.ends_with(
            "ended badly   stuck at 3.2s: `cart` kept acting and never waited, so virtual\n\
             \x20             time stood still; `frontend` panicked at 1.5s\n"
        ),
        "{told}"
    );
}

#[test]
fn trouble_is_told_with_its_causes_and_what_was_expected_of_it() {
    let told = plain(&chaos(), Detail::Short);
    assert!(
        told.contains(
            "
directories  registered  withdrawn  dropped  shared  lookups
  hub                 4          0        1       0    1,200

restarts
  3  cart: 1 panicked, 2 killed
  1  payments: 1 gave up

1 supervisor gave up
  payments at 9s: 2 restarts within 5s

recovery        count     p50     p90     p99     max
  all services      3  120 ms  800 ms  800 ms  800 ms
  cart              3  120 ms  800 ms  800 ms  800 ms

1 service not recovered
  user since 48s

1 failure
  cart panicked at 7.5s, src/shop.rs:3:4:
    no socks left

expectations
  ✓ orders placed: 96 (at least 90)
  ✓ restarts of cart: 3 (exactly 3)
  ✓ failures of cart: 1 (exactly 1)

traffic "
        ),
        "{told}"
    );
    assert!(told.contains("\nfailovers     3 to another provider, 1 to another directory\n"), "{told}");
    // The panic was expected.
    assert!(told.ends_with("ended well    its time was over\n"), "{told}");
}

#[test]
fn an_expectation_that_does_not_hold_ends_a_run_badly() {
    let mut run = chaos();
    // Without a word on failures the panic is one too many; and there are only 96 orders.
    run.expectations.retain(|expectation| !matches!(expectation, Expectation::Failures { .. }));
    let Some(Expectation::Counter { bounds, .. }) = run.expectations.first_mut() else { panic!("it is a counter") };
    bounds.at_least = Some(1_000);
    let told = plain(&run, Detail::Short);
    assert!(told.contains("\n  ✗ orders placed: 96 (at least 1,000)\n"), "{told}");
    assert!(
        told.ends_with(
            "ended badly   `cart` panicked at 7.5s; orders placed: expected at least 1,000,\n\
             \x20             but found 96\n"
        ),
        "{told}"
    );
}
