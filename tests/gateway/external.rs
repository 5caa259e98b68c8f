//! A service that lives outside: what its answers, its silence and its absence mean to who needs it inside.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::http::Response;
use crate::common::outsider::{Manner, Outsider};
use crate::common::served::Served;

/// The SockShop with its payment service at that URL.
fn shop(payment: &str, options: &[&str]) -> Served {
    let scenario = Served::ours("sockshop-external.ron");
    let here = scenario.replace("http://127.0.0.1:9000/api", payment);
    assert_ne!(scenario, here, "the payment service is somewhere else");
    Served::scenario(&here, options)
}

fn order(shop: &Served) -> Response {
    shop.ask("POST", "/frontend/orders")
}

/// The payment service in Python. Dropped, it is killed.
struct Till {
    process: Child,
    url: String,
}

impl Till {
    /// Starts it on a port; 0 for any that is free.
    fn open(port: &str) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/payment.py");
        let mut command = Command::new("python3");
        command.arg(program).arg(port).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("this test needs `python3`, with nothing but its standard library");
        let mut url = String::new();
        let out = process.stdout.take().expect("it has a standard output");
        BufReader::new(out).read_line(&mut url).expect("it tells in UTF-8");
        assert!(url.starts_with("http://"), "`python3` has started the payment service, which says where it is");
        Till { process, url: url.trim_end().to_owned() }
    }

    fn port(&self) -> String {
        let port = self.url.split([':', '/']).nth(4);
        port.expect("the URL has a port").to_owned()
    }
}

