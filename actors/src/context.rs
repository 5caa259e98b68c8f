//! The Actix context of everything that lives in a run.
//!
//! An actor in a [`ServiceContext`] is an ordinary Actix actor (`Actor`, `Handler<M>`, `spawn`,
//! `wait`, `run_later`, `address`, …) with two differences: what the network delivers goes straight
//! from the pump into its `Handler<Delivery<B>>`, at the instant of delivery and without a mailbox
//! in between; and every delay is virtual time. Mailbox and tasks come into being when they are
//! first used, so that an idle actor is little more than its own fields. It lives until it stops or
//! the run ends, whether anybody has its `Addr` or not; of several futures that it waits for, the
//! first comes first. Only what this crate offers keeps virtual time: `actix::clock` looks at the wall,
//! and a run does not wait for it.

mod cell;
mod tasks;

use std::any::TypeId;
use std::cell::OnceCell;
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::Waker;
use std::time::Duration;

use actix::dev::{Envelope, Mailbox, OneshotSender, ToEnvelope};
use actix::prelude::*;

pub(crate) use cell::{Call, ServiceCell};
use tasks::{ActorTask, Interval, MailboxTask, WaitTask};

use crate::clock::executor::TaskId;
use crate::network::pending::Deadline;
use crate::network::ports::{AnyBody, Body, Delivery};
use crate::network::waits::WaitKey;
use crate::network::{self, Network, size_of};
use crate::outcome::{Interface, Undelivered};
use crate::random::Stream;
use crate::trace::ServiceId;
use crate::units::{Bytes, SimDuration, SimTime};

/// An Actix actor that can be reached over the emulated network.
///
/// ```
/// use actix::prelude::*;
/// use rehearsal_actors::prelude::*;
/// use serde::Serialize;
///
/// #[derive(Clone, Serialize)]
/// struct Ball;
///
/// /// Sends every ball back.
/// struct Wall;
///
/// impl Actor for Wall {
///     type Context = ServiceContext<Self>;
/// }
///
/// impl Networked for Wall {
///     fn accepts(accepts: &mut Accepts<Self>) {
///         accepts.message::<Ball>();
///     }
/// }
///
/// impl Handler<Delivery<Ball>> for Wall {
///     type Result = ();
///     fn handle(&mut self, ball: Delivery<Ball>, ctx: &mut ServiceContext<Self>) {
///         // An error is counted as the message's outcome; there is nothing else to do about it.
///         let _ = ctx.send(ball.from, ball.body);
///     }
/// }
/// ```
pub trait Networked: Actor<Context = ServiceContext<Self>> {
    /// Names the types of message that it takes. Everything else is not understood.
    fn accepts(accepts: &mut Accepts<Self>);

    /// Asked before each delivery of a body of that type: true if it can take no more for now, so
    /// that the message is returned to its sender.
    fn is_full(&self, body: TypeId) -> bool {
        let _ = body;
        false
    }
}

/// Collects what an actor takes.
pub struct Accepts<A: Actor<Context = ServiceContext<A>>> {
    pub(crate) cell: Rc<ServiceCell<A>>,
    pub(crate) network: Rc<Network>,
    pub(crate) id: ServiceId,
}

impl<A: Networked> Accepts<A> {
    /// The actor takes messages of whatever type.
    pub(crate) fn everything(&mut self) -> &mut Self
    where
        A: Handler<Delivery<AnyBody>>,
    {
        self.network.set_taker_of_everything(self.id, self.cell.clone());
        self
    }

