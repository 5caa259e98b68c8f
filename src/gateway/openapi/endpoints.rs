//! Endpoints of services, as operations at paths.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rehearsal_actors::interfaces::rest::Method;
use rehearsal_actors::outside::catalogue::{EndpointDescription, Listed};
use serde_json::{Map, Value, json};

use super::parts::{OF_ANY, OF_BODIES, OF_SERVICES, by_gateway, by_services, crossing};
use super::{For, View, add_operation};
use crate::gateway::place::{Place, locate};

/// All that means something in a path, or in a template of one.
const IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same for several segments.
const IN_PATH: &AsciiSet = &IN_SEGMENT.remove(b'/');

/// A name as one segment of a path.
pub(super) fn segment(name: &str) -> String {
    utf8_percent_encode(name, IN_SEGMENT).to_string()
}

/// Adds every endpoint that whoever looks may ask.
pub(super) fn add(view: &View<'_>, services: &[Listed], paths: &mut Map<String, Value>) {
    for service in services {
        let name = &service.name;
        let prefix = format!("/{}", segment(name));
        // A name with a slash, or one of the gateway's own places, cannot be asked.
        if !matches!(locate(&prefix), Ok(Place::Service(located, _)) if located == **name && !name.contains('/')) {
            continue;
        }
        for endpoint in service.offered.iter().flat_map(|offered| &offered.endpoints) {
            let Template { path, params } = Template::of(&endpoint.pattern);
            let path = prefix.clone() + &path;
            let is_shown = |shown| view.exposure.shows_path(name, &endpoint.pattern, shown);
            let Some(access) = view.access(is_shown) else { continue };
            let operation = operation(view, access, name, &path, &params, endpoint);
            add_operation(paths, path, &endpoint.method.to_string().to_lowercase(), operation);
        }
    }
}

fn operation(
    view: &View<'_>,
    access: For,
    service: &str,
    path: &str,
    params: &[Param],
    endpoint: &EndpointDescription,
) -> Value {
    let mut responses = by_gateway(OF_ANY.iter().chain(&OF_BODIES));
    responses.append(&mut by_services(&OF_SERVICES));
    if access == For::Holders {
        responses.append(&mut by_gateway(&[401, 403]));
    }
    let said = |description: &str, always| {
        let content = json!({ "application/json": { "schema": {} } });
        json!({ "description": description, "headers": crossing(always), "content": content })
    };
    responses.insert("2XX".to_owned(), said("What the service says.", true));
    responses.insert("204".to_owned(), json!({ "description": "Done.", "headers": crossing(true) }));
    responses.insert("default".to_owned(), said("What else the service says.", true));
    let parameter = |param: &Param| {
        let schema = endpoint.params.get(&param.name).cloned().unwrap_or_else(|| json!({ "type": "string" }));
        let schema = if schema["type"] == "string" { with_letters(schema) } else { schema };
        let mut parameter = json!({ "name": param.name, "in": "path", "required": true, "schema": schema });
        if param.is_rest {
            parameter["description"] = "All that follows, with its slashes.".into();
        }
        parameter
    };
    let mut operation = json!({
        "operationId": format!("{} {path}", endpoint.method),
        "tags": [service],
        "responses": responses,
    });
    if !params.is_empty() {
        operation["parameters"] = params.iter().map(parameter).collect();
    }
    let has_body = matches!(endpoint.method, Method::Post | Method::Put);
    if let Some(schema) = endpoint.body.clone().or_else(|| has_body.then(|| json!({}))) {
        let required = !admits_null(&schema);
        operation["requestBody"] =
            json!({ "required": required, "content": { "application/json": { "schema": schema } } });
    }
    view.security(&mut operation, access);
    operation
}

/// An empty segment is no segment.
fn with_letters(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.entry("minLength").or_insert_with(|| 1.into());
    }
    schema
}

/// Whether null will do, so that there need not be a body.
fn admits_null(schema: &Value) -> bool {
    let one_of = |name: &str| schema[name].as_array().is_some_and(|either| either.iter().any(admits_null));
    schema.as_object().is_some_and(Map::is_empty) || schema["type"] == "null" || one_of("anyOf")
}

