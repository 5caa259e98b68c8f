//! The rules of one supervisor, as a state machine: no actor, no network, no clock.
//!
//! A [`Supervision`] is told what happens to the children (they are numbered in start order) and
//! answers with [`Action`]s. Whoever drives it carries them out in their order and reports back:
//!
//! | action | answers |
//! |---|---|
//! | [`Start`](Action::Start) | `started`, `deferred` or `start_failed`; `exited` if it ends before |
//! | [`Stop`](Action::Stop) | `exited`, once the child is gone |
//! | [`Wait`](Action::Wait) | `resume`, with the token |
//! | [`Ready`](Action::Ready), [`Finish`](Action::Finish) | none |
//!
//! There is exactly one `exited` for each child that was started, whether it was told to stop or
//! not: if it had ended by itself before it was told, the one that is owed already. A deferred child
//! has no exit unless it is told to stop; its end then is that it will not be started. What makes no
//! sense in a state is ignored, and so is everything after `Finish`.
//!
//! The rules are OTP's. Comments cite them: *SB* is the chapter "Supervisor Behaviour" of the OTP
//! Design Principles, *REF* the reference page of the module `supervisor`, and *SRC* its source,
//! `supervisor.erl`, for what the texts leave open. Three things are not in OTP: back-off, machines
//! that crash under a child ([`Exit::NodeCrashed`]), and children whose start is put off until
//! their machine is back (`deferred`).
//!
//! An OTP supervisor does one thing at a time: until the children concerned have been stopped and
//! started it looks at no other message (SB, "Simplified one_for_one Supervisors": it is blocked;
//! "Manual stopping versus Automatic Shutdown": it is unresponsive until then). What happens in the
//! meantime, an order to end included, is kept here as its mailbox keeps it, first in first out.

mod protocol;
mod restarts;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::rc::Rc;

use super::runs::Runs;
use super::spec::{Backoff, Intensity, Restart, Shutdown, Strategy};
use crate::random::Stream;
use crate::units::{SimDuration, SimTime};
pub(crate) use protocol::{Action, Exit, Token};
use restarts::Restarts;

/// One supervisor's children, and what it is doing about them.
#[derive(Debug)]
pub(crate) struct Supervision {
    strategy: Strategy,
    restarts: Restarts,
    /// Of each child: whether it is restarted, and how it is made to end.
    kinds: Rc<Runs<(Restart, Shutdown)>>,
    /// Of each child.
    states: Vec<State>,
    phase: Phase,
    /// The child whose start or stop must be answered before anything else is done.
    awaited: Option<usize>,
    /// What is to be looked at when nothing is under way. Bounded: one exit, attempt or wait for each
    /// child, and one order to end.
    mailbox: VecDeque<Event>,
    tokens: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not there: not started yet, stopped, or ended in an orderly way.
    Down,
    /// Was temporary, and has ended.
    Removed,
    Starting,
    /// Will be started by others, when its machine is back.
    Deferred,
    Running,
    /// Has ended by itself, which the mailbox says.
    Exited,
    Stopping,
    /// To be restarted when the token of this number comes.
    Restarting {
        number: u32,
    },
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Not started.
    New,
    /// Nothing is under way.
    Idle,
    /// The children `first..end` are being stopped, the last one first.
    Stopping { first: usize, end: usize, then: Then },
    /// The children `next..end` are being started, the first one first.
    Starting { next: usize, end: usize, initial: bool },
    /// It has ended.
    Finished,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    Restart { child: usize, delay: SimDuration },
    Finish(Exit),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Exited(usize, Exit),
    /// A restart did not succeed.
    TryAgain(Token),
    /// A back-off is over.
    Resume(Token),
    /// The supervisor above wants it to end.
    End,
}

impl Supervision {
    /// A supervisor that has not begun, with its children in start order. `stream` is for the
    /// jitter of the back-off alone.
    pub(crate) fn new(
        strategy: Strategy,
        intensity: Intensity,
        backoff: Option<Backoff>,
        kinds: Rc<Runs<(Restart, Shutdown)>>,
        stream: Stream,
    ) -> Self {
        Supervision {
            strategy,
            restarts: Restarts::new(intensity, backoff, stream),
            states: vec![State::Down; kinds.len()],
            kinds,
            phase: Phase::New,
            awaited: None,
            mailbox: VecDeque::new(),
            tokens: 0,
        }
    }

    /// Starts the children one after the other, in their order (SB, "Supervision Principles").
    pub(crate) fn start(&mut self, now: SimTime) -> Vec<Action> {
        if matches!(self.phase, Phase::New) {
            self.phase = Phase::Starting { next: 0, end: self.states.len(), initial: true };
        }
        self.proceed(now)
    }

    /// The child runs: it was told to start, or it was deferred and its machine is back.
    pub(crate) fn started(&mut self, child: usize, now: SimTime) -> Vec<Action> {
        match self.states[child] {
            State::Starting => self.settle(child, State::Running),
            State::Deferred => self.states[child] = State::Running,
            // Deferred, and told to stop when it had just been started: `exited` is yet to come.
            _ => {}
        }
        self.proceed(now)
    }

