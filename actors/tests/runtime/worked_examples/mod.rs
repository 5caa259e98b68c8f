//! Small scenes with expected values worked out by hand.

mod actors;
mod delivery;
mod endings;
mod lifecycle;
mod messages;
mod monitors;
mod panics;
mod queues;
mod requests;
mod steps;
mod timeouts;
