//! JSON-RPC 2.0 as a client has it: what it writes, and what it takes for an answer.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Error, RemoteError};

/// Requests are told apart by numbers from 1 on. Not 0: gemstone's server leaves out an id that is
/// false to Python.
pub(crate) type Id = u64;

/// What a request was answered with.
pub(crate) type Verdict = Result<Value, RemoteError>;

/// A request; without an id it is a notification.
pub(super) fn request(method: &str, params: Option<Value>, id: Option<Id>) -> Value {
    let mut request = Map::from_iter([("jsonrpc".to_owned(), json!("2.0")), ("method".to_owned(), json!(method))]);
    if let Some(params) = params {
        request.insert("params".to_owned(), params);
    }
    if let Some(id) = id {
        request.insert("id".to_owned(), json!(id));
    }
    Value::Object(request)
}

/// Parameters by name (an object) or by position (a list); none (`()`, null) are left out.
pub(super) fn params_of(method: &str, params: impl Serialize) -> Result<Option<Value>, Error> {
    let refuse = |reason: String| Error::BadParams { method: method.to_owned(), reason };
    match serde_json::to_value(params).map_err(|error| refuse(error.to_string()))? {
        Value::Null => Ok(None),
        params @ (Value::Object(_) | Value::Array(_)) => Ok(Some(params)),
        other => Err(refuse(format!("{other} is neither an object (by name) nor a list (by position)"))),
    }
}

/// Whom an answer is for, and what it says.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    /// Nobody, where the server could not tell who asked: such an answer is an error.
    pub(super) id: Option<Id>,
    pub(super) verdict: Verdict,
}

/// One answer.
///
/// The specification wants either a result or an error. Servers that write the other one, too, as
/// null (gemstone's) are understood; one that leaves out the id of an error as well, which gemstone's
/// does when it does not know it.
///
/// # Errors
/// What is wrong about it.
pub(super) fn read(answer: Value) -> Result<Answer, String> {
    let Value::Object(mut answer) = answer else {
        return Err(format!("{} is no JSON-RPC answer", excerpt(&answer)));
    };
    match answer.get("jsonrpc") {
        Some(Value::String(version)) if version == "2.0" => {}
        Some(other) => return Err(format!("it speaks JSON-RPC {}, not \"2.0\"", excerpt(other))),
        None => return Err("it does not say \"jsonrpc\": \"2.0\"".to_owned()),
    }
    let result = answer.remove("result");
    let verdict = match (result, answer.remove("error")) {
        (Some(result), None | Some(Value::Null)) => Ok(result),
        (None | Some(Value::Null), Some(Value::Object(error))) => Err(read_error(error)?),
        (Some(_), Some(Value::Object(_))) => return Err("it has both a result and an error".to_owned()),
        (_, Some(Value::Null) | None) => return Err("it has neither a result nor an error".to_owned()),
        (_, Some(other)) => return Err(format!("its error is {}, which is no object", excerpt(&other))),
    };
    let id = match answer.remove("id") {
        Some(Value::Number(id)) if id.is_u64() => id.as_u64(),
        None | Some(Value::Null) if verdict.is_err() => None,
        None => return Err("it has no id".to_owned()),
        Some(other) => return Err(format!("it answers the id {}, which nobody has asked with", excerpt(&other))),
    };
    Ok(Answer { id, verdict })
}

/// What an answer says to the request of that id. An error may be to nobody.
///
/// # Errors
/// What is wrong about it.
pub(crate) fn verdict_on(answer: Value, id: Id) -> Result<Verdict, String> {
    let Answer { id: answered, verdict } = read(answer)?;
    match answered {
        Some(other) if other != id => Err(format!("it answers call {other}, and call {id} was made")),
        _ => Ok(verdict),
    }
}

fn read_error(mut error: Map<String, Value>) -> Result<RemoteError, String> {
    let code = error.get("code").and_then(Value::as_i64).ok_or("its error has no whole number as code")?;
    let Some(Value::String(message)) = error.remove("message") else {
        return Err("its error has no message".to_owned());
    };
    Ok(RemoteError { code, message, data: error.remove("data") })
}

