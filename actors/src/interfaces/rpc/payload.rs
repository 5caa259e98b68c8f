//! Bodies whose types only the two ends know.
//!
//! Between services written in Rust a body stays the value that it is, and pays for its size in
//! postcard. Only where the two ends use different types does it go by way of JSON, so that whoever
//! has nothing but JSON may call every method and read every answer.

use std::any::{Any, TypeId};
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::json::JsonParams;
use crate::network::ports::Body;

/// A body with its type forgotten.
trait Content: Any {
    fn duplicate(&self) -> Box<dyn Content>;
    fn to_json(&self) -> Result<Value, serde_json::Error>;
    fn to_text(&self) -> Result<Box<RawValue>, serde_json::Error>;
}

impl<T: Body> Content for T {
    fn duplicate(&self) -> Box<dyn Content> {
        Box::new(self.clone())
    }

    fn to_json(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn to_text(&self) -> Result<Box<RawValue>, serde_json::Error> {
        to_raw_value(self)
    }
}

/// A body on its way.
pub(crate) struct Payload(Box<dyn Content>);

impl Payload {
    #[inline]
    pub(crate) fn new(body: impl Body) -> Self {
        Payload(Box::new(body))
    }

    /// The body as a value of this type: the value itself if it is one, and what its JSON says if it
    /// is another.
    ///
    /// # Errors
    /// Its JSON does not describe such a value, or it has none.
    #[inline]
    pub(crate) fn take<T: DeserializeOwned + 'static>(self) -> Result<T, String> {
        if self.is::<T>() { self.take_as_it_is() } else { self.convert() }
    }

    #[inline]
    fn is<T: 'static>(&self) -> bool {
        (&*self.0 as &dyn Any).is::<T>()
    }

    #[inline]
    fn take_as_it_is<T: 'static>(self) -> Result<T, String> {
        let content: Box<dyn Any> = self.0;
        content.downcast().map(|value| *value).map_err(|_| "it is of another type".to_owned())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It has none.
    pub(crate) fn json(&self) -> Result<Value, String> {
        self.0.to_json().map_err(|error| error.to_string())
    }

    /// Parameters as a value of this type: as [`take`](Self::take) has it, and what came as JSON as its
    /// method wants it.
    #[inline]
    pub(crate) fn take_params<T: DeserializeOwned + 'static>(self) -> Result<T, String> {
        if self.is::<T>() {
            return self.take_as_it_is();
        }
        match (&*self.0 as &dyn Any).downcast_ref::<JsonParams>() {
            Some(json) => json.read(),
            None => self.convert(),
        }
    }

    #[cold]
    fn convert<T: DeserializeOwned + 'static>(&self) -> Result<T, String> {
        // Whoever wants the text has no use for the values.
        if TypeId::of::<T>() == TypeId::of::<Box<RawValue>>() {
            let text: Box<dyn Any> = Box::new(self.0.to_text().map_err(|error| error.to_string())?);
            return text.downcast().map(|text| *text).map_err(|_| "it is of another type".to_owned());
        }
        T::deserialize(self.json()?).map_err(|error| error.to_string())
    }
}

impl Clone for Payload {
    fn clone(&self) -> Self {
        Payload(self.0.duplicate())
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.to_json() {
            Ok(json) => json.fmt(f),
            Err(error) => write!(f, "a body without JSON: {error}"),
        }
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_json().map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// How large a number is in postcard, which writes seven bits a byte.
#[inline]
pub(crate) fn number_size(number: u64) -> u64 {
    u64::from((64 - (number | 1).leading_zeros()).div_ceil(7))
}

/// How large a text is in postcard: its length, and itself.
#[inline]
pub(crate) fn text_size(text: &str) -> u64 {
    number_size(text.len() as u64) + text.len() as u64
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Point {
        x: i32,
        y: i32,
        /// Shows which way a value came: JSON does not have it.
        #[serde(skip)]
        note: &'static str,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Across {
        x: i64,
    }

    const POINT: Point = Point { x: 3, y: -4, note: "as it is" };

    #[test]
    fn a_value_of_the_type_that_is_asked_for_arrives_as_it_is() {
        assert_eq!(Payload::new(POINT).take(), Ok(POINT));
        assert_eq!(Payload::new(POINT).clone().take(), Ok(POINT));
    }

    #[test]
    fn another_type_is_read_from_the_json_and_json_from_any_type() {
        assert_eq!(Payload::new(POINT).take(), Ok(Across { x: 3 }));
        assert_eq!(Payload::new(POINT).take(), Ok(json!({ "x": 3, "y": -4 })));
        assert_eq!(Payload::new(json!({ "x": 3, "y": -4 })).take(), Ok(Point { note: "", ..POINT }));
    }

    #[test]
    fn text_is_written_without_a_detour() {
        let text: Box<RawValue> = Payload::new(POINT).take().unwrap_or_default();
        assert_eq!(text.get(), r#"{"x":3,"y":-4}"#);
        let ack: Box<RawValue> = Payload::new(()).take().unwrap_or_default();
        assert_eq!(ack.get(), "null");
    }

    #[test]
    fn what_the_json_does_not_describe_is_said() {
        let error = Payload::new("three").take::<Across>().err().unwrap_or_default();
        assert!(error.contains("invalid type: string \"three\""), "{error}");
    }

    #[test]
    fn sizes_are_those_of_postcard() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::MAX] {
            let bytes = postcard::experimental::serialized_size(&number).unwrap_or_default();
            assert_eq!(number_size(number), bytes as u64, "{number}");
        }
        for len in [0, 1, 127, 128, 300] {
            let text = "x".repeat(len);
            assert_eq!(text_size(&text), postcard::experimental::serialized_size(&text).unwrap_or_default() as u64);
        }
    }
}
