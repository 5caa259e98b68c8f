//! Asking other services.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Answerer, LOOP, Method, RequestMessage, Response};
use crate::interfaces::baggage::Baggage;
use crate::interfaces::{CallError, Route};
use crate::network::pending::Pending;
use crate::network::waits::{Answer, Settled};
use crate::network::{Envelope, size_of};
use crate::outcome::{Interface, OutcomeKind, Undelivered};
use crate::service::ServiceIo;
use crate::service::desk::Desk;
use crate::units::SimDuration;

/// The REST interface of a service, to ask others. What it offers itself stands in
/// [`Service::endpoints`](crate::service::Service::endpoints).
#[derive(Clone, Copy)]
pub struct Rest<'a> {
    io: &'a ServiceIo,
}

impl<'a> Rest<'a> {
    pub(crate) fn new(io: &'a ServiceIo) -> Self {
        Rest { io }
    }

    /// Asks to read `Service/path`.
    pub fn get(&self, url: &str) -> RestCall {
        self.call(Method::Get, url, Value::Null)
    }

    /// Asks to make something at `Service/path`, or to do something there.
    pub fn post(&self, url: &str, body: impl Serialize) -> RestCall {
        self.call(Method::Post, url, body)
    }

    /// Asks to put something in place at `Service/path`.
    pub fn put(&self, url: &str, body: impl Serialize) -> RestCall {
        self.call(Method::Put, url, body)
    }

    /// Asks to take away what is at `Service/path`.
    pub fn delete(&self, url: &str) -> RestCall {
        self.call(Method::Delete, url, Value::Null)
    }

    /// A request of any method.
    pub fn call(&self, method: Method, url: &str, body: impl Serialize) -> RestCall {
        let body = serde_json::to_value(body).map_err(|error| error.to_string());
        let (desk, baggage) = (self.io.desk.clone(), self.io.baggage.clone());
        RestCall { desk, baggage, method, url: url.to_owned(), body, timeout: None }
    }
}

/// A request that has yet to be made: await it, or [`send`](RestCall::send) it.
#[must_use = "nothing is asked until it is awaited or sent"]
pub struct RestCall {
    desk: Rc<Desk>,
    baggage: Baggage,
    method: Method,
    url: String,
    body: Result<Value, String>,
    timeout: Option<SimDuration>,
}

impl RestCall {
    /// Waits so long for the response.
    pub fn timeout(mut self, timeout: SimDuration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Makes the request now, so that several can be under way at once.
    pub fn send(self) -> Calling {
        let RestCall { desk, baggage, method, url, body, timeout } = self;
        let network = &desk.network;
        let (name, path) = url.split_once('/').unwrap_or((&url, ""));
        let (from, to) = (desk.id, network.find(name));
        let key = network.open_wait(from, to, Interface::Rest);
        let mut pending = Pending::new(network.clone(), key);
        if let Some(timeout) = timeout {
            pending.set_timeout(timeout);
        }
        // The timeout runs whether anybody awaits the response or not, so that every request ends.
        pending.start_timer();
        match to {
            Some(to) => {
                let (body, unfit) = match body {
                    Ok(body) => (body, None),
                    Err(reason) => (Value::Null, Some(Undelivered::Unserialisable { to: name.to_owned(), reason })),
                };
                let message = RequestMessage { call: key, method, path: format!("/{path}"), body, baggage };
                let size = unfit.map_or_else(|| size_of(&|| name.to_owned(), &message), Err);
                let bytes = size.as_ref().copied().unwrap_or_default();
                let envelope = Envelope::to_name(from, to, Interface::Rest, key, bytes);
                match size {
                    Ok(_) => drop(network.send(envelope, message)),
                    Err(why) => drop(network.refuse_to_send(envelope, why)),
                }
            }
            None => drop(network.fail_unknown(Interface::Rest, from, key, name)),
        }
        Calling { endpoint: format!("{method} {url}"), desk, pending }
    }
}

impl IntoFuture for RestCall {
    type Output = Reply;
    type IntoFuture = Calling;