/// The beginning of a value, for a message about it.
pub(super) fn excerpt(value: &Value) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests_are_as_the_specification_writes_them() {
        // Section 7 of the specification, up to the order of members.
        assert_eq!(
            request("subtract", Some(json!([42, 23])), Some(1)),
            json!({"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1})
        );
        assert_eq!(request("foobar", None, None), json!({"jsonrpc": "2.0", "method": "foobar"}));
    }

    #[test]
    fn parameters_are_by_name_or_by_position() {
        assert_eq!(params_of("m", json!({"a": 1})), Ok(Some(json!({"a": 1}))));
        assert_eq!(params_of("m", (1, "two")), Ok(Some(json!([1, "two"]))));
        assert_eq!(params_of("m", ()), Ok(None));
        assert_eq!(params_of("m", None::<Value>), Ok(None));
        assert!(matches!(params_of("m", 3), Err(Error::BadParams { method, .. }) if method == "m"));
        let no_json = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(matches!(params_of("m", no_json), Err(Error::BadParams { .. })));
    }

    #[test]
    fn answers_are_results_or_errors() {
        let result = |value| Ok(Answer { id: Some(1), verdict: Ok(value) });
        assert_eq!(read(json!({"jsonrpc": "2.0", "result": 19, "id": 1})), result(json!(19)));
        assert_eq!(read(json!({"jsonrpc": "2.0", "result": null, "id": 1})), result(json!(null)));
        let error = RemoteError { code: -32601, message: "Method not found".into(), data: None };
        assert_eq!(
            read(json!({"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": 1})),
            Ok(Answer { id: Some(1), verdict: Err(error.clone()) })
        );
        assert_eq!(
            read(json!({"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": null})),
            Ok(Answer { id: None, verdict: Err(error) })
        );
    }

    /// What the server of gemstone 0.12 wrote when it was asked, id and all.
    #[test]
    fn the_null_members_of_gemstone_are_understood() {
        let read = |text| read(serde_json::from_str(text).expect("it is JSON"));
        let answer = read(r#"{"jsonrpc": "2.0", "result": "hello w", "error": null, "id": 1}"#);
        assert_eq!(answer, Ok(Answer { id: Some(1), verdict: Ok(json!("hello w")) }));

        let error = |code, message: &str| RemoteError { code, message: message.to_owned(), data: None };
        let answer = read(
            r#"{"jsonrpc": "2.0", "result": null, "error": {"code": -32601, "message": "Method not found"}, "id": 2}"#,
        );
        assert_eq!(answer, Ok(Answer { id: Some(2), verdict: Err(error(-32601, "Method not found")) }));
        let answer =
            read(r#"{"jsonrpc": "2.0", "result": null, "error": {"code": -32001, "message": "Access denied"}}"#);
        assert_eq!(answer, Ok(Answer { id: None, verdict: Err(error(-32001, "Access denied")) }));
    }

    #[test]
    fn everything_else_is_refused_and_says_why() {
        let error = json!({"code": 1, "message": "x"});
        for (wrong, why) in [
            (json!([]), "is no JSON-RPC answer"),
            (json!("hello"), "is no JSON-RPC answer"),
            (json!({"result": 1, "id": 1}), "does not say"),
            (json!({"jsonrpc": "1.0", "result": 1, "id": 1}), "`\"1.0\"`"),
            (json!({"jsonrpc": "2.0", "id": 1}), "neither a result nor an error"),
            (json!({"jsonrpc": "2.0", "error": null, "id": 1}), "neither a result nor an error"),
            (json!({"jsonrpc": "2.0", "result": 1, "error": error, "id": 1}), "both a result and an error"),
            (json!({"jsonrpc": "2.0", "error": "no", "id": 1}), "no object"),
            (json!({"jsonrpc": "2.0", "error": {"message": "x"}, "id": 1}), "code"),
            (json!({"jsonrpc": "2.0", "error": {"code": 1.5, "message": "x"}, "id": 1}), "code"),
            (json!({"jsonrpc": "2.0", "error": {"code": 1}, "id": 1}), "message"),
            (json!({"jsonrpc": "2.0", "result": 1}), "no id"),
            (json!({"jsonrpc": "2.0", "result": 1, "id": null}), "`null`"),
            (json!({"jsonrpc": "2.0", "result": 1, "id": "1"}), "`\"1\"`"),
            (json!({"jsonrpc": "2.0", "result": 1, "id": 1.0}), "`1.0`"),
        ] {
            let told = read(wrong.clone()).unwrap_err();
            assert!(told.contains(why), "{wrong}: {told}");
        }
        let long = read(json!("é".repeat(1_000))).unwrap_err();
        assert!(long.chars().count() < 100, "{long}");
    }

    /// JSON of a few levels.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            Just(json!("2.0")),
        ];
        let name = prop_oneof![
            Just("jsonrpc".to_owned()),
            Just("result".to_owned()),
            Just("error".to_owned()),
            Just("id".to_owned()),
            Just("code".to_owned()),
            Just("message".to_owned()),
        ];
        leaf.prop_recursive(3, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name.clone(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(value in any_json()) {
            let id = value.get("id").and_then(Value::as_u64);
            if let Ok(answer) = read(value.clone()) {
                prop_assert_eq!(&value["jsonrpc"], "2.0");
                prop_assert!(answer.id == id || answer.verdict.is_err());
            }
        }

        #[test]
        fn a_proper_answer_comes_through_whatever_the_result(result in any_json(), id in 1_u64.., null in any::<bool>()) {
            let mut answer = json!({"jsonrpc": "2.0", "result": result, "id": id});
            if null {
                answer["error"] = Value::Null;
            }
            prop_assert_eq!(read(answer), Ok(Answer { id: Some(id), verdict: Ok(result) }));
        }
    }
}
