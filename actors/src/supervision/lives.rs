//! The lives of services: each begins when a supervisor says so, and ends in one of many ways.
//!
//! [`Lives`] knows how every service is made anew, where it may stand, and who supervises it. It
//! tells supervisors of beginnings and ends, and does what they ask for. What a life leaves behind
//! is settled here: requests in hand end as interrupted, messages that nobody has looked at are
//! returned or kept for the next life.

mod account;
mod partings;
mod posts;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};
use std::task::Poll;

use crate::changes::Change;
use crate::network::Network;
use crate::network::endings::{Cause, Load, Overseer};
use crate::network::ledger::SUPERVISOR_PREFIX;
use crate::network::ports::{AnyBody, Delivery};
use crate::network::seats::Presence;
use crate::panics::catch;
use crate::report::{Ending, RestartCause};
use crate::router::RouterId;
use crate::service::cast::{Casting, Recast};
use crate::service::desk::{Desk, Records};
use crate::supervision::actor::Tiding;
use crate::supervision::spec::{Queued, Supervisor};
use crate::topology::NodeId;
use crate::trace::ServiceId;
use crate::units::SimDuration;

/// A service, from life to life. There may be a million, so that what few of them have is boxed.
pub(crate) struct Role {
    /// Where it belongs.
    pub(crate) home: NodeId,
    /// Which of its home's routers it has its connections at. Anywhere else that is router 0.
    pub(crate) router: RouterId,
    /// Made, and yet to begin its first life.
    pub(crate) ready: bool,
    /// How it is made anew; a service without it has one life.
    pub(crate) again: Option<Box<Again>>,
    /// Of its present life.
    pub(crate) desk: Option<Rc<Desk>>,
    /// Those of its lives so far, while it has none.
    pub(crate) records: Option<Box<Records>>,
}

/// How a service is made anew.
pub(crate) struct Again {
    pub(crate) recast: Recast,
    pub(crate) step_every: Option<SimDuration>,
    pub(crate) keep_step_values: usize,
    pub(crate) provides: bool,
}

use account::{Account, restart_cause};
use partings::Parting;
pub(super) use posts::Children;
use posts::{Bosses, Flat, Post};

/// How a service is treated that ends: what its supervisor's declaration says.
#[derive(Default)]
struct Terms {
    fallback: Vec<NodeId>,
    queued: Queued,
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
    bosses: Bosses,
    /// Machines that have crashed and not come back.
    crashed: RefCell<BTreeSet<NodeId>>,
    /// Services that wait for their machine.
    deferred: RefCell<BTreeSet<ServiceId>>,
    /// Letters for the next life.
    letters: RefCell<BTreeMap<ServiceId, Vec<Delivery<AnyBody>>>>,
    /// Lives that are ending in an orderly way.
    partings: RefCell<BTreeMap<ServiceId, Parting>>,
    account: RefCell<Account>,
}

impl Lives {
    pub(crate) fn new(network: &Rc<Network>, roles: Vec<Role>, root: Supervisor) -> Rc<Lives> {
        let first_post = network.seats.borrow_mut().add_silent(root.all().len());
        let mut flat = Flat { first_post, posts: Vec::new(), terms: BTreeMap::new() };
        flat.add(root);
        let Flat { posts, terms, .. } = flat;
        let supervisors = posts.len() as u32;
        let bosses = Bosses::of(&posts);
        let names = posts.iter().map(|post| format!("{SUPERVISOR_PREFIX}{}", post.spec.name));
        network.ledger.borrow_mut().names.services.extend(names);
        // Nobody is there before a supervisor says so. What comes until then may be kept already.
        let services = (0..roles.len() as u32).map(ServiceId);
        let supervisors = (first_post.0..first_post.0 + supervisors).map(ServiceId);
        for seat in services.chain(supervisors) {
            network.seats.borrow_mut().set_presence(seat, Presence::Expected);
        }
        for (service, _) in terms.iter().filter(|(_, terms)| terms.queued == Queued::Keep) {
            network.kept.borrow_mut().begin(*service);
        }
        Rc::new_cyclic(|me| Lives {
            me: me.clone(),
            network: network.clone(),
            roles: RefCell::new(roles),
            terms: RefCell::new(terms),
            posts: RefCell::new(posts),
            first_post,
            bosses,
            crashed: RefCell::default(),
            deferred: RefCell::default(),
            letters: RefCell::default(),
            partings: RefCell::default(),
            account: RefCell::default(),
        })
    }

    /// Begins the first life of the root, and with it everything.
    pub(crate) fn begin(self: &Rc<Self>) {
        self.network.set_overseer(Some(self.clone()));
        self.begin_post(0);
        let (kills, machines): (Vec<Change>, Vec<Change>) = (self.network.take_early_strikes().into_iter())
            .partition(|change| matches!(change, Change::Kill(_) | Change::KillSupervisor(_)));
        // What stands on a machine that is down from the beginning has to wait.
        machines.iter().for_each(|change| self.network.strike(change));
        if kills.is_empty() {
            return;
        }
        // Who is killed at the beginning has begun before: timers come last in an instant.
        let network = self.network.clone();
        let strike = async move {
            let mut timed = false;
            std::future::poll_fn(|cx| {
                if std::mem::replace(&mut timed, true) {
                    return Poll::Ready(());
                }
                network.wake_later(SimDuration::ZERO, cx.waker());
                Poll::Pending
            })
            .await;
            kills.iter().for_each(|change| network.strike(change));
        };
        self.network.spawn(self.first_post, Box::pin(strike));
    }

