//! The door to the outside: an HTTP server in front of a run that goes by the wall clock.

pub mod jsonrpc;
