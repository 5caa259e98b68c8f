//! From the run to services that live outside: what is asked of them, and what comes back.
//!
//! Whoever really goes out is an [`Outbound`], which has threads and sockets and knows nothing of the run;
//! what it comes back with ([`Came`]) becomes an answer inside, with the outcome that it is:
//!
//! | outside | a call (RPC) ends as | a request (REST) ends as |
//! |---|---|---|
//! | a result | reply; `null`: ack | - (malformed) |
//! | a response | by its status: 2xx malformed, 401 and 403 denied, 429 and 503 nack, other 4xx not understood, 502 and 504 interrupted, everything else error | reply, ack (204), nack (503), timed out (504), interrupted (502), error (other 5xx) |
//! | error -32601, -32602, -32600, -32700 | not understood | - (malformed) |
//! | error -32001 | denied | |
//! | error -32002 | nack | |
//! | error -32003, -32005 | interrupted | |
//! | error -32004 | undelivered | |
//! | any other error | error | |
//! | redirected: it may have happened, and nobody goes there | error [`REDIRECTED`] | - (malformed) |
//! | looped: it came back to where it went out | undelivered | undelivered (508) |
//! | refused: nobody took it | undelivered | undelivered (503) |
//! | silence: it may have happened | interrupted | timed out (504) |
//! | broken off: it may have happened | interrupted | interrupted (502) |
//! | garbage | error [`MALFORMED_ANSWER`] | error (500) |
//!
//! An interrupted call is as indefinite as one that has timed out, and its caller need not wait that long.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::interfaces::rest::{LOOP, Method, Request, Response};
use crate::interfaces::rpc::{RemoteError, ReplyChannel, RpcAnswer};
use crate::outcome::Undelivered;
use crate::router::Why;

/// The type of the error that stands for an answer from outside that nobody can read: it was done, as far
/// as anybody can tell.
pub const MALFORMED_ANSWER: &str = "MalformedAnswer";

/// The type of the error that stands for an answer from outside that points elsewhere: the usual one to what
/// was carried out is such (303), so that nobody goes there and asks again.
pub const REDIRECTED: &str = "Redirected";

/// So many characters are kept of what somebody outside says about why it did not arrive.
const REASON_LIMIT: usize = 1000;

/// The type of errors from outside that do not say which type they are of.
pub const REMOTE_ERROR: &str = "RemoteError";

/// Goes out for the services of a run: asks somebody who is no part of it.
///
/// Every function that takes these two is one.
pub trait Outbound: Send + Sync + 'static {
    /// Begins to ask, without waiting: it is called in the thread of the run, which stands still meanwhile.
    /// Whatever thread has the answer gives it.
    fn begin(&self, request: OutboundRequest, answer: OutboundAnswer);
}

impl<F: Fn(OutboundRequest, OutboundAnswer) + Send + Sync + 'static> Outbound for F {
    fn begin(&self, request: OutboundRequest, answer: OutboundAnswer) {
        self(request, answer);
    }
}

/// What is asked of somebody outside.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboundRequest {
    /// Where they are.
    pub url: String,
    /// The service that asks.
    pub from: String,
    /// What the request has [brought along](crate::service::ServiceIo::carrying) on whose behalf it asks.
    pub baggage: Option<String>,
    /// What it asks.
    pub errand: Errand,
}

/// A request or a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    /// A request to an endpoint: an HTTP request to the URL with the target behind it.
    Request {
        /// The method.
        method: Method,
        /// Path and query, from the slash on, with escapes where a URL needs them.
        target: String,
        /// The body; `Null` if there is none.
        body: Value,
    },
    /// A call of a method: a JSON-RPC request to the URL.
    Call {
        /// The method, as the caller has called it.
        method: String,
        /// An object or an array: a value alone is an array of one, and none an empty one.
        params: Value,
        /// The chain of calls that it belongs to.
        trace_id: String,
    },
}

/// What stands for itself in no path. The two escapes that a path in the run still has stay as they are.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|');

impl Errand {
    pub(super) fn request(request: Request) -> Self {
        let Request { method, path, query, body, .. } = request;
        let mut target = utf8_percent_encode(&path, ESCAPED).to_string();
        if !query.is_empty() {
            target.push('?');
            let start = target.len();
            target = form_urlencoded::Serializer::for_suffix(target, start).extend_pairs(query).finish();
        }
        Errand::Request { method, target, body }
    }

    pub(super) fn call(channel: &ReplyChannel, method: &str, params: Value) -> Self {
        let params = match params {
            Value::Null => json!([]),
            structured @ (Value::Array(_) | Value::Object(_)) => structured,
            single => json!([single]),
        };
        Errand::Call { method: method.to_owned(), params, trace_id: channel.call().trace_id().to_string() }
    }
}

