//! Gateways whose services live at each other: a request that comes back to where it went out is refused.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::http::Response;
use crate::common::served::Served;

/// Ports that were free a moment ago.
fn ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("there is a free port"));
    listeners.map(|listener| listener.local_addr().expect("it has an address").port())
}

/// A gateway at a port; its `other` lives at that of another one, for calls, and so does its `mirror`, for
/// requests.
fn gateway_at(port: u16, other: u16) -> Served {
    let text = format!(
        r#"Scenario(
            version: 1, name: "in a circle",
            network: Explicit(nodes: [(name: "edge")], links: []),
            services: [
                (name: "gateway", gateway: (), node: "edge"),
                (name: "other", external: "http://127.0.0.1:{other}/api/other"),
                (name: "mirror", external: "http://127.0.0.1:{other}/mirror"),
            ],
        )"#
    );
    Served::scenario(&text, &["--listen", &format!("127.0.0.1:{port}")])
}

fn refused(gateways: &[Served]) {
    let looped = |text: &Value| text.as_str().is_some_and(|text| text.contains("goes round in a loop"));
    let told = gateways[0].answer("other.say", json!([1]));
    let error = &told["error"];
    assert_eq!((&error["code"], &error["data"]["outcome"]), (&json!(-32004), &json!("undelivered")), "{told}");
    assert!(error["data"]["definite"] == true && looped(&error["message"]), "{told}");
    let told = gateways[0].ask("GET", "/mirror/x");
    let problem = told.json();
    assert_eq!((told.status, told.header("rehearsal-outcome")), (508, Some("undelivered")), "{told:?}");
    assert_eq!((&problem["outcome"], &problem["definite"]), (&json!("undelivered"), &json!(true)), "{problem}");
    assert!(looped(&problem["detail"]), "{problem}");
    for gateway in gateways {
        let metrics = String::from_utf8(gateway.ask("GET", "/metrics").body).expect("it is text");
        let in_flight = metrics.lines().find(|line| line.starts_with("rehearsal_http_requests_in_flight "));
        assert_eq!(in_flight, Some("rehearsal_http_requests_in_flight 0"), "nobody goes round any more");
    }
}

#[test]
fn what_two_or_three_gateways_send_each_other_in_a_circle_is_refused_at_its_first_return() {
    let [one, two] = ports();
    refused(&[gateway_at(one, two), gateway_at(two, one)]);
    let [one, two, three] = ports();
    refused(&[gateway_at(one, two), gateway_at(two, three), gateway_at(three, one)]);
}

#[test]
fn a_service_that_lives_at_its_own_gateway_is_the_shortest_loop() {
    let [port] = ports();
    let gateway = gateway_at(port, port);
    refused(std::slice::from_ref(&gateway));
    let url = format!("http://127.0.0.1:{port}/api");
    let mut call = Command::new(env!("CARGO_BIN_EXE_rehearsal"));
    let called =
        call.args(["call-raw", &url, "other.say"]).stdin(Stdio::null()).output().expect("the program is there");
    let complaint = String::from_utf8_lossy(&called.stderr).into_owned();
    assert_eq!(called.status.code(), Some(4), "{complaint}");
    assert!(complaint.contains("goes round in a loop"), "{complaint}");
}

#[test]
fn nobody_is_let_in_with_a_trail_that_is_too_long_or_none() {
    let [port, nobody] = ports();
    let gateway = gateway_at(port, nobody);
    let on = |trail: &str| -> Response {
        gateway.client().ask("POST", "/api", &[("content-type", "application/json"), ("rehearsal-trail", trail)], CALL)
    };
    const CALL: &[u8] = br#"{"jsonrpc": "2.0", "method": "inspect", "id": 1}"#;
    assert!(on(&vec!["a"; 64].join(",")).json().get("error").is_none());
    for trail in [vec!["a"; 65].join(","), "x".repeat(65), "a b".to_owned()] {
        let refused = on(&trail).json();
        assert_eq!((&refused["error"]["code"], &refused["error"]["data"]["definite"]), (&json!(-32004), &json!(true)));
        for (method, target) in [("GET", "/mirror/x"), ("POST", "/events/a")] {
            let refused = gateway.client().ask(method, target, &[("rehearsal-trail", &*trail)], b"");
            assert_eq!((refused.status, refused.header("rehearsal-outcome")), (508, Some("undelivered")));
        }
    }
}
