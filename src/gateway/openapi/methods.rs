//! Methods of services, as requests in JSON-RPC.
//!
//! Whatever comes is answered, in JSON-RPC, with 200: a method that is not there, or parameters that are
//! other ones, are errors of JSON-RPC, not of HTTP. So the schema of a body says which requests there are,
//! and that anything else will be answered too.

use rehearsal_actors::outside::catalogue::{InterfaceOffer, Listed, MethodDescription, Offered, Schemas};
use serde_json::{Map, Value, json};

use super::endpoints::segment;
use super::parts::{self, OF_ANY, OF_BODIES, by_gateway, crossing, schema};
use super::{For, View, add_operation};
use crate::gateway::place::{Place, locate};

/// Methods that every service has, and what they do.
const OF_ALL: [(&str, &str); 2] =
    [("get_service_specs", "Says what its methods are."), ("inspect", "Says what its interfaces are.")];

/// The gateway's own methods, what they do, and what they take: see [`calls`](crate::gateway::calls).
fn own(view: &View<'_>) -> Vec<Value> {
    let name = || json!({ "type": "string" });
    let by_name = |params: Value, needed: &[&str]| json!({ "type": "object", "properties": params, "required": needed, "additionalProperties": false });
    let ttl = json!({ "description": "Seconds that it counts for.", "type": "number", "exclusiveMinimum": 0 });
    let with_url = json!({ "name": name(), "url": { "type": "string", "format": "uri" }, "ttl": ttl });
    let port = json!({ "type": "integer", "minimum": 1, "maximum": 65535 });
    let with_host = json!({ "name": name(), "host": name(), "port": port, "ttl": ttl });
    let ping = json!({ "anyOf": [by_name(with_url, &["name", "url"]), by_name(with_host, &["name", "host", "port"])] });
    let one_name = json!({ "type": "array", "prefixItems": [name()], "minItems": 1, "maxItems": 1 });
    let locate = json!({ "anyOf": [by_name(json!({ "name": name() }), &["name"]), one_name] });
    let mut requests = Vec::new();
    if view.access(|shown| view.exposure.shows_anything(shown)).is_some() {
        requests.push(with_params(
            "locate_service",
            "Says where services of that name are, `*` and `?` in it.",
            locate,
        ));
        requests.push(without_params("get_service_specs", "Says what the gateway is."));
        requests.push(without_params("inspect", "Says what the services are."));
    }
    if view.access(|shown| view.exposure.shows("ping", shown)).is_some() {
        requests.push(with_params("ping", "Says that a service outside is there.", ping));
    }
    requests
}

/// Adds the place for all services, and the place of each that whoever looks may ask.
pub(super) fn add(view: &View<'_>, services: &[Listed], paths: &mut Map<String, Value>) {
    let mut all = own(view);
    for service in services {
        let Some(offered) = &service.offered else { continue };
        let name = &service.name;
        let is_shown = |method: &str, shown| view.exposure.shows_method(name, method, shown);
        let may = |method: &str| view.access(|shown| is_shown(method, shown));
        let requests = |prefix: &str| requests(offered, prefix, &|method| may(method).is_some());
        let mut of_it = requests("");
        let any = may("");
        if any.is_some() {
            of_it.extend(OF_ALL.map(|(method, doc)| without_params(method, doc)));
        }
        if of_it.is_empty() {
            continue;
        }
        all.append(&mut requests(&format!("{name}.")));
        let path = format!("/api/{}", segment(name));
        if matches!(locate(&path), Ok(Place::ServiceApi(located)) if located == **name) {
            let mut operation = operation(&path, name, "Call a method of the service", of_it);
            // Whoever may not is told so in JSON-RPC.
            view.security(&mut operation, For::Everybody);
            add_operation(paths, path, "post", operation);
        }
    }
    let mut operation = operation("/api", parts::OWN_TAG, "Call a method of any service", all);
    view.security(&mut operation, For::Everybody);
    add_operation(paths, "/api".to_owned(), "post", operation);
}

