//! Against servers that do not keep to anything.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use rehearsal::actors::outcome::OutcomeKind;
use rehearsal::client::{Error, Gateway, RemoteService, Settings};
use serde_json::{Value, json};

use crate::stub::{Deed, Stub, nowhere};

/// A second is long enough for this machine, and short enough to wait for.
fn hasty() -> Settings {
    Settings::default().timeout(Duration::from_secs(1)).most_answer_bytes(100_000)
}

fn call(stub: &Stub) -> Result<Value, Error> {
    RemoteService::with(&hasty(), &stub.api()).unwrap().call("x", ())
}

#[test]
fn nobody_there_is_known_at_once_and_for_sure() {
    let begun = Instant::now();
    let error = RemoteService::with(&hasty(), &nowhere()).unwrap().call::<Value>("x", ()).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert_eq!((error.outcome(), error.is_definite()), (OutcomeKind::Undelivered, true));
    assert!(begun.elapsed() < Duration::from_secs(1));

    let error = RemoteService::at("http://no-such-host.invalid/api").unwrap().call::<Value>("x", ()).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[test]
fn what_is_no_answer_says_what_it_is_instead() {
    for (body, why) in [
        ("<html>busy</html>", "no JSON"),
        ("", "empty"),
        ("{\"jsonrpc\": \"2.0\", \"result\": 1", "no JSON"),
        ("\"hello\"", "no JSON-RPC answer"),
        ("{\"result\": 1, \"id\": 1}", "does not say"),
        ("{\"jsonrpc\": \"2.0\", \"result\": 1, \"id\": 7}", "answers call 7, and call 1"),
        ("{\"jsonrpc\": \"2.0\", \"result\": 1, \"id\": \"1\"}", "which nobody has asked with"),
        ("{\"jsonrpc\": \"2.0\", \"result\": 1, \"error\": {\"code\": 1, \"message\": \"\"}, \"id\": 1}", "both"),
        ("[{\"jsonrpc\": \"2.0\", \"result\": 1, \"id\": 1}]", "no JSON-RPC answer"),
        ("\u{fffd}\u{0}", "no JSON"),
    ] {
        let stub = Stub::start(|_| Deed::Answer { status: 200, headers: Vec::new(), body: body.to_owned() });
        let error = call(&stub).unwrap_err();
        assert!(matches!(&error, Error::Malformed { reason, .. } if reason.contains(why)), "{body}: {error}");
        assert_eq!((error.outcome(), error.is_definite()), (OutcomeKind::Error, false));
    }
    // Arrays in arrays in arrays do not fell the parser.
    let stub = Stub::start(|_| Deed::Answer { status: 200, headers: Vec::new(), body: "[".repeat(50_000) });
    assert!(matches!(call(&stub), Err(Error::Malformed { .. })));
}

#[test]
fn what_is_no_http_is_told_from_a_broken_connection() {
    let stub = Stub::start(|_| Deed::Raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()));
    let error = call(&stub).unwrap_err();
    assert!(matches!(&error, Error::Malformed { reason, .. } if reason.contains("not HTTP")), "{error:?}");
}

#[test]
fn a_connection_that_breaks_leaves_open_what_happened() {
    let broken: [(&str, Stub); 4] = [
        ("reset", Stub::start_resetting()),
        ("closed", Stub::start(|_| Deed::Raw(Vec::new()))),
        ("in the head", Stub::start(|_| Deed::Raw(b"HTTP/1.1 200 OK\r\nContent-".to_vec()))),
        ("in the body", Stub::start(|_| Deed::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"json".to_vec()))),
    ];
    for (how, stub) in broken {
        let error = call(&stub).unwrap_err();
        assert!(matches!(error, Error::Interrupted { .. }), "{how}: {error:?}");
        assert_eq!((error.outcome(), error.is_definite()), (OutcomeKind::Interrupted, false));
    }
}

