//! Services that come with Rehearsal: to try a network with, to build scenarios from, and to read
//! as examples.
//!
//! | module | what is in it |
//! |---|---|
//! | [`echo`] | one service that sends everything back, and one that checks that it does |
//! | [`directory`] | a directory: who provides what, as many of them as a scenario wants |
//! | [`store`] | a REST store for values, and a client that tries all it can do |
//! | [`load`] | a generator of traffic and somewhere for it to go |
//! | [`rpc`] | one service that works on demand, one that calls it, and one that sees every outcome |
//! | [`raw`] | one service that adds one, and one that asks it to |
//! | [`events`] | one service that tells of events, and two that listen |
//! | [`faulty`] | one that fails, to see what its supervisor makes of it |
//! | [`sockshop`] | a shop of seven services, once over MPI and once over REST |
//!
//! They use what any service can use, the [prelude](crate::prelude) (the directory alone needs more:
//! it speaks as directories do), and nothing uses them: a new
//! one is a new file here and a line where actors get their names. What a service may be told is in
//! a `…Params` type, which can be read from any format that serde knows and leaves nothing to be
//! said that need not be.

pub mod directory;
pub mod echo;
pub mod events;
pub mod faulty;
pub mod load;
mod pace;
pub mod raw;
pub mod rpc;
pub mod sockshop;
pub mod store;

pub use pace::NoPause;