fn operation(path: &str, tag: &str, summary: &str, requests: Vec<Value>) -> Value {
    let request = json!({ "title": "A request", "oneOf": requests });
    let batch = json!({ "title": "A batch", "type": "array", "minItems": 1, "items": {} });
    let anything = json!({ "title": "Anything else", "description": "It is answered with an error." });
    let kinds = if requests.is_empty() { vec![batch, anything] } else { vec![request, batch, anything] };
    let mut responses = by_gateway(OF_ANY.iter().chain(&OF_BODIES));
    let answers = json!({ "anyOf": [schema("Answer"), schema("Answers")] });
    responses.insert(
        "200".to_owned(),
        json!({
            "description": "The answer, good or bad; to a batch, all answers. The headers are those of a single request \
                that crossed the network.",
            "headers": crossing(false),
            "content": { "application/json": { "schema": answers } },
        }),
    );
    responses.insert("204".to_owned(), json!({ "description": "Taken; there was nothing to answer." }));
    json!({
        "operationId": format!("POST {path}"),
        "summary": summary,
        "tags": [tag],
        "requestBody": {
            "description": "JSON-RPC 2.0.",
            "required": true,
            "content": { "application/json": { "schema": { "anyOf": kinds } } },
        },
        "responses": responses,
    })
}

/// What a service may be asked, by methods with this in front of them.
fn requests(offered: &Offered, prefix: &str, may: &dyn Fn(&str) -> bool) -> Vec<Value> {
    let mut requests = Vec::new();
    for InterfaceOffer { description, schemas } in &offered.interfaces {
        for (method, schemas) in description.methods.iter().zip(schemas) {
            let in_full = format!("{}.{}", description.name, method.name);
            let is_alone = offered.method(&method.name).is_some_and(|(found, _)| std::ptr::eq(found, method));
            let names = is_alone.then(|| method.name.clone()).into_iter().chain([in_full]);
            let names: Vec<String> = names.filter(|name| may(name)).map(|name| format!("{prefix}{name}")).collect();
            if !names.is_empty() {
                requests.push(request(&names, method, schemas));
            }
        }
    }
    if offered.takes_any_call && may("") {
        let mut any = json!({ "type": "string" });
        if !prefix.is_empty() {
            any["description"] = format!("Any, behind `{prefix}`.").into();
        }
        let properties = json!({ "jsonrpc": { "const": "2.0" }, "method": any, "params": some(), "id": schema("Id") });
        requests.push(json!({ "type": "object", "properties": properties, "required": ["jsonrpc", "method"] }));
    }
    requests
}

fn request(names: &[String], method: &MethodDescription, schemas: &Schemas) -> Value {
    let (params, needed) = params(method, schemas);
    let replies = method.replies.as_deref().map(|replies| format!("Replies `{replies}`."));
    let doc: Vec<&str> = [method.doc.as_str()].into_iter().chain(replies.as_deref()).collect();
    let mut required = vec!["jsonrpc", "method"];
    required.extend(needed.then_some("params"));
    json!({
        "title": names[0],
        "description": doc.join(" "),
        "type": "object",
        "properties": {
            "jsonrpc": { "const": "2.0" },
            "method": { "enum": names },
            "params": params,
            "id": schema("Id"),
        },
        "required": required,
    })
}

fn with_params(method: &str, doc: &str, params: Value) -> Value {
    let mut request = without_params(method, doc);
    request["properties"]["params"] = params;
    request["required"] = json!(["jsonrpc", "method", "params"]);
    request
}

fn without_params(method: &str, doc: &str) -> Value {
    json!({
        "title": method,
        "description": doc,
        "type": "object",
        "properties": { "jsonrpc": { "const": "2.0" }, "method": { "const": method }, "id": schema("Id") },
        "required": ["jsonrpc", "method"],
    })
}

/// Parameters of which nothing is known.
fn some() -> Value {
    json!({ "type": ["array", "object"] })
}

/// The parameters of a method, by name and by position, and whether there have to be any.
fn params(method: &MethodDescription, schemas: &Schemas) -> (Value, bool) {
    let Schemas { whole, each } = schemas;
    let list = || json!({ "type": "array", "prefixItems": each, "minItems": each.len(), "maxItems": each.len() });
    let is_one_value = matches!(&method.params[..], [only] if only.name == "value");
    if method.params.is_empty() {
        return (json!({ "type": ["array", "object"], "maxItems": 0, "maxProperties": 0 }), false);
    }
    if whole.as_object().is_none_or(Map::is_empty) {
        return (some(), false);
    }
    if is_one_value && !has_field(whole, "value") {
        let named = json!({ "type": "object", "properties": { "value": whole }, "required": ["value"] });
        let itself = matches!(whole["type"].as_str(), Some("array" | "object")).then(|| whole.clone());
        let ways: Vec<Value> = [named, list()].into_iter().chain(itself).collect();
        return (json!({ "anyOf": ways }), true);
    }
    if whole["type"] == "object" {
        let needed = whole["required"].as_array().is_some_and(|required| !required.is_empty());
        return (json!({ "anyOf": [whole, list()] }), needed);
    }
    (whole.clone(), true)
}

fn has_field(schema: &Value, name: &str) -> bool {
    schema["properties"].get(name).is_some()
}
