//! The lives of services: each begins when a supervisor says so, and ends in one of many ways.
//!
//! [`Lives`] knows how every service is made anew, where it may stand, and who supervises it. It
//! tells supervisors of beginnings and ends, and does what they ask for. What a life leaves behind
//! is settled here: requests in hand end as interrupted, messages that nobody has looked at are
//! returned or kept for the next life.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};

use actix::Addr;
use futures_util::future::{Either, select};

use crate::changes::Change;
use crate::network::Network;
use crate::network::endings::{Cause, Overseer};
use crate::network::ledger::SUPERVISOR_PREFIX;
use crate::network::pending::Deadline;
use crate::network::ports::{AnyBody, Delivery};
use crate::panics::catch;
use crate::report::{Ending, GivenUpReport, RestartCause, SupervisionReport};
use crate::router::{NotDelivered, Why};
use crate::service::cast::{Casting, Made, Recast};
use crate::service::desk::{Desk, Records};
use crate::supervision::actor::{SupervisorActor, Tiding};
use crate::supervision::spec::{Child, Intensity, Queued, Restart, Shutdown, Supervisor};
use crate::topology::NodeId;
use crate::trace::ServiceId;
use crate::units::SimDuration;

/// A service, from life to life.
pub(crate) struct Role {
    /// Where it belongs.
    pub(crate) home: NodeId,
    pub(crate) step_every: Option<SimDuration>,
    pub(crate) keep_step_values: usize,
    pub(crate) provides: bool,
    pub(crate) records: Rc<RefCell<Records>>,
    /// Made, and yet to begin its first life.
    pub(crate) ready: Option<Made>,
    /// Makes it anew; a service without it has one life.
    pub(crate) recast: Option<Recast>,
    /// Of its present life.
    pub(crate) desk: Option<Rc<Desk>>,
}

/// How a service is treated that ends: what its supervisor's declaration says.
#[derive(Default)]
struct Terms {
    fallback: Vec<NodeId>,
    queued: Queued,
}

/// A supervisor's place in the tree.
struct Post {
    spec: Supervisor,
    /// Each child's seat.
    children: Vec<ServiceId>,
    /// Its present life.
    addr: Option<Addr<SupervisorActor>>,
}

/// Who supervises a seat: the number of the post, and which of its children it is.
#[derive(Clone, Copy)]
struct Boss {
    post: u32,
    child: u32,
}

/// So many supervisors that gave up are told.
const GIVEN_UP: usize = 1000;

fn restart_cause(end: &Cause) -> RestartCause {
    match end {
        Cause::Normal => RestartCause::Ended,
        Cause::Shutdown => RestartCause::Sibling,
        Cause::Killed => RestartCause::Killed,
        Cause::Error(_) => RestartCause::Error,
        Cause::Panic(_) => RestartCause::Panic,
        Cause::NodeCrashed => RestartCause::NodeCrash,
        Cause::GaveUp => RestartCause::GaveUp,
    }
}

/// What came of asking a life to begin.
pub(super) enum Begun {
    /// It has begun.
    Up,
    /// It has, and will say when its start is over.
    Beginning,
    /// Its machine is down: it begins when that comes back.
    Deferred,
}

pub(crate) struct Lives {
    me: Weak<Lives>,
    pub(super) network: Rc<Network>,
    roles: RefCell<Vec<Role>>,
    terms: RefCell<BTreeMap<ServiceId, Terms>>,
    posts: RefCell<Vec<Post>>,
    /// The seat of the first supervisor.
    first_post: ServiceId,
    bosses: RefCell<Vec<Option<Boss>>>,
    /// Machines that have crashed and not come back.
    crashed: RefCell<BTreeSet<NodeId>>,
    /// Services that wait for their machine.
    deferred: RefCell<BTreeSet<ServiceId>>,
    /// Letters for the next life.
    letters: RefCell<BTreeMap<ServiceId, Vec<Delivery<AnyBody>>>>,
    /// How a life that is ending in an orderly way is said to end.
    parting: RefCell<BTreeMap<ServiceId, Cause>>,
    /// How each last ended, of those that have.
    last_ends: RefCell<BTreeMap<ServiceId, RestartCause>>,
    /// How often each was restarted, and why.
    restarts: RefCell<BTreeMap<(ServiceId, RestartCause), u64>>,
    /// Supervisors that gave up, in order.
    given_up: RefCell<Vec<GivenUpReport>>,
    returned: Cell<u64>,
}

