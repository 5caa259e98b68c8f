//! Answers, and how they are written.

use serde_json::value::RawValue;

use super::error::ErrorObject;
use super::request::{Id, Invalid};

/// How answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// As the specification wants it: either a result or an error.
    #[default]
    Strict,
    /// Both always, one of them null: what clients want that look for `error` in every answer, as the
    /// published gemstone 0.12 does.
    NullMembers,
}

/// The answer to one request.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    id: Id<'a>,
    outcome: Result<Box<RawValue>, ErrorObject>,
}

impl<'a> Answer<'a> {
    /// It was done, and this is what came of it.
    pub fn result(id: Id<'a>, result: Box<RawValue>) -> Self {
        Answer { id, outcome: Ok(result) }
    }

    /// It was not done, or failed.
    pub fn error(id: Id<'a>, error: ErrorObject) -> Self {
        Answer { id, outcome: Err(error) }
    }

    /// Writes it behind whatever is there already.
    pub fn write(&self, style: Style, to: &mut Vec<u8>) {
        let nulls = style == Style::NullMembers;
        // All but an error object and the texts as they are.
        const AROUND: usize = r#"{"jsonrpc":"2.0","result":,"error":null,"id":}"#.len();
        let id = self.id.as_json();
        match &self.outcome {
            Ok(result) => {
                to.reserve(AROUND + result.get().len() + id.len());
                to.extend_from_slice(br#"{"jsonrpc":"2.0","result":"#);
                to.extend_from_slice(result.get().as_bytes());
                to.extend_from_slice(if nulls { br#","error":null,"id":"# } else { br#","id":"# });
            }
            Err(error) => {
                to.extend_from_slice(if nulls {
                    br#"{"jsonrpc":"2.0","result":null,"error":"#
                } else {
                    br#"{"jsonrpc":"2.0","error":"#
                });
                write_error(error, to);
                to.extend_from_slice(br#","id":"#);
            }
        }
        to.extend_from_slice(id.as_bytes());
        to.push(b'}');
    }
}

impl<'a> From<Invalid<'a>> for Answer<'a> {
    fn from(invalid: Invalid<'a>) -> Self {
        Answer::error(invalid.id, invalid.error)
    }
}

/// Numbers, texts and JSON values have JSON, so that this does not fail; if it did, the code would say most.
fn write_error(error: &ErrorObject, to: &mut Vec<u8>) {
    let before = to.len();
    if serde_json::to_writer(&mut *to, error).is_err() {
        to.truncate(before);
        to.extend_from_slice(format!(r#"{{"code":{},"message":"Error"}}"#, error.code).as_bytes());
    }
}

/// Writes the answers to a batch; nothing if there are none, as the specification wants it of a batch of
/// notifications.
pub fn write_batch(answers: &[Answer<'_>], style: Style, to: &mut Vec<u8>) {
    let mut opens = b'[';
    for answer in answers {
        to.push(std::mem::replace(&mut opens, b','));
        answer.write(style, to);
    }
    if !answers.is_empty() {
        to.push(b']');
    }
}
