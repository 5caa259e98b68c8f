//! Events as they happen: server-sent events, as the HTML standard has them (section 9.2).

use std::fmt;
use std::io::{BufRead, BufReader, Read};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Error;
use super::connection::malformed;
use super::url::Url;

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "an object with `topic` and `body`")]
#[non_exhaustive]
pub struct Event {
    /// What it is about.
    pub topic: String,
    /// The service that told it; nobody if it came from outside.
    #[serde(default)]
    pub from: Option<String>,
    /// When, in nanoseconds of virtual time since the run began.
    #[serde(default)]
    pub at_ns: Option<u64>,
    /// The chain of calls and events that it belongs to.
    #[serde(default)]
    pub trace_id: Option<Value>,
    /// What is told.
    #[serde(default)]
    pub body: Value,
}

/// The events of a subscription, as they come. Ends when the server ends it.
///
/// An item is an error if the connection breaks, or if something comes that is no event; after a
/// broken connection nothing follows.
pub struct Events {
    url: Url,
    stream: Option<BufReader<Box<dyn Read + Send>>>,
    most_bytes: u64,
}

impl Events {
    pub(super) fn new(url: Url, stream: Box<dyn Read + Send>, most_bytes: u64) -> Self {
        Events { url, stream: Some(BufReader::new(stream)), most_bytes }
    }

    /// The data of the next event: the lines up to an empty one. Nothing at the end of the stream; an
    /// event that it breaks off in is none.
    fn next_data(&mut self) -> Result<Option<String>, Error> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let limit = self.most_bytes;
        let mut data: Option<String> = None;
        let mut left = limit;
        loop {
            let mut line = Vec::new();
            // One byte more, so that what is just as long as it may be is told from what is longer.
            let read = stream.by_ref().take(left.saturating_add(1)).read_until(b'\n', &mut line);
            let read = read.map_err(|cause| {
                let (url, cause) = (self.url.to_string(), cause.to_string());
                Error::Interrupted { url, cause }
            })?;
            if read == 0 {
                return Ok(None);
            }
            left = match left.checked_sub(read as u64) {
                Some(left) => left,
                None => return Err(Error::TooLarge { url: self.url.to_string(), limit }),
            };
            if line.pop() != Some(b'\n') {
                return Ok(None);
            }
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            let line = String::from_utf8_lossy(&line);
            if line.is_empty() {
                match data.take() {
                    Some(data) => return Ok(Some(data)),
                    // A comment that keeps the connection alive may end like an event.
                    None => left = limit,
                }
            } else if let Some(("data", value)) = field(&line) {
                let data = data.get_or_insert_default();
                if !data.is_empty() {
                    data.push('\n');
                }
                data.push_str(value);
            } else if line.starts_with(':') {
                left = limit;
            }
        }
    }
}

/// A line of an event. A comment has no name.
fn field(line: &str) -> Option<(&str, &str)> {
    match line.split_once(':') {
        Some((name, value)) => Some((name, value.strip_prefix(' ').unwrap_or(value))),
        None => Some((line, "")),
    }
}

impl Iterator for Events {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_data() {
            Ok(None) => {
                self.stream = None;
                None
            }
            Ok(Some(data)) => {
                let event = serde_json::from_str(&data);
                Some(event.map_err(|error| malformed(&self.url, format!("it sends what is no event ({error})"))))
            }
            Err(error) => {
                self.stream = None;
                Some(Err(error))
            }
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn events(text: impl Into<Vec<u8>>, most_bytes: u64) -> Vec<Result<Event, Error>> {
        let url = Url::parse("http://gate/events").expect("it is one");
        Events::new(url, Box::new(Cursor::new(text.into())), most_bytes).collect()
    }

    fn bodies(text: &str) -> Vec<Value> {
        events(text, 10_000).into_iter().map(|event| event.map_or(json!("error"), |event| event.body)).collect()
    }

    #[test]
    fn events_are_read_with_everything_that_is_known_of_them() {
        let text = "event: orders.placed\ndata: {\"topic\": \"orders.placed\", \"from\": \"orders\", \"at_ns\": 42, \"trace_id\": \"7f\", \"body\": {\"id\": 3}}\n\n";
        let expected = Event {
            topic: "orders.placed".into(),
            from: Some("orders".into()),
            at_ns: Some(42),
            trace_id: Some(json!("7f")),
            body: json!({"id": 3}),
        };
        assert_eq!(events(text, 10_000), [Ok(expected)]);
    }

    #[test]
    fn lines_may_end_either_way_and_comments_and_unknown_fields_are_passed_over() {
        let text = ": hello\r\n\r\nretry: 100\r\nid\r\ndata: {\"topic\": \"a\",\r\ndata:\"body\": 1}\r\n\r\n: again\n\ndata: {\"topic\": \"b\", \"body\": 2}\n\n";
        assert_eq!(bodies(text), [json!(1), json!(2)]);
    }

    #[test]
    fn an_event_that_breaks_off_is_none_and_one_that_is_wrong_does_not_end_the_rest() {
        assert_eq!(bodies("data: {\"topic\": \"a\", \"body\": 1}\n"), Vec::<Value>::new());
        assert_eq!(bodies("data: {\"topic\": \"a\", \"body\": 1}"), Vec::<Value>::new());
        assert_eq!(bodies("data: garbage\n\ndata: {\"topic\": \"a\", \"body\": 1}\n\n"), [json!("error"), json!(1)]);
    }

    #[test]
    fn an_event_has_a_bound_and_a_long_stream_has_none() {
        let event = "data: {\"topic\": \"a\"}\n\n";
        // 22 bytes and the line's end; the empty line is one more.
        let whole = event.len() as u64;
        assert_eq!(events(event, whole).len(), 1);
        assert!(events(event, whole)[0].is_ok());
        assert!(matches!(events(event, whole - 2)[..], [Err(Error::TooLarge { .. })]));
        assert_eq!(events(event.repeat(1_000), whole).iter().filter(|event| event.is_ok()).count(), 1_000);
        assert_eq!(events(": still here\n".repeat(1_000) + event, 30).iter().filter(|event| event.is_ok()).count(), 1);
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_can_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            events(bytes, 100);
        }

        #[test]
        fn every_body_comes_through(bodies in prop::collection::vec(".{0,20}", 0..5)) {
            let text: String = bodies.iter().map(|body| format!("data: {}\n\n", json!({"topic": "t", "body": body}))).collect();
            let got: Vec<_> = events(text, 10_000).into_iter().map(|event| event.map(|event| event.body)).collect();
            let expected: Vec<_> = bodies.into_iter().map(|body| Ok(Value::from(body))).collect();
            prop_assert_eq!(got, expected);
        }
    }
}
