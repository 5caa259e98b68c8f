//! Against a gateway that keeps to what is agreed.

use std::time::Duration;

use rehearsal::actors::outcome::OutcomeKind;
use rehearsal::actors::units::SimDuration;
use rehearsal::client::{Error, Gateway, LocateError, Registries, Registry, RemoteService, Settings};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::shop;
use crate::stub::{Deed, Stub, nowhere};

fn cart(shop: &Stub) -> RemoteService {
    RemoteService::at(&format!("{}/cart", shop.api())).unwrap()
}

#[test]
fn a_call_brings_a_value_of_the_type_that_is_expected() {
    let shop = shop::open();
    let cart = cart(&shop);
    assert_eq!(cart.call("add", json!({"a": 19, "b": 23})), Ok(42));
    assert_eq!(cart.call("add", (19, 23)), Ok(42));
    assert_eq!(cart.call("nothing", ()), Ok(()));

    #[derive(Debug, PartialEq, Deserialize)]
    struct Item {
        name: String,
    }
    assert_eq!(cart.call("echo", json!({"name": "socks"})), Ok(Item { name: "socks".into() }));
    let wrong = cart.call::<Item>("add", (1, 1)).unwrap_err();
    assert!(matches!(&wrong, Error::Unexpected { method, .. } if method == "add"), "{wrong}");
    assert!(!wrong.is_definite(), "it was carried out");
}

#[test]
fn requests_are_numbered_from_1_and_say_what_they_are() {
    let shop = shop::open();
    let cart = cart(&shop);
    let _ = (cart.call::<i64>("add", (1, 2)), cart.clone().call::<i64>("add", (3, 4)), cart.notify("add", ()));
    let seen = shop.seen();
    assert_eq!(seen[0].json(), json!({"jsonrpc": "2.0", "method": "add", "params": [1, 2], "id": 1}));
    assert_eq!(seen[1].json(), json!({"jsonrpc": "2.0", "method": "add", "params": [3, 4], "id": 2}));
    assert_eq!(seen[2].json(), json!({"jsonrpc": "2.0", "method": "add"}));
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    assert!(seen[0].header("user-agent").is_some_and(|agent| agent.starts_with("rehearsal/")));
    assert_eq!(seen[0].header("authorization"), None);
}

#[test]
fn what_a_call_cost_in_the_emulated_network_is_told() {
    let shop = shop::open();
    let reply = cart(&shop).ask("add", (1, 2)).unwrap();
    assert_eq!((reply.elapsed, reply.hops), (Some(SimDuration::from_nanos(42_000_000)), Some(3)));
    assert_eq!((reply.method.as_str(), &reply.result), ("add", &json!(3)));
}

#[test]
fn every_failure_of_the_other_side_is_an_outcome() {
    let shop = shop::open();
    let cart = cart(&shop);
    for (method, code, outcome, definite) in [
        ("fail", -32000, OutcomeKind::Error, false),
        ("refuse", -32002, OutcomeKind::Nack, true),
        ("late", -32003, OutcomeKind::TimedOut, false),
        ("lost", -32004, OutcomeKind::Undelivered, true),
        ("broken", -32005, OutcomeKind::Interrupted, false),
        ("subtract", -32601, OutcomeKind::NotUnderstood, true),
        ("add", -32602, OutcomeKind::NotUnderstood, true),
    ] {
        let error = cart.call::<Value>(method, ()).unwrap_err();
        assert_eq!((error.outcome(), error.is_definite()), (outcome, definite), "{method}");
        let Error::Remote(remote) = error else { panic!("{method}: {error}") };
        assert_eq!(remote.code, code);
        if code > -32100 {
            assert_eq!(remote.error_type(), Some("OutOfStock"));
            assert_eq!((remote.elapsed(), remote.hops()), (Some(SimDuration::from_nanos(42_000_000)), Some(3)));
        }
    }
}