/// What came of asking somebody outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// The HTTP response to a request; to a call, one that is no JSON-RPC.
    Response {
        /// Its status.
        status: u16,
        /// Its body; `Null` if there is none.
        body: Value,
    },
    /// The result of a call.
    Result(Value),
    /// The error of a call.
    Error {
        /// Which.
        code: i64,
        /// What it says.
        message: String,
        /// More about it: of an error -32000, its `type` and `body`.
        data: Value,
    },
    /// The HTTP response to a call that points elsewhere.
    Redirected {
        /// Its status.
        status: u16,
        /// Where it points to, if it says so.
        to: Option<String>,
    },
    /// It came back to where it went out, and was refused there, in these words: it did not happen.
    Looped(String),
    /// Nobody took it, and why: it did not happen.
    Refused(String),
    /// No answer came in time: it may have happened.
    Silence(String),
    /// The connection broke before there was an answer, and how: it may have happened.
    Broken(String),
    /// An answer that nobody can read, and why.
    Garbage(String),
}

/// Where the answer goes. Dropped without one, it is [silence](Came::Silence).
#[derive(Debug)]
pub struct OutboundAnswer(oneshot::Sender<Came>);

impl OutboundAnswer {
    /// A place for an answer, and who waits for it.
    pub(super) fn new() -> (Self, oneshot::Receiver<Came>) {
        let (answer, coming) = oneshot::channel();
        (OutboundAnswer(answer), coming)
    }

    /// Gives the answer. Nobody hears of it if the service that asked has ended, or the run.
    pub fn give(self, came: Came) {
        let _ = self.0.send(came);
    }

    /// Whether anybody waits for it. Who asked may have given up all the same, which nobody here knows.
    pub fn is_awaited(&self) -> bool {
        !self.0.is_closed()
    }
}

/// How a call ends.
pub(super) enum End {
    /// By a reply.
    Reply(Value),
    /// By another answer.
    Answer(RpcAnswer),
    /// Without one.
    Without(Why),
}

/// How a call ends of which that came, made of the service of that name.
pub(super) fn end_of_call(came: Came, service: &str) -> End {
    let gone = || End::Without(Why::Undelivered(Undelivered::ConnectionGone { to: service.to_owned() }));
    let not_arrived = |reason: String| {
        let reason = reason.chars().take(REASON_LIMIT).collect();
        End::Without(Why::Undelivered(Undelivered::Outside { to: service.to_owned(), reason }))
    };
    let interrupted = || End::Without(Why::Interrupted(service.to_owned()));
    End::Answer(match came {
        Came::Result(Value::Null) => RpcAnswer::Ack,
        Came::Result(body) => return End::Reply(body),
        Came::Error { code, message, data } => match code {
            -32602 => RpcAnswer::BadParameters(message),
            -32601 | -32600 | -32700 => RpcAnswer::NotUnderstood(message),
            -32001 => RpcAnswer::Denied(message),
            -32002 => RpcAnswer::Nack(message),
            -32003 | -32005 => return interrupted(),
            -32004 => return not_arrived(message),
            _ => RpcAnswer::Error(Box::new(remote_error(code, message, data))),
        },
        Came::Response { status, .. } => {
            let said = format!("`{service}` answered with the HTTP status {status}");
            match status {
                401 | 403 => RpcAnswer::Denied(said),
                429 | 503 => RpcAnswer::Nack(said),
                502 | 504 => return interrupted(),
                400..500 => RpcAnswer::NotUnderstood(said),
                200..300 => error(MALFORMED_ANSWER, said),
                _ => error("HttpStatus", said),
            }
        }
        Came::Redirected { status, to } => {
            let to = to.map(|to| format!(" and points to `{to}`")).unwrap_or_default();
            let said = format!("`{service}` answered with the HTTP status {status}{to}; redirections are not followed");
            error(REDIRECTED, said)
        }
        Came::Looped(reason) => return not_arrived(reason),
        Came::Refused(_) => return gone(),
        Came::Silence(_) | Came::Broken(_) => return interrupted(),
        Came::Garbage(reason) => error(MALFORMED_ANSWER, reason),
    })
}

fn error(type_name: &str, message: String) -> RpcAnswer {
    RpcAnswer::Error(Box::new(RemoteError { type_name: type_name.to_owned(), message, body: Value::Null }))
}

/// The error that the other side meant: as a gateway tells it, or in its own words.
fn remote_error(code: i64, message: String, data: Value) -> RemoteError {
    let text = |member: &str| data.get(member).and_then(Value::as_str).map(str::to_owned);
    match text("type") {
        Some(type_name) => {
            let message = text("message").unwrap_or(message);
            RemoteError { type_name, message, body: data.get("body").cloned().unwrap_or_default() }
        }
        None => {
            let body = json!({ "code": code, "data": data });
            RemoteError { type_name: REMOTE_ERROR.to_owned(), message, body }
        }
    }
}

