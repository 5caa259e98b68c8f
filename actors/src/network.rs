//! The network: prices, orders and delivers what services say to each other.
//!
//! ```text
//! service --send--> Network: price, order --calendar--> pump --> the receiver's Handler
//!                                |                        |
//!                              ports                    waits, ledger
//! ```
//!
//! [`Network`] is the only way between two services. It is plain single-threaded state that the
//! [`NetworkActor`](pump::NetworkActor) drives: its pump empties an instant (deliveries, then what
//! they make runnable, then timers) before it moves the clock on. May use: topology, routes, clock,
//! random, outcome, trace. Knows nothing of the interfaces' protocols beyond their bodies.

mod arriving;
mod counted;
pub(crate) mod endings;
mod flights;
pub(crate) mod header;
mod journal;
mod kept;
pub(crate) mod ledger;
mod links;
mod order;
mod outcomes;
pub(crate) mod pacing;
pub(crate) mod pending;
pub(crate) mod ports;
pub(crate) mod positions;
mod pricing;
pub(crate) mod pump;
mod recoveries;
pub(crate) mod reminder;
pub(crate) mod schedule;
pub(crate) mod seats;
mod sending;
mod strikes;
mod table;
mod tallies;
mod transit;
pub(crate) mod waits;

use std::any::type_name;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::task::Waker;

use crate::changes::Change;
use crate::clock::calendar::Calendar;
use crate::clock::executor::{Executor, TaskFuture, TaskId};
use crate::clock::timers::{TimerId, Timers};
use crate::interfaces::Commons;
use crate::monitors::Watch;
use crate::network::endings::Overseer;
use crate::network::flights::Flights;
use crate::network::header::{Fate, Message, NO_SLOT};
use crate::network::kept::Kept;
use crate::network::ledger::Ledger;
use crate::network::links::Links;
use crate::network::order::InSequence;
use crate::network::ports::{AnyBody, Body, Ports, Receiver};
use crate::network::positions::Positions;
use crate::network::pricing::Outbox;
use crate::network::seats::{Closable, Presence, Seats};
use crate::network::table::Table;
use crate::network::tallies::Tallies;
use crate::network::waits::{WaitKey, Waits};
use crate::outcome::Interface;
use crate::random::{Stream, Streams};
use crate::report::Ending;
use crate::router::book::AddressBook;
use crate::routes::RouteCache;
use crate::rules::LinkModel;
use crate::topology::{LinkId, NodeId, Topology};
use crate::trace::ServiceId;
use crate::units::{SimDuration, SimTime};

pub(crate) use sending::{Envelope, size_of};

/// Something in flight is due: its next hop, its loss or its arrival.
#[derive(Clone, Copy)]
struct Event {
    slot: u32,
    port: u16,
    /// Who gets it now, so that what that takes can be fetched ahead; or `NOBODY`.
    to: ServiceId,
}

/// Who gets what is still on its way.
const NOBODY: ServiceId = ServiceId(u32::MAX);

/// None: what stands in the calendar where nothing is due.
impl Default for Event {
    fn default() -> Self {
        Event { slot: NO_SLOT, port: 0, to: NOBODY }
    }
}

/// What a timer does when it fires.
pub(crate) enum Alarm {
    /// A request has waited long enough.
    Timeout(WaitKey),
    /// A future wants to be polled.
    Wake(Waker),
}

/// The emulated machines and wires.
struct World {
    topology: Topology,
    routes: RouteCache,
    links: Links,
    model: LinkModel,
    /// Whether the topology may change during the run, so that messages must know their way.
    changes: bool,
}

/// What [`Network::new`] needs.
pub(crate) struct Parts {
    pub(crate) seed: u64,
    pub(crate) topology: Topology,
    pub(crate) model: LinkModel,
    pub(crate) changes: bool,
    pub(crate) timeout: SimDuration,
    pub(crate) positions: Positions,
    pub(crate) seats: Seats,
    pub(crate) by_name: HashMap<String, ServiceId>,
    pub(crate) book: AddressBook,
    pub(crate) ledger: Ledger,
    pub(crate) watch: Option<Watch>,
}

