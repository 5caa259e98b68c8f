//! The description of what can be asked for.

use serde_json::{Value, json};

use crate::common::Stage;

fn described(stage: &Stage, headers: &[(&str, &str)]) -> Value {
    let told = stage.ask("GET", "/openapi.json", headers, b"");
    assert_eq!((told.status, told.header("content-type")), (200, Some("application/json")));
    told.json()
}

fn paths(document: &Value) -> Vec<String> {
    document["paths"].as_object().into_iter().flat_map(|paths| paths.keys().cloned()).collect()
}

/// Every `$ref` in it.
fn references(value: &Value, to: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| references(value, to)),
        Value::Object(members) => {
            to.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| references(value, to));
        }
        _ => {}
    }
}

#[test]
fn every_endpoint_and_method_is_described_and_every_place_of_the_gateway() {
    let stage = Stage::plain();
    let document = described(&stage, &[]);
    assert_eq!(document["openapi"], "3.1.0");
    let expected = [
        "/api",
        "/api/calc",
        "/api/hidden.calc",
        "/api/shop",
        "/events/{topic}",
        "/healthz",
        "/metrics",
        "/openapi.json",
        "/readyz",
        "/shop/",
        "/shop/items",
        "/shop/items/{id}",
        "/shop/panics",
        "/shop/status/{status}",
    ];
    for path in expected {
        assert!(paths(&document).iter().any(|described| described == path), "{path} in {:?}", paths(&document));
    }
    let item = &document["paths"]["/shop/items/{id}"];
    let methods: Vec<&String> = item.as_object().into_iter().flat_map(|methods| methods.keys()).collect();
    assert_eq!(methods, ["delete", "get", "put"]);
    assert_eq!(item["get"]["parameters"][0]["name"], "id");
    assert!(item["put"]["requestBody"].is_object() && item["get"].get("requestBody").is_none());

    let requests = &document["paths"]["/api/calc"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let requests = requests["anyOf"][0]["oneOf"].as_array().cloned().unwrap_or_default();
    let of_all = &document["paths"]["/api"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let of_all = of_all["anyOf"][0]["oneOf"].as_array().cloned().unwrap_or_default();
    for method in ["ping", "locate_service", "calc.subtract", "hidden.calc.subtract"] {
        assert!(of_all.iter().any(|request| request["title"] == method), "{method}");
    }
    let subtract = requests.iter().find(|request| request["title"] == "subtract");
    let properties = &subtract.expect("it is a method")["properties"];
    assert_eq!(properties["method"]["enum"], json!(["subtract", "calculator.subtract"]));
    assert_eq!(properties["params"]["anyOf"][0]["required"], json!(["minuend", "subtrahend"]));
}

#[test]
fn what_is_referred_to_is_there_and_no_operation_goes_by_the_name_of_another() {
    let stage = Stage::plain();
    let document = described(&stage, &[]);
    let mut all = Vec::new();
    references(&document, &mut all);
    assert!(!all.is_empty());
    for reference in all {
        let pointer = reference.strip_prefix('#').unwrap_or_default();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let mut names: Vec<&str> = Vec::new();
    for operations in document["paths"].as_object().into_iter().flat_map(|paths| paths.values()) {
        let operations = operations.as_object().into_iter().flat_map(|operations| operations.values());
        names.extend(operations.filter_map(|operation| operation["operationId"].as_str()));
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn the_same_services_give_the_same_text() {
    let (one, other) = (Stage::plain(), Stage::plain());
    assert_eq!(one.get("/openapi.json").body, other.get("/openapi.json").body);
}

#[test]
fn whoever_asks_sees_what_they_may_ask_for() {
    let stage = Stage::with(|server| server.token("secret").expose(["shop", "calc.subtract"]));
    let token = ("authorization", "Bearer secret");
    let everybody = described(&stage, &[]);
    let of_services = |document: &Value| -> Vec<String> {
        let is_services = |path: &&String| path.starts_with("/shop/items") || path.starts_with("/api/");
        paths(document).iter().filter(is_services).cloned().collect()
    };
    assert_eq!(of_services(&everybody), ["/api/calc", "/api/shop", "/shop/items", "/shop/items/{id}"]);
    assert!(!everybody.to_string().contains("hidden"), "not even the name");
    let methods = &everybody["paths"]["/api/calc"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let methods = methods["anyOf"][0]["oneOf"].as_array().map(Vec::len);
    assert_eq!(methods, Some(1), "one method, by its short name");

    let holder = described(&stage, &[token]);
    assert_eq!(of_services(&holder)[1], "/api/hidden.calc");
    let security = |document: &Value, path: &str| document["paths"][path]["post"]["security"].clone();
    assert_eq!(security(&holder, "/events/{topic}"), json!([{ "token": [] }]));
    assert_eq!(security(&holder, "/shop/items"), json!([{}, { "token": [] }]));
    assert_eq!(holder["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    assert!(!paths(&everybody).contains(&"/events/{topic}".to_owned()));
}

#[test]
fn methods_that_nothing_is_for_are_told_what_there_is() {
    let stage = Stage::plain();
    for (target, allowed) in [
        ("/shop/items", "POST"),
        ("/shop/items/7", "GET, HEAD, PUT, DELETE"),
        ("/shop/nothing/here", "GET, HEAD, POST, PUT, DELETE"),
        ("/openapi.json", "GET, HEAD"),
        ("/metrics", "GET, HEAD"),
    ] {
        let told = stage.ask("OPTIONS", target, &[], b"");
        assert_eq!((told.problem().0, told.header("allow")), (405, Some(allowed)), "{target}");
    }
}

#[test]
fn without_a_run_there_is_nothing_to_describe() {
    let mut stage = Stage::plain();
    stage.stop_run();
    assert_eq!(stage.get("/openapi.json").problem().0, 503);
}