/// The response that a request has of which that came.
pub(super) fn response_to(came: Came, service: &str) -> Response {
    match came {
        Came::Response { status: status @ (502 | 504), body } => Response::new(status, body).by_runtime(),
        Came::Response { status: status @ 200..=599, body } => Response::new(status, body),
        Came::Response { status, .. } => malformed(&format!("{status} is no status of an answer")),
        Came::Result(_) | Came::Error { .. } | Came::Redirected { .. } => {
            malformed("it is an answer to a call, and this was none")
        }
        Came::Looped(reason) => Response::problem(LOOP, &reason).by_runtime(),
        Came::Refused(reason) => Response::problem(503, &format!("`{service}` is gone: {reason}")).by_runtime(),
        Came::Silence(reason) => Response::problem(504, &reason).by_runtime(),
        Came::Broken(reason) => Response::problem(502, &reason).by_runtime(),
        Came::Garbage(reason) => malformed(&reason),
    }
}

fn malformed(reason: &str) -> Response {
    let problem = json!({ "type": MALFORMED_ANSWER, "detail": reason });
    Response::new(500, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::OutcomeKind;

    fn kind(came: Came) -> OutcomeKind {
        match end_of_call(came, "outside") {
            End::Reply(_) => OutcomeKind::Reply,
            End::Answer(answer) => answer.kind(),
            End::Without(Why::Undelivered(_)) => OutcomeKind::Undelivered,
            End::Without(Why::Interrupted(_)) => OutcomeKind::Interrupted,
        }
    }

    fn error(code: i64, data: Value) -> Came {
        Came::Error { code, message: "no".to_owned(), data }
    }

    #[test]
    fn whatever_comes_of_a_call_has_its_outcome() {
        use OutcomeKind::{Ack, Denied, Error, Interrupted, Nack, NotUnderstood, Reply, Undelivered};
        for (code, outcome) in [
            (-32700, NotUnderstood),
            (-32600, NotUnderstood),
            (-32601, NotUnderstood),
            (-32602, NotUnderstood),
            (-32603, Error),
            (-32000, Error),
            (-32001, Denied),
            (-32002, Nack),
            (-32003, Interrupted),
            (-32004, Undelivered),
            (-32005, Interrupted),
            (7, Error),
        ] {
            assert_eq!(kind(error(code, Value::Null)), outcome, "{code}");
        }
        for (status, outcome) in [
            (200, Error),
            (204, Error),
            (101, Error),
            (301, Error),
            (400, NotUnderstood),
            (401, Denied),
            (403, Denied),
            (404, NotUnderstood),
            (429, Nack),
            (500, Error),
            (502, Interrupted),
            (503, Nack),
            (504, Interrupted),
        ] {
            assert_eq!(kind(Came::Response { status, body: Value::Null }), outcome, "{status}");
        }
        assert_eq!(kind(Came::Result(json!(1))), Reply);
        assert_eq!(kind(Came::Result(Value::Null)), Ack);
        assert_eq!(kind(Came::Redirected { status: 303, to: None }), Error);
        assert_eq!(kind(Came::Looped(String::new())), Undelivered);
        assert_eq!(kind(Came::Refused(String::new())), Undelivered);
        assert_eq!(kind(Came::Silence(String::new())), Interrupted);
        assert_eq!(kind(Came::Broken(String::new())), Interrupted);
        assert_eq!(kind(Came::Garbage(String::new())), Error);
    }

    #[test]
    fn whatever_comes_of_a_request_has_its_outcome() {
        use OutcomeKind::{Ack, Error, Interrupted, Nack, Reply, TimedOut, Undelivered};
        for (status, outcome) in [
            (200, Reply),
            (204, Ack),
            (404, Reply),
            (405, Reply),
            (500, Error),
            (502, Interrupted),
            (503, Nack),
            (504, TimedOut),
            (0, Error),
            (600, Error),
        ] {
            let response = response_to(Came::Response { status, body: Value::Null }, "outside");
            assert_eq!(response.outcome(), outcome, "{status}");
        }
        for (came, outcome) in [
            (Came::Looped("it is back".to_owned()), Undelivered),
            (Came::Refused("nobody".to_owned()), Undelivered),
            (Came::Silence("too late".to_owned()), TimedOut),
            (Came::Broken("it was reset".to_owned()), Interrupted),
            (Came::Garbage("not JSON".to_owned()), Error),
            (Came::Result(json!(1)), Error),
            (error(-32002, Value::Null), Error),
        ] {
            assert_eq!(response_to(came, "outside").outcome(), outcome);
        }
    }

    #[test]
    fn errors_keep_their_type_where_they_tell_it() {
        let told = json!({ "type": "SoldOut", "message": "none left", "body": { "left": 0 }, "outcome": "error" });
        let expected = RemoteError {
            type_name: "SoldOut".to_owned(),
            message: "none left".to_owned(),
            body: json!({ "left": 0 }),
        };
        assert_eq!(remote_error(-32000, "SoldOut: none left".to_owned(), told), expected);
        let other = remote_error(42, "odd".to_owned(), json!("why"));
        assert_eq!((other.type_name.as_str(), other.message.as_str()), (REMOTE_ERROR, "odd"));
        assert_eq!(other.body, json!({ "code": 42, "data": "why" }));
    }
}
