//! A service of a run that lives outside of it.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use crate::interfaces::rest::{Endpoints, Method, Request, Response};
use crate::interfaces::rpc::{Interfaces, ReplyChannel, RpcAnswer};
use crate::outside::outbound::{
    Came, End, Errand, Outbound, OutboundAnswer, OutboundRequest, end_of_call, response_to,
};
use crate::service::{Service, ServiceIo, StepError};
use crate::simulation::{Cast, ServiceSpec};
use crate::topology::NodeId;

/// So many of a service's requests and calls may be outside at once. What comes beyond that is not done
/// (nack), and may be tried again.
pub const OUTSIDE_LIMIT: usize = 1024;

/// Stands in a run for a service that lives outside of it: requests to it and calls of it, whatever their
/// names, cross the emulated network to where it stands, go out for real from there, and their answers come
/// back on the same way. What becomes of those that are not answered well, see [`Outbound`]. Messages, raw
/// ones or others, it does not understand.
///
/// What is outside goes by the wall clock: this makes sense in a
/// [paced run](crate::simulation::run_paced) alone. In one that is not, the clock jumps to the asker's
/// timeout while the answer is on its way.
///
/// ```
/// use std::sync::Arc;
/// use rehearsal_actors::outside::{Came, Errand, External, OutboundAnswer, OutboundRequest};
/// use rehearsal_actors::prelude::*;
/// use serde_json::json;
///
/// // Answers at once, in the run's own thread; a real one asks an HTTP client to.
/// fn doubles(request: OutboundRequest, answer: OutboundAnswer) {
///     answer.give(match request.errand {
///         Errand::Call { params, .. } => Came::Result(json!(params[0].as_u64().map(|number| 2 * number))),
///         Errand::Request { target, .. } => Came::Response { status: 200, body: json!(target) },
///     });
/// }
///
/// struct Caller;
/// impl Service for Caller {
///     async fn step(&self, io: &ServiceIo) -> StepResult {
///         assert_eq!(io.rpc().proxy("calculator").call::<u64, _>("double", 21u64).await?, 42);
///         assert_eq!(io.rest().get("calculator/a/b").await.success()?.body, "/a/b");
///         io.count("asked", 1);
///         Ok(Step::Stop)
///     }
/// }
///
/// # use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup, run};
/// # use rehearsal_actors::topology::{Node, Topology};
/// # let mut topology = Topology::new();
/// # let edge = topology.add_node(Node::new("edge")).unwrap();
/// # let mut setup = Setup::new(1, topology);
/// setup.services.push(External::at("calculator", edge, "http://127.0.0.1:9000/api", Arc::new(doubles)));
/// # setup.services.push(ServiceSpec::new("caller", edge, Cast::service(Caller)));
/// # assert_eq!(run(setup, None, Default::default()).unwrap().counters["asked"], 1);
/// ```
pub struct External {
    url: String,
    outbound: Arc<dyn Outbound>,
    outside: Rc<Cell<usize>>,
}

impl External {
    /// The service of that name, on a node: usually the gateway's. Its supervisor can restart it, which what
    /// is outside does not notice.
    pub fn at(
        name: impl Into<String>,
        node: NodeId,
        url: impl Into<String>,
        outbound: Arc<dyn Outbound>,
    ) -> ServiceSpec {
        let url = url.into();
        let make = move || {
            let (url, outbound) = (url.clone(), outbound.clone());
            Cast::service(External { url, outbound, outside: Rc::default() })
        };
        ServiceSpec::restartable(name, node, make)
    }

    async fn request(self: Rc<Self>, io: ServiceIo, request: Request) -> Response {
        let (url, from, baggage) = (self.url.clone(), io.name_of(request.from), io.baggage.to_text());
        let request = OutboundRequest { url, from, baggage, errand: Errand::request(request) };
        match ask(&self.outside, &*self.outbound, request).await {
            Some(came) => response_to(came, &io.name()),
            None => Response::problem(503, "too many requests are outside already"),
        }
    }

    async fn call(self: Rc<Self>, io: ServiceIo, params: Value, channel: ReplyChannel) {
        let errand = Errand::call(&channel, channel.call().method(), params);
        let (url, from, baggage) = (self.url.clone(), io.name_of(channel.call().caller()), io.baggage.to_text());
        let request = OutboundRequest { url, from, baggage, errand };
        let came = ask(&self.outside, &*self.outbound, request).await;
        answer(&io, &channel, came);
    }
}

impl Service for External {
    /// Messages to steps stay inside, where nobody would ever look at them.
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        io.desk.network.remove_taker_of_everything(io.id());
        Ok(())
    }

    fn endpoints(endpoints: &mut Endpoints<Self>) {
        for method in Method::ALL {
            endpoints.on(method, "/", External::request).on(method, "/{*path}", External::request);
        }
    }

    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces.otherwise(External::call);
    }
}

/// One more is outside, as long as this is there.
struct Outside(Rc<Cell<usize>>);

impl Drop for Outside {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Goes out, and comes back with what there is; nothing if too many are outside already.
pub(super) async fn ask(outside: &Rc<Cell<usize>>, outbound: &dyn Outbound, request: OutboundRequest) -> Option<Came> {
    if outside.get() >= OUTSIDE_LIMIT {
        return None;
    }
    outside.set(outside.get() + 1);
    let _outside = Outside(outside.clone());
    let (answer, coming) = OutboundAnswer::new();
    outbound.begin(request, answer);
    Some(coming.await.unwrap_or_else(|_| Came::Silence("no answer was given".to_owned())))
}

/// Answers a call with what came of going out for it.
pub(super) fn answer(io: &ServiceIo, channel: &ReplyChannel, came: Option<Came>) {
    let end = match came {
        Some(came) => end_of_call(came, &io.name()),
        None => End::Answer(RpcAnswer::Nack("too many calls are outside already".to_owned())),
    };
    // That the service is gone meanwhile, its callers are told by others.
    let _ = match end {
        End::Reply(body) => channel.reply(body),
        End::Answer(answer) => channel.answer(answer),
        End::Without(why) => {
            channel.end(why);
            Ok(())
        }
    };
}
