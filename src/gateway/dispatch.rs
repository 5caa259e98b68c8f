//! Every request that comes in, from its head to its answer.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::ConnectionType;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::json;

use super::body;
use super::calls::{self, Errand};
use super::conversation::Conversation;
use super::events;
use super::exposure::{EVENTS, Shown};
use super::jsonrpc::{self, Answer, Incoming, Invalid, Request};
use super::metrics;
use super::openapi;
use super::place::{Place, locate};
use super::problem::Problem;
use super::rest;
use super::shared::{InFlight, Shared};
use crate::trail::BadTrail;

/// Answers a request, whatever it is.
pub(super) async fn answer(shared: Arc<Shared>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let conversation = request.conn_data::<Rc<Conversation>>().cloned();
    let _in_hand = conversation.as_ref().map(|conversation| conversation.take_in_hand(request.headers()));
    let mut response = match shared.origins.preflight(&request) {
        Some(response) => response,
        None => answer_or_refuse(&shared, &request, payload, conversation.as_deref())
            .await
            .unwrap_or_else(|problem| problem.at(request.uri().path()).into()),
    };
    shared.tally.count(metrics::Route::of(request.uri().path()), response.status().as_u16());
    shared.origins.allow(request.headers(), &mut response);
    if let Some(conversation) = conversation {
        // Where a body has not come, or nobody has looked at it, the server below reads no further request.
        if conversation.is_one_too_many() || *shared.closing.borrow() || !conversation.has_body_come() {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        if response.head().connection_type() == ConnectionType::Close {
            conversation.say_goodbye();
        }
    }
    response
}

async fn answer_or_refuse(
    shared: &Arc<Shared>,
    request: &HttpRequest,
    payload: web::Payload,
    conversation: Option<&Conversation>,
) -> Result<HttpResponse, Problem> {
    check_head(shared, request)?;
    // As it was sent: the path that the framework shows has some of its escapes resolved.
    let path = request.uri().path();
    let place = locate(path).map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    let _in_flight = match place {
        // Whoever looks after the gateway hears of it in any case.
        Place::Health | Place::Readiness | Place::Metrics => None,
        _ if conversation.is_some_and(Conversation::is_one_too_many) => return Err(too_many("connections")),
        _ => Some(InFlight::begin(shared).ok_or_else(|| too_many("requests in hand"))?),
    };
    match place {
        Place::Api => {
            expect(request, &[Method::POST], "POST")?;
            jsonrpc_at(shared, request, payload, None).await
        }
        Place::ServiceApi(service) => {
            expect(request, &[Method::POST], "POST")?;
            jsonrpc_at(shared, request, payload, Some(service.as_ref().into())).await
        }
        Place::Health => {
            expect(request, &[Method::GET, Method::HEAD], "GET, HEAD")?;
            Ok(HttpResponse::Ok().json(json!({ "status": "ok" })))
        }
        Place::Readiness => {
            expect(request, &[Method::GET, Method::HEAD], "GET, HEAD")?;
            if !shared.entrance.is_open() {
                return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the gateway is not in the run"));
            }
            Ok(HttpResponse::Ok().json(json!({ "status": "ready" })))
        }
        Place::Metrics => {
            expect(request, &[Method::GET, Method::HEAD], "GET, HEAD")?;
            Ok(metrics::answer(shared, request).await)
        }
        Place::OpenApi => {
            expect(request, &[Method::GET, Method::HEAD], "GET, HEAD")?;
            openapi::answer(shared, request).await
        }
        Place::Events => {
            expect(request, &[Method::GET], "GET")?;
            may_have_events(shared, request)?;
            events::hear(shared, request).await
        }
        Place::Topic(topic) => {
            expect(request, &[Method::POST], "POST")?;
            may_have_events(shared, request)?;
            events::emit(shared, request, payload, topic.into_owned()).await
        }
        Place::Service(service, rest) => rest::answer(shared, request, payload, &service, rest).await,
        Place::Nothing => Err(Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path")),
    }
}

/// Refuses what is too large before anything of it is looked at.
fn check_head(shared: &Shared, request: &HttpRequest) -> Result<(), Problem> {
    let limits = &shared.limits;
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > limits.target {
        let detail = format!("path and query have at most {} bytes", limits.target);
        return Err(Problem::new(StatusCode::URI_TOO_LONG, detail));
    }
    let headers = request.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > limits.headers || bytes > limits.header_bytes {
        let detail = format!("a request has at most {} headers with {} bytes", limits.headers, limits.header_bytes);
        return Err(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail));
    }
    Ok(())
}

fn too_many(what: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("the gateway has as many {what} as it may"))
}

