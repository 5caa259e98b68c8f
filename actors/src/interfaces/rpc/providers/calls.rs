//! Calls of whoever provides an interface.

use std::borrow::Cow;
use std::cell::RefCell;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use serde::de::DeserializeOwned;

use super::{Fields, Providers, TraceId};
use crate::interfaces::CallError;
use crate::interfaces::rpc::client::{RpcCall, RpcReply};
use crate::interfaces::rpc::headers::HeaderError;
use crate::interfaces::rpc::target::Callee;
use crate::network::ports::Body;
use crate::outcome::Undelivered;
use crate::router::Address;
use crate::units::{SimDuration, SimTime};

/// A call that has yet to be made, to one of the [`Providers`] of an interface: await it, or
/// [`defer`](AnyCall::defer) it. Dropped while it is awaited, no further provider is called.
#[must_use = "nobody is called until it is awaited or deferred"]
pub struct AnyCall<P, R> {
    providers: Providers,
    method: Cow<'static, str>,
    params: P,
    fields: Result<Fields, HeaderError>,
    idempotent: bool,
    reply: PhantomData<fn() -> R>,
}

impl<P: Body, R> AnyCall<P, R> {
    pub(super) fn new(providers: Providers, method: Cow<'static, str>, params: P) -> Self {
        let (fields, idempotent) = (Ok(Fields::default()), false);
        AnyCall { providers, method, params, fields, idempotent, reply: PhantomData }
    }

    /// Waits so long for the answer, whoever gives it.
    pub fn timeout(mut self, timeout: SimDuration) -> Self {
        self.providers.timeout = Some(timeout);
        self
    }

    /// Sends a header along, as [`RpcCall::header`] does.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Ok(fields) = &mut self.fields
            && let Err(error) = fields.set(name.into(), value.into())
        {
            self.fields = Err(error);
        }
        self
    }

    /// Declares that it does no harm to carry the call out twice: then another provider is called after
    /// errors, timeouts and interruptions, too.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }
}

impl<P: Body, R: DeserializeOwned + 'static> AnyCall<P, R> {
    /// Makes the call now, so that several can be under way at once.
    pub fn defer(self) -> Trying<R> {
        let desk = self.providers.desk.clone();
        let slot = Rc::new(RefCell::new(Slot { reply: None, waker: None }));
        let place = slot.clone();
        let task = async move {
            let reply = self.reply().await;
            let waker = {
                let mut slot = place.borrow_mut();
                slot.reply = Some(reply);
                slot.waker.take()
            };
            waker.into_iter().for_each(Waker::wake);
        };
        desk.network.spawn(desk.id, Box::pin(task));
        Trying { slot }
    }

    /// Makes the call, and tells of the last answer what there is to tell. The time that it took is that
    /// of all attempts and lookups together.
    pub async fn reply(self) -> RpcReply<R> {
        let network = self.providers.desk.network.clone();
        let began = network.now();
        let deadline = began + self.providers.timeout.unwrap_or(network.timeout);
        // Every attempt belongs to the same chain of calls.
        let trace = self.providers.trace.unwrap_or_else(|| network.commons.new_trace());
        let reply = self.try_all(trace, deadline).await;
        RpcReply { elapsed: network.now().since(began), ..reply }
    }

    async fn try_all(&self, trace: TraceId, deadline: SimTime) -> RpcReply<R> {
        let providers = &self.providers;
        let network = &providers.desk.network;
        let shared = providers.shared();
        let mut tried: Vec<Address> = Vec::new();
        let mut last = None;
        loop {
            let is_fresh = shared.pool.borrow().is_fresh(network.now());
            let found = if is_fresh { Ok(()) } else { shared.find(providers, deadline).await };
            let left = deadline.since(network.now());
            let chosen = {
                let outstanding = providers.desk.acquaintances().outstanding.borrow();
                shared.pool.borrow_mut().choose(providers.spread, &tried, &outstanding)
            };
            let Some(provider) = chosen.filter(|_| last.is_none() || !left.is_zero()) else {
                return match last {
                    Some(reply) => reply,
                    None => self.to_nobody(trace, left, found).await,
                };
            };
            if !tried.is_empty() {
                network.ledger.borrow_mut().directories.provider_failovers += 1;
            }
            let attempts_left = (providers.attempts as usize - tried.len()).min(shared.pool.borrow().untried(&tried));
            // What may be done twice need not wait for the first until there is no time for a second.
            let shares = if self.idempotent { attempts_left.max(1) as u64 } else { 1 };
            tried.push(provider);
            let reply = {
                let _outstanding = providers.outstanding(provider);
                let share = SimDuration::from_nanos(left.as_nanos() / shares);
                self.attempt(Callee::address(provider), trace, share).reply().await
            };
            let Err(error) = &reply.result else { return reply };
            if let CallError::Undelivered(why) = error {
                shared.pool.borrow_mut().drop_list(provider, is_for_good(why));
            }
            if tried.len() >= providers.attempts as usize || !error.may_be_tried_again(self.idempotent) {
                return reply;
            }
            last = Some(reply);
        }
    }

    /// A call to one of them.
    fn attempt(&self, callee: Callee, trace: TraceId, timeout: SimDuration) -> RpcCall<P, R> {
        RpcCall {
            desk: self.providers.desk.clone(),
            trace: Some(trace),
            baggage: self.providers.baggage.clone(),
            callee,
            timeout: Some(timeout),
            method: self.method.clone(),
            params: self.params.clone(),
            fields: self.fields.clone(),
            idempotent: self.idempotent,
            reply: PhantomData,
        }
    }

    /// Nobody is there: that is an outcome, too.
    async fn to_nobody(&self, trace: TraceId, left: SimDuration, found: Result<(), CallError>) -> RpcReply<R> {
        let service = self.providers.interface.clone();
        let reason = found.err().map_or("the directory knows of nobody".to_owned(), |error| error.to_string());
        self.attempt(Callee::nobody(Undelivered::NoProvider { service, reason }), trace, left).reply().await
    }
}

/// Whether a provider that could not be reached never will be.
fn is_for_good(why: &Undelivered) -> bool {
    matches!(
        why,
        Undelivered::ConnectionGone { .. } | Undelivered::UnknownAddress { .. } | Undelivered::NotANeighbour { .. }
    )
}

impl<P: Body, R: DeserializeOwned + 'static> IntoFuture for AnyCall<P, R> {
    type Output = Result<R, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.reply().await.result })
    }
}

struct Slot<R> {
    reply: Option<RpcReply<R>>,
    waker: Option<Waker>,
}

/// A call that is under way to one of the [`Providers`] of an interface. Dropped, it goes on, and nobody
/// looks at its answer.
#[must_use = "the answer is lost unless it is awaited"]
pub struct Trying<R> {
    slot: Rc<RefCell<Slot<R>>>,
}

impl<R> Trying<R> {
    /// Tells of the last answer what there is to tell.
    pub async fn reply(self) -> RpcReply<R> {
        std::future::poll_fn(|cx| self.look(cx)).await
    }

    fn look(&self, cx: &mut Context<'_>) -> Poll<RpcReply<R>> {
        let mut slot = self.slot.borrow_mut();
        match slot.reply.take() {
            Some(reply) => Poll::Ready(reply),
            None => {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<R> Future for Trying<R> {
    type Output = Result<R, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.look(cx).map(|reply| reply.result)
    }
}
