//! What is known of a request that has crossed the network.

use actix_web::HttpResponseBuilder;
use actix_web::http::header::{HeaderName, HeaderValue};
use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::units::SimDuration;

/// How a request ended: the name of its outcome.
pub(super) const OUTCOME: HeaderName = HeaderName::from_static("rehearsal-outcome");
/// How long it took, in seconds of virtual time.
pub(super) const ELAPSED: HeaderName = HeaderName::from_static("rehearsal-elapsed");
/// How many links it took.
pub(super) const HOPS: HeaderName = HeaderName::from_static("rehearsal-hops");

/// How a request ended, and what its way there was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crossing {
    pub(super) outcome: OutcomeKind,
    pub(super) elapsed: SimDuration,
    /// Links on the way there; none if it never left its node.
    pub(super) hops: usize,
}

impl Crossing {
    /// Adds what is known to the headers of a response.
    pub(super) fn tell(&self, response: &mut HttpResponseBuilder) {
        response.insert_header((OUTCOME, HeaderValue::from_static(self.outcome.name())));
        response.insert_header((HOPS, HeaderValue::from(self.hops)));
        if let Ok(elapsed) = HeaderValue::from_str(&seconds(self.elapsed)) {
            response.insert_header((ELAPSED, elapsed));
        }
    }
}

/// To the nanosecond, as a number that nobody has to round.
fn seconds(duration: SimDuration) -> String {
    const PER_SECOND: u64 = 1_000_000_000;
    let nanos = duration.as_nanos();
    format!("{}.{:09}", nanos / PER_SECOND, nanos % PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_in_seconds_to_the_nanosecond() {
        assert_eq!(seconds(SimDuration::from_millis(42)), "0.042000000");
        assert_eq!(seconds(SimDuration::from_nanos(61_000_000_007)), "61.000000007");
    }
}
