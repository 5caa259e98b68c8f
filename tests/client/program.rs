//! The program, as a user starts it.

#[path = "../common/mod.rs"]
mod common;

use std::io::Write;
use std::process::{Command, Stdio};

pub use common::Told;

/// The program with these arguments, and nothing from the environment that it would listen to.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearsal"));
    command.args(arguments).stdin(Stdio::null());
    for variable in ["CLICOLOR_FORCE", "REHEARSAL_GATEWAY", "REHEARSAL_TOKEN"] {
        command.env_remove(variable);
    }
    command
}

pub fn run(arguments: &[&str]) -> Told {
    Told::of(&command(arguments).output().unwrap())
}

/// The program, with something to read.
pub fn run_with_input(arguments: &[&str], input: &str) -> Told {
    let mut command = command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Told::of(&child.wait_with_output().unwrap())
}
