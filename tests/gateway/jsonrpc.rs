//! JSON-RPC over HTTP, to services of a run.

use rehearsal::gateway::jsonrpc::Style;
use serde_json::{Value, json};

use crate::common::Stage;
use crate::common::http::Response;

fn call(stage: &Stage, target: &str, method: &str, params: Value) -> Response {
    let request = json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": 1 });
    stage.post(target, &request.to_string())
}

fn result(stage: &Stage, target: &str, method: &str, params: Value) -> Value {
    let response = call(stage, target, method, params);
    assert_eq!(response.status, 200);
    response.json()["result"].clone()
}

#[test]
fn every_example_of_the_specification_is_answered_as_it_says() {
    let stage = Stage::plain();
    let examples: Value = serde_json::from_str(include_str!("specification.json")).expect("the examples are JSON");
    for example in examples.as_array().into_iter().flatten() {
        let response = stage.post("/api/calc", example["sent"].as_str().unwrap_or_default());
        if example["answered"].is_null() {
            assert_eq!((response.status, response.body.len()), (204, 0), "{example}");
            continue;
        }
        let mut answered = response.json();
        let answers = match &mut answered {
            Value::Array(answers) => answers.iter_mut().collect(),
            single => vec![single],
        };
        for answer in answers {
            if let Some(error) = answer.get_mut("error").and_then(Value::as_object_mut) {
                error.remove("data");
            }
        }
        assert_eq!((response.status, answered), (200, example["answered"].clone()), "{example}");
    }
}

#[test]
fn the_method_names_the_service_and_the_longest_name_that_fits_is_meant() {
    let stage = Stage::plain();
    for (target, method) in [
        ("/api", "calc.subtract"),
        ("/api", "calc.calculator.subtract"),
        ("/api", "hidden.calc.subtract"),
        ("/api", "hidden.calc.calculator.subtract"),
        ("/api/calc", "subtract"),
        ("/api/calc", "calculator.subtract"),
        ("/api/hidden.calc", "subtract"),
        ("/api/hidden%2Ecalc", "subtract"),
    ] {
        assert_eq!(result(&stage, target, method, json!([42, 23])), 19, "{target} {method}");
    }
    for (target, method, code) in [
        ("/api", "subtract", -32601),
        ("/api", "nobody.subtract", -32601),
        ("/api", ".", -32601),
        ("/api", "", -32601),
        ("/api", "calc.", -32601),
        ("/api", "calc.multiply", -32601),
        ("/api", &"a.".repeat(2000), -32601),
        // What stands in the path should be there.
        ("/api/nobody", "subtract", -32004),
        ("/api/calc%2F", "subtract", -32004),
    ] {
        let response = call(&stage, target, method, json!([]));
        assert_eq!(
            (response.status, response.json()["error"]["code"].as_i64()),
            (200, Some(code)),
            "{target} {method}"
        );
    }
}

#[test]
fn parameters_become_what_the_method_takes() {
    let stage = Stage::plain();
    for (method, params, expected) in [
        ("subtract", json!({ "subtrahend": 23, "minuend": 42 }), json!(19)),
        ("divide", json!([42, 6]), json!(7)),
        ("sum", json!([1, 2, 4]), json!(7)),
        ("sum", json!([[1, 2, 4]]), json!(7)),
        ("sum", json!({ "value": [1, 2, 4] }), json!(7)),
        ("echo", json!({ "value": { "a": [1.5, null] } }), json!({ "a": [1.5, null] })),
        ("echo", json!({ "a": 1, "b": 2 }), json!({ "a": 1, "b": 2 })),
        ("get_data", json!([]), json!(["hello", 5])),
        ("get_data", json!({}), json!(["hello", 5])),
        ("note", json!(["x"]), Value::Null),
    ] {
        assert_eq!(result(&stage, "/api/calc", method, params.clone()), expected, "{method} {params}");
    }
}

