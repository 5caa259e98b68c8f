//! Every mistake a scenario can hold: the files in `tests/mistakes`, and what is said of them.
//!
//! Lines and columns are counted in the files, from 1 and in characters.

#[path = "mistakes/expectations.rs"]
mod expectations;
#[path = "mistakes/routing.rs"]
mod routing;
#[path = "mistakes/supervision.rs"]
mod supervision;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rehearsal::registry::{Registry, RegistryError};
use rehearsal::scenario::{Mistakes, Scenario};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Load {
    rate: u32,
    #[serde(default)]
    burst: Option<u32>,
}

/// Two actors that are never made: reading a scenario only reads their parameters.
fn registry() -> Result<Registry, RegistryError> {
    let mut registry = Registry::new();
    registry.register("test/echo", "Says it again.", |(): ()| Err("nobody is made here".into()))?;
    registry.register("test/load", "Asks again and again.", |load: Load| {
        Err(format!("nobody is made here, at {} and {:?}", load.rate, load.burst))
    })?;
    Ok(registry)
}

fn mistakes_in(path: &Path) -> Mistakes {
    let registry = registry().expect("both names are new");
    match Scenario::load(path, &registry) {
        Ok(scenario) => panic!("{} should be refused: {scenario:?}", path.display()),
        Err(mistakes) => mistakes,
    }
}

fn assert_mistakes(file: &str, expected: &str) {
    let said = mistakes_in(&Path::new("tests/mistakes").join(file).with_extension("ron")).to_string();
    let expected = expected.trim_matches('\n');
    assert!(said == expected, "expected\n{expected}\n\nbut it says\n{said}\n");
}

#[test]
fn a_field_that_nobody_knows() {
    assert_mistakes(
        "unknown-field",
        r#"
error: unknown field `latancy` in a link
 --> tests/mistakes/unknown-field.ron:6:45
  |
6 |         links: [(from: "edge", to: "cloud", latancy: "10ms", latency: "10ms")],
  |                                             ^^^^^^^ did you mean `latency`?
  |
  = help: the fields are from, to, latency, bandwidth, jitter, loss, duplication, queue_limit, symmetric

1 mistake in tests/mistakes/unknown-field.ron
"#,
    );
}

#[test]
fn a_field_that_is_missing() {
    assert_mistakes(
        "missing-field",
        r#"
error: a node lacks the field `name`
 --> tests/mistakes/missing-field.ron:4:47
  |
4 |     network: Explicit(nodes: [(name: "edge"), (group: "cloud")]),
  |                                               ^
  |
  = help: add `name: "edge-1"`

1 mistake in tests/mistakes/missing-field.ron
"#,
    );
}

#[test]
fn an_actor_that_nobody_registered() {
    assert_mistakes(
        "unknown-actor",
        r#"
error: unknown actor `test/ecko`
 --> tests/mistakes/unknown-actor.ron:6:31
  |
6 |         (name: "echo", actor: "test/ecko"),
  |                               ^^^^^^^^^^^ did you mean `test/echo`?

1 mistake in tests/mistakes/unknown-actor.ron
"#,
    );
}

#[test]
fn parameters_that_the_actor_cannot_read() {
    assert_mistakes(
        "unknown-parameter",
        r#"
error: unknown field `rat`
  --> tests/mistakes/unknown-parameter.ron:10:17
   |
10 |                 rat: 5,
   |                 ^^^ did you mean `rate`?
   |
   = help: the fields are rate, burst

error: expected a whole number
  --> tests/mistakes/unknown-parameter.ron:13:67
   |
13 |         (name: "more clients", actor: "test/load", params: (rate: "many")),
   |                                                                   ^^^^^^

error: the actor `test/load` needs `params`
  --> tests/mistakes/unknown-parameter.ron:14:37
   |
14 |         (name: "no clients", actor: "test/load"),
   |                                     ^^^^^^^^^^^
   |
   = help: without them: the field `rate` is missing

error: expected nothing but `()`
  --> tests/mistakes/unknown-parameter.ron:15:52
   |
15 |         (name: "echo", actor: "test/echo", params: (rate: 5)),
   |                                                    ^

4 mistakes in tests/mistakes/unknown-parameter.ron
"#,
    );
}