/// The state of a run, shared by everything that runs in it.
pub(crate) struct Network {
    now: Cell<u64>,
    calendar: RefCell<Calendar<Event>>,
    outbox: Outbox,
    timers: RefCell<Timers<Alarm>>,
    /// Before that, nothing happens but what is in the calendar, and what that leads to.
    horizon: Cell<u64>,
    /// Of the timer that was cancelled last.
    spare_waker: Cell<Option<Waker>>,
    executor: Executor,
    ports: Ports,
    world: RefCell<World>,
    in_sequence: RefCell<InSequence>,
    waits: RefCell<Waits>,
    pub(crate) positions: Positions,
    pub(crate) seats: RefCell<Seats>,
    pub(crate) tallies: Tallies,
    pub(crate) book: RefCell<AddressBook>,
    pub(crate) ledger: RefCell<Ledger>,
    /// Messages of a type that their receivers do not know, while these are asked whether they take them.
    strangers: Flights<AnyBody>,
    /// Services that take bodies of every type.
    takers: RefCell<Table<Rc<dyn Receiver<AnyBody>>>>,
    /// Messages that wait for the next life of their receiver.
    pub(crate) kept: RefCell<Kept>,
    /// Who is told of the beginnings and ends of services.
    overseer: RefCell<Option<Rc<dyn Overseer>>>,
    early_strikes: RefCell<Vec<Change>>,
    /// Why the run is to end, once somebody has said so.
    verdict: RefCell<Option<Ending>>,
    /// How to end each service.
    closables: RefCell<Table<Rc<dyn Closable>>>,
    counters: RefCell<BTreeMap<ServiceId, BTreeMap<String, u64>>>,
    /// What keeps an eye on them, if anything does.
    pub(crate) watch: Option<RefCell<Watch>>,
    /// Looked up, never iterated.
    by_name: HashMap<String, ServiceId>,
    /// Whose code is running, or ran last.
    acting: Cell<ServiceId>,
    streams: Streams,
    pub(crate) timeout: SimDuration,
    pub(crate) commons: Commons,
}

impl Network {
    pub(crate) fn new(parts: Parts) -> Rc<Self> {
        let Parts { seed, topology, model, changes, timeout, positions, seats, by_name, book, ledger, watch } = parts;
        let streams = Streams::new(seed);
        let lookahead = pricing::lookahead(&topology, model, changes);
        let routes = RouteCache::new(&topology);
        Rc::new(Network {
            now: Cell::new(0),
            calendar: RefCell::new(Calendar::new()),
            outbox: Outbox::new(lookahead, routes.quotes()),
            timers: RefCell::new(Timers::new()),
            horizon: Cell::new(0),
            spare_waker: Cell::default(),
            executor: Executor::new(),
            ports: Ports::default(),
            in_sequence: RefCell::default(),
            world: RefCell::new(World { routes, links: Links::new(&topology, streams), topology, model, changes }),
            waits: RefCell::default(),
            tallies: Tallies::new(seats.len()),
            positions,
            seats: RefCell::new(seats),
            book: RefCell::new(book),
            ledger: RefCell::new(ledger),
            strangers: Flights::new(type_name::<AnyBody>),
            takers: RefCell::default(),
            closables: RefCell::default(),
            kept: RefCell::default(),
            overseer: RefCell::default(),
            early_strikes: RefCell::default(),
            verdict: RefCell::default(),
            counters: RefCell::default(),
            watch: watch.map(RefCell::new),
            by_name,
            acting: Cell::new(ServiceId(0)),
            streams,
            timeout,
            commons: Commons::default(),
        })
    }

    // --- the clock

    #[inline]
    pub(crate) fn now(&self) -> SimTime {
        SimTime::from_nanos(self.now.get())
    }

    pub(crate) fn spawn(&self, owner: ServiceId, future: TaskFuture) -> TaskId {
        self.executor.spawn(owner.0, future)
    }

    /// What other threads wake is admitted when the clock moves.
    pub(crate) fn hold_foreign(&self) {
        self.executor.hold_foreign();
    }

    pub(crate) fn cancel_task(&self, task: TaskId) {
        self.executor.cancel(task);
    }

    pub(crate) fn start_timer(&self, duration: SimDuration, alarm: Alarm) -> TimerId {
        let mut timers = self.timers.borrow_mut();
        let timer = timers.start(self.now.get(), duration.as_nanos(), alarm);
        self.expect(timers.surely_none_before());
        timer
    }

    pub(crate) fn cancel_timer(&self, timer: TimerId) {
        let alarm = self.timers.borrow_mut().cancel(timer);
        if let Some(Alarm::Wake(waker)) = alarm {
            self.spare_waker.set(Some(waker));
        }
    }

    /// Wakes somebody that much later. Whoever has cancelled a timer mostly starts the next one, and its
    /// waker is still there: to clone it would cost more than the timer.
    pub(crate) fn wake_later(&self, duration: SimDuration, waker: &Waker) -> TimerId {
        let spare = self.spare_waker.take().filter(|spare| spare.will_wake(waker));
        self.start_timer(duration, Alarm::Wake(spare.unwrap_or_else(|| waker.clone())))
    }

    pub(crate) fn is_timer_running(&self, timer: TimerId) -> bool {
        self.timers.borrow().is_running(timer)
    }

    // --- who is who

    pub(crate) fn find(&self, name: &str) -> Option<ServiceId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn name_of(&self, service: ServiceId) -> String {
        self.ledger.borrow().names.services.get(service.index()).cloned().unwrap_or_default()
    }

