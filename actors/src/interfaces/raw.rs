//! Raw messages, as VLMessaging has them: a subject and contents, from one connection to another.
//!
//! Every service has a main connection from its start, whose messages go to its handler
//! ([`Service::message_arrived`](crate::service::Service::message_arrived)), and may
//! [open](Raw::open) more while it runs. A message is sent to an [`Address`], sent and forgotten or
//! sent and awaited, always with a timeout:
//!
//! | what happens | what the one learns who awaits it | who sent and forgot |
//! |---|---|---|
//! | the handler answers | the reply | the reply comes to its connection |
//! | the subject is unknown | [`DOES_NOT_UNDERSTAND`]: not understood | it comes as such a reply |
//! | the sender may not ask for that | [`DENIED`]: denied | it comes as such a reply |
//! | the handler fails or panics | [`HANDLER_FAILED`]: error | - |
//! | nobody has the address, or the connection has closed | undelivered | [`MSG_NOT_DELIVERED`] comes as a reply |
//! | the receiver dies over it | interrupted | - |
//! | nothing comes in time | timed out; a late reply comes to its connection | - |
//!
//! A reply is matched by the number of the message that it answers. Replies are never answered in
//! turn by the runtime, and nothing is said of those that find nobody: there are no loops. An address
//! belongs to one incarnation of a service; a restarted one has another.
//!
//! ```
//! use std::sync::Arc;
//! use rehearsal_actors::interfaces::raw::{Defaults, Draft, Handling, HandlingResult, Msg};
//! use rehearsal_actors::prelude::*;
//! use rehearsal_actors::router::RouterId;
//! use rehearsal_actors::simulation::{Cast, Progress, ServiceSpec, Setup, run};
//! use rehearsal_actors::topology::{Node, Topology};
//!
//! /// Adds one.
//! struct AddOne;
//!
//! impl Service for AddOne {
//!     async fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> HandlingResult {
//!         if msg.subject != "ADD_ONE" {
//!             return Ok(Handling::Unhandled(Defaults::default()));
//!         }
//!         io.raw().send(msg.reply(msg.json::<u64>()? + 1))?;
//!         Ok(Handling::Done)
//!     }
//! }
//!
//! struct Asker;
//!
//! impl Service for Asker {
//!     async fn step(&self, io: &ServiceIo) -> StepResult {
//!         let connection = io.raw().open();
//!         let Some(fred) = io.raw().address_of("fred") else { return Ok(Step::Stop) };
//!         let reply = connection.request(Draft::new(fred, "ADD_ONE").contents(41)).await?;
//!         assert_eq!(reply.json::<u64>()?, 42);
//!         io.count("answers", 1);
//!         Ok(Step::Stop)
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Two routers on one machine, as two processes would have.
//! let mut topology = Topology::new();
//! let machine = topology.add_node(Node::new("machine"))?;
//! let mut setup = Setup::new(1, topology);
//! setup.services.push(ServiceSpec::new("fred", machine, Cast::service(AddOne)));
//! let asker = ServiceSpec::new("asker", machine, Cast::service(Asker));
//! setup.services.push(ServiceSpec { router: RouterId(1), ..asker });
//! let report = run(setup, None, Arc::new(Progress::default()))?;
//! assert_eq!(report.counters["answers"], 1);
//! # Ok(())
//! # }
//! ```

mod connection;
mod door;
mod handling;
mod in_hand;
mod msg;
mod request;
mod sending;

use std::rc::Rc;

pub(crate) use connection::RawDesk;
pub use connection::{Arriving, Connection};
pub(crate) use door::Door;
pub use handling::{
    Defaults, HANDLE_DOES_NOT_UNDERSTAND, HANDLE_PING, HANDLE_SHUTDOWN, Handling, HandlingResult,
    IGNORE_UNHANDLED_REPLIES,
};
pub use msg::{Draft, Msg, MsgId};
pub(crate) use msg::{RawMessage, Stamp};
pub use request::{RawReply, RawRequest};

