//! From where to where a value may lie.

/// The ends between which a value is expected, both included. At least one of them is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds<T> {
    /// It is no less than this.
    pub at_least: Option<T>,
    /// It is no more than this.
    pub at_most: Option<T>,
}

impl<T: Copy + PartialOrd> Bounds<T> {
    /// Whether a value lies within.
    pub fn hold(&self, value: T) -> bool {
        self.at_least.is_none_or(|least| value >= least) && self.at_most.is_none_or(|most| value <= most)
    }

    /// `at least 10`, `at most 200ms`, `exactly 3`, `at least 3, at most 5`.
    pub(crate) fn spelled(&self, spell: impl Fn(T) -> String) -> String {
        match (self.at_least, self.at_most) {
            (Some(least), Some(most)) if least == most => format!("exactly {}", spell(least)),
            (Some(least), Some(most)) => format!("at least {}, at most {}", spell(least), spell(most)),
            (Some(least), None) => format!("at least {}", spell(least)),
            (None, Some(most)) => format!("at most {}", spell(most)),
            (None, None) => "anything".to_owned(),
        }
    }
}
