//! A small server of the specification's own methods, without any network: what goes in and what comes out.

mod conformance;
mod rules;
mod specification;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::*;

/// The methods that the examples of the specification use.
fn done(request: &Request<'_>) -> Result<Value, ErrorObject> {
    let params = request.params.map_or(Value::Null, |raw| serde_json::from_str(raw.get()).unwrap_or_default());
    let number = |at: usize, name: &str| params.get(at).or_else(|| params.get(name)).and_then(Value::as_i64);
    match &*request.method {
        "subtract" => match (number(0, "minuend"), number(1, "subtrahend")) {
            (Some(minuend), Some(subtrahend)) => Ok(json!(minuend - subtrahend)),
            _ => Err(ErrorObject::new(ErrorObject::INVALID_PARAMS, "Invalid params")),
        },
        "sum" => Ok(json!(params.as_array().into_iter().flatten().filter_map(Value::as_i64).sum::<i64>())),
        "get_data" => Ok(json!(["hello", 5])),
        "echo" => Ok(params),
        "update" | "notify_hello" | "notify_sum" => Ok(Value::Null),
        _ => Err(ErrorObject::new(ErrorObject::METHOD_NOT_FOUND, "Method not found")),
    }
}

fn answer<'a>(request: Result<Request<'a>, Invalid<'a>>) -> Option<Answer<'a>> {
    let request = match request {
        Ok(request) => request,
        Err(invalid) => return Some(invalid.into()),
    };
    let outcome = done(&request);
    let id = request.id?;
    Some(match outcome {
        Ok(result) => Answer::result(id, raw(&result)),
        Err(error) => Answer::error(id, error),
    })
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a JSON value has JSON")
}

/// What is sent back; nothing if there is nothing to say.
fn exchange_with(sent: &[u8], bounds: &Bounds, style: Style) -> Vec<u8> {
    let mut bytes = Vec::new();
    match parse(sent, bounds) {
        Err(invalid) => Answer::from(invalid).write(style, &mut bytes),
        Ok(Incoming::Single(request)) => {
            if let Some(answer) = answer(request) {
                answer.write(style, &mut bytes);
            }
        }
        Ok(Incoming::Batch(requests)) => {
            let answers: Vec<Answer<'_>> = requests.into_iter().filter_map(answer).collect();
            write_batch(&answers, style, &mut bytes);
        }
    }
    bytes
}

fn exchange(sent: impl AsRef<[u8]>) -> Vec<u8> {
    exchange_with(sent.as_ref(), &Bounds::default(), Style::Strict)
}
