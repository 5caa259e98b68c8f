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

pub(crate) mod endings;
mod kept;
pub(crate) mod ledger;
mod links;
mod order;
mod outcomes;
pub(crate) mod pending;
pub(crate) mod ports;
pub(crate) mod pump;
mod recoveries;
pub(crate) mod reminder;
pub(crate) mod seats;
mod strikes;
mod transit;
pub(crate) mod waits;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::task::Waker;

use crate::changes::Change;
use crate::clock::calendar::Calendar;
use crate::clock::executor::{Executor, TaskFuture, TaskId};
use crate::clock::timers::{TimerId, Timers};
use crate::interfaces::Commons;
use crate::interfaces::raw::RawMessage;
use crate::monitors::Watch;
use crate::network::endings::Overseer;
use crate::network::kept::Kept;
use crate::network::ledger::{Ended, Ledger, Passage};
use crate::network::links::Links;
use crate::network::order::InSequence;
use crate::network::ports::{ANY_INCARNATION, AnyBody, Body, Fate, Header, Ports, Receiver, Refusal, Refused};
use crate::network::seats::{Closable, Presence, Seats};
use crate::network::waits::{Answer, Course, WaitKey, Waits};
use crate::outcome::{Interface, OutcomeKind, Undelivered};
use crate::random::{Stream, Streams};
use crate::report::Ending;
use crate::router::book::AddressBook;
use crate::router::{NotDelivered, Why};
use crate::routes::{Price, RouteCache};
use crate::rules::LinkModel;
use crate::topology::{LinkId, Topology};
use crate::trace::ServiceId;
use crate::units::{Bytes, SimDuration, SimTime};