#[test]
fn time_runs_out_however_little_comes() {
    let silent = Stub::start(|_| Deed::Silence(Duration::from_secs(5)));
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_vec();
    let slow_head = Stub::start(move |_| Deed::Drip(head.repeat(100), Duration::from_millis(60)));
    let slow_body = Stub::start(|_| {
        let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        answer.extend([b' '; 1_000]);
        Deed::Drip(answer, Duration::from_millis(20))
    });
    for (what, stub) in [("silence", silent), ("a slow head", slow_head), ("a slow body", slow_body)] {
        let begun = Instant::now();
        let error = call(&stub).unwrap_err();
        assert!(matches!(error, Error::TimedOut { after, .. } if after == Duration::from_secs(1)), "{what}: {error:?}");
        assert_eq!((error.outcome(), error.is_definite()), (OutcomeKind::TimedOut, false));
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(900) && took < Duration::from_secs(4), "{what}: {took:?}");
    }
}

#[test]
fn answers_have_a_bound() {
    let error = call(&Stub::start(|_| Deed::Endless)).unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 100_000, .. }), "{error:?}");

    let announced = Stub::start(|_| Deed::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec()));
    assert!(matches!(call(&announced), Err(Error::TooLarge { .. } | Error::Interrupted { .. })));

    let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
    for n in 0..10_000 {
        head.extend(format!("X-Header-{n}: value\r\n").into_bytes());
    }
    head.extend(b"\r\n");
    let headers = Stub::start(move |_| Deed::Raw(head.clone()));
    let error = call(&headers).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. } | Error::Malformed { .. }), "{error:?}");

    // Just as large as it may be: 100,000 bytes in all.
    let whole = json!({"jsonrpc": "2.0", "result": "", "id": 1}).to_string().len();
    let exact =
        Stub::start(move |_| Deed::json(&json!({"jsonrpc": "2.0", "result": "x".repeat(100_000 - whole), "id": 1})));
    assert!(call(&exact).is_ok());
}

#[test]
fn headers_have_a_bound_of_their_own() {
    let endless = || {
        [b"HTTP/1.1 200 OK\r\n".to_vec(), format!("X-More: {}\r\n", "a".repeat(8_192)).repeat(10).into_bytes()].concat()
    };
    let error = call(&Stub::start(move |_| Deed::Raw(endless()))).unwrap_err();
    assert!(matches!(error, Error::HeadTooLarge { limit: 65_536, .. }), "{error:?}");
    assert!(error.to_string().contains("headers") && error.to_string().contains("65536"), "{error}");
}

#[test]
fn where_no_tls_is_spoken_nothing_was_sent() {
    // The first reads the whole hello and answers it in plain text, as web servers do; the second closes.
    let server = |answer: &'static [u8]| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut connection in listener.incoming().map_while(Result::ok) {
                let _ = connection.read(&mut [0; 16_384]);
                let _ = connection.write_all(answer);
            }
        });
        url
    };
    for url in [server(b"HTTP/1.1 400 Bad Request\r\n\r\n"), server(b"")] {
        let error = RemoteService::with(&hasty(), &url).unwrap().call::<Value>("x", ()).unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }) && error.is_definite(), "{error:?}");
        assert!(error.to_string().contains("TLS"), "{error}");
    }
}

#[test]
fn nothing_is_sent_where_an_answer_points_to() {
    let elsewhere = Stub::start(|_| Deed::json(&json!({"jsonrpc": "2.0", "result": 1, "id": 1})));
    for status in [301, 302, 303, 307, 308] {
        let to = elsewhere.api();
        let stub =
            Stub::start(move |_| Deed::Answer { status, headers: vec![("Location", to.clone())], body: String::new() });
        let error = call(&stub).unwrap_err();
        assert!(matches!(&error, Error::Redirected { to, .. } if *to == elsewhere.api()), "{error:?}");
        assert!(
            !error.is_definite() && error.outcome() == OutcomeKind::Error,
            "what was carried out is answered so, too"
        );
    }
    assert_eq!(elsewhere.seen().len(), 0);
    // An endpoint may say so: that is its answer.
    let to = elsewhere.api();
    let stub = Stub::start(move |_| Deed::Answer {
        status: 303,
        headers: vec![("Location", to.clone())],
        body: String::new(),
    });
    let reply = Gateway::with(&hasty(), &stub.url()).unwrap().request("POST", "/cart/orders", None).unwrap();
    assert_eq!(reply.status, 303);
}