/// Refuses other methods than these.
fn expect(request: &HttpRequest, methods: &[Method], names: &'static str) -> Result<(), Problem> {
    if methods.contains(request.method()) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("this is for {names}")).allow(names))
}

/// Refuses who would have to show the token to tell or hear events.
fn may_have_events(shared: &Shared, request: &HttpRequest) -> Result<(), Problem> {
    let shown = shared.exposure.shown(request.headers());
    if shared.exposure.shows_events(shown) { Ok(()) } else { Err(rest::hidden(EVENTS, shown)) }
}

/// JSON-RPC, for all services or for one.
async fn jsonrpc_at(
    shared: &Arc<Shared>,
    request: &HttpRequest,
    payload: web::Payload,
    service: Option<Arc<str>>,
) -> Result<HttpResponse, Problem> {
    let bytes = body::read(request, payload, &shared.limits).await?;
    if !body::is_json(request.headers()) {
        return Err(body::not_json());
    }
    let headers = request.headers();
    let (shown, trail) = (shared.exposure.shown(headers), rest::read_trail(headers));
    let asker = Asker { shared, service: service.as_ref(), headers, shown, trail };
    let mut said = Vec::new();
    let mut response = HttpResponse::Ok();
    match jsonrpc::parse(&bytes, &shared.limits.jsonrpc()) {
        Err(invalid) => Answer::from(invalid).write(shared.style, &mut said),
        Ok(Incoming::Single(one)) => {
            let (answer, crossing) = asker.ask(one).await;
            if let Some(crossing) = crossing {
                crossing.tell(&mut response);
            }
            answer.into_iter().for_each(|answer| answer.write(shared.style, &mut said));
        }
        Ok(Incoming::Batch(all)) => {
            let at_once = shared.limits.batch_at_once.max(1);
            let asked = stream::iter(all).map(|one| asker.ask(one)).buffered(at_once);
            let answers: Vec<Answer<'_>> = asked.filter_map(async |(answer, _)| answer).collect().await;
            jsonrpc::write_batch(&answers, shared.style, &mut said);
        }
    }
    if said.is_empty() {
        return Ok(HttpResponse::NoContent().finish());
    }
    response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
    Ok(response.body(said))
}

/// Somebody who asks by JSON-RPC.
struct Asker<'a> {
    shared: &'a Arc<Shared>,
    service: Option<&'a Arc<str>>,
    headers: &'a HeaderMap,
    shown: Shown,
    trail: Result<Option<String>, BadTrail>,
}

impl Asker<'_> {
    /// The answer to one request, unless it is a notification; and what is known of its way.
    async fn ask<'r>(
        &self,
        request: Result<Request<'r>, Invalid<'r>>,
    ) -> (Option<Answer<'r>>, Option<super::crossing::Crossing>) {
        let request = match request {
            Ok(request) => request,
            Err(invalid) => return (Some(invalid.into()), None),
        };
        let trail = match &self.trail {
            Ok(trail) => trail.clone(),
            Err(error) => return (request.id.map(|id| Answer::error(id, calls::not_let_back(*error))), None),
        };
        let errand = Errand::new(&request, self.service, self.headers, self.shown, self.shared).on(trail);
        let Some(id) = request.id else {
            errand.notify();
            return (None, None);
        };
        let heard = errand.run_outside().await;
        let answer = match heard.result {
            Ok(result) => Answer::result(id, result),
            Err(error) => Answer::error(id, error),
        };
        (Some(answer), heard.crossing)
    }
}
