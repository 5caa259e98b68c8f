//! Clients that mean no good, or are broken. Whatever they do, the next good request is answered.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rehearsal::gateway::Limits;

use crate::common::Stage;
use crate::common::http::{Client, request};
use crate::common::served::Served;

const JSON: (&str, &str) = ("content-type", "application/json");
const SUM: &str = r#"{"jsonrpc": "2.0", "method": "calc.sum", "params": [1, 2], "id": 1}"#;

/// A stage without patience.
fn hasty() -> Stage {
    let (head_time, body_time) = (Duration::from_secs(1), Duration::from_millis(300));
    let limits = Limits { head_time, body_time, idle_time: head_time, ..Limits::default() };
    Stage::with(|server| server.limits(limits))
}

fn good() -> Vec<u8> {
    request("POST", "/api", &[JSON], SUM.as_bytes())
}

/// Sends bytes one by one, with so much time between them, until the other side takes no more or there are
/// none left.
fn trickle(client: &mut Client, bytes: &[u8], pause: Duration) {
    for byte in bytes {
        if !client.send(&[*byte]) {
            return;
        }
        std::thread::sleep(pause);
    }
}

#[test]
fn a_head_that_does_not_end_is_given_up_and_others_are_answered_meanwhile() {
    let stage = hasty();
    let began = Instant::now();
    let mut silent: Vec<_> = (0..50).map(|_| stage.client()).collect();
    let mut slow = stage.client();
    let trickling = std::thread::spawn(move || {
        trickle(
            &mut slow,
            b"POST /api HTTP/1.1\r\nhost: gateway\r\nx: aaaaaaaaaaaaaaaaaaaaaaaa",
            Duration::from_millis(20),
        );
        slow.read("POST").map(|response| response.status)
    });
    stage.answers();
    assert!(began.elapsed() < Duration::from_secs(1), "nobody waits for them");
    assert_eq!(trickling.join().expect("the client does not panic"), Some(408));
    for client in &mut silent {
        assert!(client.read("GET").is_none_or(|response| response.status == 408) && client.is_closed());
    }
    stage.answers();
}

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let stage = hasty();
    for coding in [("content-length", "100"), ("transfer-encoding", "chunked")] {
        let mut client = stage.client();
        assert!(client.send(&request("POST", "/api", &[JSON, coding], b"")));
        let began = Instant::now();
        assert_eq!(client.read("POST").map(|response| response.problem().0), Some(408), "{coding:?}");
        assert!(client.is_closed() && began.elapsed() < Duration::from_secs(5));
    }
    let mut client = stage.client();
    assert!(client.send(&request("POST", "/api", &[JSON, ("content-length", "100")], b"")));
    trickle(&mut client, &[b' '; 50], Duration::from_millis(20));
    assert_eq!(client.read("POST").map(|response| response.status), Some(408));
    stage.answers();
}

#[test]
fn a_second_request_has_no_more_time_than_the_first() {
    let stage = hasty();
    let mut client = stage.client();
    assert_eq!(client.ask("POST", "/api", &[JSON], SUM.as_bytes()).status, 200);
    assert!(client.send(b"POST /api HTTP/1.1\r\nx: "));
    let trickling = std::thread::spawn(move || {
        trickle(&mut client, &[b'a'; 100], Duration::from_millis(50));
        client.is_closed()
    });
    let began = Instant::now();
    assert!(trickling.join().expect("the client does not panic"));
    assert!(began.elapsed() < Duration::from_secs(8));
    stage.answers();
}

#[test]
fn a_body_that_nobody_reads_holds_no_connection() {
    let stage = hasty();
    for (method, target) in [("POST", "/healthz"), ("GET", "/healthz"), ("PATCH", "/shop"), ("GET", "/nowhere/..")] {
        let mut client = stage.client();
        assert!(client.send(&request(method, target, &[JSON, ("transfer-encoding", "chunked")], b"")));
        assert!(client.read(method).is_some(), "{method} {target}");
        trickle(&mut client, &b"1\r\n \r\n".repeat(20), Duration::from_millis(30));
        assert!(client.is_closed(), "{method} {target}");
    }
    stage.answers();
}

#[test]
fn an_idle_connection_is_closed() {
    let stage = hasty();
    let mut client = stage.client();
    assert_eq!(client.ask("POST", "/api", &[JSON], SUM.as_bytes()).status, 200);
    assert!(client.is_closed());
    stage.answers();
}

