//! Parameters that come as JSON from outside of the run.

use std::fmt;

use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserializer, Serialize, Serializer, forward_to_deserialize_any};
use serde_json::value::RawValue;

use crate::interfaces::unread::in_words_of_json;

/// Parameters as JSON-RPC has them: by position in an array, by name in an object, or none. They stay the
/// text that they came as until the method that they are for reads them, once; it pays for their way
/// as the text that it is.
///
/// How they become what the handler takes:
///
/// | | a struct | a tuple | one value | nothing |
/// |---|---|---|---|---|
/// | `{…}` | its fields, by name | - | the member `value`, if it is the only one; or the object | `{}` |
/// | `[…]` | its fields, in the order of their declaration | its elements | the one element; or the array | `[]` |
/// | none | if it can do without its fields | - | if null will do | as it is |
///
/// ```
/// # use rehearsal_actors::interfaces::rpc::JsonParams;
/// let params = JsonParams::from_text(r#"[19, 23]"#)?;
/// assert_eq!(params.as_text(), Some("[19, 23]"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct JsonParams(Option<Box<RawValue>>);

impl JsonParams {
    /// None at all.
    pub const NONE: JsonParams = JsonParams(None);

    /// Parameters that are known to be JSON.
    pub fn new(json: Box<RawValue>) -> Self {
        JsonParams(Some(json))
    }

    /// Parameters that are this text.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn from_text(json: impl Into<String>) -> Result<Self, serde_json::Error> {
        RawValue::from_string(json.into()).map(Self::new)
    }

    /// As JSON; `None` if there are none.
    pub fn as_text(&self) -> Option<&str> {
        self.0.as_deref().map(RawValue::get)
    }

    /// The value that a handler takes.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        let text = self.as_text().unwrap_or_default();
        let read = if is_empty(text) {
            read_nothing()
        } else if text.starts_with('[') {
            read_by_position(text)
        } else {
            read_by_name(text)
        };
        read.map_err(in_words_of_json)
    }
}

/// On the wire it is its text, whose size postcard knows.
impl Serialize for JsonParams {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Whether there are no parameters, in whatever way that is said.
fn is_empty(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inner = inner.or_else(|| text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')));
    inner.unwrap_or(text).trim_ascii().is_empty()
}

/// Nothing is null, or fields that are all left out, or a list without elements. What is missing is said
/// best by whoever looks for fields.
fn read_nothing<T: DeserializeOwned>() -> serde_json::Result<T> {
    let by_name = match serde_json::from_str("null") {
        Err(_) if !takes_one_value::<T>() => serde_json::from_str("{}"),
        nothing => nothing,
    };
    by_name.or_else(|error| serde_json::from_str("[]").map_err(|_| error))
}

fn read_by_position<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    if takes_one_value::<T>()
        && let Ok([element]) = serde_json::from_str::<[&RawValue; 1]>(text)
        && let Ok(value) = serde_json::from_str(element.get())
    {
        return Ok(value);
    }
    serde_json::from_str(text)
}

fn read_by_name<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct OneValue<'a> {
        #[serde(borrow)]
        value: &'a RawValue,
    }
    if text.contains("\"value\"")
        && takes_one_value::<T>()
        && let Ok(OneValue { value }) = serde_json::from_str(text)
        && let Ok(value) = serde_json::from_str(value.get())
    {
        return Ok(value);
    }
    serde_json::from_str(text)
}

/// Whether such a value is one parameter: neither fields nor a tuple, nor nothing.
fn takes_one_value<T: DeserializeOwned>() -> bool {
    let mut one_value = true;
    // It has nothing to give, and learns what was asked of it.
    let _ = T::deserialize(Probe(&mut one_value));
    one_value
}

/// A deserializer without data, which only looks at what is wanted of it.
struct Probe<'a>(&'a mut bool);

