//! The door to the outside: an HTTP server in front of a run that goes by the wall clock.
//!
//! ```text
//! client --HTTP--> Server (threads of its own) --Entrance--> Gateway (a service of the run)
//!                                                               |  REST, RPC
//!                                                               v
//!                                                     the emulated network, and services
//! ```
//!
//! | path | what is there |
//! |---|---|
//! | `POST /api` | JSON-RPC 2.0; methods are `service.method`, of the service with the longest name that fits; without a service: `ping`, `locate_service`, `inspect` and `get_service_specs` of the gateway itself |
//! | `POST /api/{service}` | the same for one service; methods are `method` or `interface.method` |
//! | `/{service}/{path…}` | the service's endpoints, by GET, HEAD, POST, PUT and DELETE |
//! | `POST /events/{topic}` | tells an event: 202, and how many services it sets out to |
//! | `GET /events?pattern=…` | events whose topics fit, as server-sent events; of all topics without a pattern |
//! | `/openapi.json` | all of this, as OpenAPI 3.1 describes it |
//! | `/metrics` | figures of the run and of the gateway, for Prometheus |
//! | `/healthz`, `/readyz` | whether the server is there; whether the run is |
//!
//! What came of a request that crossed the network stands in the headers `Rehearsal-Outcome` (the name of
//! the outcome), `Rehearsal-Elapsed` (seconds of virtual time) and `Rehearsal-Hops` (links on the way
//! there). Status and body are what the service said. Where it said nothing, the body is a problem as
//! RFC 9457 has it, with two members more: `outcome`, and `definite`, which is true if it is certain that
//! the request was not carried out.
//!
//! Nothing that comes in is trusted: see [`Limits`] for what is taken of it, and [`jsonrpc`] for what is
//! made of it.

mod body;
mod calls;
mod connection;
mod conversation;
mod cors;
mod crossing;
mod dispatch;
mod events;
mod exposure;
pub mod jsonrpc;
mod limits;
mod metrics;
mod openapi;
mod pieces;
mod place;
mod problem;
mod rest;
mod server;
mod shared;

pub(crate) use calls::is_own_method;
pub(crate) use exposure::EVENTS;
pub use limits::Limits;
pub(crate) use place::leads_to;
pub use server::{Running, Server};
