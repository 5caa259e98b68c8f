//! Calling the methods of other services.

use std::borrow::Cow;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use serde::de::DeserializeOwned;

use super::CallMessage;
use super::answer::RpcAnswer;
use super::headers::{Fields, HeaderError, Headers, TraceId};
use super::inspection::Inspection;
use super::offer::{INSPECT, PING};
use super::payload::{Payload, text_size};
use super::providers::Providers;
use super::target::{Callee, Destination, StrayCall, Target};
use crate::interfaces::baggage::Baggage;
use crate::interfaces::{CallError, Declined, Route};
use crate::network::pending::Pending;
use crate::network::ports::Body;
use crate::network::waits::{Answer, Settled};
use crate::network::{Envelope, size_of};
use crate::outcome::{Interface, OutcomeKind, Undelivered};
use crate::service::ServiceIo;
use crate::service::desk::Desk;
use crate::units::{Bytes, SimDuration};

/// The RPC interface of a service, to call others. What it offers itself stands in
/// [`Service::interfaces`](crate::service::Service::interfaces).
#[derive(Clone, Copy)]
pub struct Rpc<'a> {
    io: &'a ServiceIo,
}

impl<'a> Rpc<'a> {
    pub(crate) fn new(io: &'a ServiceIo) -> Self {
        Rpc { io }
    }

    /// Stands for whoever provides an interface, of which there may be many: directories know who, and
    /// when one fails another is called.
    pub fn interface(&self, name: impl Into<String>) -> Providers {
        Providers::new(self.io, name.into())
    }

    /// Stands for another service. Whether there is one, its calls will tell.
    pub fn proxy<'t>(&self, target: impl Into<Target<'t>>) -> Proxy {
        let callee = target.into().resolve(&self.io.desk);
        Proxy {
            desk: self.io.desk.clone(),
            trace: self.io.trace_id(),
            baggage: self.io.baggage.clone(),
            callee,
            timeout: None,
        }
    }
}

/// Stands for another service, to call its methods.
#[derive(Clone)]
pub struct Proxy {
    desk: Rc<Desk>,
    trace: Option<TraceId>,
    baggage: Baggage,
    callee: Callee,
    timeout: Option<SimDuration>,
}

impl Proxy {
    /// Calls wait so long for their answers, unless they say something else.
    #[must_use]
    pub fn timeout(mut self, timeout: SimDuration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Calls a method: `method` if one interface of the service alone has it, or `interface.method`.
    /// Parameters of another type than the handler's are told by way of JSON, and so is the reply; a
    /// JSON value will always do.
    pub fn call<R, P: Body>(&self, method: impl Into<Cow<'static, str>>, params: P) -> RpcCall<P, R> {
        let Proxy { desk, trace, baggage, callee, timeout } = self.clone();
        let (fields, idempotent) = (Ok(Fields::default()), false);
        let (method, reply) = (method.into(), PhantomData);
        RpcCall { desk, trace, baggage, callee, timeout, method, params, fields, idempotent, reply }
    }

    /// Calls the method that every service with interfaces has, and that does nothing.
    pub fn ping(&self) -> RpcCall<(), ()> {
        self.call(PING, ()).idempotent()
    }

    /// Asks for the interfaces, their methods, parameters and docs.
    pub fn inspect(&self) -> RpcCall<(), Inspection> {
        self.call(INSPECT, ()).idempotent()
    }
}

/// A call that has yet to be made: await it, or [`defer`](RpcCall::defer) it.
#[must_use = "nothing is called until it is awaited or deferred"]
pub struct RpcCall<P, R> {
    pub(super) desk: Rc<Desk>,
    pub(super) trace: Option<TraceId>,
    pub(super) baggage: Baggage,
    pub(super) callee: Callee,
    pub(super) timeout: Option<SimDuration>,
    pub(super) method: Cow<'static, str>,
    pub(super) params: P,
    pub(super) fields: Result<Fields, HeaderError>,
    pub(super) idempotent: bool,
    pub(super) reply: PhantomData<fn() -> R>,
}

impl<P: Body, R> RpcCall<P, R> {
    /// Waits so long for the answer.
    pub fn timeout(mut self, timeout: SimDuration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends a header along. One that cannot go keeps the call from setting out.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Ok(fields) = &mut self.fields
            && let Err(error) = fields.set(name.into(), value.into())
        {
            self.fields = Err(error);
        }
        self
    }

