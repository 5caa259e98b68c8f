//! Who may ask for what, and how much.

use std::time::{Duration, Instant};

use rehearsal::gateway::Limits;
use serde_json::json;

use crate::common::Stage;
use crate::common::http::{PATIENCE, request};

const JSON: (&str, &str) = ("content-type", "application/json");

fn limited(change: impl FnOnce(&mut Limits)) -> Stage {
    let mut limits = Limits::default();
    change(&mut limits);
    Stage::with(|server| server.limits(limits))
}

#[test]
fn what_is_too_large_is_refused_with_the_status_that_says_so() {
    let stage = limited(|limits| (limits.body, limits.target, limits.headers, limits.header_bytes) = (100, 60, 5, 200));
    let body = |length: usize| format!("\"{}\"", "x".repeat(length - 2)).into_bytes();
    assert_eq!(stage.ask("POST", "/shop/items", &[JSON], &body(100)).status, 201);
    assert_eq!(stage.ask("POST", "/shop/items", &[JSON], &body(101)).problem().0, 413);
    // The same where nobody says beforehand how long it is.
    let mut client = stage.client();
    let head = request("POST", "/shop/items", &[JSON, ("transfer-encoding", "chunked")], b"");
    assert!(client.send(&head) && client.send(b"40\r\n") && client.send(&[b'1'; 64]));
    assert!(client.send(b"\r\n40\r\n") && client.send(&[b'1'; 64]) && client.send(b"\r\n0\r\n\r\n"));
    assert_eq!(client.read("POST").map(|response| response.problem().0), Some(413));

    let target = |length: usize| format!("/shop/items/{}", "x".repeat(length - "/shop/items/".len()));
    assert_eq!(stage.get(&target(60)).status, 200);
    assert_eq!(stage.get(&target(61)).problem().0, 414);
    // `host` is one of them.
    let headers = |count: usize| vec![("x", "y"); count - 1];
    assert_eq!(stage.ask("GET", "/shop", &headers(5), b"").status, 200);
    assert_eq!(stage.ask("GET", "/shop", &headers(6), b"").problem().0, 431);
    assert_eq!(stage.ask("GET", "/shop", &[("x", &"y".repeat(200))], b"").problem().0, 431);
    stage.answers();
}

#[test]
fn depth_and_batches_have_bounds() {
    let stage = limited(|limits| (limits.depth, limits.batch) = (4, 3));
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(stage.post("/shop/items", &nested(4)).status, 201);
    assert_eq!(stage.post("/shop/items", &nested(5)).problem().0, 400);
    let code = |body: &str| stage.post("/api", body).json()["error"]["code"].as_i64();
    assert_eq!(code(&nested(5)), Some(-32700));
    assert_eq!(code("[1, 2, 3, 4]"), Some(-32600));
    assert_eq!(stage.post("/api", "[1, 2, 3]").json().as_array().map(Vec::len), Some(3));
}

#[test]
fn requests_at_once_have_a_bound_and_health_is_told_all_the_same() {
    let stage = limited(|limits| limits.in_flight = 2);
    let sleep = r#"{"jsonrpc": "2.0", "method": "sleep", "params": [500], "id": 1}"#;
    let mut busy: Vec<_> = (0..2).map(|_| stage.client()).collect();
    for client in &mut busy {
        assert!(client.send(&request("POST", "/api/calc", &[JSON], sleep.as_bytes())));
    }
    while stage.entrance.visitors() < 2 {
        std::thread::yield_now();
    }
    let refused = stage.get("/shop");
    assert_eq!((refused.problem().0, refused.header("retry-after")), (503, Some("1")));
    assert_eq!((stage.get("/healthz").status, stage.get("/readyz").status), (200, 200));
    for client in &mut busy {
        assert_eq!(client.read("POST").map(|response| response.status), Some(200));
    }
    stage.answers();
}

