//! A gateway in front of a shop, as the real one would answer: `cart` adds and fails in every way,
//! `stock` is beside it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stub::{Deed, Request, Stub};

/// The shop, which trusts everybody.
pub fn open() -> Stub {
    Stub::start(|request| answer(request, None))
}

/// The shop, for those who bring this token.
pub fn open_to(token: &'static str) -> Stub {
    Stub::start(move |request| answer(request, Some(token)))
}

fn answer(request: &Request, token: Option<&str>) -> Deed {
    let brought = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let may = token.is_none() || brought == token;
    let host = request.header("host").unwrap_or_default();
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/api") => rpc(request, may, |method, params| at_the_door(host, method, params)),
        ("POST", "/api/cart") => rpc(request, may, cart),
        ("POST", "/api/caf%C3%A9") => rpc(request, may, |_, _| Ok(json!("un"))),
        _ if !may => problem(401, "denied", "who asks?"),
        ("GET", "/cart/items?customer=ann%20b") => rest(200, json!(["socks"])),
        ("GET", "/cart/items") => rest(200, json!([])),
        ("POST", "/cart/items") => rest(201, request.json()),
        ("DELETE", "/cart/items") => Deed::Answer { status: 204, headers: cost("ack"), body: String::new() },
        ("GET", "/cart/text") => {
            Deed::Answer { status: 200, headers: vec![("Content-Type", "text/plain".into())], body: "plain\n".into() }
        }
        ("GET", "/cart/nasty") => {
            let body = "a\tb\r\n\u{1b}[2Jc\u{202e}".to_owned();
            Deed::Answer { status: 200, headers: vec![("Content-Type", "text/plain".into())], body }
        }
        ("GET", "/cart/late") => problem(504, "timed_out", "the cart did not answer in time"),
        ("GET", "/gone/items") => problem(503, "undelivered", "no route to `gone`"),
        ("GET", "/cart/nothing") => problem(404, "not_understood", "the cart has no such endpoint"),
        ("POST", "/events/orders.placed") => Deed::with_status(202, &json!({"receivers": 2})),
        ("POST", "/events/no.one") => Deed::with_status(202, &json!({"receivers": 0})),
        ("POST", "/events/not%20a%20topic") => problem(400, "not_understood", "`not a topic` is no topic"),
        ("GET", "/events?pattern=orders.%2A") => Deed::Stream(
            vec![": welcome\n\n".into(), event("orders.placed", 1), event("orders.paid", 2), event("orders.sent", 3)],
            Duration::from_millis(5),
        ),
        _ => problem(404, "undelivered", "there is no such service"),
    }
}

fn event(topic: &str, number: u64) -> String {
    let data = json!({
        "topic": topic, "from": "orders", "at_ns": number * 1_000_000, "trace_id": "7f", "body": {"number": number},
    });
    format!("data: {data}\n\n")
}

fn cost(outcome: &str) -> Vec<(&'static str, String)> {
    vec![
        ("Content-Type", "application/json".to_owned()),
        ("Rehearsal-Outcome", outcome.to_owned()),
        ("Rehearsal-Elapsed", "0.042000000".to_owned()),
        ("Rehearsal-Hops", "3".to_owned()),
    ]
}

fn rest(status: u16, body: Value) -> Deed {
    Deed::Answer { status, headers: cost("reply"), body: body.to_string() }
}

fn problem(status: u16, outcome: &str, detail: &str) -> Deed {
    let body = json!({"type": "about:blank", "title": "It did not work", "status": status, "detail": detail, "outcome": outcome, "definite": status != 504});
    let headers = vec![("Content-Type", "application/problem+json".to_owned())];
    Deed::Answer { status, headers, body: body.to_string() }
}

/// One call, or a batch of them, answered from the last to the first.
fn rpc(request: &Request, may: bool, method: impl Fn(&str, &Value) -> Result<Value, Value>) -> Deed {
    let one = |call: &Value| {
        let id = call.get("id")?;
        let verdict = match may {
            true => method(call["method"].as_str().unwrap_or_default(), call.get("params").unwrap_or(&Value::Null)),
            false => Err(error(-32001, "Denied", "denied", true)),
        };
        Some(match verdict {
            Ok(result) => json!({"jsonrpc": "2.0", "result": result, "id": id}),
            Err(error) => json!({"jsonrpc": "2.0", "error": error, "id": id}),
        })
    };
    let answer = match request.json() {
        Value::Array(calls) => Some(Value::from(calls.iter().rev().filter_map(one).collect::<Vec<_>>())),
        call => one(&call),
    };
    match answer {
        Some(answer) if answer != json!([]) => {
            Deed::Answer { status: 200, headers: cost("reply"), body: answer.to_string() }
        }
        _ => Deed::Answer { status: 204, headers: Vec::new(), body: String::new() },
    }
}

fn error(code: i64, message: &str, outcome: &str, definite: bool) -> Value {
    let data = json!({"type": "OutOfStock", "message": "no socks left", "outcome": outcome, "definite": definite, "elapsed_ns": 42_000_000, "hops": 3});
    json!({"code": code, "message": message, "data": data})
}

fn cart(method: &str, params: &Value) -> Result<Value, Value> {
    let number = |name: &str, at: usize| params.get(name).or(params.get(at)).and_then(Value::as_i64);
    match method {
        "add" => match (number("a", 0), number("b", 1)) {
            (Some(a), Some(b)) => Ok(json!(a + b)),
            _ => Err(json!({"code": -32602, "message": "Invalid params"})),
        },
        "echo" => Ok(params.clone()),
        "nothing" => Ok(Value::Null),
        "fail" => Err(error(-32000, "Error", "error", false)),
        "refuse" => Err(error(-32002, "Nack", "nack", true)),
        "late" => Err(error(-32003, "Timed out", "timed_out", false)),
        "lost" => Err(error(-32004, "Undelivered", "undelivered", true)),
        "broken" => Err(error(-32005, "Interrupted", "interrupted", false)),
        "inspect" => Ok(inspection("cart")),
        "get_service_specs" => {
            Ok(json!({"name": "cart", "host": "127.0.0.1", "methods": {"add": "Adds.", "echo": null}, "node": "edge"}))
        }
        _ => Err(json!({"code": -32601, "message": "Method not found"})),
    }
}

fn inspection(service: &str) -> Value {
    let add = json!({
        "name": "add", "doc": "Adds two numbers.", "replies": "i64", "raises": ["Overflow"],
        "params": [{"name": "a", "type": "i64"}, {"name": "b", "type": "i64"}],
    });
    json!({"service": service, "interfaces": [{"name": "cart", "version": "1.0", "methods": [add]}]})
}

fn at_the_door(host: &str, method: &str, params: &Value) -> Result<Value, Value> {
    let name = params["name"].as_str().unwrap_or_default();
    match (method, name) {
        ("inspect", _) => Ok(json!([inspection("stock"), inspection("cart")])),
        ("locate_service", "cart" | "c*" | "ca?t") => Ok(json!([format!("http://{host}/api/cart")])),
        ("locate_service", "*") => {
            Ok(json!([format!("http://{host}/api/cart"), format!("http://{host}/api/stock"), "http://127.0.0.1:1/api"]))
        }
        ("locate_service", "nobody") => Ok(json!(null)),
        ("locate_service", _) => Ok(json!([])),
        ("ping", _) => Ok(Value::Null),
        _ => match method.strip_prefix("cart.") {
            Some(method) => cart(method, params),
            None => Err(json!({"code": -32601, "message": "Method not found"})),
        },
    }
}
