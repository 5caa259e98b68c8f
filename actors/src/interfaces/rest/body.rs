//! Bodies of requests, read as those mean them who write JSON.
//!
//! serde_json's own reader differs in two ways from what JSON Schema says of objects and integers: it takes
//! a list for a struct, field by field, and it does not take 12.0 for an integer.

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Error, Map, Value};

/// A value that is to become something else.
#[derive(Clone, Copy)]
pub(super) struct Body<'de>(pub(super) &'de Value);

impl<'de> Body<'de> {
    /// Numbers without a fraction are integers.
    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        /// One more than the greatest of 64 bits.
        const END: f64 = 18_446_744_073_709_551_616.0;
        let is_float = self.0.as_number().filter(|number| number.is_f64());
        match is_float.and_then(|number| number.as_f64()).filter(|number| number.fract() == 0.0) {
            Some(number) if (0.0..END).contains(&number) => visitor.visit_u64(number as u64),
            Some(number) if (-END / 2.0..0.0).contains(&number) => visitor.visit_i64(number as i64),
            _ => self.0.deserialize_any(visitor),
        }
    }

    fn list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value::Array(values) = self.0 else { return self.0.deserialize_seq(visitor) };
        let mut each = Each(values.iter());
        let list = visitor.visit_seq(&mut each)?;
        match each.0.len() {
            0 => Ok(list),
            _ => Err(Error::invalid_length(values.len(), &"fewer elements")),
        }
    }
}

macro_rules! integers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.integer(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Body<'de> {
    type Error = Error;

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(members) => visitor.visit_map(Members { rest: members.iter(), value: None }),
            Value::Array(_) => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.list(visitor)
    }

    /// Keys may be numbers, which serde_json knows how to read.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_bytes(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_byte_buf(visitor)
    }

    forward_to_deserialize_any! {
        bool f32 f64 char str string unit unit_struct identifier ignored_any
    }
}

/// The elements of a list.
struct Each<'de>(std::slice::Iter<'de, Value>);

impl<'de> SeqAccess<'de> for &mut Each<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|value| seed.deserialize(Body(value))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// The members of an object.
struct Members<'de> {
    rest: <&'de Map<String, Value> as IntoIterator>::IntoIter,
    /// Of the name that was read last.
    value: Option<&'de Value>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(serde::de::value::BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Body(self.value.take().unwrap_or(&Value::Null)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(default)]
    struct Order {
        lines: Vec<Line>,
        by: BTreeMap<u8, Option<String>>,
        anything: Value,
    }

    impl Default for Order {
        fn default() -> Self {
            Order { lines: Vec::new(), by: BTreeMap::new(), anything: Value::Null }
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Line {
        item: (u32, char),
        price: f64,
        kind: Kind,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Kind {
        Plain,
        Wrapped { paper: i8 },
    }

    fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
        T::deserialize(Body(value)).ok()
    }

    #[test]
    fn what_serde_json_reads_is_read_the_same_way() {
        let order = json!({
            "lines": [
                { "item": [7, "x"], "price": 2, "kind": "Plain", "more": [] },
                { "item": [8, "y"], "price": 2.5, "kind": { "Wrapped": { "paper": -1 } } },
            ],
            "by": { "1": "one", "2": null },
            "anything": { "a": [1.0, { "b": null }] },
        });
        let read_as_usual = Order::deserialize(&order).ok();
        assert!(read_as_usual.is_some());
        assert_eq!(read::<Order>(&order), read_as_usual);
        assert_eq!(read::<Value>(&order), Some(order), "whoever takes anything gets what was sent");
        assert_eq!(read::<()>(&Value::Null), Some(()));
        assert_eq!(read::<Option<Order>>(&Value::Null), Some(None));
        assert_eq!(read::<(u8, u8)>(&json!([1, 2, 3])), None);
    }

    #[test]
    fn a_list_is_no_struct_wherever_it_stands() {
        assert_eq!(read::<Order>(&json!([])), None);
        assert_eq!(read::<Option<Order>>(&json!([])), None);
        assert_eq!(read::<Order>(&json!({ "lines": [[[7, "x"], 2, "Plain"]] })), None);
        assert_eq!(read::<Order>(&json!({})), Some(Order::default()));
    }

    #[test]
    fn a_number_without_a_fraction_is_an_integer() {
        assert_eq!(read::<u64>(&json!(12.0)), Some(12));
        assert_eq!(read::<i64>(&json!(-4.0)), Some(-4));
        assert_eq!(read::<(u32, char)>(&json!([7.0, "x"])), Some((7, 'x')));
        assert_eq!(read::<u64>(&json!(9_007_199_254_740_992.0)), Some(9_007_199_254_740_992));
        for other in [json!(1.5), json!(-1.0), json!(1e300), json!("1.0"), json!(256.0)] {
            assert_eq!(read::<u8>(&other), None, "{other}");
        }
    }
}
