//! Scenarios that say what must hold, and what their runs come to.

mod common;

use std::error::Error;
use std::fs;
use std::process::Command;

use common::Told;
use serde_json::json;

type TestResult = Result<(), Box<dyn Error>>;

/// Five parcels, sent every 10 ms from the beginning on, each 2 ms on its way: taken at 2, 12, 22, 32
/// and 42 ms. Runs it with these expectations.
fn parcels(expectations: &str, options: &[&str]) -> Result<Told, Box<dyn Error>> {
    let text = format!(
        r#"Scenario(
            version: 1,
            name: "parcels",
            network: Explicit(nodes: [(name: "a"), (name: "b")], links: [(from: "a", to: "b", latency: "2ms")]),
            services: [
                (name: "sender", actor: "load/sender", node: "a", params: (count: 5)),
                (name: "sink", actor: "load/sink", node: "b"),
            ],
            expect: [{expectations}],
        )"#
    );
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("parcels.ron"), text)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearsal"));
    command.arg("parcels.ron").args(options).current_dir(folder.path()).env_remove("CLICOLOR_FORCE");
    Ok(Told::of(&command.output()?))
}

#[test]
fn what_was_expected_is_told_with_what_was_measured() -> TestResult {
    let told = parcels(
        r#"Outcomes(interface: Mpi, kind: Ack, exactly: 5),
        Ratio(kinds: [Ack], at_least: 1),
        Latency(interface: Mpi, percentile: 99.9, at_most: "2ms"),
        Counter(name: "parcels taken", service: "sink", at_least: 5),
        Always(counter: "parcels taken", at_most: "parcels sent"),
        Eventually(counter: "parcels taken", at_least: 3, by: "22ms"),
        Restarts(exactly: 0),"#,
        &[],
    )?
    .expect(0);
    let expected = "
expectations
  ✓ MPI ack: 5 (exactly 5)
  ✓ ack: 100 %, 5 of 5 (at least 100 %)
  ✓ MPI p99.9: 2.00 ms (at most 2ms)
  ✓ parcels taken of sink: 5 (at least 5)
  ✓ parcels taken, always: held (at most parcels sent)
  ✓ parcels taken, eventually: since 22ms (at least 3 by 22ms)
  ✓ restarts: 0 (exactly 0)
";
    assert!(told.out.contains(expected), "{}", told.out);
    assert!(told.out.contains("\nended well "), "{}", told.out);
    Ok(())
}

#[test]
fn a_run_whose_expectations_do_not_hold_ends_with_code_1_and_the_reason() -> TestResult {
    let too_soon = r#"Eventually(counter: "parcels taken", at_least: 3, by: "21ms")"#;
    let told = parcels(too_soon, &[])?.expect(1);
    assert!(told.out.contains("  ✗ parcels taken, eventually: 2 at 21ms (at least 3 by 21ms)\n"), "{}", told.out);
    let why =
        "error: the run did not end well: parcels taken, eventually: expected at least 3 by 21ms, but found 2 at 21ms";
    assert_eq!(parcels(too_soon, &["--quiet"])?.expect(1).err.trim_end(), why);

    let two = r#"Always(counter: "parcels sent", at_most: 3), Outcomes(interface: Rest, kind: Reply, at_least: 1)"#;
    let told = parcels(two, &["--json"])?.expect(1);
    let object = told.json();
    assert_eq!(object["ended_well"], false);
    assert_eq!(
        object["expectations"],
        json!([
            // The fourth leaves at 30 ms.
            {"subject": "parcels sent, always", "wanted": "at most 3", "measured": "4 at 30ms, when the limit was 3",
             "value": 4, "holds": false},
            {"subject": "REST reply", "wanted": "at least 1", "measured": "0", "value": 0, "holds": false},
        ])
    );
    let why = "2 expectations do not hold, the first parcels sent, always: \
               expected at most 3, but found 4 at 30ms, when the limit was 3";
    assert_eq!(object["problem"], why);
    Ok(())
}

#[test]
fn expectations_that_nothing_was_measured_for_do_not_hold() -> TestResult {
    for nothing in [
        r#"Latency(interface: Rest, percentile: 99, at_most: "1s")"#,
        "Ratio(interface: Rest, kind: Reply, at_least: 0.9)",
        r#"Recovery(at_most: "1s")"#,
    ] {
        let object = parcels(nothing, &["--json"])?.expect(1).json();
        assert_eq!(object["expectations"][0]["value"], json!(null), "{nothing}");
    }
    Ok(())
}
