//! What the commands that ask somebody else have in common: whom, what went wrong, what is printed.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::units::SimDuration;
use serde_json::{Map, Value, json};

use super::arguments::client::{Door, Look, Whom};
use super::complaint::{Complaint, error_line};
use super::console;
use super::params::ParamsError;
use crate::client::{Error, Gateway, LocateError, Registries, Registry, RemoteService, Reply};
use crate::typeset::{FAINT, clean, paint, plural};

/// Why a command that asks somebody else has nothing to show.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Call(#[from] Error),
    #[error(transparent)]
    Locate(#[from] LocateError),
    #[error(transparent)]
    Params(#[from] ParamsError),
    #[error("{0} says nothing of itself: it knows neither `inspect` nor `get_service_specs`")]
    Silent(String),
    #[error("`{0}` is no command; see the list in --help")]
    NoCommand(String),
    #[error("{what}: {cause}")]
    Unwritable { what: String, cause: std::io::Error },
    #[error("{0}")]
    Wrong(String),
}

impl Trouble {
    fn outcome(&self) -> Option<OutcomeKind> {
        match self {
            Trouble::Call(error) => Some(error.outcome()),
            Trouble::Locate(LocateError::Failed { failed, .. }) => failed.first().map(Error::outcome),
            Trouble::Locate(LocateError::Unknown { .. }) => Some(OutcomeKind::Undelivered),
            Trouble::Silent(_) => Some(OutcomeKind::NotUnderstood),
            _ => None,
        }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Trouble::Call(Error::BadUrl { .. } | Error::BadToken | Error::BadParams { .. })
            | Trouble::Locate(LocateError::NoRegistry { .. })
            | Trouble::Params(_)
            | Trouble::NoCommand(_)
            | Trouble::Wrong(_) => ExitCode::from(2),
            Trouble::Unwritable { .. } => ExitCode::from(1),
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
            Trouble::Call(error) => error,
            Trouble::Locate(LocateError::Failed { failed, .. }) => failed.first()?,
            Trouble::Locate(LocateError::Unknown { .. }) => {
                return Some("`discover` lists the services that there are");
            }
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
            OutcomeKind::Denied => Some("--token TOKEN or REHEARSAL_TOKEN say who asks"),
            OutcomeKind::TimedOut if matches!(error, Error::TimedOut { .. }) => {
                Some("it may have been carried out; --timeout TIME waits longer")
            }
            OutcomeKind::TimedOut | OutcomeKind::Interrupted => Some("it may have been carried out"),
            OutcomeKind::Nack => Some("it was not carried out: it is safe to try again"),
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

pub(super) fn gateway(door: &Door) -> Result<Gateway, Error> {
    Gateway::with(&door.settings(), &door.gateway)
}

/// The registries that were named, or the gateway's.
pub(super) fn registries(door: &Door, named: &[String]) -> Result<Registries, Error> {
    if named.is_empty() {
        return Ok(Registries::new([gateway(door)?.registry()?]));
    }
    let registries = named.iter().map(|url| Registry::with(&door.settings_for(url), url));
    Ok(Registries::new(registries.collect::<Result<Vec<_>, _>>()?))
}

/// The service of that name or pattern, or at that URL.
pub(super) fn find(target: &str, whom: &Whom, door: &Door) -> Result<RemoteService, Complaint> {
    if is_url(target) {
        return Ok(RemoteService::with(&door.settings_for(target), target)?);
    }
    match registries(door, &whom.registry)?.locate_service(target) {
        Ok(located) => Ok(located.service),
        // A gateway without a registry has services all the same, each under its name.
        Err(LocateError::Failed { failed, .. })
            if whom.registry.is_empty() && failed.iter().all(is_unknown_method) && !target.contains(['*', '?']) =>
        {
            Ok(gateway(door)?.service(target)?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether whoever was asked does not know the method.
pub(super) fn is_unknown_method(error: &Error) -> bool {
    matches!(error, Error::Remote(remote) if remote.code == -32601)
}

pub(super) fn is_url(target: &str) -> bool {
    target.contains("://")
}

/// Prints a line of how it goes, as gemstone's tools do, where nobody is in the way of a result.
pub(super) fn remark(text: &str) {
    console::note(&format!("{} {}\n", paint(FAINT, "[!]"), clean(text)));
}

/// `[!] Virtual time: 0.04200 seconds, 3 hops`
pub(super) fn remark_cost(elapsed: SimDuration, hops: Option<u64>) {
    let hops = hops.map(|hops| format!(", {}", plural(hops, "hop", "hops"))).unwrap_or_default();
    remark(&format!("Virtual time: {}{hops}", seconds(elapsed.into())));
}

/// `0.12918 seconds`
pub(super) fn seconds(length: Duration) -> String {
    format!("{:.5} seconds", length.as_secs_f64())
}

/// JSON set to be read, ended with a line. Characters that would disturb a terminal are escaped, which
/// they may be in JSON: they stand in texts alone.
pub(super) fn set_json(value: &Value) -> String {
    escaped(&format!("{value:#}\n"))
}

/// One line of JSON.
pub(super) fn set_json_line(value: &Value) -> String {
    escaped(&format!("{value}\n"))
}

fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || clean(character.encode_utf8(&mut [0; 4])) == character.to_string() {
            out.push(character);
        } else {
            // Those that disturb lie in the first plane: one escape each.
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
    }
    out
}

/// A call that is to be made and told of.
pub(super) struct Errand<'a> {
    pub(super) service: &'a RemoteService,
    pub(super) method: &'a str,
    pub(super) params: Value,
    pub(super) notify: bool,
    /// How long it took to find the service.
    pub(super) identification: Duration,
}

/// Makes a call and prints what came of it, in the way that was asked for.
pub(super) fn carry_out(errand: Errand<'_>, look: &Look) -> Result<ExitCode, Complaint> {
    let Errand { service, method, params, notify, identification } = errand;
    let begun = Instant::now();
    let answer = match notify {
        true => service.notify(method, params).map(|()| None),
        false => service.ask(method, params).map(Some),
    };
    let call = begun.elapsed();
    if look.json {
        return tell_json(service, method, &answer, identification, call);
    }
    let answer = answer?;
    if !look.quiet {
        remark(&format!("Method call: {}", seconds(call)));
    }
    let Some(reply) = answer else { return Ok(ExitCode::SUCCESS) };
    if !look.quiet {
        if let Some(elapsed) = reply.elapsed {
            remark_cost(elapsed, reply.hops);
        }
        remark("Result:");
        console::note("\n");
    }
    console::say(&set_json(&reply.result))?;
    Ok(ExitCode::SUCCESS)
}

fn tell_json(
    service: &RemoteService,
    method: &str,
    answer: &Result<Option<Reply>, Error>,
    identification: Duration,
    call: Duration,
) -> Result<ExitCode, Complaint> {
    let mut told = Map::new();
    let mut tell = |name: &str, value: Value| {
        if !value.is_null() {
            told.insert(name.to_owned(), value);
        }
    };
    tell("service", json!(service.known_name()));
    tell("url", json!(service.url()));
    tell("method", json!(method));
    let outcome = match answer {
        Ok(Some(_)) => OutcomeKind::Reply,
        Ok(None) => OutcomeKind::Ack,
        Err(error) => error.outcome(),
    };
    tell("outcome", json!(outcome.name()));
    tell("identification_seconds", json!(identification.as_secs_f64()));
    tell("call_seconds", json!(call.as_secs_f64()));
    match answer {
        Ok(Some(reply)) => {
            tell("elapsed_ns", json!(reply.elapsed.map(|elapsed| elapsed.as_nanos())));
            tell("hops", json!(reply.hops));
            // Also if it is null.
            told.insert("result".to_owned(), reply.result.clone());
        }
        Ok(None) => {}
        Err(error) => {
            if let Error::Remote(remote) = error {
                tell("elapsed_ns", json!(remote.elapsed().map(|elapsed| elapsed.as_nanos())));
                tell("hops", json!(remote.hops()));
            }
            tell("error", error_as_json(error));
        }
    }
    console::say(&set_json(&Value::Object(told)))?;
    Ok(ExitCode::from(code_of(outcome)))
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
    fn json_is_the_same_without_what_disturbs_a_terminal() {
        let value = json!({"a": "tab\t bell\u{7} del\u{7f} c1\u{9b}31m bidi\u{202e} é 🧦", "b": [1, null]});
        for set in [set_json(&value), set_json_line(&value)] {
            assert!(!set.contains(['\u{7f}', '\u{9b}', '\u{202e}', '\u{7}', '\t']), "{set:?}");
            assert!(set.contains("é 🧦"), "{set}");
            assert_eq!(serde_json::from_str::<Value>(&set).ok(), Some(value.clone()));
        }
    }

    #[test]
    fn every_outcome_has_its_code() {
        for outcome in OutcomeKind::ALL {
            assert_eq!(code_of(outcome) == 0, outcome.is_good(), "{outcome}");
        }
        assert_eq!([OutcomeKind::TimedOut, OutcomeKind::Undelivered, OutcomeKind::Interrupted].map(code_of), [3, 4, 5]);
    }
}
