//! Calls of methods, as lymph has them: a service offers interfaces, others call `interface.method` with
//! typed parameters through a proxy.
//!
//! ```
//! use std::rc::Rc;
//! use rehearsal_actors::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize, thiserror::Error)]
//! #[error("{0} is too large")]
//! struct TooLarge(u64);
//!
//! struct Calculator;
//!
//! impl Calculator {
//!     async fn double(self: Rc<Self>, _: ServiceIo, number: u64) -> Result<u64, TooLarge> {
//!         number.checked_mul(2).ok_or(TooLarge(number))
//!     }
//!
//!     async fn note(self: Rc<Self>, io: ServiceIo, text: String, channel: ReplyChannel) {
//!         let _ = channel.ack();
//!         // The caller has its answer; the work goes on.
//!         io.sleep(SimDuration::from_millis(50)).await;
//!         io.count("characters noted", text.len() as u64);
//!     }
//! }
//!
//! impl Service for Calculator {
//!     fn interfaces(interfaces: &mut Interfaces<Self>) {
//!         interfaces
//!             .interface("calculator", "1.0")
//!             .rpc("double", "Doubles a number.", Calculator::double)
//!             .raises::<TooLarge>("TooLarge")
//!             .raw_rpc("note", "Takes note of a text.", Calculator::note);
//!     }
//! }
//!
//! struct Pupil;
//!
//! impl Service for Pupil {
//!     async fn step(&self, io: &ServiceIo) -> StepResult {
//!         let calculator = io.rpc().proxy("calculator");
//!         let eight: u64 = calculator.call("double", 4u64).await?;
//!         assert_eq!(eight, 8);
//!         // Several calls under way at once.
//!         let later = calculator.call::<u64, _>("double", 8u64).defer();
//!         calculator.call::<(), _>("note", "eight".to_owned()).timeout(SimDuration::from_millis(100)).await?;
//!         assert_eq!(later.await?, 16);
//!         match calculator.call::<u64, _>("double", u64::MAX).await {
//!             Err(CallError::Remote(error)) => assert_eq!(error.type_name, "TooLarge"),
//!             other => panic!("{other:?}"),
//!         }
//!         Ok(Step::Stop)
//!     }
//! }
//!
//! # use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup, run};
//! # use rehearsal_actors::topology::{Node, Topology};
//! # let mut topology = Topology::new();
//! # let node = topology.add_node(Node::new("a")).unwrap();
//! # let mut setup = Setup::new(1, topology);
//! # setup.services.push(ServiceSpec::new("calculator", node, Cast::service(Calculator)));
//! # setup.services.push(ServiceSpec::new("pupil", node, Cast::service(Pupil)));
//! # let report = run(setup, None, Default::default()).unwrap();
//! # assert!(report.ended_well() && report.services[1].failed_steps.is_empty(), "{report:?}");
//! ```
//!
//! # Who is called
//!
//! | | |
//! |---|---|
//! | `proxy("calculator")` | whoever bears the name when the call arrives, in whichever of its lives |
//! | `proxy(address)` | the one incarnation of a service that has the [address](crate::router::Address); when that is gone, the router there says so |
//! | `interface("calculator")` | any of those who have registered the interface with a directory, and another one if that fails: see [`Providers`] |
//!
//! # What becomes of a call
//!
//! A call and its answer are two messages; both pay for their way, with the postcard size of method,
//! headers and body. Every call ends in exactly one outcome, at the timeout (2 s unless the scenario or
//! the call says otherwise) at the latest:
//!
//! | the caller gets | outcome | when |
//! |---|---|---|
//! | `Ok(reply)` | reply | the handler returned `Ok`, or replied through its channel |
//! | `Ok(())`, or what JSON's `null` is | ack | the handler acked |
//! | [`CallError::Remote`] | error | it returned an error that the method declares, or sent one; or it panicked ([`RemoteError::PANIC`]) |
//! | [`CallError::Nack`] | nack | it returned any other error, nacked, or let go of its channel without an answer |
//! | [`CallError::NotUnderstood`] | not understood | the service has no such method, or no interfaces at all |
//! | [`CallError::BadParameters`] | not understood | it has the method, which cannot read the parameters |
//! | [`CallError::Denied`] | denied | the handler said that the caller may not |
//! | [`CallError::Undelivered`] | undelivered | no such service, no route, no application link, nobody who provides it, parameters or headers that cannot be sent (all at once), or the service or address is gone |
//! | [`CallError::Interrupted`] | interrupted | the service ended while its handler was at work |
//! | [`CallError::TimedOut`] | timed out | no answer came in time |
//!
//! A reply that the caller cannot read ([`CallError::Malformed`]) is a reply all the same. An answer that
//! comes when the call has ended is dropped, and counted by the caller as [`LATE_ANSWERS`].
//!
//! # Bodies
//!
//! Any type that serde knows will do for parameters and replies, and the two ends need not use the same:
//! where they differ, the body goes by way of JSON. Parameters that come as JSON from outside are
//! [`JsonParams`]; a reply is JSON text to whoever wants a `Box<RawValue>`. `inspect` names the parameters as far as the type's
//! `Deserialize` gives them away to the crate serde-reflection, so that nothing has to be derived or
//! declared twice.
//!
//! # Headers
//!
//! A call and its answer carry [`Headers`], a [`TraceId`] among them. It is made for the first call of a
//! chain; the calls and events that a handler makes with the [`ServiceIo`] that it was given carry it on.
//!
//! [`ServiceIo`]: crate::service::ServiceIo

