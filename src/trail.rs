//! How a request is known that comes back to where it set out.
//!
//! A service that lives outside may be this very gateway, whose services would ask each other without end.
//! So whatever goes out of a program says which program that was, and a gateway of the same one does not let
//! it in again. The mark is of this world alone: no run knows of it, and none depends on it.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// The header that says by which program a request was made.
pub(crate) const TRAIL: &str = "rehearsal-trail";

/// Another one each time that the program is started.
static HERE: LazyLock<String> = LazyLock::new(|| {
    // The standard library's only source of randomness, which is enough to tell programs apart.
    let draw = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", draw(), draw())
});

/// The mark of this program.
pub(crate) fn here() -> &'static str {
    &HERE
}

/// Whether this program is among those that such a header names.
pub(crate) fn leads_here(trail: &[u8]) -> bool {
    trail.split(|byte| *byte == b',').any(|mark| mark.trim_ascii() == here().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_set_out_here_leads_back_here() {
        assert_eq!(here().len(), 32);
        assert!(leads_here(here().as_bytes()) && leads_here(format!("other, {}", here()).as_bytes()));
        for other in ["", ",", "other", &here()[1..], &format!("{}0", here())] {
            assert!(!leads_here(other.as_bytes()), "{other}");
        }
    }
}
