//! Services as people write them: async methods on a type of their own.
//!
//! A service has a start, steps that follow one another, endpoints that answer requests while the
//! steps go on, and a stop. All of them share `&self`; state that changes lives in `Cell` and
//! `RefCell`, which is safe because nothing runs in parallel and no borrow should live across an
//! await. The host that runs it is an Actix actor; a panic in a step ends the service and not the
//! run.
//!
//! ```
//! use rehearsal_actors::prelude::*;
//!
//! /// Asks the catalog for an item in every step.
//! struct Curious;
//!
//! impl Service for Curious {
//!     async fn step(&self, io: &ServiceIo) -> StepResult {
//!         let item = io.rest().get("catalog/items/1").await.success()?;
//!         io.count("items seen", 1);
//!         Ok(Step::Value(item.body))
//!     }
//! }
//! ```

pub(crate) mod cast;
pub(crate) mod desk;
pub(crate) mod host;
pub(crate) mod inbox;
pub(crate) mod offers;

use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::task::Poll;

use crate::interfaces::baggage::Baggage;
use crate::interfaces::directory::Directories;
use crate::interfaces::events::{Events, Subscriptions};
use crate::interfaces::mpi::Mpi;
use crate::interfaces::raw::{Defaults, Handling, HandlingResult, Msg, Raw};
use crate::interfaces::rest::{Endpoints, Rest};
use crate::interfaces::rpc::{Call, Interfaces, Rpc, TraceId};
use crate::network::pending::Deadline;
use crate::random::Stream;
use crate::router::Address;
use crate::service::desk::Desk;
use crate::trace::ServiceId;
use crate::units::{SimDuration, SimTime};

/// What a step leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The next step.
    Continue,
    /// The next step; the value is kept if the scenario asks for that (`keep_steps`).
    Value(serde_json::Value),
    /// No further step. Endpoints go on answering.
    Stop,
    /// The service has done what it was there for, and ends in an orderly way.
    End,
}

/// How a step ended.
pub type StepResult = Result<Step, StepError>;

/// Why a step failed. Any error turns into one with `?`; a text does with
/// [`new`](Self::new). Failures are counted by their text.
///
/// A failed step is followed by the next one. A service that cannot go on says so with
/// [`fatal`](Self::fatal): it fails, and its supervisor decides what comes next.
pub struct StepError {
    reason: Box<str>,
    fatal: bool,
}

// Every step moves a result.
const _: () = assert!(size_of::<StepResult>() == size_of::<Step>());

impl<E: std::error::Error> From<E> for StepError {
    fn from(error: E) -> Self {
        StepError { reason: error.to_string().into(), fatal: false }
    }
}

impl StepError {
    /// A failure in words of your own.
    pub fn new(reason: impl Into<String>) -> Self {
        StepError { reason: reason.into().into(), fatal: false }
    }

    /// The whole service fails, not this step alone.
    #[must_use]
    pub fn fatal(self) -> Self {
        StepError { fatal: true, ..self }
    }

    pub(crate) fn is_fatal(&self) -> bool {
        self.fatal
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl fmt::Debug for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// Something that runs in a rehearsal: see the [module](self).
pub trait Service: Sized + 'static {
    /// Runs once in each life, before the first step. If it fails, so does the service.
    fn start(&self, io: &ServiceIo) -> impl Future<Output = Result<(), StepError>> {
        let _ = io;
        async { Ok(()) }
    }

    /// One step. The next one begins when this one is over, but no sooner than the scenario's
    /// `step_every` after this one began. A step that fails is counted with its reason, and the
    /// next one begins; if it failed without waiting for anything, a millisecond later.
    fn step(&self, io: &ServiceIo) -> impl Future<Output = StepResult> {
        let _ = io;
        async { Ok(Step::Stop) }
    }

    /// Registers what it answers.
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        let _ = endpoints;
    }

    /// Handles a raw message that has come to the main connection: see [`raw`](crate::interfaces::raw).
    /// Several may be at work at once. Replies come here that nobody awaits, or not any more.
    fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> impl Future<Output = HandlingResult> {
        let _ = (io, msg);
        async { Ok(Handling::Unhandled(Defaults::default())) }
    }

    /// Registers the interfaces by which it may be called.
    fn interfaces(interfaces: &mut Interfaces<Self>) {
        let _ = interfaces;
    }

    /// Registers the events that it wants to hear of.
    fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
        let _ = subscriptions;
    }

    /// Runs when the service ends in an orderly way: with the run, at the latest.
    fn stop(&self, io: &ServiceIo) {
        let _ = io;
    }
}