impl Lives {
    pub(crate) fn new(network: &Rc<Network>, roles: Vec<Role>, root: Supervisor) -> Rc<Lives> {
        let mut flat = Flat { posts: Vec::new(), terms: BTreeMap::new() };
        flat.add(root);
        let Flat { mut posts, terms } = flat;
        let first_post = network.seats.borrow_mut().add_silent(posts.len());
        let mut bosses = vec![None; first_post.index() + posts.len()];
        for (number, post) in posts.iter_mut().enumerate() {
            for (child, seat) in post.children.iter_mut().enumerate() {
                // Supervisors were named by their number.
                if let Child::Supervisor(_) = post.spec.children[child].child {
                    seat.0 += first_post.0;
                }
                bosses[seat.index()] = Some(Boss { post: number as u32, child: child as u32 });
            }
        }
        let names = posts.iter().map(|post| format!("{SUPERVISOR_PREFIX}{}", post.spec.name));
        network.ledger.borrow_mut().names.services.extend(names);
        Rc::new_cyclic(|me| Lives {
            me: me.clone(),
            network: network.clone(),
            roles: RefCell::new(roles),
            terms: RefCell::new(terms),
            posts: RefCell::new(posts),
            first_post,
            bosses: RefCell::new(bosses),
            crashed: RefCell::default(),
            deferred: RefCell::default(),
            letters: RefCell::default(),
            parting: RefCell::default(),
            last_ends: RefCell::default(),
            restarts: RefCell::default(),
            given_up: RefCell::default(),
            returned: Cell::new(0),
        })
    }

    /// Begins the first life of the root, and with it everything.
    pub(crate) fn begin(self: &Rc<Self>) {
        self.network.set_overseer(Some(self.clone()));
        self.begin_post(0);
        let (kills, machines): (Vec<Change>, Vec<Change>) = (self.network.take_early_strikes().into_iter())
            .partition(|change| matches!(change, Change::Kill(_) | Change::KillSupervisor(_)));
        // What stands on a machine that is down from the beginning has to wait; who is killed at the
        // beginning has begun before.
        machines.iter().for_each(|change| self.network.strike(change));
        let network = self.network.clone();
        let strike = async move { kills.iter().for_each(|change| network.strike(change)) };
        self.network.spawn(self.first_post, Box::pin(strike));
    }

    /// What is left of each service when a run is over: its records, and its desk if it is there.
    pub(crate) fn into_roles(&self) -> Vec<Role> {
        self.posts.borrow_mut().clear();
        for (service, letters) in self.letters.take() {
            self.give_back(service, letters);
        }
        self.roles.take()
    }

    // --- what supervisors ask for

    pub(super) fn is_supervisor(&self, seat: ServiceId) -> bool {
        seat.0 >= self.first_post.0
    }

    /// Begins another life of a child.
    pub(super) fn start(&self, seat: ServiceId, awaited: bool) -> Result<Begun, String> {
        if self.is_supervisor(seat) {
            self.begin_post(seat.index() - self.first_post.index());
            return Ok(Begun::Beginning);
        }
        let Some(node) = self.place_for(seat) else {
            self.note(seat, "waits for its machine");
            self.deferred.borrow_mut().insert(seat);
            return Ok(Begun::Deferred);
        };
        self.deferred.borrow_mut().remove(&seat);
        let Made { start, desk } = self.made(seat, node)?;
        self.note_restart(seat);
        if let Some(desk) = &desk {
            let letters = self.letters.borrow_mut().remove(&seat).unwrap_or_default();
            letters.into_iter().for_each(|letter| desk.inbox.put(letter));
        }
        let begun = if desk.is_some() && awaited { Begun::Beginning } else { Begun::Up };
        self.roles.borrow_mut()[seat.index()].desk = desk;
        if let Err(caught) = catch(start) {
            self.network.crash(seat, caught);
        }
        let kept = self.network.kept.borrow_mut().end(seat);
        kept.for_each(|arrive| arrive(&self.network));
        Ok(begun)
    }

    /// Writes down what became of a child, for the story.
    fn note(&self, seat: ServiceId, what: &str) {
        let Some(boss) = self.seat_of_boss(seat) else { return };
        self.network.ledger.borrow_mut().supervised(self.network.now(), boss, seat, what);
    }

    /// If this is not its first life.
    fn note_restart(&self, seat: ServiceId) {
        let Some(after) = self.last_ends.borrow_mut().remove(&seat) else { return };
        *self.restarts.borrow_mut().entry((seat, after)).or_default() += 1;
        self.note(seat, &format!("restarted as incarnation {}", self.network.incarnation(seat)));
    }

