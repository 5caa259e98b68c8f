//! A shell in which anything may happen, and which finds fault with the supervisor it serves.

use super::super::*;
use crate::random::Streams;

/// What is declared.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) strategy: Strategy,
    pub(super) intensity: Intensity,
    pub(super) backoff: Option<Backoff>,
    pub(super) children: Vec<(Restart, Shutdown)>,
}

/// What may happen next, if it can.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// The start or stop that is awaited gets its answer.
    Answer(Answer),
    /// A running child ends; the supervisor does not know yet.
    Die(usize, Exit),
    /// The supervisor learns of it.
    Report(usize),
    /// A deferred child's machine is back, and it can be started, or not.
    Back(usize, bool),
    /// Time goes by, unless a start or stop is awaited. Waits end.
    Pass(SimDuration),
    /// A wait ends that ended before, or is no longer wanted.
    Stale(usize),
    /// The supervisor is told to end.
    End,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    Good,
    Deferred,
    Unstartable,
    Exit(Exit),
}

/// A child as it really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Gone,
    /// To be started; the supervisor awaits it.
    Starting,
    Deferred,
    Running,
    /// Has ended; the supervisor does not know.
    Dead(Exit),
    /// Told to end; the supervisor awaits it.
    Stopping,
}

#[derive(Clone, Copy, Debug)]
struct Child {
    life: Life,
    was_started: bool,
    /// How it last ended.
    end: Exit,
    /// A permanent or transient child that must be there in the end.
    due: bool,
}

/// Carries out what the supervisor wants, and finds fault with it.
pub(super) struct Shell {
    given: Given,
    supervision: Supervision,
    now: SimTime,
    children: Vec<Child>,
    waits: Vec<(SimTime, Token)>,
    over: Vec<Token>,
    /// When restarts were counted, as far as that can be seen from outside.
    counted: Vec<SimTime>,
    last_stop: Option<usize>,
    ready: bool,
    told_to_end: bool,
    finished: Option<Exit>,
}

impl Shell {
    pub(super) fn new(given: Given) -> Self {
        let Given { strategy, intensity, backoff, children } = given.clone();
        let child = |_: &_| Child { life: Life::Gone, was_started: false, end: Exit::Normal, due: true };
        let kinds = Rc::new(children.iter().copied().collect());
        Shell {
            children: children.iter().map(child).collect(),
            supervision: Supervision::new(strategy, intensity, backoff, kinds, Streams::new(1).stream("random")),
            given,
            now: SimTime::ZERO,
            waits: Vec::new(),
            over: Vec::new(),
            counted: Vec::new(),
            last_stop: None,
            ready: false,
            told_to_end: false,
            finished: None,
        }
    }

    /// Starts the supervisor.
    pub(super) fn begin(&mut self) {
        let actions = self.supervision.start(self.now);
        self.carry_out(actions);
    }

    fn awaited(&self) -> Option<usize> {
        self.children.iter().position(|c| matches!(c.life, Life::Starting | Life::Stopping))
    }

    fn find(&self, is: impl Fn(Life) -> bool) -> Option<usize> {
        self.children.iter().position(|c| is(c.life))
    }

