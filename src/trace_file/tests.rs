use std::sync::Mutex;

use rehearsal_actors::units::SimTime;
use serde_json::{Value, json};

use super::*;

/// A place to write to that can be looked at afterwards, with room for so many bytes.
#[derive(Clone)]
struct Disk {
    written: Arc<Mutex<Vec<u8>>>,
    room: usize,
}

impl Disk {
    fn with_room(room: usize) -> Self {
        Disk { written: Arc::default(), room }
    }

    fn lines(&self) -> Vec<Value> {
        let written = String::from_utf8(self.written.lock().unwrap().clone()).unwrap();
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.written.lock().unwrap();
        if written.len() + bytes.len() > self.room {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn fault(at: u64, what: &str) -> TraceEvent<'_> {
    TraceEvent::Fault { at: SimTime::from_nanos(at), what }
}

#[test]
fn each_event_is_one_line_whatever_its_text() {
    let disk = Disk::with_room(usize::MAX);
    let trace = TraceFile::to(disk.clone(), Arc::default());
    let mut sink = trace.sink();
    sink.record(&TraceNames::default(), &fault(5, "node edge-3 down"));
    sink.record(&TraceNames::default(), &fault(7, "node \"a\nb\u{1b}\u{2028}\" up"));
    trace.finish().unwrap();
    assert_eq!(
        disk.lines(),
        [
            json!({"at_ns": 5, "event": "fault", "what": "node edge-3 down"}),
            json!({"at_ns": 7, "event": "fault", "what": "node \"a\nb\u{1b}\u{2028}\" up"}),
        ]
    );
}

#[test]
fn supervisors_and_directories_are_called_by_their_names() {
    let disk = Disk::with_room(usize::MAX);
    let trace = TraceFile::to(disk.clone(), Arc::default());
    let mut sink = trace.sink();
    let at = SimTime::from_nanos(5);
    for event in [
        TraceEvent::Supervision { at, supervisor: "root", child: "cart", what: "restarted, incarnation 2" },
        TraceEvent::Directory { at, directory: "hub", what: "dropped add-one" },
    ] {
        sink.record(&TraceNames::default(), &event);
    }
    trace.finish().unwrap();
    assert_eq!(
        disk.lines(),
        [
            json!({"at_ns": 5, "event": "supervision", "supervisor": "root", "child": "cart",
                   "what": "restarted, incarnation 2"}),
            json!({"at_ns": 5, "event": "directory", "directory": "hub", "what": "dropped add-one"}),
        ]
    );
}

#[test]
fn the_fields_are_those_of_the_table() {
    let events = [
        Event::Delivery {
            from: "a",
            to: "b",
            interface: "mpi",
            sent_at_ns: 1,
            bytes: 2,
            held_back_ns: 3,
            duplicate: false,
            body: "u8",
        },
        Event::Loss { from: "a", to: "b", interface: "rest", bytes: 2, cause: "cut", duplicate: true },
        Event::Outcome { from: "a", to: None, interface: "rest", kind: "reply", elapsed_ns: 4, cause: None },
        Event::Fault { what: "w" },
        Event::Panic { service: "a", message: "m" },
        Event::FailedStep { service: "a", reason: "r" },
        Event::Supervision { supervisor: "s", child: "a", what: "w" },
        Event::Directory { directory: "d", what: "w" },
    ];
    let table = include_str!("../trace_file.rs").lines().filter_map(|line| line.strip_prefix("//! | `")).skip(1);
    let mut promised = table.map(|row| {
        // `fault` | `what` (a remark) |: names in backquotes, remarks in parentheses.
        let mut depth = 0;
        let bare: String = row
            .chars()
            .filter(|&c| {
                depth += i32::from(c == '(');
                let kept = depth == 0;
                depth -= i32::from(c == ')');
                kept
            })
            .collect();
        let mut words: Vec<String> = bare.split(['`', ',', '|', ' ']).map(str::to_owned).collect();
        words.retain(|word| !word.is_empty());
        words
    });
    for event in events {
        let line = serde_json::to_string(&Line { at_ns: 9, event }).unwrap();
        let object: Value = serde_json::from_str(&line).unwrap();
        let mut row = promised.next().unwrap().into_iter();
        assert_eq!(object["event"], row.next().unwrap());
        let mut fields: Vec<String> = row.chain(["at_ns".to_owned(), "event".to_owned()]).collect();
        fields.sort();
        let mut written: Vec<&String> = object.as_object().unwrap().keys().collect();
        written.sort();
        assert_eq!(written, fields.iter().collect::<Vec<_>>());
    }
    assert_eq!(promised.next(), None);
}

#[test]
fn a_full_disk_interrupts_the_run_and_is_told_at_the_end() {
    let progress = Arc::new(Progress::default());
    let trace = TraceFile::to(Disk::with_room(0), Arc::clone(&progress));
    let mut sink = trace.sink();
    let long = "x".repeat(BUFFER);
    sink.record(&TraceNames::default(), &fault(1, &long));
    assert!(progress.interrupt.load(Ordering::Relaxed));
    sink.record(&TraceNames::default(), &fault(2, "nothing more is tried"));
    assert_eq!(trace.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn what_was_only_gathered_fails_at_the_end() {
    let trace = TraceFile::to(Disk::with_room(0), Arc::default());
    trace.sink().record(&TraceNames::default(), &fault(1, "short"));
    assert_eq!(trace.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
}
