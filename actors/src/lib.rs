//! The runtime of Rehearsal: actors, what they say to each other, the clock, the network.
//!
//! From the ground up, each floor knowing nothing of the ones above it:
//!
//! 1. plain data: [`units`], [`random`], [`outcome`], [`topology`], [`routes`], [`changes`],
//!    [`monitors`], [`trace`], [`report`], [`directory`];
//! 2. the clock and the network: what is due when, at what price, in which order;
//! 3. the Actix actors: network, [`router`], service host, and the [`context`] they live in;
//! 4. what a service sees: [`service`] and its [`interfaces`];
//! 5. [`simulation`]: a run from its beginning to its end;
//! 6. [`outside`]: the way into a run from other threads;
//! 7. [`stock`]: services that come with it, written as anybody would write them.
#![forbid(unsafe_code)]

pub mod changes;
mod clock;
pub mod context;
pub mod directory;
pub mod interfaces;
pub mod monitors;
mod network;
pub mod outcome;
pub mod outside;
mod panics;
mod prefetch;
pub mod random;
pub mod report;
pub mod router;
pub mod routes;
mod rules;
pub mod service;
pub mod simulation;
pub mod stock;
pub mod supervision;
pub mod topology;
pub mod trace;
pub mod units;

/// The actor framework underneath, for whoever needs more of it than the [`prelude`] has.
pub use actix;
pub use network::ports::{Body, Delivery};

/// What people who write services need.
pub mod prelude {
    pub use actix::prelude::{Actor, ActorContext, AsyncContext, Handler};

    pub use crate::context::{Accepts, Networked, ServiceContext};
    pub use crate::interfaces::CallError;
    pub use crate::interfaces::events::{Event, Subscriptions};
    pub use crate::interfaces::rest::{Endpoints, IntoResponse, Method, Request, Response};
    pub use crate::interfaces::rpc::{Failure, Interfaces, ReplyChannel};
    pub use crate::outcome::Undelivered;
    pub use crate::service::{Service, ServiceIo, Step, StepError, StepResult};
    pub use crate::trace::ServiceId;
    pub use crate::units::{Bytes, SimDuration, SimTime};
    pub use crate::{Body, Delivery};
}