#[test]
fn connections_at_once_have_a_bound_and_who_comes_then_is_told() {
    let stage = limited(|limits| limits.connections = 2);
    let mut kept: Vec<_> = (0..2).map(|_| stage.client()).collect();
    for client in &mut kept {
        assert_eq!(client.ask("GET", "/shop", &[], b"").status, 200);
    }
    let mut late = stage.client();
    let refused = late.ask("GET", "/shop", &[], b"");
    assert_eq!((refused.problem().0, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(refused.header("connection"), Some("close"));
    assert!(late.is_closed());
    // How the gateway is, is told all the same; and who says nothing is not kept.
    let mut health = stage.client();
    assert_eq!((health.ask("GET", "/healthz", &[], b"").status, health.is_closed()), (200, true));
    assert!(stage.client().is_closed());
    // Those who were there before do not notice, and whoever leaves makes room.
    assert_eq!(kept[0].ask("GET", "/shop", &[], b"").status, 200);
    kept.pop();
    let began = Instant::now();
    while stage.get("/shop").status != 200 {
        assert!(began.elapsed() < PATIENCE, "there is room");
    }
}

#[test]
fn nobody_waits_for_ever() {
    let stage = limited(|limits| limits.answer_time = Duration::from_millis(200));
    let sleep = r#"{"jsonrpc": "2.0", "method": "sleep", "params": [1500], "id": 1}"#;
    let error = stage.post("/api/calc", sleep).json()["error"].clone();
    assert_eq!((error["code"].as_i64(), &error["data"]["outcome"]), (Some(-32003), &json!("timed_out")));
}

#[test]
fn what_is_not_exposed_is_for_those_who_show_the_token() {
    let stage = Stage::with(|server| server.token("secret").expose(["calc", "hidden.calc.sum"]));
    let (good, bad) = (("authorization", "Bearer secret"), ("authorization", "Bearer guess"));
    let rest = |headers: &[(&str, &str)]| stage.ask("GET", "/shop", headers, b"");
    let refused = rest(&[]);
    assert_eq!((refused.problem().0, refused.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!((rest(&[bad]).problem().0, rest(&[good]).status), (403, 200));

    let code = |method: &str, headers: &[(&str, &str)]| {
        let body = json!({ "jsonrpc": "2.0", "method": method, "params": [[1, 2]], "id": 1 }).to_string();
        let headers = [&[JSON], headers].concat();
        stage.ask("POST", "/api", &headers, body.as_bytes()).json()["error"]["code"].as_i64()
    };
    assert_eq!(code("calc.sum", &[]), None);
    assert_eq!(code("hidden.calc.sum", &[]), None);
    assert_eq!(code("hidden.calc.echo", &[]), Some(-32001));
    assert_eq!(code("hidden.calc.echo", &[bad]), Some(-32001));
    assert_eq!(code("hidden.calc.echo", &[good]), None);
    assert_eq!(stage.get("/healthz").status, 200);
    // Who may not ask is not told who is there.
    for (method, headers, expected) in [
        ("shop.x", &[][..], -32001),
        ("nobody.x", &[], -32001),
        ("nobody.x.y", &[bad], -32001),
        ("nobody.x", &[good], -32601),
        ("nobody", &[], -32601),
    ] {
        assert_eq!(code(method, headers), Some(expected), "{method}");
    }
}

#[test]
fn what_the_gateway_does_itself_is_asked_for_at_its_own_place() {
    let stage = Stage::plain();
    for method in ["ping", "get_service_specs"] {
        let call = json!({ "jsonrpc": "2.0", "method": method, "id": 1 }).to_string();
        let error = stage.post("/api/gateway", &call).json()["error"].clone();
        assert_eq!(error["code"], -32601);
        let detail = error["data"]["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("is the gateway") && detail.contains("`/api`"), "{error}");
    }
}

#[test]
fn pages_of_other_origins_may_read_what_they_are_allowed_to_and_nothing_by_default() {
    let origin = ("origin", "https://shop.example");
    let asks = [origin, ("access-control-request-method", "POST")];
    let plain = Stage::plain();
    assert_eq!(plain.ask("GET", "/shop", &[origin], b"").header("access-control-allow-origin"), None);
    assert_eq!(plain.ask("OPTIONS", "/api", &asks, b"").status, 405);
    drop(plain);

    let stage = Stage::with(|server| server.origins(["https://shop.example"]));
    let read = stage.ask("GET", "/shop", &[origin], b"");
    assert_eq!(read.header("access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(read.header("vary"), Some("origin"));
    let preflight = stage.ask("OPTIONS", "/api", &asks, b"");
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-headers"), Some("authorization, content-type"));
    // What is no such question is done, whatever its headers say.
    let posted = stage.ask("POST", "/shop/items", &[&asks[..], &[JSON]].concat(), b"1");
    assert_eq!((posted.status, &posted.json()["method"]), (201, &json!("POST")));
    let other = stage.ask("GET", "/shop", &[("origin", "https://other.example")], b"");
    assert_eq!(other.header("access-control-allow-origin"), None);
}
