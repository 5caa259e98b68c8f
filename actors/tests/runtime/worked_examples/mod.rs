//! Small scenes with expected values worked out by hand.

mod actors;
mod delivery;
mod directories;
mod endings;
mod events;
mod lifecycle;
mod lives;
mod messages;
mod monitors;
mod outside;
mod paced;
mod panics;
mod panics_everywhere;
mod queues;
mod raw;
mod reply_channel;
mod requests;
mod routing;
mod rpc;
mod rpc_any;
mod steps;
mod supervised_runs;
mod supervision;
mod timeouts;
