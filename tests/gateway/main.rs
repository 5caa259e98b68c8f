//! The gateway from outside: a run that goes by the wall clock, a server in front of it, and clients that
//! speak HTTP byte by byte.

mod common;

mod abuse;
mod chaos;
mod events;
mod external;
mod jsonrpc;
mod limits;
mod loops;
mod metrics;
mod openapi;
mod registry;
mod rest;
mod shutdown;