    /// Declares that it does no harm to carry the call out twice: the handler is told, and who tries
    /// again may do so even if it may have happened (see [`CallError::may_be_tried_again`]).
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Makes the call now, so that several can be under way at once.
    pub fn defer(self) -> Calling<R> {
        match self.callee.plain() {
            Some(service) => self.set_out(service),
            None => self.set_out_elsewhere(),
        }
    }

    #[inline(never)]
    fn set_out_elsewhere(self) -> Calling<R> {
        let destination = self.callee.destination(&self.desk.network);
        self.set_out(destination)
    }

    /// Sends the call, unless it cannot be made. Inlined twice: where the destination is known to be a service,
    /// what the others need falls away.
    #[inline(always)]
    fn set_out(self, destination: Destination) -> Calling<R> {
        let RpcCall { desk, trace, baggage, callee, timeout, method, params, fields, idempotent, reply } = self;
        let (network, from) = (&desk.network, desk.id);
        // The timeout runs whether anybody awaits the answer or not, so that every call ends.
        let timeout = timeout.unwrap_or(network.timeout);
        let call = network.open_timed_wait(from, destination.seat(), Interface::Rpc, timeout);
        let pending = Pending::new(network.clone(), call);
        let trace = || trace.unwrap_or_else(|| network.commons.new_trace());
        let bytes = || bytes_of(&fields, &method, &params, &|| callee.name(network));
        let to_name = |to, bytes| Envelope::to_name(from, to, Interface::Rpc, call, bytes);
        let unmade = match destination {
            Destination::Service(to, incarnation) => {
                let (trace, bytes) = (trace(), bytes());
                bytes.map(|bytes| {
                    let (headers, method) = (Headers::new(trace, fields.unwrap_or_default()), method.clone());
                    let params = Payload::new(params);
                    let message = CallMessage { call, method, headers, idempotent, params, baggage };
                    network.send(Envelope { incarnation, ..to_name(to, bytes) }, message)
                })
            }
            Destination::Router(router, address) => {
                // Every chain of calls has its number, whatever becomes of its first.
                trace();
                bytes().map(|bytes| network.send(to_name(router, bytes), StrayCall(address)))
            }
            Destination::Nobody(why) => Err(why),
        };
        // What has become of one that was sent, its answer tells.
        if let Err(why) = unmade {
            network.fail_at_once(Interface::Rpc, from, call, why);
        }
        Calling { desk, callee, method, pending, reply }
    }

    /// Makes the call, and tells of its answer what there is to tell.
    pub fn reply(self) -> Whole<R> {
        self.defer().reply()
    }
}

/// How large a call is, if it can be made.
#[inline]
fn bytes_of<P: Body>(
    fields: &Result<Fields, HeaderError>,
    method: &str,
    params: &P,
    to: &dyn Fn() -> String,
) -> Result<Bytes, Undelivered> {
    match fields {
        Ok(fields) => Ok(Bytes(size_of(to, params)?.0 + text_size(method) + fields.size())),
        Err(error) => Err(Undelivered::Unserialisable { to: to(), reason: error.to_string() }),
    }
}

impl<P: Body, R: DeserializeOwned + 'static> IntoFuture for RpcCall<P, R> {
    type Output = Result<R, CallError>;
    type IntoFuture = Calling<R>;

    fn into_future(self) -> Calling<R> {
        self.defer()
    }
}

/// A call that is under way. Dropped, it goes on, nobody looks at its answer, and its outcome is
/// counted all the same.
#[must_use = "the answer is lost unless it is awaited"]
pub struct Calling<R> {
    desk: Rc<Desk>,
    callee: Callee,
    method: Cow<'static, str>,
    pending: Pending,
    reply: PhantomData<fn() -> R>,
}