impl Drop for Till {
    fn drop(&mut self) {
        // That it has gone is all that counts.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn orders_are_paid_for_outside_refused_while_nobody_is_there_and_paid_for_again() {
    let till = Till::open("0");
    let shop = shop(&till.url, &["--pace", "5"]);
    for _ in 0..3 {
        let placed = order(&shop);
        assert_eq!((placed.status, placed.header("rehearsal-outcome")), (201, Some("reply")), "{placed:?}");
        assert_eq!(placed.json()["amount"], "69.97");
        assert!(placed.json()["transaction_id"].as_u64() >= Some(1000), "numbered as outside");
    }
    let paid = shop.call("payment.pay", json!({ "order_id": 7, "amount": "3.50" }));
    assert_eq!((&paid["order_id"], &paid["status"]), (&json!(7), &json!("success")));
    let unpaid = shop.answer("payment.pay", json!({ "order_id": "seven" }));
    assert_eq!(
        (&unpaid["error"]["code"], &unpaid["error"]["data"]["outcome"]),
        (&json!(-32602), &json!("not_understood"))
    );

    let port = till.port();
    drop(till);
    for _ in 0..3 {
        let refused = order(&shop);
        assert_eq!((refused.status, refused.header("rehearsal-outcome")), (503, Some("nack")), "{refused:?}");
        let why = refused.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(why.starts_with("order: payment: `payment` is gone"), "{why}");
    }
    let gone = shop.answer("payment.pay", json!({ "order_id": 7, "amount": "3.50" }));
    let (code, data) = (&gone["error"]["code"], &gone["error"]["data"]);
    assert_eq!((code, &data["outcome"], &data["definite"]), (&json!(-32004), &json!("undelivered"), &json!(true)));

    let _till = Till::open(&port);
    for _ in 0..3 {
        assert_eq!(order(&shop).status, 201, "it is back");
    }
    let report = shop.close();
    // Those of the customers, and what the frontend has ordered meanwhile.
    assert!(report["counters"]["orders placed"].as_u64() >= Some(6), "{report}");
}

#[test]
fn whoever_hangs_outside_is_given_up_in_virtual_time_and_nobody_knows_what_it_did() {
    let outsider = Outsider::who(Manner::Hangs);
    let shop = shop(&outsider.url(), &["--pace", "5"]);
    let began = Instant::now();
    let given_up = order(&shop);
    let took = began.elapsed();
    assert_eq!((given_up.status, given_up.header("rehearsal-outcome")), (504, Some("timed_out")), "{given_up:?}");
    // 3 s of virtual time, not the half minute that an HTTP client waits.
    assert_eq!(given_up.header("rehearsal-elapsed"), Some("3.000000000"));
    assert!((599..10_000).contains(&took.as_millis()), "{took:?}");
    assert!(outsider.heard() >= 1, "it had been asked");
    let call = shop.answer("payment.pay", json!({ "order_id": 7, "amount": "3.50" }));
    let (code, data) = (&call["error"]["code"], &call["error"]["data"]);
    assert_eq!((code, &data["outcome"], &data["definite"]), (&json!(-32003), &json!("timed_out"), &json!(false)));
    // It goes on meanwhile, and does not wait for whoever is outside when it ends.
    assert_eq!(shop.ask("GET", "/catalog/catalog").status, 200);
    let closing = Instant::now();
    shop.close();
    assert!(closing.elapsed() < Duration::from_secs(5), "{:?}", closing.elapsed());
}

#[test]
fn an_answer_from_outside_that_nobody_can_read_is_an_error_and_may_have_been_paid_for() {
    for manner in [Manner::Babbles, Manner::Mumbles] {
        let outsider = Outsider::who(manner);
        let shop = shop(&outsider.url(), &["--pace", "5"]);
        let failed = order(&shop);
        assert_eq!(failed.status, 502, "{failed:?}");
        let why = failed.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(why.starts_with("order: payment: "), "{why}");
        let direct = shop.ask("POST", "/payment/pay");
        assert_eq!((direct.status, direct.header("rehearsal-outcome")), (500, Some("error")), "{direct:?}");
        let call = shop.answer("payment.pay", json!([]));
        let (code, data) = (&call["error"]["code"], &call["error"]["data"]);
        assert_eq!(
            (code, &data["type"], &data["definite"]),
            (&json!(-32000), &json!("MalformedAnswer"), &json!(false))
        );
    }
}

/// A gateway, and services outside by their names and URLs.
fn outside(services: &[(&str, &str)]) -> Served {
    outside_with(services, &[])
}

fn outside_with(services: &[(&str, &str)], options: &[&str]) -> Served {
    let externals = services.iter().map(|(name, url)| format!(r#"(name: "{name}", external: "{url}"),"#));
    let text = format!(
        r#"Scenario(
            version: 1, name: "outside",
            network: Explicit(nodes: [(name: "edge")], links: []),
            services: [(name: "gateway", gateway: (), node: "edge"), {}],
        )"#,
        externals.collect::<String>()
    );
    Served::scenario(&text, options)
}

#[test]
fn whoever_hangs_holds_up_nobody_who_asks_somebody_else() {
    let (hangs, well) = (Outsider::who(Manner::Hangs), Outsider::who(Manner::Echoes));
    let run = outside(&[("hangs", &hangs.url()), ("well", &well.url())]);
    let calls: Vec<_> = (0..50).map(|_| json!({ "jsonrpc": "2.0", "method": "hangs.up", "params": [] })).collect();
    for _ in 0..8 {
        // Notifications: nobody waits, and all of them are out at once.
        let told = run.client().ask(
            "POST",
            "/api",
            &[("content-type", "application/json")],
            json!(calls).to_string().as_bytes(),
        );
        assert_eq!(told.status, 204, "{told:?}");
    }
    assert_eq!(run.call("well.echo", json!([7])), json!([7]));
    assert!(hangs.heard() <= 64, "{} were asked at once", hangs.heard());
}

#[test]
fn a_service_that_lives_at_the_gateway_itself_is_asked_once_and_refused() {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("there is a free port").port();
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let services = [("mirror", &*url("/mirror")), ("echo", &*url("/api/echo"))];
    let run = outside_with(&services, &["--listen", &format!("127.0.0.1:{port}")]);
    let refused = run.ask("GET", "/mirror/x");
    assert_eq!(refused.status, 508, "{refused:?}");
    assert_eq!((&refused.json()["outcome"], &refused.json()["definite"]), (&json!("undelivered"), &json!(true)));
    let called = run.answer("echo.say", json!([1]));
    assert_eq!((&called["error"]["code"], &called["error"]["data"]["definite"]), (&json!(-32004), &json!(true)));
    // Nor can it register with itself.
    let pinged = run.answer("ping", json!({ "name": "me", "url": url("/api") }));
    assert_eq!(pinged["error"]["code"], -32602, "{pinged}");
}

#[test]
fn an_answer_that_points_elsewhere_may_be_to_what_was_carried_out_and_nobody_goes_there() {
    let elsewhere = Outsider::who(Manner::Echoes);
    for status in [301, 302, 303, 307, 308] {
        let says = format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", elsewhere.url());
        let till = Outsider::who(Manner::Says(says.leak()));
        let run = outside(&[("till", &till.url())]);
        let told = run.answer("till.pay", json!([1]));
        let (error, data) = (&told["error"], &told["error"]["data"]);
        assert_eq!((&error["code"], &data["outcome"]), (&json!(-32000), &json!("error")), "{told}");
        assert_eq!((&data["definite"], &data["type"]), (&json!(false), &json!("Redirected")), "{told}");
        for part in [&status.to_string(), &elsewhere.url(), "redirections are not followed"] {
            assert!(error["message"].as_str().is_some_and(|message| message.contains(part)), "{part}: {told}");
        }
    }
    assert_eq!(elsewhere.heard(), 0);
}

#[test]
fn an_answer_to_another_call_or_with_two_ends_is_no_result() {
    for body in [
        r#"{"jsonrpc":"2.0","result":1,"id":77}"#,
        r#"{"jsonrpc":"2.0","result":1,"error":{"code":1,"message":"m"},"id":1}"#,
    ] {
        let says = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let outsider = Outsider::who(Manner::Says(says.leak()));
        let told = outside(&[("odd", &outsider.url())]).answer("odd.say", json!([1]));
        let (code, data) = (&told["error"]["code"], &told["error"]["data"]);
        assert_eq!(
            (code, &data["type"], &data["definite"]),
            (&json!(-32000), &json!("MalformedAnswer"), &json!(false)),
            "{told}"
        );
    }
}
