use anstream::adapter::strip_str;
use rehearsal_actors::report::{Ending, PanicReport};
use rehearsal_actors::units::SimTime;

use super::*;
use crate::finished::examples::{idle, nasty, nothing_happened, shop};

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
fn what_went_wrong_stands_at_the_bottom() {
    let mut run = shop();
    run.report.ending = Ending::Stuck { service: "cart".to_owned(), at: SimTime::from_nanos(3_200_000_000) };
    run.report.panic_count = 1;
    run.report.panics = vec![PanicReport {
        service: "frontend".to_owned(),
        at: SimTime::from_nanos(1_500_000_000),
        message: "index out of bounds".to_owned(),
        place: Some("src/shop.rs:3:4".to_owned()),
    }];
    let told = plain(&run, Detail::Short);
    assert!(told.contains("1 panic\n  frontend at 1.5s, src/shop.rs:3:4:\n    index out of bounds\n"), "{told}");
    assert!(
        told.ends_with(
            "ended badly   stuck at 3.2s: `cart` kept acting and never waited, so virtual\n\
             \x20             time stood still; `frontend` panicked at 1.5s\n"
        ),
        "{told}"
    );
}
