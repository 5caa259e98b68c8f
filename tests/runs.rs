//! Whole runs: how they end, and that exit code, `--json`, `--trace` and hash tell one story.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use common::Told;

/// A scenario that stands in the repository.
fn ours(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

/// Messages lost, doubled, held back, without a route, and requests, in one network: whatever there
/// is to count.
const ROUGH: &str = r#"
Scenario(
    version: 1,
    name: "rough",
    seed: 3,
    until: "20s",
    network: Explicit(
        nodes: [(name: "here", processing: "1ms"), (name: "hub"), (name: "there")],
        links: [
            (from: "here", to: "hub", latency: "5ms", jitter: "20ms", loss: 0.05, duplication: 0.1),
            (from: "hub", to: "there", latency: "9ms", bandwidth: "2Mbit/s", loss: 0.02, duplication: 0.1),
        ],
    ),
    services: [
        (name: "sender", actor: "load/sender", node: "here", params: (to: "sink", every: "7ms")),
        (name: "careful", actor: "load/sender", node: "here", params: (to: "sink", every: "90ms", confirm: true)),
        (name: "nobody", actor: "load/sender", node: "hub", params: (to: "nobody", every: "1s")),
        (name: "caller", actor: "echo/caller", node: "here", step_every: "60ms"),
        (name: "client", actor: "store/client", node: "here", params: (rounds: 50)),
        (name: "sink", actor: "load/sink", node: "there"),
        (name: "echo", actor: "echo/server", node: "there"),
        (name: "store", actor: "store/server", node: "there"),
    ],
    faults: [
        (at: "5s", change: LinkDown(from: "hub", to: "there")),
        (at: "6s", change: LinkUp(from: "hub", to: "there")),
        (at: "9s", change: NodeDown("there")),
        (at: "12s", change: NodeUp("there")),
    ],
)"#;

/// Goes on until somebody ends it.
const ENDLESS: &str = r#"
Scenario(
    version: 1,
    name: "endless",
    network: Star(nodes: 3, latency: "1ms"),
    placement: RoundRobin,
    services: [(name: "caller", actor: "echo/caller"), (name: "echo", actor: "echo/server")],
)"#;

/// A folder for traces and scenarios, and the program.
struct Stage {
    folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        let stage = Stage { folder: TempDir::new().unwrap() };
        for (name, text) in [("rough.ron", ROUGH), ("endless.ron", ENDLESS)] {
            fs::write(stage.path(name), text).unwrap();
        }
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rehearsal"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Told {
        Told::of(&self.command(arguments).output().unwrap())
    }

    /// Runs a scenario to its good end; the object and the story.
    fn play(&self, scenario: &str) -> (Value, Story) {
        let run = self.run(&[scenario, "--json", "--trace", "story.jsonl"]).expect(0).json();
        (run, Story::read(&self.path("story.jsonl")))
    }

    fn hash(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments).expect(0).json();
        run["trace_hash"].as_str().unwrap().to_owned()
    }
}

/// The lines of a trace file.
struct Story(Vec<Value>);

impl Story {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "the last line is whole");
        Story(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    fn events(&self, event: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |line| line["event"] == event)
    }

    /// How many lines of that kind agree with all of these fields.
    fn count(&self, event: &str, fields: &[(&str, Value)]) -> u64 {
        let agrees = |line: &&Value| fields.iter().all(|(name, value)| line[name] == *value);
        self.events(event).filter(agrees).count() as u64
    }
}

