//! Amounts of money, exact to the cent.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

/// An amount of money in whole cents. It prints, and stands in JSON, as people write it: `19.99`; on
/// the wire of MPI it is the number of cents.
///
/// ```
/// use rehearsal_actors::stock::sockshop::Money;
/// let pair = Money::from_cents(1999);
/// assert_eq!(pair.times(2).to_string(), "39.98");
/// assert_eq!("39.98".parse(), Ok(pair.times(2)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(u64);

impl Money {
    /// So many cents.
    pub const fn from_cents(cents: u64) -> Self {
        Money(cents)
    }

    /// The amount in cents.
    pub const fn cents(self) -> u64 {
        self.0
    }

    /// What an amount looks like in JSON, as a JSON Schema: a tenth as much as there may be, so that it can
    /// be told by the number of digits.
    pub fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[0-9]{1,16}\\.[0-9]{2}$" })
    }

    /// So many times the amount (saturating).
    pub const fn times(self, count: u64) -> Self {
        Money(self.0.saturating_mul(count))
    }
}

/// Saturating.
impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        Money(amounts.fold(0, |sum, amount| sum.saturating_add(amount.0)))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// A text that is no amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no amount of money; write it with two decimals, such as 19.99")]
pub struct BadMoney(String);

impl FromStr for Money {
    type Err = BadMoney;

    fn from_str(text: &str) -> Result<Self, BadMoney> {
        let read = || {
            let (whole, cents) = text.split_once('.')?;
            let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if !all_digits(whole) || !all_digits(cents) || cents.len() != 2 {
                return None;
            }
            whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(cents.parse().ok()?)
        };
        read().map(Money).ok_or_else(|| BadMoney(text.to_owned()))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => serializer.serialize_u64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.is_human_readable() {
            true => String::deserialize(deserializer)?.parse().map_err(D::Error::custom),
            false => u64::deserialize(deserializer).map(Money),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".", "19", "19.9", "19.999", "19,99", "-1.00", "+1.00", "1.+1", "184467440737095516.16"] {
            assert_eq!(text.parse::<Money>(), Err(BadMoney(text.to_owned())));
        }
        // 2^64 - 1 cents are still an amount.
        assert_eq!("184467440737095516.15".parse(), Ok(Money(u64::MAX)));
    }

    proptest! {
        #[test]
        fn amounts_are_read_back_as_they_are_written(cents: u64) {
            let amount = Money(cents);
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
            let json = serde_json::to_string(&amount)?;
            prop_assert_eq!(serde_json::from_str::<Money>(&json)?, amount);
            let wire = postcard::to_stdvec(&amount)?;
            prop_assert_eq!(postcard::from_bytes::<Money>(&wire)?, amount);
        }
    }
}
