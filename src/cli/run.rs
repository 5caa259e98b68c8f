//! `rehearsal SCENARIO.ron`: runs a scenario and prints what came of it.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use rehearsal_actors::report::Ending;
use rehearsal_actors::simulation::{self, Pacing, Progress};

use super::arguments::Run;
use super::complaint::{Complaint, error_line};
use super::interrupt::end_on_ctrl_c;
use super::opened::open;
use super::progress::Watcher;
use super::{console, opened};
use crate::finished::Finished;
use crate::registry::Registry;
use crate::summary::Detail;
use crate::trace_file::TraceFile;
use crate::{json, summary};

pub(super) fn run(arguments: &Run, registry: &Registry) -> Result<ExitCode, Complaint> {
    let trace_path = arguments.trace.as_deref();
    if arguments.json && trace_path.is_some_and(is_stdout) {
        return Err(Complaint::TraceAndJson);
    }
    let scenario = open(&arguments.scenario, registry, arguments.seed, arguments.until)?;
    if let (None, Some(service)) = (arguments.pace, scenario.outside.first()) {
        return Err(Complaint::OutsideUnpaced { service: service.clone() });
    }
    let pacing = arguments.pace.map(|pace| Pacing { pace, stay_open: false });
    let progress = Arc::new(Progress::default());
    // After the scenario was found to be right: a mistake in it costs nobody an older trace.
    let trace = trace_path.map(|path| open_trace(path, &arguments.scenario, &progress)).transpose()?;
    end_on_ctrl_c(&progress);

    let finished = perform(scenario, pacing, trace.as_ref(), &progress, arguments.quiet || arguments.json)?;
    let telling =
        Telling { json: arguments.json, quiet: arguments.quiet, verbose: arguments.verbose, trace: trace_path };
    tell_all(&finished, trace, &telling)
}

/// What is to be told of a run, and where.
pub(super) struct Telling<'a> {
    pub(super) json: bool,
    pub(super) quiet: bool,
    pub(super) verbose: bool,
    pub(super) trace: Option<&'a Path>,
}

/// Ends the trace and tells what came of a run. What is known is told first, then what is missing.
pub(super) fn tell_all(
    finished: &Finished,
    trace: Option<TraceFile>,
    telling: &Telling<'_>,
) -> Result<ExitCode, Complaint> {
    let trace_end = trace.map_or(Ok(()), TraceFile::finish);
    // Somebody who stops reading the trace (`| head`) has read enough: that is how the run came to be ended.
    let is_read_enough = telling.trace.is_some_and(is_stdout)
        && trace_end.as_ref().is_err_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe);
    if is_read_enough && finished.report.ending == Ending::Interrupted && finished.unexpected_failures() == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    tell(finished, telling)?;
    match (telling.trace, trace_end) {
        (Some(path), Err(cause)) if !is_read_enough => Err(Complaint::TraceWrite { path: path.to_owned(), cause }),
        _ => Ok(if finished.ended_well() { ExitCode::SUCCESS } else { ExitCode::from(1) }),
    }
}

/// Runs it, with a bar if it takes long and may be seen.
pub(super) fn perform(
    scenario: opened::Opened,
    pacing: Option<Pacing>,
    trace: Option<&TraceFile>,
    progress: &Arc<Progress>,
    in_silence: bool,
) -> Result<Finished, Complaint> {
    let opened::Opened { name, setup, violated, expectations, .. } = scenario;
    let (nodes, links, until) = (setup.topology.node_count(), setup.topology.link_count(), setup.until);
    let watcher = if in_silence { None } else { Watcher::start(progress, until) };
    let begun = Instant::now();
    let (sink, progress) = (trace.map(TraceFile::sink), Arc::clone(progress));
    let report = match pacing {
        None => simulation::run(setup, sink, progress),
        Some(pacing) => simulation::run_paced(setup, pacing, sink, progress),
    };
    let wall = begun.elapsed();
    drop(watcher);
    Ok(Finished { scenario: name, nodes, links, violated, expectations, wall, report: report? })
}

/// Prints the summary, the object, or nothing; and to whoever did not ask for a summary, in a line
/// what went wrong.
fn tell(finished: &Finished, telling: &Telling<'_>) -> Result<(), Complaint> {
    if telling.json {
        console::say(&json::render(finished)?)?;
    } else if !telling.quiet {
        let detail = if telling.verbose { Detail::Full } else { Detail::Short };
        let text = summary::render(finished, detail);
        match telling.trace.is_some_and(is_stdout) {
            true => console::note(&text),
            false => console::say(&text)?,
        }
        return Ok(());
    }
    if let Some(why) = finished.what_went_wrong() {
        console::note(&error_line(&format!("the run did not end well: {}", why)));
    }
    Ok(())
}

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

pub(super) fn open_trace(path: &Path, scenario: &Path, progress: &Arc<Progress>) -> Result<TraceFile, Complaint> {
    if is_stdout(path) {
        return Ok(TraceFile::to(io::stdout(), Arc::clone(progress)));
    }
    // Also through links; a file that is not there yet is not the scenario.
    if same_file::is_same_file(path, scenario).unwrap_or(false) {
        return Err(Complaint::TraceIsScenario(path.to_owned()));
    }
    TraceFile::create(path, Arc::clone(progress)).map_err(|cause| Complaint::TraceOpen { path: path.to_owned(), cause })
}
