//! A program with a cast of its own and the whole command line of Rehearsal.
//!
//! ```text
//! cargo run -- greenhouse.ron
//! cargo run -- actors
//! ```

mod greenhouse;

use std::process::ExitCode;

use rehearsal::prelude::*;
use rehearsal::registry::RegistryError;

fn main() -> Result<ExitCode, RegistryError> {
    let mut registry = Registry::stock();
    registry.register("greenhouse/thermometer", "Reports how warm it is, and books it.", |params| {
        Ok(Cast::service(greenhouse::Thermometer::new(params)))
    })?;
    registry.register("greenhouse/vent", "Opens when it gets too warm.", |params| {
        greenhouse::Vent::new(params).map(Cast::actor)
    })?;
    Ok(Cli::new(registry).run())
}
