//! Small scenes with expected values worked out by hand.

mod actors;
mod delivery;
mod directories;
mod endings;
mod events;
mod lifecycle;
mod messages;
mod monitors;
mod panics;
mod queues;
mod raw;
mod reply_channel;
mod requests;
mod routing;
mod rpc;
mod rpc_any;
mod steps;
mod supervision;
mod timeouts;
