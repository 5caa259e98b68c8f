//! Requests to endpoints of services, and what they answer.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{Method as HttpMethod, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use rehearsal_actors::interfaces::rest::{Method, Reply};
use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::outside::EntranceError;
use rehearsal_actors::outside::catalogue::Catalogue;
use serde_json::Value;

use super::body;
use super::crossing::Crossing;
use super::exposure::{Shown, refusal};
use super::jsonrpc;
use super::place::check_query;
use super::problem::Problem;
use super::shared::Shared;
use crate::trail::{self, BadTrail, TRAIL};

/// The methods that endpoints may be for.
const METHODS: &str = "GET, HEAD, POST, PUT, DELETE";

/// Asks a service for what it has at a path, which has its escapes still and begins with a slash unless it
/// is empty.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    request: &HttpRequest,
    payload: web::Payload,
    service: &str,
    path: &str,
) -> Result<HttpResponse, Problem> {
    let whole = request.uri().path();
    let trail = trail_of(request)?;
    let shown = shared.exposure.shown(request.headers());
    let is_shown = shared.exposure.shows_path(service, path, shown);
    let Some(method) = method_of(request.method()) else {
        let there = if is_shown { methods_at(shared, service, path).await? } else { Vec::new() };
        return Err(not_allowed_here(&there));
    };
    if !is_shown {
        return Err(hidden(service, shown));
    }
    let query = request.query_string();
    if let Err(error) = check_query(query) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, error.to_string()));
    }
    let body = json(shared, request, payload).await?;
    if service.contains('/') {
        let detail = format!("no service named `{service}`");
        return Err(Problem::new(StatusCode::NOT_FOUND, detail).outcome(OutcomeKind::Undelivered));
    }
    let path = if path.is_empty() { "/" } else { path };
    let url = if query.is_empty() { format!("{service}{path}") } else { format!("{service}{path}?{query}") };
    let reply = shared.visit(move |io| async move { io.carrying(trail).rest().call(method, &url, body).await }).await?;
    Ok(tell(reply, whole))
}

/// Through which programs a request has come, for what goes out on its behalf. One that has come through
/// this very program is not let in.
pub(super) fn trail_of(request: &HttpRequest) -> Result<Option<String>, Problem> {
    read_trail(request.headers())
        .map_err(|error| Problem::new(StatusCode::LOOP_DETECTED, error.to_string()).outcome(OutcomeKind::Undelivered))
}

/// The same for those who tell of it in their own way.
pub(super) fn read_trail(headers: &HeaderMap) -> Result<Option<String>, BadTrail> {
    trail::read(headers.get_all(TRAIL).map(|header| header.as_bytes()))
}

fn method_of(method: &HttpMethod) -> Option<Method> {
    Some(match *method {
        // The server leaves the body out.
        HttpMethod::GET | HttpMethod::HEAD => Method::Get,
        HttpMethod::POST => Method::Post,
        HttpMethod::PUT => Method::Put,
        HttpMethod::DELETE => Method::Delete,
        _ => return None,
    })
}

/// Reads the body of a request as JSON: null if there is none.
pub(super) async fn json(shared: &Shared, request: &HttpRequest, payload: web::Payload) -> Result<Value, Problem> {
    let bytes = body::read(request, payload, &shared.limits).await?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    if !body::is_json(request.headers()) {
        return Err(body::not_json());
    }
    let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
    if !jsonrpc::depth_is_within(&bytes, shared.limits.depth) {
        return Err(bad(format!("the body is nested deeper than {} levels", shared.limits.depth)));
    }
    serde_json::from_slice(&bytes).map_err(|error| bad(format!("the body is not JSON: {error}")))
}

