//! What can go wrong with a call, and what that means for whoever made it.

use std::fmt;
use std::time::Duration;

use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::units::SimDuration;
use serde_json::Value;

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not a URL that can be called: of another scheme, without a host, with a port that is none, with a user or
    /// a fragment in it.
    #[error("`{url}` cannot be called: {reason}; write a URL such as http://127.0.0.1:8080/api")]
    BadUrl {
        /// What was written.
        url: String,
        /// What is wrong about it.
        reason: String,
    },
    /// The token has characters other than visible ASCII, which not every server would read alike.
    #[error("the token cannot be sent: it has characters other than visible ASCII")]
    BadToken,
    /// The parameters are no JSON, or neither an object nor a list.
    #[error("the parameters of `{method}` cannot be sent: {reason}")]
    BadParams {
        /// The method that was to be called.
        method: String,
        /// What is wrong about them.
        reason: String,
    },
    /// Nobody could be reached: the call was never sent.
    #[error("nobody can be reached at {url}: {cause}")]
    Unreachable {
        /// Where.
        url: String,
        /// What the system said.
        cause: String,
    },
    /// The connection broke after the call had been sent, and before it was answered whole: it may
    /// have been carried out.
    #[error("the connection to {url} broke before the answer was there: {cause}")]
    Interrupted {
        /// Where.
        url: String,
        /// What the system said.
        cause: String,
    },
    /// No whole answer came in time: the call may have been carried out.
    #[error("{url} did not answer within {after:?}")]
    TimedOut {
        /// Where.
        url: String,
        /// The bound on the time.
        after: Duration,
    },
    /// The answer points elsewhere, where nobody goes by themselves: it is the usual answer (303) to what was
    /// carried out.
    #[error("{url} answered with HTTP {status} and points to {to}: redirections are not followed")]
    Redirected {
        /// Where.
        url: String,
        /// The code of the answer.
        status: u16,
        /// Where to.
        to: String,
    },
    /// The server answered with an HTTP error.
    #[error("{url} answered with HTTP {status}{}", .detail.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Status {
        /// Where.
        url: String,
        /// The code of the answer.
        status: u16,
        /// What the answer says of it, if it is a problem of RFC 9457.
        detail: Option<String>,
        /// The outcome that the answer names.
        outcome: Option<OutcomeKind>,
    },
    /// The answer is larger than it may be.
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge {
        /// Where.
        url: String,
        /// The bound on the size.
        limit: u64,
    },
    /// The headers of the answer are larger than they may be.
    #[error("the headers of the answer of {url} are larger than {limit} bytes")]
    HeadTooLarge {
        /// Where.
        url: String,
        /// The bound on their size.
        limit: u64,
    },
    /// What came is no answer in the protocol that was spoken.
    #[error("{url} gave no proper answer: {reason}")]
    Malformed {
        /// Where.
        url: String,
        /// What is wrong about it.
        reason: String,
    },
    /// The other side answered with a JSON-RPC error.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The result is of another type than the caller expects. The call was carried out.
    #[error("the result of `{method}` is not what was expected: {reason}")]
    Unexpected {
        /// The method that was called.
        method: String,
        /// What is other than expected.
        reason: String,
    },
    /// A batch was answered, but not this call of it.
    #[error("the answer to the batch has none to `{method}`")]
    Unanswered {
        /// The method that was called.
        method: String,
    },
    /// The thread that made the call ended without a word: reading the result panicked.
    #[error("the call was given up: reading its result panicked")]
    Abandoned,
}

impl Error {
    /// How the call ended, in the words of the runtime: a call that could not be sent is undelivered,
    /// one whose connection broke is interrupted.
    pub fn outcome(&self) -> OutcomeKind {
        match self {
            Error::BadUrl { .. } | Error::BadToken | Error::BadParams { .. } | Error::Unreachable { .. } => {
                OutcomeKind::Undelivered
            }
            Error::Interrupted { .. } => OutcomeKind::Interrupted,
            Error::TimedOut { .. } => OutcomeKind::TimedOut,
            Error::Status { status, outcome, .. } => outcome.unwrap_or_else(|| outcome_of_status(*status)),
            Error::Remote(error) => error.outcome(),
            Error::Redirected { .. }
            | Error::TooLarge { .. }
            | Error::HeadTooLarge { .. }
            | Error::Malformed { .. }
            | Error::Unexpected { .. }
            | Error::Unanswered { .. }
            | Error::Abandoned => OutcomeKind::Error,
        }
    }

