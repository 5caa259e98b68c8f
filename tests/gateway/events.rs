//! Events, from outside and to outside.

use rehearsal::gateway::Limits;
use serde_json::{Value, json};

use crate::common::Stage;
use crate::common::http::{Client, request};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A client that hears what fits a pattern.
fn listener(stage: &Stage, pattern: &str) -> Client {
    let mut client = stage.client();
    assert!(client.send(&request("GET", &format!("/events?pattern={pattern}"), &[], b"")));
    let head: Vec<String> = std::iter::from_fn(|| client.line().filter(|line| !line.is_empty())).collect();
    assert!(head[0].contains("200") && head.iter().any(|line| line == "content-type: text/event-stream"), "{head:?}");
    client
}

/// The next event: its topic and its data. It has no name of its own: a browser's `onmessage` hears those alone.
fn next(client: &mut Client) -> (String, Value) {
    loop {
        let line = client.line().expect("the stream goes on");
        assert!(!line.starts_with("event:"), "{line}");
        if let Some(data) = line.strip_prefix("data: ") {
            let data: Value = serde_json::from_str(data).expect("data is JSON");
            return (data["topic"].as_str().expect("it has a topic").to_owned(), data);
        }
    }
}

#[test]
fn what_is_told_outside_is_heard_inside_and_outside() {
    let mut stage = Stage::plain();
    let (mut some, mut all) = (listener(&stage, "order.*"), listener(&stage, "%23"));
    let told = |topic: &str, body: &str| {
        let response = stage.post(&format!("/events/{topic}"), body);
        assert_eq!(response.status, 202);
        response.json()["receivers"].clone()
    };
    // The shop hears of orders; the gateway of everything, on behalf of those outside.
    assert_eq!(told("order.placed", r#"{"item": "tea"}"#), 2);
    assert_eq!(told("weather", "[1.5]"), 1);
    assert_eq!(told("order.paid", ""), 2);

    let (topic, data) = next(&mut some);
    assert_eq!((&*topic, &data["from"]), ("order.placed", &json!("gateway")));
    assert_eq!((&data["body"], &data["missed"]), (&json!({ "item": "tea" }), &json!(0)));
    assert!(data["at_ns"].is_u64() && data["trace_id"].is_string());
    assert_eq!(next(&mut some).0, "order.paid");
    let heard: Vec<String> = (0..3).map(|_| next(&mut all).0).collect();
    assert_eq!(heard, ["order.placed", "weather", "order.paid"]);

    drop((some, all));
    // What was told before is there by now.
    stage.answers();
    stage.stop_server();
    let report = stage.stop_run().expect("it ran");
    assert_eq!(report.counters.get("orders heard"), Some(&2));
}

#[test]
fn who_goes_is_not_told_any_more_and_streams_have_a_bound() {
    let stage = Stage::with(|server| server.limits(Limits { streams: 2, ..Limits::default() }));
    let (one, _other) = (listener(&stage, "a"), listener(&stage, "a"));
    assert_eq!(stage.get("/events").problem().0, 503);
    drop(one);
    let began = std::time::Instant::now();
    while stage.post("/events/b", "1").status == 202 && stage.entrance.visitors() > 1 {
        // That somebody has gone shows when something is to be told, at the latest.
        stage.post("/events/a", "1");
        assert!(began.elapsed() < crate::common::http::PATIENCE);
    }
    let _again = listener(&stage, "a");
    stage.answers();
}

#[test]
fn streams_end_with_the_server_and_with_the_run() {
    let mut stage = Stage::plain();
    let mut client = listener(&stage, "a");
    stage.stop_run();
    assert!(client.is_closed());
    assert_eq!(stage.post("/events/a", "1").problem().0, 503);
    assert_eq!(stage.get("/events").problem().0, 503);
    drop(stage);

    let mut stage = Stage::plain();
    let mut client = listener(&stage, "a");
    let began = std::time::Instant::now();
    stage.stop_server();
    assert!(client.is_closed() && began.elapsed() < std::time::Duration::from_secs(5));
}

#[test]
fn what_is_no_topic_no_pattern_or_no_json_is_refused() {
    let stage = Stage::plain();
    assert_eq!(stage.post("/events/a..b", "1").problem().0, 400);
    assert_eq!(stage.post("/events/a.*", "1").problem().0, 400);
    assert_eq!(stage.post("/events/a", "{").problem().0, 400);
    assert_eq!(stage.ask("POST", "/events/a", &[("content-type", "text/plain")], b"1").problem().0, 415);
    assert_eq!(stage.get("/events?pattern=a..b").problem().0, 400);
    assert_eq!(stage.ask("DELETE", "/events", &[], b"").header("allow"), Some("GET"));
    assert_eq!(stage.get("/events/a").header("allow"), Some("POST"));
    drop(stage);

    let stage = Stage::with(|server| server.token("secret").expose(["shop"]));
    assert_eq!(stage.post("/events/a", "1").problem().0, 401);
    assert_eq!(stage.get("/events").problem().0, 401);
    let shown = [JSON, ("authorization", "Bearer secret")];
    assert_eq!(stage.ask("POST", "/events/a", &shown, b"1").status, 202);
}

#[test]
fn events_are_private_unless_they_are_on_the_list() {
    for (exposed, status) in [("shop", 401), ("events", 202), ("*", 202)] {
        let stage = Stage::with(|server| server.expose([exposed]));
        assert_eq!(stage.post("/events/a", "1").status, status, "{exposed}");
        let paths = stage.get("/openapi.json").json()["paths"].clone();
        assert_eq!(paths.get("/events/{topic}").is_some(), status == 202, "{exposed}");
    }
}