    /// The child was told to start, but its machine is down. It will be started when that is back,
    /// of which `started` or `start_failed` tells; the others do not wait for it.
    pub(crate) fn deferred(&mut self, child: usize, now: SimTime) -> Vec<Action> {
        if self.states[child] == State::Starting {
            self.settle(child, State::Deferred);
        }
        self.proceed(now)
    }

    /// The child could not be started.
    pub(crate) fn start_failed(&mut self, child: usize, now: SimTime) -> Vec<Action> {
        match self.states[child] {
            State::Starting => self.give_up_start(child),
            State::Deferred if self.kinds[child].0 == Restart::Temporary => self.put_down(child),
            State::Deferred => self.try_again(child),
            State::Stopping => self.stopped(child),
            _ => {}
        }
        self.proceed(now)
    }

    /// The child has ended, by itself or because it was told to.
    pub(crate) fn exited(&mut self, child: usize, exit: Exit, now: SimTime) -> Vec<Action> {
        match self.states[child] {
            State::Running | State::Deferred => {
                self.states[child] = State::Exited;
                self.mailbox.push_back(Event::Exited(child, exit));
            }
            // However it ended: it was to end.
            State::Stopping => self.stopped(child),
            State::Starting if exit == Exit::NodeCrashed => self.crashed_at_start(child),
            // REF, "start": a child that ends before its start function returns was not started.
            State::Starting => self.give_up_start(child),
            _ => {}
        }
        self.proceed(now)
    }

    /// A wait is over.
    pub(crate) fn resume(&mut self, token: Token, now: SimTime) -> Vec<Action> {
        if self.is_restarting(token) && !self.mailbox.contains(&Event::Resume(token)) {
            self.mailbox.push_back(Event::Resume(token));
        }
        self.proceed(now)
    }

    /// Ends the children one by one, the last one first, and then the supervisor (SB, "Stopping").
    /// A restart that is under way is finished before; a back-off is not waited for.
    pub(crate) fn stop(&mut self, now: SimTime) -> Vec<Action> {
        if matches!(self.phase, Phase::New) {
            self.phase = Phase::Idle;
        }
        if !self.mailbox.contains(&Event::End) {
            self.mailbox.push_back(Event::End);
        }
        self.proceed(now)
    }

    /// Tells of children that have ended whether they will not be started again, as far as is known.
    pub(crate) fn given_up(&self) -> impl Fn(usize) -> bool {
        let nothing_under_way = matches!(self.phase, Phase::Idle | Phase::Finished);
        let is_over = matches!(self.phase, Phase::Finished);
        // With the first one that waits for its restart, all of its group will be started that are not removed.
        let restarting = |state: &State| matches!(state, State::Restarting { .. });
        let waits = nothing_under_way && !is_over && self.strategy != Strategy::OneForOne;
        let group = waits.then(|| self.states.iter().position(restarting)).flatten().map(|child| self.group(child));
        move |child| match self.states[child] {
            State::Down => nothing_under_way && !group.is_some_and(|(first, end)| (first..end).contains(&child)),
            State::Removed => nothing_under_way,
            _ => false,
        }
    }

    /// Does all that can be done until somebody must answer.
    fn proceed(&mut self, now: SimTime) -> Vec<Action> {
        let mut actions = Vec::new();
        while self.awaited.is_none() {
            match self.phase {
                Phase::New | Phase::Finished => break,
                Phase::Idle => match self.mailbox.pop_front() {
                    Some(event) => self.handle(event, now),
                    None => break,
                },
                Phase::Stopping { first, end, then } if first < end => {
                    self.phase = Phase::Stopping { first, end: end - 1, then };
                    actions.extend(self.stop_child(end - 1));
                }
                Phase::Stopping { then, .. } => actions.extend(self.all_stopped(then)),
                Phase::Starting { next, end, initial } if next < end => {
                    self.phase = Phase::Starting { next: next + 1, end, initial };
                    actions.extend(self.start_child(next));
                }
                Phase::Starting { initial, .. } => {
                    self.phase = Phase::Idle;
                    actions.extend(initial.then_some(Action::Ready));
                }
            }
        }
        actions
    }

    fn handle(&mut self, event: Event, now: SimTime) {
        match event {
            Event::Exited(child, exit) if !restarts_after(self.kinds[child].0, exit) => {
                self.put_down(child);
            }
            Event::Exited(child, Exit::NodeCrashed) => self.restart(child, SimDuration::ZERO),
            Event::Exited(child, _) => self.count_and_restart(child, now),
            Event::TryAgain(token) if self.is_restarting(token) => self.count_and_restart(token.child as usize, now),
            Event::Resume(token) if self.is_restarting(token) => {
                self.states[token.child as usize] = State::Down;
                self.start_group(token.child as usize);
            }
            // Another child's restart has taken care of it.
            Event::TryAgain(_) | Event::Resume(_) => {}
            Event::End => self.end(Exit::Shutdown),
        }
    }

