//! What the commands refuse before they send anything, and what they say of answers that are none.

use std::time::Duration;

use serde_json::json;

use crate::program::{Told, command, run};
use crate::stub::{Deed, Stub};

/// Whatever cannot read such a port would go to the port of the scheme, and tell somebody else.
#[test]
fn a_port_that_cannot_be_is_refused_before_anything_is_sent() {
    for port in ["99999", "65536", "0", "abc", "+80", ""] {
        let server = format!("http://127.0.0.1:{port}");
        let (api, page) = (format!("{server}/api"), format!("{server}/x"));
        for arguments in [
            &["call-raw", api.as_str(), "y"] as &[&str],
            &["call", &api, "y"],
            &["call", "a", "y", "--gateway", &server],
            &["call", "a", "y", "--registry", &api],
            &["request", "GET", &page],
            &["request", &api, "y", "-N", "10"],
            &["request", "POST", "a/b", "--gateway", &server],
            &["inspect", &api],
            &["discover", "--gateway", &server],
            &["discover", "--registry", &api],
            &["emit", "a", "x", "--gateway", &server],
            &["subscribe", "a", "--gateway", &server],
        ] {
            let told = run(arguments).expect(2);
            assert!(told.err.contains(&server) && told.err.contains(" port"), "{arguments:?}: {}", told.err);
            assert!(told.err.contains("write a URL such as") && told.out.is_empty(), "{arguments:?}: {}", told.err);
        }
        let by_environment = command(&["discover"]).env("REHEARSAL_GATEWAY", &server).output().unwrap();
        assert!(Told::of(&by_environment).expect(2).err.contains("write a URL such as"));
    }
}

#[test]
fn a_server_that_says_other_things_is_told_of_in_plain_words() {
    for nonsense in [json!(3), json!([1]), json!({"name": 7}), json!("hello"), json!([{"service": {}}])] {
        let stub = Stub::start(move |request| {
            Deed::json(&json!({"jsonrpc": "2.0", "result": nonsense, "id": request.json()["id"]}))
        });
        for arguments in [&["inspect", &stub.api()] as &[&str], &["discover", "--gateway", &stub.url()]] {
            let told = run(arguments).expect(1).err;
            assert!(told.contains("is not what was expected"), "{told}");
            for name in ["struct", "Specs", "Inspection", "Description", "Vec"] {
                assert!(!told.contains(name), "{told}");
            }
        }
    }
    let told = Stub::start(|request| Deed::json(&json!({"jsonrpc": "2.0", "result": 3, "id": request.json()["id"]})));
    let told = run(&["inspect", &told.api()]).expect(1).err;
    assert!(told.contains("expected the specs of a service: an object with its `name`"), "{told}");
    let stub = Stub::start(|_| Deed::Stream(vec!["data: 3\n\n".into()], Duration::ZERO));
    let told = run(&["subscribe", "a", "--gateway", &stub.url()]).expect(1).err;
    assert!(told.contains("what is no event") && !told.contains("struct"), "{told}");
}
