//! The SockShop under chaos, with customers: whatever dies, each of them is told what came of each request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use rehearsal::actors::outcome::OutcomeKind;
use serde_json::{Value, json};

use crate::common::http::{Client, Response};
use crate::common::served::Served;

/// So many requests are sent in all.
const REQUESTS: u64 = 10_000;

/// By so many customers at once, one after the other each.
const CUSTOMERS: usize = 48;

const JSON: (&str, &str) = ("content-type", "application/json");

/// Sends the request of that number, and says what came of it.
fn ask(client: &mut Client, number: u64) -> &'static str {
    match number % 8 {
        0 => place(client, "POST", "/frontend/orders", None),
        1 => place(client, "GET", "/catalog/catalog", None),
        2 => place(client, "GET", "/user/user/12345", None),
        3 => place(client, "GET", "/cart/cart", None),
        4 => place(client, "POST", "/order/order", Some(json!({ "items": [{ "id": "1", "amount": "19.99" }] }))),
        // There is no such user, which is an answer, too.
        5 => place(client, "GET", "/user/user/7", None),
        6 => call(client, number, "frontend.shop.place_order"),
        _ => call(client, number, "frontend.inspect"),
    }
}

fn place(client: &mut Client, method: &str, target: &str, body: Option<Value>) -> &'static str {
    let body = body.map_or(Vec::new(), |body| body.to_string().into_bytes());
    outcome_of(&client.ask(method, target, &[JSON], &body))
}

/// What a response says of the request.
fn outcome_of(response: &Response) -> &'static str {
    known(response.header("rehearsal-outcome"), response)
}

fn call(client: &mut Client, number: u64, method: &str) -> &'static str {
    let body = json!({ "jsonrpc": "2.0", "method": method, "params": {}, "id": number });
    let response = client.ask("POST", "/api", &[JSON], body.to_string().as_bytes());
    let answer = response.json();
    assert_eq!((response.status, &answer["id"]), (200, &json!(number)), "its own answer");
    let (result, error) = (answer.get("result"), answer.get("error"));
    assert!(result.is_some() != error.is_some(), "either, and not both: {answer}");
    match error {
        Some(error) => known(error["data"]["outcome"].as_str(), &response),
        None => outcome_of(&response),
    }
}

fn known(outcome: Option<&str>, response: &Response) -> &'static str {
    let kind = OutcomeKind::ALL.into_iter().find(|kind| Some(kind.name()) == outcome);
    kind.unwrap_or_else(|| panic!("no outcome: {} {response:?}", String::from_utf8_lossy(&response.body))).name()
}

#[test]
fn ten_thousand_requests_get_one_answer_each_while_services_are_killed() {
    let scenario = Served::ours("sockshop-chaos.ron");
    // The frontend leaves the ordering to the customers, so that nothing of its own is open at the end.
    let quiet = scenario.replace(r#"step_every: "500ms""#, r#"step_every: "1h""#);
    assert_ne!(quiet, scenario);
    let shop = Served::scenario(&quiet, &["--pace", "10"]);
    let next = AtomicU64::new(0);
    let mut outcomes = BTreeMap::<&str, u64>::new();
    std::thread::scope(|scope| {
        let customers: Vec<_> = (0..CUSTOMERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = shop.client();
                    let mut seen = BTreeMap::<&str, u64>::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= REQUESTS {
                            break;
                        }
                        *seen.entry(ask(&mut client, number)).or_default() += 1;
                    }
                    client.finish_sending();
                    assert!(client.ends_here(), "an answer that nobody has asked for");
                    seen
                })
            })
            .collect();
        for customer in customers {
            for (outcome, count) in customer.join().expect("it is told what came of everything") {
                *outcomes.entry(outcome).or_default() += count;
            }
        }
    });
    assert_eq!(outcomes.values().sum::<u64>(), REQUESTS, "{outcomes:?}");
    // Most went well; others came when the service was gone, or another one that it needed.
    let count = |kind: OutcomeKind| outcomes.get(kind.name()).copied().unwrap_or_default();
    assert!(count(OutcomeKind::Reply) > REQUESTS / 2, "{outcomes:?}");
    assert!(count(OutcomeKind::Undelivered) > 0 && count(OutcomeKind::Nack) > 0, "{outcomes:?}");
    // Longer than anybody waits for anything: 5 s of virtual time.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let report = shop.close();
    assert!(report["faults"]["kill"].as_u64() >= Some(5), "{}", report["faults"]);
    let open: Vec<&Value> =
        report["outcomes"].as_object().into_iter().flatten().map(|(_, kinds)| &kinds["open"]).collect();
    assert!(open.iter().all(|open| **open == 0), "{}", report["outcomes"]);
}
