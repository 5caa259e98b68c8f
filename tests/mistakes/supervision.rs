//! Mistakes in who restarts whom, who is killed, and when.

use super::assert_mistakes;

#[test]
fn children_that_nobody_knows() {
    assert_mistakes(
        "unknown-child",
        r#"
error: unknown service `card`
  --> tests/mistakes/unknown-child.ron:12:13
   |
12 |             "card",
   |             ^^^^^^ did you mean `cart`?

error: unknown service `basket`
  --> tests/mistakes/unknown-child.ron:13:23
   |
13 |             (service: "basket"),
   |                       ^^^^^^^^

error: unknown node `outer_2`
  --> tests/mistakes/unknown-child.ron:14:42
   |
14 |             (service: "user", fallback: ["outer_2"]),
   |                                          ^^^^^^^^^ did you mean `outer_0`?

error: `Supervisr` is not a child
  --> tests/mistakes/unknown-child.ron:15:13
   |
15 |             Supervisr(name: "payments"),
   |             ^^^^^^^^^ did you mean `Supervisor`?
   |
   = help: write Supervisor

error: expected a service such as `"cart"`, or `Supervisor(...)`, found `7`
  --> tests/mistakes/unknown-child.ron:16:13
   |
16 |             7,
   |             ^

5 mistakes in tests/mistakes/unknown-child.ron
"#,
    );
}

#[test]
fn services_and_supervisors_that_are_named_twice() {
    assert_mistakes(
        "supervised-twice",
        r#"
error: supervisor `shop` is declared twice
  --> tests/mistakes/supervised-twice.ron:13:30
   |
13 |             Supervisor(name: "shop"),
   |                              ^^^^^^ it is already there at 10:15

error: supervisor `user` has the name of a service
  --> tests/mistakes/supervised-twice.ron:14:30
   |
14 |             Supervisor(name: "user", children: [(service: "cart", restart: Transient)]),
   |                              ^^^^^^ it is already there at 7:16

error: service `cart` has two supervisors
  --> tests/mistakes/supervised-twice.ron:14:59
   |
14 |             Supervisor(name: "user", children: [(service: "cart", restart: Transient)]),
   |                                                           ^^^^^^ it is already there at 12:13

3 mistakes in tests/mistakes/supervised-twice.ron
"#,
    );
}

#[test]
fn supervision_that_makes_no_sense() {
    assert_mistakes(
        "supervision",
        r#"
error: `OneForEach` is not a strategy
 --> tests/mistakes/supervision.ron:8:19
  |
8 |         strategy: OneForEach,
  |                   ^^^^^^^^^^ did you mean `OneForAll`?
  |
  = help: write one of OneForOne, OneForAll, RestForOne

error: `-1` is negative
 --> tests/mistakes/supervision.ron:9:19
  |
9 |         restarts: -1, period: "0s",
  |                   ^^ write a whole number from 0 to 1000000

error: a period of no time at all
 --> tests/mistakes/supervision.ron:9:31
  |
9 |         restarts: -1, period: "0s",
  |                               ^^^^ write more than zero

error: a back-off of 100ms at most that begins with 10s
  --> tests/mistakes/supervision.ron:10:39
   |
10 |         backoff: (first: "10s", most: "100ms", jitter: 2),
   |                                       ^^^^^^^ `most` is not less than `first`

error: `2` is too large
  --> tests/mistakes/supervision.ron:10:56
   |
10 |         backoff: (first: "10s", most: "100ms", jitter: 2),
   |                                                        ^
   |
   = help: the most is 1, which is always

error: unknown field `restart` in a supervisor
  --> tests/mistakes/supervision.ron:11:9
   |
11 |         restart: Permanent,
   |         ^^^^^^^ did you mean `restarts`?
   |
   = help: the fields are name, strategy, restarts, period, backoff, await_starts, children

error: `Sometimes` is not a kind of restart
  --> tests/mistakes/supervision.ron:13:40
   |
13 |             (service: "cart", restart: Sometimes, shutdown: Infinty, queued: Drop),
   |                                        ^^^^^^^^^
   |
   = help: write one of Permanent, Transient, Temporary

error: `Infinty` is not a shutdown
  --> tests/mistakes/supervision.ron:13:61
   |
13 |             (service: "cart", restart: Sometimes, shutdown: Infinty, queued: Drop),
   |                                                             ^^^^^^^ did you mean `Infinity`?
   |
   = help: write Kill or Infinity

error: `Drop` is not a fate of queued messages
  --> tests/mistakes/supervision.ron:13:78
   |
13 |             (service: "cart", restart: Sometimes, shutdown: Infinty, queued: Drop),
   |                                                                              ^^^^
   |
   = help: write Return or Keep

error: a supervisor lacks the field `name`
  --> tests/mistakes/supervision.ron:14:23
   |
14 |             Supervisor(children: [], queued: Keep, shutdown: []),
   |                       ^
   |
   = help: add `name: "root"`

error: unknown field `queued` in a supervisor
  --> tests/mistakes/supervision.ron:14:38
   |
14 |             Supervisor(children: [], queued: Keep, shutdown: []),
   |                                      ^^^^^^
   |
   = help: the fields are name, strategy, restarts, period, backoff, await_starts, children, restart, shutdown

error: expected Kill, Infinity or a duration such as "2s", found a list
  --> tests/mistakes/supervision.ron:14:62
   |
14 |             Supervisor(children: [], queued: Keep, shutdown: []),
   |                                                              ^

12 mistakes in tests/mistakes/supervision.ron
"#,
    );
}

