//! Requests whose outcome somebody may await. Each ends in exactly one outcome.
//!
//! A wait is opened when the request is made and settled once: by a delivery, an answer, a notice
//! that it will not arrive, or its timeout. Its key is good for one use, so that whatever comes
//! later (a late reply, a second copy) finds nobody. If the asker drops its future, the wait goes
//! on alone until it is settled, so that the outcome is counted all the same.

use std::rc::Rc;
use std::task::Waker;

use crate::clock::timers::TimerId;
use crate::interfaces::raw::Msg;
use crate::interfaces::rest::Response;
use crate::interfaces::rpc::{Headers, RpcAnswer};
use crate::network::ledger::Ended;
use crate::outcome::{Interface, OutcomeKind, Undelivered};
use crate::routes::Tree;
use crate::topology::NodeId;
use crate::trace::ServiceId;
use crate::units::{SimDuration, SimTime};

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

/// Where a request went, to be told when somebody asks.
#[derive(Clone, Debug)]
pub(crate) enum Course {
    /// From the one to the other, in a network that does not change: as nobody moves there either (services leave
    /// their machines when these crash), the way can be worked out later.
    Always(ServiceId, ServiceId),
    /// To that node, by the tree of routes that it was priced by.
    Then(Rc<Tree>, NodeId),
    /// It did not set out.
    Nowhere,
}

/// A request that is made.
pub(crate) struct Request {
    pub(crate) from: ServiceId,
    pub(crate) to: Option<ServiceId>,
    pub(crate) interface: Interface,
    pub(crate) sent_at: SimTime,
}

/// The generation of a wait that is over; no key has it.
const OVER: u32 = u32::MAX;

/// A request, open until it is settled. Its fields are written one by one, where they stand: a wait that is
/// put together elsewhere and then moved costs twice.
struct Wait {
    generation: u32,
    /// The asker still holds the future.
    held: bool,
    /// While it is open: its message was lost.
    lost: bool,
    request: Request,
    course: Course,
    waker: Option<Waker>,
    timer: Option<TimerId>,
    settled: Option<(Answer, SimTime)>,
}

impl Wait {
    fn is_open(&self) -> bool {
        self.settled.is_none()
    }
}

/// How a request ended, and what it took.
pub(crate) struct Settled {
    pub(crate) answer: Answer,
    pub(crate) elapsed: SimDuration,
    pub(crate) course: Course,
}

/// What the asker finds when it looks.
pub(crate) enum Look {
    /// Not yet.
    Open,
    /// Not yet, and at the first look: the timer has yet to be started.
    Untimed,
    Settled(Settled),
    /// It was settled before, and has gone with that.
    Gone,
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
    waits: Vec<Wait>,
    /// The waits that are over, to be used again.
    free: Vec<u32>,
    generation: u32,
    /// The waker of the request that ended last: whoever is woken by it mostly makes the next one, and
    /// cloning it would cost more than the rest of the wait.
    spare: Option<Waker>,
}

impl Waits {
    /// Opens a wait. `start` starts its timer, if that is to run from the beginning.
    #[inline]
    pub(crate) fn open(&mut self, request: Request, start: impl FnOnce(WaitKey) -> Option<TimerId>) -> WaitKey {
        let index = self.free.last().map_or(self.waits.len(), |index| *index as usize);
        self.generation = if self.generation >= OVER - 1 { 1 } else { self.generation + 1 };
        let key = WaitKey::new(index, self.generation);
        let timer = start(key);
        let course = request.to.map_or(Course::Nowhere, |to| Course::Always(request.from, to));
        let (generation, held, lost) = (self.generation, true, false);
        self.free.pop();
        match self.waits.get_mut(key.index()) {
            Some(wait) => {
                (wait.generation, wait.held, wait.lost) = (generation, held, lost);
                (wait.request, wait.course, wait.timer) = (request, course, timer);
            }
            None => {
                let (waker, settled) = (None, None);
                self.waits.push(Wait { generation, held, lost, request, course, waker, timer, settled });
            }
        }
        key
    }

    /// A wait is over, and nobody looks at it any more. Its course.
    #[inline]
    fn close(&mut self, key: WaitKey) -> Course {
        self.free.push(key.index() as u32);
        let wait = &mut self.waits[key.index()];
        wait.generation = OVER;
        let course = std::mem::replace(&mut wait.course, Course::Nowhere);
        // Last, as nobody knows what an answer does when it is dropped.
        wait.settled = None;
        course
    }

    fn get(&mut self, key: WaitKey) -> Option<&mut Wait> {
        self.waits.get_mut(key.index()).filter(|wait| wait.generation == key.generation())
    }

    pub(crate) fn set_course(&mut self, key: WaitKey, course: Course) {
        if let Some(wait) = self.get(key) {
            wait.course = course;
        }
    }

    pub(crate) fn set_timer(&mut self, key: WaitKey, id: TimerId) {
        if let Some(wait) = self.get(key).filter(|wait| wait.is_open()) {
            wait.timer = Some(id);
        }
    }

    /// When the request was made, if it is still open.
    pub(crate) fn sent_at(&mut self, key: WaitKey) -> Option<SimTime> {
        self.get(key).filter(|wait| wait.is_open()).map(|wait| wait.request.sent_at)
    }

    /// Whether a request has yet to end.
    pub(crate) fn is_open(&self, key: WaitKey) -> bool {
        self.peek(key).is_some_and(Wait::is_open)
    }

