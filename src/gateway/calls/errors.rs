//! What became of a call, as an error of JSON-RPC.
//!
//! | code | what | `data` besides `outcome` and `definite` |
//! |---|---|---|
//! | -32601 | the service has no such method, or there is no such service | `detail` |
//! | -32602 | the method cannot read its parameters | `detail` |
//! | -32603 | the reply is nothing that JSON can tell | |
//! | -32000 | done, and failed | `type`, `message`, `body` |
//! | -32001 | not allowed | |
//! | -32002 | not done, and safe to try again | |
//! | -32003 | nothing came in time: it may have happened | |
//! | -32004 | it did not arrive, or goes round in a loop | |
//! | -32005 | whoever had it in hand is gone: it may have happened | |
//!
//! What crossed the network has `elapsed_ns` (virtual) and `hops` too.

use std::time::Duration;

use rehearsal_actors::interfaces::CallError;
use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::outside::EntranceError;
use serde_json::{Map, Value, json};

use crate::gateway::crossing::Crossing;
use crate::gateway::exposure::{Shown, refusal};
use crate::gateway::jsonrpc::ErrorObject;
use crate::trail::BadTrail;

/// The first members of `data`.
fn data(outcome: OutcomeKind) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("outcome".to_owned(), outcome.name().into());
    data.insert("definite".to_owned(), outcome.is_definite_failure().into());
    data
}

/// An error of the gateway itself.
fn here(code: i64, outcome: OutcomeKind, message: String) -> ErrorObject {
    ErrorObject::new(code, message).with(Value::Object(data(outcome)))
}

/// Nobody has such a method.
pub(super) fn no_such_method(detail: &str) -> ErrorObject {
    let mut data = data(OutcomeKind::NotUnderstood);
    data.insert("detail".to_owned(), detail.into());
    ErrorObject::new(ErrorObject::METHOD_NOT_FOUND, "Method not found").with(Value::Object(data))
}

/// The gateway itself cannot read what it was asked.
pub(super) fn bad_params(detail: &str) -> ErrorObject {
    let mut data = data(OutcomeKind::NotUnderstood);
    data.insert("detail".to_owned(), detail.into());
    ErrorObject::new(ErrorObject::INVALID_PARAMS, format!("Invalid params: {detail}")).with(Value::Object(data))
}

/// There is no room for more.
pub(super) fn no_room(message: &str) -> ErrorObject {
    here(ErrorObject::NACK, OutcomeKind::Nack, message.to_owned())
}

/// No directory of the run has answered, so that nobody could be looked for.
pub(super) fn no_directory(message: &str, cause: &CallError) -> ErrorObject {
    let (code, outcome) = match cause {
        CallError::TimedOut { .. } => (ErrorObject::TIMED_OUT, OutcomeKind::TimedOut),
        CallError::Undelivered(_) => (ErrorObject::UNDELIVERED, OutcomeKind::Undelivered),
        CallError::Interrupted { .. } => (ErrorObject::INTERRUPTED, OutcomeKind::Interrupted),
        CallError::Nack(_) => (ErrorObject::NACK, OutcomeKind::Nack),
        _ => (ErrorObject::ERROR, OutcomeKind::Error),
    };
    here(code, outcome, message.to_owned())
}

/// Whoever asks has to show the token. `what`: as it is to be read.
pub(super) fn hidden(what: &str, shown: Shown) -> ErrorObject {
    here(ErrorObject::DENIED, OutcomeKind::Denied, refusal(what, shown))
}

/// The run could not be entered, or not be left again.
pub(super) fn not_let_in(error: EntranceError) -> ErrorObject {
    let (code, outcome) = match error {
        EntranceError::Closed | EntranceError::Full => (ErrorObject::UNDELIVERED, OutcomeKind::Undelivered),
        EntranceError::Interrupted => (ErrorObject::INTERRUPTED, OutcomeKind::Interrupted),
    };
    here(code, outcome, error.to_string())
}

/// It has come through this very program before, or as good as.
pub(in crate::gateway) fn not_let_back(why: BadTrail) -> ErrorObject {
    here(ErrorObject::UNDELIVERED, OutcomeKind::Undelivered, why.to_string())
}

/// The gateway waits no longer.
pub(super) fn too_late(waited: Duration) -> ErrorObject {
    here(ErrorObject::TIMED_OUT, OutcomeKind::TimedOut, format!("no answer came within {waited:?} of the wall clock"))
}