#[test]
fn a_node_that_is_not_there() {
    assert_mistakes(
        "unknown-node",
        r#"
error: unknown node `centre`
 --> tests/mistakes/unknown-node.ron:7:50
  |
7 |         (name: "echo", actor: "test/echo", node: "centre"),
  |                                                  ^^^^^^^^ did you mean `center`?

error: unknown node `outer_2`
  --> tests/mistakes/unknown-node.ron:10:37
   |
10 |         (at: "1s", change: NodeDown("outer_2")),
   |                                     ^^^^^^^^^ did you mean `outer_0`?

2 mistakes in tests/mistakes/unknown-node.ron
"#,
    );
}

#[test]
fn a_service_that_is_not_there() {
    assert_mistakes(
        "unknown-service",
        r#"
error: unknown service `basket`
 --> tests/mistakes/unknown-service.ron:7:54
  |
7 |         (name: "frontend", actor: "test/echo", with: "basket"),
  |                                                      ^^^^^^^^

error: unknown service `card`
  --> tests/mistakes/unknown-service.ron:10:32
   |
10 |         (from: "frontend", to: "card"),
   |                                ^^^^^^ did you mean `cart`?

2 mistakes in tests/mistakes/unknown-service.ron
"#,
    );
}

#[test]
fn a_link_to_nowhere() {
    assert_mistakes(
        "link-to-nowhere",
        r#"
error: unknown node `mars`
 --> tests/mistakes/link-to-nowhere.ron:8:33
  |
8 |             (from: "cloud", to: "mars", latency: "10ms"),
  |                                 ^^^^^^

error: there is no link from `edge` to `moon`
  --> tests/mistakes/link-to-nowhere.ron:12:55
   |
12 |         (at: "1s", change: LinkDown(from: "edge", to: "moon")),
   |                                                       ^^^^^^
   |
   = help: links from `edge` lead to cloud

2 mistakes in tests/mistakes/link-to-nowhere.ron
"#,
    );
}

#[test]
fn less_than_nothing() {
    assert_mistakes(
        "negative",
        r#"
error: `-1` is negative
 --> tests/mistakes/negative.ron:4:11
  |
4 |     seed: -1,
  |           ^^ write a whole number from 0 to 18446744073709551615

error: `-4` is negative
 --> tests/mistakes/negative.ron:6:37
  |
6 |         nodes: [(name: "edge", cpu: -4), (name: "cloud")],
  |                                     ^^
  |
  = help: write a number of cores such as 2 or 0.5

error: `-10ms` is negative
 --> tests/mistakes/negative.ron:7:54
  |
7 |         links: [(from: "edge", to: "cloud", latency: "-10ms", loss: -0.5)],
  |                                                      ^^^^^^^
  |
  = help: write a duration such as 40ms, 1.5s or 2min

error: `-0.5` is negative
 --> tests/mistakes/negative.ron:7:69
  |
7 |         links: [(from: "edge", to: "cloud", latency: "-10ms", loss: -0.5)],
  |                                                                     ^^^^
  |
  = help: write a chance from 0 to 1, such as 0.02 for two in a hundred

4 mistakes in tests/mistakes/negative.ron
"#,
    );
}

#[test]
fn more_than_makes_sense() {
    assert_mistakes(
        "absurd",
        r#"
error: `900000h` is absurd
 --> tests/mistakes/absurd.ron:4:12
  |
4 |     until: "900000h",
  |            ^^^^^^^^^ the most is a year

error: a timeout of no time at all
 --> tests/mistakes/absurd.ron:5:14
  |
5 |     timeout: "0s",
  |              ^^^^ write more than zero

error: `3000000` is too large
 --> tests/mistakes/absurd.ron:6:26
  |
6 |     network: Star(nodes: 3000000, latency: ("9ms", "3000h"), bandwidth: "0Mbit/s"),
  |                          ^^^^^^^ write a whole number from 1 to 100000

error: `3000h` is absurd
 --> tests/mistakes/absurd.ron:6:52
  |
6 |     network: Star(nodes: 3000000, latency: ("9ms", "3000h"), bandwidth: "0Mbit/s"),
  |                                                    ^^^^^^^ the most is a day

error: `0Mbit/s` would let nothing through, ever
 --> tests/mistakes/absurd.ron:6:73
  |
6 |     network: Star(nodes: 3000000, latency: ("9ms", "3000h"), bandwidth: "0Mbit/s"),
  |                                                                         ^^^^^^^^^
  |
  = help: write more than zero, or take the link down

error: a period of no time at all
 --> tests/mistakes/absurd.ron:8:21
  |
8 |         Flap(every: "0ms", down: 1.5, up: 0.5),
  |                     ^^^^^ write more than zero

error: `1.5` is too large
 --> tests/mistakes/absurd.ron:8:34
  |
8 |         Flap(every: "0ms", down: 1.5, up: 0.5),
  |                                  ^^^
  |
  = help: the most is 1, which is always

error: the lower end of a range comes first
 --> tests/mistakes/absurd.ron:9:38
  |
9 |         Drift(every: "1s", latency: (1.1, 0.9)),
  |                                      ^^^ swap the two

8 mistakes in tests/mistakes/absurd.ron
"#,
    );
}

