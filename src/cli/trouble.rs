//! What goes wrong for the commands that ask somebody else, and what may help.

use std::process::ExitCode;

use rehearsal_actors::outcome::OutcomeKind;
use serde_json::{Value, json};

use super::asking::is_unknown_method;
use super::complaint::{Complaint, error_line};
use super::params::ParamsError;
use crate::client::{Error, LocateError};
use crate::typeset::plural;

/// Why a command that asks somebody else has nothing to show.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Call(#[from] Error),
    /// Nothing was asked for but to hear of events.
    #[error("{}", while_listening(.0))]
    Subscription(Error),
    #[error(transparent)]
    Locate(#[from] LocateError),
    #[error(transparent)]
    Params(#[from] ParamsError),
    #[error("{0} says nothing of itself: it knows neither `inspect` nor `get_service_specs`")]
    Silent(String),
    #[error("`{0}` is no command; see the list in --help")]
    NoCommand(String),
    /// Fewer events than were asked for.
    #[error("the gateway ended the stream after {}, not the {count} that were asked for", plural(*.heard, "event", "events"))]
    EndedEarly { heard: u64, count: u64 },
    /// The same, with somebody who is not the gateway.
    #[error(transparent)]
    Elsewhere(Box<Trouble>),
    #[error("{what}: {cause}")]
    Unwritable { what: String, cause: std::io::Error },
    #[error("{0}")]
    Wrong(String),
}

impl Trouble {
    pub(super) fn outcome(&self) -> Option<OutcomeKind> {
        match self {
            Trouble::Call(error) | Trouble::Subscription(error) => Some(error.outcome()),
            Trouble::Locate(LocateError::Failed { failed, .. }) => failed.first().map(Error::outcome),
            Trouble::Locate(LocateError::Unknown { .. }) => Some(OutcomeKind::Undelivered),
            Trouble::Silent(_) => Some(OutcomeKind::NotUnderstood),
            Trouble::EndedEarly { .. } => Some(OutcomeKind::Interrupted),
            Trouble::Elsewhere(trouble) => trouble.outcome(),
            _ => None,
        }
    }

    /// What went wrong, for machines.
    pub(super) fn as_json(&self) -> Value {
        match self {
            Trouble::Call(error) | Trouble::Subscription(error) => error_as_json(error),
            Trouble::Elsewhere(trouble) => trouble.as_json(),
            // Who is not found is not called either.
            Trouble::Locate(_) => json!({"message": self.to_string(), "definite": true}),
            _ => {
                let definite = self.outcome().is_some_and(OutcomeKind::is_definite_failure);
                json!({"message": self.to_string(), "definite": definite})
            }
        }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Trouble::Call(error) | Trouble::Subscription(error) if is_mistake(error) => ExitCode::from(2),
            Trouble::Locate(LocateError::NoRegistry { .. })
            | Trouble::Params(_)
            | Trouble::NoCommand(_)
            | Trouble::Wrong(_) => ExitCode::from(2),
            Trouble::Unwritable { .. } => ExitCode::from(1),
            Trouble::Elsewhere(trouble) => trouble.exit_code(),
            other => ExitCode::from(other.outcome().map_or(1, code_of)),
        }
    }

    /// What to print: what is wrong, and what may help.
    pub(super) fn render(&self) -> String {
        let hint = self.hint().map(|hint| format!("help: {hint}\n")).unwrap_or_default();
        error_line(&self.to_string()) + &hint
    }

    fn hint(&self) -> Option<&'static str> {
        let error = match self {
            Trouble::Call(error) | Trouble::Subscription(error) => error,
            Trouble::Locate(LocateError::Failed { failed, .. }) => failed.first()?,
            Trouble::Locate(LocateError::Unknown { .. }) => {
                return Some("`discover` lists the services that there are");
            }
            Trouble::Elsewhere(trouble) => return trouble.hint_elsewhere(),
            _ => return None,
        };
        if is_unknown_method(error) {
            return match self {
                Trouble::Call(_) => Some("`inspect` lists the methods of a service"),
                _ => Some("is it a registry? It knows no method `locate_service`"),
            };
        }
        match error.outcome() {
            OutcomeKind::Undelivered if matches!(error, Error::Unreachable { .. }) => {
                Some("is `serve` running? --gateway URL or REHEARSAL_GATEWAY say where it is")
            }
            OutcomeKind::TimedOut if matches!(self, Trouble::Subscription(Error::TimedOut { .. })) => {
                Some("--timeout TIME waits longer")
            }
            OutcomeKind::Interrupted | OutcomeKind::TimedOut | OutcomeKind::Nack
                if matches!(self, Trouble::Subscription(_)) =>
            {
                Some("subscribe again to hear what follows")
            }
            OutcomeKind::Denied => Some("--token TOKEN or REHEARSAL_TOKEN say who asks"),
            OutcomeKind::TimedOut if matches!(self, Trouble::Locate(_)) => {
                Some("nothing was called; --timeout TIME waits longer")
            }
            OutcomeKind::TimedOut if matches!(error, Error::TimedOut { .. }) => {
                Some("it may have been carried out; --timeout TIME waits longer")
            }
            OutcomeKind::TimedOut | OutcomeKind::Interrupted => Some("it may have been carried out"),
            OutcomeKind::Nack => Some("it was not carried out: it is safe to try again"),
            _ => None,
        }
    }

    /// What may help with somebody who is not the gateway: neither is the gateway to be looked for, nor
    /// is its token sent there.
    fn hint_elsewhere(&self) -> Option<&'static str> {
        match self.first_error() {
            Some(Error::Unreachable { .. }) => None,
            Some(error) if error.outcome() == OutcomeKind::Denied => Some("--token TOKEN says who asks"),
            _ => self.hint(),
        }
    }

    /// What went wrong with whoever was asked first.
    pub(super) fn first_error(&self) -> Option<&Error> {
        match self {
            Trouble::Call(error) | Trouble::Subscription(error) => Some(error),
            Trouble::Locate(LocateError::Failed { failed, .. }) => failed.first(),
            Trouble::Elsewhere(trouble) => trouble.first_error(),
            _ => None,
        }
    }
}

