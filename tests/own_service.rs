//! A crate of somebody else, `examples/own-service`, that brings actors of its own and gets the
//! whole command line for them. It is built by itself, as theirs would be.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use common::Told;

/// The folder of the crate.
fn crate_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/own-service")
}

/// Builds the crate's program if need be, and runs it in the crate's folder.
fn run(arguments: &[&str]) -> Told {
    // Beside our own build, whose lock the `cargo test` above us may hold.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("own-service");
    let mut cargo = Command::new(env!("CARGO"));
    // With its lock file everything it needs has been fetched for our own build already.
    cargo.args(["run", "--quiet", "--locked", "--target-dir"]).arg(target).arg("--").args(arguments);
    let output = cargo.current_dir(crate_folder()).stdin(Stdio::null()).output();
    Told::of(&output.unwrap())
}

/// The scenario of the crate with something else in place of `old`, in a file of its own; and where
/// the new text stands: line and column.
fn scenario_with(folder: &Path, old: &str, new: &str) -> (String, String) {
    let text = fs::read_to_string(crate_folder().join("greenhouse.ron")).unwrap();
    let before = text.split(old).next().unwrap();
    assert!(before.len() < text.len(), "`{old}` stands in the scenario");
    let (line, column) = (before.lines().count(), before.lines().last().unwrap().len() + 1);
    let file = folder.join("changed.ron").display().to_string();
    fs::write(&file, text.replace(old, new)).unwrap();
    let place = format!("{file}:{line}:{column}");
    (file, place)
}

#[test]
fn its_scenario_ends_as_its_comment_works_out() {
    let run = run(&["greenhouse.ron", "--json"]).expect(0).json();
    // 6 readings: a request answered, a message there, and one back. The seventh request has no route.
    let mpi = &run["outcomes"]["mpi"];
    let rest = &run["outcomes"]["rest"];
    assert_eq!((&mpi["ack"], &rest["reply"], &rest["undelivered"]), (&json!(12), &json!(6), &json!(1)));
    assert_eq!(run["traffic"]["undelivered"], 1);
    // A request and its response, two messages: four deliveries a reading, each 5 ms on its way.
    assert_eq!(run["deliveries"], 4 * 6);
    assert_eq!((&run["latency_ms"]["p50"], &run["latency_ms"]["max"]), (&json!(5.0), &json!(5.0)));
    assert_eq!(run["latency_ms_by_interface"]["rest"]["max"], 10.0);
    // 26 is above 25, then 26 - 3 is not, nor is 23 + 2.
    assert_eq!(run["counters"], json!({ "times opened": 1, "values stored": 6 }));
    let thermometer = &run["services"][0];
    assert_eq!(thermometer["step_values"], json!([20, 22, 24, 26, 23, 25]));
    assert_eq!(thermometer["failed_steps"], json!({ "no route to `logbook`": 1 }));
    // Steps begin at 0 s to 6 s; that of 7 s finds nothing left to do.
    assert_eq!((&run["virtual_s"], &run["ending"]), (&json!(7.0), &json!("quiescent")));
}

#[test]
fn its_actors_are_listed_next_to_the_stock() {
    let list = run(&["actors"]).expect(0).out;
    for line in [
        "greenhouse/thermometer  Reports how warm it is, and books it.",
        "greenhouse/vent         Opens when it gets too warm.",
        "store/server            Keeps values by key",
    ] {
        assert!(list.lines().any(|listed| listed.starts_with(line)), "{line}\n{list}");
    }
}

#[test]
fn mistakes_in_its_own_parameters_are_shown_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for (old, new, said) in [
        // What serde cannot read, and what the actor does not want.
        ("above: 25", "abvoe: 25", ["unknown field `abvoe`", "did you mean `above`?"]),
        ("25)", "\"warm\")", ["expected a whole number", "params: (above: \"warm\")"]),
        ("(above: 25)", "(above: -300)", ["service `vent`: it is never colder than -273 degrees", "-300"]),
        ("\"greenhouse/vent\"", "\"greenhouse/vant\"", ["unknown actor", "did you mean `greenhouse/vent`?"]),
    ] {
        let (file, place) = scenario_with(folder.path(), old, new);
        for arguments in [&["check", &file] as &[&str], &[&file]] {
            let told = run(arguments).expect(2);
            assert_eq!(told.out, "");
            for text in [place.as_str(), said[0], said[1]] {
                assert!(told.err.contains(text), "{text}\n{}", told.err);
            }
        }
    }
}

/// Whoever has built Rehearsal can build the crate without a network.
#[test]
fn its_lock_file_asks_for_nothing_that_ours_does_not() {
    let packages = |folder: &Path| -> BTreeSet<String> {
        let lock = fs::read_to_string(folder.join("Cargo.lock")).unwrap();
        let packages = lock.split("[[package]]").skip(1);
        packages.map(|package| package.lines().take(3).collect::<Vec<_>>().join(" ")).collect()
    };
    let ours = packages(Path::new(env!("CARGO_MANIFEST_DIR")));
    let further: Vec<_> = packages(&crate_folder())
        .difference(&ours)
        .filter(|package| !package.contains("\"own-service\""))
        .cloned()
        .collect();
    let mend = "copy Cargo.lock to examples/own-service and run `cargo metadata --offline` there";
    assert!(further.is_empty(), "{further:?} are not in our Cargo.lock: {mend}");
}