    fn into_future(self) -> Calling {
        self.send()
    }
}

/// A request that is under way. Dropped, it goes on, and nobody looks at its response.
#[must_use = "the response is lost unless it is awaited"]
pub struct Calling {
    endpoint: String,
    desk: Rc<Desk>,
    pending: Pending,
}

impl Calling {
    /// What a response says that stands for the want of one: who was asked stands in for somebody outside
    /// of the run, who is not there or does not answer.
    fn failure_of(&self, response: &Response, elapsed: SimDuration) -> Option<CallError> {
        let service = || {
            let url = self.endpoint.split_once(' ').map_or("", |(_, url)| url);
            url.split('/').next().unwrap_or_default().to_owned()
        };
        match response.outcome() {
            OutcomeKind::Undelivered if response.status == LOOP => {
                let reason = response.body.get("detail").and_then(Value::as_str).unwrap_or_default().to_owned();
                Some(Undelivered::Outside { to: service(), reason }.into())
            }
            OutcomeKind::Undelivered => Some(Undelivered::ConnectionGone { to: service() }.into()),
            OutcomeKind::Interrupted => Some(CallError::Interrupted { by: service() }),
            OutcomeKind::TimedOut => Some(CallError::TimedOut { what: self.endpoint.clone(), waited: elapsed }),
            _ => None,
        }
    }
}

impl Future for Calling {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        let this = &mut *self;
        Pin::new(&mut this.pending).poll(cx).map(|settled| {
            let Settled { answer, elapsed, course } = settled;
            let (mut by_service, mut allowed) = (false, Vec::new());
            let (status, body, outcome, failure) = match answer {
                Answer::Response(response) => {
                    let outcome = response.outcome();
                    let failure = this.failure_of(&response, elapsed);
                    by_service = response.by == Answerer::Handler;
                    if let Answerer::OtherMethods(methods) = response.by {
                        allowed = methods;
                    }
                    (response.status, response.body, outcome, failure)
                }
                Answer::Delivered | Answer::Message(_) | Answer::Rpc(..) => (204, Value::Null, OutcomeKind::Ack, None),
                Answer::Undelivered(why) => {
                    let (status, outcome) = match &why {
                        Undelivered::NotUnderstood { .. } => (404, OutcomeKind::NotUnderstood),
                        Undelivered::UnknownService(_) => (404, OutcomeKind::Undelivered),
                        Undelivered::Unserialisable { .. } => (400, OutcomeKind::Undelivered),
                        _ => (503, OutcomeKind::Undelivered),
                    };
                    (status, json!({ "detail": why.to_string() }), outcome, Some(why.into()))
                }
                Answer::Interrupted(by) => {
                    let failure = CallError::Interrupted { by };
                    (502, json!({ "detail": failure.to_string() }), OutcomeKind::Interrupted, Some(failure))
                }
                Answer::TimedOut | Answer::Lost => {
                    let what = this.endpoint.clone();
                    let failure = CallError::TimedOut { what, waited: elapsed };
                    (504, json!({ "detail": failure.to_string() }), OutcomeKind::TimedOut, Some(failure))
                }
            };
            let route = Route::of(&this.desk.network, course);
            let endpoint = std::mem::take(&mut this.endpoint);
            Reply { status, body, route, elapsed, outcome, by_service, allowed, endpoint, failure }
        })
    }
}

/// How a request ended.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status code: see the table of the [module](super).
    pub status: u16,
    /// The body; `Null` if there is none.
    pub body: Value,
    /// The way that the request took.
    pub route: Route,
    /// From the request to its outcome.
    pub elapsed: SimDuration,
    /// The outcome that the status stands for.
    pub outcome: OutcomeKind,
    /// Whether status and body are the service's own words; what the runtime says in its place has the
    /// form `{"detail": …}`.
    pub by_service: bool,
    /// For which methods there is something at that path, if there is and the runtime says that it is
    /// not for this one.
    pub allowed: Vec<Method>,
    endpoint: String,
    failure: Option<CallError>,
}

impl Reply {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The reply, if its status is 2xx.
    ///
    /// # Errors
    /// Why it is not.
    pub fn success(self) -> Result<Reply, CallError> {
        if self.is_success() {
            return Ok(self);
        }
        Err(self.failure.unwrap_or(CallError::Status { endpoint: self.endpoint, status: self.status }))
    }

    /// The body of a successful reply as a value of this type.
    ///
    /// # Errors
    /// The status is not 2xx, or the body is something else.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, CallError> {
        let reply = self.success()?;
        T::deserialize(reply.body)
            .map_err(|error| CallError::Malformed { endpoint: reply.endpoint, reason: error.to_string() })
    }
}
