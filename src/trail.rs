//! How a request is known that comes back to where it set out.
//!
//! A service that lives outside may be a gateway whose services live outside in turn, and may be this very
//! one: they would ask each other without end. So every request that goes out of a program says which
//! programs it has come through, this one last, and a gateway does not let in again what has come through
//! its own. What it lets in has the trail still, whoever asks whom inside on its behalf, when that goes out
//! again. The marks are of this world alone: no run knows of them, and none depends on them.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use ureq::http::HeaderValue;

/// The header that says through which programs a request has come: their marks, with commas between them.
pub(crate) const TRAIL: &str = "rehearsal-trail";

/// A trail with more marks, or with a longer one, is none that anybody is let in with.
const MARKS_LIMIT: usize = 64;
const MARK_LIMIT: usize = 64;

/// Another one each time that the program is started.
static HERE: LazyLock<String> = LazyLock::new(|| {
    // The standard library's only source of randomness, which is enough to tell programs apart.
    let draw = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", draw(), draw())
});

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadTrail {
    /// It has been here before.
    #[error("the request goes round in a loop: it is back at a gateway that it had gone out of")]
    Loop,
    /// It has come through more programs than anybody has a use for.
    #[error("the request has come through more than {MARKS_LIMIT} programs, which looks like a loop")]
    TooLong,
    /// Something else stands there.
    #[error("the trail of the request cannot be read: it is made of marks of 1 to {MARK_LIMIT} letters and digits")]
    Unreadable,
}

/// The mark of this program.
fn here() -> &'static str {
    &HERE
}

/// The trail that a request has come on, of all the headers that tell of it; nothing if there is none.
pub(crate) fn read<'a>(headers: impl Iterator<Item = &'a [u8]>) -> Result<Option<String>, BadTrail> {
    let mut marks = Vec::new();
    for mark in headers.flat_map(|header| header.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii) {
        // A list may have gaps (RFC 9110, section 5.6.1).
        if mark.is_empty() {
            continue;
        }
        if mark == here().as_bytes() {
            return Err(BadTrail::Loop);
        }
        let text = std::str::from_utf8(mark).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        marks.push(text.filter(|text| text.len() <= MARK_LIMIT).ok_or(BadTrail::Unreadable)?);
        if marks.len() > MARKS_LIMIT {
            return Err(BadTrail::TooLong);
        }
    }
    Ok((!marks.is_empty()).then(|| marks.join(", ")))
}

/// The trail of a request that goes out on behalf of one that has come on that trail, if on any.
pub(crate) fn onwards(trail: Option<&str>) -> HeaderValue {
    let here = || HeaderValue::from_static(here());
    // What is not fit for a header was not read above.
    trail.map_or_else(here, |trail| {
        HeaderValue::from_str(&format!("{trail}, {}", self::here())).unwrap_or_else(|_| here())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str]) -> Result<Option<String>, BadTrail> {
        super::read(headers.iter().map(|header| header.as_bytes()))
    }

    #[test]
    fn only_what_has_set_out_here_leads_back_here() {
        assert_eq!(here().len(), 32);
        for looped in [here(), &format!("other,{}", here()), &format!("{} , other", here())] {
            assert_eq!(read(&["one", looped]), Err(BadTrail::Loop), "{looped}");
        }
        for other in ["other", &here()[1..], &format!("{}0", here())] {
            assert_eq!(read(&[other]), Ok(Some(other.to_owned())));
        }
    }

    #[test]
    fn a_trail_goes_on_with_this_program_at_its_end() {
        for none in [&[][..], &[""], &[" ,", ","]] {
            assert_eq!(read(none), Ok(None));
        }
        let trail = read(&["a,b", " c ,"]).expect("it can be read");
        assert_eq!(trail.as_deref(), Some("a, b, c"));
        assert_eq!(onwards(trail.as_deref()), format!("a, b, c, {}", here()));
        assert_eq!(onwards(None), here());
    }

    #[test]
    fn a_trail_has_bounds() {
        let marks = |count: usize| vec!["a"; count].join(",");
        assert!(read(&[&marks(MARKS_LIMIT)]).is_ok_and(|trail| trail.is_some()));
        assert_eq!(read(&[&marks(MARKS_LIMIT), "a"]), Err(BadTrail::TooLong));
        assert!(read(&[&"a".repeat(MARK_LIMIT)]).is_ok());
        for unreadable in ["a b", "é", "a;b", "\"a\"", &"a".repeat(MARK_LIMIT + 1)] {
            assert_eq!(read(&[unreadable]), Err(BadTrail::Unreadable), "{unreadable}");
        }
    }
}
