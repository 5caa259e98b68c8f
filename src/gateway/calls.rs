//! From requests in JSON-RPC to calls of methods, and back to answers.

mod errors;
mod own;
mod specs;

use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use rehearsal_actors::interfaces::CallError;
use rehearsal_actors::interfaces::rpc::{JsonParams, RpcReply};
use rehearsal_actors::service::ServiceIo;
use serde_json::value::{RawValue, to_raw_value};

use super::crossing::Crossing;
use super::exposure::Shown;
use super::jsonrpc::{ErrorObject, Request};
use super::shared::Shared;
pub(super) use errors::not_let_back;
use errors::{no_such_method, not_let_in, of_call, too_late};
use own::Own;
pub(crate) use own::is_own_method;

/// A method of every service: what it is called, and what its methods are.
const GET_SERVICE_SPECS: &str = "get_service_specs";

/// Longer than the names of a service, an interface and a method together.
const METHOD_LIMIT: usize = 1024;

/// How a request was answered, and what is known of its way, if it had one.
pub(super) struct Heard {
    pub(super) result: Result<Box<RawValue>, ErrorObject>,
    pub(super) crossing: Option<Crossing>,
}

impl From<ErrorObject> for Heard {
    fn from(error: ErrorObject) -> Self {
        Heard { result: Err(error), crossing: None }
    }
}

/// What a visitor comes back with.
enum Brought {
    Called {
        result: Result<Box<RawValue>, CallError>,
        crossing: Crossing,
    },
    /// The gateway itself was asked.
    Answered(Result<Box<RawValue>, ErrorObject>),
    /// Nobody has such a method, as far as the gateway can see.
    NoSuchMethod(String),
    /// Whoever asks has to show the token.
    Hidden {
        what: String,
    },
}

/// A request on its way to a service.
pub(super) struct Errand {
    /// For whom it is, unless the method says so.
    service: Option<Arc<str>>,
    method: Box<str>,
    params: JsonParams,
    /// What it is, if it is for the gateway itself.
    own: Option<Own>,
    shown: Shown,
    /// Through which programs it has come.
    trail: Option<String>,
    shared: Arc<Shared>,
}

impl Errand {
    pub(super) fn new(
        request: &Request<'_>,
        service: Option<&Arc<str>>,
        headers: &HeaderMap,
        shown: Shown,
        shared: &Arc<Shared>,
    ) -> Self {
        let own = if service.is_none() { Own::of(request, headers, shared.address) } else { None };
        Errand {
            own,
            service: service.cloned(),
            method: (&*request.method).into(),
            params: request.params.map_or(JsonParams::NONE, |params| JsonParams::new(params.to_owned())),
            shown,
            trail: None,
            shared: shared.clone(),
        }
    }

    /// It has come through these programs.
    pub(super) fn on(self, trail: Option<String>) -> Self {
        Errand { trail, ..self }
    }

    /// Sees that the call is made, and does not wait for what comes of it.
    pub(super) fn notify(self) {
        let entrance = self.shared.entrance.clone();
        drop(entrance.enter(move |io| async move { drop(self.run(io).await) }));
    }

    /// Makes the call.
    pub(super) async fn run_outside(self) -> Heard {
        let (shared, shown) = (self.shared.clone(), self.shown);
        let visit = shared.entrance.enter(move |io| self.run(io));
        let brought = match actix_web::rt::time::timeout(shared.limits.answer_time, visit).await {
            Ok(Ok(brought)) => brought,
            Ok(Err(error)) => return not_let_in(error).into(),
            Err(_) => return too_late(shared.limits.answer_time).into(),
        };
        match brought {
            Brought::Called { result, crossing } => {
                Heard { result: result.map_err(|error| of_call(&error, crossing)), crossing: Some(crossing) }
            }
            Brought::Answered(result) => Heard { result, crossing: None },
            Brought::NoSuchMethod(detail) => no_such_method(&detail).into(),
            Brought::Hidden { what } => errors::hidden(&format!("`{what}`"), shown).into(),
        }
    }

    /// What is done inside of the run.
    async fn run(self, io: ServiceIo) -> Brought {
        let Errand { service, method, params, own, shown, trail, shared } = self;
        let io = io.carrying(trail);
        if let Some(own) = own {
            return Brought::Answered(own.answer(&io, shown, &shared).await);
        }
        // As it was asked for: which part of it is a service is not for everybody, either.
        let asked = service.as_deref().unwrap_or(&method);
        let (service, method) = match &service {
            Some(service) => (&**service, &*method),
            None => match split(&io, &method) {
                Some(names) => names,
                None if method.contains('.') && !shared.exposure.shows_everything(shown) => {
                    return Brought::Hidden { what: asked.to_owned() };
                }
                None => return Brought::NoSuchMethod(format!("there is no service that `{method}` could be of")),
            },
        };
        if !shared.exposure.shows_method(service, method, shown) {
            return Brought::Hidden { what: asked.to_owned() };
        }
        if *service == *io.name() && is_own_method(method) {
            let detail =
                format!("`{service}` is the gateway: ask it for `{method}` at `/api`, with no service in front");
            return Brought::NoSuchMethod(detail);
        }
        let proxy = io.rpc().proxy(service);
        if method == GET_SERVICE_SPECS {
            let reply = proxy.inspect().reply().await;
            let specs = |inspection| {
                let specs = specs::Specs::new(inspection, shared.address);
                to_raw_value(&specs).map_err(|error| specs::malformed(service, &error))
            };
            return brought(reply, |result| result.and_then(specs));
        }
        brought(proxy.call(method.to_owned(), params).reply().await, |result| result)
    }
}

fn brought<R>(
    reply: RpcReply<R>,
    result: impl FnOnce(Result<R, CallError>) -> Result<Box<RawValue>, CallError>,
) -> Brought {
    let crossing = Crossing { outcome: reply.outcome, elapsed: reply.elapsed, hops: reply.route.hops() };
    Brought::Called { result: result(reply.result), crossing }
}

/// The service and the method that `service.method` means: the longest name that a service has. Without a
/// dot there is no service.
fn split<'m>(io: &ServiceIo, method: &'m str) -> Option<(&'m str, &'m str)> {
    if method.len() > METHOD_LIMIT {
        return None;
    }
    let at = method.rmatch_indices('.').map(|(at, _)| at).find(|at| io.find(&method[..*at]).is_some())?;
    Some((&method[..at], &method[at + 1..]))
}
