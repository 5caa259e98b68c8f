//! Requests to endpoints, as HTTP has them: a service offers endpoints (pattern and method), others
//! ask for `Service/path?query`.
//!
//! Paths and queries are those of URLs: `%2F` in a path is a slash that belongs to a parameter and does
//! not end it, and in a query `+` is a space. A `%` without two hexadecimal digits stands for itself.
//!
//! A request and its response are two messages; both pay for their way. Every request ends in a
//! status:
//!
//! | status | outcome | when |
//! |---|---|---|
//! | 2xx-4xx by the handler | reply (204: ack, 403: denied) | it answered |
//! | 404 | undelivered | no such service (at once) |
//! | 404, 405 | not understood | the service has no such endpoint, or not for this method |
//! | 400 | undelivered | the request cannot be put into bytes (at once) |
//! | 500, other 5xx by the handler | error | it failed or panicked |
//! | 503 by the handler | nack | not done, safe to try again |
//! | 503 | undelivered | no route or no application link (at once), or the service is gone |
//! | 502 | interrupted | the service ended while its handler was at work |
//! | 508 | undelivered | it came back to a gateway that it had gone out of (from [outside](crate::outside)) |
//! | 504 | timed out | no response came in time |

mod body;
mod client;
mod endpoints;
mod url;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use body::Body;
pub use client::{Calling, Reply, Rest, RestCall};
pub(crate) use endpoints::{BadEndpoint, Found};
pub use endpoints::{EndpointDescription, Endpoints, Handle, IntoResponse};
pub(crate) use url::Target;

use crate::interfaces::baggage::Baggage;
use crate::interfaces::unread::in_words_of_json;
use crate::network::waits::WaitKey;
use crate::outcome::OutcomeKind;
use crate::trace::ServiceId;

/// The status of what has come back to where it went out.
pub(crate) const LOOP: u16 = 508;

/// What is to be done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Method {
    /// Read it.
    Get,
    /// Make one, or do something.
    Post,
    /// Put it in place.
    Put,
    /// Take it away.
    Delete,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 4] = [Method::Get, Method::Post, Method::Put, Method::Delete];
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        })
    }
}

/// What a handler is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub from: ServiceId,
    /// What to do.
    pub method: Method,
    /// With what: from the slash behind the service's name on, without the query, and without escapes
    /// but `%25` and `%2F`.
    pub path: String,
    /// What the pattern's parameters stand for: `/items/{id}` and `/items/7` give `id` = `7`.
    pub params: BTreeMap<String, String>,
    /// What stands behind the question mark: `?size=10&tag=a&tag=b` gives three pairs, in this order.
    pub query: Vec<(String, String)>,
    /// The body; `Null` if there is none.
    pub body: Value,
}

impl Request {
    /// The body as a value of this type. As JSON has it, a struct is an object and nothing else, and 12.0 is
    /// the integer 12.
    ///
    /// # Errors
    /// A 400 response that says what is wrong with it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Response> {
        T::deserialize(Body(&self.body)).map_err(|error| Response::problem(400, &in_words_of_json(error)))
    }

    /// The value behind the question mark that has this name; the first one, if there are several.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the pattern as a value of this type.
    ///
    /// # Errors
    /// A 400 response that says what is wrong with it.
    pub fn param<T: std::str::FromStr<Err: fmt::Display>>(&self, name: &str) -> Result<T, Response> {
        let text = self.params.get(name).map(String::as_str).unwrap_or_default();
        text.parse().map_err(|error| Response::problem(400, &format!("`{text}` for `{name}`: {error}")))
    }
}

/// Whether a service or the runtime in its place has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answerer {
    Handler,
    Runtime,
    /// The runtime: the path is there, but for these methods.
    OtherMethods(Vec<Method>),
}

/// What comes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The body; `Null` if there is none.
    pub body: Value,
    pub(crate) by: Answerer,
}

impl Response {
    /// A response with a body.
    pub fn new(status: u16, body: impl Serialize) -> Self {
        match serde_json::to_value(body) {
            Ok(body) => Response { status, body, by: Answerer::Handler },
            Err(error) => Response::problem(500, &format!("the body cannot be put into JSON: {error}")),
        }
    }

    /// A response without a body.
    pub fn status(status: u16) -> Self {
        Response { status, body: Value::Null, by: Answerer::Handler }
    }

    /// A response that says what is wrong, as `{"detail": …}`.
    pub fn problem(status: u16, detail: &str) -> Self {
        Response { status, body: json!({ "detail": detail }), by: Answerer::Handler }
    }

    pub(crate) fn by_runtime(self) -> Self {
        Response { by: Answerer::Runtime, ..self }
    }

    /// There is something at that path, but for other methods.
    pub(crate) fn other_methods(method: Method, path: &str, methods: Vec<Method>) -> Self {
        let names: Vec<String> = methods.iter().map(ToString::to_string).collect();
        let problem = format!("{method} is not allowed for `{path}`, but {}", names.join(", "));
        Response { by: Answerer::OtherMethods(methods), ..Response::problem(405, &problem) }
    }

    /// How the request ended that has this response.
    pub fn outcome(&self) -> OutcomeKind {
        match (&self.by, self.status) {
            (Answerer::Runtime | Answerer::OtherMethods(_), 404 | 405) => OutcomeKind::NotUnderstood,
            (Answerer::Runtime, 502) => OutcomeKind::Interrupted,
            (Answerer::Runtime, 503 | LOOP) => OutcomeKind::Undelivered,
            (Answerer::Runtime, 504) => OutcomeKind::TimedOut,
            (_, 204) => OutcomeKind::Ack,
            (_, 403) => OutcomeKind::Denied,
            (_, 503) => OutcomeKind::Nack,
            (_, 500..) => OutcomeKind::Error,
            _ => OutcomeKind::Reply,
        }
    }
}

/// A request on its way. Its size is that of its body.
#[derive(Clone)]
pub(crate) struct RequestMessage {
    pub(crate) call: WaitKey,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) baggage: Baggage,
}

impl Serialize for RequestMessage {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.body.serialize(serializer)
    }
}

/// A response on its way. Its size is that of its body.
#[derive(Clone)]
pub(crate) struct ResponseMessage {
    pub(crate) call: WaitKey,
    pub(crate) response: Response,
}

impl Serialize for ResponseMessage {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.response.body.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_outcome() {
        use OutcomeKind::{Ack, Denied, Error, Interrupted, Nack, NotUnderstood, Reply, TimedOut, Undelivered};
        for (status, by, outcome) in [
            (200, Answerer::Handler, Reply),
            (404, Answerer::Handler, Reply),
            (404, Answerer::Runtime, NotUnderstood),
            (405, Answerer::Runtime, NotUnderstood),
            (502, Answerer::Runtime, Interrupted),
            (503, Answerer::Runtime, Undelivered),
            (508, Answerer::Runtime, Undelivered),
            (508, Answerer::Handler, Error),
            (504, Answerer::Runtime, TimedOut),
            (502, Answerer::Handler, Error),
            (504, Answerer::Handler, Error),
            (204, Answerer::Handler, Ack),
            (403, Answerer::Handler, Denied),
            (500, Answerer::Handler, Error),
            (503, Answerer::Handler, Nack),
            (599, Answerer::Handler, Error),
        ] {
            let response = Response { status, body: Value::Null, by };
            assert_eq!(response.outcome(), outcome, "{response:?}");
        }
    }
}