/// The response that a reply is.
fn tell(reply: Reply, path: &str) -> HttpResponse {
    let crossing = Crossing { outcome: reply.outcome, elapsed: reply.elapsed, hops: reply.route.hops() };
    // What is below 200 is no end of an answer, and what is above 599 no status.
    let status = StatusCode::from_u16(reply.status).ok().filter(|status| (200..600).contains(&status.as_u16()));
    let Some(status) = status else {
        let detail = format!("the service answered with the status {}, which is none", reply.status);
        let problem = Problem::new(StatusCode::BAD_GATEWAY, detail).at(path).outcome(reply.outcome);
        let mut response = problem.builder();
        crossing.tell(&mut response);
        return response.body(problem.to_json());
    };
    if reply.by_service || status.is_success() {
        let mut response = HttpResponse::build(status);
        crossing.tell(&mut response);
        let has_none = matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED);
        return if has_none || reply.body.is_null() { response.finish() } else { response.json(reply.body) };
    }
    let detail = reply.body.get("detail").and_then(Value::as_str).unwrap_or_default();
    let problem = Problem::new(status, detail).at(path).outcome(reply.outcome);
    let mut response = problem.builder();
    crossing.tell(&mut response);
    if !reply.allowed.is_empty() {
        response.insert_header((header::ALLOW, allow(&reply.allowed)));
    }
    response.body(problem.to_json())
}

/// Who may be read may be asked for the head alone, too.
fn allow(methods: &[Method]) -> String {
    let names = methods.iter().map(|method| match method {
        Method::Get => "GET, HEAD".to_owned(),
        other => other.to_string(),
    });
    names.collect::<Vec<_>>().join(", ")
}

/// For which methods a service has something at a path, without asking it.
async fn methods_at(shared: &Shared, service: &str, path: &str) -> Result<Vec<Method>, Problem> {
    let (service, path) = (service.to_owned(), path.to_owned());
    let look = move |io| async move {
        let offered = Catalogue::of(&io).get(&service).and_then(|listed| listed.offered);
        offered.map_or_else(Vec::new, |offered| offered.methods_at(if path.is_empty() { "/" } else { &path }))
    };
    shared.visit(look).await
}

/// For a method that endpoints cannot be for. `there`: what there is at that path, as far as that is known.
fn not_allowed_here(there: &[Method]) -> Problem {
    let allowed = if there.is_empty() { METHODS.to_owned() } else { allow(there) };
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("this is for {allowed}")).allow(allowed)
}

/// Whoever asks has to show the token.
pub(super) fn hidden(what: &str, shown: Shown) -> Problem {
    let status = if shown == Shown::Wrong { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
    Problem::new(status, refusal(&format!("`{what}`"), shown)).outcome(OutcomeKind::Denied)
}

/// The run could not be entered, or not be left again.
pub(super) fn not_let_in(error: EntranceError) -> Problem {
    let (status, outcome) = match error {
        EntranceError::Closed | EntranceError::Full => (StatusCode::SERVICE_UNAVAILABLE, OutcomeKind::Undelivered),
        EntranceError::Interrupted => (StatusCode::BAD_GATEWAY, OutcomeKind::Interrupted),
    };
    Problem::new(status, error.to_string()).outcome(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_those_of_endpoints_and_head_goes_with_get() {
        assert_eq!(allow(&[Method::Get, Method::Delete]), "GET, HEAD, DELETE");
        for (http, method) in [
            (HttpMethod::GET, Some(Method::Get)),
            (HttpMethod::HEAD, Some(Method::Get)),
            (HttpMethod::PUT, Some(Method::Put)),
            (HttpMethod::PATCH, None),
            (HttpMethod::OPTIONS, None),
        ] {
            assert_eq!(method_of(&http), method, "{http}");
        }
    }

    #[test]
    fn who_shows_nothing_is_told_to_and_who_shows_the_wrong_thing_is_sent_away() {
        let status = |shown| HttpResponse::from(hidden("shop", shown)).status();
        assert_eq!((status(Shown::Nothing), status(Shown::Wrong)), (StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN));
    }
}
