//! The trace as JSON lines: one object a line, one line an event, in the order in which they happened.
//!
//! Every line has `at_ns`, nanoseconds of virtual time since the start, and `event`, which says what
//! else there is:
//!
//! | `event` | fields |
//! |---|---|
//! | `delivery` | `from`, `to`, `interface` (`mpi`, `rest`, …), `sent_at_ns`, `bytes`, `held_back_ns`, `duplicate`, `body` |
//! | `loss` | `from`, `to`, `interface`, `bytes`, `cause` (`link`, `queue_full`, `cut`), `duplicate` |
//! | `outcome` | `from`, `to` (`null` if there is no such service), `interface`, `kind`, `elapsed_ns`, `cause` |
//! | `fault` | `what` |
//! | `panic` | `service`, `message` |
//! | `failed_step` | `service`, `reason` |
//! | `supervision` | `supervisor`, `child`, `what` |
//! | `directory` | `directory`, `what` |
//!
//! `body` is the type of the message and `cause` of an outcome a text, both for people to read:
//! neither is part of the trace hash. `kind` is a name of `OutcomeKind`: `reply`, `timed_out`, ….

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;

use rehearsal_actors::simulation::Progress;
use rehearsal_actors::trace::{LossCause, ServiceId, TraceEvent, TraceNames, TraceSink};

/// Bytes that are gathered before they are written: some thousand lines.
const BUFFER: usize = 256 * 1024;

/// A trace being written. Give [`TraceFile::sink`] to the run and [`TraceFile::finish`] it afterwards.
pub struct TraceFile {
    recorder: Rc<RefCell<Recorder>>,
}

impl TraceFile {
    /// Writes to the file at `path`, which is created, or emptied if it is there.
    ///
    /// A run whose trace can no longer be written is interrupted through `progress`: who asked for
    /// the whole story gets it, or is told why not, and does not wait for the end of half of it.
    ///
    /// # Errors
    ///
    /// Those of [`File::create`].
    pub fn create(path: &Path, progress: Arc<Progress>) -> io::Result<Self> {
        Ok(TraceFile::to(File::create(path)?, progress))
    }

    /// Writes to whatever can be written to, as [`TraceFile::create`] does.
    pub fn to(out: impl Write + 'static, progress: Arc<Progress>) -> Self {
        let out: Box<dyn Write> = Box::new(out);
        let recorder =
            Recorder { out: BufWriter::with_capacity(BUFFER, out), line: Vec::new(), failed: None, progress };
        TraceFile { recorder: Rc::new(RefCell::new(recorder)) }
    }

    /// The listener to give to the run.
    pub fn sink(&self) -> Box<dyn TraceSink> {
        Box::new(Listener(Rc::clone(&self.recorder)))
    }

    /// Writes what is still gathered.
    ///
    /// # Errors
    ///
    /// The first error since the start: nothing was written after it.
    pub fn finish(self) -> io::Result<()> {
        let mut recorder = self.recorder.borrow_mut();
        match recorder.failed.take() {
            Some(error) => Err(error),
            None => recorder.out.flush(),
        }
    }
}

struct Listener(Rc<RefCell<Recorder>>);

impl TraceSink for Listener {
    fn record(&mut self, names: &TraceNames, event: &TraceEvent<'_>) {
        self.0.borrow_mut().record(names, event);
    }
}

struct Recorder {
    out: BufWriter<Box<dyn Write>>,
    /// The line being set, kept for its capacity.
    line: Vec<u8>,
    failed: Option<io::Error>,
    progress: Arc<Progress>,
}

impl Recorder {
    fn record(&mut self, names: &TraceNames, event: &TraceEvent<'_>) {
        if self.failed.is_some() {
            return;
        }
        self.line.clear();
        let written = serde_json::to_writer(&mut self.line, &Line::of(names, event)).map_err(io::Error::from);
        self.line.push(b'\n');
        if let Err(error) = written.and_then(|()| self.out.write_all(&self.line)) {
            self.failed = Some(error);
            self.progress.interrupt.store(true, Ordering::Relaxed);
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    at_ns: u64,
    #[serde(flatten)]
    event: Event<'a>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    Delivery {
        from: &'a str,
        to: &'a str,
        interface: &'static str,
        sent_at_ns: u64,
        bytes: u64,
        held_back_ns: u64,
        duplicate: bool,
        body: &'static str,
    },
    Loss {
        from: &'a str,
        to: &'a str,
        interface: &'static str,
        bytes: u64,
        cause: &'static str,
        duplicate: bool,
    },
    Outcome {
        from: &'a str,
        to: Option<&'a str>,
        interface: &'static str,
        kind: &'static str,
        elapsed_ns: u64,
        cause: Option<&'a str>,
    },
    Fault {
        what: &'a str,
    },
    Panic {
        service: &'a str,
        message: &'a str,
    },
    FailedStep {
        service: &'a str,
        reason: &'a str,
    },
    Supervision {
        supervisor: &'a str,
        child: &'a str,
        what: &'a str,
    },
    Directory {
        directory: &'a str,
        what: &'a str,
    },
}

impl<'a> Line<'a> {
    fn of(names: &'a TraceNames, event: &TraceEvent<'a>) -> Self {
        let name = |id: ServiceId| names.services.get(id.index()).map_or("?", String::as_str);
        let (at, event) = match *event {
            TraceEvent::Delivery { at, from, to, interface, sent_at, bytes, held_back, duplicate, body_type } => {
                let event = Event::Delivery {
                    from: name(from),
                    to: name(to),
                    interface: interface.name(),
                    sent_at_ns: sent_at.as_nanos(),
                    bytes: bytes.0,
                    held_back_ns: held_back.as_nanos(),
                    duplicate,
                    body: body_type,
                };
                (at, event)
            }
            TraceEvent::Lost { at, from, to, interface, bytes, cause, duplicate } => {
                let event = Event::Loss {
                    from: name(from),
                    to: name(to),
                    interface: interface.name(),
                    bytes: bytes.0,
                    cause: match cause {
                        LossCause::Link => "link",
                        LossCause::QueueFull => "queue_full",
                        LossCause::Cut => "cut",
                    },
                    duplicate,
                };
                (at, event)
            }
            TraceEvent::Outcome { at, from, to, interface, kind, elapsed, cause } => {
                let event = Event::Outcome {
                    from: name(from),
                    to: to.map(name),
                    interface: interface.name(),
                    kind: kind.name(),
                    elapsed_ns: elapsed.as_nanos(),
                    cause,
                };
                (at, event)
            }
            TraceEvent::Fault { at, what } => (at, Event::Fault { what }),
            TraceEvent::Panic { at, service, message } => (at, Event::Panic { service: name(service), message }),
            TraceEvent::StepFailed { at, service, reason } => {
                (at, Event::FailedStep { service: name(service), reason })
            }
            TraceEvent::Supervision { at, supervisor, child, what } => {
                (at, Event::Supervision { supervisor, child, what })
            }
            TraceEvent::Directory { at, directory, what } => (at, Event::Directory { directory, what }),
        };
        Line { at_ns: at.as_nanos(), event }
    }
}

#[cfg(test)]
mod tests;