mod answer;
mod beginning;
mod channel;
mod client;
mod headers;
mod inspection;
mod json;
mod offer;
mod payload;
mod providers;
mod schema;
mod target;
mod unknown_fields;

use std::borrow::Cow;

use serde::Serialize;

pub(crate) use answer::RpcAnswer;
pub use answer::{Failure, RemoteError};
pub(crate) use beginning::Begun;
pub use channel::{AnswerError, Call, ReplyChannel, SECOND_ANSWERS, UnlessReplySent};
pub use client::{Calling, Proxy, Rpc, RpcCall, RpcReply, Whole};
pub use headers::{HEADER_BYTES_LIMIT, HEADERS_LIMIT, HeaderError, Headers, TraceId};
pub use inspection::{Inspection, InterfaceDescription, MethodDescription, Parameter};
pub use json::JsonParams;
pub(crate) use offer::{BadInterface, Found, Place};
pub use offer::{Interface, Interfaces, Registered};
pub(crate) use payload::{Payload, text_size};
pub(crate) use providers::Acquaintances;
pub use providers::{ATTEMPTS, AnyCall, LIST_KEPT, Providers, Spread, Trying, VERSION};
pub use schema::Schemas;
pub(crate) use schema::schema_of;
pub use target::Target;
pub(crate) use target::{NobodyHere, StrayCall};

#[cfg(doc)]
use crate::interfaces::CallError;
use crate::interfaces::baggage::Baggage;
use crate::network::waits::WaitKey;

/// The counter of answers that came when their calls had ended.
pub const LATE_ANSWERS: &str = "rpc: late answers";

/// A call on its way.
#[derive(Clone, Serialize)]
pub(crate) struct CallMessage {
    #[serde(skip)]
    pub(crate) call: WaitKey,
    pub(crate) method: Cow<'static, str>,
    pub(crate) headers: Headers,
    pub(crate) idempotent: bool,
    pub(crate) params: Payload,
    #[serde(skip)]
    pub(crate) baggage: Baggage,
}

/// An answer on its way.
#[derive(Clone, Serialize)]
pub(crate) struct AnswerMessage {
    #[serde(skip)]
    pub(crate) call: WaitKey,
    pub(crate) answer: RpcAnswer,
    pub(crate) headers: Headers,
}