    fn restart(&self, child: usize) -> Restart {
        self.given.children[child].0
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            assert_eq!(self.finished, None, "{action:?} after the end");
            if !matches!(action, Action::Stop(..) | Action::Finish(_)) {
                self.last_stop = None;
            }
            match action {
                Action::Start(child) => self.start(child),
                Action::Stop(child, shutdown) => self.stop(child, shutdown),
                Action::Wait { token, delay, .. } => {
                    self.count();
                    self.check_delay(delay);
                    self.waits.push((self.now + delay, token));
                }
                Action::Ready => {
                    assert!(!self.ready && self.children.iter().all(|c| c.was_started));
                    self.ready = true;
                }
                Action::Finish(exit) => self.finish(exit),
            }
        }
    }

    fn start(&mut self, child: usize) {
        assert_eq!(self.awaited(), None, "{child} is started before another is settled");
        let Child { life, was_started, end, .. } = self.children[child];
        assert_eq!(life, Life::Gone, "{child} is started twice");
        if was_started {
            assert_ne!(self.restart(child), Restart::Temporary, "{child} is temporary");
        } else if !self.ready {
            assert!(self.children[..child].iter().all(|c| c.was_started), "{child} is started before its turn");
        }
        if was_started && end != Exit::NodeCrashed && self.is_counted_by_starts() {
            self.count();
        }
        self.children[child].life = Life::Starting;
        self.children[child].was_started = true;
    }

    fn stop(&mut self, child: usize, shutdown: Shutdown) {
        assert_eq!(self.awaited(), None, "{child} is stopped before another is settled");
        assert_ne!(self.children[child].life, Life::Gone, "{child} is stopped, but not there");
        assert!(self.last_stop.is_none_or(|last| child < last), "{child} is stopped after {:?}", self.last_stop);
        assert_eq!(shutdown, self.given.children[child].1);
        self.last_stop = Some(child);
        self.children[child].life = Life::Stopping;
    }

    fn finish(&mut self, exit: Exit) {
        assert_eq!(self.find(|life| life != Life::Gone), None, "a child outlives its supervisor");
        match exit {
            Exit::Shutdown => assert!(self.told_to_end),
            Exit::Failed => assert!(!self.ready),
            Exit::GaveUp if self.given.backoff.is_some() || self.is_counted_by_starts() => {
                assert_eq!(self.in_period(), self.given.intensity.restarts as usize, "gave up too early");
            }
            Exit::GaveUp => {}
            Exit::Normal | Exit::NodeCrashed => panic!("a supervisor does not end so: {exit:?}"),
        }
        self.finished = Some(exit);
    }

    /// Under one-for-one without back-off each start but the first is a restart; with back-off,
    /// under any strategy, each wait is one.
    fn is_counted_by_starts(&self) -> bool {
        self.given.backoff.is_none() && self.given.strategy == Strategy::OneForOne
    }

    fn count(&mut self) {
        self.counted.push(self.now);
        assert!(self.in_period() <= self.given.intensity.restarts as usize, "restarted too often: {:?}", self.counted);
    }

    fn in_period(&self) -> usize {
        self.counted.iter().filter(|&&time| self.now.since(time) <= self.given.intensity.period).count()
    }

    /// `first * 2^(k-1)`, at most `most`; a quarter less at most.
    fn check_delay(&self, delay: SimDuration) {
        let Some(Backoff { first, most, .. }) = self.given.backoff else { panic!("there is no back-off") };
        let k = self.in_period() as u32;
        let whole = (first.as_nanos() << (k - 1)).min(most.as_nanos());
        assert!((whole - whole / 4..=whole).contains(&delay.as_nanos()), "{delay} for restart {k}");
    }

    fn ended(&mut self, child: usize, exit: Exit) {
        let told = self.children[child].life == Life::Stopping;
        let due = match self.restart(child) {
            Restart::Permanent => true,
            Restart::Transient => told || matches!(exit, Exit::Failed | Exit::NodeCrashed),
            Restart::Temporary => false,
        };
        self.children[child] = Child { life: Life::Gone, end: exit, due, ..self.children[child] };
    }

    fn exits(&mut self, child: usize, exit: Exit) {
        self.ended(child, exit);
        let actions = self.supervision.exited(child, exit, self.now);
        self.carry_out(actions);
    }

    fn starts(&mut self, child: usize) {
        self.children[child].life = Life::Running;
        let actions = self.supervision.started(child, self.now);
        self.carry_out(actions);
    }

    fn fails_to_start(&mut self, child: usize) {
        self.ended(child, Exit::Failed);
        let actions = self.supervision.start_failed(child, self.now);
        self.carry_out(actions);
    }

    fn answer(&mut self, child: usize, answer: Answer) {
        match (self.children[child].life, answer) {
            (Life::Starting, Answer::Good) => self.starts(child),
            (Life::Starting, Answer::Unstartable) => self.fails_to_start(child),
            (Life::Starting, Answer::Deferred) => {
                self.children[child].life = Life::Deferred;
                let actions = self.supervision.deferred(child, self.now);
                self.carry_out(actions);
            }
            (Life::Starting | Life::Stopping, Answer::Exit(exit)) => self.exits(child, exit),
            (Life::Stopping, _) => self.exits(child, Exit::Shutdown),
            (life, _) => panic!("{child} is not awaited: {life:?}"),
        }
    }

    /// Ends the waits that are due by then, the earliest first.
    fn pass_until(&mut self, then: SimTime) {
        while self.awaited().is_none()
            && let Some(at) = (0..self.waits.len()).min_by_key(|&i| self.waits[i].0)
            && self.waits[at].0 <= then
        {
            let (due, token) = self.waits.remove(at);
            self.now = self.now.max(due);
            self.over.push(token);
            let actions = self.supervision.resume(token, self.now);
            self.carry_out(actions);
        }
        if self.awaited().is_none() {
            self.now = self.now.max(then);
        }
    }

    /// Lets it happen, if it can.
    pub(super) fn step(&mut self, step: Step) {
        match step {
            Step::Answer(answer) => {
                if let Some(child) = self.awaited() {
                    self.answer(child, answer);
                }
            }
            Step::Die(child, exit) => {
                let child = &mut self.children[child];
                if child.life == Life::Running {
                    child.life = Life::Dead(exit);
                }
            }
            Step::Report(child) => {
                if let Life::Dead(exit) = self.children[child].life {
                    self.exits(child, exit);
                }
            }
            Step::Back(child, startable) => match self.children[child].life {
                Life::Deferred if startable => self.starts(child),
                Life::Deferred => self.fails_to_start(child),
                _ => {}
            },
            Step::Pass(_) if self.awaited().is_some() => {}
            Step::Pass(time) => self.pass_until(self.now + time),
            Step::Stale(which) => {
                if let Some(&token) = self.over.get(which) {
                    let actions = self.supervision.resume(token, self.now);
                    self.carry_out(actions);
                }
            }
            Step::End => {
                self.told_to_end = true;
                let actions = self.supervision.stop(self.now);
                self.carry_out(actions);
            }
        }
    }

    /// From now on all goes well, until nothing more happens.
    pub(super) fn calm_down(&mut self) {
        for _ in 0..10_000 {
            if let Some(child) = self.awaited() {
                self.answer(child, Answer::Good);
            } else if let Some(child) = self.find(|life| matches!(life, Life::Dead(_))) {
                self.step(Step::Report(child));
            } else if let Some(child) = self.find(|life| life == Life::Deferred) {
                self.step(Step::Back(child, true));
            } else if let Some(due) = self.waits.iter().map(|wait| wait.0).min() {
                self.pass_until(due);
            } else {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Who should be there is.
    pub(super) fn check_rest(&self) {
        if self.finished.is_some() {
            return;
        }
        assert!(self.ready && !self.told_to_end, "it should have ended");
        for (i, child) in self.children.iter().enumerate() {
            assert!(child.life == Life::Running || !child.due, "{i} should be running: {child:?}");
        }
    }
}