/// The scenarios that are looked at from all sides.
fn scenarios() -> Vec<String> {
    let ours = ["scenarios/sockshop.ron", "scenarios/sockshop-rest.ron", "scenarios/partition.ron"].map(ours);
    ours.into_iter().chain(["rough.ron".to_owned()]).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

fn sum(values: &Value) -> u64 {
    values.as_object().unwrap().values().map(number).sum()
}

#[test]
fn the_object_has_every_field_and_adds_up() {
    let stage = Stage::new();
    for scenario in scenarios() {
        let run = stage.run(&[&scenario, "--json"]).expect(0).json();
        for field in [
            "scenario",
            "seed",
            "nodes",
            "links",
            "virtual_s",
            "wall_s",
            "ending",
            "ended_well",
            "deliveries",
            "traffic",
            "outcomes",
            "causes",
            "latency_ms",
            "services",
            "faults",
            "panics",
            "trace_hash",
        ] {
            assert!(!run[field].is_null(), "{scenario}: {field}");
        }
        assert_eq!((&run["ending"], &run["ended_well"]), (&json!("time_reached"), &json!(true)), "{scenario}");
        assert!(run["wall_s"].as_f64().unwrap() > 0.0);

        let traffic = &run["traffic"];
        let ends = ["delivered", "lost", "undelivered", "in_flight"].map(|end| number(&traffic[end]));
        assert_eq!(number(&traffic["sent"]), ends.iter().sum::<u64>(), "{scenario}: {traffic}");
        assert_eq!(run["deliveries"], traffic["delivered"]);
        assert_eq!(run["deliveries"], run["latency_ms"]["count"]);
        let latencies = ["p50", "p90", "p99", "max"].map(|p| run["latency_ms"][p].as_f64().unwrap());
        assert!(latencies.is_sorted(), "{latencies:?}");

        let services = run["services"].as_array().unwrap();
        let of_all = |field: &str| services.iter().map(|service| number(&service[field])).sum::<u64>();
        assert_eq!(of_all("received"), number(&traffic["delivered"]) + number(&traffic["duplicates"]), "{scenario}");
        assert_eq!(of_all("sent"), number(&traffic["sent"]), "{scenario}");
        for (counter, count) in run["counters"].as_object().unwrap() {
            let counts = services.iter().filter_map(|service| service["counters"][counter].as_u64());
            assert_eq!(counts.sum::<u64>(), number(count), "{scenario}: {counter}");
        }
        // Failures have a cause; these scenarios have fewer different ones than are told apart.
        for (interface, outcomes) in run["outcomes"].as_object().unwrap() {
            for kind in ["timed_out", "undelivered"] {
                let causes = run["causes"].as_array().unwrap().iter();
                let causes = causes.filter(|cause| cause["interface"] == **interface && cause["outcome"] == kind);
                let told: u64 = causes.map(|cause| number(&cause["count"])).sum();
                assert_eq!(number(&outcomes[kind]), told, "{scenario}: {interface} {kind}");
            }
        }
    }
}

#[test]
fn the_trace_has_a_line_for_everything_that_the_object_counts() {
    let stage = Stage::new();
    for scenario in scenarios() {
        let (run, story) = stage.play(&scenario);
        let traffic = &run["traffic"];
        for (event, duplicate, counted) in [
            ("delivery", false, &traffic["delivered"]),
            ("delivery", true, &traffic["duplicates"]),
            ("loss", false, &traffic["lost"]),
        ] {
            assert_eq!(story.count(event, &[("duplicate", json!(duplicate))]), number(counted), "{scenario}: {event}");
        }
        for (interface, outcomes) in run["outcomes"].as_object().unwrap() {
            for (kind, counted) in outcomes.as_object().unwrap().iter().filter(|(kind, _)| *kind != "open") {
                let lines = story.count("outcome", &[("interface", json!(interface)), ("kind", json!(kind))]);
                assert_eq!(lines, number(counted), "{scenario}: {interface} {kind}");
            }
        }
        assert_eq!(story.count("fault", &[]), sum(&run["faults"]), "{scenario}");
        let services = run["services"].as_array().unwrap();
        let failed: u64 = services.iter().map(|service| sum(&service["failed_steps"])).sum();
        assert_eq!(story.count("failed_step", &[]), failed, "{scenario}");

        let firsts = || story.events("delivery").filter(|line| line["duplicate"] == false);
        assert_eq!(firsts().map(|line| number(&line["bytes"])).sum::<u64>(), number(&traffic["bytes"]), "{scenario}");
        let slowest = firsts().map(|line| number(&line["at_ns"]) - number(&line["sent_at_ns"])).max().unwrap();
        assert_eq!(slowest as f64 / 1e6, run["latency_ms"]["max"].as_f64().unwrap(), "{scenario}");
        assert!(story.0.iter().map(|line| number(&line["at_ns"])).is_sorted(), "{scenario}: time goes forward");
    }
}

/// So that the tests above are about something.
#[test]
fn the_rough_scenario_has_something_of_everything() {
    let (run, story) = Stage::new().play("rough.ron");
    for field in ["delivered", "lost", "undelivered", "duplicates", "held_back"] {
        assert!(number(&run["traffic"][field]) > 0, "{field}: {}", run["traffic"]);
    }
    for (interface, kinds) in [
        ("mpi", &["ack", "timed_out", "undelivered", "lost"] as &[&str]),
        ("rest", &["reply", "timed_out", "undelivered", "not_understood"]),
    ] {
        for kind in kinds {
            assert!(number(&run["outcomes"][interface][kind]) > 0, "{interface} {kind}");
        }
    }
    for cause in ["link", "cut"] {
        assert!(story.count("loss", &[("cause", json!(cause))]) > 0, "{cause}");
    }
}

#[test]
fn a_trace_on_the_standard_output_is_the_one_in_a_file() {
    let stage = Stage::new();
    stage.play("rough.ron");
    let told = stage.run(&["rough.ron", "--trace", "-"]).expect(0);
    assert_eq!(told.out, fs::read_to_string(stage.path("story.jsonl")).unwrap());
    assert!(told.err.contains("trace hash"), "the summary is on the other side\n{}", told.err);
}

#[test]
fn the_same_seed_gives_the_same_hash_and_trace_and_another_seed_another() {
    let stage = Stage::new();
    for scenario in scenarios() {
        let hash = stage.hash(&[&scenario, "--json"]);
        assert_eq!(stage.hash(&[&scenario, "--json"]), hash, "{scenario}");
        assert_eq!(stage.hash(&[&scenario, "--json", "--trace", "one.jsonl"]), hash, "{scenario}");
        assert_eq!(stage.hash(&[&scenario, "--json", "--trace", "two.jsonl"]), hash, "{scenario}");
        let traces = ["one.jsonl", "two.jsonl"].map(|trace| fs::read(stage.path(trace)).unwrap());
        assert!(traces[0] == traces[1], "{scenario}");
    }
    // Where nothing is drawn the seed says nothing; these draw.
    for scenario in [ours("scenarios/sockshop.ron"), ours("scenarios/sockshop-rest.ron"), "rough.ron".to_owned()] {
        let hashes = ["1", "2", "18446744073709551615"].map(|seed| stage.hash(&[&scenario, "--json", "--seed", seed]));
        assert_eq!(BTreeSet::from(hashes.clone()).len(), 3, "{scenario}: {hashes:?}");
    }
}

#[test]
fn until_ends_a_run_sooner_or_later_than_the_scenario_says() {
    let stage = Stage::new();
    let sockshop = ours("scenarios/sockshop.ron");
    for (until, seconds) in [("10s", 10.0), ("1min", 60.0), ("1ns", 1e-9)] {
        let run = stage.run(&[&sockshop, "--json", "--until", until]).expect(0).json();
        assert_eq!((&run["virtual_s"], &run["ending"]), (&json!(seconds), &json!("time_reached")));
    }
    // What happened until then is what happens in the longer run.
    stage.run(&["rough.ron", "--until", "7s", "--quiet", "--trace", "short.jsonl"]).expect(0);
    stage.run(&["rough.ron", "--quiet", "--trace", "long.jsonl"]).expect(0);
    let [short, long] = ["short.jsonl", "long.jsonl"].map(|trace| fs::read_to_string(stage.path(trace)).unwrap());
    assert!(long.len() > short.len() && long.starts_with(&short));
    // Nothing is left to happen before.
    let run = stage.run(&[&ours("scenarios/echo.ron"), "--json", "--until", "1h"]).expect(0).json();
    assert_eq!((&run["virtual_s"], &run["ending"]), (&json!(0.8416), &json!("quiescent")));
}

#[test]
fn quiet_is_quiet() {
    let told = Stage::new().run(&["rough.ron", "--quiet"]).expect(0);
    assert_eq!((told.out.as_str(), told.err.as_str()), ("", ""));
}

#[test]
fn a_message_takes_what_route_says_and_what_was_worked_out_by_hand() {
    // 1000 bytes from edge by hub to cloud: processing 1 + 2 + 4, 8000 bits at 8 and at 2 Mbit/s
    // 1 + 4, latency 10 + 20.
    let total = 7 + 5 + 30;
    let stage = Stage::new();
    let scenario = ours("tests/three-nodes.ron");
    for (from, to) in [("sender", "sink"), ("edge", "cloud")] {
        let route = stage.run(&["route", &scenario, from, to, "--bytes", "1000"]).expect(0).out;
        let sums = route.lines().find(|line| line.trim_start().starts_with("total")).unwrap();
        let sums: Vec<&str> = sums.split_whitespace().collect();
        assert_eq!(sums, ["total", "7ms", "5ms", "30ms", &format!("{total}ms")], "{route}");
        let hops: Vec<&str> = route.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert!(hops.ends_with(&["edge", "hub", "cloud", "total"]), "{route}");
    }
    let (run, story) = stage.play(&scenario);
    let times: Vec<_> = story.events("delivery").map(|line| (&line["sent_at_ns"], &line["at_ns"])).collect();
    let ms = |ms: u64| json!(ms * 1_000_000);
    let sent_every_100_ms = [0, 100, 200].map(|sent| (ms(sent), ms(sent + total)));
    assert_eq!(times, sent_every_100_ms.iter().map(|(sent, at)| (sent, at)).collect::<Vec<_>>());
    assert_eq!((&run["deliveries"], &run["latency_ms"]["max"]), (&json!(3), &json!(total as f64)));
}

/// An interrupt is what Ctrl-C sends.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_an_endless_run_with_the_summary_so_far() {
    use std::time::{Duration, Instant};

    let stage = Stage::new();
    let mut command = stage.command(&["endless.ron", "--json", "--trace", "story.jsonl"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Once lines are written the run is under way.
    let begun = Instant::now();
    while fs::metadata(stage.path("story.jsonl")).map_or(0, |story| story.len()) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing happens");
        std::thread::sleep(Duration::from_millis(5));
    }
    let sent = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    assert!(sent.success());
    let told = Told::of(&child.wait_with_output().unwrap()).expect(1);
    let run = told.json();
    assert_eq!((&run["ending"], &run["ended_well"]), (&json!("interrupted"), &json!(false)));
    assert!(told.err.contains("interrupted at "), "{}", told.err);
    // The story so far is whole.
    let story = Story::read(&stage.path("story.jsonl"));
    assert!(number(&run["deliveries"]) > 0);
    assert_eq!(story.count("delivery", &[]), number(&run["deliveries"]));
}

#[test]
fn a_paced_run_is_the_same_run_takes_its_time_and_says_how_late_it_was() {
    let stage = Stage::new();
    let as_it_goes = stage.hash(&["rough.ron", "--until", "5s", "--json"]);
    let began = Instant::now();
    let paced = stage.run(&["rough.ron", "--until", "5s", "--pace", "20", "--json"]).expect(0).json();
    // A twentieth of five seconds, and never early.
    assert!(began.elapsed() >= Duration::from_millis(250));
    assert_eq!(paced["trace_hash"], as_it_goes);
    assert_eq!(paced["pacing"]["pace"], 20.0);
    assert!(paced["pacing"]["lag_ms"]["count"].as_u64() > Some(100));
    let told = stage.run(&["rough.ron", "--until", "1s", "--pace", "50"]).expect(0);
    assert!(told.out.contains("\npace          50, behind the wall clock by "), "{}", told.out);
    let refused = stage.run(&["rough.ron", "--pace", "0"]).expect(2);
    assert!(refused.err.contains("write a number from 0.001 to 1000000"), "{}", refused.err);
}

#[test]
fn ten_times_the_pace_is_a_tenth_of_the_time_and_the_same_hash() {
    let stage = Stage::new();
    let shop = ours("scenarios/sockshop.ron");
    let as_it_goes = stage.hash(&[&shop, "--until", "5s", "--json"]);
    let [slow, fast] = ["1", "10"].map(|pace| {
        let run = stage.run(&[&shop, "--until", "5s", "--pace", pace, "--json"]).expect(0).json();
        assert_eq!(run["trace_hash"], as_it_goes, "at pace {pace}");
        run["wall_s"].as_f64().unwrap_or_default()
    });
    // Never early, and late by no more than a machine is that has much else to do.
    assert!((5.0..6.0).contains(&slow), "{slow}");
    assert!((0.5..1.0).contains(&fast), "{fast}");
}

#[test]
fn somebody_outside_is_for_paced_runs_and_check_says_so() {
    let stage = Stage::new();
    let text = ENDLESS.replace(
        r#"services: ["#,
        r#"services: [(name: "in", gateway: ()), (name: "out", external: "http://127.0.0.1:1/api"),"#,
    );
    fs::write(stage.path("outside.ron"), text).unwrap();
    let checked = stage.run(&["check", "outside.ron"]).expect(0);
    let note = "  note: `out` lives outside: runs of this are paced, with --pace or `serve`\n";
    assert!(checked.out.ends_with(note), "{}", checked.out);
    let refused = stage.run(&["outside.ron", "--until", "1s"]).expect(2);
    assert!(refused.err.contains("`out` lives outside"), "{}", refused.err);
}

#[test]
fn check_names_services_that_no_path_leads_to() {
    let stage = Stage::new();
    let with = |services: &str| ENDLESS.replace("services: [", &format!("services: [{services}"));
    let out = |file: &str| stage.run(&["check", file]).expect(0).out;
    let named = r#"(name: "events", external: "http://127.0.0.1:1/api"),"#;
    fs::write(stage.path("open.ron"), with(&format!(r#"(name: "in", gateway: ()),{named}"#))).unwrap();
    let checked = out("open.ron");
    let note = "  note: `events` is not reached over REST: /events is no path of a service. JSON-RPC reaches it\n";
    assert!(checked.contains(note) && checked.matches("over REST").count() == 1, "{checked}");
    // Without a gateway there are no paths.
    fs::write(stage.path("closed.ron"), with(r#"(name: "events", actor: "echo/server"),"#)).unwrap();
    assert!(!out("closed.ron").contains("over REST"));
}
