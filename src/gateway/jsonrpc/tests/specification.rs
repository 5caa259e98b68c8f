//! Every example of section 7 of the JSON-RPC 2.0 specification (revision of 2013-01-04).
//!
//! They stand in a file, by which the whole server is tested too.

use serde::Deserialize;
use serde_json::Value;

use super::exchange;

#[derive(Deserialize)]
struct Example {
    what: String,
    sent: String,
    /// Null where the specification says that nothing is sent back.
    answered: Value,
}

/// The examples have no `data`, which the specification leaves to the server.
fn without_data(mut value: Value) -> Value {
    let strip = |answer: &mut Value| {
        if let Some(error) = answer.get_mut("error").and_then(Value::as_object_mut) {
            error.remove("data");
        }
    };
    match &mut value {
        Value::Array(answers) => answers.iter_mut().for_each(strip),
        single => strip(single),
    }
    value
}

#[test]
fn every_example_of_the_specification_is_answered_as_it_says() -> Result<(), serde_json::Error> {
    let examples: Vec<Example> = serde_json::from_str(include_str!("../../../../tests/gateway/specification.json"))?;
    assert_eq!(examples.len(), 15);
    for Example { what, sent, answered } in examples {
        let bytes = exchange(sent);
        let answer = if bytes.is_empty() { Value::Null } else { without_data(serde_json::from_slice(&bytes)?) };
        assert_eq!(answer, answered, "{what}");
    }
    Ok(())
}
