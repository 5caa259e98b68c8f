//! What the specification leaves open, or says in passing.

use serde_json::Value;

use super::*;

/// The answer as text; empty if there is none.
fn said(sent: &str) -> String {
    String::from_utf8(exchange(sent)).expect("an answer is text")
}

fn error_of(sent: impl AsRef<[u8]>) -> (i64, Value) {
    let answer: Value = serde_json::from_slice(&exchange(sent.as_ref())).expect("an answer is JSON");
    (answer["error"]["code"].as_i64().unwrap_or_default(), answer["id"].clone())
}

#[test]
fn ids_come_back_letter_by_letter() {
    for id in [
        "1",
        "-0",
        "1.50",
        "1e2",
        "1e999",
        "123456789012345678901234567890",
        "0.1000000000000000055511151231257827",
        r#""""#,
        r#""a\u0041\n""#,
        r#""\ud800""#,
        "\"\u{1f3ad}\"",
        "null",
    ] {
        let sent = format!(r#"{{"id": {id} , "jsonrpc": "2.0", "method": "get_data"}}"#);
        assert_eq!(said(&sent), format!(r#"{{"jsonrpc":"2.0","result":["hello",5],"id":{id}}}"#));
    }
}

#[test]
fn what_cannot_be_an_id_is_not_sent_back() {
    for id in ["true", "[1]", r#"{"a": 1}"#] {
        let sent = format!(r#"{{"jsonrpc": "2.0", "method": "get_data", "id": {id}}}"#);
        assert_eq!(error_of(sent), (ErrorObject::INVALID_REQUEST, Value::Null));
    }
}

#[test]
fn an_invalid_request_is_answered_with_its_id_if_it_has_one() {
    for (sent, id) in [
        (r#"{"jsonrpc": "2.0", "method": 1, "id": 7}"#, json!(7)),
        (r#"{"jsonrpc": "1.0", "method": "sum", "id": 7}"#, json!(7)),
        (r#"{"jsonrpc": 2.0, "method": "sum", "id": 7}"#, json!(7)),
        (r#"{"method": "sum", "id": 7}"#, json!(7)),
        (r#"{"jsonrpc": "2.0", "id": 7}"#, json!(7)),
        (r#"{"jsonrpc": "2.0", "method": "sum", "params": null, "id": 7}"#, json!(7)),
        (r#"{"jsonrpc": "2.0", "method": "sum", "params": "1", "id": 7}"#, json!(7)),
        (r#"{"jsonrpc": "2.0", "method": "\ud800", "id": 7}"#, json!(7)),
        (r#"{"jsonrpc": "2.0", "method": "sum", "method": "sum", "id": 7}"#, json!(7)),
        (r#"{"jsonrpc": "2.0", "method": "sum", "id": 7, "id": 7}"#, Value::Null),
        (r#"{"jsonrpc": "2.0", "method": "sum", "params": 1}"#, Value::Null),
        ("{}", Value::Null),
        ("7", Value::Null),
        (r#""sum""#, Value::Null),
        ("null", Value::Null),
    ] {
        assert_eq!(error_of(sent), (ErrorObject::INVALID_REQUEST, id), "{sent}");
    }
}

#[test]
fn what_is_no_json_is_a_parse_error() {
    let broken: [&[u8]; 12] = [
        b"",
        b"  ",
        b"{",
        b"]",
        b"{} {}",
        b"[1] 2",
        b"[1,]",
        b"nul",
        b"{\"jsonrpc\": \"2.0\", \"method\": \"a\tb\", \"id\": 1}",
        b"{\"jsonrpc\": \"2.0\", \"method\": \"\xff\", \"id\": 1}",
        b"\xef\xbb\xbf{\"jsonrpc\": \"2.0\", \"method\": \"sum\", \"id\": 1}",
        b"{\"jsonrpc\": \"2.0\", \"\\ud800\": 1, \"method\": \"sum\", \"id\": 1}",
    ];
    for sent in broken {
        assert_eq!(error_of(sent), (ErrorObject::PARSE_ERROR, Value::Null), "{}", String::from_utf8_lossy(sent));
    }
}

#[test]
fn names_may_be_escaped_and_other_members_are_ignored() {
    let sent = r#"{"json\u0072pc": "2\u002e0", "m\u0065thod": "get\u005fdata", "\u0069d": 1, "more": [{}]}"#;
    assert_eq!(said(sent), r#"{"jsonrpc":"2.0","result":["hello",5],"id":1}"#);
}

#[test]
fn depth_is_counted_outside_of_texts_and_refused_before_anything_is_read() {
    let bounds = Bounds { depth: 4, ..Bounds::default() };
    let code = |params: &str| {
        let sent = format!(r#"{{"jsonrpc": "2.0", "method": "echo", "params": {params}, "id": 1}}"#);
        let answer: Value =
            serde_json::from_slice(&exchange_with(sent.as_bytes(), &bounds, Style::Strict)).expect("it is JSON");
        answer["error"]["code"].as_i64()
    };
    // The request itself is one level.
    assert_eq!(code("[[[]]]"), None);
    assert_eq!(code("[[[[]]]]"), Some(ErrorObject::PARSE_ERROR));
    assert_eq!(code(r#"{"a": {"b": {"c": {}}}}"#), Some(ErrorObject::PARSE_ERROR));
    assert_eq!(code(r#"["[[[[[[\"[[[[[[\\"]"#), None);
    assert_eq!(code("[[[]], [[]], [[]]]"), None);
    // Far beyond what a parser that calls itself would stand.
    let deep = "[".repeat(1_000_000);
    assert_eq!(error_of(&deep), (ErrorObject::PARSE_ERROR, Value::Null));
    assert_eq!(error_of(r#"{"a":"#.repeat(500_000)), (ErrorObject::PARSE_ERROR, Value::Null));
}

#[test]
fn a_batch_is_carried_out_up_to_its_limit_and_not_at_all_beyond() {
    let bounds = Bounds { batch: 3, ..Bounds::default() };
    let batch = |count: usize| {
        let one = r#"{"jsonrpc": "2.0", "method": "get_data", "id": 1}"#;
        let sent = format!("[{}]", vec![one; count].join(","));
        serde_json::from_slice::<Value>(&exchange_with(sent.as_bytes(), &bounds, Style::Strict)).expect("it is JSON")
    };
    assert_eq!(batch(3).as_array().map(Vec::len), Some(3));
    let refused = batch(4);
    assert_eq!((refused["error"]["code"].as_i64(), &refused["id"]), (Some(ErrorObject::INVALID_REQUEST), &Value::Null));
    assert_eq!(refused["error"]["data"]["detail"], "a batch has at most 3 members, and this one 4");
    let broken = exchange_with(b"[1,2,3,4,", &bounds, Style::Strict);
    assert!(String::from_utf8_lossy(&broken).contains("-32700"), "what is no JSON is no batch");
}

#[test]
fn null_members_are_written_on_demand() {
    let told = |method: &str| {
        let sent = format!(r#"{{"jsonrpc": "2.0", "method": "{method}", "id": 1}}"#);
        let bytes = exchange_with(sent.as_bytes(), &Bounds::default(), Style::NullMembers);
        String::from_utf8(bytes).expect("an answer is text")
    };
    assert_eq!(told("get_data"), r#"{"jsonrpc":"2.0","result":["hello",5],"error":null,"id":1}"#);
    assert_eq!(
        told("foobar"),
        r#"{"jsonrpc":"2.0","result":null,"error":{"code":-32601,"message":"Method not found"},"id":1}"#
    );
}
