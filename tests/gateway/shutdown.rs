//! How the server ends, and how it lives without its run.

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