    fn note_gave_up(&self, seat: ServiceId) {
        let posts = self.posts.borrow();
        let Some(post) = posts.get(seat.index() - self.first_post.index()) else { return };
        let Intensity { restarts, period } = post.spec.intensity;
        let why = format!("one restart more than {restarts} within {period}");
        let report = GivenUpReport { supervisor: post.spec.name.clone(), at: self.network.now(), why };
        let mut given_up = self.given_up.borrow_mut();
        if given_up.len() < GIVEN_UP {
            given_up.push(report);
        }
    }

    /// What is known of restarts when a run is over.
    pub(crate) fn report_restarts(&self, report: &mut SupervisionReport) {
        let posts = self.posts.borrow();
        for ((seat, cause), count) in self.restarts.borrow().iter() {
            let name = match self.is_supervisor(*seat) {
                true => posts[seat.index() - self.first_post.index()].spec.name.clone(),
                false => self.network.name_of(*seat),
            };
            *report.restarts.entry((name, *cause)).or_default() += count;
            if let Some(boss) = self.boss_of(*seat) {
                let supervisor = posts[boss.post as usize].spec.name.clone();
                *report.restarts_by_supervisor.entry(supervisor).or_default() += count;
            }
        }
        report.given_up = self.given_up.take();
        report.returned = self.returned.get();
    }

    /// The service in its place, ready to begin.
    fn made(&self, id: ServiceId, node: NodeId) -> Result<Made, String> {
        let (ready, recast) = {
            let role = &mut self.roles.borrow_mut()[id.index()];
            (role.ready.take(), role.recast.take())
        };
        if let Some(made) = ready {
            self.roles.borrow_mut()[id.index()].recast = recast;
            return Ok(made);
        }
        let Some(mut recast) = recast else {
            return Err("it can be made only once; give a function that makes it".to_owned());
        };
        {
            let mut seats = self.network.seats.borrow_mut();
            seats.revive(id);
            if seats.node_of(id) != node {
                seats.set_node(id, node);
                self.network.book.borrow_mut().move_to(id, node.into());
            }
        }
        self.network.open_main_connection(id);
        let (step_every, keep_step_values, provides, records) = {
            let role = &self.roles.borrow()[id.index()];
            (role.step_every, role.keep_step_values, role.provides, role.records.clone())
        };
        let network = &self.network;
        let casting = Casting { network, id, step_every, keep_step_values, provides, records: &records };
        let made = catch(|| recast()?.make(casting).map_err(|why| why.to_string()));
        self.roles.borrow_mut()[id.index()].recast = Some(recast);
        let made = match made {
            Ok(made) => made,
            Err(caught) => {
                let message = caught.message.clone();
                network.ledger.borrow_mut().panicked(network.now(), id, caught);
                Err(message)
            }
        };
        if made.is_err() {
            network.abort(id);
        }
        made
    }

    /// The node for a service's next life: its own, or the first of its other ones that is up.
    fn place_for(&self, service: ServiceId) -> Option<NodeId> {
        let home = self.roles.borrow()[service.index()].home;
        let crashed = self.crashed.borrow();
        let terms = self.terms.borrow();
        let others = terms.get(&service).map(|terms| &*terms.fallback).unwrap_or_default();
        std::iter::once(&home).chain(others).find(|node| !crashed.contains(node)).copied()
    }

    /// Whether a child waits for its machine.
    pub(super) fn is_deferred(&self, seat: ServiceId) -> bool {
        self.deferred.borrow().contains(&seat)
    }

    /// Makes a child end. Its supervisor is told when it has.
    pub(super) fn stop(&self, seat: ServiceId, shutdown: Shutdown) {
        if self.deferred.borrow_mut().remove(&seat) {
            return self.tell_boss(seat, |child| Tiding::Ended(child, Cause::Shutdown));
        }
        if !self.network.is_present(seat) {
            // It has ended by itself, which its supervisor will read next.
            return;
        }
        if shutdown == Shutdown::Kill {
            return self.network.end(seat, Cause::Killed);
        }
        let (Some(me), Some(boss)) = (self.me.upgrade(), self.seat_of_boss(seat)) else { return };
        let grace = match shutdown {
            Shutdown::Grace(grace) => Some(Deadline::new(self.network.clone(), self.network.now() + grace)),
            Shutdown::Kill | Shutdown::Infinity => None,
        };
        self.parting.borrow_mut().insert(seat, Cause::Shutdown);
        if self.is_supervisor(seat) {
            if let Some(addr) = &self.posts.borrow()[seat.index() - self.first_post.index()].addr {
                addr.do_send(Tiding::Stop);
            }
            if let Some(grace) = grace {
                let life = self.network.incarnation(seat);
                let too_late = async move {
                    grace.await;
                    if me.network.incarnation(seat) == life {
                        me.network.end(seat, Cause::Killed);
                    }
                };
                self.network.spawn(boss, Box::pin(too_late));
            }
            return;
        }
        self.network.let_leave(seat);
        let Some(desk) = self.roles.borrow()[seat.index()].desk.clone() else {
            return self.network.stop(seat);
        };
        let leaving = async move {
            let left = Box::pin(async { desk.leave().await });
            let in_time = match grace {
                Some(grace) => matches!(select(left, grace).await, Either::Left(_)),
                None => {
                    left.await;
                    true
                }
            };
            match in_time {
                true => me.network.stop(seat),
                false => me.network.end(seat, Cause::Killed),
            }
        };
        self.network.spawn(boss, Box::pin(leaving));
    }