#[test]
fn faults_that_would_come_when_the_run_is_over() {
    assert_mistakes(
        "late-fault",
        r#"
error: a fault that never happens
 --> tests/mistakes/late-fault.ron:9:14
  |
9 |         (at: "30001ms", change: Kill("cart")),
  |              ^^^^^^^^^ the run ends at 30s
  |
  = help: write a later `until`, or leave the fault out

error: a fault that never happens
  --> tests/mistakes/late-fault.ron:10:14
   |
10 |         (at: "1min", change: Kill("cart")),
   |              ^^^^^^ the run ends at 30s
   |
   = help: write a later `until`, or leave the fault out

2 mistakes in tests/mistakes/late-fault.ron
"#,
    );
}

#[test]
fn kills_of_somebody_who_is_not_there() {
    assert_mistakes(
        "unknown-victim",
        r#"
error: unknown service or supervisor `payment`
 --> tests/mistakes/unknown-victim.ron:8:33
  |
8 |         (at: "1s", change: Kill("payment")),
  |                                 ^^^^^^^^^ did you mean `payments`?

error: expected the name of a service or supervisor in quotes, found a list
 --> tests/mistakes/unknown-victim.ron:9:33
  |
9 |         (at: "1s", change: Kill(["cart"])),
  |                                 ^

error: `Kill` names one service or supervisor
  --> tests/mistakes/unknown-victim.ron:10:28
   |
10 |         (at: "1s", change: Kill),
   |                            ^^^^ write `Kill("cart")`

error: unknown node `cart`
  --> tests/mistakes/unknown-victim.ron:11:38
   |
11 |         (at: "1s", change: NodeCrash("cart")),
   |                                      ^^^^^^

error: `Kil` is not a change
  --> tests/mistakes/unknown-victim.ron:12:28
   |
12 |         (at: "1s", change: Kil("cart")),
   |                            ^^^ did you mean `Kill`?
   |
   = help: write one of NodeDown, NodeUp, NodeCrash, NodeRestart, Kill, LinkDown, LinkUp, Partition, Heal, Latency, Bandwidth, Loss

error: a kill lacks the field `chance`
  --> tests/mistakes/unknown-victim.ron:15:13
   |
15 |         Kill(every: "1s", services: ["cart", "root", "cart"]),
   |             ^
   |
   = help: add `chance: 0.1`

error: unknown service `root`
  --> tests/mistakes/unknown-victim.ron:15:46
   |
15 |         Kill(every: "1s", services: ["cart", "root", "cart"]),
   |                                              ^^^^^^

error: service `cart` is named twice
  --> tests/mistakes/unknown-victim.ron:15:54
   |
15 |         Kill(every: "1s", services: ["cart", "root", "cart"]),
   |                                                      ^^^^^^ it is already there at 15:38

error: a kill of nobody
  --> tests/mistakes/unknown-victim.ron:16:50
   |
16 |         Kill(every: "1s", chance: 0.5, services: []),
   |                                                  ^ name services, or leave it out for all

9 mistakes in tests/mistakes/unknown-victim.ron
"#,
    );
}