impl<R> Calling<R> {
    /// Tells of the answer what there is to tell.
    pub fn reply(self) -> Whole<R> {
        Whole(self)
    }

    fn name(&self) -> String {
        self.callee.name(&self.desk.network)
    }
}

impl<R: DeserializeOwned + 'static> Calling<R> {
    /// What an answer says to somebody who wants an `R`.
    #[inline]
    fn result(&self, answer: Answer, elapsed: SimDuration) -> Result<R, CallError> {
        match answer {
            Answer::Rpc(RpcAnswer::Reply(body), _) => body.take().map_err(|reason| self.malformed(reason)),
            other => self.failure(other, elapsed),
        }
    }

    #[cold]
    fn malformed(&self, reason: String) -> CallError {
        CallError::Malformed { endpoint: format!("{}: {}", self.name(), self.method), reason }
    }

    #[cold]
    fn failure(&self, answer: Answer, elapsed: SimDuration) -> Result<R, CallError> {
        let (by, method) = (self.name(), self.method.to_string());
        Err(match answer {
            Answer::Rpc(RpcAnswer::Reply(_) | RpcAnswer::Ack, _)
            | Answer::Delivered
            | Answer::Response(_)
            | Answer::Message(_) => {
                return Payload::new(()).take().map_err(|_| self.malformed("it is an ack, without a body".to_owned()));
            }
            Answer::Rpc(RpcAnswer::Error(error), _) => CallError::Remote(error),
            Answer::Rpc(RpcAnswer::Nack(reason), _) => CallError::Nack(Declined::new(by, method, reason)),
            Answer::Rpc(RpcAnswer::NotUnderstood(reason), _) => {
                CallError::NotUnderstood(Declined::new(by, method, reason))
            }
            Answer::Rpc(RpcAnswer::BadParameters(reason), _) => {
                CallError::BadParameters(Declined::new(by, method, reason))
            }
            Answer::Rpc(RpcAnswer::Denied(reason), _) => CallError::Denied(Declined::new(by, method, reason)),
            Answer::Undelivered(why @ Undelivered::NotUnderstood { .. }) => {
                CallError::NotUnderstood(Declined::new(by, method, why.to_string()))
            }
            Answer::Undelivered(why) => CallError::Undelivered(why),
            Answer::Interrupted(by) => CallError::Interrupted { by },
            Answer::TimedOut | Answer::Lost => {
                CallError::TimedOut { what: format!("`{method}` of `{by}`"), waited: elapsed }
            }
        })
    }
}

impl<R: DeserializeOwned + 'static> Future for Calling<R> {
    type Output = Result<R, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        Pin::new(&mut this.pending).poll(cx).map(|Settled { answer, elapsed, .. }| this.result(answer, elapsed))
    }
}

/// An answer and all that is known of it.
#[derive(Clone, Debug)]
pub struct RpcReply<R> {
    /// The body, or why there is none.
    pub result: Result<R, CallError>,
    /// What came with it; nothing if the answer is not the service's own.
    pub headers: Option<Headers>,
    /// How the call ended.
    pub outcome: OutcomeKind,
    /// The way that the call took.
    pub route: Route,
    /// From the call to its outcome.
    pub elapsed: SimDuration,
}

/// A call that is under way, whose [`RpcReply`] is awaited.
#[must_use = "the answer is lost unless it is awaited"]
pub struct Whole<R>(Calling<R>);

impl<R: DeserializeOwned + 'static> Future for Whole<R> {
    type Output = RpcReply<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<RpcReply<R>> {
        let calling = &mut self.get_mut().0;
        Pin::new(&mut calling.pending).poll(cx).map(|settled| {
            let Settled { answer, elapsed, course } = settled;
            let outcome = answer.kind();
            let headers = match &answer {
                Answer::Rpc(_, headers) => Some(headers.clone()),
                _ => None,
            };
            let route = Route::of(&calling.desk.network, course);
            RpcReply { result: calling.result(answer, elapsed), headers, outcome, route, elapsed }
        })
    }
}