    /// Whether it is certain that the call was not carried out and will not be: it may safely be made
    /// again.
    pub fn is_definite(&self) -> bool {
        match self {
            Error::Remote(error) => error.is_definite(),
            other => other.outcome().is_definite_failure(),
        }
    }
}

/// What an HTTP status means when nothing else is said.
pub(super) fn outcome_of_status(status: u16) -> OutcomeKind {
    match status {
        204 => OutcomeKind::Ack,
        200..300 => OutcomeKind::Reply,
        401 | 403 | 407 => OutcomeKind::Denied,
        503 | 429 => OutcomeKind::Nack,
        408 | 504 => OutcomeKind::TimedOut,
        400..500 => OutcomeKind::NotUnderstood,
        _ => OutcomeKind::Error,
    }
}

/// The kind of that name, as [`OutcomeKind::name`] gives it.
pub(super) fn outcome_named(name: &str) -> Option<OutcomeKind> {
    OutcomeKind::ALL.into_iter().find(|kind| kind.name() == name)
}

/// An error of the other side, as JSON-RPC 2.0 has it (section 5.1).
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteError {
    /// The kind of the error. -32768 to -32000 are the specification's and the server's; what
    /// Rehearsal's own mean, [`outcome`](Self::outcome) says.
    pub code: i64,
    /// What happened, in a sentence.
    pub message: String,
    /// What else is known.
    pub data: Option<Value>,
}

impl RemoteError {
    /// How the call ended: what `data` says of it (`outcome`), or what the code means.
    ///
    /// -32000 is an error, -32001 denied, -32002 a nack, -32003 timed out, -32004 undelivered, -32005
    /// interrupted. What could not be parsed, is no request, names no method or gives it wrong
    /// parameters was not understood. Every other code is an error.
    pub fn outcome(&self) -> OutcomeKind {
        let named = self.member("outcome").and_then(Value::as_str).and_then(outcome_named);
        named.unwrap_or(match self.code {
            -32700 | -32600 | -32601 | -32602 => OutcomeKind::NotUnderstood,
            -32001 => OutcomeKind::Denied,
            -32002 => OutcomeKind::Nack,
            -32003 => OutcomeKind::TimedOut,
            -32004 => OutcomeKind::Undelivered,
            -32005 => OutcomeKind::Interrupted,
            _ => OutcomeKind::Error,
        })
    }

    /// Whether it is certain that the call was not carried out: what `data` says (`definite`), or what
    /// the outcome means.
    pub fn is_definite(&self) -> bool {
        let said = self.member("definite").and_then(Value::as_bool);
        said.unwrap_or_else(|| self.outcome().is_definite_failure())
    }

    /// The type of a declared error, if the other side names it. (gemstone's services say `class`.)
    pub fn error_type(&self) -> Option<&str> {
        self.member("type").or_else(|| self.member("class")).and_then(Value::as_str)
    }

    /// What happened in this case, where `message` is what happens in all of its kind. (A declared
    /// error has a `message` of its own, others a `detail`, those of gemstone's services an `info`.)
    pub fn detail(&self) -> Option<&str> {
        ["message", "detail", "info"].into_iter().find_map(|name| self.member(name)?.as_str())
    }

    /// What a declared error carries.
    pub fn body(&self) -> Option<&Value> {
        self.member("body")
    }

    /// How much virtual time the call took in the emulated network.
    pub fn elapsed(&self) -> Option<SimDuration> {
        self.member("elapsed_ns").and_then(Value::as_u64).map(SimDuration::from_nanos)
    }