#[test]
fn numbers_without_their_units() {
    assert_mistakes(
        "unit",
        r#"
error: `50` has no unit
 --> tests/mistakes/unit.ron:4:12
  |
4 |     until: 50,
  |            ^^
  |
  = help: write 50ms or 50s

error: unknown unit `seconds`
 --> tests/mistakes/unit.ron:5:14
  |
5 |     timeout: "2 seconds",
  |              ^^^^^^^^^^^
  |
  = help: the units are ns, us, ms, s, min and h

error: `2.5` is not a whole number
 --> tests/mistakes/unit.ron:6:26
  |
6 |     network: Star(nodes: 2.5, bandwidth: "10MBit", ram: "8 gigs"),
  |                          ^^^ write a whole number from 1 to 100000

error: unknown unit `MBit`, did you mean `Mbit/s`?
 --> tests/mistakes/unit.ron:6:42
  |
6 |     network: Star(nodes: 2.5, bandwidth: "10MBit", ram: "8 gigs"),
  |                                          ^^^^^^^^
  |
  = help: the units are bit/s, kbit/s, Mbit/s, Gbit/s and Tbit/s, or bps, kbps, Mbps, Gbps and Tbps

error: unknown unit `gigs`
 --> tests/mistakes/unit.ron:6:57
  |
6 |     network: Star(nodes: 2.5, bandwidth: "10MBit", ram: "8 gigs"),
  |                                                         ^^^^^^^^
  |
  = help: the units are B, kB, MB, GB, TB and PB (powers of 1000), KiB, MiB, GiB, TiB and PiB (powers of 1024)

5 mistakes in tests/mistakes/unit.ron
"#,
    );
}

#[test]
fn two_nodes_of_one_name() {
    assert_mistakes(
        "duplicate-node",
        r#"
error: node `edge` is declared twice
 --> tests/mistakes/duplicate-node.ron:8:20
  |
8 |             (name: "edge"),
  |                    ^^^^^^ it is already there at 6:20

1 mistake in tests/mistakes/duplicate-node.ron
"#,
    );
}

#[test]
fn two_services_of_one_name() {
    assert_mistakes(
        "duplicate-service",
        r#"
error: service `cart` is declared twice
 --> tests/mistakes/duplicate-service.ron:7:16
  |
7 |         (name: "cart", actor: "test/echo"),
  |                ^^^^^^ it is already there at 6:16

1 mistake in tests/mistakes/duplicate-service.ron
"#,
    );
}

#[test]
fn two_links_between_the_same_nodes() {
    assert_mistakes(
        "duplicate-link",
        r#"
error: the link from `cloud` to `edge` is declared twice
 --> tests/mistakes/duplicate-link.ron:9:20
  |
9 |             (from: "cloud", to: "edge", latency: "20ms"),
  |                    ^^^^^^^ it is already there at 8:20

1 mistake in tests/mistakes/duplicate-link.ron
"#,
    );
}

#[test]
fn services_that_stand_with_each_other_in_a_circle() {
    assert_mistakes(
        "cyclic-placement",
        r#"
error: the placement is cyclic: cart -> user -> orders -> cart
 --> tests/mistakes/cyclic-placement.ron:6:50
  |
6 |         (name: "cart", actor: "test/echo", with: "user"),
  |                                                  ^^^^^^
  |
  = help: give one of them a `node`, or leave its place open

1 mistake in tests/mistakes/cyclic-placement.ron
"#,
    );
}