/// What a call failed with.
pub(super) fn of_call(error: &CallError, crossing: Crossing) -> ErrorObject {
    let mut data = data(crossing.outcome);
    data.insert("elapsed_ns".to_owned(), crossing.elapsed.as_nanos().into());
    data.insert("hops".to_owned(), crossing.hops.into());
    let (code, message) = match error {
        CallError::NotUnderstood(declined) => {
            data.insert("detail".to_owned(), json!(declined.reason));
            (ErrorObject::METHOD_NOT_FOUND, "Method not found".into())
        }
        CallError::BadParameters(declined) => {
            data.insert("detail".to_owned(), json!(declined.reason));
            (ErrorObject::INVALID_PARAMS, "Invalid params".into())
        }
        CallError::Remote(remote) => {
            data.insert("type".to_owned(), json!(remote.type_name));
            data.insert("message".to_owned(), json!(remote.message));
            data.insert("body".to_owned(), remote.body.clone());
            (ErrorObject::ERROR, error.to_string())
        }
        CallError::Failed { .. } | CallError::Status { .. } => (ErrorObject::ERROR, error.to_string()),
        CallError::Denied(_) => (ErrorObject::DENIED, error.to_string()),
        CallError::Nack(_) => (ErrorObject::NACK, error.to_string()),
        CallError::TimedOut { .. } => (ErrorObject::TIMED_OUT, error.to_string()),
        CallError::Undelivered(_) => (ErrorObject::UNDELIVERED, error.to_string()),
        CallError::Interrupted { .. } => (ErrorObject::INTERRUPTED, error.to_string()),
        _ => (ErrorObject::INTERNAL_ERROR, error.to_string()),
    };
    ErrorObject::new(code, message).with(Value::Object(data))
}

#[cfg(test)]
mod tests {
    use rehearsal_actors::interfaces::Declined;
    use rehearsal_actors::interfaces::rpc::RemoteError;
    use rehearsal_actors::outcome::Undelivered;
    use rehearsal_actors::units::SimDuration;

    use super::*;

    #[test]
    fn every_way_to_fail_has_its_code_and_says_whether_it_is_definite() {
        let declined = || Box::new(Declined { by: "shop".to_owned(), what: "buy".to_owned(), reason: "no".to_owned() });
        let remote = RemoteError {
            type_name: "SoldOut".to_owned(),
            message: "none left".to_owned(),
            body: json!({ "left": 0 }),
        };
        for (error, outcome, code, definite) in [
            (CallError::NotUnderstood(declined()), OutcomeKind::NotUnderstood, -32601, true),
            (CallError::BadParameters(declined()), OutcomeKind::NotUnderstood, -32602, true),
            (CallError::Remote(Box::new(remote)), OutcomeKind::Error, -32000, false),
            (CallError::Denied(declined()), OutcomeKind::Denied, -32001, true),
            (CallError::Nack(declined()), OutcomeKind::Nack, -32002, true),
            (
                CallError::TimedOut { what: "it".to_owned(), waited: SimDuration::ZERO },
                OutcomeKind::TimedOut,
                -32003,
                false,
            ),
            (
                CallError::Undelivered(Undelivered::NoRoute { to: "shop".to_owned() }),
                OutcomeKind::Undelivered,
                -32004,
                true,
            ),
            (CallError::Interrupted { by: "shop".to_owned() }, OutcomeKind::Interrupted, -32005, false),
            (
                CallError::Malformed { endpoint: "shop".to_owned(), reason: "no".to_owned() },
                OutcomeKind::Reply,
                -32603,
                false,
            ),
        ] {
            let crossing = Crossing { outcome, elapsed: SimDuration::from_millis(40), hops: 3 };
            let told = of_call(&error, crossing);
            let data = told.data.unwrap_or_default();
            assert_eq!(
                (told.code, &data["outcome"], &data["definite"], &data["elapsed_ns"], &data["hops"]),
                (code, &json!(outcome.name()), &json!(definite), &json!(40_000_000), &json!(3)),
                "{error}"
            );
            if code == ErrorObject::ERROR {
                assert_eq!((&data["type"], &data["body"]["left"]), (&json!("SoldOut"), &json!(0)));
            }
        }
    }

    #[test]
    fn a_wrong_token_is_told_from_none() {
        let told = |shown| hidden("`shop`", shown);
        let (none, wrong) = (told(Shown::Nothing), told(Shown::Wrong));
        assert_eq!((none.code, wrong.code), (ErrorObject::DENIED, ErrorObject::DENIED));
        assert_eq!(none.message, "`shop` is not for everybody: show the gateway's token");
        assert_eq!(wrong.message, "`shop` is for those who have the gateway's token, and what was shown is another");
    }

    #[test]
    fn who_is_not_let_in_knows_whether_it_may_have_happened() {
        let told = |error| {
            let error = not_let_in(error);
            (error.code, error.data.unwrap_or_default()["definite"].as_bool())
        };
        assert_eq!(told(EntranceError::Closed), (ErrorObject::UNDELIVERED, Some(true)));
        assert_eq!(told(EntranceError::Full), (ErrorObject::UNDELIVERED, Some(true)));
        assert_eq!(told(EntranceError::Interrupted), (ErrorObject::INTERRUPTED, Some(false)));
    }
}