    /// Says how a life that now ends in an orderly way has ended.
    pub(super) fn part(&self, seat: ServiceId, cause: Cause) {
        self.parting.borrow_mut().insert(seat, cause);
    }

    /// A life that was asked for has not come into being.
    pub(super) fn could_not_start(&self, seat: ServiceId, reason: &str) {
        let mut ledger = self.network.ledger.borrow_mut();
        ledger.gave_up(self.network.now(), seat, &format!("it could not be started: {reason}"));
    }

    /// A child will have no further life: what was kept for one is returned.
    pub(super) fn write_off(&self, seat: ServiceId) {
        if self.is_supervisor(seat) {
            return;
        }
        let letters = self.letters.borrow_mut().remove(&seat).unwrap_or_default();
        self.give_back(seat, letters);
        let kept = self.network.kept.borrow_mut().end(seat);
        kept.for_each(|arrive| arrive(&self.network));
    }

    fn seat_of_post(&self, number: usize) -> ServiceId {
        ServiceId(self.first_post.0 + number as u32)
    }

    fn boss_of(&self, seat: ServiceId) -> Option<Boss> {
        self.bosses.borrow().get(seat.index()).copied().flatten()
    }

    fn seat_of_boss(&self, seat: ServiceId) -> Option<ServiceId> {
        self.boss_of(seat).map(|boss| self.seat_of_post(boss.post as usize))
    }

    fn tell_boss(&self, seat: ServiceId, tiding: impl FnOnce(usize) -> Tiding) {
        let Some(boss) = self.boss_of(seat) else { return };
        if let Some(addr) = self.posts.borrow().get(boss.post as usize).and_then(|post| post.addr.as_ref()) {
            addr.do_send(tiding(boss.child as usize));
        }
    }

    /// Begins another life of a supervisor.
    fn begin_post(&self, number: usize) {
        let Some(lives) = self.me.upgrade() else { return };
        let seat = self.seat_of_post(number);
        if !self.network.is_present(seat) {
            self.network.seats.borrow_mut().revive(seat);
            self.note_restart(seat);
            let posts = self.posts.borrow();
            for child in posts.get(number).iter().flat_map(|post| &post.children) {
                self.last_ends.borrow_mut().entry(*child).and_modify(|cause| *cause = RestartCause::Supervisor);
            }
        }
        let actor = {
            let posts = self.posts.borrow();
            let Some(post) = posts.get(number) else { return };
            SupervisorActor::new(lives, seat, &post.spec, post.children.clone())
        };
        let addr = actor.begin(&self.network);
        if let Some(post) = self.posts.borrow_mut().get_mut(number) {
            post.addr = addr;
        }
    }

    /// A supervisor is gone, and none of its children outlives it.
    fn end_post(&self, seat: ServiceId) {
        let children = {
            let mut posts = self.posts.borrow_mut();
            let Some(post) = posts.get_mut(seat.index() - self.first_post.index()) else { return };
            post.addr = None;
            post.children.clone()
        };
        for child in children.into_iter().rev() {
            self.deferred.borrow_mut().remove(&child);
            self.network.end(child, Cause::Killed);
            self.write_off(child);
        }
    }

    /// Settles what a life leaves behind.
    fn end_life(&self, service: ServiceId, cause: &Cause) {
        let Some(desk) = self.roles.borrow_mut()[service.index()].desk.take() else { return };
        let machine_is_up = *cause != Cause::NodeCrashed;
        desk.inbox.close();
        let in_hand = desk.drop_from_hands();
        if machine_is_up {
            let name = self.network.name_of(service);
            for request in in_hand {
                let notice = NotDelivered { wait: request.call, why: Why::Interrupted(name.clone()) };
                self.network.notify(service, request.from, notice);
            }
        }
        let letters = desk.inbox.take_all();
        let keeps = self.terms.borrow().get(&service).is_some_and(|terms| terms.queued == Queued::Keep);
        // What lies in the memory of a machine does not outlive it.
        if keeps && machine_is_up {
            self.letters.borrow_mut().entry(service).or_default().extend(letters);
            self.network.kept.borrow_mut().begin(service);
        } else {
            self.give_back(service, letters);
        }
    }

