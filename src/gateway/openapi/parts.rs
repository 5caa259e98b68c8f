//! What several operations share: schemas, headers, and the responses of the gateway itself.

use rehearsal_actors::outcome::OutcomeKind;
use serde_json::{Map, Value, json};

use super::View;
use crate::gateway::jsonrpc::Style;

/// What the token is called.
pub(super) const BEARER: &str = "token";
/// Of operations that are no service's.
pub(super) const OWN_TAG: &str = "(gateway)";

/// Statuses that anything may be refused with before it is looked at, and why.
pub(super) const OF_ANY: [u16; 5] = [400, 405, 414, 431, 503];
/// Those of requests with a body, besides.
pub(super) const OF_BODIES: [u16; 3] = [408, 413, 415];
/// Those of services, or of the gateway in the place of one.
pub(super) const OF_SERVICES: [u16; 6] = [400, 404, 500, 502, 503, 504];

/// What the gateway means by a status.
const MEANINGS: [(u16, &str); 13] = [
    (400, "The path, the query or the body is not what it should be."),
    (401, "This is not for everybody: show the token."),
    (403, "What was shown is not the token."),
    (404, "There is no such service or endpoint."),
    (405, "This is for other methods."),
    (408, "The body did not come in time."),
    (413, "The body is too large."),
    (414, "The path and the query are too long."),
    (415, "The body does not say that it is JSON."),
    (431, "There are too many headers, or too long ones."),
    (500, "The service failed while it had the request in hand."),
    (502, "The service is gone, and had the request in hand: it may have been carried out."),
    (503, "The request did not arrive, or was turned away: it was not carried out."),
];
const TIMED_OUT: (u16, &str) = (504, "No answer came in time: the request may have been carried out.");

/// A response that stands among the components.
fn reference(whose: &str, status: u16) -> Value {
    json!({ "$ref": format!("#/components/responses/{whose}-{status}") })
}

/// Responses of the gateway.
pub(super) fn by_gateway<'a>(statuses: impl IntoIterator<Item = &'a u16>) -> Map<String, Value> {
    statuses.into_iter().map(|status| (status.to_string(), reference("gateway", *status))).collect()
}

/// Responses of services, or of the gateway in the place of one.
pub(super) fn by_services<'a>(statuses: impl IntoIterator<Item = &'a u16>) -> Map<String, Value> {
    statuses.into_iter().map(|status| (status.to_string(), reference("service", *status))).collect()
}

pub(super) fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The headers that tell of the way across the network.
pub(super) fn crossing(always: bool) -> Value {
    let header =
        |description: &str, schema: Value| json!({ "description": description, "required": always, "schema": schema });
    json!({
        "Rehearsal-Outcome": header("How the request ended.", schema("Outcome")),
        "Rehearsal-Elapsed": header("How long that took, in seconds of virtual time.", json!({ "type": "number", "minimum": 0 })),
        "Rehearsal-Hops": header("How many links it took to get there.", json!({ "type": "integer", "minimum": 0 })),
    })
}

fn responses() -> Map<String, Value> {
    let mut responses = Map::new();
    for (status, meaning) in MEANINGS.into_iter().chain([TIMED_OUT]) {
        let problem = json!({ "schema": schema("Problem") });
        let mut headers = Map::new();
        let header =
            |description: &str| json!({ "description": description, "required": true, "schema": { "type": "string" } });
        match status {
            401 => drop(headers.insert("WWW-Authenticate".to_owned(), header("What to show."))),
            405 => drop(headers.insert("Allow".to_owned(), header("What it is for."))),
            _ => {}
        }
        let mut gateways = json!({ "description": meaning, "content": { "application/problem+json": problem } });
        if !headers.is_empty() {
            gateways["headers"] = headers.into();
        }
        responses.insert(format!("gateway-{status}"), gateways);
        if OF_SERVICES.contains(&status) {
            let services = json!({
                "description": format!("{meaning} Or the service itself says so, in its own words."),
                "headers": crossing(false),
                "content": { "application/json": { "schema": {} }, "application/problem+json": problem },
            });
            responses.insert(format!("service-{status}"), services);
        }
    }
    responses
}

/// Everything that is referred to.
pub(super) fn components(view: &View<'_>) -> Value {
    let mut components = json!({
        "headers": {},
        "responses": responses(),
        "schemas": schemas(view.style),
    });
    if view.exposure.has_token() {
        components["securitySchemes"] = json!({
            BEARER: { "type": "http", "scheme": "bearer", "description": "The gateway's token." },
        });
    }
    components
}

fn schemas(style: Style) -> Value {
    let outcomes: Vec<&str> = OutcomeKind::ALL.iter().map(|outcome| outcome.name()).collect();
    json!({
        "Outcome": { "description": "How a request ended.", "enum": outcomes },
        "Problem": {
            "description": "Why there is no answer of a service (RFC 9457).",
            "type": "object",
            "properties": {
                "type": { "const": "about:blank" },
                "title": { "type": "string" },
                "status": { "type": "integer", "minimum": 400, "maximum": 599 },
                "detail": { "type": "string" },
                "instance": { "type": "string", "description": "The path that was asked for." },
                "outcome": schema("Outcome"),
                "definite": { "type": "boolean", "description": "Whether it is certain that it was not carried out." },
            },
            "required": ["type", "title", "status"],
        },
        "Id": {
            "description": "Chosen by whoever asks, and sent back as it is. Without one, there is no answer.",
            "type": ["string", "number", "null"],
        },
        "Error": {
            "type": "object",
            "properties": {
                "code": {
                    "description": "-32700 no JSON, -32600 no request, -32601 no such method, -32602 other \
                        parameters, -32603 an error of the gateway; -32000 done and failed, -32001 not allowed, \
                        -32002 not done and safe to try again, -32003 no answer in time, -32004 it did not \
                        arrive, -32005 whoever had it in hand is gone.",
                    "type": "integer",
                },
                "message": { "type": "string" },
                "data": {
                    "type": "object",
                    "properties": {
                        "outcome": schema("Outcome"),
                        "definite": { "type": "boolean", "description": "Whether it is certain that it was not carried out." },
                        "elapsed_ns": { "type": "integer", "minimum": 0, "description": "Virtual nanoseconds." },
                        "hops": { "type": "integer", "minimum": 0, "description": "Links on the way there." },
                    },
                },
            },
            "required": ["code", "message"],
        },
        "Answer": { "oneOf": [answer("result", json!({}), style), answer("error", schema("Error"), style)] },
        "Answers": { "type": "array", "items": schema("Answer"), "minItems": 1 },
    })
}

/// An answer that has this member, and the other one not, or as null.
fn answer(member: &str, content: Value, style: Style) -> Value {
    let mut properties = json!({ "jsonrpc": { "const": "2.0" }, "id": schema("Id") });
    let mut required = vec!["jsonrpc", "id", member];
    if style == Style::NullMembers {
        let other = if member == "result" { "error" } else { "result" };
        properties[other] = json!({ "type": "null" });
        required.push(other);
    }
    properties[member] = content;
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}
