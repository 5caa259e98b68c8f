//! What the gateway says itself.

use rehearsal_actors::interfaces::events::TOPIC_LIMIT;
use serde_json::{Map, Value, json};

use super::For;
use super::parts::{self, OF_ANY, OF_BODIES, by_gateway};

/// A place that is read, and what it says.
struct Page {
    path: &'static str,
    summary: &'static str,
    says: &'static str,
    media_type: &'static str,
    schema: Value,
    /// Besides those of any place.
    refuses: &'static [u16],
}

/// The places that everybody may look at.
pub(super) fn paths() -> Map<String, Value> {
    let status =
        |says: &str| json!({ "type": "object", "properties": { "status": { "const": says } }, "required": ["status"] });
    let pages = [
        Page {
            path: "/healthz",
            summary: "Whether the gateway is there",
            says: "It is.",
            media_type: "application/json",
            schema: status("ok"),
            refuses: &[],
        },
        Page {
            path: "/readyz",
            summary: "Whether the run is there, too",
            says: "It is; 503 if it is not.",
            media_type: "application/json",
            schema: status("ready"),
            refuses: &[],
        },
        Page {
            path: "/metrics",
            summary: "Figures of the run and of the gateway, for Prometheus",
            says: "The text format, version 0.0.4. Without a run, what the gateway knows itself.",
            media_type: "text/plain",
            schema: json!({ "type": "string" }),
            refuses: &[],
        },
        Page {
            path: "/openapi.json",
            summary: "This document",
            says: "OpenAPI 3.1.",
            media_type: "application/json",
            schema: json!({ "type": "object", "required": ["openapi", "info", "paths"] }),
            refuses: &[502, 504],
        },
    ];
    pages.into_iter().map(|page| (page.path.to_owned(), json!({ "get": operation(page) }))).collect()
}

fn operation(page: Page) -> Value {
    let mut responses = by_gateway(OF_ANY.iter().chain(page.refuses));
    let content = json!({ page.media_type: { "schema": page.schema } });
    responses.insert("200".to_owned(), json!({ "description": page.says, "content": content }));
    json!({
        "operationId": format!("GET {}", page.path),
        "summary": page.summary,
        "tags": [parts::OWN_TAG],
        "responses": responses,
    })
}

/// Where events are told.
pub(super) const TOPIC: &str = "/events/{topic}";

/// Telling an event, which those may.
pub(super) fn publish(access: For) -> Value {
    let mut responses = by_gateway(OF_ANY.iter().chain(&OF_BODIES).chain(&[500, 502]));
    if access == For::Holders {
        responses.append(&mut by_gateway(&[401, 403]));
    }
    let receivers = json!({
        "type": "object",
        "properties": { "receivers": { "type": "integer", "minimum": 0 } },
        "required": ["receivers"],
    });
    let content = json!({ "application/json": { "schema": receivers } });
    let says = "It sets out to so many services.";
    responses.insert("202".to_owned(), json!({ "description": says, "content": content }));
    let topic = json!({
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$",
        "maxLength": TOPIC_LIMIT,
        "description": "Words with dots between them.",
    });
    json!({
        "operationId": format!("POST {TOPIC}"),
        "summary": "Tell an event",
        "tags": [parts::OWN_TAG],
        "parameters": [{ "name": "topic", "in": "path", "required": true, "schema": topic }],
        "requestBody": { "required": false, "content": { "application/json": { "schema": {} } } },
        "responses": responses,
    })
}