#[test]
fn oversized_heads_are_refused() {
    let stage = Stage::plain();
    let long = "x".repeat(1024 * 1024);
    let many = "x: y\r\n".repeat(20_000);
    for head in [
        format!("GET /{long} HTTP/1.1\r\nhost: gateway\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: gateway\r\nx: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: gateway\r\n{long}: x\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: gateway\r\n{many}\r\n"),
        format!("{long} / HTTP/1.1\r\nhost: gateway\r\n\r\n"),
        long,
    ] {
        let mut client = stage.client();
        // It may be closed before all of it is taken.
        client.send(head.as_bytes());
        let status = client.read("GET").map(|response| response.status);
        assert!(matches!(status, None | Some(400 | 414 | 431)), "{status:?} for {}", &head[..40]);
        stage.answers();
    }
}

#[test]
fn oversized_bodies_are_refused_before_they_are_read() {
    let stage = Stage::plain();
    let mut client = stage.client();
    assert!(client.send(&request("POST", "/api", &[JSON, ("content-length", "18446744073709551615")], b"")));
    assert_eq!(client.read("POST").map(|response| response.problem().0), Some(413));
    assert!(client.is_closed());

    let mut client = stage.client();
    assert!(client.send(&request("POST", "/api", &[JSON, ("transfer-encoding", "chunked")], b"")));
    let chunk = [b"10000\r\n", &[b' '; 0x10000][..], b"\r\n"].concat();
    for _ in 0..64 {
        if !client.send(&chunk) {
            break;
        }
    }
    let status = client.read("POST").map(|response| response.status);
    assert!(matches!(status, None | Some(413)), "{status:?}");
    stage.answers();
}

