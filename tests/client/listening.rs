//! `subscribe`: how it ends, and what it says of a stream that breaks.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use crate::program::{Told, command, run};
use crate::stub::{Deed, Stub, nowhere};

/// `subscribe | head -1`.
#[cfg(unix)]
#[test]
fn a_subscription_ends_when_nobody_reads_it_any_more() {
    let endless =
        Stub::start(|_| Deed::Stream(vec!["data: {\"topic\": \"a\"}\n\n".into(); 600], Duration::from_millis(50)));
    for look in [&[] as &[&str], &["--json"], &["--count", "500"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        let begun = std::time::Instant::now();
        let url = endless.url();
        let arguments = [&["subscribe", "#", "--quiet", "--gateway", &url], look].concat();
        let child = command(&arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(reader), &mut line).unwrap();
        let told = Told::of(&child.wait_with_output().unwrap()).expect(0);
        assert_eq!(told.err, "");
        // 600 events take 30 seconds.
        assert!(line.contains('a') && begun.elapsed() < Duration::from_secs(15), "{look:?}: {:?}", begun.elapsed());
    }
}

#[test]
fn who_listens_is_told_what_that_means_for_listening() {
    let hasty = |url: &str, code| run(&["subscribe", "a", "--gateway", url, "--timeout", "300ms"]).expect(code).err;
    let silent = hasty(&Stub::start(|_| Deed::Silence(Duration::from_secs(5))).url(), 3);
    assert!(
        silent.contains("did not answer within 300ms") && silent.contains("--timeout TIME waits longer"),
        "{silent}"
    );
    let closing = hasty(&Stub::start(|_| Deed::Raw(Vec::new())).url(), 5);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let breaking = hasty(&Stub::start(move |_| Deed::Raw(head.as_bytes().to_vec())).url(), 5);
    for told in [&closing, &breaking] {
        assert!(told.contains("error: the connection to ") && told.contains("help: subscribe again"), "{told}");
    }
    let gone = hasty(&nowhere(), 4);
    assert!(gone.contains("help: is `serve` running?"), "{gone}");
    for told in [silent, closing, breaking, gone] {
        assert!(!told.contains("carried out") && !told.contains("before the answer"), "{told}");
    }
}

#[cfg(unix)]
#[test]
fn a_subscription_ends_cleanly_with_ctrl_c() {
    let endless =
        Stub::start(|_| Deed::Stream(vec!["data: {\"topic\": \"a\"}\n\n".into(); 600], Duration::from_millis(50)));
    let url = endless.url();
    let mut child = command(&["subscribe", "#", "--gateway", &url]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Once it has told an event, it listens for signals, too.
    let mut told = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    told.read_line(&mut first).unwrap();
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    // It goes on telling until it hears of the signal.
    std::io::copy(&mut told, &mut std::io::sink()).unwrap();
    let ended = Told::of(&child.wait_with_output().unwrap()).expect(0);
    assert!(first == "a  null\n" && ended.err.contains("[!] Ended after "), "{first}{}", ended.err);
}
