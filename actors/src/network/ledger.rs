//! The books of a run: what was sent, what became of it, how long it took, and the fingerprint.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::network::header::Header;
use crate::network::journal::{Event, Figures, Journal};
use crate::network::recoveries::Recoveries;
use crate::outcome::{Interface, OutcomeKind};
use crate::panics::Caught;
use crate::report::{
    DirectoryFigures, DirectoryReport, Distributions, FailureKind, FailureReport, Latencies, PanicReport,
    SupervisionReport, Traffic,
};
use crate::trace::{LossCause, ServiceId, TraceEvent, TraceHash, TraceNames, TraceSink};
use crate::units::{Bytes, SimDuration, SimTime};

/// What a trace says of one message.
#[derive(Clone, Copy)]
pub(crate) struct Passage {
    pub(crate) from: ServiceId,
    pub(crate) to: ServiceId,
    pub(crate) interface: Interface,
    pub(crate) sent_at: SimTime,
    pub(crate) bytes: Bytes,
    pub(crate) held_back: SimDuration,
    pub(crate) duplicate: bool,
    pub(crate) body_type: &'static str,
}

/// What a trace says of the end of one request.
#[derive(Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) from: ServiceId,
    pub(crate) to: Option<ServiceId>,
    pub(crate) interface: Interface,
    pub(crate) kind: OutcomeKind,
    pub(crate) sent_at: SimTime,
}

/// How the names of supervisors' seats begin, which nobody's else do.
pub(crate) const SUPERVISOR_PREFIX: &str = "supervisor/";
const OUTCOMES: usize = OutcomeKind::ALL.len();
/// So many panics and errors are kept, of which the rest is counted.
const FAILURES: usize = 1000;
/// So many different causes are told apart.
const CAUSES: usize = 100;
const NOBODY: u32 = u32::MAX;

pub(crate) struct Ledger {
    pub(crate) sent: u64,
    pub(crate) undelivered: u64,
    lost: u64,
    outcomes: [[u64; OUTCOMES]; Interface::COUNT],
    causes: BTreeMap<(Interface, OutcomeKind, String), u64>,
    journal: Journal,
    sink: Option<Box<dyn TraceSink>>,
    pub(crate) names: TraceNames,
    faults: BTreeMap<&'static str, u64>,
    pub(crate) panics: Vec<PanicReport>,
    pub(crate) panic_count: u64,
    pub(crate) recoveries: Recoveries,
    pub(crate) supervision: SupervisionReport,
    pub(crate) directories: DirectoryReport,
}

impl Ledger {
    pub(crate) fn new(
        names: TraceNames,
        sink: Option<Box<dyn TraceSink>>,
    ) -> Result<Self, hdrhistogram::CreationError> {
        Ok(Ledger {
            sent: 0,
            undelivered: 0,
            lost: 0,
            outcomes: [[0; OUTCOMES]; Interface::COUNT],
            causes: BTreeMap::new(),
            journal: Journal::new()?,
            sink,
            names,
            faults: BTreeMap::new(),
            panics: Vec::new(),
            panic_count: 0,
            recoveries: Recoveries::default(),
            supervision: SupervisionReport::default(),
            directories: DirectoryReport::default(),
        })
    }

    fn tell(&mut self, event: &TraceEvent<'_>) {
        if let Some(sink) = &mut self.sink {
            sink.record(&self.names, event);
        }
    }

    /// Notes that a message [arrived](Self::delivered) that is no second copy, unless there is more to do than
    /// that.
    #[inline(always)]
    pub(crate) fn noted_delivery(&mut self, at: SimTime, header: &Cell<Header>, taken: bool) -> bool {
        let plain = self.sink.is_none() && (!taken || self.recoveries.are_none());
        let noted = plain && self.journal.has_noted_delivery(at.as_nanos(), header);
        if noted && taken {
            self.count(header.get().interface, OutcomeKind::Ack);
        }
        noted
    }

    /// A message arrived. `taken`: nobody awaits it, so that this is its outcome, too, and the same record
    /// says so.
    #[inline]
    pub(crate) fn delivered(&mut self, at: SimTime, header: &Header, taken: bool) {
        let Header { from, to, interface, sent_at, bytes, duplicate, .. } = *header;
        if taken {
            self.count(interface, OutcomeKind::Ack);
            self.recoveries.served(to, SimTime::from_nanos(sent_at), at);
        }
        let words = [at.as_nanos(), sent_at, bytes, header.held_back(at.as_nanos())];
        self.journal.note_delivery(interface, duplicate, [from.0, to.0], words);
    }

    /// Whether somebody wants to hear of every event.
    #[inline]
    pub(crate) fn is_told(&self) -> bool {
        self.sink.is_some()
    }

