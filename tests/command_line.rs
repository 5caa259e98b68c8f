//! The program as a user meets it: what it prints where, and the code it ends with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder of scenarios, and the program run in it.
struct Desk {
    folder: TempDir,
}

/// edge (1 ms) - 10 ms, 8 Mbit/s - hub (2 ms) - 20 ms - cloud (4 ms); island has no link.
const LINE: &str = r#"
Scenario(
    version: 1,
    name: "a line",
    network: Explicit(
        nodes: [
            (name: "edge", group: "near", processing: "1ms"),
            (name: "hub", processing: "2ms"),
            (name: "cloud", processing: "4ms"),
            (name: "island"),
        ],
        links: [
            (from: "edge", to: "hub", latency: "10ms", bandwidth: "8Mbit/s"),
            (from: "hub", to: "cloud", latency: "20ms"),
        ],
    ),
    services: [],
)
"#;

impl Desk {
    fn new() -> Self {
        let desk = Desk { folder: TempDir::new().unwrap() };
        desk.put("line.ron", LINE);
        desk.put("typo.ron", &LINE.replace("to: \"hub\"", "to: \"hubb\""));
        desk
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_rehearsal")));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("CLICOLOR_FORCE");
        command
    }

    fn run(&self, arguments: &[&str]) -> Told {
        Told::of(&self.command(arguments).output().unwrap())
    }
}