    /// The actor takes messages of this type.
    pub fn message<B: Body>(&mut self) -> &mut Self
    where
        A: Handler<Delivery<B>>,
    {
        self.network.set_receiver::<B>(self.id, self.cell.clone());
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Running,
    Stopping,
    Stopped,
}

type LocalActorFuture<A> = Pin<Box<dyn ActorFuture<A, Output = ()>>>;

/// What only some actors need.
struct Lazy<A: Actor<Context = ServiceContext<A>>> {
    last_handle: SpawnHandle,
    /// Looked up, never iterated.
    tasks: HashMap<SpawnHandle, TaskId>,
    /// Futures that everything else of this actor waits for.
    waits: VecDeque<LocalActorFuture<A>>,
    /// Tasks that found the actor waiting.
    blocked: Vec<Waker>,
    /// Deliveries that found the actor waiting.
    backlog: VecDeque<Call<A>>,
    random: Option<Stream>,
}

/// The context of an actor that lives in a run: see the [module](self).
pub struct ServiceContext<A: Actor<Context = Self>> {
    network: Rc<Network>,
    id: ServiceId,
    life: Life,
    /// It has yet to begin, or is about to end, and takes nothing but answers.
    closed: bool,
    /// Whether there is a [`WaitTask`]. Without one, there is nothing to wait for.
    waits_on: bool,
    cell: Weak<ServiceCell<A>>,
    address: OnceCell<Box<Addr<A>>>,
    lazy: Option<Box<Lazy<A>>>,
}

impl<A: Actor<Context = Self>> ServiceContext<A> {
    fn new(network: Rc<Network>, id: ServiceId, cell: Weak<ServiceCell<A>>) -> Self {
        ServiceContext {
            network,
            id,
            life: Life::Running,
            closed: true,
            waits_on: false,
            cell,
            address: OnceCell::new(),
            lazy: None,
        }
    }

    /// Who this actor is.
    pub fn id(&self) -> ServiceId {
        self.id
    }

    /// The present instant.
    pub fn now(&self) -> SimTime {
        self.network.now()
    }

    /// The service of that name.
    pub fn find(&self, name: &str) -> Option<ServiceId> {
        self.network.find(name)
    }

    /// The services that this one may speak to, in order of declaration.
    pub fn neighbours(&self) -> Vec<ServiceId> {
        self.network.positions.neighbours(self.id)
    }

    /// Sends a message over the network and forgets it: that it was delivered, lost or refused is
    /// counted, and told to nobody.
    ///
    /// # Errors
    /// Told at once: the receiver is not a neighbour, nothing that is up leads to it, or the body
    /// cannot be put into bytes.
    #[inline]
    pub fn send<B: Body>(&self, to: ServiceId, body: B) -> Result<(), Undelivered> {
        match size_of(&|| self.network.name_of(to), &body) {
            Ok(bytes) => self.send_sized(to, body, bytes),
            Err(why) => Err(self.network.refuse_to_send(self.envelope(to, Bytes(0)), why)),
        }
    }

    /// Sends a message as if it had that size.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[inline]
    pub fn send_sized<B: Body>(&self, to: ServiceId, body: B, bytes: Bytes) -> Result<(), Undelivered> {
        self.network.send(self.envelope(to, bytes), body)
    }

    #[inline]
    fn envelope(&self, to: ServiceId, bytes: Bytes) -> network::Envelope {
        network::Envelope::to_name(self.id, to, Interface::Mpi, WaitKey::NONE, bytes)
    }

    /// Adds to one of the service's named counters, which the report shows.
    pub fn count(&self, counter: &str, by: u64) {
        self.network.count(self.id, counter, by);
    }

    /// This service's random numbers: the same in every run of the same seed.
    pub fn random(&mut self) -> &mut Stream {
        let (network, id) = (self.network.clone(), self.id);
        self.lazy().random.get_or_insert_with(|| network.stream_of(id))
    }

    pub(crate) fn network(&self) -> &Rc<Network> {
        &self.network
    }

    fn lazy(&mut self) -> &mut Lazy<A> {
        self.lazy.get_or_insert_with(|| {
            Box::new(Lazy {
                last_handle: SpawnHandle::default(),
                tasks: HashMap::new(),
                waits: VecDeque::new(),
                blocked: Vec::new(),
                backlog: VecDeque::new(),
                random: None,
            })
        })
    }

    fn blocks(&mut self, waker: &Waker) -> bool {
        if !self.waiting() {
            return false;
        }
        self.lazy().blocked.push(waker.clone());
        true
    }

    /// Sees to it that what waits is carried out, and that what it blocks goes on then.
    fn wait_on(&mut self) {
        let cell = self.cell.clone();
        if !std::mem::replace(&mut self.waits_on, true) {
            self.network.spawn(self.id, Box::pin(WaitTask { cell }));
        }
    }

    /// The actor was to stop and has changed its mind: what has seen it stop goes on.
    fn go_on(&mut self) {
        self.life = Life::Running;
        let Some(lazy) = &self.lazy else { return };
        if !(lazy.waits.is_empty() && lazy.blocked.is_empty() && lazy.backlog.is_empty()) {
            self.wait_on();
        }
    }

