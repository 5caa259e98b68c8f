//! Rehearse a distributed application over an emulated network, in deterministic virtual time.
#![forbid(unsafe_code)]
