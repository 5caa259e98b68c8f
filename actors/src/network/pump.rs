//! The actor that drives the network, and the order of things within an instant.
//!
//! 1. what changes in the network, faults before policies, each in order of declaration;
//! 2. deliveries, in order of their sequence; each is followed by everything that it makes
//!    runnable, so that a chain of causes is over before the next one begins;
//! 3. timers, in the order in which they were started: an answer that arrives at the very moment of
//!    a timeout is in time. What a timer makes runnable or due comes before the next timer.
//!
//! | message | from | what comes back |
//! |---|---|---|
//! | [`Run`] | whoever starts a run | how it [`Ended`], when it is over |
//!
//! When nothing of an instant is left, nothing is in a mailbox and nothing is runnable: the run is
//! quiescent, exactly, and the clock may move on.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context as TaskContext, Poll};

use actix::prelude::*;

use crate::clock::executor::Polled;
use crate::network::pacing::{self, Paced};
use crate::network::schedule::Schedule;
use crate::network::waits::Answer;
use crate::network::{Alarm, Event, Network};
use crate::report::{Ending, PacingReport, Progress};
use crate::trace::ServiceId;
use crate::units::SimTime;

/// After so many things done, other actors of the arbiter get their turn, and whoever watches the
/// run is told how far it is.
const QUANTUM: u32 = 1024;

/// With so many messages on their way, the next one and its receiver are no longer at hand.
const MANY: usize = 512;

/// So many things may happen within one instant, a hundred for each service, and four for each message
/// that is on its way by then: what does more never waits for anything, and virtual time would stand
/// still for ever.
const INSTANT_LIMIT: u64 = 5_000_000;

impl Network {
    /// Does one thing of the present instant that is no timer; or, if nothing of it is left and what comes
    /// next is a delivery before the horizon, moves the clock there and carries that out.
    #[inline]
    fn turn(&self) -> Turn {
        if !self.executor.is_surely_idle() && self.run_task() {
            return Turn::Now;
        }
        let mut calendar = self.calendar.borrow_mut();
        let now = self.now.get();
        let Some(next) = calendar.next_time() else { return Turn::Over };
        let mut turn = Turn::Now;
        if next > now {
            if next >= self.horizon.get() {
                return Turn::Over;
            }
            self.now.set(next);
            turn = Turn::Later;
        }
        let Some(event) = calendar.pop_due(next) else { return Turn::Over };
        let is_far = |ahead: &Event| calendar.len() > MANY && ahead.port == event.port;
        let ahead = calendar.peek().filter(is_far);
        drop(calendar);
        let Some(port) = self.ports.at(event.port) else { return turn };
        if let Some(ahead) = ahead {
            port.fetch(self, ahead.slot, ahead.to);
        }
        port.arrive(self, event.port, event.slot);
        turn
    }

    /// Finds the horizon, if nothing but what the network knows of happens before `limit`.
    fn look_ahead(&self, limit: u64) {
        let timer = self.timers.borrow().surely_none_before();
        let horizon = if self.has_verdict() { 0 } else { limit.min(timer).min(self.outbox.open_until()) };
        self.horizon.set(horizon);
    }

    /// Something may happen then that is not in the calendar.
    #[inline]
    pub(super) fn expect(&self, time: u64) {
        self.horizon.set(self.horizon.get().min(time));
    }

    /// Polls a task. False if none was runnable.
    fn run_task(&self) -> bool {
        match self.executor.poll_one(|owner| self.acting.set(ServiceId(owner))) {
            Polled::Idle => return false,
            Polled::Ran => {}
            Polled::Panicked(owner, caught) => self.crash(ServiceId(owner), caught),
        }
        true
    }

    fn fire(&self, alarm: Alarm) {
        match alarm {
            Alarm::Timeout(key) => self.settle(key, Answer::TimedOut),
            Alarm::Wake(waker) => waker.wake(),
        }
    }

    /// When the next delivery or timer is due.
    #[inline]
    pub(super) fn next_time(&self) -> Option<u64> {
        let mut delivery = self.calendar.borrow().next_time();
        if self.outbox.reaches(delivery) {
            self.price_all();
            delivery = self.calendar.borrow().next_time();
        }
        let mut timers = self.timers.borrow_mut();
        match delivery {
            Some(time) if timers.surely_none_until(time) => Some(time),
            Some(time) => Some(timers.next_time().map_or(time, |timer| timer.min(time))),
            None => timers.next_time(),
        }
    }
}

/// What came of a turn.
enum Turn {
    /// Something happened in the present instant.
    Now,
    /// The clock moved, and something happened then.
    Later,
    /// Nothing of the present instant is left but timers, and what comes next is to be found out.
    Over,
}

/// The actor that carries every message of a run: it owns the clock, and delivers what is due.
pub(crate) struct NetworkActor {
    pub(crate) network: Rc<Network>,
    pub(crate) schedule: Schedule,
    pub(crate) until: Option<SimTime>,
    pub(crate) progress: Arc<Progress>,
    /// How the run keeps to the wall clock; `None`: as fast as it goes.
    pub(crate) paced: Option<Paced>,
}

impl Actor for NetworkActor {
    type Context = Context<Self>;
}

/// Sent by whoever starts a run; answered when the run is over.
pub(crate) struct Run;

/// How a run ended, and how it kept to the wall clock if it did.
pub(crate) struct Ended {
    pub(crate) ending: Ending,
    pub(crate) pacing: Option<PacingReport>,
}

impl Message for Run {
    type Result = Ended;
}