/// A parameter in a pattern.
#[derive(Debug, PartialEq, Eq)]
struct Param {
    name: String,
    /// Whether it is all that follows.
    is_rest: bool,
}

/// A pattern of endpoints as OpenAPI writes it.
#[derive(Debug, PartialEq, Eq)]
struct Template {
    path: String,
    params: Vec<Param>,
}

impl Template {
    /// Patterns have parameters in braces, with a star in front of one that is all that follows; two braces
    /// are one that is meant as such.
    fn of(pattern: &str) -> Self {
        let (mut path, mut params) = (String::new(), Vec::new());
        let mut rest = pattern;
        while let Some(at) = rest.find(['{', '}']) {
            let (literal, from) = rest.split_at(at);
            path.extend(utf8_percent_encode(literal, IN_PATH));
            let is_brace = from.starts_with("{{") || from.starts_with("}}");
            let end = from.find('}').filter(|_| !is_brace);
            if let Some(end) = end.filter(|_| from.starts_with('{')) {
                let name = &from[1..end];
                let (name, is_rest) = name.strip_prefix('*').map_or((name, false), |name| (name, true));
                path.push_str(&format!("{{{name}}}"));
                params.push(Param { name: name.to_owned(), is_rest });
                rest = &from[end + 1..];
            } else {
                path.extend(utf8_percent_encode(&from[..1], IN_PATH));
                rest = &from[if is_brace { 2 } else { 1 }..];
            }
        }
        path.extend(utf8_percent_encode(rest, IN_PATH));
        Template { path, params }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use rehearsal_actors::outside::catalogue::Offered;

    use super::*;
    use crate::gateway::exposure::{Exposure, Shown};
    use crate::gateway::jsonrpc::Style;

    #[test]
    fn only_services_that_a_path_leads_to_are_described_and_their_names_are_escaped() {
        let endpoint =
            EndpointDescription { pattern: "/x".to_owned(), method: Method::Get, params: BTreeMap::new(), body: None };
        let offered = Arc::new(Offered { endpoints: vec![endpoint], ..Offered::default() });
        let listed = |name: &str| Listed {
            name: name.to_owned(),
            node: "edge".to_owned(),
            running: true,
            within_reach: true,
            offered: Some(offered.clone()),
        };
        let services = ["shop", "a {b}", "api", "metrics", "a/b", "..", ""].map(listed);
        let view = View { exposure: &Exposure::default(), shown: Shown::Nothing, style: Style::Strict };
        let mut paths = Map::new();
        add(&view, &services, &mut paths);
        assert_eq!(paths.keys().collect::<Vec<_>>(), ["/a%20%7Bb%7D/x", "/shop/x"]);
    }

    #[test]
    fn patterns_become_templates() {
        let param = |name: &str, is_rest| Param { name: name.to_owned(), is_rest };
        for (pattern, path, params) in [
            ("/", "/", vec![]),
            ("/items/{id}", "/items/{id}", vec![param("id", false)]),
            ("/a/{b}/c/{d}.json", "/a/{b}/c/{d}.json", vec![param("b", false), param("d", false)]),
            ("/files/{*path}", "/files/{path}", vec![param("path", true)]),
            ("/{{x}}/caf\u{e9} au lait", "/%7Bx%7D/caf%C3%A9%20au%20lait", vec![]),
        ] {
            assert_eq!(Template::of(pattern), Template { path: path.to_owned(), params }, "{pattern}");
        }
    }

    #[test]
    fn a_body_that_may_be_null_need_not_be_there() {
        for (schema, admits) in [
            (json!({}), true),
            (json!({ "type": "null" }), true),
            (json!({ "anyOf": [{ "type": "object" }, { "type": "null" }] }), true),
            (json!({ "type": "object" }), false),
            (json!({ "anyOf": [{ "type": "object" }, { "type": "string" }] }), false),
        ] {
            assert_eq!(admits_null(&schema), admits, "{schema}");
        }
    }
}
