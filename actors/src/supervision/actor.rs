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

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::rc::Rc;

use actix::prelude::*;

use crate::context::{ServiceCell, ServiceContext};
use crate::network::Network;
use crate::network::endings::Cause;
use crate::supervision::lives::{Begun, Children, Lives};
use crate::supervision::runs::Runs;
use crate::supervision::spec::{Restart, Shutdown, Supervisor as Declaration};
use crate::supervision::tree::{Action, Exit, Supervision, Token};
use crate::trace::ServiceId;

/// What a supervisor is told.
#[derive(Debug)]
pub(crate) enum Tiding {
    Begin,
    Started(usize),
    Ended(usize, Cause),
    MachineBack(usize),
    Resume(Token),
    Stop,
}

impl Message for Tiding {
    type Result = ();
}

pub(crate) struct SupervisorActor {
    lives: Rc<Lives>,
    seat: ServiceId,
    children: Children,
    await_starts: bool,
    rules: Supervision,
    /// Children that have ended, and may be started again or not.
    ended: Vec<usize>,
}

impl SupervisorActor {
    pub(super) fn new(
        lives: Rc<Lives>,
        seat: ServiceId,
        spec: &Declaration,
        kinds: Rc<Runs<(Restart, Shutdown)>>,
        children: Children,
    ) -> Self {
        let stream = lives.network.stream(&format!("supervisor:{}", spec.name));
        let rules = Supervision::new(spec.strategy, spec.intensity, spec.backoff, kinds, stream);
        SupervisorActor { lives, seat, children, await_starts: spec.await_starts, rules, ended: Vec::new() }
    }

    /// Puts it into its place, and has it begin.
    pub(super) fn begin(self, network: &Rc<Network>) -> Option<Addr<Self>> {
        let seat = self.seat;
        let cell = ServiceCell::new(network, seat, self);
        network.begin(seat);
        let addr = cell.address()?;
        addr.do_send(Tiding::Begin);
        Some(addr)
    }

    fn carry_out(&mut self, actions: Vec<Action>, ctx: &mut ServiceContext<Self>) {
        let mut actions = VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Start(child) => actions.extend(self.start(child, ctx)),
                Action::Stop(child, shutdown) => self.lives.stop(self.children.seat(child), shutdown),
                Action::Wait { token, delay, .. } => {
                    ctx.run_later(delay.into(), move |actor, ctx| actor.handle(Tiding::Resume(token), ctx));
                }
                Action::Ready => ctx.network().started(self.seat),
                Action::Finish(exit) => {
                    let cause = match exit {
                        Exit::GaveUp => Cause::GaveUp,
                        Exit::Failed | Exit::NodeCrashed => Cause::Error("a child could not be started".to_owned()),
                        Exit::Shutdown | Exit::Normal => Cause::Shutdown,
                    };
                    self.lives.part(self.seat, cause);
                    ctx.terminate();
                }
            }
        }
        if self.ended.is_empty() {
            return;
        }
        let given_up = self.rules.given_up();
        let (gone, maybe): (Vec<usize>, _) = self.ended.drain(..).partition(|child| given_up(*child));
        gone.into_iter().for_each(|child| self.lives.write_off(self.children.seat(child)));
        self.ended = maybe;
    }

    fn start(&mut self, child: usize, ctx: &ServiceContext<Self>) -> Vec<Action> {
        let now = ctx.now();
        self.ended.retain(|ended| *ended != child);
        match self.lives.start(self.children.seat(child), self.await_starts) {
            Ok(Begun::Up) => self.rules.started(child, now),
            Ok(Begun::Beginning) => Vec::new(),
            Ok(Begun::Deferred) => self.rules.deferred(child, now),
            Err(reason) => {
                self.lives.could_not_start(self.children.seat(child), &reason);
                self.ended.push(child);
                self.rules.start_failed(child, now)
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
            Tiding::Begin => {
                #[cfg(test)]
                tests::shake(self.lives.network.name_of(self.seat), ctx);
                self.rules.start(now)
            }
            Tiding::Started(child) => self.rules.started(child, now),
            Tiding::Ended(child, cause) => {
                self.ended.push(child);
                self.rules.exited(child, exit_of(&cause), now)
            }
            Tiding::MachineBack(child) if self.lives.is_deferred(self.children.seat(child)) => self.start(child, ctx),
            Tiding::MachineBack(_) => Vec::new(),
            Tiding::Resume(token) => self.rules.resume(token, now),
            Tiding::Stop => self.rules.stop(now),
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
        Cause::GaveUp => Exit::GaveUp,
        Cause::Killed | Cause::Error(_) | Cause::Panic(_) => Exit::Failed,
    }
}
