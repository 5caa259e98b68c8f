//! The runtimes that are measured: one file each, one line each in [`all`].

mod bare_loop;
mod nexosim;
mod raw_actix;
mod rehearsal;
mod simulacra;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::memory::{Footprint, Growth};
use crate::workloads::{Gossip, PingPong, RequestReply, Workload};

/// Every peer, in the order in which a round calls them.
///
/// A new one is a file beside the others with a type that implements [`Peer`], and a line here; a runtime that is
/// measured in two manners, as Rehearsal's handlers and sequential services are, is two peers.
pub fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(rehearsal::Handlers),
        Box::new(rehearsal::Sequential),
        Box::new(raw_actix::RawActix),
        Box::new(bare_loop::BARE_HEAP),
        Box::new(bare_loop::BARE_CALENDAR),
        Box::new(nexosim::Nexosim),
        Box::new(simulacra::Simulacra),
    ]
}

/// A column of the table. Peers may share one: it shows the fastest of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Rehearsal, services that are plain handlers.
    Handlers,
    /// Rehearsal, services that await their messages one after the other.
    Sequential,
    /// `do_send` between Actix actors, no network.
    RawActix,
    /// An event loop without actors.
    BareLoop,
    /// NeXosim.
    Nexosim,
    /// simulacra.
    Simulacra,
}

impl Column {
    /// All columns, from left to right.
    pub const ALL: [Column; 6] =
        [Column::Handlers, Column::Sequential, Column::RawActix, Column::BareLoop, Column::Nexosim, Column::Simulacra];

    /// What stands over the column, at most eleven characters.
    pub fn heading(self) -> &'static str {
        match self {
            Column::Handlers => "handlers",
            Column::Sequential => "sequential",
            Column::RawActix => "raw actix",
            Column::BareLoop => "bare loop",
            Column::Nexosim => "nexosim",
            Column::Simulacra => "simulacra",
        }
    }
}

/// What a runtime did with a workload, and how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Messages that services really were given: counted by the services or by the runtime, not by the harness.
    pub delivered: u64,
    /// Virtual time of the last delivery, in nanoseconds; `None` if the runtime has no clock.
    pub ended_at: Option<u64>,
    /// From just before the first message is sent until nothing is left to do; neither building nor tearing down.
    pub wall: Duration,
    /// The part of the run after a start-up that the runtime owes to itself and pays only once (its routes, say):
    /// messages delivered in it, and the time it took. `None` if there is no such thing.
    pub steady: Option<(u64, Duration)>,
}

/// Why there is no figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// This workload or size is not for this peer.
    #[error("takes no part")]
    TakesNoPart,
    /// The runtime reported an error.
    #[error("{0}")]
    Runtime(String),
    /// It lost messages, or delivered some twice.
    #[error("delivered {delivered} messages where {expected} were sent")]
    Miscounted {
        /// What services were given.
        delivered: u64,
        /// What they should have been given.
        expected: u64,
    },
    /// It delivered them at other times than the links allow.
    #[error("ended after {ended_at} ns of virtual time; worked out by hand, it is {expected} ns")]
    WrongTime {
        /// The runtime's last delivery.
        ended_at: u64,
        /// When that should have been.
        expected: u64,
    },
}

impl Failure {
    /// An error of the runtime, in its own words.
    pub fn runtime(error: impl std::fmt::Display) -> Self {
        Failure::Runtime(error.to_string())
    }
}

/// A runtime to be measured. What it cannot do it leaves out: the table then shows a dash.
pub trait Peer {
    /// Unique; what `--only` matches and `--json` prints.
    fn name(&self) -> &'static str;

    /// Where its figures go.
    fn column(&self) -> Column;

    /// By how much to divide the number of messages, so that slow runtimes do not keep everyone waiting.
    fn fewer_messages(&self, _workload: &Workload) -> u64 {
        1
    }

    /// Plays the match.
    fn ping_pong(&self, _game: &PingPong) -> Result<Measured, Failure> {
        Err(Failure::TakesNoPart)
    }

    /// Passes the tokens on.
    fn gossip(&self, _gossip: &Gossip) -> Result<Measured, Failure> {
        Err(Failure::TakesNoPart)
    }

    /// Asks and replies.
    fn request_reply(&self, _shop: &RequestReply) -> Result<Measured, Failure> {
        Err(Failure::TakesNoPart)
    }

    /// Creates so many services, lets them start and wait for a message, and calls [`Footprint::complete`] while they
    /// do. Runs in a process of its own; `before` was taken at its start.
    fn idle(&self, _services: u32, _before: Footprint) -> Result<Growth, Failure> {
        Err(Failure::TakesNoPart)
    }
}

/// Has a peer do a workload.
pub fn run(peer: &dyn Peer, workload: &Workload) -> Result<Measured, Failure> {
    match workload {
        Workload::PingPong(game) => peer.ping_pong(game),
        Workload::Gossip(gossip) => peer.gossip(gossip),
        Workload::RequestReply(shop) => peer.request_reply(shop),
    }
}