#[test]
fn services_that_fit_nowhere() {
    assert_mistakes(
        "impossible-placement",
        r#"
error: service `fits nowhere` fits on no node: it needs 5 cores, and node `large`, the closest, has 4 cores left
 --> tests/mistakes/impossible-placement.ron:8:16
  |
8 |         (name: "fits nowhere", actor: "test/echo", cpu: 5),
  |                ^^^^^^^^^^^^^^
  |
  = help: ask for less, or give a node more

error: service `fits elsewhere` needs 3 cores, and node `small`, where it is pinned, has 2 cores left
 --> tests/mistakes/impossible-placement.ron:9:68
  |
9 |         (name: "fits elsewhere", actor: "test/echo", cpu: 3, node: "small"),
  |                                                                    ^^^^^^^
  |
  = help: pin it elsewhere, or give the node more

2 mistakes in tests/mistakes/impossible-placement.ron
"#,
    );
}

#[test]
fn a_file_that_is_cut_short() {
    assert_mistakes(
        "cut-short",
        r#"
error: the file ends too early
 --> tests/mistakes/cut-short.ron:6:44
  |
6 |         (name: "echo", actor: "test/echo"),
  |                                            ^ a closing bracket or more is missing

1 mistake in tests/mistakes/cut-short.ron
"#,
    );
}

#[test]
fn a_duration_without_quotes() {
    assert_mistakes(
        "without-quotes",
        r#"
error: a number with a unit is written in quotes
 --> tests/mistakes/without-quotes.ron:4:12
  |
4 |     until: 50s,
  |            ^^^
  |
  = help: write "50s", "10Mbit/s", "64KiB"

1 mistake in tests/mistakes/without-quotes.ron
"#,
    );
}

#[test]
fn a_comma_that_is_missing() {
    assert_mistakes(
        "comma",
        r#"
error: expected a comma or a closing bracket
 --> tests/mistakes/comma.ron:4:5
  |
4 |     network: Star(nodes: 3),
  |     ^^^^^^^

1 mistake in tests/mistakes/comma.ron
"#,
    );
}

