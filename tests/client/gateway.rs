//! Against the real gateway: `serve` in one process, clients in others.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use rehearsal::actors::outcome::OutcomeKind;
use rehearsal::actors::units::SimDuration;
use rehearsal::client::{Error, Gateway, Settings};
use serde_json::{Value, json};

use crate::program::{Told, command, run};

/// A run that is being served, for as long as it is held.
struct Served {
    process: Child,
    url: String,
}

impl Served {
    fn start(arguments: &[&str]) -> Served {
        let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/hello.ron");
        let mut command = command(&["serve", scenario, "--listen", "127.0.0.1:0"]);
        let mut process = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut welcome = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut welcome).unwrap();
        let url = welcome.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("{welcome}")).trim_end_matches(',').to_owned();
        Served { process, url }
    }

    fn gateway(&self) -> Gateway {
        Gateway::at(&self.url).unwrap()
    }

    fn ask(&self, arguments: &[&str]) -> Told {
        Told::of(&command(arguments).env("REHEARSAL_GATEWAY", &self.url).output().unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_service_in_the_network_is_called_from_outside() {
    let served = Served::start(&[]);
    let hello = served.gateway().service("hello").unwrap();
    assert_eq!(hello.call("say_hello", json!({"name": "world"})), Ok("hello world".to_owned()));
    assert_eq!(hello.call("say_hello", ("world",)), Ok("hello world".to_owned()));
    assert_eq!(hello.name(), Ok("hello"));

    // There and back over a link of 20 ms, and twice half a millisecond on either machine: 42 ms, and
    // less than a microsecond for the bytes.
    let reply = hello.ask("say_hello", ("world",)).unwrap();
    let elapsed = reply.elapsed.unwrap();
    assert!(
        elapsed >= SimDuration::from_nanos(42_000_000) && elapsed < SimDuration::from_nanos(42_010_000),
        "{elapsed:?}"
    );
    assert_eq!(reply.hops, Some(1));

    let unknown = hello.call::<Value>("dance", ()).unwrap_err();
    assert_eq!((unknown.outcome(), unknown.is_definite()), (OutcomeKind::NotUnderstood, true));
    assert!(unknown.to_string().contains("there is no method `dance`"), "{unknown}");
    let nobody = served.gateway().service("nobody").unwrap().call::<Value>("x", ()).unwrap_err();
    assert!(nobody.is_definite(), "{nobody}");
    hello.notify("say_hello", ("nobody in particular",)).unwrap();
}

#[test]
fn a_batch_crosses_the_network_at_once() {
    let served = Served::start(&[]);
    let hello = served.gateway().service("hello").unwrap();
    let mut batch = hello.batch();
    let tickets: Vec<_> = (0..20).map(|n| batch.call::<i64>("echo", [n]).unwrap()).collect();
    let failing = batch.call::<Value>("dance", ()).unwrap();
    batch.notify("echo", [0]).unwrap();
    let begun = std::time::Instant::now();
    let mut answers = batch.send().unwrap();
    // One after the other they would take 20 times 42 ms.
    assert!(begun.elapsed().as_millis() < 800, "{:?}", begun.elapsed());
    for (n, ticket) in (0..).zip(tickets) {
        assert_eq!(answers.take(ticket), Ok(n));
    }
    assert!(matches!(answers.take(failing), Err(Error::Remote(error)) if error.code == -32601));
}

#[test]
fn the_answers_that_gemstone_wants_are_understood_as_well() {
    let served = Served::start(&["--null-members"]);
    let hello = served.gateway().service("hello").unwrap();
    assert_eq!(hello.call("say_hello", ("world",)), Ok("hello world".to_owned()));
    assert!(matches!(hello.call::<Value>("dance", ()), Err(Error::Remote(error)) if error.code == -32601));
}

#[test]
fn commands_speak_with_the_gateway() {
    let served = Served::start(&[]);
    let told = served.ask(&["call", "hello", "say_hello", "name=world"]).expect(0);
    assert_eq!(told.out, "\"hello world\"\n");
    assert!(told.err.contains("[!] Virtual time: 0.04200 seconds, 1 hop\n"), "{}", told.err);
    served.ask(&["call", "hello", "dance"]).expect(1);
    assert_eq!(
        served.ask(&["call", "hello", "say_hello", "name=world", "--json"]).expect(0).json()["outcome"],
        "reply"
    );
    let api = format!("{}/api", served.url);
    assert_eq!(run(&["call-raw", &api, "hello.say_hello", "name=world", "-q"]).expect(0).out, "\"hello world\"\n");

    let told = served.ask(&["inspect", "hello"]).expect(0);
    assert!(
        told.out.contains("\n  say_hello(name: String) -> String\n      Greets whoever is named.\n"),
        "{}",
        told.out
    );
    let told =
        served.ask(&["request", "hello", "say_hello", "name=world", "-N", "100", "-C", "16", "--json"]).expect(0);
    assert_eq!(told.json()["outcomes"], json!({"reply": 100}));
    assert!(told.json()["virtual_ns"]["max"].as_u64().unwrap() < 43_000_000);
    let told = served.ask(&["request", "GET", "hello/x", "--json"]).expect(1);
    assert_eq!((&told.json()["status"], &told.json()["outcome"]), (&json!(404), &json!("not_understood")));
    served.ask(&["request", "GET", "nobody/x"]).expect(4);
}

#[test]
fn the_token_is_asked_for_and_found() {
    let served = Served::start(&["--token", "s3cret"]);
    let told =
        served.ask(&["call-raw", &format!("{}/api", served.url), "hello.say_hello", "name=world", "--token", "s3cret"]);
    assert_eq!(told.expect(0).out, "\"hello world\"\n");
    let with_token = Gateway::with(&Settings::default().token("s3cret"), &served.url).unwrap();
    assert_eq!(with_token.service("hello").unwrap().call("say_hello", ("world",)), Ok("hello world".to_owned()));
    let wrong = Gateway::with(&Settings::default().token("wrong"), &served.url).unwrap();
    let denied = wrong.service("hello").unwrap().call::<Value>("say_hello", ("world",)).unwrap_err();
    assert_eq!((denied.outcome(), denied.is_definite()), (OutcomeKind::Denied, true));
    assert!(denied.to_string().contains("what was shown is another"), "{denied}");

    for (arguments, what) in [
        (&["discover"] as &[&str], "error: the list of services"),
        (&["call-raw", &format!("{}/api", served.url), "get_service_specs"], "what the gateway says of itself"),
        (&["call", "hello", "say_hello"], "where services are"),
    ] {
        let none = served.ask(arguments).expect(1).err;
        assert!(none.contains(what) && none.contains("is not for everybody: show the gateway's token"), "{none}");
        let wrong = served.ask(&[arguments, &["--token", "wrong"]].concat()).expect(1).err;
        assert!(wrong.contains(what) && wrong.contains("what was shown is another"), "{wrong}");
    }
}
