//! `call`, `call-raw`, `inspect`, `discover`, `emit`, `subscribe`, and what is about the command line
//! itself.

use std::time::Duration;

use serde_json::json;

use crate::program::{Told, command, run, run_with_input};
use crate::shop;
use crate::stub::{Deed, Stub, nowhere};

/// The program, with that gateway.
fn at(shop: &Stub, arguments: &[&str]) -> Told {
    Told::of(&command(arguments).env("REHEARSAL_GATEWAY", shop.url()).output().unwrap())
}

#[test]
fn a_call_prints_its_result_and_says_beside_it_how_long_it_took() {
    let shop = shop::open();
    let told = at(&shop, &["call", "cart", "add", "a=19", "b=23"]).expect(0);
    assert_eq!(told.out, "42\n");
    let lines: Vec<&str> = told.err.lines().collect();
    assert!(lines[0].starts_with("[!] Service identification: 0.") && lines[0].ends_with(" seconds"), "{}", told.err);
    assert_eq!(lines[1], "[!] Service name: cart");
    assert_eq!(lines[2], format!("[!] Service URL : {}/cart", shop.api()));
    assert!(lines[3].starts_with("[!] Method call: 0."), "{}", told.err);
    assert_eq!(lines[4..], ["[!] Virtual time: 0.04200 seconds, 3 hops", "[!] Result:", ""]);

    let told = at(&shop, &["call", "c*", "add", "19", "23", "--quiet"]).expect(0);
    assert_eq!((told.out.as_str(), told.err.as_str()), ("42\n", ""));
}

#[test]
fn parameters_are_written_in_several_ways() {
    let shop = shop::open();
    let echo = |params: &[&str]| {
        let arguments = [&["call", "cart", "echo", "-q"], params].concat();
        serde_json::from_str::<serde_json::Value>(&at(&shop, &arguments).expect(0).out).unwrap()
    };
    assert_eq!(echo(&["name=ann", "n=2"]), json!({"name": "ann", "n": 2}));
    assert_eq!(echo(&["hello", "-3"]), json!(["hello", -3]));
    assert_eq!(echo(&["{\"a\": [1, 2]}"]), json!({"a": [1, 2]}));
    assert_eq!(echo(&[]), json!(null));
    let gateway = shop.url();
    let told = run_with_input(&["call", "cart", "echo", "-", "-q", "--gateway", &gateway], "{\"a\": 1}").expect(0);
    assert_eq!(told.json(), json!({"a": 1}));
    for wrong in [&["a=1", "a=2"][..], &["a=1", "2"], &["-", "1"]] {
        let told = at(&shop, &[&["call", "cart", "echo"], wrong].concat()).expect(2);
        assert!(told.err.starts_with("error: ") && told.out.is_empty(), "{}", told.err);
    }
}

#[test]
fn the_exit_code_is_the_outcome() {
    let shop = shop::open();
    for (method, code, word) in [
        ("add", 1, "Invalid params"),
        ("subtract", 1, "Method not found"),
        ("fail", 1, "no socks left (OutOfStock, code -32000)"),
        ("refuse", 1, "safe to try again"),
        ("late", 3, "Timed out"),
        ("lost", 4, "Undelivered"),
        ("broken", 5, "it may have been carried out"),
    ] {
        let told = at(&shop, &["call", "cart", method]).expect(code);
        assert!(told.err.contains("error: ") && told.err.contains(word), "{method}: {}", told.err);
        assert_eq!(told.out, "");
    }
    let told = at(&shop, &["call", "horse", "add"]).expect(4);
    assert!(told.err.contains("no service is called `horse`") && told.err.contains("help: `discover`"), "{}", told.err);

    let gone = nowhere();
    let told = run(&["call", "cart", "add", "--gateway", &gone]).expect(4);
    assert!(
        told.err.contains("nobody listens there") && told.err.contains("help: is `serve` running?"),
        "{}",
        told.err
    );
    let told = run(&["call-raw", "no url", "x"]).expect(2);
    assert!(told.err.contains("write a URL such as"), "{}", told.err);

    let silent = Stub::start(|_| Deed::Silence(Duration::from_secs(5)));
    let told = run(&["call-raw", &silent.api(), "x", "--timeout", "300ms"]).expect(3);
    assert!(told.err.contains("did not answer within 300ms"), "{}", told.err);
    let told = run(&["call-raw", &Stub::start_resetting().api(), "x"]).expect(5);
    assert!(told.err.contains("it was reset") || told.err.contains("it was closed"), "{}", told.err);
}

