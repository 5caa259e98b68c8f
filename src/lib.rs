//! Rehearse a distributed application over an emulated network, in deterministic virtual time.
#![forbid(unsafe_code)]

mod cast;
mod cli;
pub mod client;
pub mod expectations;
pub mod finished;
pub mod gateway;
mod graph;
pub mod json;
mod outgoing;
pub mod registry;
mod route;
pub mod scenario;
mod service_url;
pub mod summary;
pub mod trace_file;
mod trail;
mod typeset;

pub use cli::Cli;
pub use rehearsal_actors as actors;

/// What a program with services of its own needs.
pub mod prelude {
    pub use rehearsal_actors::prelude::*;
    pub use rehearsal_actors::simulation::Cast;

    pub use crate::Cli;
    pub use crate::registry::Registry;
}