/// Is over when it is polled again, behind everything else that is runnable: so the pump sees a
/// service that never waits for anything.
pub(crate) async fn let_others_run() {
    let mut polled = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What a service sees of the world.
#[derive(Clone)]
pub struct ServiceIo {
    pub(crate) desk: Rc<Desk>,
    behalf: Behalf,
    pub(crate) baggage: Baggage,
}

/// On whose behalf a service acts.
#[derive(Clone)]
enum Behalf {
    Itself,
    Call(Rc<Call>),
    Event(TraceId),
}

impl ServiceIo {
    /// What a service sees that acts of its own accord.
    pub(crate) fn new(desk: Rc<Desk>) -> Self {
        ServiceIo { desk, behalf: Behalf::Itself, baggage: Baggage::NONE }
    }

    /// What the handler of a call sees.
    pub(crate) fn of_call(desk: Rc<Desk>, call: Rc<Call>) -> Self {
        let baggage = call.baggage().clone();
        ServiceIo { desk, behalf: Behalf::Call(call), baggage }
    }

    /// What the handler of an event sees.
    pub(crate) fn of_event(desk: Rc<Desk>, trace: TraceId) -> Self {
        ServiceIo { desk, behalf: Behalf::Event(trace), baggage: Baggage::NONE }
    }

    /// The same with what the request or message has that it is about.
    pub(crate) fn bearing(self, baggage: Baggage) -> Self {
        ServiceIo { baggage, ..self }
    }

    /// The same, on behalf of a request from outside that has brought this along. Every request, call, event
    /// and raw message that is made with it carries that on, and so do those of the handlers that they come
    /// to, up to whoever goes [out](crate::outside::OutboundRequest::baggage) again. No service sees it, and
    /// it takes no room on the wire.
    #[must_use]
    pub fn carrying(self, baggage: Option<String>) -> Self {
        self.bearing(Baggage::new(baggage))
    }

    /// Calls of methods of others.
    pub fn rpc(&self) -> Rpc<'_> {
        Rpc::new(self)
    }

    /// Events, to tell others.
    pub fn events(&self) -> Events<'_> {
        Events::new(self)
    }

    /// The call that this handler is at work on: who calls, and with which headers. `None` outside of
    /// the handlers of interfaces.
    pub fn call(&self) -> Option<&Call> {
        match &self.behalf {
            Behalf::Call(call) => Some(call),
            Behalf::Itself | Behalf::Event(_) => None,
        }
    }

    /// The chain of calls and events that this handler belongs to; its own calls and events carry it on.
    pub fn trace_id(&self) -> Option<TraceId> {
        match &self.behalf {
            Behalf::Itself => None,
            Behalf::Call(call) => Some(call.trace_id()),
            Behalf::Event(trace) => Some(*trace),
        }
    }

    /// Messages.
    pub fn mpi(&self) -> Mpi<'_> {
        Mpi::new(&self.desk)
    }

    /// Requests to endpoints of others.
    pub fn rest(&self) -> Rest<'_> {
        Rest::new(self)
    }

    /// Raw messages.
    pub fn raw(&self) -> Raw<'_> {
        Raw::new(&self.desk).bearing(&self.baggage)
    }

    /// The address of this service's main connection, which it has from its start to its end.
    pub fn address(&self) -> Address {
        self.desk.network.book.borrow().main_of(self.desk.id)
    }

    /// Where to ask for addresses: the machine's
    /// [hub directory](Address::local_hub_directory) if it has one, else the best of those that
    /// everybody knows.
    pub fn directory_address(&self) -> Option<Address> {
        self.known_directories().into_iter().next()
    }

    /// Every directory that this service could ask, each once, the best first.
    pub fn known_directories(&self) -> Vec<Address> {
        let known = self.desk.known_directories();
        let book = self.desk.network.book.borrow();
        known.into_iter().map(|directory| book.reach(directory)).collect()
    }

    /// Responsibilities: which ones it bears itself, and who bears others.
    pub fn directory(&self) -> Directories<'_> {
        Directories::new(&self.desk)
    }

    /// Who this is.
    pub fn id(&self) -> ServiceId {
        self.desk.id
    }

    /// What this is called.
    pub fn name(&self) -> String {
        self.desk.network.name_of(self.desk.id)
    }

    /// What another service is called.
    pub fn name_of(&self, service: ServiceId) -> String {
        self.desk.network.name_of(service)
    }

    /// The service of that name.
    pub fn find(&self, name: &str) -> Option<ServiceId> {
        self.desk.network.find(name)
    }

    /// The services that this one may speak to, in order of declaration.
    pub fn neighbours(&self) -> Vec<ServiceId> {
        self.desk.network.positions.neighbours(self.desk.id)
    }

    /// The present instant.
    pub fn now(&self) -> SimTime {
        self.desk.network.now()
    }

    /// Lets so much virtual time pass: what work takes.
    pub async fn sleep(&self, duration: SimDuration) {
        self.sleep_until(self.now() + duration).await;
    }

    /// Waits for an instant. If it is past, no time passes, but others get their turn.
    pub async fn sleep_until(&self, instant: SimTime) {
        if instant <= self.now() {
            return let_others_run().await;
        }
        Deadline::new(self.desk.network.clone(), instant).await;
    }

    /// Runs a future beside the steps and handlers, until it is over or the service ends. If it panics,
    /// so does the service.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.desk.network.spawn(self.desk.id, Box::pin(task));
    }

    /// Adds to one of the service's named counters, which the report shows.
    pub fn count(&self, counter: &str, by: u64) {
        self.desk.network.count(self.desk.id, counter, by);
    }

    /// Draws from this service's random numbers: the same in every run of the same seed.
    pub fn random<R>(&self, draw: impl FnOnce(&mut Stream) -> R) -> R {
        self.desk.random(draw)
    }
}