#[test]
fn lengths_that_are_none_or_contradict_each_other_are_refused() {
    let stage = Stage::plain();
    for headers in [
        &[JSON, ("content-length", "-1")][..],
        &[JSON, ("content-length", "99999999999999999999999")],
        &[JSON, ("content-length", "1e3")],
        &[JSON, ("content-length", "+4")],
        &[JSON, ("content-length", "4"), ("content-length", "5")],
        &[JSON, ("content-length", "4"), ("transfer-encoding", "chunked")],
        &[JSON, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        &[JSON, ("transfer-encoding", "nonsense")],
    ] {
        let mut client = stage.client();
        client.send(&request("POST", "/api", headers, b""));
        client.send(b"0\r\n\r\n");
        client.finish_sending();
        let status = client.read("POST").map(|response| response.status);
        assert!(matches!(status, None | Some(400 | 501)), "{status:?} for {headers:?}");
    }
    for size in ["fffffffffffffffff", "-1", "zz", ""] {
        let mut client = stage.client();
        client.send(&request("POST", "/api", &[JSON, ("transfer-encoding", "chunked")], b""));
        client.send(format!("{size}\r\nxx\r\n0\r\n\r\n").as_bytes());
        let status = client.read("POST").map(|response| response.status);
        assert!(matches!(status, None | Some(400 | 413)), "{status:?} for a chunk of {size}");
    }
    stage.answers();
}

#[test]
fn what_is_no_http_is_refused() {
    let stage = Stage::plain();
    for bytes in [
        &b"\0\0\0\0"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost gateway\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: gateway\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: gate\0way\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\n\r\n",
        b"CONNECT gateway:80 HTTP/1.1\r\nhost: gateway\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: gateway\r\n\r\n",
        b"GET /api HTTP/1.1\r\nhost: gateway\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut client = stage.client();
        client.send(bytes);
        client.finish_sending();
        let status = client.read("GET").map(|response| response.status);
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{status:?} for {bytes:?}");
    }
    // Headers are bytes.
    let mut client = stage.client();
    assert!(client.send(b"GET /shop HTTP/1.1\r\nhost: gateway\r\nx: \xff\xfe\r\nauthorization: \xff\r\n\r\n"));
    assert_eq!(client.read("GET").map(|response| response.status), Some(200));
    stage.answers();
}

#[test]
fn who_wants_another_protocol_is_answered_at_once_in_this_one() {
    let stage = Stage::plain();
    let mut client = stage.client();
    let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket")];
    let began = Instant::now();
    assert_eq!(client.ask("GET", "/shop", &upgrade, b"").status, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "nothing more is waited for");
    let sum = SUM.replace("[1, 2]", "[[1, 2]]");
    assert_eq!(stage.ask("POST", "/api", &[JSON, upgrade[0], upgrade[1]], sum.as_bytes()).json()["result"], 3);
    stage.answers();
}

#[test]
fn after_the_last_answer_no_other_request_is_answered() {
    let stage = Stage::plain();
    let mut client = stage.client();
    let last = request("POST", "/api", &[JSON, ("connection", "close")], SUM.as_bytes());
    assert!(client.send(&[last, good()].concat()));
    let answer = client.read("POST").expect("the first request is answered");
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert!(client.ends_here());
    stage.answers();
}

#[test]
fn bodies_that_are_no_text_or_much_too_deep_are_answered_as_what_they_are() {
    let stage = Stage::plain();
    let post = |body: &[u8]| stage.ask("POST", "/api", &[JSON], body).json()["error"]["code"].as_i64();
    for body in [
        b"\xff\xfe".to_vec(),
        b"{\"jsonrpc\": \"2.0\", \"method\": \"\xc3\x28\", \"id\": 1}".to_vec(),
        b"[".repeat(500_000),
        b"{\"a\":".repeat(100_000),
        b"[{\"a\":".repeat(100_000),
        b"\0".repeat(1000),
    ] {
        assert_eq!(post(&body), Some(-32700), "{:?}", &body[..2]);
    }
    // Half a surrogate pair may be sent back, but is no text for a service.
    let half = br#"{"jsonrpc": "2.0", "method": "calc.echo", "params": ["\ud800"], "id": 1}"#;
    assert_eq!(post(half), Some(-32602));
    stage.answers();
}

#[test]
fn what_is_pipelined_is_answered_in_its_order() {
    let stage = Stage::plain();
    let mut client = stage.client();
    let mut all = Vec::new();
    for id in 0..200 {
        // The earlier, the longer.
        let millis = if id < 10 { 10 - id } else { 0 };
        let one = format!(r#"{{"jsonrpc": "2.0", "method": "calc.sleep", "params": [{millis}], "id": {id}}}"#);
        all.extend(request("POST", "/api", &[JSON], one.as_bytes()));
    }
    assert!(client.send(&all));
    for id in 0..200 {
        let answer = client.read("POST").expect("all of them are answered");
        assert_eq!(answer.json()["id"], id);
    }
    // One that is broken ends the connection, behind the answers to those before it.
    assert!(client.send(&[good(), b"nonsense\r\n\r\n".to_vec(), good()].concat()));
    assert_eq!(client.read("POST").map(|response| response.status), Some(200));
    assert_eq!(client.read("POST").map(|response| response.status), Some(400));
    assert!(client.is_closed());
    stage.answers();
}

/// Each answer is written as its own request wants it, whatever comes behind that one.
#[test]
fn what_is_pipelined_does_not_change_the_answers_before_it() {
    let stage = Stage::plain();
    let sleep = r#"{"jsonrpc": "2.0", "method": "calc.sleep", "params": [5], "id": 1}"#;
    let get = request("GET", "/shop/items/7", &[], b"");
    let post = request("POST", "/api", &[JSON], sleep.as_bytes());
    let chunked = [
        request("POST", "/api", &[JSON, ("transfer-encoding", "chunked")], b""),
        format!("{:x}\r\n{sleep}\r\n0\r\n\r\n", sleep.len()).into_bytes(),
    ]
    .concat();
    let head = request("HEAD", "/healthz", &[], b"");
    let old = b"GET /healthz HTTP/1.0\r\nhost: g\r\n\r\n".to_vec();
    for slow in [&get, &post, &chunked] {
        let method = if *slow == get { "GET" } else { "POST" };
        let mut client = stage.client();
        assert!(client.send(&[slow, &head[..], slow, &head].concat()));
        for asked in [method, "HEAD", method, "HEAD"] {
            let answer = client.read(asked).expect("it is answered");
            assert_eq!((answer.status, answer.body.is_empty()), (200, asked == "HEAD"), "{asked} of {method}s");
        }
        assert!(client.send(&[slow, &old[..], slow].concat()));
        let first = client.line().expect("it is answered");
        assert!(first.starts_with("HTTP/1.1 200"), "{first}");
        // The old one is the last: it does not ask to go on.
        let mut rest = String::new();
        while let Some(line) = client.line() {
            rest += &line;
        }
        assert_eq!(rest.matches("HTTP/1.").count(), 1, "{rest}");
    }
    stage.answers();
}

#[test]
fn an_answer_that_does_not_wait_for_the_body_is_the_last_and_says_so() {
    let stage = Stage::plain();
    for (method, status) in [("POST", 405), ("GET", 200)] {
        for framing in [("content-length", "5"), ("transfer-encoding", "chunked")] {
            let mut client = stage.client();
            let answer = client.ask(method, "/healthz", &[framing], b"");
            assert_eq!((answer.status, answer.header("connection")), (status, Some("close")), "{method} {framing:?}");
            assert!(client.is_closed());
        }
    }
    stage.answers();
}

#[test]
fn who_has_said_all_is_answered_and_who_stops_halfway_is_let_go() {
    let stage = Stage::plain();
    let mut client = stage.client();
    assert!(client.send(&good()));
    client.finish_sending();
    assert_eq!(client.read("POST").map(|response| response.status), Some(200));
    assert!(client.is_closed());
    for end in [1, 20, good().len() - SUM.len(), good().len() - 1] {
        let mut client = stage.client();
        assert!(client.send(&good()[..end]));
        client.finish_sending();
        let status = client.read("POST").map(|response| response.status);
        assert!(matches!(status, None | Some(400 | 408)), "{status:?} after {end} bytes");
    }
    stage.answers();
}

#[test]
fn ten_thousand_connections_are_opened_and_dropped() {
    let stage = Stage::plain();
    let beginnings = [&b""[..], b"GET", b"POST /api HTTP/1.1\r\nhost: g\r\ncontent-length: 10\r\n\r\n[1", &good()];
    for round in 0..100 {
        let opened: Vec<TcpStream> = (0..100)
            .map(|i| {
                let mut stream = TcpStream::connect(stage.address()).expect("somebody listens");
                let _ = stream.write_all(beginnings[i % beginnings.len()]);
                stream
            })
            .collect();
        drop(opened);
        if round % 10 == 0 {
            stage.answers();
        }
    }
    stage.answers();
    // What they have asked for is done, and nobody is inside any more.
    let began = Instant::now();
    while stage.entrance.visitors() > 0 && began.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(stage.entrance.visitors(), 0);
}

/// Each round leaves two hundred bodies of 64 KiB half sent: if they were kept, fifty rounds would take 625 MiB.
#[test]
#[cfg(target_os = "linux")]
fn the_memory_that_ten_thousand_connections_took_is_given_back() {
    let served = Served::scenario(&Served::ours("hello.ron"), &[]);
    let mut begun = request("POST", "/api", &[JSON, ("content-length", "131072")], b"");
    begun.extend([b'['; 65_536]);
    let abuse = |rounds| {
        for _ in 0..rounds {
            let opened: Vec<TcpStream> = (0..200)
                .map(|_| {
                    let mut stream = TcpStream::connect(served.address()).expect("somebody listens");
                    let _ = stream.write_all(&begun);
                    stream
                })
                .collect();
            drop(opened);
            assert_eq!(served.ask("GET", "/readyz").status, 200);
        }
    };
    // What it takes once, it may keep for the next time.
    abuse(10);
    let before = served.resident();
    abuse(50);
    let after = served.resident();
    // How many of them are there at once is chance, so that what is kept for the next time differs.
    assert!(after < before + 128, "{before} MiB, and {after} MiB after five times as many");
    served.close();
}

#[test]
fn who_does_not_read_holds_up_nobody_else() {
    let stage = Stage::plain();
    let text = "x".repeat(500_000);
    let echo = format!(r#"{{"jsonrpc": "2.0", "method": "calc.echo", "params": ["{text}"], "id": 1}}"#);
    let deaf: Vec<_> = (0..20)
        .map(|_| {
            let mut client = stage.client();
            assert!(client.send(&request("POST", "/api", &[JSON], echo.as_bytes())));
            client
        })
        .collect();
    stage.answers();
    drop(deaf);
    stage.answers();
}

#[test]
fn any_bytes_at_all_leave_the_server_as_it_was() {
    let stage = Stage::plain();
    let some_bytes = prop::collection::vec(any::<u8>(), 0..256);
    let request_like = (
        prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"]),
        "/(api|shop|calc|[ -~]{0,20})(/[ -~]{0,20})?(\\?[ -~]{0,20})?",
        prop::collection::vec(("[a-z-]{1,20}", "[ -~]{0,40}"), 0..4),
        prop::collection::vec(any::<u8>(), 0..64),
    )
        .prop_map(|(method, target, headers, body)| {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            request(method, &target, &headers, &body)
        });
    let bytes = prop_oneof![some_bytes, request_like];
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 300, ..ProptestConfig::default() });
    let held = runner.run(&bytes, |bytes| {
        let mut client = stage.client();
        client.send(&bytes);
        client.finish_sending();
        while client.line().is_some() {}
        Ok(())
    });
    held.expect("whatever is sent, the connection ends");
    stage.answers();
}