    /// How many links of the emulated network the call crossed.
    pub fn hops(&self) -> Option<u64> {
        self.member("hops").and_then(Value::as_u64)
    }

    fn member(&self, name: &str) -> Option<&Value> {
        self.data.as_ref()?.get(name)
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match self.detail() {
            Some(detail) if detail != self.message => format!("{}: {detail}", self.message),
            _ => self.message.clone(),
        };
        match self.error_type() {
            Some(kind) => write!(f, "{message} ({kind}, code {})", self.code),
            None => write!(f, "{message} (code {})", self.code),
        }
    }
}

impl std::error::Error for RemoteError {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn remote(code: i64, data: Value) -> RemoteError {
        let data = if data.is_null() { None } else { Some(data) };
        RemoteError { code, message: "no".to_owned(), data }
    }

    #[test]
    fn codes_are_outcomes() {
        for (code, outcome, definite) in [
            (-32700, OutcomeKind::NotUnderstood, true),
            (-32600, OutcomeKind::NotUnderstood, true),
            (-32601, OutcomeKind::NotUnderstood, true),
            (-32602, OutcomeKind::NotUnderstood, true),
            (-32603, OutcomeKind::Error, false),
            (-32000, OutcomeKind::Error, false),
            (-32001, OutcomeKind::Denied, true),
            (-32002, OutcomeKind::Nack, true),
            (-32003, OutcomeKind::TimedOut, false),
            (-32004, OutcomeKind::Undelivered, true),
            (-32005, OutcomeKind::Interrupted, false),
            (7, OutcomeKind::Error, false),
        ] {
            let error = remote(code, Value::Null);
            assert_eq!((error.outcome(), error.is_definite()), (outcome, definite), "{code}");
        }
    }

    #[test]
    fn what_the_data_says_goes_before_what_the_code_means() {
        let error = remote(-32000, json!({"outcome": "nack", "definite": true, "elapsed_ns": 42, "hops": 3}));
        assert_eq!((error.outcome(), error.is_definite()), (OutcomeKind::Nack, true));
        assert_eq!((error.elapsed(), error.hops()), (Some(SimDuration::from_nanos(42)), Some(3)));
        // Data of other servers may be anything.
        for data in [json!("text"), json!([1]), json!({"outcome": "splendid"}), json!({"outcome": 3, "definite": "no"})]
        {
            assert_eq!(remote(-32000, data.clone()).outcome(), OutcomeKind::Error, "{data}");
        }
    }

    #[test]
    fn an_error_reads_as_a_sentence() {
        assert_eq!(remote(-32601, Value::Null).to_string(), "no (code -32601)");
        let declared = remote(-32000, json!({"type": "OutOfStock", "message": "no socks left"}));
        assert_eq!(declared.to_string(), "no: no socks left (OutOfStock, code -32000)");
        let unknown = remote(-32601, json!({"detail": "there is no method `x`"}));
        assert_eq!(unknown.to_string(), "no: there is no method `x` (code -32601)");
        let of_gemstone = remote(-32603, json!({"class": "ZeroDivisionError", "info": "division by zero"}));
        assert_eq!(of_gemstone.to_string(), "no: division by zero (ZeroDivisionError, code -32603)");
    }

    #[test]
    fn only_what_was_not_sent_or_was_refused_is_definite() {
        let url = || "http://x/".to_owned();
        assert!(Error::Unreachable { url: url(), cause: String::new() }.is_definite());
        assert!(!Error::Interrupted { url: url(), cause: String::new() }.is_definite());
        assert!(!Error::TimedOut { url: url(), after: Duration::from_secs(1) }.is_definite());
        assert!(!Error::Malformed { url: url(), reason: String::new() }.is_definite());
        assert!(!Error::Redirected { url: url(), status: 303, to: url() }.is_definite());
        for (status, definite) in
            [(304, false), (401, true), (403, true), (404, true), (413, true), (500, false), (503, true), (504, false)]
        {
            let error = Error::Status { url: url(), status, detail: None, outcome: None };
            assert_eq!(error.is_definite(), definite, "{status}");
        }
    }
}
