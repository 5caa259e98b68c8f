//! Everything that the command line refuses, and with which exit code.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use rehearsal_actors::simulation::StartError;

use super::trouble::Trouble;
use crate::route::RouteError;
use crate::scenario::Mistakes;
use crate::typeset::{BAD, clean, paint};

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Complaint {
    /// The scenario, or the lack of one. `hint`: what may have been meant instead.
    #[error("{mistakes}")]
    Scenario { mistakes: Mistakes, hint: Option<String> },
    /// Several scenarios were checked, their mistakes have been shown.
    #[error("{bad} of {all} scenarios have mistakes")]
    Checked { bad: usize, all: usize },
    /// The setup is one that the runtime refuses.
    #[error("the run could not begin: {0}")]
    Start(#[from] StartError),
    /// A service outside, and a run that would be over before it could answer.
    #[error("`{service}` lives outside, where time is the wall clock's: run it paced, with --pace 1, or with `serve`")]
    OutsideUnpaced { service: String },
    /// A scenario that nobody could come in to.
    #[error("{} has no gateway to come in by: add `(name: \"gateway\", gateway: ())` to its services", .0.display())]
    NoGateway(PathBuf),
    /// A token of the environment that nobody could show.
    #[error("the token of REHEARSAL_TOKEN cannot be used: {0}")]
    BadToken(String),
    /// A socket that is not to be had.
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: io::Error },
    /// Nothing to run.
    #[error("no scenario to run; try --help")]
    Nothing,
    /// A trace over the scenario.
    #[error("{} is the scenario itself, which a trace would overwrite: give the trace another file", .0.display())]
    TraceIsScenario(PathBuf),
    /// A trace to nowhere.
    #[error("cannot write the trace to {}: {cause}", .path.display())]
    TraceOpen { path: PathBuf, cause: io::Error },
    /// Two things in one stream.
    #[error("--json and --trace - would both write to the standard output: give the trace a file")]
    TraceAndJson,
    /// A trace that stops.
    #[error("the trace {} is not whole, and the run was ended when it could not go on: {cause}", .path.display())]
    TraceWrite { path: PathBuf, cause: io::Error },
    /// A question about a route with no answer.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// Nobody hears.
    #[error("cannot write to the standard output: {0}")]
    Output(#[from] io::Error),
    /// Somebody else was asked, in vain.
    #[error(transparent)]
    Client(Trouble),
    /// A run that cannot be told in JSON.
    #[error("cannot write the run as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Complaint {
    /// 2 for what somebody wrote, 1 for what happened. Whoever asks somebody else is told more.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Complaint::Client(trouble) => trouble.exit_code(),
            Complaint::Scenario { .. }
            | Complaint::Checked { .. }
            | Complaint::Start(_)
            | Complaint::NoGateway(_)
            | Complaint::BadToken(_)
            | Complaint::Nothing
            | Complaint::OutsideUnpaced { .. }
            | Complaint::TraceIsScenario(_)
            | Complaint::TraceOpen { .. }
            | Complaint::TraceAndJson
            | Complaint::Route(RouteError::Unknown { .. } | RouteError::Ambiguous { .. }) => ExitCode::from(2),
            Complaint::TraceWrite { .. }
            | Complaint::Listen { .. }
            | Complaint::Route(RouteError::NoRoute { .. })
            | Complaint::Output(_)
            | Complaint::Json(_) => ExitCode::from(1),
        }
    }

    /// What to print, in colour or not.
    pub(super) fn render(&self, colour: bool) -> String {
        match self {
            Complaint::Scenario { mistakes, hint } => {
                let hint = hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
                format!("{}{hint}\n", mistakes.render(colour))
            }
            Complaint::Client(trouble) => trouble.render(),
            other => error_line(&other.to_string()),
        }
    }
}

/// A line of the look that every error has, in colour. Names in it may hold anything.
pub(super) fn error_line(text: &str) -> String {
    format!("{} {}\n", paint(BAD, "error:"), clean(text))
}
