//! `GET /openapi.json`: the gateway and the services behind it, as OpenAPI 3.1 describes them.
//!
//! It is made of what services have registered, so that it is as true as they are: what an endpoint or
//! method was not said to take is `{}`, which anything fits. Whoever asks sees what they may ask for:
//! without the token, what everybody may; with it, everything, and what else the token is needed for.

mod endpoints;
mod methods;
mod own;
mod parts;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use rehearsal_actors::outside::catalogue::{Catalogue, Listed};
use serde_json::{Map, Value, json};

use super::exposure::{Exposure, Shown};
use super::jsonrpc::Style;
use super::problem::Problem;
use super::shared::Shared;

/// So many services are described, in order of declaration: a page that tells of more is of no use.
const SERVICES_DESCRIBED: usize = 1000;

/// Describes what whoever asks may ask for.
pub(super) async fn answer(shared: &Arc<Shared>, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let services = shared.visit(|io| async move {
        let gateway = io.name();
        let offers = |listed: &Listed| listed.name != gateway && listed.within_reach && listed.offered.is_some();
        Catalogue::of(&io).all().filter(offers).take(SERVICES_DESCRIBED).collect::<Vec<Listed>>()
    });
    let services = services.await?;
    let view =
        View { exposure: &shared.exposure, shown: shared.exposure.shown(request.headers()), style: shared.style };
    Ok(HttpResponse::Ok().json(document(&view, &services)))
}

/// Who may ask for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Everybody,
    /// Who has shown the token.
    Holders,
}

/// What somebody gets to see.
struct View<'a> {
    exposure: &'a Exposure,
    shown: Shown,
    style: Style,
}

impl View<'_> {
    /// Who may ask for what is shown to whom; `None` if whoever looks may not.
    fn access(&self, is_shown: impl Fn(Shown) -> bool) -> Option<For> {
        if is_shown(Shown::Nothing) {
            return Some(For::Everybody);
        }
        (self.shown == Shown::Token).then_some(For::Holders)
    }

    /// Of an operation that those may ask for: what has to be shown. Nothing if there is no token at all.
    fn security(&self, operation: &mut Value, access: For) {
        if self.exposure.has_token() {
            let bearer = json!({ parts::BEARER: [] });
            operation["security"] = match access {
                For::Everybody => json!([{}, bearer]),
                For::Holders => json!([bearer]),
            };
        }
    }
}

/// The whole document. Members are in alphabetical order, so that the same services give the same text.
fn document(view: &View<'_>, services: &[Listed]) -> Value {
    let mut paths = own::paths();
    if let Some(access) = view.access(|shown| view.exposure.shows_events(shown)) {
        let mut publish = own::publish(access);
        view.security(&mut publish, access);
        add_operation(&mut paths, own::TOPIC.to_owned(), "post", publish);
    }
    methods::add(view, services, &mut paths);
    endpoints::add(view, services, &mut paths);
    let tag = |listed: &Listed| json!({ "name": listed.name, "description": format!("A service on the node `{}`.", listed.node) });
    let mut tags = vec![json!({ "name": parts::OWN_TAG, "description": "What the gateway says itself." })];
    let is_shown = |listed: &&Listed| view.access(|shown| view.exposure.shows_some_of(&listed.name, shown)).is_some();
    tags.extend(services.iter().filter(is_shown).map(tag));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Services behind a Rehearsal gateway",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": parts::components(view),
    })
}

/// What stands above it all.
const DESCRIPTION: &str = "Requests cross an emulated network to services in a run that goes by the wall clock. What \
    came of one stands in the headers `Rehearsal-Outcome`, `Rehearsal-Elapsed` and `Rehearsal-Hops`. Besides what \
    stands here, `GET /events?pattern=a.*` is a stream of events, which has no end and which OpenAPI 3.1 has no \
    words for.";

/// Adds an operation to what there is at a path.
fn add_operation(paths: &mut Map<String, Value>, path: String, method: &str, operation: Value) {
    let at = paths.entry(path).or_insert_with(|| json!({}));
    if let Some(operations) = at.as_object_mut() {
        operations.entry(method).or_insert(operation);
    }
}
