//! `rehearsal route`: what a message pays on its way.

use std::process::ExitCode;

use super::arguments::Route;
use super::complaint::Complaint;
use super::console;
use super::opened::open;
use crate::registry::Registry;
use crate::route::{Place, render};

pub(super) fn route(arguments: &Route, registry: &Registry) -> Result<ExitCode, Complaint> {
    let setup = open(&arguments.scenario, registry, arguments.seed, None)?.setup;
    let from = Place::find(&setup, &arguments.from)?;
    let to = Place::find(&setup, &arguments.to)?;
    console::say(&render(&setup, from, to, arguments.bytes)?)?;
    Ok(ExitCode::SUCCESS)
}