#[test]
fn calls_go_on_in_the_background() {
    let shop = shop::open();
    let cart = cart(&shop);
    let calls: Vec<_> = (0..50).map(|n| cart.call_async::<i64>("add", (n, n)).unwrap()).collect();
    let failing = cart.call_async::<i64>("fail", ()).unwrap();
    for (n, call) in calls.into_iter().enumerate() {
        call.wait();
        assert!(call.finished());
        assert_eq!((call.result(), call.error()), (Some(&(2 * n as i64)), None));
        assert_eq!(call.into_result(), Ok(2 * n as i64));
    }
    assert!(failing.wait_for(Duration::from_secs(10)));
    assert!(failing.result().is_none() && matches!(failing.error(), Some(Error::Remote(_))));

    let mut ids: Vec<_> = shop.seen().iter().map(|request| request.json()["id"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=51).collect::<Vec<_>>(), "each has a number of its own");
    assert!(matches!(cart.call_async::<i64>("add", 3), Err(Error::BadParams { .. })));
}

#[test]
fn a_dropped_service_still_finishes_what_was_begun() {
    let slow = Stub::start(|request| {
        std::thread::sleep(Duration::from_millis(30));
        Deed::json(&json!({"jsonrpc": "2.0", "result": 1, "id": request.json()["id"]}))
    });
    let service = RemoteService::with(&Settings::default().connections(1), &slow.api()).unwrap();
    let calls: Vec<_> = (0..3).map(|_| service.call_async::<i64>("x", ()).unwrap()).collect();
    assert!(!calls[2].finished());
    drop(service);
    for call in calls {
        assert_eq!(call.into_result(), Ok(1));
    }
}

#[test]
fn answers_to_a_batch_may_come_in_any_order() {
    let shop = shop::open();
    let cart = cart(&shop);
    let mut batch = cart.batch();
    let tickets: Vec<_> = (0..10).map(|n| batch.call::<i64>("add", (n, n)).unwrap()).collect();
    let failing = batch.call::<i64>("fail", ()).unwrap();
    let mistyped = batch.call::<String>("add", (1, 1)).unwrap();
    batch.notify("add", (0, 0)).unwrap();
    assert_eq!(batch.len(), 13);
    let mut answers = batch.send().unwrap();
    for (n, ticket) in tickets.into_iter().enumerate() {
        assert_eq!(answers.take(ticket), Ok(2 * n as i64));
    }
    assert!(matches!(answers.take(failing), Err(Error::Remote(error)) if error.code == -32000));
    assert!(matches!(answers.take(mistyped), Err(Error::Unexpected { .. })));
    assert_eq!(shop.seen().len(), 1);
}

#[test]
fn a_batch_of_notifications_has_no_answers_and_an_empty_one_is_not_sent() {
    let shop = shop::open();
    let cart = cart(&shop);
    assert!(cart.batch().is_empty() && cart.batch().send().is_ok());
    assert_eq!(shop.seen().len(), 0);
    let mut batch = cart.batch();
    batch.notify("add", (1, 2)).unwrap();
    assert!(batch.send().is_ok());
    assert_eq!(shop.seen().len(), 1);
}

#[test]
fn a_service_says_what_it_is_called_and_what_it_can() {
    let shop = shop::open();
    let cart = cart(&shop);
    assert_eq!((cart.known_name(), cart.name()), (None, Ok("cart")));
    assert_eq!(cart.known_name(), Some("cart"));
    assert_eq!(cart.name(), Ok("cart"));
    assert_eq!(shop.seen().len(), 1, "it is asked once");
    let specs = cart.specs().unwrap();
    assert_eq!((specs.host.as_deref(), specs.port), (Some("127.0.0.1"), None));
    assert_eq!(specs.methods["add"].as_deref(), Some("Adds."));
    assert_eq!((&specs.methods["echo"], &specs.more["node"]), (&None, &json!("edge")));
}