#[test]
fn http_errors_are_told_with_what_they_say() {
    for (status, outcome) in [
        (400, OutcomeKind::NotUnderstood),
        (401, OutcomeKind::Denied),
        (404, OutcomeKind::NotUnderstood),
        (500, OutcomeKind::Error),
        (502, OutcomeKind::Error),
        (503, OutcomeKind::Nack),
        (504, OutcomeKind::TimedOut),
    ] {
        let stub = Stub::start(move |_| Deed::Answer { status, headers: Vec::new(), body: "no".into() });
        let error = call(&stub).unwrap_err();
        assert!(matches!(error, Error::Status { status: told, .. } if told == status), "{error:?}");
        assert_eq!(error.outcome(), outcome, "{status}");
    }
    // Some servers say it twice: in HTTP and in JSON-RPC.
    let error = json!({"jsonrpc": "2.0", "error": {"code": -32601, "message": "what?"}, "id": 1});
    let stub = Stub::start(move |_| Deed::with_status(404, &error));
    assert!(matches!(call(&stub), Err(Error::Remote(remote)) if remote.code == -32601));
}

#[test]
fn batches_that_are_not_answered_properly_are_told_apart() {
    let answer = |id: u64| json!({"jsonrpc": "2.0", "result": id, "id": id});
    let refusal = json!({"jsonrpc": "2.0", "error": {"code": -32600, "message": "too many"}, "id": null});
    let send = |answers: Value| {
        let stub = Stub::start(move |_| Deed::json(&answers));
        let service = RemoteService::with(&hasty(), &stub.api()).unwrap();
        let mut batch = service.batch();
        let one = batch.call::<u64>("one", ()).unwrap();
        let two = batch.call::<u64>("two", ()).unwrap();
        batch.send().map(|mut answers| (answers.take(one), answers.take(two)))
    };
    assert_eq!(send(json!([answer(2), answer(1)])), Ok((Ok(1), Ok(2))));
    let unanswered = |method: &str| Err(Error::Unanswered { method: method.into() });
    assert_eq!(send(json!([answer(2)])), Ok((unanswered("one"), Ok(2))));
    assert_eq!(send(json!([refusal, answer(2)])), Ok((unanswered("one"), Ok(2))));
    // Twice the same: nobody knows which.
    assert_eq!(send(json!([answer(2), answer(2)])), Ok((unanswered("one"), unanswered("two"))));
    assert!(matches!(send(json!([answer(1), answer(2), answer(3)])), Err(Error::Malformed { .. })));
    assert!(matches!(send(json!([answer(1), 2])), Err(Error::Malformed { .. })));
    assert!(matches!(send(refusal), Err(Error::Remote(remote)) if remote.code == -32600));
    assert!(matches!(send(answer(1)), Err(Error::Malformed { .. })));
}

#[test]
fn a_stream_of_events_that_breaks_says_so() {
    let gateway = |stub: &Stub| Gateway::with(&hasty(), &stub.url()).unwrap();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let event = "data: {\"topic\": \"a\"}\n\n";
    let broken = format!("{head}{:x}\r\n{event}\r\n", event.len());
    let stub = Stub::start(move |_| Deed::Raw(broken.clone().into_bytes()));
    let events: Vec<_> = gateway(&stub).subscribe("a").unwrap().collect();
    assert!(matches!(&events[..], [Ok(_), Err(Error::Interrupted { .. })]), "{events:?}");

    let stub = Stub::start(|_| Deed::json(&json!([])));
    assert!(matches!(gateway(&stub).subscribe("a"), Err(Error::Malformed { .. })));
    let stub = Stub::start(|_| Deed::Silence(Duration::from_secs(5)));
    assert!(matches!(gateway(&stub).subscribe("a"), Err(Error::TimedOut { .. })));

    // Once begun it may take longer than a call.
    let stub =
        Stub::start(|_| Deed::Stream(vec!["data: {\"topic\": \"a\"}\n\n".into(); 4], Duration::from_millis(400)));
    assert_eq!(gateway(&stub).subscribe("a").unwrap().filter(Result::is_ok).count(), 4);
}

#[test]
fn registries_that_answer_nonsense_have_failed() {
    for nonsense in [json!("http://a/api"), json!([1]), json!(["not a url"]), json!({"host": "a"})] {
        let answer = json!({"jsonrpc": "2.0", "result": nonsense, "id": 1});
        let stub = Stub::start(move |_| Deed::json(&answer));
        let registry = rehearsal::client::Registry::with(&hasty(), &stub.api()).unwrap();
        let error = registry.locate("cart").unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
    }
}