#[test]
fn machines_are_told_in_one_object_whatever_the_outcome() {
    let shop = shop::open();
    let told = at(&shop, &["call", "cart", "add", "1", "2", "--json"]).expect(0);
    assert_eq!(told.err, "");
    let object = told.json();
    assert_eq!(
        (&object["service"], &object["method"], &object["outcome"]),
        (&json!("cart"), &json!("add"), &json!("reply"))
    );
    assert_eq!((&object["result"], &object["elapsed_ns"], &object["hops"]), (&json!(3), &json!(42_000_000), &json!(3)));
    assert!(object["call_seconds"].as_f64().unwrap() > 0.0 && object["identification_seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(at(&shop, &["call", "cart", "nothing", "--json"]).expect(0).json().get("result"), Some(&json!(null)));

    let object = at(&shop, &["call", "cart", "late", "--json"]).expect(3).json();
    assert_eq!((&object["outcome"], &object["error"]["code"]), (&json!("timed_out"), &json!(-32003)));
    assert_eq!((&object["error"]["definite"], &object["elapsed_ns"]), (&json!(false), &json!(42_000_000)));
    assert_eq!(object["error"]["data"]["type"], "OutOfStock");
    assert!(object.get("result").is_none());

    let object = run(&["call-raw", &nowhere(), "x", "--json"]).expect(4).json();
    assert_eq!((&object["outcome"], &object["error"]["definite"]), (&json!("undelivered"), &json!(true)));
}

#[test]
fn machines_are_told_also_if_nobody_is_found() {
    let shop = shop::open();
    let object = at(&shop, &["call", "horse", "add", "--json"]).expect(4).json();
    assert_eq!((&object["service"], &object["method"]), (&json!("horse"), &json!("add")));
    assert_eq!((&object["outcome"], &object["error"]["definite"]), (&json!("undelivered"), &json!(true)));
    assert!(object["error"]["message"].as_str().unwrap().contains("no service is called `horse`"), "{object}");

    let silent = Stub::start(|_| Deed::Silence(Duration::from_secs(5)));
    for (arguments, code, outcome) in [
        (&["call", "horse", "add"] as &[&str], 4, "undelivered"),
        (&["request", "horse", "add"], 4, "undelivered"),
        (&["request", "horse", "add", "-N", "2"], 4, "undelivered"),
        (&["inspect", "horse"], 4, "undelivered"),
        (&["discover", "horse"], 4, "undelivered"),
        (&["discover", "--gateway", &nowhere()], 4, "undelivered"),
        (&["call", "cart", "add", "--gateway", &nowhere()], 4, "undelivered"),
        (&["request", "cart", "add", "--gateway", &nowhere()], 4, "undelivered"),
        (&["request", "GET", "cart/items", "--gateway", &nowhere()], 4, "undelivered"),
        (&["inspect", "cart", "--gateway", &nowhere()], 4, "undelivered"),
        (&["inspect", &nowhere()], 4, "undelivered"),
        (&["emit", "a.b", "--gateway", &nowhere()], 4, "undelivered"),
        (&["call", "cart", "add", "--registry", &nowhere()], 4, "undelivered"),
        (&["call", "cart", "add", "--gateway", &silent.url(), "--timeout", "100ms"], 3, "timed_out"),
        (&["call", "cart", "add", "--token", "ü"], 2, "undelivered"),
        (&["call-raw", "no url", "x"], 2, "undelivered"),
    ] {
        let told = at(&shop, &[arguments, &["--json"]].concat()).expect(code);
        assert_eq!((told.json()["outcome"].as_str(), told.err.as_str()), (Some(outcome), ""), "{arguments:?}");
        assert!(told.json()["error"]["message"].is_string(), "{arguments:?}: {}", told.out);
    }
    // What is wrong with the command line itself has no outcome.
    let told = at(&shop, &["call", "cart", "add", "a=1", "2", "--json"]).expect(2);
    assert!(told.out.is_empty() && told.err.starts_with("error: "), "{}", told.err);
}

#[test]
fn the_gateway_is_spoken_of_only_if_it_was_asked() {
    let shop = shop::open();
    let gone = nowhere();
    for arguments in [
        &["inspect", gone.as_str()] as &[&str],
        &["call", "cart", "add", "--registry", &gone],
        &["discover", "--registry", &gone],
        &["call-raw", &gone, "x"],
        &["request", "GET", &gone],
    ] {
        let told = at(&shop, arguments).expect(4);
        assert!(told.err.contains("nobody listens there") && !told.err.contains("gateway"), "{}", told.err);
    }
    let told = at(&shop, &["discover", "--gateway", &gone]).expect(4);
    assert!(told.err.contains("--gateway URL"), "{}", told.err);
}

#[test]
fn empty_variables_of_the_environment_are_none() {
    let shop = shop::open_to("s3cret");
    let mut listed = command(&["discover", "--token", "s3cret", "--gateway", &shop.url()]);
    Told::of(&listed.env("REHEARSAL_GATEWAY", "").env("REHEARSAL_TOKEN", "").output().unwrap()).expect(0);
    // Nothing but the default is left, where somebody may listen or not.
    let mut unnamed = command(&["discover", "--timeout", "100ms"]);
    let told = Told::of(&unnamed.env("REHEARSAL_GATEWAY", "").output().unwrap());
    assert!(told.code != Some(2), "{}", told.err);
}

#[test]
fn a_url_can_be_called_without_a_registry() {
    let shop = shop::open();
    let told = run(&["call-raw", &shop.api(), "cart.add", "a=1", "b=2"]).expect(0);
    assert_eq!(told.out, "3\n");
    assert!(
        told.err.starts_with("[!] Service identification: ") && told.err.ends_with("[!] Result:\n\n"),
        "{}",
        told.err
    );
    let told = run(&["call-raw", &shop.api(), "cart.add", "a=1", "b=2", "--notify", "-q"]).expect(0);
    assert_eq!((told.out.as_str(), told.err.as_str()), ("", ""));
    assert_eq!(shop.seen().last().unwrap().json().get("id"), None);
}

/// What the server of gemstone 0.12 was seen to send.
#[test]
fn servers_of_gemstone_are_understood() {
    let gemstone = Stub::start(|request| {
        let call = request.json();
        let answer = match call["method"].as_str() {
            Some("say_hello") => json!({"jsonrpc": "2.0", "result": "hello world", "error": null, "id": call["id"]}),
            _ => {
                json!({"jsonrpc": "2.0", "result": null, "error": {"code": -32601, "message": "Method not found"}, "id": call["id"]})
            }
        };
        Deed::json(&answer)
    });
    let url = gemstone.api();
    assert_eq!(run(&["call-raw", &url, "say_hello", "name=world", "-q"]).expect(0).out, "\"hello world\"\n");
    assert!(run(&["call-raw", &url, "shout"]).expect(1).err.contains("Method not found"));
    // 0.12 says nothing of itself.
    assert!(run(&["inspect", &url]).expect(1).err.contains("says nothing of itself"));
}

#[test]
fn several_registries_are_asked_in_turn() {
    let shop = shop::open();
    let none = Stub::start(|request| Deed::json(&json!({"jsonrpc": "2.0", "result": [], "id": request.json()["id"]})));
    let told = run(&[
        "call",
        "cart",
        "add",
        "1",
        "2",
        "-q",
        "--registry",
        &nowhere(),
        "--registry",
        &none.api(),
        "--registry",
        &shop.api(),
    ]);
    assert_eq!(told.expect(0).out, "3\n");
    let told = run(&["call", "horse", "add", "--registry", &none.api(), "--registry", &shop.api()]).expect(4);
    assert!(told.err.contains("2 registries were asked"), "{}", told.err);
    let told = run(&["discover", "--registry", &nowhere(), "--registry", &shop.api()]).expect(0);
    assert!(
        told.out.contains("3 services\n") && told.out.contains("/api/cart\n") && told.err.contains("Not asked: nobody"),
        "{}{}",
        told.out,
        told.err
    );
}

#[test]
fn a_token_opens_the_gateway_and_is_kept_from_others() {
    let shop = shop::open_to("s3cret");
    let told = at(&shop, &["call", "cart", "add", "1", "2"]).expect(1);
    assert!(told.err.contains("Denied") && told.err.contains("REHEARSAL_TOKEN"), "{}", told.err);
    at(&shop, &["call", "cart", "add", "1", "2", "--token", "s3cret"]).expect(0);

    let with_token = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("REHEARSAL_TOKEN", "s3cret").env("REHEARSAL_GATEWAY", shop.url());
        Told::of(&command.output().unwrap())
    };
    with_token(&["call", "cart", "add", "1", "2"]).expect(0);
    with_token(&["call-raw", &shop.api(), "cart.add", "1", "2"]).expect(0);
    let other = shop::open();
    with_token(&["call-raw", &other.api(), "cart.add", "1", "2"]).expect(0);
    with_token(&["call", "cart", "add", "1", "2", "--registry", &other.api()]).expect(0);
    with_token(&["inspect", &format!("{}/cart", other.api())]).expect(0);
    assert!(other.seen().iter().all(|request| request.header("authorization").is_none()));
    assert!(!with_token(&["call", "--help"]).expect(0).out.contains("s3cret"));
}

#[test]
fn services_are_listed_and_described() {
    let shop = shop::open();
    let told = at(&shop, &["discover"]).expect(0);
    assert_eq!(
        told.out,
        "2 services  interfaces  methods\n  cart      cart 1.0          1\n  stock     cart 1.0          1\n\n1 elsewhere\n  http://127.0.0.1:1/api\n"
    );
    assert_eq!(at(&shop, &["discover", "c*", "-q"]).expect(0).out, "cart\n");
    assert!(at(&shop, &["discover", "horse*"]).expect(4).err.contains("no service is called `horse*`"));
    assert_eq!(at(&shop, &["discover", "--json"]).expect(0).json()["services"][0]["service"], "cart");

    let told = at(&shop, &["inspect", "cart"]).expect(0);
    let expected = format!(
        "cart  {}/cart\n\ncart 1.0\n  add(a: i64, b: i64) -> i64\n      Adds two numbers.\n      Raises Overflow.\n",
        shop.api()
    );
    assert_eq!(told.out, expected);
    assert_eq!(run(&["inspect", &format!("{}/cart", shop.api())]).expect(0).out, expected);
    assert_eq!(at(&shop, &["inspect", "cart", "--json"]).expect(0).json()["interfaces"][0]["name"], "cart");

    // Older services of gemstone know no `inspect`.
    let older = Stub::start(|request| {
        let call = request.json();
        Deed::json(&match call["method"].as_str() {
            Some("get_service_specs") => {
                json!({"jsonrpc": "2.0", "result": {"name": "old.1", "methods": {"say": "Says."}}, "error": null, "id": call["id"]})
            }
            _ => json!({"jsonrpc": "2.0", "result": null, "error": {"code": -32601, "message": "?"}, "id": call["id"]}),
        })
    });
    assert_eq!(
        run(&["inspect", &older.api()]).expect(0).out,
        format!("old.1  {}\n\n  say\n      Says.\n", older.api())
    );
}

#[test]
fn events_are_told_and_heard() {
    let shop = shop::open();
    let told = at(&shop, &["emit", "orders.placed", "customer=ann", "total=9.5"]).expect(0);
    assert!(told.out.is_empty() && told.err.contains("[!] Told to 2 subscribers"), "{}", told.err);
    assert_eq!(shop.seen().last().unwrap().json(), json!({"customer": "ann", "total": 9.5}));
    let told = at(&shop, &["emit", "no.one", "[1]", "--json"]).expect(0);
    assert_eq!(told.json(), json!({"topic": "no.one", "outcome": "ack", "receivers": 0}));
    assert!(at(&shop, &["emit", "not a topic"]).expect(1).err.contains("is no topic"));

    let told = at(&shop, &["subscribe", "orders.*"]).expect(0);
    assert_eq!(told.out.lines().count(), 3);
    assert!(told.out.starts_with("   1.00 ms  orders.placed  {\"number\":1}  from orders\n"), "{}", told.out);
    assert!(
        told.err.contains("[!] Subscribed to orders.*") && told.err.contains("ended the stream after 3 events"),
        "{}",
        told.err
    );
    let told = at(&shop, &["subscribe", "orders.*", "-n", "2", "--json"]).expect(0);
    let lines: Vec<serde_json::Value> = told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[1]["body"]), (2, &json!({"number": 2})));
    let told = at(&shop, &["subscribe", "orders.*", "-n", "4"]).expect(5);
    assert_eq!(told.out.lines().count(), 3);
    assert!(told.err.contains("ended the stream after 3 events, not the 4 that were asked for"), "{}", told.err);
    assert!(at(&shop, &["subscribe", "?"]).expect(4).err.contains("there is no such service"));
}