#[test]
fn the_first_registry_that_knows_is_believed() {
    let (empty, shop) = (Stub::start(|request| located(request, json!([]))), shop::open());
    let urls = [nowhere(), empty.api(), shop.api()];
    let registries = Registries::with(&Settings::default(), &urls).unwrap();
    let found = registries.locate_service("cart").unwrap();
    assert_eq!((found.registry.as_str(), found.service.known_name()), (shop.api().as_str(), Some("cart")));
    assert_eq!(found.service.call("add", (1, 2)), Ok(3));
    let by_pattern = registries.locate_service("ca?t").unwrap().service;
    assert_eq!(by_pattern.known_name(), None);
    assert_eq!(by_pattern.name(), Ok("cart"), "a pattern is no name");

    let unknown = registries.locate_service("horse").unwrap_err();
    assert!(matches!(&unknown, LocateError::Failed { asked: 3, failed, .. } if failed.len() == 1), "{unknown}");
    let registries = Registries::with(&Settings::default(), &urls[1..]).unwrap();
    for name in ["horse", "nobody"] {
        let unknown = registries.locate_service(name).unwrap_err();
        assert_eq!(unknown, LocateError::Unknown { name: name.into(), asked: 2 });
    }
    let nobody = Registries::default().locate_service("cart").unwrap_err();
    assert_eq!(nobody, LocateError::NoRegistry { name: "cart".into() });
}

fn located(request: &crate::stub::Request, result: Value) -> Deed {
    Deed::json(&json!({"jsonrpc": "2.0", "result": result, "id": request.json()["id"]}))
}

#[test]
fn what_registries_know_is_put_together() {
    let one = Stub::start(|request| located(request, json!(["http://a/api", "http://b/api"])));
    let other = Stub::start(|request| located(request, json!(["http://b/api", "http://c/api"])));
    let registries = Registries::with(&Settings::default(), [one.api(), nowhere(), other.api()]).unwrap();
    let (urls, failed) = registries.locate_all("*").unwrap();
    assert_eq!(urls, ["http://a/api", "http://b/api", "http://c/api"]);
    assert!(matches!(failed[..], [Error::Unreachable { .. }]));
}

#[test]
fn a_service_at_several_urls_is_called_where_it_can_be_reached() {
    let shop = shop::open();
    let urls = json!([nowhere(), format!("{}/cart", shop.api())]);
    let registry = Stub::start(move |request| located(request, urls.clone()));
    let service = Registry::at(&registry.api()).unwrap().locate_service("cart").unwrap().unwrap();
    assert_eq!(service.call("add", (1, 2)), Ok(3));
    assert_eq!(service.url(), format!("{}/cart", shop.api()), "where it was reached");
    assert_eq!(service.urls().count(), 2);
}

#[test]
fn registering_says_name_and_place() {
    let shop = shop::open();
    let registry = Registry::at(&shop.api()).unwrap();
    registry.ping("worker.1", "http://127.0.0.1:9000/api").unwrap();
    registry.ping_at("worker.2", "127.0.0.1", 9000).unwrap();
    let params: Vec<_> = shop.seen().iter().map(|request| request.json()["params"].clone()).collect();
    assert_eq!(params[0], json!({"name": "worker.1", "url": "http://127.0.0.1:9000/api"}));
    assert_eq!(params[1], json!({"name": "worker.2", "host": "127.0.0.1", "port": 9000}));
}

#[test]
fn a_token_goes_to_the_host_that_it_is_for_and_no_further() {
    let shop = shop::open_to("s3cret");
    let settings = Settings::default().token("s3cret");
    let cart_url = format!("{}/cart", shop.api());
    assert_eq!(RemoteService::with(&settings, &cart_url).unwrap().call("add", (1, 2)), Ok(3));
    let denied = RemoteService::at(&cart_url).unwrap().call::<i64>("add", (1, 2)).unwrap_err();
    assert_eq!((denied.outcome(), denied.is_definite()), (OutcomeKind::Denied, true));

    let elsewhere = shop::open();
    let url = format!("{}/cart", elsewhere.api());
    let registry = Stub::start(move |request| located(request, json!([url])));
    let service = Registry::with(&settings, &registry.api()).unwrap().locate_service("cart").unwrap().unwrap();
    assert_eq!(service.call("add", (1, 2)), Ok(3));
    assert_eq!(registry.seen()[0].header("authorization"), Some("Bearer s3cret"));
    assert_eq!(elsewhere.seen()[0].header("authorization"), None);

    // On the same host it is the same door.
    let gateway = Gateway::with(&settings, &shop.url()).unwrap();
    let cart = gateway.registry().unwrap().locate_service("cart").unwrap().unwrap();
    assert_eq!(cart.call("add", (1, 2)), Ok(3));
}

