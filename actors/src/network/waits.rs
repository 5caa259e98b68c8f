//! Requests whose outcome somebody may await. Each ends in exactly one outcome.
//!
//! A wait is opened when the request is made and settled once: by a delivery, an answer, a notice
//! that it will not arrive, or its timeout. Its key is good for one use, so that whatever comes
//! later (a late reply, a second copy) finds nobody. If the asker drops its future, the wait goes
//! on alone until it is settled, so that the outcome is counted all the same.

use std::rc::Rc;
use std::task::Waker;

use slab::Slab;

use crate::clock::timers::TimerId;
use crate::interfaces::raw::Msg;
use crate::interfaces::rest::Response;
use crate::interfaces::rpc::{Headers, RpcAnswer};
use crate::network::ledger::Ended;
use crate::outcome::{Interface, OutcomeKind, Undelivered};
use crate::routes::Tree;
use crate::topology::NodeId;
use crate::trace::ServiceId;
use crate::units::SimTime;

/// Names one wait, for ever; `NONE` names none, and `ANSWER` marks a message that answers another one
/// and so has no outcome of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaitKey(u64);

impl WaitKey {
    pub(crate) const NONE: WaitKey = WaitKey(0);
    pub(crate) const ANSWER: WaitKey = WaitKey(u64::MAX);

    #[inline]
    pub(crate) fn is_answer(self) -> bool {
        self == WaitKey::ANSWER
    }

    #[inline]
    pub(crate) fn is_none(self) -> bool {
        self.0 == 0
    }

    fn new(index: usize, generation: u32) -> Self {
        WaitKey(u64::from(generation) << 32 | index as u64)
    }

    fn index(self) -> usize {
        self.0 as u32 as usize
    }

    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// How a request ended, for the one who asked.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The message was delivered.
    Delivered,
    /// A response arrived.
    Response(Response),
    /// A message that answers it arrived.
    Message(Box<Msg>),
    /// The answer of a method arrived, and what came with it.
    Rpc(RpcAnswer, Headers),
    /// It will not arrive.
    Undelivered(Undelivered),
    /// It arrived, and the service that had it in its hands is gone: its name.
    Interrupted(String),
    /// Nothing came in time.
    TimedOut,
    /// Nobody will ever say: the message was lost and nobody awaits it.
    Lost,
}

impl Answer {
    pub(crate) fn kind(&self) -> OutcomeKind {
        match self {
            Answer::Delivered => OutcomeKind::Ack,
            Answer::Response(response) => response.outcome(),
            Answer::Message(msg) => msg.outcome(),
            Answer::Rpc(answer, _) => answer.kind(),
            Answer::Undelivered(Undelivered::NotUnderstood { .. }) => OutcomeKind::NotUnderstood,
            Answer::Undelivered(_) => OutcomeKind::Undelivered,
            Answer::Interrupted(_) => OutcomeKind::Interrupted,
            Answer::TimedOut => OutcomeKind::TimedOut,
            Answer::Lost => OutcomeKind::Lost,
        }
    }
}

/// Where a request went: the tree of routes it was priced by and the node at its end.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub(crate) tree: Rc<Tree>,
    pub(crate) to: NodeId,
}

/// A request that is made.
pub(crate) struct Request {
    pub(crate) from: ServiceId,
    pub(crate) to: Option<ServiceId>,
    pub(crate) interface: Interface,
    pub(crate) sent_at: SimTime,
}

enum State {
    Open { waker: Option<Waker>, timer: Option<TimerId>, lost: bool },
    Settled { answer: Answer, at: SimTime },
}

struct Wait {
    generation: u32,
    request: Request,
    course: Option<Course>,
    state: State,
    /// The asker still holds the future.
    held: bool,
}

/// What the asker finds when it looks.
pub(crate) enum Look {
    /// Not yet. `timed` is false at the first look, when the timer has yet to be started.
    Open {
        timed: bool,
    },
    Settled {
        answer: Answer,
        at: SimTime,
        sent_at: SimTime,
        course: Option<Course>,
    },
}

/// What is left to do for whoever settled a wait.
pub(crate) struct Settlement {
    pub(crate) waker: Option<Waker>,
    pub(crate) timer: Option<TimerId>,
    pub(crate) ended: Ended,
    pub(crate) cause: Option<String>,
}

#[derive(Default)]
pub(crate) struct Waits {
    waits: Slab<Wait>,
    generation: u32,
    /// The waker of the request that ended last: whoever is woken by it mostly makes the next one, and
    /// cloning it would cost more than the rest of the wait.
    spare: Option<Waker>,
}

impl Waits {
    pub(crate) fn open(&mut self, request: Request) -> WaitKey {
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        let generation = self.generation;
        let state = State::Open { waker: None, timer: None, lost: false };
        let index = self.waits.insert(Wait { generation, request, course: None, state, held: true });
        WaitKey::new(index, generation)
    }

    fn get(&mut self, key: WaitKey) -> Option<&mut Wait> {
        self.waits.get_mut(key.index()).filter(|wait| wait.generation == key.generation())
    }

