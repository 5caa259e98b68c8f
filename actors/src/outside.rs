//! The way between a run and what is outside of it.

pub mod catalogue;
