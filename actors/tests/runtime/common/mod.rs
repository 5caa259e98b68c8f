//! What the tests share: random networks with an independent account of their routes and cuts
//! ([`networks`], [`cuts`]), services that send what a script says ([`cast`], [`errands`]), both put together
//! ([`scenes`]), and a sink that keeps the whole story of a run ([`story`]).

pub mod cast;
pub mod cuts;
pub mod directories;
pub mod errands;
pub mod networks;
pub mod ordeals;
pub mod scenes;
pub mod story;
pub mod troupe;

use rehearsal_actors::units::{SimDuration, SimTime};

/// So many milliseconds.
pub const fn ms(millis: u64) -> SimDuration {
    SimDuration::from_millis(millis)
}

/// The instant so many milliseconds after the start.
pub const fn at_ms(millis: u64) -> SimTime {
    SimTime::from_nanos(millis * 1_000_000)
}
