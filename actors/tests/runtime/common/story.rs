//! The story of a run, kept event by event.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::report::Report;
use rehearsal_actors::simulation::{Progress, Setup, run};
use rehearsal_actors::trace::{LossCause, TraceEvent, TraceNames, TraceSink};
use rehearsal_actors::units::{SimDuration, SimTime};

/// A [`TraceEvent`] that owns its texts; services are positions in the order of declaration.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Delivery {
        at: SimTime,
        from: usize,
        to: usize,
        interface: Interface,
        sent_at: SimTime,
        bytes: u64,
        held_back: SimDuration,
        duplicate: bool,
    },
    Lost {
        at: SimTime,
        from: usize,
        to: usize,
        interface: Interface,
        bytes: u64,
        cause: LossCause,
        duplicate: bool,
    },
    Outcome {
        at: SimTime,
        from: usize,
        to: Option<usize>,
        interface: Interface,
        kind: OutcomeKind,
        elapsed: SimDuration,
        cause: Option<String>,
    },
    Fault {
        at: SimTime,
        what: String,
    },
    Panic {
        at: SimTime,
        service: usize,
        message: String,
    },
    StepFailed {
        at: SimTime,
        service: usize,
        reason: String,
    },
    Supervision {
        at: SimTime,
        supervisor: String,
        child: String,
        what: String,
    },
    Directory {
        at: SimTime,
        directory: String,
        what: String,
    },
}

impl Event {
    pub fn at(&self) -> SimTime {
        match self {
            Event::Delivery { at, .. }
            | Event::Lost { at, .. }
            | Event::Outcome { at, .. }
            | Event::Fault { at, .. }
            | Event::Panic { at, .. }
            | Event::StepFailed { at, .. }
            | Event::Supervision { at, .. }
            | Event::Directory { at, .. } => *at,
        }
    }
}

struct Recorder(Rc<RefCell<Vec<Event>>>);

impl TraceSink for Recorder {
    fn record(&mut self, _: &TraceNames, event: &TraceEvent<'_>) {
        let owned = match *event {
            TraceEvent::Delivery { at, from, to, interface, sent_at, bytes, held_back, duplicate, .. } => {
                let (from, to, bytes) = (from.index(), to.index(), bytes.0);
                Event::Delivery { at, from, to, interface, sent_at, bytes, held_back, duplicate }
            }
            TraceEvent::Lost { at, from, to, interface, bytes, cause, duplicate } => {
                let (from, to, bytes) = (from.index(), to.index(), bytes.0);
                Event::Lost { at, from, to, interface, bytes, cause, duplicate }
            }
            TraceEvent::Outcome { at, from, to, interface, kind, elapsed, cause } => {
                let (from, to, cause) = (from.index(), to.map(|to| to.index()), cause.map(str::to_owned));
                Event::Outcome { at, from, to, interface, kind, elapsed, cause }
            }
            TraceEvent::Fault { at, what } => Event::Fault { at, what: what.to_owned() },
            TraceEvent::Panic { at, service, message } => {
                Event::Panic { at, service: service.index(), message: message.to_owned() }
            }
            TraceEvent::StepFailed { at, service, reason } => {
                Event::StepFailed { at, service: service.index(), reason: reason.to_owned() }
            }
            TraceEvent::Supervision { at, supervisor, child, what } => {
                let [supervisor, child, what] = [supervisor, child, what].map(str::to_owned);
                Event::Supervision { at, supervisor, child, what }
            }
            TraceEvent::Directory { at, directory, what } => {
                let [directory, what] = [directory, what].map(str::to_owned);
                Event::Directory { at, directory, what }
            }
        };
        self.0.borrow_mut().push(owned);
    }
}

/// Runs a setup and keeps its story.
pub fn play(setup: Setup) -> (Report, Vec<Event>) {
    let events = Rc::new(RefCell::new(Vec::new()));
    let sink = Box::new(Recorder(events.clone()));
    let report = run(setup, Some(sink), Arc::default()).expect("the setup is sound");
    (report, events.take())
}

/// Runs a setup with nobody listening.
pub fn play_unheard(setup: Setup) -> Report {
    run(setup, None, Arc::new(Progress::default())).expect("the setup is sound")
}
