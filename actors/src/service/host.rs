//! The actor that runs a [`Service`].
//!
//! | message | from | what comes of it |
//! |---|---|---|
//! | any body | other services | it lies in the inbox until a step receives it |
//! | [`RequestMessage`] | the REST interface of others | an endpoint's handler runs, and a [`ResponseMessage`] goes back |
//! | [`ResponseMessage`] | the host that was asked | the request ends |
//! | [`RawMessage`] | other services' connections, and routers | a handler runs, or it lies in a connection until it is received |
//! | [`CallMessage`] | the RPC interface of others | a method's handler runs, and an [`AnswerMessage`] goes back |
//! | [`AnswerMessage`] | the host that was called | the call ends |
//! | [`EventMessage`] | the events of others | the handlers of its subscriptions run |

mod events;
mod rpc;

use std::any::TypeId;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};

use actix::prelude::*;

use crate::context::{Accepts, Networked, ServiceContext};
use crate::interfaces::directory::{Member, Offering};
use crate::interfaces::events::EventMessage;
use crate::interfaces::raw::{Door, RawMessage};
use crate::interfaces::rest::{Found, Request, RequestMessage, Response, ResponseMessage, Target};
use crate::interfaces::rpc::{AnswerMessage, CallMessage, VERSION};
use crate::network::ports::{AnyBody, Delivery};
use crate::network::waits::{Answer, WaitKey};
use crate::network::{Envelope, size_of};
use crate::outcome::Interface;
use crate::panics::{Caught, catch};
use crate::service::desk::Desk;
use crate::service::offers::Offers;
use crate::service::{Service, ServiceIo, Step, let_others_run};
use crate::trace::ServiceId;
use crate::units::SimDuration;

/// How long a service pauses after a step that failed without waiting for anything.
const PAUSE_AFTER_FAILURE: SimDuration = SimDuration::from_millis(1);

/// So many requests may be in the hands of one service's handlers.
pub(crate) const HANDLING_LIMIT: u32 = 65_536;

pub(crate) struct ServiceHost<S: Service> {
    pub(crate) service: Rc<S>,
    pub(crate) offers: Rc<Offers<S>>,
    pub(crate) desk: Rc<Desk>,
    pub(crate) step_every: Option<SimDuration>,
    /// Whether its interfaces are registered with a directory.
    pub(crate) provides: bool,
}

impl<S: Service> Unpin for ServiceHost<S> {}

impl<S: Service> Drop for ServiceHost<S> {
    fn drop(&mut self) {
        self.desk.abandon();
    }
}

impl<S: Service> Actor for ServiceHost<S> {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        let io = ServiceIo::new(self.desk.clone());
        let provides = self.provides.then(|| self.offers.clone());
        let steps = run_steps(self.service.clone(), io, self.step_every, provides);
        ctx.network().spawn(ctx.id(), Box::pin(steps));
    }

    fn stopped(&mut self, _: &mut ServiceContext<Self>) {
        self.service.stop(&ServiceIo::new(self.desk.clone()));
        Member::leave(&self.desk);
    }
}

impl<S: Service> Networked for ServiceHost<S> {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<RequestMessage>().message::<ResponseMessage>();
        accepts.message::<CallMessage>().message::<AnswerMessage>();
        accepts.everything();
        let looked =
            accepts.cell.with(|host, _| (Door::new(&host.service, &host.desk), host.offers.subscriptions.len()));
        let Some((door, subscriptions)) = looked else { return };
        accepts.network.set_receiver::<RawMessage>(accepts.id, Rc::new(door));
        // Events come only to those who want to hear of them.
        if subscriptions > 0 {
            accepts.message::<EventMessage>();
        }
    }

    /// A response is always taken: it answers what this service has asked.
    fn is_full(&self, body: TypeId) -> bool {
        let begins_handlers =
            [TypeId::of::<RequestMessage>(), TypeId::of::<CallMessage>(), TypeId::of::<EventMessage>()];
        if begins_handlers.contains(&body) {
            self.desk.handling.get() >= HANDLING_LIMIT
        } else {
            body == TypeId::of::<AnyBody>() && self.desk.inbox.is_full()
        }
    }
}

