//! The runtime of Rehearsal. So far: its ground floor, which is plain data and functions.
#![forbid(unsafe_code)]

pub mod changes;
pub mod outcome;
pub mod random;
pub mod report;
pub mod routes;
pub mod topology;
pub mod trace;
pub mod units;
