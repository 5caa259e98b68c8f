//! The runtime, seen from outside: through its public API alone.
//!
//! - [`guarantees`]: what holds whatever the network, the traffic and the faults: property tests
//!   whose names are the guarantees;
//! - [`queueing`]: the queued link against queueing theory;
//! - [`worked_examples`]: small scenes, with expected values worked out by hand.

mod common;
mod guarantees;
mod queueing;
mod worked_examples;
