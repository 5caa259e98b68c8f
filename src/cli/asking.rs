//! What the commands that ask somebody else have in common: whom, what went wrong, what is printed.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::units::SimDuration;
use serde_json::{Map, Value, json};

use super::arguments::client::{Door, Look, Whom};
use super::complaint::Complaint;
use super::console;
use super::trouble::{Trouble, code_of, error_as_json};
use crate::client::{Error, Gateway, LocateError, Registries, Registry, RemoteService, Reply, same_host};
use crate::typeset::{FAINT, clean, paint, plural};

/// What a command asks for, for the case that it comes to nothing before there is an answer to print.
pub(super) struct Question<'a> {
    /// Whether machines are to be told.
    json: bool,
    /// What is asked for.
    subject: Value,
    /// The gateway, unless somebody else is asked.
    gateway: Option<&'a str>,
}

impl<'a> Question<'a> {
    /// A question to the gateway of that URL.
    pub(super) fn new(json: bool, subject: Value, gateway: &'a str) -> Self {
        Question { json, subject, gateway: Some(gateway) }
    }

    /// The same, with others to answer it, if there are any.
    pub(super) fn unless_asked(mut self, others: bool) -> Self {
        self.gateway = self.gateway.filter(|_| !others);
        self
    }

    /// Makes of trouble what is to be printed of it: one object in JSON, or a complaint. A mistake on the
    /// command line has no outcome, and is a complaint always.
    pub(super) fn tell(self, done: Result<ExitCode, Complaint>) -> Result<ExitCode, Complaint> {
        let Err(Complaint::Client(trouble)) = done else { return done };
        if let (true, Some(outcome)) = (self.json, trouble.outcome()) {
            let mut told = self.subject;
            told["outcome"] = json!(outcome.name());
            told["error"] = trouble.as_json();
            console::say(&set_json(&told))?;
            return Ok(trouble.exit_code());
        }
        let is_gateway = |url: &str| self.gateway.is_some_and(|gateway| same_host(gateway, url));
        Err(Complaint::Client(match trouble.first_error() {
            Some(Error::Unreachable { url, .. }) if is_gateway(url) => trouble,
            Some(Error::Unreachable { .. }) => Trouble::Elsewhere(Box::new(trouble)),
            _ if self.gateway.is_none() => Trouble::Elsewhere(Box::new(trouble)),
            _ => trouble,
        }))
    }
}

/// A service as JSON has it: by its name, or by its URL.
pub(super) fn named(target: &str) -> Value {
    if is_url(target) { json!({"url": target}) } else { json!({"service": target}) }
}

/// A method of a service as JSON has it.
pub(super) fn method_of(target: &str, method: &str) -> Value {
    let mut subject = named(target);
    subject["method"] = json!(method);
    subject
}

pub(super) fn gateway(door: &Door) -> Result<Gateway, Error> {
    Gateway::with(&door.settings(), door.gateway())
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
}