    pub(crate) fn set_course(&mut self, key: WaitKey, course: Course) {
        if let Some(wait) = self.get(key) {
            wait.course = Some(course);
        }
    }

    pub(crate) fn set_timer(&mut self, key: WaitKey, id: TimerId) {
        if let Some(Wait { state: State::Open { timer, .. }, .. }) = self.get(key) {
            *timer = Some(id);
        }
    }

    /// When the request was made, if it is still open.
    pub(crate) fn sent_at(&mut self, key: WaitKey) -> Option<SimTime> {
        let wait = self.get(key)?;
        matches!(wait.state, State::Open { .. }).then_some(wait.request.sent_at)
    }

    /// Whether a request has yet to end.
    pub(crate) fn is_open(&self, key: WaitKey) -> bool {
        self.peek(key).is_some_and(|wait| matches!(wait.state, State::Open { .. }))
    }

    /// Whether somebody awaits a request that has yet to end.
    pub(crate) fn is_held(&self, key: WaitKey) -> bool {
        self.is_open(key) && self.peek(key).is_some_and(|wait| wait.held)
    }

    fn peek(&self, key: WaitKey) -> Option<&Wait> {
        self.waits.get(key.index()).filter(|wait| wait.generation == key.generation())
    }

    /// Ends a wait, unless it has ended before.
    pub(crate) fn settle(&mut self, key: WaitKey, at: SimTime, answer: Answer) -> Option<Settlement> {
        let wait = self.get(key)?;
        let State::Open { waker, timer, .. } = &mut wait.state else {
            return None;
        };
        let (waker, timer) = (waker.take(), timer.take());
        let ended = Ended {
            from: wait.request.from,
            to: wait.request.to,
            interface: wait.request.interface,
            kind: answer.kind(),
            sent_at: wait.request.sent_at,
        };
        let cause = match &answer {
            Answer::Undelivered(why) => Some(why.to_string()),
            Answer::Interrupted(by) => Some(format!("`{by}` is gone, and had it in its hands")),
            Answer::Response(response) if response.status >= 400 => Some(response.status.to_string()),
            Answer::Message(msg) if msg.outcome() != OutcomeKind::Reply => {
                Some(format!("{} said {}", msg.from, msg.subject))
            }
            Answer::Rpc(answer, _) => answer.cause(),
            _ => None,
        };
        if wait.held {
            wait.state = State::Settled { answer, at };
        } else {
            self.waits.remove(key.index());
        }
        Some(Settlement { waker, timer, ended, cause })
    }

    /// The message was lost: whoever awaits it will run into its timeout; if nobody does, that is
    /// its outcome.
    pub(crate) fn lost(&mut self, key: WaitKey, at: SimTime) -> Option<Settlement> {
        let wait = self.get(key)?;
        let held = wait.held;
        match &mut wait.state {
            State::Open { timer: None, .. } if !held => self.settle(key, at, Answer::Lost),
            State::Open { lost, .. } => {
                *lost = true;
                None
            }
            State::Settled { .. } => None,
        }
    }

    /// Looks for the outcome, and leaves a waker if there is none yet. A settled wait is gone
    /// afterwards.
    #[inline]
    pub(crate) fn look(&mut self, key: WaitKey, new: &Waker) -> Option<Look> {
        let wait = self.waits.get_mut(key.index()).filter(|wait| wait.generation == key.generation())?;
        match &mut wait.state {
            State::Open { waker, timer, .. } => {
                let spare = &mut self.spare;
                if !waker.as_ref().is_some_and(|old| old.will_wake(new)) {
                    *waker = spare.take_if(|spare| spare.will_wake(new)).or_else(|| Some(new.clone()));
                }
                Some(Look::Open { timed: timer.is_some() })
            }
            State::Settled { .. } => {
                let wait = self.waits.remove(key.index());
                match wait.state {
                    State::Settled { answer, at } => {
                        Some(Look::Settled { answer, at, sent_at: wait.request.sent_at, course: wait.course })
                    }
                    State::Open { .. } => None,
                }
            }
        }
    }

    /// Whoever was woken may need the waker again. The one that was kept until now.
    pub(crate) fn keep_spare(&mut self, waker: Waker) -> Option<Waker> {
        self.spare.replace(waker)
    }

    /// The asker does not care any more.
    pub(crate) fn forget(&mut self, key: WaitKey, at: SimTime) -> Option<Settlement> {
        let wait = self.get(key)?;
        wait.held = false;
        match &mut wait.state {
            State::Settled { .. } => {
                self.waits.remove(key.index());
                None
            }
            State::Open { lost: true, timer: None, .. } => self.settle(key, at, Answer::Lost),
            State::Open { waker, .. } => {
                *waker = None;
                None
            }
        }
    }

    /// Requests that are still open, by interface.
    pub(crate) fn open_by_interface(&self) -> impl Iterator<Item = Interface> {
        self.waits.iter().filter(|(_, w)| matches!(w.state, State::Open { .. })).map(|(_, w)| w.request.interface)
    }
}
