//! `rehearsal completions`: what shells need to know of the command line.

use std::process::ExitCode;

use super::arguments::{self, client::Completions};
use super::complaint::Complaint;
use super::console;

pub(super) fn completions(arguments: &Completions, program: &str) -> Result<ExitCode, Complaint> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut arguments::command(program), program, &mut script);
    console::say_bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}