    /// SB, "Maximum Restart Intensity": with one restart too many it ends the children and itself.
    fn count_and_restart(&mut self, child: usize, now: SimTime) {
        match self.restarts.count(now) {
            Some(delay) => self.restart(child, delay),
            None => self.end(Exit::GaveUp),
        }
    }

    /// Stops the group of the child, to start it after the delay.
    fn restart(&mut self, child: usize, delay: SimDuration) {
        let (first, end) = self.group(child);
        self.phase = Phase::Stopping { first, end, then: Then::Restart { child, delay } };
    }

    fn start_group(&mut self, child: usize) {
        let (next, end) = self.group(child);
        self.phase = Phase::Starting { next, end, initial: false };
    }

    fn end(&mut self, exit: Exit) {
        self.phase = Phase::Stopping { first: 0, end: self.states.len(), then: Then::Finish(exit) };
    }

    /// Who is restarted when this child is (SB, "Restart Strategy").
    fn group(&self, child: usize) -> (usize, usize) {
        match self.strategy {
            Strategy::OneForOne => (child, child + 1),
            Strategy::RestForOne => (child, self.states.len()),
            Strategy::OneForAll => (0, self.states.len()),
        }
    }

    fn start_child(&mut self, child: usize) -> Option<Action> {
        // Children that had ended in an orderly way are started as well (SRC, `start_children`: all
        // whose specification is still there); only the temporary are gone for good.
        if self.states[child] != State::Down {
            return None;
        }
        self.states[child] = State::Starting;
        self.awaited = Some(child);
        Some(Action::Start(child))
    }

    fn stop_child(&mut self, child: usize) -> Option<Action> {
        match self.states[child] {
            State::Running | State::Deferred => {
                self.states[child] = State::Stopping;
                self.awaited = Some(child);
                Some(Action::Stop(child, self.kinds[child].1))
            }
            // It has ended by itself in the meantime: it must not be restarted for that once more
            // (SRC, `unlink_flush` in `shutdown`: its exit signal is taken out of the mailbox).
            State::Exited => {
                self.mailbox.retain(|event| !matches!(event, Event::Exited(who, _) if *who == child));
                self.put_down(child);
                None
            }
            // A restart that was intended becomes part of this one, or is off.
            State::Restarting { .. } => {
                self.put_down(child);
                None
            }
            _ => None,
        }
    }

    fn all_stopped(&mut self, then: Then) -> Option<Action> {
        match then {
            Then::Finish(exit) => {
                self.phase = Phase::Finished;
                Some(Action::Finish(exit))
            }
            Then::Restart { child, delay } if delay.is_zero() => {
                self.start_group(child);
                None
            }
            Then::Restart { child, delay } => {
                let token = self.intend_restart(child);
                self.phase = Phase::Idle;
                Some(Action::Wait { child, token, delay })
            }
        }
    }

    fn intend_restart(&mut self, child: usize) -> Token {
        self.tokens = self.tokens.wrapping_add(1);
        self.states[child] = State::Restarting { number: self.tokens };
        Token { child: child as u32, number: self.tokens }
    }

    fn is_restarting(&self, token: Token) -> bool {
        self.states[token.child as usize] == State::Restarting { number: token.number }
    }

    /// The awaited start has got its answer.
    fn settle(&mut self, child: usize, state: State) {
        self.states[child] = state;
        self.awaited = None;
    }

    fn stopped(&mut self, child: usize) {
        self.put_down(child);
        self.awaited = None;
    }

    /// The awaited start failed.
    fn give_up_start(&mut self, child: usize) {
        self.awaited = None;
        if matches!(self.phase, Phase::Starting { initial: true, .. }) {
            // REF, `start_link/3`: those already started are ended, and so is the supervisor.
            self.put_down(child);
            self.end(Exit::Failed);
        } else {
            // The children after it stay down; they are in its group.
            self.phase = Phase::Idle;
            self.try_again(child);
        }
    }

    /// Makes the failed start of a child one more restart, which counts, when all has been seen to
    /// that came before (SRC, `try_again_restart`).
    fn try_again(&mut self, child: usize) {
        let token = self.intend_restart(child);
        self.mailbox.push_back(Event::TryAgain(token));
    }

    /// Its machine crashed before it was started: no fault of its own, and no restart yet.
    fn crashed_at_start(&mut self, child: usize) {
        self.awaited = None;
        self.put_down(child);
        if let Phase::Starting { next, .. } = &mut self.phase {
            *next = child;
        }
    }

    /// SB, "Child Specification": a temporary child's specification goes with it.
    fn put_down(&mut self, child: usize) {
        let temporary = self.kinds[child].0 == Restart::Temporary;
        self.states[child] = if temporary { State::Removed } else { State::Down };
    }
}

/// SB, "Child Specification", `restart`: permanent children always, transient ones unless they end
/// with `normal` or `shutdown`, temporary ones never.
fn restarts_after(restart: Restart, exit: Exit) -> bool {
    match restart {
        Restart::Permanent => true,
        Restart::Transient => matches!(exit, Exit::Failed | Exit::NodeCrashed),
        Restart::Temporary => false,
    }
}