    /// What is left of each service when a run is over: its records, and its desk if it is there.
    pub(crate) fn take_roles(&self) -> Vec<Role> {
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
            return Ok(if awaited { Begun::Beginning } else { Begun::Up });
        }
        let Some(node) = self.place_for(seat) else {
            self.note(seat, "waits for its machine");
            self.deferred.borrow_mut().insert(seat);
            return Ok(Begun::Deferred);
        };
        self.deferred.borrow_mut().remove(&seat);
        let desk = self.made(seat, node)?;
        self.note_restart(seat);
        if let Some(desk) = &desk {
            let letters = self.letters.borrow_mut().remove(&seat).unwrap_or_default();
            letters.into_iter().for_each(|letter| desk.inbox.put(letter));
        }
        let begun = if desk.is_some() && awaited { Begun::Beginning } else { Begun::Up };
        self.roles.borrow_mut()[seat.index()].desk = desk;
        self.network.begin(seat);
        // One that has failed already has the next life's messages kept with those of this one.
        if self.network.is_present(seat) {
            self.let_arrive(seat);
        }
        Ok(begun)
    }

    /// Puts the service into its place, ready to begin; its desk, if it has one.
    fn made(&self, id: ServiceId, node: NodeId) -> Result<Option<Rc<Desk>>, String> {
        let (ready, home, desk) = {
            let role = &mut self.roles.borrow_mut()[id.index()];
            (std::mem::take(&mut role.ready), role.home, role.desk.take())
        };
        if ready {
            self.network.seats.borrow_mut().set_presence(id, Presence::Running);
            // At home it has been entered from the start.
            if node != home {
                self.take_place(id, node);
            }
            return Ok(desk);
        }
        let again = self.roles.borrow_mut()[id.index()].again.take();
        let Some(mut again) = again else {
            return Err("it can be made only once; give a function that makes it".to_owned());
        };
        self.network.seats.borrow_mut().revive(id);
        self.take_place(id, node);
        let network = &self.network;
        let Again { recast, step_every, keep_step_values, provides } = &mut *again;
        let (step_every, keep_step_values, provides) = (*step_every, *keep_step_values, *provides);
        let casting = Casting { network, id, step_every, keep_step_values, provides };
        let made = catch(|| recast()?.make(casting).map_err(|why| why.to_string()));
        {
            let role = &mut self.roles.borrow_mut()[id.index()];
            role.again = Some(again);
            // The books go on where those of the last life ended.
            if let Ok(Ok(Some(desk))) = &made
                && let Some(records) = role.records.take()
            {
                desk.records.replace(*records);
            }
        }
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

    /// Puts a service where its life is to be, with a main connection there.
    fn take_place(&self, id: ServiceId, node: NodeId) {
        let network = &self.network;
        if network.positions.node_of(id) != node {
            let router = {
                let role = &self.roles.borrow()[id.index()];
                if role.home == node { role.router } else { RouterId::default() }
            };
            let mut book = network.book.borrow_mut();
            book.move_to(id, node.into(), router);
            if let Some(router) = book.router_at(node.into(), router) {
                network.move_to(id, node, router);
            }
        }
        network.open_main_connection(id);
    }

    /// Whether a service's messages are kept for its next life.
    fn keeps(&self, service: ServiceId) -> bool {
        self.terms.borrow().get(&service).is_some_and(|terms| terms.queued == Queued::Keep)
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
}

impl Overseer for Lives {
    fn node_crashed(&self, node: NodeId) {
        self.crashed.borrow_mut().insert(node);
        let services = self.roles.borrow().len() as u32;
        for service in (0..services).map(ServiceId) {
            if self.network.positions.node_of(service) != node {
                continue;
            }
            let may_return = self.network.is_present(service) || self.network.kept.borrow().has(service);
            self.network.end(service, Cause::NodeCrashed);
            // What lay there for its next life is gone.
            self.write_off(service);
            if may_return && self.keeps(service) {
                self.network.kept.borrow_mut().begin(service);
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

    fn restarts(&self) -> BTreeMap<(String, RestartCause), u64> {
        self.restarts_by_name()
    }

    fn load_of(&self, service: ServiceId) -> Option<Load> {
        self.roles.borrow().get(service.index())?.desk.as_ref().map(|desk| desk.load())
    }

    fn started(&self, service: ServiceId) {
        // Among a million services that begin at once, this is what would take longest.
        if self.is_awaited(service) {
            self.tell_boss(service, Tiding::Started);
        }
    }

    fn ended(&self, seat: ServiceId, cause: Cause) {
        let cause = self.parted(seat, cause);
        self.note(seat, &cause.to_string());
        self.account.borrow_mut().last_ends.insert(seat, restart_cause(&cause));
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
