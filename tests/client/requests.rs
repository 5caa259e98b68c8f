//! `request`: one, or many.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::program::{Told, command, run};
use crate::shop;
use crate::stub::{Deed, Stub, nowhere};

fn at(shop: &Stub, arguments: &[&str]) -> Told {
    Told::of(&command(arguments).env("REHEARSAL_GATEWAY", shop.url()).output().unwrap())
}

#[test]
fn one_request_prints_its_answer() {
    let shop = shop::open();
    assert_eq!(at(&shop, &["request", "cart", "add", "1", "2", "-q"]).expect(0).out, "3\n");
    let told = at(&shop, &["request", "GET", "cart/items", "customer=ann b"]).expect(0);
    assert_eq!(told.out, "[\n  \"socks\"\n]\n");
    assert!(told.err.contains("[!] Request: 0.") && told.err.contains("[!] HTTP status 200: reply"), "{}", told.err);
    assert!(told.err.contains("[!] Virtual time: 0.04200 seconds, 3 hops"), "{}", told.err);
    assert_eq!(at(&shop, &["request", "POST", "/cart/items", "item=7", "-q"]).expect(0).json(), json!({"item": 7}));
    assert_eq!(at(&shop, &["request", "GET", "cart/text", "-q"]).expect(0).out, "plain\n");
    let url = format!("{}/cart/text", shop.url());
    assert_eq!(run(&["request", "GET", &url, "-q"]).expect(0).out, "plain\n");
    assert_eq!(at(&shop, &["request", "DELETE", "cart/items", "-q"]).expect(0).out, "");
    let told = at(&shop, &["request", "GET", "cart/items", "[1]"]).expect(2);
    assert!(told.err.contains("write its query as KEY=VALUE"), "{}", told.err);
}

#[test]
fn the_exit_code_is_the_outcome() {
    let shop = shop::open();
    for (path, code) in [("cart/late", 3), ("gone/items", 4), ("cart/nothing", 1)] {
        let told = at(&shop, &["request", "GET", path, "--json"]).expect(code);
        assert!(told.json()["body"]["detail"].is_string(), "{}", told.out);
        at(&shop, &["request", "GET", path, "-N", "3", "-q"]).expect(code);
    }
    at(&shop, &["request", "cart", "late", "-N", "5", "-C", "2", "-q"]).expect(3);
    run(&["request", &nowhere(), "x", "-N", "3", "-q"]).expect(4);
}

#[test]
fn many_requests_are_summed_up() {
    let shop = shop::open();
    let told = at(&shop, &["request", "cart", "add", "1", "2", "-N", "200", "-C", "8"]).expect(0);
    assert!(told.out.starts_with("200 requests to cart.add\n  8 at a time, in "), "{}", told.out);
    assert!(told.out.contains("  reply        200  100.0%\n"), "{}", told.out);
    for row in ["min", "mean", "deviation", "50%", "90%", "95%", "97%", "98%", "99%", "99.5%", "99.9%", "max"] {
        let line = told.out.lines().find(|line| line.trim_start().starts_with(row)).unwrap();
        // All of it takes 42 ms of virtual time; that differs from the mean by nothing.
        assert!(line.ends_with("42.0 ms") || row == "deviation" && line.ends_with("0 s"), "{line}");
    }
    // One lookup, and the requests.
    assert_eq!(shop.seen().len(), 201);

    let told = at(&shop, &["request", "GET", "cart/items", "-N", "50", "-C", "5", "--json"]).expect(0);
    let object = told.json();
    assert_eq!((&object["requests"], &object["outcomes"]), (&json!(50), &json!({"reply": 50})));
    assert_eq!((&object["statuses"], &object["concurrency"]), (&json!({"200": 50}), &json!(5)));
    assert!(object["latency_ns"]["p99"].as_u64() >= object["latency_ns"]["p50"].as_u64());
}

#[test]
fn failures_are_counted_by_outcome_and_told() {
    let calls = std::sync::atomic::AtomicU64::new(0);
    let flaky = Stub::start(move |request| {
        let n = calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let id = request.json()["id"].clone();
        match n % 4 {
            0 => Deed::json(&json!({"jsonrpc": "2.0", "error": {"code": -32002, "message": "busy"}, "id": id})),
            1 => Deed::Raw(Vec::new()),
            _ => Deed::json(&json!({"jsonrpc": "2.0", "result": 1, "id": id})),
        }
    });
    let told = run(&["request", &flaky.api(), "x", "-N", "40", "-C", "2", "--json"]).expect(1);
    assert_eq!(told.json()["outcomes"], json!({"nack": 10, "interrupted": 10, "reply": 20}));
    let told = run(&["request", &flaky.api(), "x", "-N", "40"]).expect(1);
    assert!(told.out.contains("what was said") && told.out.contains("busy (code -32002)"), "{}", told.out);
}

#[test]
fn a_time_and_a_rate_bound_it_too() {
    let shop = shop::open();
    let object =
        at(&shop, &["request", "cart", "add", "1", "2", "--for", "500ms", "--rate", "50", "-C", "4", "--json"])
            .expect(0)
            .json();
    // 25 are due within half a second: at 0, 20, ... 480 ms.
    assert_eq!(object["requests"], 25);
    for wrong in [
        &["-N", "0"][..],
        &["-C", "0"],
        &["-C", "5000"],
        &["--rate", "0"],
        &["--for", "0s"],
        &["-N", "3", "--for", "1s"],
    ] {
        at(&shop, &[&["request", "cart", "add"], wrong].concat()).expect(2);
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_with_the_figures_so_far() {
    let slow = Stub::start(|request| {
        std::thread::sleep(Duration::from_millis(20));
        Deed::json(&json!({"jsonrpc": "2.0", "result": 1, "id": request.json()["id"]}))
    });
    let mut child = command(&["request", &slow.api(), "x", "--for", "1min", "-C", "2"]);
    let child = child.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    // Once it asks, it listens for signals, too.
    let began = Instant::now();
    while slow.seen().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing is asked");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let told = Told::of(&child.wait_with_output().unwrap()).expect(0);
    assert!(told.out.contains("outcomes") && told.err.contains("interrupted"), "{}{}", told.out, told.err);
}

#[test]
fn a_text_of_somebody_else_cannot_disturb_the_terminal() {
    let shop = shop::open();
    assert_eq!(at(&shop, &["request", "GET", "cart/nasty"]).expect(0).out, "a\tb\n\u{fffd}[2Jc\u{fffd}");
}
