//! What comes back from a call, and what a handler may fail with.

use std::any::TypeId;
use std::error::Error;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::payload::{Payload, text_size};
use crate::network::size_of;
use crate::outcome::OutcomeKind;

/// An error that a method declares, as its caller sees it: it was carried out, and failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{type_name}: {message}")]
pub struct RemoteError {
    /// The name under which the method declares it; [`PANIC`](Self::PANIC) if its handler panicked.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What it says.
    pub message: String,
    /// The error itself; `Null` if there is nothing more to it.
    pub body: Value,
}

impl RemoteError {
    /// The type of the error that stands for a panic in a handler. It may have done its work by then,
    /// which is why a panic is no nack.
    pub const PANIC: &'static str = "Panic";

    pub(crate) fn new(type_name: &str, message: String, body: Value) -> Self {
        RemoteError { type_name: type_name.to_owned(), message, body }
    }

    /// The error as a value of this type, if its body describes one.
    pub fn downcast<E: DeserializeOwned>(&self) -> Option<E> {
        E::deserialize(&self.body).ok()
    }
}

/// How a call was answered.
#[derive(Clone, Debug, Serialize)]
pub(crate) enum RpcAnswer {
    Reply(Payload),
    Ack,
    Nack(String),
    Error(Box<RemoteError>),
    NotUnderstood(String),
    BadParameters(String),
    Denied(String),
}

impl RpcAnswer {
    #[inline]
    pub(crate) fn kind(&self) -> OutcomeKind {
        match self {
            RpcAnswer::Reply(_) => OutcomeKind::Reply,
            RpcAnswer::Ack => OutcomeKind::Ack,
            RpcAnswer::Nack(_) => OutcomeKind::Nack,
            RpcAnswer::Error(_) => OutcomeKind::Error,
            RpcAnswer::NotUnderstood(_) | RpcAnswer::BadParameters(_) => OutcomeKind::NotUnderstood,
            RpcAnswer::Denied(_) => OutcomeKind::Denied,
        }
    }

    /// Under which cause it is counted.
    pub(crate) fn cause(&self) -> Option<String> {
        match self {
            RpcAnswer::Reply(_) | RpcAnswer::Ack => None,
            RpcAnswer::Nack(reason)
            | RpcAnswer::NotUnderstood(reason)
            | RpcAnswer::BadParameters(reason)
            | RpcAnswer::Denied(reason) => Some(reason.clone()),
            RpcAnswer::Error(error) => Some(error.type_name.clone()),
        }
    }

    /// What goes with the kind of answer on the wire; a reply's body has been measured by whoever knew
    /// its type.
    pub(crate) fn size(&self) -> u64 {
        match self {
            RpcAnswer::Reply(_) | RpcAnswer::Ack => 0,
            RpcAnswer::Nack(reason)
            | RpcAnswer::NotUnderstood(reason)
            | RpcAnswer::BadParameters(reason)
            | RpcAnswer::Denied(reason) => text_size(reason),
            // JSON always has a size.
            RpcAnswer::Error(error) => size_of(&String::new, &**error).unwrap_or_default().0,
        }
    }

    /// A handler panicked.
    pub(crate) fn panicked(message: &str) -> Self {
        let message = format!("the handler panicked: {message}");
        RpcAnswer::Error(Box::new(RemoteError::new(RemoteError::PANIC, message, Value::Null)))
    }
}

/// Why a method does not reply. Any error turns into one with `?`.
///
/// An error that the method declares (see [`raises`](super::Registered::raises)) reaches the caller as
/// a [`RemoteError`]: it was done, and failed. Every other one is a nack: not done, and safe to try
/// again. A method that has done something before it fails should declare the error.
pub struct Failure(Cause);

enum Cause {
    Error(Box<dyn Error>),
    Nack(String),
    Denied(String),
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure(Cause::Error(Box::new(error)))
    }
}

impl Failure {
    /// Not done, and safe to try again.
    pub fn nack(reason: impl Into<String>) -> Self {
        Failure(Cause::Nack(reason.into()))
    }

    /// The caller may not.
    pub fn denied(reason: impl Into<String>) -> Self {
        Failure(Cause::Denied(reason.into()))
    }

    /// The answer that it is, for a method that declares these errors.
    pub(crate) fn answer(self, raises: &[Declared]) -> RpcAnswer {
        match self.0 {
            Cause::Error(error) => match raises.iter().find_map(|declared| declared.remote(&*error)) {
                Some(remote) => RpcAnswer::Error(Box::new(remote)),
                None => RpcAnswer::Nack(error.to_string()),
            },
            Cause::Nack(reason) => RpcAnswer::Nack(reason),
            Cause::Denied(reason) => RpcAnswer::Denied(reason),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Error(error) => write!(f, "{error}"),
            Cause::Nack(reason) => write!(f, "nack: {reason}"),
            Cause::Denied(reason) => write!(f, "denied: {reason}"),
        }
    }
}

/// An error that a method declares.
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) error: TypeId,
    to_json: fn(&(dyn Error + 'static)) -> Option<Value>,
}

impl Declared {
    pub(crate) fn new<E: Error + Serialize + 'static>(name: String) -> Self {
        // An error that has no JSON is told by its name and message alone.
        let to_json = |error: &(dyn Error + 'static)| {
            error.downcast_ref::<E>().map(|error| serde_json::to_value(error).unwrap_or_default())
        };
        Declared { name, error: TypeId::of::<E>(), to_json }
    }

    fn remote(&self, error: &(dyn Error + 'static)) -> Option<RemoteError> {
        let body = (self.to_json)(error)?;
        Some(RemoteError::new(&self.name, error.to_string(), body))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
    #[error("only {left} left")]
    struct SoldOut {
        left: u32,
    }

    #[derive(Debug, Serialize, thiserror::Error)]
    #[error("out of order")]
    struct Broken;

    #[test]
    fn a_declared_error_is_remote_and_any_other_a_nack() {
        let raises = [Declared::new::<SoldOut>("SoldOut".to_owned())];
        let RpcAnswer::Error(error) = Failure::from(SoldOut { left: 2 }).answer(&raises) else { panic!("no error") };
        assert_eq!(*error, RemoteError::new("SoldOut", "only 2 left".to_owned(), json!({ "left": 2 })));
        assert_eq!(error.downcast(), Some(SoldOut { left: 2 }));
        assert_eq!(error.downcast::<u8>(), None);
        for (failure, kind) in [
            (Failure::from(Broken), OutcomeKind::Nack),
            (Failure::nack("not now"), OutcomeKind::Nack),
            (Failure::denied("not you"), OutcomeKind::Denied),
        ] {
            assert_eq!(failure.answer(&raises).kind(), kind);
        }
    }
}
