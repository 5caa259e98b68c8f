//! Reading of quantities as people write them.
//!
//! A quantity is a decimal number and a unit, with or without a space between: `40ms`, `1.5 GiB`.
//! Numbers are read in integer arithmetic: what is written is what is meant, to the
//! nanosecond, bit and byte, and what cannot be held exactly is refused. Only chances are floating
//! point, read by the correctly rounding parser of the standard library.

use std::str::FromStr;

use super::{Bandwidth, Bytes, Cores, Probability, SimDuration, SimTime, UnitError};

/// What is to be known of a kind of quantity to read it.
struct Kind {
    /// What to write, with an example: ends the error messages.
    expected: &'static str,
    /// Every spelling and how many of the finest steps it is worth.
    units: &'static [(&'static str, u64)],
    /// The units, for people to read.
    known: &'static str,
    /// What a number without a unit is.
    bare: Bare,
    /// Common wrong spellings that differ in more than case, and what is meant.
    slips: &'static [(&'static str, &'static str)],
    /// The largest quantity, for people to read.
    most: &'static str,
    /// The smallest step, for people to read.
    finest: &'static str,
}

/// What a number without a unit is.
enum Bare {
    /// It could mean anything; these are units that people often mean.
    Ambiguous(&'static str, &'static str),
    /// A number of the finest steps.
    Finest,
}

const DURATION: Kind = Kind {
    expected: "a duration such as 40ms, 1.5s or 2min",
    units: &[
        ("ns", 1),
        ("us", 1_000),
        ("\u{b5}s", 1_000),
        ("\u{3bc}s", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("min", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ],
    known: "ns, us, ms, s, min and h",
    bare: Bare::Ambiguous("ms", "s"),
    slips: &[("m", "min"), ("sec", "s"), ("secs", "s"), ("msec", "ms"), ("usec", "us"), ("hr", "h"), ("mins", "min")],
    most: "18446744073s, some 584 years",
    finest: "nanoseconds",
};

const BANDWIDTH: Kind = Kind {
    expected: "a bandwidth such as 10Mbit/s or 1.5Gbit/s, or unlimited",
    units: &[
        ("bit/s", 1),
        ("kbit/s", 1_000),
        ("Mbit/s", 1_000_000),
        ("Gbit/s", 1_000_000_000),
        ("Tbit/s", 1_000_000_000_000),
        ("bps", 1),
        ("kbps", 1_000),
        ("Mbps", 1_000_000),
        ("Gbps", 1_000_000_000),
        ("Tbps", 1_000_000_000_000),
    ],
    known: "bit/s, kbit/s, Mbit/s, Gbit/s and Tbit/s, or bps, kbps, Mbps, Gbps and Tbps",
    bare: Bare::Ambiguous("Mbit/s", "Gbit/s"),
    slips: &[("kbit", "kbit/s"), ("Mbit", "Mbit/s"), ("Gbit", "Gbit/s"), ("bit", "bit/s"), ("Mb/s", "Mbit/s")],
    most: "18446744Tbit/s",
    finest: "bits per second",
};

const BYTES: Kind = Kind {
    expected: "a size such as 100B, 64KiB or 1.5GB",
    units: &[
        ("B", 1),
        ("kB", 1_000),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("PB", 1_000_000_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("PiB", 1 << 50),
    ],
    known: "B, kB, MB, GB, TB and PB (powers of 1000), KiB, MiB, GiB, TiB and PiB (powers of 1024)",
    bare: Bare::Finest,
    slips: &[("bytes", "B"), ("byte", "B"), ("K", "KiB"), ("M", "MiB"), ("G", "GiB"), ("T", "TiB")],
    most: "18446PB",
    finest: "bytes",
};

const EXPECTED_CORES: &str = "a number of cores such as 2 or 0.5";
const EXPECTED_CHANCE: &str = "a chance from 0 to 1, such as 0.02 for two in a hundred";

/// No unit needs more: a billion billion of the smallest step is beyond 64 bits.
const MOST_DECIMALS: usize = 18;

/// Splits a text into the sign-free number it begins with and the rest.
fn split<'a>(text: &'a str, expected: &'static str) -> Result<(&'a str, &'a str), UnitError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(UnitError::Empty { expected });
    }
    // U+2212 is the minus sign of word processors.
    if let Some(rest) = text.strip_prefix(['-', '\u{2212}']) {
        return Err(if rest.trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            UnitError::Negative { text: text.to_owned(), expected }
        } else {
            UnitError::NoNumber { text: text.to_owned(), expected }
        });
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '_'))).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    if !number.contains(|c: char| c.is_ascii_digit()) {
        return Err(UnitError::NoNumber { text: text.to_owned(), expected });
    }
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return Err(UnitError::BadNumber { number: number.to_owned(), expected });
    }
    // `1e3s`: an exponent, not a unit.
    let exponent = rest.strip_prefix(['e', 'E']).map(|r| r.trim_start_matches(['+', '-']));
    if exponent.is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit())) {
        return Err(UnitError::BadNumber { number: text.to_owned(), expected });
    }
    Ok((number, rest.trim_start()))
}

