//! The same workloads on other runtimes, and on Rehearsal, in one run.
//!
//! ```text
//! cargo run --release -p rehearsal-yardsticks              everything, in less than three minutes
//! cargo run --release -p rehearsal-yardsticks -- --quick   a fifth of the messages, three rounds
//! ```
//!
//! [`workloads`] says what is to be done, [`peers`] who does it, [`measure`] how they take turns, [`targets`] what the
//! figures should be, [`report`] how it is printed.
//!
//! To add a runtime: a file in `peers/` that implements [`peers::Peer`], and a line in [`peers::all`].
#![forbid(unsafe_code)]

mod graph;
mod measure;
mod memory;
mod peers;
mod process;
mod queues;
mod report;
mod targets;
mod workloads;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::measure::{Effort, Problem};
use crate::peers::Failure;
use crate::process::MainJob;
use crate::targets::TARGETS;

const USAGE: &str = "\
Measures Rehearsal and its yardsticks with the same workloads.

Usage: rehearsal-yardsticks [--quick] [--only TEXT] [--json]

  --quick       a fifth of the messages, three rounds instead of seven
  --only TEXT   only lines of `workload size peer` that contain TEXT: `gossip`, `ping-pong 1 `,
                `idle 100000 nexosim`; or `sockshop`
  --json        one JSON object instead of the tables
";

/// What the command line asks for.
enum Command {
    Measure {
        effort: Effort,
        json: bool,
    },
    /// In a process that measures the memory of idle services.
    Idle {
        peer: String,
        services: u32,
    },
    Help,
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut effort = Effort { rounds: 7, messages: 1_000_000, share: Duration::from_secs(6), only: None };
    let mut json = false;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => {
                effort.rounds = 3;
                effort.messages = 200_000;
                effort.share = Duration::from_secs(2);
            }
            "--json" => json = true,
            "--only" => effort.only = Some(arguments.next().ok_or("--only needs a text to look for")?),
            memory::ARGUMENT => {
                let (Some(peer), Some(Ok(services))) = (arguments.next(), arguments.next().map(|n| n.parse())) else {
                    return Err(format!("{} needs a peer and a number", memory::ARGUMENT));
                };
                return Ok(Command::Idle { peer, services });
            }
            "--help" | "-h" => return Ok(Command::Help),
            unknown => return Err(format!("unknown argument `{unknown}`")),
        }
    }
    Ok(Command::Measure { effort, json })
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Ok(Command::Help) => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        Ok(Command::Idle { peer, services }) => match memory::measure_here(&peer, services) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                eprintln!("{failure}");
                ExitCode::FAILURE
            }
        },
        Ok(Command::Measure { effort, json }) => measure_all(&effort, json),
        Err(mistake) => {
            eprint!("{mistake}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Measures, prints, and fails if a runtime did not do what it was asked to. Missing a target is not a failure: the
/// machine may be busy.
fn measure_all(effort: &Effort, json: bool) -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!("This is a debug build; its figures say nothing. Use `cargo run --release -p rehearsal-yardsticks`.");
    }
    let began = Instant::now();
    let findings = measure::measure(&peers::all(), effort, |what| {
        eprintln!("{:>4} s  {what}", began.elapsed().as_secs());
    });
    let mut failed = false;
    for Problem { case, peer, what } in &findings.problems {
        eprintln!("{case} on {peer}: {what}");
        failed = true;
    }
    let wanted = effort.only.as_ref().is_none_or(|text| "sockshop".contains(text));
    let whole = match MainJob::find().filter(|_| wanted).map(|job| job.measure(effort.rounds)) {
        Some(Ok(whole)) => Some(whole),
        Some(Err(Failure::TakesNoPart)) | None => None,
        Some(Err(failure)) => {
            eprintln!("sockshop: {failure}");
            failed = true;
            None
        }
    };
    let verdicts = TARGETS.map(|target| target.judge(&findings, whole.as_ref()));
    if json {
        println!("{:#}", report::json(&findings, whole.as_ref(), &verdicts));
    } else {
        println!("{}\n{}", report::figures(&findings), report::targets(&verdicts));
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