    /// Lets so much virtual time pass: for `wait`, `spawn` and async handlers.
    pub fn sleep(&self, duration: SimDuration) -> impl Future<Output = ()> + use<A> {
        Deadline::new(self.network.clone(), self.network.now() + duration)
    }

    fn delay(&self, duration: Duration) -> Deadline {
        Deadline::new(self.network.clone(), self.network.now() + duration.into())
    }
}

impl<A: Actor<Context = Self>> ActorContext for ServiceContext<A> {
    fn stop(&mut self) {
        if self.life == Life::Running {
            self.life = Life::Stopping;
        }
    }

    fn terminate(&mut self) {
        self.life = Life::Stopped;
    }

    fn state(&self) -> ActorState {
        match self.life {
            Life::Running => ActorState::Running,
            Life::Stopping => ActorState::Stopping,
            Life::Stopped => ActorState::Stopped,
        }
    }
}

impl<A: Actor<Context = Self>> AsyncContext<A> for ServiceContext<A> {
    fn address(&self) -> Addr<A> {
        let address = self.address.get_or_init(|| {
            let mailbox = Mailbox::default();
            let address = Box::new(mailbox.address());
            let task = MailboxTask { cell: self.cell.clone(), mailbox };
            self.network.spawn(self.id, Box::pin(task));
            address
        });
        (**address).clone()
    }

    fn spawn<F>(&mut self, future: F) -> SpawnHandle
    where
        F: ActorFuture<A, Output = ()> + 'static,
    {
        let handle = self.lazy().last_handle.next();
        let task = ActorTask { cell: self.cell.clone(), future: Box::pin(future), handle };
        let task = self.network.spawn(self.id, Box::pin(task));
        let lazy = self.lazy();
        lazy.last_handle = handle;
        lazy.tasks.insert(handle, task);
        handle
    }

    /// Everything else of this actor, deliveries included, waits until the future is over.
    fn wait<F>(&mut self, future: F)
    where
        F: ActorFuture<A, Output = ()> + 'static,
    {
        self.lazy().waits.push_back(Box::pin(future));
        self.wait_on();
    }

    fn waiting(&self) -> bool {
        let waits = || self.lazy.as_ref().is_some_and(|lazy| !lazy.waits.is_empty());
        self.life != Life::Running || (self.waits_on && waits())
    }

    fn cancel_future(&mut self, handle: SpawnHandle) -> bool {
        let Some(lazy) = &mut self.lazy else {
            return false;
        };
        let Some(task) = lazy.tasks.remove(&handle) else {
            return false;
        };
        self.network.cancel_task(task);
        true
    }

    /// In virtual time.
    fn notify_later<M>(&mut self, message: M, after: Duration) -> SpawnHandle
    where
        A: Handler<M>,
        M: Message + 'static,
    {
        self.run_later(after, move |actor, ctx| {
            use actix::dev::MessageResponse;
            actor.handle(message, ctx).handle(ctx, None);
        })
    }

    /// In virtual time.
    fn run_later<F>(&mut self, after: Duration, run: F) -> SpawnHandle
    where
        F: FnOnce(&mut A, &mut A::Context) + 'static,
    {
        let delay = self.delay(after);
        self.spawn(actix::fut::wrap_future::<_, A>(delay).map(|(), actor, ctx| run(actor, ctx)))
    }

    /// In virtual time; the first run is one interval from now.
    fn run_interval<F>(&mut self, interval: Duration, run: F) -> SpawnHandle
    where
        F: FnMut(&mut A, &mut A::Context) + 'static,
    {
        let delay = self.delay(interval);
        self.spawn(Interval { delay, interval, run })
    }

    /// In virtual time, which knows nothing of the wall clock's instants: the first run is one
    /// interval from now, whatever `start` says.
    fn run_interval_at<F>(&mut self, _start: actix::clock::Instant, interval: Duration, run: F) -> SpawnHandle
    where
        F: FnMut(&mut A, &mut A::Context) + 'static,
    {
        self.run_interval(interval, run)
    }
}

impl<A, M> ToEnvelope<A, M> for ServiceContext<A>
where
    A: Actor<Context = Self> + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn pack(message: M, reply: Option<OneshotSender<M::Result>>) -> Envelope<A> {
        Envelope::new(message, reply)
    }
}
