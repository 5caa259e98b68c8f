//! Small scenes with expected values worked out by hand.

mod actors;
mod delivery;
mod endings;
mod lifecycle;
mod messages;
mod panics;
mod queues;
mod raw;
mod requests;
mod routing;
mod steps;
mod supervision;
mod timeouts;
