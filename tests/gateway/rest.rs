//! Requests to endpoints over HTTP.

use serde_json::{Value, json};

use crate::common::Stage;

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn what_is_asked_comes_to_the_service_and_what_it_says_comes_back() {
    let stage = Stage::plain();
    let told = stage.get("/shop/items/7?size=10&tag=a&tag=b%26c+d");
    assert_eq!(told.status, 200);
    assert_eq!(told.header("content-type"), Some("application/json"));
    assert_eq!(
        told.json(),
        json!({
            "method": "GET", "params": { "id": "7" }, "body": null,
            "query": [["size", "10"], ["tag", "a"], ["tag", "b&c d"]],
        })
    );
    let made = stage.ask("POST", "/shop/items", &[JSON], br#"{"name": "tea"}"#);
    assert_eq!((made.status, &made.json()["body"]), (201, &json!({ "name": "tea" })));
    let put = stage.ask("PUT", "/shop/items/7", &[JSON], b"[1]");
    assert_eq!((put.status, &put.json()["method"]), (200, &json!("PUT")));
    let gone = stage.ask("DELETE", "/shop/items/7", &[], b"");
    assert_eq!((gone.status, gone.body.len(), gone.header("rehearsal-outcome")), (204, 0, Some("ack")));
    let head = stage.ask("HEAD", "/shop/items/7", &[], b"");
    assert_eq!((head.status, head.body.len(), head.header("rehearsal-outcome")), (200, 0, Some("reply")));
    assert_eq!(stage.get("/shop").json()["method"], "GET");
    assert_eq!(stage.get("/shop/").status, 200);
}

#[test]
fn the_headers_tell_of_the_way() {
    let stage = Stage::plain();
    let told = stage.get("/shop/items/7");
    assert_eq!((told.header("rehearsal-outcome"), told.header("rehearsal-hops")), (Some("reply"), Some("1")));
    let elapsed: f64 = told.header("rehearsal-elapsed").and_then(|text| text.parse().ok()).unwrap_or_default();
    assert!((0.010..0.2).contains(&elapsed), "twice 5 ms, not {elapsed}");
}

#[test]
fn escapes_are_resolved_once_and_keep_segments_apart() {
    let stage = Stage::plain();
    for (target, id) in [
        ("/shop/items/a%2Fb", "a/b"),
        ("/shop/items/a%252Fb", "a%2Fb"),
        ("/shop/items/caf%C3%A9", "café"),
        ("/shop/it%65ms/a%20b", "a b"),
        ("/%73hop/items/%3F", "?"),
        ("/shop/items/a+b", "a+b"),
        ("/shop/items/100%25", "100%"),
    ] {
        assert_eq!(stage.get(target).json()["params"]["id"], id, "{target}");
    }
    for target in ["/shop/items/%", "/shop/items/%ff", "/shop/../api", "/shop/items/%2e%2e", "/shop/items/1?a=%ff"] {
        assert_eq!(stage.get(target).problem().0, 400, "{target}");
    }
}

#[test]
fn where_the_service_says_nothing_the_problem_is_described() {
    let stage = Stage::plain();
    for (method, target, status, outcome, definite) in [
        ("GET", "/nobody/items", 404, "undelivered", true),
        ("GET", "/shop%2Fitems/7", 404, "undelivered", true),
        ("GET", "/shop/nothing/here", 404, "not_understood", true),
        ("DELETE", "/shop/items", 405, "not_understood", true),
        ("GET", "/shop/panics", 500, "error", false),
        ("GET", "/shop/status/999", 502, "error", false),
        ("GET", "/shop/status/99", 502, "reply", false),
    ] {
        let told = stage.ask(method, target, &[], b"");
        let (said, _) = told.problem();
        let problem = told.json();
        assert_eq!(
            (said, problem["outcome"].as_str(), problem["definite"].as_bool(), problem["instance"].as_str()),
            (status, Some(outcome), Some(definite), Some(target)),
            "{method} {target}"
        );
        assert_eq!(told.header("rehearsal-outcome"), Some(outcome), "{target}");
    }
    assert_eq!(stage.ask("DELETE", "/shop/items", &[], b"").header("allow"), Some("POST"));
    assert_eq!(stage.ask("POST", "/shop/items/7", &[], b"").header("allow"), Some("GET, HEAD, PUT, DELETE"));
    let patch = stage.ask("PATCH", "/shop/items/7", &[], b"");
    assert_eq!((patch.problem().0, patch.header("allow")), (405, Some("GET, HEAD, PUT, DELETE")));
    assert_eq!(stage.get("/").problem().0, 404);
    assert_eq!(stage.get("/metrics/x").problem().0, 404);
}

#[test]
fn status_and_body_are_the_service_s_own() {
    let stage = Stage::plain();
    for status in [200, 202, 400, 404, 409, 500, 503, 504] {
        let told = stage.get(&format!("/shop/status/{status}"));
        assert_eq!((told.status, told.json()), (status, json!({ "mine": true })));
        assert_eq!(told.header("content-type"), Some("application/json"));
    }
    for status in [204, 304] {
        let told = stage.get(&format!("/shop/status/{status}"));
        assert_eq!((told.status, told.body.len()), (status, 0));
    }
}

#[test]
fn bodies_are_json_or_nothing() {
    let stage = Stage::plain();
    let post = |headers: &[(&str, &str)], body: &[u8]| stage.ask("POST", "/shop/items", headers, body);
    assert_eq!(post(&[], b"").json()["body"], Value::Null);
    assert_eq!(post(&[("content-type", "application/merge-patch+json")], b"1").status, 201);
    assert_eq!(post(&[("content-type", "text/plain")], b"1").problem().0, 415);
    assert_eq!(post(&[], b"1").problem().0, 415);
    for broken in [&b"{"[..], b"\xff", b"1 2", b"{\"a\": \"\\ud800\"}", b"1e999"] {
        assert_eq!(post(&[JSON], broken).problem().0, 400, "{}", String::from_utf8_lossy(broken));
    }
    stage.answers();
}