    /// Whether somebody awaits a request that has yet to end.
    pub(crate) fn is_held(&self, key: WaitKey) -> bool {
        self.peek(key).is_some_and(|wait| wait.held && wait.is_open())
    }

    fn peek(&self, key: WaitKey) -> Option<&Wait> {
        self.waits.get(key.index()).filter(|wait| wait.generation == key.generation())
    }

    /// Ends a wait, unless it has ended before.
    #[inline]
    pub(crate) fn settle(&mut self, key: WaitKey, at: SimTime, answer: Answer) -> Option<Settlement> {
        let wait = self.get(key).filter(|wait| wait.is_open())?;
        let (waker, timer) = (wait.waker.take(), wait.timer.take());
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
            wait.settled = Some((answer, at));
        } else {
            self.close(key);
        }
        Some(Settlement { waker, timer, ended, cause })
    }

    /// The message was lost: whoever awaits it will run into its timeout; if nobody does, that is
    /// its outcome.
    pub(crate) fn lost(&mut self, key: WaitKey, at: SimTime) -> Option<Settlement> {
        let wait = self.get(key).filter(|wait| wait.is_open())?;
        if !wait.held && wait.timer.is_none() {
            return self.settle(key, at, Answer::Lost);
        }
        wait.lost = true;
        None
    }

    /// Looks for the outcome, and leaves a waker if there is none yet. A settled wait is gone
    /// afterwards.
    #[inline]
    pub(crate) fn look(&mut self, key: WaitKey, new: &Waker) -> Look {
        let wait = self.waits.get_mut(key.index()).filter(|wait| wait.generation == key.generation());
        let Some(wait) = wait else { return Look::Gone };
        if let Some((answer, at)) = wait.settled.take() {
            let elapsed = at.since(wait.request.sent_at);
            return Look::Settled(Settled { answer, elapsed, course: self.close(key) });
        }
        if !wait.waker.as_ref().is_some_and(|old| old.will_wake(new)) {
            let spare = self.spare.take_if(|spare| spare.will_wake(new));
            wait.waker = spare.or_else(|| Some(new.clone()));
        }
        if wait.timer.is_some() { Look::Open } else { Look::Untimed }
    }

    /// Whoever was woken may need the waker again. The one that was kept until now.
    pub(crate) fn keep_spare(&mut self, waker: Waker) -> Option<Waker> {
        self.spare.replace(waker)
    }

    /// The asker does not care any more.
    pub(crate) fn forget(&mut self, key: WaitKey, at: SimTime) -> Option<Settlement> {
        let wait = self.get(key)?;
        wait.held = false;
        if !wait.is_open() {
            self.close(key);
            return None;
        }
        if wait.lost && wait.timer.is_none() {
            return self.settle(key, at, Answer::Lost);
        }
        wait.waker = None;
        None
    }

    /// Requests that are still open, by interface.
    pub(crate) fn open_by_interface(&self) -> impl Iterator<Item = Interface> {
        self.waits.iter().filter(|wait| wait.generation != OVER && wait.is_open()).map(|wait| wait.request.interface)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(from: u32) -> Request {
        let (from, to) = (ServiceId(from), Some(ServiceId(9)));
        Request { from, to, interface: Interface::Rpc, sent_at: SimTime::from_nanos(10) }
    }

    #[test]
    fn a_key_is_good_for_one_wait_and_its_place_for_many() {
        let mut waits = Waits::default();
        let at = SimTime::from_nanos(15);
        let first = waits.open(request(1), |_| None);
        assert!(waits.settle(first, at, Answer::Delivered).is_some());
        assert!(waits.settle(first, at, Answer::TimedOut).is_none(), "it has ended");
        let looked = waits.look(first, Waker::noop());
        assert!(matches!(&looked, Look::Settled(Settled { answer: Answer::Delivered, .. })));
        let Look::Settled(Settled { elapsed, course, .. }) = looked else { return };
        assert_eq!(elapsed, SimDuration::from_nanos(5));
        assert!(matches!(course, Course::Always(ServiceId(1), ServiceId(9))));
        assert!(matches!(waits.look(first, Waker::noop()), Look::Gone));

        let second = waits.open(request(2), |_| None);
        assert_eq!((second.index(), waits.waits.len()), (first.index(), 1), "the same place");
        assert!(waits.settle(first, at, Answer::TimedOut).is_none(), "another one's");
        assert!(!waits.is_open(first) && waits.is_held(second));
        assert!(matches!(waits.look(second, Waker::noop()), Look::Untimed));
        assert_eq!(waits.open_by_interface().collect::<Vec<_>>(), [Interface::Rpc]);
        // Left to itself, it ends without anybody looking.
        assert!(waits.forget(second, at).is_none());
        assert_eq!(waits.settle(second, at, Answer::Delivered).map(|settled| settled.ended.from), Some(ServiceId(2)));
        assert_eq!((waits.open_by_interface().count(), waits.free.len()), (0, 1));
        for key in [WaitKey::NONE, WaitKey::ANSWER, first, second] {
            assert!(!waits.is_open(key));
        }
    }

    #[test]
    fn numbers_begin_again_before_that_of_what_is_over() {
        let mut waits = Waits { generation: OVER - 2, ..Waits::default() };
        let keys: Vec<WaitKey> = (0..3).map(|from| waits.open(request(from), |_| None)).collect();
        assert_eq!(keys.iter().map(|key| key.generation()).collect::<Vec<_>>(), [OVER - 1, 1, 2]);
        assert!(keys.iter().all(|key| waits.is_open(*key)));
    }
}
