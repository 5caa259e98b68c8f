//! The values of a scenario: quantities, whole numbers, names, choices, and what is absurd of them.

use std::str::FromStr;

use rehearsal_actors::units::{Bandwidth, Bytes, Cores, Probability, SimDuration, SimTime, UnitError};

use super::decode::{Kind, Raw, Spanned};
use super::fields::Fields;
use super::mistakes::{Mistake, Mistakes, Span, quoted};

/// No quantity takes more characters.
const LONGEST_QUANTITY: usize = 40;
/// The longest name of a scenario, node, group or service, in characters.
const LONGEST_NAME: usize = 200;

/// What is written with a number and perhaps a unit.
pub(crate) trait Quantity: FromStr<Err = UnitError> + PartialOrd {
    /// What to write, with an example.
    const WANTED: &'static str;
    /// Anything beyond this is a slip of the pen, not a plan; and how to say it.
    const MOST: Option<(Self, &'static str)> = None;
}

impl Quantity for SimDuration {
    const WANTED: &'static str = "a duration such as \"40ms\"";
    /// A day: a signal to Pluto takes less than seven hours.
    const MOST: Option<(Self, &'static str)> = Some((SimDuration::from_secs(24 * 60 * 60), "a day"));
}

impl Quantity for SimTime {
    const WANTED: &'static str = "a time since the start such as \"50s\"";
    const MOST: Option<(Self, &'static str)> =
        Some((SimTime::from_nanos(365 * 24 * 60 * 60 * 1_000_000_000), "a year"));
}

impl Quantity for Bytes {
    const WANTED: &'static str = "a size such as \"64KiB\"";
}

impl Quantity for Cores {
    const WANTED: &'static str = "a number of cores such as 4 or 0.5";
    const MOST: Option<(Self, &'static str)> = Some((Cores::new(1_000_000), "a million"));
}

impl Quantity for Probability {
    const WANTED: &'static str = "a chance from 0 to 1 such as 0.02";
}

impl<'a> Raw<'a> {
    /// A quantity, with its unit in quotes or as a plain number.
    pub(crate) fn quantity<T: Quantity>(self, mistakes: &mut Mistakes) -> Option<T> {
        let value: T = self.unit(T::WANTED, mistakes)?;
        match T::MOST {
            Some((most, name)) if value > most => {
                let written = self.head().trim_matches('"');
                let mistake = Mistake::new(format!("`{}` is absurd", quoted(written)));
                let mistake = mistake.label(format!("the most is {name}"));
                mistakes.add(self.span(), mistake);
                None
            }
            _ => Some(value),
        }
    }

    /// A bandwidth. (Bandwidths have no order: one is unlimited.)
    pub(crate) fn bandwidth(self, mistakes: &mut Mistakes) -> Option<Bandwidth> {
        self.unit("a bandwidth such as \"10Mbit/s\" or \"unlimited\"", mistakes)
    }

    /// A duration that is more than nothing.
    pub(crate) fn some_time(self, what: &str, mistakes: &mut Mistakes) -> Option<SimDuration> {
        let value: SimDuration = self.quantity(mistakes)?;
        if value.is_zero() {
            mistakes.add(self.span(), Mistake::new(format!("{what} of no time at all")).label("write more than zero"));
            return None;
        }
        Some(value)
    }

    fn unit<T: FromStr<Err = UnitError>>(self, wanted: &str, mistakes: &mut Mistakes) -> Option<T> {
        let written = match self.kind() {
            Kind::Text => self.string(wanted, mistakes)?.value,
            Kind::Number => self.head().replace('_', ""),
            _ => {
                self.unexpected(wanted, mistakes);
                return None;
            }
        };
        if written.len() > LONGEST_QUANTITY {
            let mistake = Mistake::new(format!("`{}` is too long to be {wanted}", quoted(&written)));
            mistakes.add(self.span(), mistake);
            return None;
        }
        written.parse().map_err(|error: UnitError| mistakes.add(self.span(), Mistake::from_error(&error))).ok()
    }

    /// A whole number from `least` to `most`.
    pub(crate) fn whole(self, least: u64, most: u64, mistakes: &mut Mistakes) -> Option<u64> {
        let wanted = format!("a whole number from {least} to {most}");
        if self.kind() != Kind::Number {
            self.unexpected(&wanted, mistakes);
            return None;
        }
        let written = self.head().replace('_', "");
        let digits = written.strip_prefix('+').unwrap_or(&written);
        let value = digits.parse::<u64>().ok().filter(|n| (least..=most).contains(n));
        if value.is_none() {
            let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            let why = match digits.strip_prefix('-') {
                Some(_) => "is negative",
                None if !all_digits => "is not a whole number",
                None if digits.parse::<u64>().is_ok_and(|n| n < least) => "is too small",
                None => "is too large",
            };
            let mistake = Mistake::new(format!("`{}` {why}", quoted(&written))).label(format!("write {wanted}"));
            mistakes.add(self.span(), mistake);
        }
        value
    }

