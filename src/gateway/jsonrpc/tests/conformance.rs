//! Whatever is sent, what comes back follows the specification.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::exchange;

/// Any JSON value.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Mostly what a member of a request should be, so that all of the rules come into play.
fn or_any(usual: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    let usual = prop::sample::select(usual).prop_map(|text| serde_json::from_str(text).expect("it is JSON"));
    prop_oneof![6 => usual.prop_map(Some), 1 => any_json().prop_map(Some), 1 => Just(None)]
}

/// What is nearly a request.
fn almost_a_request() -> impl Strategy<Value = Value> {
    let members = (
        or_any(&[r#""2.0""#]),
        or_any(&[r#""subtract""#, r#""echo""#, r#""foobar""#, r#""get_data""#]),
        or_any(&["[42, 23]", r#"{"minuend": 1, "subtrahend": 2}"#, "[]"]),
        or_any(&["1", r#""a""#, "null", "2.5"]),
    );
    members.prop_map(|(jsonrpc, method, params, id)| {
        let members = [("jsonrpc", jsonrpc), ("method", method), ("params", params), ("id", id)];
        let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(present.collect::<Map<_, _>>())
    })
}

fn sent() -> impl Strategy<Value = Value> {
    let one = prop_oneof![4 => almost_a_request(), 1 => any_json()].boxed();
    prop_oneof![2 => one.clone(), 1 => prop::collection::vec(one, 0..5).prop_map(Value::from)]
}

/// Sections 4.1, 4.2 and 5, in words of our own: what is a request that has to be answered, and with which
/// id; `Some(Null)` also stands for what is no request.
fn id_expected(sent: &Value) -> Option<Value> {
    let Some(object) = sent.as_object() else { return Some(Value::Null) };
    let id = object.get("id");
    let id_fits = id.is_none_or(|id| id.is_null() || id.is_string() || id.is_number());
    let is_request = object.get("jsonrpc") == Some(&json!("2.0"))
        && object.get("method").is_some_and(Value::is_string)
        && object.get("params").is_none_or(|params| params.is_array() || params.is_object())
        && id_fits;
    match id {
        None if is_request => None,
        Some(id) if id_fits => Some(id.clone()),
        _ => Some(Value::Null),
    }
}

/// Section 5: exactly these members, one of `result` and `error`; section 5.1: what an error has.
fn check_answer(answer: &Value) -> Result<(), TestCaseError> {
    let object = answer.as_object().ok_or_else(|| TestCaseError::fail("an answer is an object"))?;
    prop_assert_eq!(&object["jsonrpc"], "2.0");
    prop_assert!(object.contains_key("result") != object.contains_key("error"));
    prop_assert_eq!(object.len(), 3, "jsonrpc, id and one of the two");
    if let Some(error) = object.get("error") {
        prop_assert!(error["code"].is_i64() && error["message"].is_string());
        prop_assert!(
            error
                .as_object()
                .is_some_and(|error| error.keys().all(|key| matches!(&**key, "code" | "message" | "data")))
        );
    }
    Ok(())
}

fn check(sent: &Value, bytes: &[u8]) -> Result<(), TestCaseError> {
    let answer: Option<Value> = match bytes {
        [] => None,
        bytes => Some(serde_json::from_slice(bytes).map_err(|error| TestCaseError::fail(error.to_string()))?),
    };
    let expected: Vec<Value> = match sent.as_array() {
        Some(members) if !members.is_empty() => members.iter().filter_map(id_expected).collect(),
        _ => id_expected(sent).into_iter().collect(),
    };
    let is_batch = sent.as_array().is_some_and(|members| !members.is_empty());
    let answers: Vec<Value> = match answer {
        Some(Value::Array(answers)) if is_batch => {
            prop_assert!(!answers.is_empty(), "an empty array is never sent");
            answers
        }
        Some(single) => {
            prop_assert!(!is_batch, "a batch is answered by an array");
            vec![single]
        }
        None => Vec::new(),
    };
    answers.iter().try_for_each(check_answer)?;
    let ids: Vec<Value> = answers.iter().map(|answer| answer["id"].clone()).collect();
    prop_assert_eq!(ids, expected);
    Ok(())
}

proptest! {
    #[test]
    fn any_json_value_gets_an_answer_that_conforms_or_none(sent in sent()) {
        let text = sent.to_string();
        // What was sent, as a reader of its text sees it.
        let read: Value = serde_json::from_str(&text).expect("it was written as JSON");
        check(&read, &exchange(&text))?;
    }

    #[test]
    fn any_bytes_get_an_answer_that_conforms_or_none(sent in prop::collection::vec(any::<u8>(), 0..64)) {
        let bytes = exchange(&sent);
        if let Ok(read) = serde_json::from_slice::<Value>(&sent) {
            check(&read, &bytes)?;
        } else if !bytes.is_empty() {
            check_answer(&serde_json::from_slice(&bytes).expect("an answer is JSON"))?;
        }
    }

    #[test]
    fn a_request_that_breaks_off_or_has_a_byte_changed_gets_one_that_conforms_or_none(
        sent in almost_a_request(), at in any::<prop::sample::Index>(), byte in any::<u8>(), breaks_off in any::<bool>(),
    ) {
        let mut sent = sent.to_string().into_bytes();
        let at = at.index(sent.len());
        if breaks_off { sent.truncate(at) } else { sent[at] = byte }
        let bytes = exchange(&sent);
        if !bytes.is_empty() {
            check_answer(&serde_json::from_slice(&bytes).expect("an answer is JSON"))?;
        }
    }
}
