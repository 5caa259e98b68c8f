//! How the server ends, and how it lives without its run.

use std::time::Instant;

use rehearsal::gateway::Limits;
use serde_json::json;

use crate::common::Stage;
use crate::common::http::request;

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn what_is_in_hand_is_finished_before_the_server_ends() {
    let mut stage = Stage::plain();
    let mut client = stage.client();
    let sleep = r#"{"jsonrpc": "2.0", "method": "sleep", "params": [400], "id": 1}"#;
    assert!(client.send(&request("POST", "/api/calc", &[JSON], sleep.as_bytes())));
    while stage.entrance.visitors() < 1 {
        std::thread::yield_now();
    }
    let address = stage.address();
    let ending = std::thread::spawn(move || {
        stage.stop_server();
        stage
    });
    let answer = client.read("POST").expect("it is answered");
    assert_eq!((answer.status, &answer.json()["result"]), (200, &json!(400)));
    drop(client);
    let stage = ending.join().expect("the server ends");
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
    drop(stage);
}

/// Who keeps the connection open after the answer does not hold up the end.
#[test]
fn whoever_is_answered_at_the_end_is_told_that_there_is_no_more() {
    let mut stage = Stage::plain();
    let mut client = stage.client();
    assert_eq!(client.ask("GET", "/shop", &[], b"").header("connection"), None);
    let sleep = r#"{"jsonrpc": "2.0", "method": "sleep", "params": [300], "id": 1}"#;
    assert!(client.send(&request("POST", "/api/calc", &[JSON], sleep.as_bytes())));
    while stage.entrance.visitors() < 1 {
        std::thread::yield_now();
    }
    let began = Instant::now();
    let ending = std::thread::spawn(move || stage.stop_server());
    let answer = client.read("POST").expect("it is answered");
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert!(client.is_closed());
    ending.join().expect("the server ends");
    // Sooner, that is, than it gives up waiting.
    assert!(began.elapsed() < Limits::default().drain_time, "{:?}", began.elapsed());
}

#[test]
fn a_body_that_is_on_its_way_at_the_end_is_waited_for() {
    let mut stage = Stage::plain();
    let sum = r#"{"jsonrpc": "2.0", "method": "sum", "params": [[1, 2]], "id": 1}"#;
    let begun: Vec<_> = (0..20)
        .map(|at| {
            let mut client = stage.client();
            let bytes = request("POST", "/api/calc", &[JSON], sum.as_bytes());
            // Some have said nothing of their body yet.
            let (first, second) = bytes.split_at(bytes.len() - sum.len() + at % 2);
            assert!(client.send(first));
            (client, second.to_vec())
        })
        .collect();
    stage.answers();
    let ending = std::thread::spawn(move || stage.stop_server());
    for (mut client, rest) in begun {
        assert!(client.send(&rest));
        let answer = client.read("POST").expect("it is answered");
        assert_eq!((answer.status, &answer.json()["result"]), (200, &json!(3)));
    }
    ending.join().expect("the server ends");
}

#[test]
fn without_a_run_the_server_says_that_nothing_has_happened() {
    let mut stage = Stage::plain();
    stage.stop_run();
    assert_eq!((stage.get("/healthz").status, stage.get("/readyz").problem().0), (200, 503));
    let rest = stage.get("/shop");
    assert_eq!((rest.problem().0, &rest.json()["definite"]), (503, &json!(true)));
    let call = stage.post("/api", r#"{"jsonrpc": "2.0", "method": "calc.get_data", "id": 1}"#).json();
    assert_eq!((call["error"]["code"].as_i64(), &call["error"]["data"]["definite"]), (Some(-32004), &json!(true)));
}

#[test]
fn who_was_inside_when_the_run_ended_hears_that_it_may_have_happened() {
    let mut stage = Stage::plain();
    let mut client = stage.client();
    let sleep = r#"{"jsonrpc": "2.0", "method": "sleep", "params": [1500], "id": 1}"#;
    assert!(client.send(&request("POST", "/api/calc", &[JSON], sleep.as_bytes())));
    while stage.entrance.visitors() < 1 {
        std::thread::yield_now();
    }
    std::thread::sleep(std::time::Duration::from_millis(50));
    stage.stop_run();
    let answer = client.read("POST").expect("it is answered").json();
    assert_eq!((answer["error"]["code"].as_i64(), &answer["error"]["data"]["definite"]), (Some(-32005), &json!(false)));
}