    /// Messages that nobody will look at.
    fn give_back(&self, service: ServiceId, letters: Vec<Delivery<AnyBody>>) {
        self.returned.set(self.returned.get() + letters.len() as u64);
        for letter in letters {
            self.network.drop_what_is_left(service, letter);
        }
    }
}

impl Overseer for Lives {
    fn node_crashed(&self, node: NodeId) {
        self.crashed.borrow_mut().insert(node);
        let services = self.roles.borrow().len() as u32;
        for service in (0..services).map(ServiceId) {
            let begun = self.roles.borrow()[service.index()].ready.is_none();
            if begun && self.network.seats.borrow().node_of(service) == node {
                self.network.end(service, Cause::NodeCrashed);
            }
        }
    }

    fn node_is_back(&self, node: NodeId) {
        if !self.crashed.borrow_mut().remove(&node) {
            return;
        }
        let waiting: Vec<ServiceId> = self.deferred.borrow().iter().copied().collect();
        for service in waiting {
            if self.place_for(service).is_some() {
                self.tell_boss(service, Tiding::MachineBack);
            }
        }
    }

    fn find(&self, supervisor: &str) -> Option<ServiceId> {
        let number = self.posts.borrow().iter().position(|post| post.spec.name == supervisor)?;
        Some(self.seat_of_post(number))
    }

    fn started(&self, service: ServiceId) {
        self.tell_boss(service, Tiding::Started);
    }

    fn ended(&self, seat: ServiceId, cause: Cause) {
        let parting = self.parting.borrow_mut().remove(&seat);
        let cause = match (cause, parting) {
            (Cause::Normal, Some(parting)) => parting,
            (cause, _) => cause,
        };
        self.note(seat, &cause.to_string());
        self.last_ends.borrow_mut().insert(seat, restart_cause(&cause));
        if cause == Cause::GaveUp {
            self.note_gave_up(seat);
        }
        if self.is_supervisor(seat) {
            self.end_post(seat);
        } else {
            if cause.is_failure() {
                self.network.ledger.borrow_mut().recoveries.failed(seat, self.network.now());
            }
            self.end_life(seat, &cause);
        }
        if seat == self.first_post && cause != Cause::Shutdown {
            let supervisor = self.posts.borrow().first().map(|post| post.spec.name.clone()).unwrap_or_default();
            self.network.end_run(Ending::GaveUp { supervisor, at: self.network.now() });
        }
        self.tell_boss(seat, |child| Tiding::Ended(child, cause));
    }
}

/// The tree, flattened: a post for each supervisor, those above before those below.
struct Flat {
    posts: Vec<Post>,
    terms: BTreeMap<ServiceId, Terms>,
}

impl Flat {
    /// Adds a supervisor and all below it; returns its number.
    fn add(&mut self, supervisor: Supervisor) -> usize {
        let number = self.posts.len();
        let below: Vec<_> = supervisor.children.iter().map(|child| child.child.clone()).collect();
        for child in &supervisor.children {
            if let Child::Service(service) = child.child {
                let terms = Terms { fallback: child.fallback.clone(), queued: child.queued };
                if !terms.fallback.is_empty() || terms.queued != Queued::default() {
                    self.terms.insert(ServiceId(service as u32), terms);
                }
            }
        }
        self.posts.push(Post { spec: supervisor, children: Vec::with_capacity(below.len()), addr: None });
        for child in below {
            let seat = match child {
                Child::Service(service) => ServiceId(service as u32),
                Child::Supervisor(supervisor) => ServiceId(self.add(supervisor) as u32),
            };
            self.posts[number].children.push(seat);
        }
        number
    }
}

/// The supervisor of services that no supervisor was declared for: one-for-one, with OTP's intensity.
/// It starts them all at once. A service that can be made only once has one life.
pub(crate) fn implicit_root(roles: &[Role]) -> Supervisor {
    let mut root = Supervisor::new("root");
    root.await_starts = false;
    root.children = (0..roles.len()).map(crate::supervision::ChildSpec::service).collect();
    for (child, role) in root.children.iter_mut().zip(roles) {
        if role.recast.is_none() {
            child.restart = Restart::Temporary;
        }
    }
    root
}
