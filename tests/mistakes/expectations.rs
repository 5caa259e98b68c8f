//! Mistakes in what is expected of a run.

use super::assert_mistakes;

#[test]
fn expectations_that_make_no_sense() {
    assert_mistakes(
        "expectations",
        r#"
error: `Rcp` is not an interface
 --> tests/mistakes/expectations.ron:8:29
  |
8 |         Outcomes(interface: Rcp, kind: Replay, at_least: 1),
  |                             ^^^ did you mean `Rpc`?
  |
  = help: write one of Mpi, Rest, Rpc, Raw, Event, Directory

error: `Replay` is not a kind of outcome
 --> tests/mistakes/expectations.ron:8:40
  |
8 |         Outcomes(interface: Rcp, kind: Replay, at_least: 1),
  |                                        ^^^^^^ did you mean `Reply`?
  |
  = help: write one of Reply, Ack, Nack, Error, TimedOut, Interrupted, Undelivered, NotUnderstood, Denied, Lost

error: `kind` is for one kind of outcome, `kinds` for several
 --> tests/mistakes/expectations.ron:9:25
  |
9 |         Outcomes(kinds: [], kind: Reply, at_least: 1.5),
  |                         ^ leave one of them out

error: `1.5` is not a whole number
 --> tests/mistakes/expectations.ron:9:52
  |
9 |         Outcomes(kinds: [], kind: Reply, at_least: 1.5),
  |                                                    ^^^ write a whole number from 0 to 18446744073709551615

error: outcomes of no kind
  --> tests/mistakes/expectations.ron:10:25
   |
10 |         Outcomes(kinds: [], at_least: 1),
   |                         ^ write `[Reply, Ack]`

error: an expectation of outcomes of which kind?
  --> tests/mistakes/expectations.ron:11:9
   |
11 |         Ratio(at_least: 99),
   |         ^^^^^ add `kind: Reply` or `kinds: [Reply, Ack]`

error: `99` is too large
  --> tests/mistakes/expectations.ron:11:25
   |
11 |         Ratio(at_least: 99),
   |                         ^^
   |
   = help: the most is 1, which is always

error: `101` is out of bounds
  --> tests/mistakes/expectations.ron:12:29
   |
12 |         Latency(percentile: 101, at_most: 200),
   |                             ^^^ write a number from 0 to 100

error: `200` has no unit
  --> tests/mistakes/expectations.ron:12:43
   |
12 |         Latency(percentile: 101, at_most: 200),
   |                                           ^^^
   |
   = help: write 200ms or 200s

error: unknown service `card`
  --> tests/mistakes/expectations.ron:13:27
   |
13 |         Restarts(service: "card", supervisor: "rot", exactly: 3, at_most: 4),
   |                           ^^^^^^ did you mean `cart`?

error: unknown supervisor `rot`
  --> tests/mistakes/expectations.ron:13:47
   |
13 |         Restarts(service: "card", supervisor: "rot", exactly: 3, at_most: 4),
   |                                               ^^^^^ did you mean `root`?

error: `exactly` leaves no room for `at_most`
  --> tests/mistakes/expectations.ron:13:75
   |
13 |         Restarts(service: "card", supervisor: "rot", exactly: 3, at_most: 4),
   |                                                                           ^ leave one of them out

error: restarts of a `service` or by a `supervisor`, not both
  --> tests/mistakes/expectations.ron:14:47
   |
14 |         Restarts(service: "cart", supervisor: "root", at_most: 4),
   |                                               ^^^^^^ leave one of them out

error: an expectation that every run meets
  --> tests/mistakes/expectations.ron:15:9
   |
15 |         Recovery(),
   |         ^^^^^^^^ add `at_least` or `at_most`

error: an expectation has fields with names
  --> tests/mistakes/expectations.ron:16:17
   |
16 |         Counter("orders placed", 10),
   |                 ^^^^^^^^^^^^^^^ write `name: value`

error: an expectation lacks the field `name`
  --> tests/mistakes/expectations.ron:17:16
   |
17 |         Counter(counter: "orders placed", at_least: 10),
   |                ^
   |
   = help: add `name: "orders placed"`

error: unknown field `counter` in an expectation
  --> tests/mistakes/expectations.ron:17:17
   |
17 |         Counter(counter: "orders placed", at_least: 10),
   |                 ^^^^^^^
   |
   = help: the fields are name, service, exactly, at_least, at_most

17 mistakes in tests/mistakes/expectations.ron
"#,
    );
}

#[test]
fn counters_that_cannot_be_watched() {
    assert_mistakes(
        "watched",
        r#"
error: `Alway` is not an expectation
 --> tests/mistakes/watched.ron:6:9
  |
6 |         Alway(counter: "orders shipped", at_most: 3),
  |         ^^^^^ did you mean `Always`?
  |
  = help: write one of Outcomes, Ratio, Latency, Recovery, Restarts, Failures, Counter, Always, Eventually

error: a counter begins at 0: it is not always at least a number
 --> tests/mistakes/watched.ron:7:53
  |
7 |         Always(counter: "orders shipped", at_least: 3),
  |                                                     ^ name another counter, or write `Eventually` or `Counter`

error: expected a number or the name of a counter in quotes, found a list
 --> tests/mistakes/watched.ron:8:52
  |
8 |         Always(counter: "orders shipped", at_most: [3]),
  |                                                    ^

error: `0` is too small
 --> tests/mistakes/watched.ron:9:57
  |
9 |         Eventually(counter: "orders shipped", at_least: 0, by: "soon"),
  |                                                         ^ write a whole number from 1 to 18446744073709551615

error: `soon` does not begin with a number
 --> tests/mistakes/watched.ron:9:64
  |
9 |         Eventually(counter: "orders shipped", at_least: 0, by: "soon"),
  |                                                                ^^^^^^
  |
  = help: write a duration such as 40ms, 1.5s or 2min

error: an expectation lacks the field `at_least`
  --> tests/mistakes/watched.ron:10:19
   |
10 |         Eventually(counter: "orders shipped", at_most: 9),
   |                   ^
   |
   = help: add `at_least: 10`

error: unknown field `at_most` in an expectation
  --> tests/mistakes/watched.ron:10:47
   |
10 |         Eventually(counter: "orders shipped", at_most: 9),
   |                                               ^^^^^^^
   |
   = help: the fields are counter, service, at_least, by

error: expected an expectation such as `Counter(name: "orders placed", at_least: 10)`, found a text in quotes
  --> tests/mistakes/watched.ron:11:9
   |
11 |         "orders shipped",
   |         ^^^^^^^^^^^^^^^^

8 mistakes in tests/mistakes/watched.ron
"#,
    );
}