use connection::Taker;
use sending::set_out;

use crate::interfaces::baggage::Baggage;
use crate::interfaces::directory::Member;
use crate::interfaces::{NetworkView, Recipient};
use crate::network::waits::WaitKey;
use crate::outcome::Undelivered;
use crate::router::Address;
use crate::service::ServiceIo;
use crate::service::desk::Desk;

/// Asks whether anybody is there.
pub const PING: &str = "PING";
/// Asks a service to end in an orderly way.
pub const SHUTDOWN: &str = "SHUTDOWN";
/// Answers what was not understood; the contents are its subject.
pub const DOES_NOT_UNDERSTAND: &str = "DOES_NOT_UNDERSTAND";
/// Answers what was understood, and whose handling failed; the contents' `detail` says why.
pub const HANDLER_FAILED: &str = "HANDLER_FAILED";
/// Answers what the sender may not ask for; the contents' `detail` says why.
pub const DENIED: &str = "DENIED";
/// A router answers this to what it could not deliver; the contents are the address.
pub const MSG_NOT_DELIVERED: &str = "MSG_NOT_DELIVERED";

/// The raw messages of a service. What is sent here comes from its main connection.
#[derive(Clone, Copy)]
pub struct Raw<'a> {
    desk: &'a Rc<Desk>,
    baggage: Option<&'a Baggage>,
}

impl<'a> Raw<'a> {
    pub(crate) fn new(desk: &'a Rc<Desk>) -> Self {
        Raw { desk, baggage: None }
    }

    /// Messages that are sent so carry it on; those of other connections do not.
    pub(crate) fn bearing(self, baggage: &'a Baggage) -> Self {
        Raw { baggage: Some(baggage), ..self }
    }

    /// Sends a message and forgets it, as [`Connection::send`] does.
    ///
    /// # Errors
    /// As there.
    pub fn send(&self, draft: Draft) -> Result<MsgId, Undelivered> {
        set_out(self.desk, self.address(), self.laden(draft), WaitKey::NONE)
    }

    /// Sends a message whose answer is to be awaited.
    pub fn request(&self, draft: Draft) -> RawRequest {
        RawRequest { desk: self.desk.clone(), from: self.address(), draft: self.laden(draft), timeout: None }
    }

    /// Opens another connection, whose messages wait until they are
    /// [received](Connection::recv).
    pub fn open(&self) -> Connection {
        Connection::open(self.desk, Taker::Queue)
    }

    /// Opens another connection, whose messages go to a handler of their own.
    pub fn open_with(&self, handler: impl AsyncFn(ServiceIo, Msg) -> HandlingResult + 'static) -> Connection {
        let handler = Rc::new(handler);
        let start = move |io, msg| {
            let handler = handler.clone();
            Box::pin(async move { handler(io, msg).await }) as std::pin::Pin<Box<dyn Future<Output = _>>>
        };
        Connection::open(self.desk, Taker::Handler(Rc::new(start)))
    }

    /// The main connection of another service, as somebody would know it who has been told: the one
    /// that it has now, or had last. Services that have not been told ask a directory.
    pub fn address_of(&self, service: impl Recipient) -> Option<Address> {
        let network = &self.desk.network;
        let service = service.resolve(NetworkView(network)).ok()?;
        Some(network.book.borrow().main_of(service))
    }

    /// Makes the service its machine's hub directory, instead of the one before it: what is sent to
    /// the machine's [`LocalHubDirectory`](Address::local_hub_directory) comes to its main
    /// connection, until that closes.
    pub fn become_local_hub_directory(&self) {
        let address = self.address();
        self.desk.network.book.borrow_mut().set_hub(address);
        Member::tell_the_homeless(&self.desk.network);
    }

    fn laden(&self, draft: Draft) -> Draft {
        Draft { baggage: self.baggage.cloned().unwrap_or_default(), ..draft }
    }

    fn address(&self) -> Address {
        self.desk.network.book.borrow().main_of(self.desk.id)
    }
}
