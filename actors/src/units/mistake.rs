//! What can be wrong with a written quantity, and what would be right.

/// Why a text is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Nothing is written there.
    #[error("nothing is written here; write {expected}")]
    Empty {
        /// What would do, with an example.
        expected: &'static str,
    },
    /// The text does not begin with a number.
    #[error("`{text}` does not begin with a number; write {expected}")]
    NoNumber {
        /// What was written.
        text: String,
        /// What would do, with an example.
        expected: &'static str,
    },
    /// The text begins like a number and goes wrong: two points, a comma, an exponent.
    #[error("`{number}` is not a plain decimal number; write {expected}")]
    BadNumber {
        /// The part that should have been a number.
        number: String,
        /// What would do, with an example.
        expected: &'static str,
    },
    /// A number alone could mean anything.
    #[error("`{number}` has no unit; write {number}{small} or {number}{large}")]
    NoUnit {
        /// The number.
        number: String,
        /// A unit that people often mean.
        small: &'static str,
        /// Another one.
        large: &'static str,
    },
    /// There is no such unit, or not for this kind of quantity.
    #[error("unknown unit `{unit}`{}; the units are {known}", did_you_mean(.hint))]
    UnknownUnit {
        /// What was written for the unit.
        unit: String,
        /// The unit it resembles.
        hint: Option<&'static str>,
        /// All the units there are.
        known: &'static str,
    },
    /// Something follows a number that needs no unit.
    #[error("`{text}` is more than a number; write {expected}, without a unit")]
    PlainNumber {
        /// What was written.
        text: String,
        /// What would do, with an example.
        expected: &'static str,
    },
    /// Less than nothing.
    #[error("`{text}` is negative; write {expected}")]
    Negative {
        /// What was written.
        text: String,
        /// What would do, with an example.
        expected: &'static str,
    },
    /// Nothing at all, where nothing cannot be.
    #[error("`{text}` would let nothing through, ever; write more than zero, or take the link down")]
    Zero {
        /// What was written.
        text: String,
    },
    /// More than can be held.
    #[error("`{text}` is too large; the most is {most}")]
    TooLarge {
        /// What was written.
        text: String,
        /// The largest quantity of this kind.
        most: &'static str,
    },
    /// Finer than what can be held.
    #[error("`{text}` is not a whole number of {finest}; round it")]
    TooPrecise {
        /// What was written.
        text: String,
        /// The smallest step of this kind of quantity.
        finest: &'static str,
    },
}

fn did_you_mean(hint: &Option<&'static str>) -> String {
    hint.map(|unit| format!(", did you mean `{unit}`?")).unwrap_or_default()
}