/// Why a number is no multiple of a unit's steps.
enum Misfit {
    TooLarge,
    TooPrecise,
}

/// How many steps `number` units of `unit` steps each are, exactly. `number` is digits, perhaps with a point among them.
fn steps(number: &str, unit: u64) -> Result<u64, Misfit> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = whole.parse().map_err(|_| Misfit::TooLarge)?;
    let decimals = decimals.trim_end_matches('0');
    let mut total = u128::from(whole) * u128::from(unit);
    if !decimals.is_empty() {
        if decimals.len() > MOST_DECIMALS {
            return Err(Misfit::TooPrecise);
        }
        // At most 10^18 * 2^50: far from the end of 128 bits.
        let numerator = decimals.parse::<u128>().map_err(|_| Misfit::TooPrecise)? * u128::from(unit);
        let denominator = 10u128.pow(decimals.len() as u32);
        if numerator % denominator != 0 {
            return Err(Misfit::TooPrecise);
        }
        total += numerator / denominator;
    }
    u64::try_from(total).map_err(|_| Misfit::TooLarge)
}

impl Kind {
    /// Reads a number and a unit; returns how many of the finest steps they are.
    fn parse(&self, text: &str) -> Result<u64, UnitError> {
        let (number, name) = split(text, self.expected)?;
        let unit = if name.is_empty() {
            match self.bare {
                Bare::Finest => 1,
                Bare::Ambiguous(small, large) => {
                    return Err(UnitError::NoUnit { number: number.to_owned(), small, large });
                }
            }
        } else {
            let known = self.units.iter().find(|(unit, _)| *unit == name);
            let Some(&(_, unit)) = known else {
                return Err(UnitError::UnknownUnit { unit: name.to_owned(), hint: self.hint(name), known: self.known });
            };
            unit
        };
        steps(number, unit).map_err(|misfit| {
            let text = text.trim().to_owned();
            match misfit {
                Misfit::TooLarge => UnitError::TooLarge { text, most: self.most },
                Misfit::TooPrecise => UnitError::TooPrecise { text, finest: self.finest },
            }
        })
    }

    fn hint(&self, name: &str) -> Option<&'static str> {
        let same = |spelling: &str| spelling.eq_ignore_ascii_case(name);
        let by_case = self.units.iter().map(|(unit, _)| *unit).find(|unit| same(unit));
        by_case.or_else(|| self.slips.iter().find(|(slip, _)| same(slip)).map(|(_, meant)| *meant))
    }
}

impl FromStr for SimDuration {
    type Err = UnitError;
    /// Reads `40ms`, `1.5s`, `500us` (or `µs`), `250ns`, `2min`, `1h`.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        DURATION.parse(text).map(SimDuration::from_nanos)
    }
}

impl FromStr for SimTime {
    type Err = UnitError;
    /// Reads the time since the start of the run, like a [`SimDuration`].
    fn from_str(text: &str) -> Result<Self, UnitError> {
        DURATION.parse(text).map(SimTime::from_nanos)
    }
}

impl FromStr for Bandwidth {
    type Err = UnitError;
    /// Reads `10Mbit/s`, `64kbps`, `unlimited`. Zero is refused: nothing would ever get through.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        if text.trim() == "unlimited" {
            return Ok(Bandwidth::Unlimited);
        }
        let bits = BANDWIDTH.parse(text)?;
        Bandwidth::bits_per_second(bits).ok_or_else(|| UnitError::Zero { text: text.trim().to_owned() })
    }
}

impl FromStr for Bytes {
    type Err = UnitError;
    /// Reads `100B`, `64KiB` (65,536 bytes), `64kB` (64,000 bytes), `1.5MiB`; a bare `512` is bytes.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        BYTES.parse(text).map(Bytes)
    }
}

impl FromStr for Cores {
    type Err = UnitError;
    /// Reads a plain number with at most three decimals: `2`, `0.5`.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (number, rest) = split(text, EXPECTED_CORES)?;
        let text = text.trim().to_owned();
        if !rest.is_empty() {
            return Err(UnitError::PlainNumber { text, expected: EXPECTED_CORES });
        }
        steps(number, 1000).map(Cores::from_milli).map_err(|misfit| match misfit {
            Misfit::TooLarge => UnitError::TooLarge { text, most: "18446744073709551" },
            Misfit::TooPrecise => UnitError::TooPrecise { text, finest: "thousandths of a core" },
        })
    }
}

impl FromStr for Probability {
    type Err = UnitError;
    /// Reads a plain number from 0 to 1, with an exponent if need be: `0.02`, `1e-6`.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let trimmed = text.trim();
        let number = match trimmed.split_once(['e', 'E']) {
            Some((number, _)) if trimmed.parse::<f64>().is_ok() => number,
            _ => trimmed,
        };
        let (_, rest) = split(number, EXPECTED_CHANCE)?;
        let text = trimmed.to_owned();
        if !rest.is_empty() {
            return Err(UnitError::PlainNumber { text, expected: EXPECTED_CHANCE });
        }
        trimmed.parse().ok().and_then(Probability::new).ok_or(UnitError::TooLarge { text, most: "1, which is always" })
    }
}

#[cfg(test)]
mod tests;
