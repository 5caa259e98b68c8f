//! What the README shows is what there is.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rehearsal::actors::simulation::{Progress, run};
use rehearsal::registry::Registry;
use rehearsal::scenario::Scenario;

type TestResult = Result<(), Box<dyn Error>>;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The block of code behind the mark `<!-- name -->`.
fn block(name: &str) -> Result<String, Box<dyn Error>> {
    let readme = fs::read_to_string(project().join("README.md"))?;
    let (_, rest) = readme.split_once(&format!("<!-- {name} -->\n```")).ok_or(format!("no mark for {name}"))?;
    let (_, rest) = rest.split_once('\n').ok_or("no code")?;
    let (code, _) = rest.split_once("```").ok_or("no end of the code")?;
    Ok(code.to_owned())
}

#[test]
fn the_first_scenario_runs_as_told() -> TestResult {
    let scenario = Scenario::parse("first.ron", block("first.ron")?, &Registry::stock())?;
    let report = run(scenario.prepare(None, None)?.setup, None, Arc::new(Progress::default()))?;
    assert!(report.ended_well());
    assert_eq!(report.counters["echoes heard"], 99);
    let failed = |service: usize| report.services[service].failed_steps.keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(failed(0), ["timed out waiting for Echo"]);
    assert_eq!(failed(1), ["no route to `caller`"]);
    Ok(())
}

#[test]
fn the_service_of_your_own_is_the_example() -> TestResult {
    let example = |name: &str| fs::read_to_string(project().join(name));
    let main = "examples/thermometer/src/main.rs";
    assert_eq!(block(main)?, example(main)?);
    // The file opens with a comment that the README leaves out.
    let scenario = "examples/thermometer/home.ron";
    assert!(example(scenario)?.ends_with(&block(scenario)?));
    Ok(())
}

#[test]
fn every_scenario_is_in_the_table() -> TestResult {
    let readme = fs::read_to_string(project().join("README.md"))?;
    for entry in fs::read_dir(project().join("scenarios"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        assert!(readme.contains(&format!("[`{name}`](scenarios/{name})")), "{name}");
    }
    Ok(())
}
