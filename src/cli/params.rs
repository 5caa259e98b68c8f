//! Parameters as they are written on the command line: `customer=ann count=2`, `19 23`, or all of them
//! as JSON.

use std::io::Read;

use serde_json::{Map, Value};

/// How much is read from the standard input.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Why parameters cannot be understood.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum ParamsError {
    #[error("`{0}` is given twice; write each parameter once")]
    Twice(String),
    #[error("`{named}` is a parameter by name and `{bare}` one by position: write all in one way")]
    Mixed { named: String, bare: String },
    #[error("`-` stands for all parameters: write nothing else beside it")]
    InputAndMore,
    #[error("what is read from the standard input is no JSON: {0}")]
    NoJson(String),
    #[error("cannot read the standard input: {0}")]
    Unreadable(String),
    #[error("an event has one body; write it as JSON, or as KEY=VALUE")]
    SeveralBodies,
}

/// The parameters of a call: an object, a list, or none (null).
pub(super) fn of_call(written: &[String]) -> Result<Value, ParamsError> {
    Ok(match read(written)? {
        Written::Nothing => Value::Null,
        Written::Named(members) => Value::Object(members),
        Written::Whole(whole @ (Value::Object(_) | Value::Array(_))) => whole,
        Written::Whole(Value::Null) if written == ["-"] => Value::Null,
        Written::Whole(single) => Value::Array(vec![single]),
        Written::Bare(values) => Value::Array(values),
    })
}

/// The body of an event, or of a request: whatever it is.
pub(super) fn of_body(written: &[String]) -> Result<Value, ParamsError> {
    match read(written)? {
        Written::Nothing => Ok(Value::Null),
        Written::Named(members) => Ok(Value::Object(members)),
        Written::Whole(whole) => Ok(whole),
        Written::Bare(_) => Err(ParamsError::SeveralBodies),
    }
}

enum Written {
    Nothing,
    Named(Map<String, Value>),
    /// A single value without a name.
    Whole(Value),
    Bare(Vec<Value>),
}

fn read(written: &[String]) -> Result<Written, ParamsError> {
    match written {
        [] => return Ok(Written::Nothing),
        [dash] if dash == "-" => return read_input(std::io::stdin().lock()).map(Written::Whole),
        _ if written.iter().any(|text| text == "-") => return Err(ParamsError::InputAndMore),
        _ => {}
    }
    let (mut named, mut bare) = (Map::new(), Vec::new());
    let mut firsts = (None, None);
    for text in written {
        match split(text) {
            Some((name, text_of_value)) => {
                firsts.0.get_or_insert(text);
                if named.insert(name.to_owned(), value(text_of_value)).is_some() {
                    return Err(ParamsError::Twice(name.to_owned()));
                }
            }
            None => {
                firsts.1.get_or_insert(text);
                bare.push(value(text));
            }
        }
    }
    match firsts {
        (Some(named), Some(bare)) => Err(ParamsError::Mixed { named: named.clone(), bare: bare.clone() }),
        (Some(_), None) => Ok(Written::Named(named)),
        (None, _) => Ok(match bare.len() {
            1 => Written::Whole(bare.remove(0)),
            _ => Written::Bare(bare),
        }),
    }
}

/// `key=value` in its parts. What begins like JSON that is no name (`"a=b"`, `{"a": "="}`) has none.
fn split(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    if name.is_empty() || name.contains(['"', '{', '[', ' ']) { None } else { Some((name, value)) }
}

/// JSON where it is, text where it is not.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn read_input(input: impl Read) -> Result<Value, ParamsError> {
    let mut text = Vec::new();
    // One byte more, to tell what is whole from what is cut off.
    let read = input.take(MOST_BYTES + 1).read_to_end(&mut text);
    read.map_err(|error| ParamsError::Unreadable(error.to_string()))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(ParamsError::Unreadable(format!("it has more than {MOST_BYTES} bytes")));
    }
    serde_json::from_slice(&text).map_err(|error| ParamsError::NoJson(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(written: &[&str]) -> Result<Value, ParamsError> {
        of_call(&written.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    fn body(written: &[&str]) -> Result<Value, ParamsError> {
        of_body(&written.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn values_are_json_or_text() {
        assert_eq!(
            call(&["name=world", "n=2", "x=1.5", "deep=[1,{\"a\":null}]", "yes=true", "none=null", "empty="]),
            Ok(json!({
                "name": "world", "n": 2, "x": 1.5, "deep": [1, {"a": null}], "yes": true, "none": null, "empty": ""
            }))
        );
        // Numbers that JSON does not write so, and text that looks like one.
        assert_eq!(
            call(&["zip=01234", "plus=+1", "text=\"42\"", "big=1e999"]),
            Ok(json!({
                "zip": "01234", "plus": "+1", "text": "42", "big": "1e999"
            }))
        );
        // Only the first = parts.
        assert_eq!(call(&["query=a=b=c"]), Ok(json!({"query": "a=b=c"})));
    }

    #[test]
    fn values_without_names_are_positions() {
        assert_eq!(call(&["19", "23"]), Ok(json!([19, 23])));
        assert_eq!(call(&["hello"]), Ok(json!(["hello"])));
        assert_eq!(call(&["-3", "\"a=b\"", "=x"]), Ok(json!([-3, "a=b", "=x"])));
        assert_eq!(call(&[]), Ok(Value::Null));
        assert_eq!(call(&["null"]), Ok(json!([null])));
    }

    #[test]
    fn one_object_or_list_is_all_of_them() {
        assert_eq!(call(&["{\"a\": \"x=y\"}"]), Ok(json!({"a": "x=y"})));
        assert_eq!(call(&["[1, 2]"]), Ok(json!([1, 2])));
        assert_eq!(call(&["[1, 2]", "3"]), Ok(json!([[1, 2], 3])));
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        assert_eq!(call(&["a=1", "a=2"]), Err(ParamsError::Twice("a".into())));
        assert_eq!(call(&["a=1", "2"]), Err(ParamsError::Mixed { named: "a=1".into(), bare: "2".into() }));
        assert_eq!(call(&["-", "2"]), Err(ParamsError::InputAndMore));
        assert_eq!(body(&["1", "2"]), Err(ParamsError::SeveralBodies));
    }

    #[test]
    fn a_body_is_whatever_json_it_is() {
        assert_eq!(body(&[]), Ok(Value::Null));
        assert_eq!(body(&["3"]), Ok(json!(3)));
        assert_eq!(body(&["just text"]), Ok(json!("just text")));
        assert_eq!(body(&["[1]"]), Ok(json!([1])));
        assert_eq!(body(&["customer=ann", "total=9.5"]), Ok(json!({"customer": "ann", "total": 9.5})));
    }

    #[test]
    fn the_standard_input_is_read_whole_or_refused() {
        assert_eq!(read_input(&b" {\"a\": 1}\n"[..]), Ok(json!({"a": 1})));
        assert!(matches!(read_input(&b"a=1"[..]), Err(ParamsError::NoJson(_))));
        assert!(matches!(read_input(std::io::repeat(b' ')), Err(ParamsError::Unreadable(_))));
    }
}
