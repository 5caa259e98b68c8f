//! `rehearsal graph`: draws a scenario.

use std::process::ExitCode;

use super::arguments::Graph;
use super::complaint::Complaint;
use super::console;
use super::opened::open;
use crate::graph::{Format, edge_count, render};
use crate::registry::Registry;

/// What Mermaid draws unless its page is configured otherwise (`maxEdges`).
const MERMAID_EDGES: usize = 500;

pub(super) fn graph(arguments: &Graph, registry: &Registry) -> Result<ExitCode, Complaint> {
    let scenario = open(&arguments.scenario, registry, arguments.seed, None)?;
    let edges = edge_count(&scenario.setup, arguments.view);
    if arguments.format == Format::Mermaid && edges > MERMAID_EDGES {
        console::note(&format!(
            "warning: {edges} edges, but Mermaid draws {MERMAID_EDGES} unless `maxEdges` is set; \
             try another --view or --format dot\n"
        ));
    }
    console::say(&render(&scenario.name, &scenario.setup, arguments.view, arguments.format))?;
    Ok(ExitCode::SUCCESS)
}
