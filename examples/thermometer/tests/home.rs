//! A cast of one's own, run from a scenario through the public interface alone.

use std::error::Error;
use std::process::{Command, Output};

fn home(arguments: &[&str]) -> Result<Output, Box<dyn Error>> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_thermometer"));
    Ok(program.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output()?)
}

#[test]
fn the_display_reads_the_thermometer_whenever_there_is_a_route() -> Result<(), Box<dyn Error>> {
    let output = home(&["home.ron", "--json"])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    // Steps begin at 0 s, 1 s, ..., 9 s; at 3 s and 4 s the router is down.
    assert_eq!(run["counters"]["readings"], 8);
    assert_eq!(run["outcomes"]["rest"]["undelivered"], 2);
    // There: 1 + 8 + 1 + 8 + 1 ms. Measuring: 3 ms. Back: 19 ms again.
    assert_eq!(run["latency_ms_by_interface"]["rest"]["max"], 41.0);
    let display = &run["services"][1];
    let readings = display["step_values"].as_array().ok_or("no readings")?;
    assert_eq!(readings.len(), 8);
    assert!(readings.iter().all(|celsius| (18..=22).contains(&celsius.as_u64().unwrap_or(0))), "{readings:?}");
    Ok(())
}

#[test]
fn scenarios_may_name_these_actors_and_the_stock_ones_and_no_others() -> Result<(), Box<dyn Error>> {
    let actors = String::from_utf8(home(&["actors"])?.stdout)?;
    let says = |name: &str, what: &str| actors.lines().any(|line| line.starts_with(name) && line.ends_with(what));
    assert!(says("home/thermometer ", " Says how warm it is: GET /celsius."), "{actors}");
    assert!(says("echo/server ", "."), "{actors}");
    assert_eq!(home(&["check", "home.ron"])?.status.code(), Some(0));
    assert_eq!(home(&["home.ron", "--until", "soon"])?.status.code(), Some(2));
    Ok(())
}
