//! What came back, and what it cost.

use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::units::SimDuration;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Error;
use super::connection::Answered;
use super::error::{outcome_named, outcome_of_status};

/// The result of a call as it came, with what is known of its way.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reply {
    /// What was called.
    pub method: String,
    /// The result.
    pub result: Value,
    /// How much virtual time the call took in the emulated network, if the server said so.
    pub elapsed: Option<SimDuration>,
    /// How many links of the emulated network it crossed, if the server said so.
    pub hops: Option<u64>,
}

impl Reply {
    /// The result as a value of a type.
    ///
    /// # Errors
    /// [`Error::Unexpected`] if it is of another type.
    pub fn into<R: DeserializeOwned>(self) -> Result<R, Error> {
        let Reply { method, result, .. } = self;
        serde_json::from_value(result).map_err(|error| Error::Unexpected { method, reason: error.to_string() })
    }
}

/// An answer of a REST endpoint, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestReply {
    /// The HTTP status.
    pub status: u16,
    /// What kind of body it is.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// How the request ended: what the server says of it, or else what the status means.
    pub outcome: OutcomeKind,
    /// How much virtual time the request took in the emulated network, if the server said so.
    pub elapsed: Option<SimDuration>,
    /// How many links of the emulated network it crossed, if the server said so.
    pub hops: Option<u64>,
}

impl RestReply {
    pub(super) fn of(answered: Answered) -> Self {
        let problem = answered.problem();
        let told = problem.as_ref().and_then(|problem| problem.get("outcome")).and_then(Value::as_str);
        let told = answered.cost.outcome.or_else(|| told.and_then(outcome_named));
        RestReply {
            status: answered.status,
            content_type: answered.content_type,
            body: answered.body,
            outcome: told.unwrap_or_else(|| outcome_of_status(answered.status)),
            elapsed: answered.cost.elapsed,
            hops: answered.cost.hops,
        }
    }

    /// The body as JSON, if it is.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}