impl Handler<Run> for NetworkActor {
    type Result = ResponseActFuture<Self, Ended>;

    fn handle(&mut self, _: Run, _: &mut Context<Self>) -> Self::Result {
        Box::pin(Pump { alarms: VecDeque::new(), this_instant: 0, allowance: None })
    }
}

/// The loop of the network actor.
struct Pump {
    /// Timers of this instant that have yet to fire.
    alarms: VecDeque<Alarm>,
    this_instant: u64,
    /// What more may happen in this instant, once it has come to the limit.
    allowance: Option<u64>,
}

impl Pump {
    /// Nobody keeps time from moving by what has been on its way all along, and leads to a few things
    /// more.
    fn allowance(&mut self, network: &Network) -> u64 {
        network.price_all();
        *self.allowance.get_or_insert_with(|| 4 * network.calendar.borrow().len() as u64)
    }

    /// Up to when nothing happens but what the network itself knows of.
    #[inline]
    fn limit(&self, network: &Network, actor: &NetworkActor) -> u64 {
        let watched = network.watch.is_some() || actor.paced.is_some();
        if watched || !self.alarms.is_empty() {
            return 0;
        }
        let end = actor.until.map_or(u64::MAX, |until| until.as_nanos().saturating_add(1));
        actor.schedule.next_time().unwrap_or(u64::MAX).min(end)
    }

    /// Does so many things, one after the other, that are no timers, up to `limit`. How many more it could
    /// have done.
    #[inline]
    fn turns(&mut self, network: &Network, mut left: u32, limit: u64) -> u32 {
        network.look_ahead(limit);
        let mut this_instant = self.this_instant;
        while left > 0 {
            match network.turn() {
                Turn::Now => this_instant += 1,
                Turn::Later => {
                    this_instant = 1;
                    if self.allowance.is_some() {
                        self.allowance = None;
                    }
                }
                Turn::Over => break,
            }
            left -= 1;
        }
        self.this_instant = this_instant;
        left
    }

    /// Does what there is to do, at most a quantum of it. `Some` when the run is over.
    fn run(&mut self, actor: &mut NetworkActor) -> Option<Ending> {
        let network = actor.network.clone();
        let limit = INSTANT_LIMIT + 100 * network.seats.borrow().len() as u64;
        let mut left = QUANTUM;
        while left > 0 {
            left = self.turns(&network, left, self.limit(&network, actor));
            if left == 0 {
                break;
            }
            if self.alarms.is_empty() && !network.timers.borrow().surely_none_until(network.now.get()) {
                let mut due = Vec::new();
                network.timers.borrow_mut().take_due(network.now.get(), &mut due);
                self.alarms.extend(due);
            }
            if let Some(alarm) = self.alarms.pop_front() {
                network.fire(alarm);
                left -= 1;
                self.this_instant += 1;
                continue;
            }
            if self.this_instant >= limit {
                self.allowance = None;
            }
            self.this_instant = 0;
            let advanced = match actor.paced {
                None => advance(&network, actor),
                Some(_) => pacing::advance(&network, actor),
            };
            match advanced {
                Advance::Over(ending) => return Some(ending),
                Advance::On => {}
                // That may have taken as long as a thousand deliveries, and is often all that
                // happens for a while: whoever wants to end the run is heard in between.
                Advance::Changed => break,
            }
            // Changes alone may fill ages, in which nothing else happens.
            left -= 1;
        }
        if self.this_instant >= limit && self.this_instant - limit >= self.allowance(&network) {
            let service = network.name_of(network.acting.get());
            return Some(Ending::Stuck { service, at: network.now() });
        }
        actor.progress.now.store(network.now.get(), Relaxed);
        let asked = actor.progress.interrupt.load(Relaxed);
        asked.then_some(match &actor.paced {
            Some(paced) if paced.stays_open() => Ending::Closed,
            _ => Ending::Interrupted,
        })
    }
}

/// What came of moving the clock.
pub(super) enum Advance {
    /// Something is to happen now.
    On,
    /// The network has changed, and perhaps that was all.
    Changed,
    /// There is nothing to move on to.
    Over(Ending),
}

/// What there is to do when an instant is over; `Some` when the run is over too.
#[inline(always)]
pub(super) fn look(network: &Network) -> Option<Advance> {
    if let Some(watch) = &network.watch {
        watch.borrow_mut().look(network.now());
    }
    if !network.has_verdict() {
        return None;
    }
    network.verdict.take().map(Advance::Over)
}

/// Moves the clock to the next instant in which something happens.
#[inline(always)]
fn advance(network: &Network, actor: &mut NetworkActor) -> Advance {
    if let Some(over) = look(network) {
        return over;
    }
    let Some(next) = network.next_time().or_else(|| actor.schedule.next_strike()) else {
        return Advance::Over(Ending::Quiescent);
    };
    let change = actor.schedule.next_time().filter(|change| *change <= next);
    let time = change.unwrap_or(next);
    if let Some(until) = actor.until.filter(|until| time > until.as_nanos()) {
        network.now.set(until.as_nanos());
        return Advance::Over(Ending::TimeReached);
    }
    network.now.set(time);
    if change.is_none() {
        return Advance::On;
    }
    actor.schedule.carry_out(network);
    Advance::Changed
}

impl ActorFuture<NetworkActor> for Pump {
    type Output = Ended;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        actor: &mut NetworkActor,
        _: &mut Context<NetworkActor>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Ended> {
        match self.run(actor) {
            None => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(ending) => Poll::Ready(Ended { ending, pacing: actor.paced.as_ref().map(Paced::report) }),
        }
    }
}