#[test]
fn a_file_that_is_not_ron() {
    assert_mistakes(
        "not-ron",
        r#"
error: the file is not a scenario: it begins with `{`
 --> tests/mistakes/not-ron.ron:1:1
  |
1 | {
  | ^
  |
  = help: a scenario begins with `Scenario(version: 1, name: ...`

1 mistake in tests/mistakes/not-ron.ron
"#,
    );
}

#[test]
fn a_version_of_the_future() {
    assert_mistakes(
        "version",
        r#"
error: version 2 of the format is not known
 --> tests/mistakes/version.ron:2:14
  |
2 |     version: 2,
  |              ^ this program reads version 1

1 mistake in tests/mistakes/version.ron
"#,
    );
}

#[test]
fn a_file_that_is_not_utf8() {
    assert_mistakes(
        "not-utf8",
        r#"
error: the file is not UTF-8: the byte 0xe9 cannot stand here
--> tests/mistakes/not-utf8.ron:3:15
 = help: a scenario is a text file; save it as UTF-8

1 mistake in tests/mistakes/not-utf8.ron
"#,
    );
}

#[test]
fn a_file_with_nothing_in_it() {
    assert_mistakes(
        "empty",
        r#"
error: the file is empty
--> tests/mistakes/empty.ron
 = help: a scenario begins with `Scenario(version: 1, name: ...`

1 mistake in tests/mistakes/empty.ron
"#,
    );
}

#[test]
fn a_file_with_nothing_but_a_comment() {
    assert_mistakes(
        "nothing-but-a-comment",
        r#"
error: the file is empty
--> tests/mistakes/nothing-but-a-comment.ron
 = help: a scenario begins with `Scenario(version: 1, name: ...`

1 mistake in tests/mistakes/nothing-but-a-comment.ron
"#,
    );
}

#[test]
fn a_comment_that_is_never_closed() {
    assert_mistakes(
        "unclosed-comment",
        r#"
error: a comment is never closed
 --> tests/mistakes/unclosed-comment.ron:3:17
  |
3 |     version: 1, /* /* the first */ and the
  |                 ^^ it begins here, and its `*/` is missing

1 mistake in tests/mistakes/unclosed-comment.ron
"#,
    );
    assert_mistakes(
        "begins-unclosed",
        r#"
error: a comment is never closed
 --> tests/mistakes/begins-unclosed.ron:1:1
  |
1 | /* What this shows.
  | ^^ it begins here, and its `*/` is missing

1 mistake in tests/mistakes/begins-unclosed.ron
"#,
    );
}

#[test]
fn all_mistakes_of_a_file_at_once() {
    assert_mistakes(
        "several",
        r#"
error: unknown field `sead` in a scenario
 --> tests/mistakes/several.ron:4:5
  |
4 |     sead: 7,
  |     ^^^^ did you mean `seed`?
  |
  = help: the fields are version, name, seed, until, timeout, model, ordering, placement, network, services, links, supervision, directories, gateways, faults, policies, expect

error: `Queue` is not a link model
 --> tests/mistakes/several.ron:5:12
  |
5 |     model: Queue,
  |            ^^^^^ did you mean `Queued`?
  |
  = help: write RouteCost or Queued

error: unknown unit `Gib`, did you mean `GiB`?
 --> tests/mistakes/several.ron:7:37
  |
7 |         nodes: [(name: "edge", ram: "8Gib"), (name: "cloud")],
  |                                     ^^^^^^
  |
  = help: the units are B, kB, MB, GB, TB and PB (powers of 1000), KiB, MiB, GiB, TiB and PiB (powers of 1024)

error: unknown node `clout`
 --> tests/mistakes/several.ron:8:36
  |
8 |         links: [(from: "edge", to: "clout", latency: "10ms")],
  |                                    ^^^^^^^ did you mean `cloud`?

error: unknown actor `test/ecko`
  --> tests/mistakes/several.ron:11:31
   |
11 |         (name: "echo", actor: "test/ecko", node: "edges"),
   |                               ^^^^^^^^^^^ did you mean `test/echo`?

error: unknown node `edges`
  --> tests/mistakes/several.ron:11:50
   |
11 |         (name: "echo", actor: "test/ecko", node: "edges"),
   |                                                  ^^^^^^^ did you mean `edge`?

error: unknown field `burts`
  --> tests/mistakes/several.ron:12:62
   |
12 |         (name: "load", actor: "test/load", params: (rate: 5, burts: 3)),
   |                                                              ^^^^^ did you mean `burst`?
   |
   = help: the fields are rate, burst

error: `soon` does not begin with a number
  --> tests/mistakes/several.ron:15:14
   |
15 |         (at: "soon", change: NodeDown("edge")),
   |              ^^^^^^
   |
   = help: write a duration such as 40ms, 1.5s or 2min

8 mistakes in tests/mistakes/several.ron
"#,
    );
}

/// A path of this test's own for a file that is no part of the repository.
fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn an_enormous_file() {
    let path = scratch("enormous.ron");
    // Nothing is written: a file with a hole of one byte more than 16 MiB.
    File::create(&path).and_then(|file| file.set_len(16 * 1024 * 1024 + 1)).expect("a scratch file");
    let said = mistakes_in(&path).to_string();
    fs::remove_file(&path).expect("it was there");
    let at = path.display();
    let expected = format!(
        "error: the file is enormous: 16777217 bytes\n--> {at}\n = help: a scenario has at most 16777216 bytes \
         (16 MiB); large networks can be generated instead of listed\n\n1 mistake in "
    );
    assert!(said.starts_with(&expected), "{said}");
}

#[test]
fn a_directory_and_no_file_at_all() {
    let said = mistakes_in(Path::new("tests/mistakes")).to_string();
    assert!(said.starts_with("error: this is a directory, not a scenario file\n--> tests/mistakes\n"), "{said}");
    let said = mistakes_in(Path::new("tests/mistakes/none.ron")).to_string();
    assert!(said.starts_with("error: there is no such file\n--> tests/mistakes/none.ron\n"), "{said}");
}

/// What is said of a scenario with the given `params` and what else stands in the file.
fn said_of(params: &str, rest: &str) -> String {
    let text = format!(
        "Scenario(version: 1, name: \"x\", network: Star(nodes: 3), {rest}\n\
         services: [(name: \"s\", actor: \"test/load\", params: {params})])"
    );
    let registry = registry().expect("both names are new");
    Scenario::parse("x.ron", text, &registry).expect_err("something is wrong with it").to_string()
}

#[test]
fn a_fraction_where_a_whole_number_should_be() {
    let said = said_of("(rate: 1.5, burst: 3)", "");
    assert!(said.starts_with("error: expected a whole number\n --> x.ron:2:59\n"), "{said}");
    assert!(said.contains("|                                                           ^^^\n"), "{said}");
}

#[test]
fn a_flap_of_nothing() {
    let said = said_of("(rate: 1)", r#"policies: [Flap(every: "1s", down: 0.5, up: 0.5, on: [])],"#);
    assert!(said.starts_with("error: a flap of nothing\n --> x.ron:1:"), "{said}");
    assert!(said.contains("^ write `[Nodes]`, `[Links]` or both\n"), "{said}");
}

#[test]
fn the_name_of_a_file_does_not_reach_the_terminal_as_it_is() {
    let registry = registry().expect("both names are new");
    let absent = Scenario::load("\u{1b}[2J\u{202e}.ron", &registry).expect_err("it is not there");
    let wrong =
        Scenario::parse("\u{1b}[2J\u{202e}.ron", "Scenario(version: 1)", &registry).expect_err("it is no scenario");
    for said in [absent.to_string(), wrong.to_string()] {
        assert!(!said.contains(['\u{1b}', '\u{202e}']) && said.contains("[2J"), "{said:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_device_and_a_pipe_that_nobody_writes_to() {
    let said = mistakes_in(Path::new("/dev/zero")).to_string();
    assert!(said.starts_with("error: this is a pipe or a device, not a scenario file\n--> /dev/zero\n"), "{said}");
    let pipe = scratch("pipe.ron");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is part of POSIX");
    assert!(made.success());
    let said = mistakes_in(&pipe).to_string();
    fs::remove_file(&pipe).expect("it was there");
    assert!(said.starts_with("error: this is a pipe or a device, not a scenario file\n"), "{said}");
}

#[test]
fn of_very_many_mistakes_twenty_are_shown_and_the_rest_is_counted() {
    let services = "(actor: \"test/echo\"),\n".repeat(5_000);
    let text = format!("Scenario(version: 1, name: \"crowd\", network: Star(nodes: 3), services: [\n{services}])");
    let registry = registry().expect("both names are new");
    let mistakes = Scenario::parse("crowd.ron", text, &registry).expect_err("nobody has a name");
    assert_eq!(mistakes.count(), 5_000);
    let said = mistakes.to_string();
    assert_eq!(said.matches("error: a service lacks the field `name`").count(), 20);
    assert!(said.ends_with("and 4980 more; 5000 mistakes in crowd.ron"), "{said}");
}

#[test]
fn a_line_of_ten_megabytes_is_shown_in_part() {
    let space = " ".repeat(5_000_000);
    let text = format!("Scenario(version: 1, name: \"long\",{space}nodes: 3,{space}network: Star(nodes: 3))");
    let registry = registry().expect("both names are new");
    let mistakes = Scenario::parse("long.ron", text, &registry).expect_err("`nodes` is no field of it");
    let said = mistakes.to_string();
    // `Scenario(version: 1, name: "long",` has 34 characters.
    assert!(said.contains("--> long.ron:1:5000035\n"), "{said}");
    assert!(said.contains(" nodes: 3, ") && said.len() < 1_000, "{said}");
}

#[test]
fn what_lies_too_deep_is_refused_before_it_costs_the_stack() {
    for bracket in ["(", "[", "{1:", "Some(", "A(b:"] {
        let text = format!("Scenario(version: {}", bracket.repeat(1_000_000));
        let registry = registry().expect("both names are new");
        let mistakes = Scenario::parse("deep.ron", text, &registry).expect_err("it has no end");
        let said = mistakes.to_string();
        assert!(said.contains("lists and structs lie too deep in each other"), "{bracket}: {said}");
    }
}