#[test]
fn shells_and_man_are_told_of_every_command() {
    let commands = ["run", "check", "call", "call-raw", "request", "inspect", "discover", "emit", "subscribe"];
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]).expect(0).out;
        assert!(commands.iter().all(|command| script.contains(command)), "{shell}");
    }
    run(&["completions", "tcsh"]).expect(2);

    let page = run(&["manual"]).expect(0).out;
    assert!(page.contains(".TH REHEARSAL 1") && page.contains("Examples:"), "{page}");
    let page = run(&["manual", "call"]).expect(0).out;
    assert!(page.contains(".TH REHEARSAL-CALL 1") && page.contains("REHEARSAL_GATEWAY"), "{page}");
    assert!(run(&["manual", "dance"]).expect(2).err.contains("`dance` is no command"));
    let folder = tempfile::TempDir::new().unwrap();
    let into = folder.path().join("man1");
    run(&["manual", "--into", into.to_str().unwrap()]).expect(0);
    for command in commands {
        assert!(into.join(format!("rehearsal-{command}.1")).is_file(), "{command}");
    }
    assert!(into.join("rehearsal.1").is_file());
}

#[test]
fn help_shows_examples_within_80_columns() {
    for name in ["call", "call-raw", "request", "inspect", "discover", "emit", "subscribe", "completions", "manual"] {
        let told = run(&[name, "--help"]).expect(0);
        assert!(told.out.contains("Examples:\n"), "{name}\n{}", told.out);
        let long: Vec<&str> = told.out.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{name}: {long:#?}");
    }
}