impl Probe<'_> {
    fn several<V>(self) -> Result<V, NoData> {
        *self.0 = false;
        Err(NoData)
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = NoData;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoData> {
        Err(NoData)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoData> {
        self.several()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, _: V) -> Result<V::Value, NoData> {
        self.several()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, NoData> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, NoData> {
        self.several()
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, _: V) -> Result<V::Value, NoData> {
        self.several()
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, NoData> {
        self.several()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option seq map enum
        identifier ignored_any
    }
}

/// All that a [`Probe`] has to say.
#[derive(Debug, thiserror::Error)]
#[error("there is no data")]
struct NoData;

impl de::Error for NoData {
    fn custom<T: fmt::Display>(_: T) -> Self {
        NoData
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Subtract {
        minuend: i64,
        subtrahend: i64,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(default)]
    struct Page {
        size: u8,
        tags: Vec<String>,
    }

    impl Default for Page {
        fn default() -> Self {
            Page { size: 20, tags: Vec::new() }
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped {
        inner: Value,
    }

    fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
        let params = if text.is_empty() { JsonParams::NONE } else { JsonParams::from_text(text).unwrap_or_default() };
        params.read()
    }

    fn reads<T: DeserializeOwned + Debug + PartialEq>(texts: &[&str], expected: &T) {
        for text in texts {
            assert_eq!(read::<T>(text).as_ref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_struct_is_read_by_name_and_by_position() {
        let expected = Subtract { minuend: 42, subtrahend: 23 };
        reads(&["[42, 23]", r#"{"subtrahend": 23, "minuend": 42}"#], &expected);
        assert!(read::<Subtract>("[42]").is_err() && read::<Subtract>("[42, 23, 1]").is_err());
        assert_eq!(read::<Subtract>("").map_err(|error| error.contains("missing field `minuend`")), Err(true));
    }

    #[test]
    fn nothing_is_said_in_three_ways_and_will_do_where_nothing_is_needed() {
        let nothing = ["", "[]", "{ }", "[ \n]"];
        reads(&nothing, &());
        reads(&nothing, &Page::default());
        reads(&nothing, &None::<u8>);
        reads(&nothing, &Value::Null);
        assert!(nothing.iter().all(|text| read::<u8>(text).is_err()));
    }

    #[test]
    fn one_value_is_the_value_of_that_name_or_the_one_in_the_first_place() {
        reads(&[r#"{"value": 5}"#, "[5]"], &5);
        reads(&[r#"{"value": [5, 6]}"#, "[[5, 6]]", "[5, 6]"], &vec![5, 6]);
        reads(&["[5]"], &vec![5]);
        reads(&[r#"[{"a": 1}]"#, r#"{"value": {"a": 1}}"#, r#"{"a": 1}"#], &BTreeMap::from([("a".to_owned(), 1)]));
        reads(&["[5]", r#"{"value": 5}"#], &json!(5));
        reads(&[r#"{"value": 5, "more": 6}"#], &json!({ "value": 5, "more": 6 }));
        assert!(read::<u8>("[5, 6]").is_err() && read::<u8>(r#"{"number": 5}"#).is_err());
    }

    #[test]
    fn a_struct_with_one_field_and_a_tuple_of_one_are_no_single_values() {
        reads(&["[[5]]", r#"{"inner": [5]}"#], &Wrapped { inner: json!([5]) });
        reads(&["[[5]]"], &(vec![5],));
        reads(&["[3, \"a\"]"], &(3, "a".to_owned()));
    }

    #[test]
    fn one_value_is_told_from_fields_tuples_and_nothing() {
        #[derive(Deserialize)]
        struct Metres(#[expect(dead_code, reason = "only its type is looked at")] f64);
        assert!(takes_one_value::<u64>() && takes_one_value::<Vec<Page>>() && takes_one_value::<Option<Page>>());
        assert!(takes_one_value::<Value>() && takes_one_value::<Metres>() && takes_one_value::<String>());
        assert!(takes_one_value::<BTreeMap<String, Page>>() && takes_one_value::<std::num::NonZeroU8>());
        assert!(!takes_one_value::<()>() && !takes_one_value::<(i64,)>() && !takes_one_value::<Wrapped>());
    }

    #[test]
    fn it_pays_for_its_text() {
        let size = |params: &JsonParams| postcard::experimental::serialized_size(params).ok();
        // Whether there are any, the length of the text, and eight letters.
        assert_eq!(size(&JsonParams::from_text("[42, 23]").unwrap_or_default()), Some(1 + 1 + 8));
        assert_eq!(size(&JsonParams::NONE), Some(1));
    }
}