/// Something in flight is due: its next hop, its loss or its arrival.
#[derive(Clone, Copy)]
struct Event {
    slot: u32,
    port: u16,
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
    timers: RefCell<Timers<Alarm>>,
    executor: Executor,
    ports: RefCell<Ports>,
    world: RefCell<World>,
    in_sequence: RefCell<InSequence>,
    waits: RefCell<Waits>,
    pub(crate) seats: RefCell<Seats>,
    pub(crate) book: RefCell<AddressBook>,
    pub(crate) ledger: RefCell<Ledger>,
    /// Services that take bodies of every type.
    takers: RefCell<Vec<Option<Rc<dyn Receiver<AnyBody>>>>>,
    /// Messages that wait for the next life of their receiver.
    pub(crate) kept: RefCell<Kept>,
    /// Who is told of the beginnings and ends of services.
    overseer: RefCell<Option<Rc<dyn Overseer>>>,
    early_strikes: RefCell<Vec<Change>>,
    /// Why the run is to end, once somebody has said so.
    verdict: RefCell<Option<Ending>>,
    /// How to end each service.
    closables: RefCell<Vec<Option<Rc<dyn Closable>>>>,
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
        let Parts { seed, topology, model, changes, timeout, seats, by_name, book, ledger, watch } = parts;
        let streams = Streams::new(seed);
        Rc::new(Network {
            now: Cell::new(0),
            calendar: RefCell::new(Calendar::new()),
            timers: RefCell::new(Timers::new()),
            executor: Executor::new(),
            ports: RefCell::default(),
            in_sequence: RefCell::default(),
            world: RefCell::new(World {
                routes: RouteCache::new(&topology),
                links: Links::new(&topology, streams),
                topology,
                model,
                changes,
            }),
            waits: RefCell::default(),
            seats: RefCell::new(seats),
            book: RefCell::new(book),
            ledger: RefCell::new(ledger),
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

    pub(crate) fn cancel_task(&self, task: TaskId) {
        self.executor.cancel(task);
    }

    pub(crate) fn start_timer(&self, duration: SimDuration, alarm: Alarm) -> TimerId {
        self.timers.borrow_mut().start(self.now.get(), duration.as_nanos(), alarm)
    }

    pub(crate) fn cancel_timer(&self, timer: TimerId) {
        self.timers.borrow_mut().cancel(timer);
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
        self.ports.borrow_mut().of::<B>().set_receiver(service, receiver);
    }

    /// Makes a service reachable for bodies of every type.
    pub(crate) fn set_taker_of_everything(&self, service: ServiceId, taker: Rc<dyn Receiver<AnyBody>>) {
        put(&mut self.takers.borrow_mut(), service, taker);
    }

    fn taker_of_everything(&self, service: ServiceId) -> Option<Rc<dyn Receiver<AnyBody>>> {
        self.takers.borrow().get(service.index()).cloned().flatten()
    }

    pub(crate) fn set_closable(&self, service: ServiceId, closable: Rc<dyn Closable>) {
        put(&mut self.closables.borrow_mut(), service, closable);
    }

    // --- sending

    /// Sends a message. An error is told at once, and is its outcome.
    ///
    /// What it costs: two bounds-checked looks at the seats, one at the route tree, one at the last
    /// message of the pair, a slot in the port's slab and one in the calendar; no allocation once
    /// the slabs have grown.
    pub(crate) fn send<B: Body>(&self, envelope: Envelope, body: B) -> Result<(), Undelivered> {
        let Envelope { from, to, interface, wait, bytes, incarnation } = envelope;
        let now = self.now.get();
        self.ledger.borrow_mut().traffic.sent += 1;
        let Some(link) = self.seats.borrow_mut().leave(from, to, interface, wait.is_answer()) else {
            let (from, to) = (self.name_of(from), self.name_of(to));
            return Err(self.fail(&envelope, Undelivered::NotANeighbour { from, to }));
        };
        let mut world = self.world.borrow_mut();
        let World { topology, routes, model, changes, .. } = &mut *world;
        let Some(price) = routes.price(topology, link.from, link.to) else {
            drop(world);
            let to = self.name_of(to);
            return Err(self.fail(&envelope, Undelivered::NoRoute { to }));
        };
        let away = link.from != link.to;
        if away && !wait.is_none() && !wait.is_answer() && interface != Interface::Control {
            let course = Course { tree: routes.tree(topology, link.from).clone(), to: link.to };
            self.waits.borrow_mut().set_course(wait, course);
        }
        let header = Header {
            from,
            to,
            sent_at: now,
            arrives: now,
            bytes: bytes.0,
            wait,
            way: None,
            interface,
            fate: Fate::Moves,
            duplicate: false,
            unordered: link.unordered,
            incarnation,
        };
        if away && (*model == LinkModel::Queued || *changes || price.noisy) {
            let path = routes.tree(topology, link.from).path(topology, link.to);
            drop(world);
            let port = self.ports.borrow_mut().of::<B>();
            let slot = port.board(header, body);
            self.set_out(&*port, port.index, slot, &path);
            return Ok(());
        }
        let cost = cost_of(price, || routes.transmission(topology, link.from, link.to, bytes));
        drop(world);
        let arrives = now.saturating_add(cost.as_nanos());
        let due = self.due(&header, arrives);
        let port = self.ports.borrow_mut().of::<B>();
        let slot = port.board(Header { arrives, ..header }, body);
        self.calendar.borrow_mut().push(due, Event { slot, port: port.index });
        Ok(())
    }

    /// When a message that reaches its target at `arrives` may be delivered.
    #[inline]
    fn due(&self, header: &Header, arrives: u64) -> u64 {
        if header.unordered {
            return arrives;
        }
        self.seats.borrow_mut().hold(header.from, header.to, self.now.get(), arrives)
    }

    /// Closes the books on a message that never set out.
    #[cold]
    pub(crate) fn fail(&self, envelope: &Envelope, why: Undelivered) -> Undelivered {
        self.ledger.borrow_mut().traffic.undelivered += 1;
        if envelope.interface == Interface::Control {
            self.nobody_will_tell(envelope.wait);
        } else if !envelope.wait.is_none() {
            self.settle(envelope.wait, Answer::Undelivered(why.clone()));
        } else if envelope.interface.is_message() {
            self.end_unawaited(envelope.interface, envelope.from, Some(envelope.to), self.now.get(), &why);
        }
        why
    }

    /// Whether anything that is up leads from one to the other.
    pub(crate) fn reaches(&self, from: ServiceId, to: ServiceId) -> bool {
        let (from, to) = {
            let seats = self.seats.borrow();
            (seats.node_of(from), seats.node_of(to))
        };
        let World { topology, routes, .. } = &mut *self.world.borrow_mut();
        routes.price(topology, from, to).is_some()
    }

    /// Closes the books on a message that cannot even be written down.
    pub(crate) fn refuse_to_send(&self, envelope: &Envelope, why: Undelivered) -> Undelivered {
        self.ledger.borrow_mut().traffic.sent += 1;
        self.seats.borrow_mut().count_sent(envelope.from);
        self.fail(envelope, why)
    }

    /// Closes the books on a message to a name that nobody bears.
    pub(crate) fn fail_unknown(&self, interface: Interface, from: ServiceId, wait: WaitKey, name: &str) -> Undelivered {
        self.fail_at_once(interface, from, wait, Undelivered::UnknownService(name.to_owned()))
    }

    /// Closes the books on a message that is for nobody, or goes nowhere.
    pub(crate) fn fail_at_once(
        &self,
        interface: Interface,
        from: ServiceId,
        wait: WaitKey,
        why: Undelivered,
    ) -> Undelivered {
        {
            let mut ledger = self.ledger.borrow_mut();
            ledger.traffic.sent += 1;
            ledger.traffic.undelivered += 1;
        }
        self.seats.borrow_mut().count_sent(from);
        if wait.is_none() {
            self.end_unawaited(interface, from, None, self.now.get(), &why);
        } else {
            self.settle(wait, Answer::Undelivered(why.clone()));
        }
        why
    }

    pub(crate) fn end_unawaited(
        &self,
        interface: Interface,
        from: ServiceId,
        to: Option<ServiceId>,
        sent_at: u64,
        why: &Undelivered,
    ) {
        let kind = match why {
            Undelivered::NotUnderstood { .. } => OutcomeKind::NotUnderstood,
            _ => OutcomeKind::Undelivered,
        };
        let ended = Ended { from, to, interface, kind, sent_at: SimTime::from_nanos(sent_at) };
        self.ledger.borrow_mut().ended(self.now(), &ended, Some(&why.to_string()));
    }

    // --- arriving

    fn passage(&self, header: &Header, body_type: &'static str) -> Passage {
        Passage {
            from: header.from,
            to: header.to,
            interface: header.interface,
            sent_at: SimTime::from_nanos(header.sent_at),
            bytes: Bytes(header.bytes),
            held_back: SimDuration::from_nanos(self.now.get() - header.arrives.min(self.now.get())),
            duplicate: header.duplicate,
            body_type,
        }
    }

    /// Books a delivery that is about to happen, and tells whoever awaits it.
    #[inline]
    pub(crate) fn book_delivery(&self, header: &Header, body_type: &'static str) {
        let passage = self.passage(header, body_type);
        // An awaited raw message waits for its answer, not for its delivery.
        let waits_for_delivery = header.wait.is_none() || header.interface == Interface::Mpi;
        let acked = header.interface.is_message() && waits_for_delivery && !header.duplicate;
        {
            let mut ledger = self.ledger.borrow_mut();
            ledger.delivered(self.now(), &passage);
            if acked && header.wait.is_none() {
                ledger.taken(self.now(), &passage);
            }
        }
        self.seats.borrow_mut().count_received(header.to, header.interface);
        if acked && !header.wait.is_none() {
            self.settle(header.wait, Answer::Delivered);
        }
        self.acting.set(header.to);
    }

    /// A message reached its node, and nobody there takes it: the node's router says so to the
    /// sender's, over the network.
    #[cold]
    fn refused<B: Body>(&self, header: &Header, refused: Refused<B>) {
        let mut body = refused.body;
        if refused.refusal == Refusal::Gone && header.incarnation == ANY_INCARNATION {
            match self.kept.borrow_mut().keep(header, body.take()) {
                Ok(()) => return,
                Err(returned) => body = returned,
            }
        }
        let raw = (&mut body as &mut dyn Any).downcast_mut::<Option<RawMessage>>().and_then(Option::take);
        self.drop_what_is_left(header.from, body);
        if header.duplicate {
            return;
        }
        self.ledger.borrow_mut().traffic.undelivered += 1;
        let to = self.name_of(header.to);
        let why = match refused.refusal {
            Refusal::Gone => Undelivered::ConnectionGone { to },
            Refusal::InboxFull => Undelivered::InboxFull { to },
            Refusal::NotUnderstood => Undelivered::NotUnderstood { to },
            Refusal::Other(why) => why,
        };
        if let Some(raw) = raw {
            return self.raw_refused(header, why, &raw);
        }
        if header.interface == Interface::Control || header.wait.is_answer() {
            self.nobody_will_tell(header.wait);
            return;
        }
        if header.wait.is_none() {
            if header.interface.is_message() {
                self.end_unawaited(header.interface, header.from, Some(header.to), header.sent_at, &why);
            }
            return;
        }
        self.notify(header.to, header.from, NotDelivered { wait: header.wait, why: Why::Undelivered(why) });
    }

    /// The router at one service's node tells the router at another's what became of a request.
    #[cold]
    pub(crate) fn notify(&self, by: ServiceId, to: ServiceId, notice: NotDelivered) {
        let (from, to) = {
            let seats = self.seats.borrow();
            (seats.router_of(by), seats.router_of(to))
        };
        // If the notice is lost, nobody will tell.
        let envelope = Envelope::to_name(from, to, Interface::Control, notice.wait, notice.size());
        // That it could not set out is booked.
        let _ = self.send(envelope, notice);
    }

    pub(crate) fn is_present(&self, service: ServiceId) -> bool {
        self.seats.borrow().presence(service) == Presence::Running
    }

    /// Whether a message's receiver stands somewhere else than where the message has come to.
    #[cold]
    fn has_moved(&self, header: &Header) -> bool {
        let Some(leg) = header.legs().last() else { return false };
        let came_to = self.topology(|topology| topology.ends(LinkId(leg.link)).1);
        self.seats.borrow().node_of(header.to) != came_to
    }

    /// The run is to end; whoever says so first is heard.
    pub(crate) fn end_run(&self, why: Ending) {
        self.verdict.borrow_mut().get_or_insert(why);
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
        for port in self.ports.borrow().all() {
            port.each(&mut |_, header| count += u64::from(!header.duplicate && header.fate != Fate::Gone));
        }
        count
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

/// From whom a message goes to whom, and how.
#[derive(Clone, Copy)]
pub(crate) struct Envelope {
    pub(crate) from: ServiceId,
    pub(crate) to: ServiceId,
    pub(crate) interface: Interface,
    pub(crate) wait: WaitKey,
    pub(crate) bytes: Bytes,
    /// See [`Header::incarnation`](ports::Header::incarnation).
    pub(crate) incarnation: u32,
}

impl Envelope {
    /// To whoever bears the receiver's name when it arrives. What answers a request has the wait
    /// [`WaitKey::ANSWER`], and needs no application link of its own.
    #[inline]
    pub(crate) fn to_name(from: ServiceId, to: ServiceId, interface: Interface, wait: WaitKey, bytes: Bytes) -> Self {
        Envelope { from, to, interface, wait, bytes, incarnation: ANY_INCARNATION }
    }
}

#[inline]
fn cost_of(price: Price, transmission: impl FnOnce() -> SimDuration) -> SimDuration {
    if price.sized { price.fixed + transmission() } else { price.fixed }
}

fn put<T>(table: &mut Vec<Option<T>>, service: ServiceId, value: T) {
    if table.len() <= service.index() {
        table.resize_with(service.index() + 1, || None);
    }
    table[service.index()] = Some(value);
}

/// The size of a body on the wire: what postcard makes of it.
pub(crate) fn size_of<B: Body>(to: &dyn Fn() -> String, body: &B) -> Result<Bytes, Undelivered> {
    postcard::experimental::serialized_size(body)
        .map(|size| Bytes(size as u64))
        .map_err(|error| Undelivered::Unserialisable { to: to(), reason: error.to_string() })
}
