//! What travels beside the body of a call and of its answer.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use super::payload::{number_size, text_size};

/// So many headers go with one message.
pub const HEADERS_LIMIT: usize = 64;

/// So many bytes may the names and values of one message's headers have together.
pub const HEADER_BYTES_LIMIT: usize = 8 * 1024;

/// Under this name a trace id is known where headers are text.
pub(crate) const TRACE_ID: &str = "trace-id";

/// Names a chain of calls: made for the first one, and carried on by every call that a handler makes
/// on its behalf. Unique in a run, and the same in every run of the same seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(pub(crate) u64);

impl TraceId {
    /// On the wire.
    const SIZE: u64 = 8;
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Why a header cannot go along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// There are too many.
    #[error("a message has at most {HEADERS_LIMIT} headers")]
    TooMany,
    /// They are too large.
    #[error("the headers of a message have at most {HEADER_BYTES_LIMIT} bytes")]
    TooLarge,
    /// It has no name.
    #[error("a header needs a name")]
    NoName,
    /// The trace id is a header that the runtime sets.
    #[error("the header `trace-id` is the runtime's")]
    Reserved,
}

/// Headers by name. Most messages have none, and pay nothing for them: the map is there as soon as there
/// is something in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Option<Box<Texts>>);

/// At least one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Texts(BTreeMap<String, String>);

impl Fields {
    /// Sets a header, in place of one of the same name.
    pub(crate) fn set(&mut self, name: String, value: String) -> Result<(), HeaderError> {
        if name.is_empty() {
            return Err(HeaderError::NoName);
        }
        if name.eq_ignore_ascii_case(TRACE_ID) {
            return Err(HeaderError::Reserved);
        }
        if self.len() >= HEADERS_LIMIT && self.get(&name).is_none() {
            return Err(HeaderError::TooMany);
        }
        let others = self.iter().filter(|(other, _)| *other != name);
        let bytes: usize = others.map(|(name, value)| name.len() + value.len()).sum();
        if bytes.saturating_add(name.len()).saturating_add(value.len()) > HEADER_BYTES_LIMIT {
            return Err(HeaderError::TooLarge);
        }
        self.0.get_or_insert_default().0.insert(name, value);
        Ok(())
    }

    /// How large they and a trace id are on the wire.
    #[inline]
    pub(super) fn size(&self) -> u64 {
        if self.0.is_none() {
            return TraceId::SIZE + number_size(0);
        }
        let texts: u64 = self.iter().map(|(name, value)| text_size(name) + text_size(value)).sum();
        TraceId::SIZE + number_size(self.len() as u64) + texts
    }

    fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |texts| texts.0.len())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.as_ref()?.0.get(name).map(String::as_str)
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|texts| &texts.0).map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The headers of a call, or of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    trace: TraceId,
    fields: Fields,
}

impl Headers {
    pub(crate) fn new(trace: TraceId, fields: Fields) -> Self {
        Headers { trace, fields }
    }

    /// The chain of calls that this one belongs to.
    pub fn trace_id(&self) -> TraceId {
        self.trace
    }

    /// The value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// Names and values, in the order of names, without the trace id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter()
    }

    /// On the wire: the trace id, how many headers there are, and their texts.
    #[inline]
    pub(crate) fn size(&self) -> u64 {
        self.fields.size()
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let trace = (TRACE_ID, self.trace.to_string());
        serializer.collect_map(self.iter().chain([(trace.0, trace.1.as_str())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_bounded_in_number_and_in_bytes() {
        let mut fields = Fields::default();
        for i in 0..HEADERS_LIMIT {
            assert_eq!(fields.set(format!("h{i}"), String::new()), Ok(()));
        }
        assert_eq!(fields.set("one-more".to_owned(), String::new()), Err(HeaderError::TooMany));
        assert_eq!(fields.set("h0".to_owned(), "again".to_owned()), Ok(()));

        let mut fields = Fields::default();
        // Name and value have the limit together, and one byte more.
        assert_eq!(fields.set("h".to_owned(), "x".repeat(HEADER_BYTES_LIMIT)), Err(HeaderError::TooLarge));
        assert_eq!(fields.set("h".to_owned(), "x".repeat(HEADER_BYTES_LIMIT - 1)), Ok(()));
        assert_eq!(
            fields.set("h".to_owned(), "y".repeat(HEADER_BYTES_LIMIT - 1)),
            Ok(()),
            "it takes the other's place"
        );
        assert_eq!(fields.set("i".to_owned(), String::new()), Err(HeaderError::TooLarge));
    }

    #[test]
    fn the_trace_id_and_the_empty_name_cannot_be_set() {
        let mut fields = Fields::default();
        assert_eq!(fields.set("Trace-Id".to_owned(), "mine".to_owned()), Err(HeaderError::Reserved));
        assert_eq!(fields.set(String::new(), "nameless".to_owned()), Err(HeaderError::NoName));
    }

    #[test]
    fn a_size_is_the_trace_id_and_the_fields_in_postcard() {
        assert_eq!(Headers::new(TraceId(1), Fields::default()).size(), 8 + 1);
        let mut fields = Fields::default();
        assert_eq!(fields.set("user".to_owned(), "ada".to_owned()), Ok(()));
        // Each text is one byte of length, and itself.
        assert_eq!(Headers::new(TraceId(1), fields).size(), 8 + 1 + 5 + 4);
    }
}