    /// A service's random numbers, from their beginning. Each incarnation has its own: what one drew
    /// before it failed is not what the next one draws.
    pub(crate) fn stream_of(&self, service: ServiceId) -> Stream {
        let name = self.name_of(service);
        match self.incarnation(service) {
            1 => self.streams.stream(&format!("service:{name}")),
            incarnation => self.streams.stream(&format!("service:{name}#{incarnation}")),
        }
    }

    /// Any other random numbers.
    pub(crate) fn stream(&self, consumer: &str) -> Stream {
        self.streams.stream(consumer)
    }

    pub(crate) fn topology<R>(&self, look: impl FnOnce(&Topology) -> R) -> R {
        look(&self.world.borrow().topology)
    }

    /// Makes a service reachable for bodies of one type.
    pub(crate) fn set_receiver<B: Body>(&self, service: ServiceId, receiver: Rc<dyn Receiver<B>>) {
        self.ports.of::<B>().set_receiver(service, receiver);
    }

    /// Whether somebody takes bodies of that very type for a service.
    pub(crate) fn has_receiver<B: Body>(&self, service: ServiceId) -> bool {
        self.ports.of::<B>().has_receiver(service)
    }

    /// Makes a service reachable for bodies of every type.
    pub(crate) fn set_taker_of_everything(&self, service: ServiceId, taker: Rc<dyn Receiver<AnyBody>>) {
        let before = self.takers.borrow_mut().put(service, taker);
        drop(before);
    }

    /// What nobody takes by its type, the service does not understand any more.
    pub(crate) fn remove_taker_of_everything(&self, service: ServiceId) {
        let taker = self.takers.borrow_mut().take(service);
        drop(taker);
    }

    fn taker_of_everything(&self, service: ServiceId) -> Option<Rc<dyn Receiver<AnyBody>>> {
        self.takers.borrow().get(service).cloned()
    }

    pub(crate) fn set_closable(&self, service: ServiceId, closable: Rc<dyn Closable>) {
        let before = self.closables.borrow_mut().put(service, closable);
        drop(before);
    }

    /// A service stands somewhere else from now on, and has its connections at that router there. What was sent
    /// before goes to where it stood.
    pub(crate) fn move_to(&self, service: ServiceId, node: NodeId, router: ServiceId) {
        // Nobody moves where prices wait today, as machines do not crash there. Whoever changes that need not know.
        self.price_all();
        self.positions.set_node(service, node);
        self.seats.borrow_mut().set_router(service, router);
    }

    pub(crate) fn is_present(&self, service: ServiceId) -> bool {
        self.seats.borrow().presence(service) == Presence::Running
    }

    /// The run is to end; whoever says so first is heard.
    pub(crate) fn end_run(&self, why: Ending) {
        self.verdict.borrow_mut().get_or_insert(why);
        self.expect(0);
    }

    #[inline]
    fn has_verdict(&self) -> bool {
        self.verdict.borrow().is_some()
    }

    /// Which incarnation of a service there is, counted from 1.
    #[inline]
    pub(crate) fn incarnation(&self, service: ServiceId) -> u32 {
        self.seats.borrow().incarnation(service)
    }

    /// Adds to a service's named counter.
    pub(crate) fn count(&self, service: ServiceId, counter: &str, by: u64) {
        if let Some(watch) = &self.watch {
            watch.borrow_mut().counted(service, counter, by);
        }
        let mut counters = self.counters.borrow_mut();
        let counters = counters.entry(service).or_default();
        match counters.get_mut(counter) {
            Some(count) => *count = count.saturating_add(by),
            None => {
                counters.insert(counter.to_owned(), by);
            }
        }
    }

    pub(crate) fn counters_of(&self, service: ServiceId) -> BTreeMap<String, u64> {
        self.counters.borrow().get(&service).cloned().unwrap_or_default()
    }

    /// Messages that have neither arrived nor been lost, without second copies.
    pub(crate) fn in_flight(&self) -> u64 {
        let mut count = self.kept.borrow().len();
        for port in self.ports.all() {
            port.each(&mut |_, Message { header, .. }| {
                count += u64::from(!header.duplicate && header.fate != Fate::Gone)
            });
        }
        count
    }

    /// The links that messages wait for, in the queued model: how many messages, and their bytes.
    pub(crate) fn queued(&self) -> Vec<(LinkId, u64, u64)> {
        self.world.borrow().links.queued(self.now.get()).collect()
    }

    pub(crate) fn rewake(&self, timer: TimerId, waker: &Waker) {
        let mut timers = self.timers.borrow_mut();
        if let Some(Alarm::Wake(old)) = timers.action_mut(timer)
            && !old.will_wake(waker)
        {
            *old = waker.clone();
        }
    }

    pub(crate) fn open_requests(&self) -> BTreeMap<Interface, u64> {
        let mut open = BTreeMap::new();
        for interface in self.waits.borrow().open_by_interface() {
            *open.entry(interface).or_default() += 1;
        }
        open
    }
}
