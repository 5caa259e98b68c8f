//! Error objects, and what their codes mean.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

/// Why there is no result (section 5.1 of the specification).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorObject {
    /// One of the constants here, or a code that a service outside has given.
    pub code: i64,
    /// One short sentence.
    pub message: Cow<'static, str>,
    /// What more there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl ErrorObject {
    /// What was sent is no JSON.
    pub const PARSE_ERROR: i64 = -32700;
    /// What was sent is JSON, and no request.
    pub const INVALID_REQUEST: i64 = -32600;
    /// There is no such method.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// The parameters do not fit the method.
    pub const INVALID_PARAMS: i64 = -32602;
    /// The gateway itself has failed.
    pub const INTERNAL_ERROR: i64 = -32603;
    /// It was done, and failed with an error that `data` tells.
    pub const ERROR: i64 = -32000;
    /// The caller may not.
    pub const DENIED: i64 = -32001;
    /// Not done, and safe to try again.
    pub const NACK: i64 = -32002;
    /// Nothing came in time: it may have happened.
    pub const TIMED_OUT: i64 = -32003;
    /// It will not arrive: it did not happen.
    pub const UNDELIVERED: i64 = -32004;
    /// Whoever had it in hand is gone: it may have happened.
    pub const INTERRUPTED: i64 = -32005;

    /// An error of that code, in so many words.
    pub fn new(code: i64, message: impl Into<Cow<'static, str>>) -> Self {
        ErrorObject { code, message: message.into(), data: None }
    }

    /// The same with more to say.
    #[must_use]
    pub fn with(self, data: Value) -> Self {
        ErrorObject { data: Some(data), ..self }
    }

    /// What was sent is no JSON, and where it goes wrong.
    pub(super) fn no_json(detail: impl ToString) -> Self {
        ErrorObject::new(Self::PARSE_ERROR, "Parse error").with(json!({ "detail": detail.to_string() }))
    }

    /// What was sent is no request, and why.
    pub(super) fn no_request(detail: impl ToString) -> Self {
        ErrorObject::new(Self::INVALID_REQUEST, "Invalid Request").with(json!({ "detail": detail.to_string() }))
    }
}
