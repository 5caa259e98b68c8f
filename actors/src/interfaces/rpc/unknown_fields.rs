//! Whether a type puts up with fields that it does not know.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use crate::panics::catch;

/// Nobody calls a field that.
const UNKNOWN: &str = "\u{0}unknown";

/// Whether a struct refuses members that are none of its fields (`deny_unknown_fields`). Of what lies within
/// its fields nothing is said.
pub(super) fn refuses_unknown_fields<T: DeserializeOwned>() -> bool {
    // It is the type's own code that runs, on data that nobody has sent.
    matches!(catch(|| T::deserialize(Probe)), Ok(Err(Refused::UnknownField)))
}

/// A deserializer that has one field to give, which nobody knows.
struct Probe;

impl<'de> Deserializer<'de> for Probe {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        Err(Refused::Otherwise)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Probe {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        seed.deserialize(StrDeserializer::new(UNKNOWN)).map(Some)
    }

    /// Whoever gets here has put up with the name.
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, _: V) -> Result<V::Value, Refused> {
        Err(Refused::Otherwise)
    }
}

/// Why nothing came of it.
#[derive(Debug, PartialEq, thiserror::Error)]
enum Refused {
    #[error("there is no such field")]
    UnknownField,
    #[error("there is no data")]
    Otherwise,
}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Refused::Otherwise
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Refused::UnknownField
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only their types are looked at")]
    struct Open {
        a: u8,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "as above")]
    struct Closed {
        a: u8,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "as above")]
    struct Around(Closed);

    #[test]
    fn only_types_that_deny_unknown_fields_refuse_them() {
        assert!(refuses_unknown_fields::<Closed>());
        assert!(refuses_unknown_fields::<Option<Closed>>() && refuses_unknown_fields::<Around>());
        assert!(!refuses_unknown_fields::<Open>() && !refuses_unknown_fields::<Option<Open>>());
        assert!(!refuses_unknown_fields::<BTreeMap<String, u8>>() && !refuses_unknown_fields::<u8>());
    }
}