#[test]
fn a_gateway_has_services_endpoints_and_events() {
    let shop = shop::open();
    let gateway = Gateway::at(&shop.url()).unwrap();
    let names: Vec<_> = gateway.services().unwrap().into_iter().map(|service| service.service).collect();
    assert_eq!(names, ["stock", "cart"]);
    assert_eq!(gateway.api().call("cart.add", (1, 2)), Ok(3));
    assert_eq!(gateway.service("cart").unwrap().call("add", (1, 2)), Ok(3));
    assert_eq!(gateway.service("caf\u{e9}").unwrap().call("x", ()), Ok("un".to_owned()));

    let reply = gateway.request("POST", "/cart/items", Some(&json!({"item": 7}))).unwrap();
    assert_eq!((reply.status, reply.outcome, reply.json()), (201, OutcomeKind::Reply, Some(json!({"item": 7}))));
    assert_eq!((reply.elapsed, reply.hops), (Some(SimDuration::from_nanos(42_000_000)), Some(3)));
    let reply = gateway.request("DELETE", "cart/items", None).unwrap();
    assert_eq!((reply.status, reply.outcome), (204, OutcomeKind::Ack));
    for (path, status, outcome) in [
        ("/cart/late", 504, OutcomeKind::TimedOut),
        ("/gone/items", 503, OutcomeKind::Undelivered),
        ("/cart/nothing", 404, OutcomeKind::NotUnderstood),
    ] {
        let reply = gateway.request("GET", path, None).unwrap();
        assert_eq!((reply.status, reply.outcome), (status, outcome), "{path}");
    }
    assert!(matches!(gateway.request("NO METHOD", "/cart", None), Err(Error::BadUrl { .. })));

    assert_eq!(gateway.emit("orders.placed", &json!({"id": 3})), Ok(2));
    let error = gateway.emit("not a topic", &Value::Null).unwrap_err();
    assert!(
        matches!(&error, Error::Status { status: 400, detail: Some(detail), .. } if detail.contains("no topic")),
        "{error}"
    );
    let events: Result<Vec<_>, _> = gateway.subscribe("orders.*").unwrap().collect();
    let topics: Vec<_> = events.unwrap().into_iter().map(|event| event.topic).collect();
    assert_eq!(topics, ["orders.placed", "orders.paid", "orders.sent"]);
    let refused = gateway.subscribe("nothing").unwrap_err();
    assert!(matches!(refused, Error::Status { status: 404, .. }), "{refused}");
}

#[test]
fn a_port_that_cannot_be_is_refused_everywhere() {
    let is_bad = |error: Option<Error>| matches!(error, Some(Error::BadUrl { reason, .. }) if reason.contains("port"));
    for wrong in ["http://127.0.0.1:99999/api", "http://127.0.0.1:/api", "https://127.0.0.1:0", "http://[::1]:x/"] {
        assert!(is_bad(RemoteService::at(wrong).err()), "{wrong}");
        assert!(is_bad(Gateway::at(wrong).err()), "{wrong}");
        assert!(is_bad(Registry::at(wrong).err()), "{wrong}");
        assert!(is_bad(Registries::with(&Settings::default(), [wrong]).err()), "{wrong}");
    }
    // Neither is a registry believed that names such a place.
    let answer = json!({"jsonrpc": "2.0", "result": ["http://127.0.0.1:99999/api"], "id": 1});
    let stub = Stub::start(move |_| Deed::json(&answer));
    assert!(matches!(Registry::at(&stub.api()).unwrap().locate("cart"), Err(Error::Malformed { .. })));
}
