//! Printing of quantities as people write them.
//!
//! Everything printed is read back by [`super::parse`]. Short forms are rounded to three decimals for
//! people; the alternate form, `{:#}`, has every digit and is read back as the same quantity.

use std::fmt;

use super::{Bandwidth, Bytes, Cores, Probability, SimDuration, SimTime};

/// `value / unit` in decimals: rounded to `most` of them, without trailing zeros.
struct Decimal {
    /// The number in the smallest decimal place kept.
    scaled: u128,
    /// How many decimals are kept.
    places: u32,
    /// True if nothing was rounded off.
    exact: bool,
}

impl Decimal {
    fn of(value: u64, unit: u64, places: u32) -> Self {
        let (value, unit) = (u128::from(value) * 10u128.pow(places), u128::from(unit));
        Decimal { scaled: (value + unit / 2) / unit, places, exact: value.is_multiple_of(unit) }
    }

    fn reaches(&self, whole: u64) -> bool {
        self.scaled >= u128::from(whole) * 10u128.pow(self.places)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10u128.pow(self.places);
        write!(f, "{}", self.scaled / one)?;
        let decimals = self.scaled % one;
        if decimals > 0 {
            let digits = format!("{decimals:0width$}", width = self.places as usize);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        Ok(())
    }
}

/// Units to print in, smallest first, and how many of one make the next.
struct Scale {
    units: &'static [(&'static str, u64)],
    next: u64,
}

const TIME_SCALE: Scale =
    Scale { units: &[("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)], next: 1000 };

const RATE_SCALE: Scale = Scale {
    units: &[
        ("bit/s", 1),
        ("kbit/s", 1_000),
        ("Mbit/s", 1_000_000),
        ("Gbit/s", 1_000_000_000),
        ("Tbit/s", 1_000_000_000_000),
    ],
    next: 1000,
};

const DECIMAL_SIZES: Scale = Scale {
    units: &[
        ("B", 1),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("PB", 1_000_000_000_000_000),
    ],
    next: 1000,
};

const BINARY_SIZES: Scale = Scale {
    units: &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("PiB", 1 << 50)],
    next: 1024,
};

/// As many decimals as people read.
const SHORT: u32 = 3;
/// As many as the largest unit of any scale needs to be exact.
const EXACT: u32 = 15;

impl Scale {
    /// The value in the unit that leaves 1 to [`Scale::next`] before the point; true if exact.
    fn text(&self, value: u64, places: u32) -> (String, bool) {
        let mut place = self.units.iter().rposition(|&(_, unit)| unit <= value).unwrap_or(0);
        let mut number = Decimal::of(value, self.units[place].1, places);
        // 999.9996 rounds to 1000, which is 1 of the next unit.
        if number.reaches(self.next) && place + 1 < self.units.len() {
            place += 1;
            number = Decimal::of(value, self.units[place].1, places);
        }
        (format!("{number}{}", self.units[place].0), number.exact)
    }
}

fn write_duration(f: &mut fmt::Formatter<'_>, nanos: u64) -> fmt::Result {
    if nanos == 0 {
        return f.pad("0s");
    }
    f.pad(&TIME_SCALE.text(nanos, if f.alternate() { EXACT } else { SHORT }).0)
}

/// Prints `40ms`, `1.5s`: ns, us, ms or s, rounded to three decimals. `{:#}` prints every digit.
impl fmt::Display for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_duration(f, self.as_nanos())
    }
}

/// Prints the time since the start like a [`SimDuration`].
impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_duration(f, self.as_nanos())
    }
}

/// Prints `10Mbit/s`, rounded to three decimals, or `unlimited`. `{:#}` prints every digit.
impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bandwidth::Unlimited => f.pad("unlimited"),
            Bandwidth::BitsPerSecond(bits) => {
                f.pad(&RATE_SCALE.text(bits.get(), if f.alternate() { EXACT } else { SHORT }).0)
            }
        }
    }
}

/// Prints `64KiB` or `10MB`: in powers of 1024 or of 1000, whichever says it exactly and shorter,
/// or else in powers of 1024 rounded to three decimals. `{:#}` prints every digit.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (binary, binary_is_exact) = BINARY_SIZES.text(self.0, SHORT);
        let (decimal, decimal_is_exact) = DECIMAL_SIZES.text(self.0, if f.alternate() { EXACT } else { SHORT });
        let use_decimal = match (binary_is_exact, decimal_is_exact) {
            (true, true) => decimal.len() < binary.len(),
            (false, exact) => exact,
            (true, false) => false,
        };
        f.pad(if use_decimal { &decimal } else { &binary })
    }
}

/// Prints `2`, `0.5`.
impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&Decimal::of(self.as_milli(), 1000, SHORT).to_string())
    }
}

/// Prints the shortest number that is read back as the same chance.
impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.get().to_string())
    }
}

#[cfg(test)]
mod tests;