/// Start, then step after step. The future has its arguments once; those of an `async fn` it would have
/// twice, and there is one for each service.
fn run_steps<S: Service>(
    service: Rc<S>,
    io: ServiceIo,
    every: Option<SimDuration>,
    mut provides: Option<Rc<Offers<S>>>,
) -> impl Future<Output = ()> {
    let every = every.unwrap_or_default();
    async move {
        let network = &io.desk.network;
        if let Err(error) = service.start(&io).await {
            return network.give_up(io.desk.id, &format!("start: {error}"));
        }
        network.started(io.desk.id);
        if let Some(offers) = provides.take() {
            for (interface, version) in offers.interfaces.offered() {
                io.directory().register(Offering::of(interface).with(VERSION, version));
            }
        }
        while !io.desk.is_leaving() {
            let began = io.now();
            io.desk.set_stepping(true);
            let step = service.step(&io).await;
            io.desk.set_stepping(false);
            let failed = match step {
                Ok(Step::Stop) => return,
                Ok(Step::End) => return network.stop(io.desk.id),
                Ok(Step::Continue) => {
                    io.desk.step_done(None);
                    false
                }
                Ok(Step::Value(value)) => {
                    io.desk.step_done(Some(value));
                    false
                }
                Err(error) if error.is_fatal() => return network.give_up(io.desk.id, &error.to_string()),
                Err(error) => {
                    io.desk.step_failed(&error.to_string());
                    true
                }
            };
            if !every.is_zero() {
                io.sleep_until(began + every).await;
            } else if io.now() == began {
                match failed {
                    true => io.sleep(PAUSE_AFTER_FAILURE).await,
                    false => let_others_run().await,
                }
            }
        }
    }
}

impl<S: Service> Handler<Delivery<AnyBody>> for ServiceHost<S> {
    type Result = ();

    fn handle(&mut self, letter: Delivery<AnyBody>, _: &mut ServiceContext<Self>) {
        self.desk.inbox.put(letter);
    }
}

impl<S: Service> Handler<Delivery<ResponseMessage>> for ServiceHost<S> {
    type Result = ();

    fn handle(&mut self, delivery: Delivery<ResponseMessage>, ctx: &mut ServiceContext<Self>) {
        let ResponseMessage { call, response } = delivery.body;
        ctx.network().settle(call, Answer::Response(response));
    }
}

impl<S: Service> Handler<Delivery<RequestMessage>> for ServiceHost<S> {
    type Result = ();

    fn handle(&mut self, delivery: Delivery<RequestMessage>, ctx: &mut ServiceContext<Self>) {
        // A second copy of a request is recognised as such, as TCP would.
        if delivery.duplicate {
            return;
        }
        let RequestMessage { call, method, path, body, baggage } = delivery.body;
        let from = delivery.from;
        let target = Target::of(&path);
        match self.offers.endpoints.find(method, &target.path) {
            Found::Handler(handler, params) => {
                let (params, query) = (target.params(params), target.query());
                let path = target.path.into_owned();
                let request = Request { from, method, path, params, query, body };
                let io = ServiceIo::new(self.desk.clone()).bearing(baggage);
                let (service, desk) = (self.service.clone(), self.desk.clone());
                desk.handling.set(desk.handling.get() + 1);
                let ticket = desk.take_in_hand(call, from);
                let answering = async move {
                    // The handler's own beginning may panic too, before there is a future.
                    let answer =
                        CatchPanic { inner: Some(Box::pin(async move { handler.handle(service, io, request).await })) };
                    let answer = answer.await;
                    desk.handling.set(desk.handling.get() - 1);
                    desk.release(ticket);
                    desk.records.borrow_mut().handled += 1;
                    match answer {
                        Ok(response) => answer_request(&desk, from, call, response),
                        Err(caught) => {
                            let problem = format!("the handler panicked: {}", caught.message);
                            answer_request(&desk, from, call, Response::problem(500, &problem).by_runtime());
                            // Whatever it has left behind half done, the next incarnation begins anew.
                            desk.network.crash(desk.id, caught);
                        }
                    }
                };
                ctx.network().spawn(ctx.id(), Box::pin(answering));
            }
            Found::NoSuchEndpoint => {
                let problem = format!("no endpoint for `{}`", target.path);
                answer_request(&self.desk, from, call, Response::problem(404, &problem).by_runtime());
            }
            Found::OtherMethods(methods) => {
                answer_request(&self.desk, from, call, Response::other_methods(method, &target.path, methods));
            }
        }
    }
}

/// Sends a response back. If it cannot set out, the one who asked runs into the timeout.
fn answer_request(desk: &Desk, to: ServiceId, call: WaitKey, response: Response) {
    let network = &desk.network;
    let message = ResponseMessage { call, response };
    // JSON always has a size.
    let bytes = size_of(&|| network.name_of(to), &message).unwrap_or_default();
    let _ = network.send(Envelope::to_name(desk.id, to, Interface::Rest, WaitKey::ANSWER, bytes), message);
}

/// Turns a panic of a future into its output.
pub(crate) struct CatchPanic<F> {
    pub(crate) inner: Option<F>,
}

impl<F: Future + Unpin> CatchPanic<F> {
    fn of(future: F) -> Self {
        CatchPanic { inner: Some(future) }
    }
}

impl<F: Future + Unpin> Future for CatchPanic<F> {
    type Output = Result<F::Output, Caught>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let Some(inner) = self.inner.as_mut() else {
            return Poll::Pending;
        };
        match catch(|| Pin::new(inner).poll(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(caught) => {
                let failed = self.inner.take();
                Poll::Ready(Err(catch(|| drop(failed)).err().unwrap_or(caught)))
            }
        }
    }
}
