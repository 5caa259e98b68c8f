//! Supervisors and what happens to them, in words.
//!
//! A supervisor is written `one_for_all, 3 in 5s, a permanent, b transient kill`: strategy,
//! intensity, perhaps `backoff 100ms to 1s`, and the children `a`, `b`, ... in start order. A line
//! of a story is `2s: b failed -> stop c, start b`: when, what happens, what is done about it.

use super::super::*;
use crate::random::Streams;
use crate::units::Probability;

/// Who answers the supervisor's orders.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    /// Every start succeeds and every stop is obeyed at once; a line shows all that follows.
    AtOnce,
    /// The story says so.
    InScript,
}

fn duration(text: &str) -> SimDuration {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn child(text: &str) -> usize {
    let &[letter @ b'a'..=b'z'] = text.as_bytes() else { panic!("no child is called {text:?}") };
    usize::from(letter - b'a')
}

fn name(child: usize) -> char {
    char::from(b'a' + child as u8)
}

pub(super) fn strategy(text: &str) -> Strategy {
    match text {
        "one_for_one" => Strategy::OneForOne,
        "one_for_all" => Strategy::OneForAll,
        "rest_for_one" => Strategy::RestForOne,
        _ => panic!("no strategy is called {text:?}"),
    }
}

pub(super) fn exit(text: &str) -> Exit {
    match text {
        "normal" => Exit::Normal,
        "shutdown" => Exit::Shutdown,
        "gave-up" => Exit::GaveUp,
        "failed" => Exit::Failed,
        "crashed" => Exit::NodeCrashed,
        _ => panic!("nothing ends {text:?}"),
    }
}

fn restart(text: &str) -> Restart {
    match text {
        "permanent" => Restart::Permanent,
        "transient" => Restart::Transient,
        "temporary" => Restart::Temporary,
        _ => panic!("no child is {text:?}"),
    }
}

fn shutdown(text: &str) -> Shutdown {
    match text {
        "kill" => Shutdown::Kill,
        "infinity" => Shutdown::Infinity,
        _ => Shutdown::Grace(duration(text)),
    }
}

/// A supervisor from its description. Its back-off has no jitter.
pub(super) fn supervision(given: &str) -> Supervision {
    let mut parts = given.split(", ");
    let strategy = strategy(parts.next().unwrap_or_default());
    let intensity = match parts.next().unwrap_or_default().split_once(" in ") {
        Some((restarts, period)) => Intensity { restarts: restarts.parse().unwrap(), period: duration(period) },
        None => panic!("no intensity: {given}"),
    };
    let mut backoff = None;
    let mut children = Vec::new();
    for part in parts {
        match part.split(' ').collect::<Vec<_>>()[..] {
            ["backoff", first, "to", most] => {
                backoff = Some(Backoff { first: duration(first), most: duration(most), jitter: Probability::NEVER });
            }
            [_, kind] => children.push((restart(kind), Shutdown::default())),
            [_, kind, how] => children.push((restart(kind), shutdown(how))),
            _ => panic!("not understood: {part}"),
        }
    }
    let kinds = Rc::new(children.into_iter().collect());
    Supervision::new(strategy, intensity, backoff, kinds, Streams::new(1).stream("supervisor"))
}

fn print(action: Action) -> String {
    match action {
        Action::Start(child) => format!("start {}", name(child)),
        Action::Stop(child, how) if how == Shutdown::default() => format!("stop {}", name(child)),
        Action::Stop(child, Shutdown::Kill) => format!("stop {} kill", name(child)),
        Action::Stop(child, Shutdown::Infinity) => format!("stop {} infinity", name(child)),
        Action::Stop(child, Shutdown::Grace(time)) => format!("stop {} {time}", name(child)),
        Action::Wait { child, delay, .. } => format!("wait {delay} for {}", name(child)),
        Action::Ready => "ready".into(),
        Action::Finish(Exit::Shutdown) => "finish shutdown".into(),
        Action::Finish(Exit::GaveUp) => "finish gave-up".into(),
        Action::Finish(Exit::Failed) => "finish failed".into(),
        Action::Finish(exit) => format!("finish {exit:?}"),
    }
}

/// A supervisor and the waits it has asked for.
pub(super) struct Stage {
    supervision: Supervision,
    waits: Vec<Token>,
}

impl Stage {
    pub(super) fn new(given: &str) -> Self {
        Stage { supervision: supervision(given), waits: Vec::new() }
    }

    /// Lets it happen and says what is done about it.
    pub(super) fn happens(&mut self, what: &str, now: SimTime, answers: Answers) -> String {
        let s = &mut self.supervision;
        let mut due: VecDeque<Action> = match what.split(' ').collect::<Vec<_>>()[..] {
            ["start"] => s.start(now),
            ["stop"] => s.stop(now),
            ["resume", nth] => s.resume(self.waits[nth.parse::<usize>().unwrap() - 1], now),
            [who, "started"] => s.started(child(who), now),
            [who, "deferred"] => s.deferred(child(who), now),
            [who, "unstartable"] => s.start_failed(child(who), now),
            [who, how] => s.exited(child(who), exit(how), now),
            _ => panic!("not understood: {what}"),
        }
        .into();
        let mut done = Vec::new();
        while let Some(action) = due.pop_front() {
            done.push(print(action));
            match action {
                Action::Start(child) if answers == Answers::AtOnce => due.extend(s.started(child, now)),
                Action::Stop(child, _) if answers == Answers::AtOnce => {
                    due.extend(s.exited(child, Exit::Shutdown, now))
                }
                Action::Wait { token, .. } => self.waits.push(token),
                _ => {}
            }
        }
        done.join(", ")
    }

    /// Plays a story, line by line.
    pub(super) fn play(&mut self, story: &str, answers: Answers, row: &str) {
        for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (at, rest) = line.split_once(": ").unwrap_or_else(|| panic!("{row}: no time: {line}"));
            let (what, expected) = rest.split_once("->").unwrap_or_else(|| panic!("{row}: no arrow: {line}"));
            let done = self.happens(what.trim(), SimTime::ZERO + duration(at), answers);
            assert_eq!(done, expected.trim(), "{row}\n  at: {line}");
        }
    }
}
