//! The actor that supervises: it carries out what the rules of [`tree`](super::tree) say.
//!
//! | message | from | what comes of it |
//! |---|---|---|
//! | [`Tiding::Begin`] | whoever makes it | its children are started |
//! | [`Tiding::Started`] | a child whose start is over | the next one is started |
//! | [`Tiding::Ended`] | a child that is gone | it is restarted, or not; others with it |
//! | [`Tiding::MachineBack`] | the machine a child has waited for | the child is started |
//! | [`Tiding::Resume`] | itself | the restart that was put off |
//! | [`Tiding::Stop`] | its own supervisor | its children end, the last one first, and then it does |
//!
//! A supervisor and its children are bound to each other, as linked processes are: what passes
//! between them does not go over the network, takes no time and is never lost.

use std::collections::VecDeque;
use std::rc::Rc;

use actix::prelude::*;

use crate::context::{ServiceCell, ServiceContext};
use crate::network::Network;
use crate::network::endings::Cause;
use crate::supervision::lives::{Begun, Lives};
use crate::supervision::spec::Supervisor as Declaration;
use crate::supervision::tree::{Action, Exit, Minder};
use crate::trace::ServiceId;

/// What a supervisor is told.
#[derive(Debug)]
pub(crate) enum Tiding {
    Begin,
    Started(usize),
    Ended(usize, Cause),
    MachineBack(usize),
    Resume(u64),
    Stop,
}

impl Message for Tiding {
    type Result = ();
}

pub(crate) struct SupervisorActor {
    lives: Rc<Lives>,
    seat: ServiceId,
    children: Vec<ServiceId>,
    await_starts: bool,
    minder: Minder,
    /// Its own supervisor has been told that it is up.
    up: bool,
}

impl SupervisorActor {
    pub(super) fn new(lives: Rc<Lives>, seat: ServiceId, spec: &Declaration, children: Vec<ServiceId>) -> Self {
        let kinds = spec.children.iter().map(|child| (child.restart, child.shutdown)).collect();
        let stream = lives.network.stream(&format!("supervisor:{}", spec.name));
        let minder = Minder::new(spec.strategy, spec.intensity, spec.backoff, kinds, stream);
        SupervisorActor { lives, seat, children, await_starts: spec.await_starts, minder, up: false }
    }

    /// Puts it into its place, and has it begin.
    pub(super) fn begin(self, network: &Rc<Network>) -> Option<Addr<Self>> {
        let seat = self.seat;
        let cell = ServiceCell::new(network, seat, self);
        cell.start();
        let addr = cell.address()?;
        addr.do_send(Tiding::Begin);
        Some(addr)
    }

    fn carry_out(&mut self, actions: Vec<Action>, ctx: &mut ServiceContext<Self>) {
        let mut actions = VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Start(child) => actions.extend(self.start(child, ctx)),
                Action::Stop(child, shutdown) => self.lives.stop(self.children[child], shutdown),
                Action::Wait(token, pause) => {
                    ctx.run_later(pause.into(), move |actor, ctx| actor.handle(Tiding::Resume(token), ctx));
                }
                Action::Finish(exit) => {
                    let cause = match exit {
                        Exit::Shutdown | Exit::Normal => Cause::Shutdown,
                        Exit::Failed | Exit::NodeCrashed => Cause::GaveUp,
                    };
                    self.lives.part(self.seat, cause);
                    ctx.terminate();
                }
            }
        }
        if self.minder.is_up() && !std::mem::replace(&mut self.up, true) {
            ctx.network().started(self.seat);
        }
    }

    fn start(&mut self, child: usize, ctx: &ServiceContext<Self>) -> Vec<Action> {
        let now = ctx.now();
        match self.lives.start(self.children[child], self.await_starts) {
            Ok(Begun::Up) => self.minder.started(child, now),
            Ok(Begun::Beginning) => Vec::new(),
            Ok(Begun::Deferred) => self.minder.deferred(child, now),
            Err(reason) => {
                self.lives.could_not_start(self.children[child], &reason);
                self.minder.start_failed(child, now)
            }
        }
    }
}

impl Actor for SupervisorActor {
    type Context = ServiceContext<Self>;
}

impl Handler<Tiding> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, tiding: Tiding, ctx: &mut ServiceContext<Self>) {
        let now = ctx.now();
        let actions = match tiding {
            Tiding::Begin => self.minder.start(now),
            Tiding::Started(child) => self.minder.started(child, now),
            Tiding::Ended(child, cause) => {
                let actions = self.minder.exited(child, exit_of(&cause), now);
                if !self.minder.will_restart(child) {
                    self.lives.write_off(self.children[child]);
                }
                actions
            }
            Tiding::MachineBack(child) => self.start(child, ctx),
            Tiding::Resume(token) => self.minder.resume(token, now),
            Tiding::Stop => self.minder.stop(now),
        };
        self.carry_out(actions, ctx);
    }
}

/// What OTP makes of it: `normal`, `shutdown`, or anything else.
fn exit_of(cause: &Cause) -> Exit {
    match cause {
        Cause::Normal => Exit::Normal,
        Cause::Shutdown => Exit::Shutdown,
        Cause::NodeCrashed => Exit::NodeCrashed,
        Cause::Killed | Cause::Error(_) | Cause::Panic(_) | Cause::GaveUp => Exit::Failed,
    }
}
