//! The command line: what is typed, what is printed, and with which code it ends.
//!
//! Stands on top of everything: a command opens a scenario, hands its setup to the runtime or to a
//! report, and prints what comes back; or it asks a run that goes on elsewhere ([`crate::client`]). One
//! file a command; `opened` is the only one that knows what a scenario is made of, `asking` has what
//! those that ask have in common, `trouble` what goes wrong for them.

mod actors;
mod arguments;
mod asking;
mod call;
mod call_raw;
mod check;
mod complaint;
mod completions;
mod console;
mod discover;
mod emit;
mod graph;
mod inspect;
mod interrupt;
mod manual;
mod opened;
mod params;
mod progress;
mod request;
mod route;
mod run;
mod serve;
mod subscribe;
mod trouble;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::FromArgMatches;

use self::arguments::client::ClientCommand;
use self::arguments::{Arguments, Command};
use self::complaint::Complaint;
use crate::registry::Registry;

/// The whole command line, with a cast of your own.
///
/// The `rehearsal` binary is the smallest program that uses it. One that knows actors of its own
/// registers them first, and its scenarios may name them:
///
/// ```no_run
/// use rehearsal::Cli;
/// use rehearsal::registry::Registry;
///
/// fn main() -> std::process::ExitCode {
///     let mut registry = Registry::stock();
///     // registry.register("home/thermometer", "Says how warm it is.", …)
///     Cli::new(registry).run()
/// }
/// ```
///
/// The exit code is 0 if the run ended well, 1 if it did not (it was interrupted or got stuck, a
/// service failed that neither a fault of the scenario nor its author had in mind, an expectation
/// does not hold; no route; a trace that could not be written), and 2 for a mistake on the command
/// line or in a scenario. Commands that ask somebody else (`call`, `request`, …) tell more: 3 if time ran
/// out, 4 if it could not be delivered, 5 if the connection broke or the service was gone before there was an
/// answer; everything else that is no reply, a message that was lost among it, is 1.
///
/// Whoever stops reading the output (`| head`) has read enough: the program ends in silence, with 0.
#[derive(Debug)]
pub struct Cli {
    registry: Registry,
}

impl Cli {
    /// A command line whose scenarios may name the actors of `registry`.
    pub fn new(registry: Registry) -> Self {
        Cli { registry }
    }

    /// Does what the arguments of this process ask for.
    pub fn run(self) -> ExitCode {
        self.run_from(std::env::args_os())
    }

    /// Does what `arguments` ask for. The first is the name of the program.
    pub fn run_from(self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let program = arguments.first().and_then(|first| Path::new(first).file_stem());
        let program = program.map_or("rehearsal".into(), |name| name.to_string_lossy());
        let command = arguments::command(&program);
        let parsed = command.try_get_matches_from(&arguments).and_then(|matches| Arguments::from_arg_matches(&matches));
        let arguments = match parsed {
            Ok(arguments) => arguments,
            Err(answer) => {
                // Help and version come this way, too. If nobody can be told, the code still tells.
                let _ = answer.print();
                return exit_code(answer.exit_code());
            }
        };
        match self.obey(&arguments, &program) {
            Ok(code) => code,
            Err(complaint) => {
                console::complain(&complaint);
                complaint.exit_code()
            }
        }
    }

    fn obey(&self, arguments: &Arguments, program: &str) -> Result<ExitCode, Complaint> {
        let registry = &self.registry;
        match (&arguments.command, &arguments.run) {
            (Some(Command::Run(run)), _) | (None, Some(run)) => run::run(run, registry),
            (Some(Command::Serve(serve)), _) => serve::serve(serve, registry),
            (Some(Command::Check(check)), _) => check::check(check, registry),
            (Some(Command::Graph(graph)), _) => graph::graph(graph, registry),
            (Some(Command::Route(route)), _) => route::route(route, registry),
            (Some(Command::Actors), _) => actors::actors(registry),
            (Some(Command::Client(command)), _) => obey_client(command, program),
            (None, None) => Err(Complaint::Nothing),
        }
    }
}

/// What needs no scenario: it asks somebody else, or is about the command line itself.
fn obey_client(command: &ClientCommand, program: &str) -> Result<ExitCode, Complaint> {
    match command {
        ClientCommand::Call(arguments) => call::call(arguments),
        ClientCommand::CallRaw(arguments) => call_raw::call_raw(arguments),
        ClientCommand::Request(arguments) => request::request(arguments),
        ClientCommand::Inspect(arguments) => inspect::inspect(arguments),
        ClientCommand::Discover(arguments) => discover::discover(arguments),
        ClientCommand::Emit(arguments) => emit::emit(arguments),
        ClientCommand::Subscribe(arguments) => subscribe::subscribe(arguments),
        ClientCommand::Completions(arguments) => completions::completions(arguments, program),
        ClientCommand::Manual(arguments) => manual::manual(arguments, program),
    }
}

/// The code of a parser's answer: 0 for help that was asked for, 2 for what could not be understood.
fn exit_code(code: i32) -> ExitCode {
    if code == 0 { ExitCode::SUCCESS } else { ExitCode::from(2) }
}