#[test]
fn every_way_to_end_has_its_code_and_tells_what_is_known_of_the_way() {
    let stage = Stage::plain();
    for (method, params, code, outcome, definite) in [
        ("multiply", json!([]), -32601, "not_understood", true),
        ("subtract", json!([1]), -32602, "not_understood", true),
        ("subtract", json!({ "minuend": "a" }), -32602, "not_understood", true),
        ("divide", json!([1, 0]), -32000, "error", false),
        ("forbid", json!([]), -32001, "denied", true),
        ("refuse", json!([]), -32002, "nack", true),
        ("panics", json!([]), -32000, "error", false),
    ] {
        let response = call(&stage, "/api/calc", method, params);
        let error = &response.json()["error"];
        let data = &error["data"];
        assert_eq!(
            (error["code"].as_i64(), data["outcome"].as_str(), data["definite"].as_bool(), data["hops"].as_u64()),
            (Some(code), Some(outcome), Some(definite), Some(1)),
            "{method}: {error}"
        );
        // There and back, at 5 ms each.
        assert!(data["elapsed_ns"].as_u64().is_some_and(|elapsed| elapsed >= 10_000_000), "{method}: {error}");
        assert_eq!(response.header("rehearsal-outcome"), Some(outcome));
    }
    let error = call(&stage, "/api/calc", "divide", json!([1, 0])).json()["error"].clone();
    assert_eq!((&error["data"]["type"], &error["data"]["body"]), (&json!("NoDivisor"), &json!({ "by": 0 })));
    // Nobody waits for 2 s of virtual time, and nobody less.
    let response = call(&stage, "/api/calc", "sleep", json!([3000]));
    let error = &response.json()["error"];
    assert_eq!((error["code"].as_i64(), error["data"]["definite"].as_bool()), (Some(-32003), Some(false)));
    assert_eq!(response.header("rehearsal-elapsed"), Some("2.000000000"));
}

#[test]
fn a_reply_tells_how_long_it_was_under_way_in_virtual_time() {
    let stage = Stage::plain();
    let response = call(&stage, "/api/calc", "sleep", json!([30]));
    assert_eq!((response.header("rehearsal-outcome"), response.header("rehearsal-hops")), (Some("reply"), Some("1")));
    let elapsed: f64 = response.header("rehearsal-elapsed").and_then(|text| text.parse().ok()).unwrap_or_default();
    assert!((0.040..0.2).contains(&elapsed), "30 ms of work and twice 5 ms of way, not {elapsed}");
}

#[test]
fn a_batch_runs_side_by_side_and_is_answered_in_its_order() {
    let stage = Stage::plain();
    let sleeps = |count: u64| {
        let one = |i: u64| json!({ "jsonrpc": "2.0", "method": "calc.sleep", "params": [100 - i], "id": i });
        Value::from((0..count).map(one).collect::<Vec<_>>())
    };
    let began = std::time::Instant::now();
    let answers = stage.post("/api", &sleeps(16).to_string()).json();
    let took = began.elapsed();
    let ids: Vec<u64> = answers.as_array().into_iter().flatten().filter_map(|answer| answer["id"].as_u64()).collect();
    assert_eq!(ids, (0..16).collect::<Vec<_>>());
    // One after the other they would take 1.5 s.
    assert!(took.as_millis() < 1000, "{took:?}");
}

#[test]
fn notifications_are_carried_out_and_not_answered() {
    let mut stage = Stage::plain();
    let note = r#"{"jsonrpc": "2.0", "method": "calc.note", "params": ["x"]}"#;
    assert_eq!(stage.post("/api", note).status, 204);
    assert_eq!(stage.post("/api", &format!("[{note}, {note}]")).status, 204);
    // They are on their way before this one is.
    stage.answers();
    stage.stop_server();
    let report = stage.stop_run().expect("it ran");
    assert_eq!(report.counters.get("notes"), Some(&3));
}

#[test]
fn a_service_tells_what_it_can_do() {
    let stage = Stage::plain();
    let specs = result(&stage, "/api/calc", "get_service_specs", json!([]));
    assert_eq!(
        (&specs["name"], &specs["methods"]["divide"]),
        (&json!("calc"), &json!("Divides one number by another."))
    );
    assert_eq!(specs["port"], json!(stage.address().port()));
    let inspection = result(&stage, "/api", "calc.inspect", json!({}));
    assert_eq!(inspection["interfaces"][0]["methods"][0]["params"][1]["name"], "subtrahend");
    assert_eq!(result(&stage, "/api/calc", "ping", json!([])), Value::Null);
}

#[test]
fn null_members_are_there_for_clients_that_look_for_them() {
    let stage = Stage::with(|server| server.style(Style::NullMembers));
    let answer = call(&stage, "/api/calc", "subtract", json!([42, 23])).json();
    assert_eq!(answer, json!({ "jsonrpc": "2.0", "result": 19, "error": null, "id": 1 }));
    assert_eq!(call(&stage, "/api/calc", "foobar", json!([])).json().get("result"), Some(&Value::Null));
}

#[test]
fn only_json_that_says_so_is_read_and_only_by_post() {
    let stage = Stage::plain();
    let request = br#"{"jsonrpc": "2.0", "method": "calc.get_data", "id": 1}"#;
    for (media_type, status) in [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("application/json-rpc", 200),
        ("application/jsonrequest", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ] {
        assert_eq!(stage.ask("POST", "/api", &[("content-type", media_type)], request).status, status, "{media_type}");
    }
    assert_eq!(stage.ask("POST", "/api", &[], request).status, 415);
    let get = stage.get("/api");
    assert_eq!((get.problem().0, get.header("allow")), (405, Some("POST")));
}