    /// Tells of a message that [arrived](Self::delivered).
    #[cold]
    pub(crate) fn tell_delivery(&mut self, at: SimTime, passage: &Passage, taken: bool) {
        let Passage { from, to, interface, sent_at, bytes, held_back, duplicate, body_type } = *passage;
        self.tell(&TraceEvent::Delivery { at, from, to, interface, sent_at, bytes, held_back, duplicate, body_type });
        if taken {
            let (to, kind, elapsed) = (Some(to), OutcomeKind::Ack, at.since(sent_at));
            self.tell(&TraceEvent::Outcome { at, from, to, interface, kind, elapsed, cause: None });
        }
    }

    /// A message was lost on its way.
    pub(crate) fn lost(&mut self, at: SimTime, passage: &Passage, cause: LossCause) {
        let Passage { from, to, interface, bytes, sent_at, duplicate, .. } = *passage;
        if !duplicate {
            self.lost += 1;
        }
        let detail = interface as u8 | (cause as u8) << 4 | u8::from(duplicate) << 7;
        self.journal.note(Event::Loss, detail, [from.0, to.0], [at.as_nanos(), sent_at.as_nanos(), bytes.0, 0]);
        self.tell(&TraceEvent::Lost { at, from, to, interface, bytes, cause, duplicate });
    }

    /// A request ended.
    #[inline]
    pub(crate) fn ended(&mut self, at: SimTime, ended: &Ended, cause: Option<&str>) {
        let Ended { from, to, interface, kind, sent_at } = *ended;
        self.count(interface, kind);
        match to {
            Some(to) if kind.is_good() => self.recoveries.served(to, sent_at, at),
            Some(to) => self.recoveries.not_served(to, sent_at),
            None => {}
        }
        if let Some(cause) = cause {
            self.note_cause(interface, kind, cause);
        }
        let ids = [from.0, to.map_or(NOBODY, |to| to.0)];
        self.journal.note_outcome(interface, kind, ids, [at.as_nanos(), sent_at.as_nanos(), 0, 0]);
        let elapsed = at.since(sent_at);
        self.tell(&TraceEvent::Outcome { at, from, to, interface, kind, elapsed, cause });
    }

    /// A message that nobody awaits was lost: that is its outcome. Its loss, which was just noted, is
    /// already in the fingerprint.
    pub(crate) fn never_heard_of(&mut self, at: SimTime, passage: &Passage) {
        let Passage { from, to, interface, sent_at, .. } = *passage;
        self.count(interface, OutcomeKind::Lost);
        self.recoveries.not_served(to, sent_at);
        let (to, kind, elapsed) = (Some(to), OutcomeKind::Lost, at.since(sent_at));
        self.tell(&TraceEvent::Outcome { at, from, to, interface, kind, elapsed, cause: None });
    }

    #[inline]
    fn count(&mut self, interface: Interface, kind: OutcomeKind) {
        self.outcomes[interface as usize][kind as usize] += 1;
    }

    fn note_cause(&mut self, interface: Interface, kind: OutcomeKind, cause: &str) {
        let room = self.causes.len() < CAUSES;
        let key = (interface, kind, cause.to_owned());
        let key = if room || self.causes.contains_key(&key) { key } else { (interface, kind, String::new()) };
        *self.causes.entry(key).or_default() += 1;
    }

    pub(crate) fn take_causes(&mut self) -> BTreeMap<(Interface, OutcomeKind, String), u64> {
        std::mem::take(&mut self.causes)
    }

    /// The network changed. `kind` is what it is counted under, `what` spells it out.
    pub(crate) fn changed(&mut self, at: SimTime, kind: &'static str, what: &str) {
        *self.faults.entry(kind).or_default() += 1;
        self.journal.note(Event::Change, 0, [0, 0], [at.as_nanos(), 0, 0, 0]);
        self.journal.note_text(what);
        self.tell(&TraceEvent::Fault { at, what });
    }

    /// A service panicked.
    pub(crate) fn panicked(&mut self, at: SimTime, service: ServiceId, caught: Caught) {
        self.journal.note(Event::Panic, 0, [service.0, 0], [at.as_nanos(), 0, 0, 0]);
        self.journal.note_text(&caught.message);
        self.tell(&TraceEvent::Panic { at, service, message: &caught.message });
        self.panic_count += 1;
        let name = self.names.services.get(service.index()).cloned().unwrap_or_default();
        let Caught { message, place } = caught;
        if self.panics.len() < FAILURES {
            let (service, message, place) = (name.clone(), message.clone(), place.clone());
            self.panics.push(PanicReport { service, at, message, place });
        }
        let kind = FailureKind::Panic;
        self.failed(FailureReport { service: name, at, kind, message, place, by_fault: false });
    }

