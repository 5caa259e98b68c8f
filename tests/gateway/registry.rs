//! The gateway as a registry: who is outside is found inside and outside, and the reverse.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rehearsal::client::{Registries, Settings};
use serde_json::{Value, json};

use crate::common::http::PATIENCE;
use crate::common::outsider::{Manner, Outsider};
use crate::common::served::Served;

/// A gateway, and a service of that name behind it.
fn with_service(name: &str) -> String {
    format!(
        r#"Scenario(
            version: 1, name: "a registry",
            network: Explicit(
                nodes: [(name: "edge"), (name: "cloud")],
                links: [(from: "edge", to: "cloud", latency: "1ms")],
            ),
            services: [
                (name: "gateway", gateway: (), node: "edge"),
                (name: "{name}", actor: "rpc/hello", node: "cloud"),
            ],
        )"#
    )
}

fn located(registry: &Served, name: &str) -> Vec<String> {
    let urls = registry.call("locate_service", json!({ "name": name }));
    serde_json::from_value(urls).expect("it is a list of URLs")
}

/// Waits until the registry finds exactly these, and returns how long that took.
#[track_caller]
fn wait_for(registry: &Served, name: &str, urls: &[&str]) -> Duration {
    let began = Instant::now();
    loop {
        let found = located(registry, name);
        if found == urls {
            return began.elapsed();
        }
        assert!(began.elapsed() < PATIENCE, "{name}: {found:?} instead of {urls:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn three_registries_know_who_comes_and_forget_who_goes() {
    // How long somebody is known goes by the wall clock, however fast the run goes.
    let registries = [("front", "1"), ("back", "10"), ("side", "0.5")]
        .map(|(name, pace)| Served::scenario(&with_service(&format!("myservice.{name}")), &["--pace", pace]));
    let [one, two, three] = ["http://127.0.0.1:9001/api", "http://127.0.0.1:9002/api", "https://three.example/x"];
    let all = "myservice.workers.*";
    for registry in &registries {
        assert_eq!(located(registry, all), [""; 0]);
        // As gemstone's services do; as its registries' clients may; and by position.
        registry.call("ping", json!({ "name": "myservice.workers.01", "host": "127.0.0.1", "port": 9001 }));
        registry.call("ping", json!(["myservice.workers.02", two, 60]));
        assert_eq!(located(registry, all), [two, one], "who was heard of last comes first");
        assert_eq!(located(registry, "myservice.workers.?1"), [one]);
        assert_eq!(located(registry, "myservice.workers.?"), [""; 0]);
        assert_eq!(located(registry, "myservice.workers.02"), [two]);
        assert_eq!(located(registry, "workers"), [""; 0]);
    }
    // One comes to the first registry alone.
    registries[0].call("ping", json!({ "name": "myservice.workers.11", "url": three, "ttl": 60 }));
    assert_eq!(registries.each_ref().map(|registry| located(registry, "*.1?").len()), [1, 0, 0]);
    assert_eq!(located(&registries[0], "*.?1"), [three, one]);

    // One says again and again that it is there for two seconds, for longer than that, and falls silent.
    let began = Instant::now();
    let short = json!({ "name": "myservice.workers.01", "host": "127.0.0.1", "port": 9001, "ttl": 2 });
    while began.elapsed() < Duration::from_millis(2500) {
        for registry in &registries {
            registry.call("ping", short.clone());
            assert_eq!(located(registry, all)[0], one, "it has just been heard of");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    for (registry, others) in registries.iter().zip([&[three, two][..], &[two], &[two]]) {
        wait_for(registry, all, others);
    }
    let silent = began.elapsed();
    assert!((4000..15_000).contains(&silent.as_millis()), "two seconds after the last sign of life, not {silent:?}");
    // It comes back, and is as good as ever.
    for registry in &registries {
        registry.call("ping", short.clone());
        assert_eq!(located(registry, all)[0], one);
    }

    // Whoever asks several is told by the first that knows.
    registries[0].call("ping", json!(["myservice.workers.01", one, 60]));
    registries[1].call("ping", json!(["myservice.workers.01", one, 60]));
    let closed = TcpListener::bind("127.0.0.1:0").expect("there is a free port").local_addr().expect("it has one");
    let addresses = [closed, registries[1].address(), registries[0].address()];
    let urls = addresses.map(|address| format!("http://{address}/api"));
    let asked = Registries::with(&Settings::default(), &urls).expect("these are URLs");
    let front = asked.locate_service("myservice.fron?").expect("one of them knows");
    assert_eq!(front.registry, urls[2]);
    assert_eq!(front.service.call("say_hello", ("you",)), Ok("hello you".to_owned()));
    let (workers, failed) = asked.locate_all(all).expect("some of them know");
    assert_eq!((workers, failed.len()), (vec![one.to_owned(), two.to_owned(), three.to_owned()], 1), "each once");
    assert!(asked.locate_service("myservice.workers.99").is_err());

    // A registry goes: the others know what they knew. When it comes back, it hears of all with the next ping.
    let [first, second, third] = registries;
    first.close();
    assert_eq!(located(&second, "*.02"), [two]);
    let first = Served::scenario(&with_service("myservice.front"), &[]);
    assert_eq!(located(&first, all), [""; 0]);
    first.call("ping", json!(["myservice.workers.02", two]));
    assert_eq!(located(&first, all), [two]);

    // Services of the runs are found as well, each in its own; and can be called where they are found.
    for (registry, name) in [(&first, "front"), (&second, "back"), (&third, "side")] {
        let url = format!("http://gateway/api/myservice.{name}");
        assert_eq!(located(registry, "myservice.*")[0], url, "the host as it is in the request");
        let greeting = registry.answer_to(&format!("/api/myservice.{name}"), "say_hello", json!({ "name": "world" }));
        assert_eq!(greeting["result"], "hello world");
    }
}

#[test]
fn who_registers_outside_is_called_inside_and_the_reverse() {
    let registry = Served::scenario(
        r#"Scenario(
            version: 1, name: "inside out", timeout: "2s",
            network: Explicit(
                nodes: [(name: "edge"), (name: "cloud")],
                links: [(from: "edge", to: "cloud", latency: "5ms")],
            ),
            services: [
                (name: "gateway", gateway: (), node: "edge"),
                (name: "directory", actor: "directory", node: "cloud"),
                (name: "worker", actor: "rpc/worker", node: "cloud", provides: true),
                (name: "caller", actor: "rpc/caller", node: "cloud",
                 params: (interface: "outer.work", every: "50ms", tries: 1)),
            ],
            directories: ["directory"],
        )"#,
        &["--pace", "2"],
    );
    let worker = "http://gateway/api/worker";
    // By the interface that it provides, from the run's directory.
    wait_for(&registry, "work", &[worker]);
    let outsider = Outsider::who(Manner::Echoes);
    registry.call("ping", json!({ "name": "outer.work", "url": outsider.url() }));
    let began = Instant::now();
    while outsider.heard() < 3 {
        assert!(began.elapsed() < PATIENCE, "the caller inside calls who is outside");
        std::thread::sleep(Duration::from_millis(20));
    }
    wait_for(&registry, "*work", &[worker, &outsider.url()]);
    let report = registry.close();
    assert!(report["counters"]["calls answered"].as_u64() >= Some(2), "{}", report["counters"]);
}

#[test]
fn what_cannot_be_understood_is_refused_in_clear_words() {
    let registry = Served::scenario(&with_service("hello"), &[]);
    for (method, params, says) in [
        ("ping", json!([]), "`ping` takes `name` and `url`, or `name`, `host` and `port`"),
        ("ping", json!({ "name": "a", "host": "h", "port": 70000 }), "`70000` is no port"),
        ("ping", json!({ "name": "a", "url": "gopher://h" }), "does not begin with http:// or https://"),
        ("ping", json!({ "name": "a b", "url": "http://h" }), "`a b` cannot be the name of a service"),
        ("ping", json!({ "name": "a", "url": "http://h", "ttl": -1 }), "`-1` is no `ttl`"),
        // Who would be called by these names, is somebody else or nobody.
        ("ping", json!(["hello", "http://h"]), "`hello` is the name of a service of this run"),
        ("ping", json!(["gateway", "http://h"]), "`gateway` is the name of this gateway itself"),
        ("ping", json!(["api", "http://h"]), "`api` is the gateway's own"),
        ("ping", json!(["openapi.json", "http://h"]), "`openapi.json` is the gateway's own"),
        ("locate_service", json!([]), "`locate_service` takes a `name`"),
        ("locate_service", json!([7]), "`locate_service` takes a `name`"),
        ("locate_service", json!(["x".repeat(10_000)]), "a pattern of names has at most"),
    ] {
        let error = registry.answer(method, params)["error"].take();
        let (code, message) = (error["code"].as_i64(), error["message"].as_str().unwrap_or_default());
        assert_eq!((code, error["data"]["definite"].as_bool()), (Some(-32602), Some(true)), "{error}");
        assert!(message.contains(says), "{message}");
    }
    // At one service they are not the gateway's.
    assert_eq!(registry.answer_to("/api/hello", "locate_service", json!(["*"]))["error"]["code"], -32601);
    // The next one is answered; and a notification of life is as good as a call.
    let note = br#"{"jsonrpc": "2.0", "method": "ping", "params": ["a", "http://h/api"]}"#;
    let noted = registry.client().ask("POST", "/api", &[("content-type", "application/json")], note);
    assert_eq!(noted.status, 204);
    wait_for(&registry, "a", &["http://h/api"]);
}

#[test]
fn the_gateway_says_what_it_is_and_what_is_behind_it() {
    let registry = Served::scenario(&with_service("hello"), &["--null-members"]);
    // What gemstone's clients look for before they ask for anything else: the names, and no error.
    let answer = registry.answer("get_service_specs", json!([]));
    assert_eq!(answer.get("error"), Some(&Value::Null));
    let specs = &answer["result"];
    let methods: Vec<&String> = specs["methods"].as_object().into_iter().flat_map(|methods| methods.keys()).collect();
    assert_eq!(methods, ["get_service_specs", "inspect", "locate_service", "ping"]);
    assert_eq!((&specs["name"], &specs["port"]), (&json!("gateway"), &json!(registry.address().port())));
    assert_eq!(specs["services"], json!(["hello"]));
    assert_eq!(registry.answer("ping", json!(["a", "h", 1])).get("error"), Some(&Value::Null));
    let services = registry.answer("inspect", json!([]))["result"].take();
    assert_eq!((services.as_array().map(Vec::len), &services[0]["service"]), (Some(1), &json!("hello")));
    assert_eq!(services[0]["interfaces"][0]["methods"][0]["name"], "say_hello");
}

#[test]
fn who_shows_no_token_registers_nobody_and_finds_what_is_exposed() {
    let exposing =
        |exposes: &str| with_service("hello").replace("gateway: ()", &format!("gateway: (exposes: [{exposes}])"));
    let ask = |registry: &Served, token: Option<&str>, method: &str, params: Value| {
        let request = json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": 1 }).to_string();
        let bearer = format!("Bearer {}", token.unwrap_or_default());
        let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        let headers = &headers[..if token.is_some() { 2 } else { 1 }];
        registry.client().ask("POST", "/api", headers, request.as_bytes()).json()
    };
    let token = ["--token", "secret"];
    let sign = || json!(["out.a", "http://h/api"]);
    let all = || json!(["*"]);
    let open = Served::scenario(&exposing(r#""hello", "out.b*""#), &token);
    assert_eq!(ask(&open, None, "ping", sign())["error"]["code"], -32001);
    assert_eq!(ask(&open, Some("guess"), "ping", sign())["error"]["code"], -32001);
    assert_eq!(ask(&open, Some("secret"), "ping", sign())["result"], Value::Null);
    let hello = "http://gateway/api/hello";
    assert_eq!(ask(&open, None, "locate_service", all())["result"], json!([hello]));
    assert_eq!(ask(&open, Some("secret"), "locate_service", all())["result"], json!([hello, "http://h/api"]));
    assert_eq!(ask(&open, None, "get_service_specs", json!([]))["result"]["services"], json!(["hello"]));

    let closed = Served::scenario(&with_service("hello"), &token);
    for method in ["ping", "locate_service", "inspect", "get_service_specs"] {
        assert_eq!(ask(&closed, None, method, json!([]))["error"]["code"], -32001, "{method}");
    }
    assert_eq!(ask(&closed, Some("secret"), "locate_service", all())["result"], json!([hello]));

    // Whoever wants to lets everybody in.
    let exposed = Served::scenario(&exposing(r#""ping", "events""#), &token);
    assert_eq!(ask(&exposed, None, "ping", sign())["result"], Value::Null);
    // And tells nobody by the way who is there: a name that is taken is none to those who may not know.
    let taken = || json!(["hello", "http://h/api"]);
    assert_eq!(ask(&exposed, None, "ping", taken()).get("error"), None);
    assert_eq!(ask(&exposed, Some("secret"), "ping", taken())["error"]["code"], -32602);
}
