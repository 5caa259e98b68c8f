//! Mistakes in routers, virtual networks, permissions, directories and gateways.

use super::assert_mistakes;

#[test]
fn ways_and_memberships_that_cannot_be() {
    assert_mistakes(
        "routing",
        r#"
error: `70000` is too large
 --> tests/mistakes/routing.ron:9:51
  |
9 |         (name: "hub", actor: "test/echo", router: 70000, vnets: "test"),
  |                                                   ^^^^^ write a whole number from 0 to 65535

error: expected a list of names such as `vnets: ["test"]`, found a text in quotes
 --> tests/mistakes/routing.ron:9:65
  |
9 |         (name: "hub", actor: "test/echo", router: 70000, vnets: "test"),
  |                                                                 ^^^^^^

error: `-1` is negative
  --> tests/mistakes/routing.ron:10:53
   |
10 |         (name: "asker", actor: "test/echo", router: -1, vnets: ["test", "shop", "test"], permissions: ["trader", ""]),
   |                                                     ^^ write a whole number from 0 to 65535

error: virtual network `test` is named twice
  --> tests/mistakes/routing.ron:10:81
   |
10 |         (name: "asker", actor: "test/echo", router: -1, vnets: ["test", "shop", "test"], permissions: ["trader", ""]),
   |                                                                                 ^^^^^^ it is already there at 10:65

error: the name of a permission is empty
  --> tests/mistakes/routing.ron:10:114
   |
10 |         (name: "asker", actor: "test/echo", router: -1, vnets: ["test", "shop", "test"], permissions: ["trader", ""]),
   |                                                                                                                  ^^

error: unknown field `permission` in a service
  --> tests/mistakes/routing.ron:11:46
   |
11 |         (name: "trader", actor: "test/echo", permission: ["trader"], provides: "yes"),
   |                                              ^^^^^^^^^^ did you mean `permissions`?
   |
   = help: the fields are name, gateway, external, actor, params, node, with, cpu, gpu, ram, storage, availability, step_every, keep_steps, provides, router, vnets, permissions

error: expected true or false without quotes, found a text in quotes
  --> tests/mistakes/routing.ron:11:80
   |
11 |         (name: "trader", actor: "test/echo", permission: ["trader"], provides: "yes"),
   |                                                                                ^^^^^

error: unknown service `hubb`
  --> tests/mistakes/routing.ron:13:26
   |
13 |     directories: ["hub", "hubb", "hub"],
   |                          ^^^^^^ did you mean `hub`?

error: directory `hub` is named twice
  --> tests/mistakes/routing.ron:13:34
   |
13 |     directories: ["hub", "hubb", "hub"],
   |                                  ^^^^^ it is already there at 13:19

error: the gateways go in a circle: edge-1 -> edge-2 -> edge-1
  --> tests/mistakes/routing.ron:15:19
   |
15 |         (machine: "edge-1", by: "edge-2"),
   |                   ^^^^^^^^ what goes this way may never arrive

error: machine `edge-1` has two gateways
  --> tests/mistakes/routing.ron:16:19
   |
16 |         (machine: "edge-1", by: "cloud"),
   |                   ^^^^^^^^ it is already there at 15:19

error: a machine is no gateway of its own
  --> tests/mistakes/routing.ron:18:32
   |
18 |         (machine: "cloud", by: "cloud"),
   |                                ^^^^^^^ name another node

error: a gateway lacks the field `by`
  --> tests/mistakes/routing.ron:19:9
   |
19 |         (machine: "clod", via: "edge-1"),
   |         ^
   |
   = help: add `by: "edge-2"`

error: unknown field `via` in a gateway
  --> tests/mistakes/routing.ron:19:27
   |
19 |         (machine: "clod", via: "edge-1"),
   |                           ^^^
   |
   = help: the fields are machine, by

error: unknown node `clod`
  --> tests/mistakes/routing.ron:20:19
   |
20 |         (machine: "clod", by: "edge-1"),
   |                   ^^^^^^ did you mean `cloud`?

15 mistakes in tests/mistakes/routing.ron
"#,
    );
}
