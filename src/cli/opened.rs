//! From a file's path to what can be run or drawn: the one place that knows what a scenario is made
//! of.

use std::path::Path;

use clap::CommandFactory;

use rehearsal_actors::simulation::Setup;
use rehearsal_actors::units::SimTime;

use super::arguments::Arguments;
use super::complaint::Complaint;
use crate::expectations::Expectation;
use crate::registry::Registry;
use crate::scenario::{Door, Scenario};

/// A scenario that has no mistakes, ready to begin.
pub(super) struct Opened {
    /// What it is called.
    pub(super) name: String,
    /// What the runtime takes.
    pub(super) setup: Setup,
    /// Requirements that the placement violates, spelled out.
    pub(super) violated: Vec<String>,
    /// What must hold of its run.
    pub(super) expectations: Vec<Expectation>,
    /// The way in, if there is one.
    pub(super) door: Option<Door>,
    /// Services that live outside.
    pub(super) outside: Vec<String>,
}

/// Reads a scenario and draws its network and placement. `seed` and `until` take the place of what
/// it says itself.
///
/// # Errors
///
/// [`Complaint::Scenario`], with every mistake that was found.
pub(super) fn open(
    path: &Path,
    registry: &Registry,
    seed: Option<u64>,
    until: Option<SimTime>,
) -> Result<Opened, Complaint> {
    let complain = |mistakes| Complaint::Scenario { mistakes, hint: meant_command(path) };
    let scenario = Scenario::load(path, registry).map_err(complain)?;
    let prepared = scenario.prepare(seed, until).map_err(complain)?;
    Ok(Opened {
        name: prepared.name,
        violated: prepared.violations.iter().map(ToString::to_string).collect(),
        expectations: prepared.expectations,
        door: prepared.door,
        outside: prepared.outside,
        setup: prepared.setup,
    })
}

/// What to say about a file that is not there and whose name is a slip of the finger away from a
/// command.
fn meant_command(path: &Path) -> Option<String> {
    let name = path.to_str()?;
    if name.contains(['/', '\\', '.']) || path.exists() {
        return None;
    }
    let commands = Arguments::command();
    let close = |command: &&clap::Command| strsim::damerau_levenshtein(name, command.get_name()) <= 2;
    let nearest = commands.get_subcommands().find(close)?;
    Some(format!("help: did you mean the command `{}`?", nearest.get_name()))
}
