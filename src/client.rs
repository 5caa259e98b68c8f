//! Calling services from outside: JSON-RPC 2.0 and REST over HTTP, registries, events.
//!
//! A [`RemoteService`] is whoever answers JSON-RPC at a URL: a service of a run behind
//! `rehearsal serve`, or any other server of that protocol. Where it is may be asked of a
//! [`Registry`], or of several ([`Registries`]). A [`Gateway`] is the door of a run: all its services,
//! its REST endpoints, its events.
//!
//! # What surprises
//!
//! **A failure is definite or not.** When nobody listens at the URL, or the service said no, nothing
//! has happened, and the call may be made again. When time ran out or the connection broke, it may
//! have happened. [`Error::is_definite`] tells, and [`Error::outcome`] says it in the words that the
//! runtime has for its own calls. Nothing here tries again by itself, except at another URL of the
//! same service when the first could not even be reached.
//!
//! **Calls block** the thread that makes them. [`RemoteService::call_async`] has another thread do it.
//!
//! **Everything has a bound** ([`Settings`]): how long an answer may take, from the first look for the
//! host to the last byte; how large it may be; how many connections are kept.
//!
//! # Quick start
//!
//! ```
//! # let url: String = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/client/example_server.rs"));
//! use rehearsal::client::{Error, RemoteService};
//! use serde_json::json;
//!
//! // `url` is http://127.0.0.1:…/api, where somebody has a method `add`.
//! let service = RemoteService::at(&url)?;
//! let sum: i64 = service.call("add", json!({"a": 19, "b": 23}))?;
//! assert_eq!(sum, 42);
//!
//! // By position, too; and nobody waits for the answer of a notification.
//! assert_eq!(service.call::<i64>("add", (19, 23))?, 42);
//! service.notify("add", (1, 1))?;
//!
//! // What the other side refuses is told apart from what went wrong on the way.
//! match service.call::<i64>("subtract", (3, 1)) {
//!     Err(Error::Remote(refusal)) => assert_eq!(refusal.code, -32601),
//!     other => panic!("it only adds: {other:?}"),
//! }
//! # Ok::<(), Error>(())
//! ```
//!
//! May use `ureq` and the plain data of the runtime ([`outcome`](crate::actors::outcome),
//! [`units`](crate::actors::units), descriptions of interfaces); knows nothing of scenarios or of the
//! command line, whose commands stand on it.

mod answers;
mod async_call;
mod batch;
mod connection;
mod error;
mod events;
mod gateway;
mod message;
mod pool;
mod registry;
mod service;
mod settings;
mod url;

pub use answers::{Reply, RestReply};
pub use async_call::AsyncCall;
pub use batch::{Batch, BatchReply, Ticket};
pub(crate) use connection::{is_visible_ascii, not_reached};
pub use error::{Error, RemoteError};
pub use events::{Event, Events};
pub use gateway::Gateway;
pub(crate) use message::verdict_on;
pub use registry::{LocateError, Located, Registries, Registry};
pub use service::{RemoteService, Specs};
pub use settings::Settings;
pub(crate) use url::{encode, same_host};