    /// A service failed by itself.
    fn failed(&mut self, failure: FailureReport) {
        let supervision = &mut self.supervision;
        supervision.failure_count += 1;
        if !failure.by_fault {
            *supervision.unexplained.entry(failure.service.clone()).or_default() += 1;
        }
        if supervision.failures.len() < FAILURES {
            supervision.failures.push(failure);
        }
    }

    /// A service cannot go on, and said why.
    pub(crate) fn gave_up(&mut self, at: SimTime, service: ServiceId, reason: &str) {
        self.journal.note(Event::GaveUp, 0, [service.0, 0], [at.as_nanos(), 0, 0, 0]);
        self.journal.note_text(reason);
        let (kind, message) = (FailureKind::Error, reason.to_owned());
        let service = self.name_of(service);
        self.failed(FailureReport { service, at, kind, message, place: None, by_fault: false });
    }

    fn name_of(&self, service: ServiceId) -> String {
        self.names.services.get(service.index()).cloned().unwrap_or_default()
    }

    /// A supervisor did something with a child, or saw what became of it.
    pub(crate) fn supervised(&mut self, at: SimTime, supervisor: ServiceId, child: ServiceId, what: &str) {
        self.journal.note(Event::Supervision, 0, [supervisor.0, child.0], [at.as_nanos(), 0, 0, 0]);
        self.journal.note_text(what);
        if self.sink.is_some() {
            let name = |seat| self.name_of(seat).trim_start_matches(SUPERVISOR_PREFIX).to_owned();
            let (supervisor, child) = (name(supervisor), name(child));
            self.tell(&TraceEvent::Supervision { at, supervisor: &supervisor, child: &child, what });
        }
    }

    /// The part of one directory.
    pub(crate) fn figures_of(&mut self, directory: ServiceId) -> &mut DirectoryFigures {
        let name = self.name_of(directory);
        self.directories.by_directory.entry(name).or_default()
    }

    /// A directory did something, or saw what became of a provider.
    pub(crate) fn directed(&mut self, at: SimTime, directory: ServiceId, what: &str) {
        self.journal.note(Event::Directory, 0, [directory.0, 0], [at.as_nanos(), 0, 0, 0]);
        self.journal.note_text(what);
        if self.sink.is_some() {
            let directory = self.name_of(directory);
            self.tell(&TraceEvent::Directory { at, directory: &directory, what });
        }
    }

    /// A step of a service failed.
    pub(crate) fn step_failed(&mut self, at: SimTime, service: ServiceId, reason: &str) {
        self.journal.note(Event::StepFailed, 0, [service.0, 0], [at.as_nanos(), 0, 0, 0]);
        self.journal.note_text(reason);
        self.tell(&TraceEvent::StepFailed { at, service, reason });
    }

    pub(crate) fn trace_hash(&mut self) -> TraceHash {
        self.journal.hash()
    }

    /// What was sent so far, and what became of it. What is neither delivered nor lost nor undelivered is in
    /// flight: to count that would be a look at every message.
    pub(crate) fn traffic(&mut self) -> Traffic {
        let Ledger { sent, undelivered, lost, .. } = *self;
        let &mut Figures { delivered, duplicates, held_back, bytes, .. } = self.journal.figures();
        let in_flight = sent.saturating_sub(delivered + lost + undelivered);
        Traffic { sent, delivered, lost, undelivered, duplicates, held_back, bytes, in_flight }
    }

    pub(crate) fn outcomes(&self) -> BTreeMap<(Interface, OutcomeKind), u64> {
        let mut outcomes = BTreeMap::new();
        for interface in Interface::ALL {
            for kind in OutcomeKind::ALL {
                let count = self.outcomes[interface as usize][kind as usize];
                if count > 0 {
                    outcomes.insert((interface, kind), count);
                }
            }
        }
        outcomes
    }

    /// Sending to delivery over everything; by interface, sending to delivery for messages and
    /// request to outcome for calls.
    pub(crate) fn distributions(&mut self) -> Distributions {
        let by_interface = self.latencies().map(|(interface, latencies)| (interface, latencies.clone())).collect();
        let deliveries = Latencies::new().ok().map(|mut all| {
            self.journal.figures().deliveries().for_each(|one| all.add(one));
            all
        });
        Distributions { deliveries: deliveries.filter(|all| all.count() > 0), by_interface }
    }

    /// Of every interface that has some: from sending to delivery for messages, and from request to outcome
    /// for calls.
    pub(crate) fn latencies(&mut self) -> impl Iterator<Item = (Interface, &Latencies)> {
        let by_number: Vec<&Latencies> = self.journal.figures().latencies().collect();
        Interface::ALL.into_iter().filter_map(move |interface| {
            let latencies = *by_number.get(interface as usize)?;
            (latencies.count() > 0).then_some((interface, latencies))
        })
    }

    pub(crate) fn faults(&self) -> BTreeMap<String, u64> {
        self.faults.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
    }
}
