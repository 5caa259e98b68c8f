//! What an HTTP response means to whoever has asked inside.

use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::outside::{Came, Errand};
use serde_json::Value;
use ureq::http::header::LOCATION;
use ureq::http::{HeaderMap, StatusCode};

use crate::client::{RemoteError, verdict_on};

/// The id of every call: each has a request of its own.
pub(super) const ID: u64 = 1;

/// By which a gateway says how a request ended.
const OUTCOME: &str = "rehearsal-outcome";

/// A response as it was read.
pub(super) struct Heard {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Heard {
    /// What has come of an errand that has this response.
    pub(super) fn on(self, errand: &Errand) -> Came {
        if let Some(why) = self.has_looped() {
            return Came::Looped(why);
        }
        match errand {
            Errand::Request { .. } => match json_of(&self.body) {
                Ok(body) => Came::Response { status: self.status.as_u16(), body },
                Err(why) => Came::Garbage(why),
            },
            Errand::Call { .. } => self.on_call(),
        }
    }

    /// Why a gateway did not let it in, if one says that it has been there before. Of others, nobody knows
    /// what they had done by then (RFC 5842, section 7.2).
    fn has_looped(&self) -> Option<String> {
        let did_not_happen = self.text(OUTCOME) == Some(OutcomeKind::Undelivered.name());
        (self.status == StatusCode::LOOP_DETECTED && did_not_happen).then(|| {
            let problem = json_of(&self.body).unwrap_or_default();
            let detail = problem.get("detail").and_then(Value::as_str);
            detail.unwrap_or("the request goes round in a loop").to_owned()
        })
    }

    fn on_call(self) -> Came {
        let said = match serde_json::from_slice(&self.body) {
            Ok(answer) => verdict_on(answer, ID),
            Err(error) => Err(format!("it is no JSON ({error})")),
        };
        match said {
            Ok(Ok(result)) => Came::Result(result),
            Ok(Err(RemoteError { code, message, data })) => {
                Came::Error { code, message, data: data.unwrap_or_default() }
            }
            Err(why) if self.status.is_success() => Came::Garbage(format!("no proper answer came: {why}")),
            // What stands in front of the service has answered in its place.
            Err(_) if self.status.is_redirection() => {
                Came::Redirected { status: self.status.as_u16(), to: self.text(LOCATION.as_str()).map(str::to_owned) }
            }
            Err(_) => Came::Response { status: self.status.as_u16(), body: json_of(&self.body).unwrap_or_default() },
        }
    }

    fn text(&self, header: &str) -> Option<&str> {
        self.headers.get(header)?.to_str().ok()
    }
}

/// Nothing is `null`, and anything else has to be JSON.
fn json_of(text: &[u8]) -> Result<Value, String> {
    if text.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(text).map_err(|error| format!("the answer is no JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use rehearsal_actors::interfaces::rest::Method;
    use serde_json::json;
    use ureq::http::HeaderValue;

    use super::*;

    fn heard(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Heard {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        Heard { status: StatusCode::from_u16(status).unwrap(), headers: headers.collect(), body: body.into() }
    }

    fn call() -> Errand {
        Errand::Call { method: "pay".to_owned(), params: json!([]), trace_id: "7".to_owned() }
    }

    fn request() -> Errand {
        Errand::Request { method: Method::Get, target: "/".to_owned(), body: Value::Null }
    }

    #[test]
    fn an_answer_to_another_call_or_with_two_ends_is_none() {
        let ok = |body: &str| heard(200, &[], body).on(&call());
        assert_eq!(ok(r#"{"jsonrpc":"2.0","result":3,"id":1}"#), Came::Result(json!(3)));
        // As gemstone answers.
        assert_eq!(ok(r#"{"jsonrpc":"2.0","result":null,"error":null,"id":1}"#), Came::Result(Value::Null));
        let no = Came::Error { code: -32002, message: "no".to_owned(), data: Value::Null };
        for id in ["1", "null"] {
            let both =
                format!(r#"{{"jsonrpc":"2.0","result":null,"error":{{"code":-32002,"message":"no"}},"id":{id}}}"#);
            assert_eq!(ok(&both), no, "an error may be to nobody");
        }
        for (body, why) in [
            (r#"{"jsonrpc":"2.0","result":3,"id":77}"#, "call 77"),
            (r#"{"jsonrpc":"2.0","error":{"code":1,"message":"m"},"id":77}"#, "call 77"),
            (r#"{"jsonrpc":"2.0","result":3}"#, "no id"),
            (r#"{"jsonrpc":"2.0","result":3,"id":"1"}"#, "`\"1\"`"),
            (r#"{"jsonrpc":"2.0","result":3,"error":{"code":1,"message":"m"},"id":1}"#, "both"),
            (r#"{"jsonrpc":"2.0","id":1}"#, "neither"),
            (r#"{"result":3,"id":1}"#, "jsonrpc"),
            ("hello", "no JSON"),
            ("", "no JSON"),
        ] {
            let Came::Garbage(reason) = ok(body) else { panic!("{body}") };
            assert!(reason.contains(why), "{body}: {reason}");
        }
    }

    #[test]
    fn a_redirection_is_an_answer_to_a_request_and_none_to_a_call() {
        for status in [300, 301, 302, 303, 307, 308] {
            let moved = || heard(status, &[("location", "/there")], "");
            assert_eq!(moved().on(&request()), Came::Response { status, body: Value::Null });
            assert_eq!(moved().on(&call()), Came::Redirected { status, to: Some("/there".to_owned()) });
        }
        assert_eq!(heard(304, &[], "").on(&call()), Came::Redirected { status: 304, to: None });
        assert_eq!(heard(502, &[], "oops").on(&call()), Came::Response { status: 502, body: Value::Null });
    }

    #[test]
    fn a_gateway_says_that_it_is_a_loop_and_others_may_mean_anything() {
        let problem = r#"{"detail":"round and round"}"#;
        let looped = || Came::Looped("round and round".to_owned());
        assert_eq!(heard(508, &[(OUTCOME, "undelivered")], problem).on(&request()), looped());
        assert_eq!(heard(508, &[(OUTCOME, "undelivered")], problem).on(&call()), looped());
        for (status, outcome) in [(508, "error"), (503, "undelivered")] {
            assert!(matches!(heard(status, &[(OUTCOME, outcome)], problem).on(&call()), Came::Response { .. }));
        }
    }
}