impl From<Error> for Complaint {
    fn from(error: Error) -> Self {
        Complaint::Client(error.into())
    }
}

impl From<LocateError> for Complaint {
    fn from(error: LocateError) -> Self {
        Complaint::Client(error.into())
    }
}

impl From<ParamsError> for Complaint {
    fn from(error: ParamsError) -> Self {
        Complaint::Client(error.into())
    }
}

/// Whether it is what somebody wrote that is wrong.
fn is_mistake(error: &Error) -> bool {
    matches!(error, Error::BadUrl { .. } | Error::BadToken | Error::BadParams { .. })
}

/// What went wrong, where there is no answer to wait for.
fn while_listening(error: &Error) -> String {
    match error {
        Error::Interrupted { url, cause } => format!("the connection to {url} broke: {cause}"),
        other => other.to_string(),
    }
}

/// The exit code for an outcome.
pub(super) fn code_of(outcome: OutcomeKind) -> u8 {
    match outcome {
        OutcomeKind::Reply | OutcomeKind::Ack => 0,
        OutcomeKind::TimedOut => 3,
        OutcomeKind::Undelivered => 4,
        OutcomeKind::Interrupted => 5,
        OutcomeKind::Nack
        | OutcomeKind::Error
        | OutcomeKind::NotUnderstood
        | OutcomeKind::Denied
        | OutcomeKind::Lost => 1,
    }
}

/// What went wrong, for machines.
pub(super) fn error_as_json(error: &Error) -> Value {
    let mut told = json!({"message": error.to_string(), "definite": error.is_definite()});
    if let Error::Remote(remote) = error {
        told["code"] = json!(remote.code);
        if let Some(data) = &remote.data {
            told["data"] = data.clone();
        }
    }
    if let Error::Status { status, .. } = error {
        told["status"] = json!(status);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_code() {
        for outcome in OutcomeKind::ALL {
            assert_eq!(code_of(outcome) == 0, outcome.is_good(), "{outcome}");
        }
        assert_eq!([OutcomeKind::TimedOut, OutcomeKind::Undelivered, OutcomeKind::Interrupted].map(code_of), [3, 4, 5]);
    }
}