    /// A plain decimal number from `least` to `most`.
    pub(crate) fn decimal(self, least: f64, most: f64, mistakes: &mut Mistakes) -> Option<f64> {
        let wanted = format!("a number from {least} to {most}");
        if self.kind() != Kind::Number {
            self.unexpected(&wanted, mistakes);
            return None;
        }
        let written = self.head().replace('_', "");
        let value = written.parse::<f64>().ok().filter(|n| (least..=most).contains(n));
        if value.is_none() {
            let why = if written.starts_with('-') { "is negative" } else { "is out of bounds" };
            let mistake = Mistake::new(format!("`{}` {why}", quoted(&written))).label(format!("write {wanted}"));
            mistakes.add(self.span(), mistake);
        }
        value
    }

    /// True or false.
    pub(crate) fn truth(self, mistakes: &mut Mistakes) -> Option<bool> {
        self.choice("true or false", &[("true", true), ("false", false)], mistakes)
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(self, what: &str, known: &[(&str, T)], mistakes: &mut Mistakes) -> Option<T> {
        let words = || known.iter().map(|(word, _)| *word);
        match self.variant() {
            Some((word, rest)) if rest.kind() == Kind::Absent => {
                let found = known.iter().find(|(name, _)| *name == word.value).map(|(_, value)| *value);
                if found.is_none() {
                    unknown_word(&word, what, words(), mistakes);
                }
                found
            }
            _ => {
                let list: Vec<&str> = words().collect();
                self.unexpected(&format!("{} without quotes", one_of(&list)), mistakes);
                None
            }
        }
    }

    /// The name of something: not empty, not endless, on one line.
    pub(crate) fn name(self, what: &str, mistakes: &mut Mistakes) -> Option<Spanned<String>> {
        let name = self.string(&format!("the name of {what} in quotes"), mistakes)?;
        let why = if name.value.trim().is_empty() {
            "is empty"
        } else if name.value.chars().count() > LONGEST_NAME {
            "is longer than 200 characters"
        } else if name.value.chars().any(char::is_control) {
            "holds control characters"
        } else {
            return Some(name);
        };
        mistakes.add(name.span, Mistake::new(format!("the name of {what} {why}")));
        None
    }
}

/// `A`, `A or B`, `one of A, B, C`.
fn one_of(words: &[&str]) -> String {
    match words {
        [only] => (*only).to_owned(),
        [a, b] => format!("{a} or {b}"),
        words => format!("one of {}", words.join(", ")),
    }
}

/// Says that a word is none of those that could stand there.
pub(crate) fn unknown_word<'n>(
    word: &Spanned<&str>,
    what: &str,
    known: impl Iterator<Item = &'n str> + Clone,
    mistakes: &mut Mistakes,
) {
    let mistake = Mistake::new(format!("`{}` is not {what}", quoted(word.value)));
    let mistake = match mistakes.suggest(word.value, known.clone()) {
        Some(label) => mistake.label(label),
        None => mistake,
    };
    let list: Vec<&str> = known.collect();
    mistakes.add(word.span, mistake.help(format!("write {}", one_of(&list))));
}

/// Says that there is nothing of that name.
pub(crate) fn unknown_name<'n>(
    name: &Spanned<String>,
    what: &str,
    known: impl Iterator<Item = &'n str>,
    mistakes: &mut Mistakes,
) {
    let mut mistake = Mistake::new(format!("unknown {what} `{}`", quoted(&name.value)));
    if let Some(label) = mistakes.suggest(&name.value, known) {
        mistake = mistake.label(label);
    }
    mistakes.add(name.span, mistake);
}

/// Refuses lists that are longer than any plan.
pub(crate) fn limited<'a>(
    items: Vec<Raw<'a>>,
    most: usize,
    what: &str,
    mistakes: &mut Mistakes,
) -> Option<Vec<Raw<'a>>> {
    match items.get(most) {
        None => Some(items),
        Some(first_too_many) => {
            let mistake = Mistake::new(format!("{} {what} are too many; the most is {most}", items.len()));
            mistakes.add(first_too_many.span(), mistake.label("this is the first too many"));
            None
        }
    }
}

/// Says that something was declared before.
pub(crate) fn duplicate(what: &str, first: Span, again: Span, mistakes: &mut Mistakes) {
    mistakes.add(again, Mistake::new(format!("{what} is declared twice")).first(first));
}

/// A field with a quantity, or what holds without it.
pub(crate) fn quantity_or<T: Quantity>(
    fields: &mut Fields<'_>,
    name: &'static str,
    otherwise: T,
    mistakes: &mut Mistakes,
) -> T {
    fields.optional(name, mistakes).and_then(|raw| raw.quantity(mistakes)).unwrap_or(otherwise)
}
