//! Quantities in parameters, as people write them: `"40ms"`, `"64KiB"`; plain numbers where a
//! number needs no unit.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::{Bandwidth, Bytes, Cores, Probability, SimDuration, SimTime};

/// Takes a text, or a number as if it were written out.
struct Written<T> {
    expecting: &'static str,
    quantity: PhantomData<fn() -> T>,
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Written<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

macro_rules! written {
    ($($quantity:ty: $expecting:literal),* $(,)?) => {$(
        /// Reads what people write, as [`FromStr`] does.
        impl<'de> Deserialize<'de> for $quantity {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Written { expecting: $expecting, quantity: PhantomData })
            }
        }
    )*};
}

written! {
    SimTime: "an instant like \"10s\"",
    SimDuration: "a duration like \"40ms\"",
    Bytes: "a size like \"64KiB\"",
    Bandwidth: "a bandwidth like \"10Mbit/s\"",
    Probability: "a chance between 0 and 1",
    Cores: "a number of cores like 0.5",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_take_quantities_as_people_write_them() -> Result<(), serde_json::Error> {
        assert_eq!(serde_json::from_str::<SimDuration>("\"40ms\"")?, SimDuration::from_millis(40));
        assert_eq!(serde_json::from_str::<Bytes>("512")?, Bytes(512));
        assert_eq!(serde_json::from_str::<Cores>("0.5")?, Cores::from_milli(500));
        assert!(serde_json::from_str::<SimDuration>("40").is_err());
        assert!(serde_json::from_str::<Probability>("-1").is_err());
        Ok(())
    }
}