struct Told {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Told {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Told { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }
}

#[test]
fn help_shows_examples_and_every_command() {
    let told = Desk::new().run(&["--help"]).expect(0);
    for word in ["Examples:", "rehearsal scenarios/sockshop.ron", "run ", "check ", "graph ", "route ", "actors "] {
        assert!(told.out.contains(word), "{word} in\n{}", told.out);
    }
    assert_eq!(told.err, "");
}

#[test]
fn without_arguments_the_help_goes_to_the_standard_error() {
    let told = Desk::new().run(&[]).expect(2);
    assert!(told.err.contains("Usage:") && told.out.is_empty());
}

#[test]
fn what_cannot_be_understood_ends_with_2() {
    let desk = Desk::new();
    for arguments in [
        &["check"] as &[&str],
        &["check", "line.ron", "--json"],
        &["--json", "check", "line.ron"],
        &["line.ron", "--sead", "1"],
        &["line.ron", "--until", "soon"],
        &["line.ron", "--json", "--trace", "-"],
        &["graph", "line.ron", "--format", "png"],
        &["route", "line.ron", "edge", "cloud", "--bytes", "-1"],
    ] {
        let told = desk.run(arguments).expect(2);
        assert!(told.out.is_empty() && told.err.starts_with("error: "), "{arguments:?}: {}", told.err);
    }
}

#[test]
fn check_says_what_it_found() {
    let desk = Desk::new();
    // Two links, each in both directions.
    assert_eq!(desk.run(&["check", "line.ron"]).expect(0).out, "line.ron: ok, 4 nodes, 4 links, 0 services\n");

    let told = desk.run(&["check", "typo.ron"]).expect(2);
    assert!(told.out.is_empty() && told.err.contains("hubb") && told.err.contains("typo.ron:"), "{}", told.err);

    let told = desk.run(&["check", "typo.ron", "line.ron"]).expect(2);
    assert!(told.out.contains("line.ron: ok"), "the second is checked whatever the first\n{}", told.out);
    assert!(told.err.contains("1 of 2 scenarios have mistakes"), "{}", told.err);
}

#[test]
fn no_colours_reach_a_pipe() {
    let desk = Desk::new();
    for arguments in [&["check", "line.ron", "typo.ron"] as &[&str], &["--help"], &["line.ron", "--until"]] {
        let told = desk.run(arguments);
        assert!(!told.out.contains('\u{1b}') && !told.err.contains('\u{1b}'), "{arguments:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named_and_a_slip_of_the_finger_understood() {
    let desk = Desk::new();
    assert!(desk.run(&["nowhere.ron"]).expect(2).err.contains("nowhere.ron"));
    assert!(desk.run(&["chekc"]).expect(2).err.contains("did you mean the command `check`?"));
}

#[test]
fn a_scenario_named_like_a_command_is_run_by_its_path() {
    let desk = Desk::new();
    desk.put("check", "no RON at all");
    let told = desk.run(&["./check"]).expect(2);
    assert!(told.err.contains("check:1"), "it was read\n{}", told.err);
}

#[test]
fn graphs_are_drawn_in_both_formats() {
    let desk = Desk::new();
    let dot = desk.run(&["graph", "line.ron"]).expect(0).out;
    assert!(dot.starts_with("digraph ") && dot.ends_with("}\n") && dot.contains("[label=\"edge\\n1ms processing\""));
    let mermaid = desk.run(&["graph", "line.ron", "--format", "mermaid", "--view", "infrastructure"]).expect(0).out;
    assert!(mermaid.contains("flowchart LR") && mermaid.contains("n1 ---|\"20ms\"| n2"), "{mermaid}");
}

#[test]
fn a_route_is_priced_part_by_part() {
    let desk = Desk::new();
    // 1,000 bytes are 8,000 bits: 1 ms over 8 Mbit/s. 1 + 1 + 10, then 2 + 20, then 4: 38 ms.
    let told = desk.run(&["route", "line.ron", "edge", "cloud", "--bytes", "1000"]).expect(0);
    let total = told.out.lines().find(|line| line.trim_start().starts_with("total")).unwrap();
    assert_eq!(total.split_whitespace().collect::<Vec<_>>(), ["total", "7ms", "1ms", "30ms", "38ms"]);
}

#[test]
fn no_route_ends_with_1_and_an_unknown_name_with_2() {
    let desk = Desk::new();
    let told = desk.run(&["route", "line.ron", "edge", "island", "--bytes", "1"]).expect(1);
    assert!(told.err.contains("no chain of links leads there"), "{}", told.err);
    let told = desk.run(&["route", "line.ron", "edge", "clowd", "--bytes", "1"]).expect(2);
    assert!(told.err.contains("did you mean `cloud`?"), "{}", told.err);
}

#[test]
fn a_trace_never_overwrites_the_scenario() {
    let desk = Desk::new();
    for trace in ["line.ron", "./line.ron"] {
        let told = desk.run(&["line.ron", "--trace", trace]).expect(2);
        assert!(told.err.contains("is the scenario itself"), "{}", told.err);
    }
    assert_eq!(fs::read_to_string(desk.path("line.ron")).unwrap(), LINE);
}

#[test]
fn a_trace_to_nowhere_is_refused_and_a_wrong_scenario_costs_no_older_trace() {
    let desk = Desk::new();
    let told = desk.run(&["line.ron", "--trace", "no/such/folder.jsonl"]).expect(2);
    assert!(told.err.contains("cannot write the trace to no/such/folder.jsonl"), "{}", told.err);

    desk.put("old.jsonl", "kept");
    desk.run(&["typo.ron", "--trace", "old.jsonl"]).expect(2);
    assert_eq!(fs::read_to_string(desk.path("old.jsonl")).unwrap(), "kept");
}

#[cfg(unix)]
#[test]
fn whoever_stops_listening_is_no_error() {
    let desk = Desk::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = desk.command(&["graph", "line.ron"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    let told = Told::of(&output).expect(0);
    assert_eq!(told.err, "");
}

/// `--trace - | head`, of a story that is longer than what is gathered before it is written.
#[cfg(unix)]
#[test]
fn whoever_has_read_enough_of_a_trace_ends_the_run_in_silence() {
    let desk = Desk::new();
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/contention.ron");
    for quiet in [&[] as &[&str], &["--quiet"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let arguments = [&[scenario, "--trace", "-"], quiet].concat();
        let output = desk.command(&arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(Told::of(&output).expect(0).err, "");
    }
    // One that is short was told whole, and so is what came of it.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = desk.command(&["line.ron", "--trace", "-"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert!(Told::of(&output).expect(0).err.contains("a line"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_one() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let desk = Desk::new();
    let output = desk.command(&["graph", "line.ron"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let told = Told::of(&output).expect(1);
    assert!(told.err.contains("cannot write to the standard output"), "{}", told.err);
}

#[test]
fn serve_refuses_what_nobody_could_show_or_send() {
    let desk = Desk::new();
    for (arguments, word) in [
        (["--token", "ü"], "visible ASCII"),
        (["--token", &"a".repeat(4_097)], "the most is 4096"),
        (["--token", ""], "empty token"),
        (["--allow-origin", "http://localhost:3000/"], "with a path or a slash"),
        (["--allow-origin", "localhost:3000"], "no scheme"),
    ] {
        let told = desk.run(&[&["serve", "line.ron"] as &[&str], &arguments].concat()).expect(2);
        assert!(told.err.contains(word), "{}", told.err);
    }
    let with = |token: &str| {
        let mut command = desk.command(&["serve", "line.ron"]);
        Told::of(&command.env("REHEARSAL_TOKEN", token).output().unwrap()).expect(2).err
    };
    assert!(with("ü").contains("REHEARSAL_TOKEN cannot be used"), "{}", with("ü"));
    // An empty one is none, and the next thing that is wrong is the scenario.
    assert!(with("").contains("has no gateway to come in by"), "{}", with(""));
}
