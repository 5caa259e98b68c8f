//! What is to be sent, over and over.

use std::fmt;

use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::units::SimDuration;
use serde_json::Value;

use crate::cli::arguments::client::Request;
use crate::cli::asking::{find, gateway};
use crate::cli::complaint::Complaint;
use crate::cli::params;
use crate::cli::trouble::Trouble;
use crate::client::{Error, Gateway, RemoteService, encode};

/// The methods that are written instead of a service's name for an endpoint.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// Whether an endpoint is asked for.
pub(super) fn is_http_method(target: &str) -> bool {
    METHODS.contains(&target)
}

pub(super) enum Errand {
    /// A method of a service.
    Call { service: RemoteService, method: String, params: Value },
    /// An endpoint behind a gateway.
    Rest { gateway: Box<Gateway>, method: String, path: String, body: Option<Value> },
}

/// How a request ended.
pub(super) struct End {
    pub(super) outcome: OutcomeKind,
    /// Whether whoever was asked said so, or it went wrong on the way.
    pub(super) answered: bool,
    pub(super) status: Option<u16>,
    pub(super) elapsed: Option<SimDuration>,
    /// What is to be said of it, if it did not end well.
    pub(super) remark: Option<String>,
}

impl Errand {
    /// Finds out whom to ask, and for what.
    pub(super) fn of(arguments: &Request) -> Result<Self, Complaint> {
        let Request { target, what, whom, door, .. } = arguments;
        if !is_http_method(target) {
            let params = params::of_call(&arguments.params)?;
            let service = find(target, whom, door)?;
            return Ok(Errand::Call { service, method: what.clone(), params });
        }
        let method = target.clone();
        let (gateway, mut path) = match split(what) {
            Some((base, path)) => (Gateway::with(&door.settings_for(base), base)?, path.to_owned()),
            None => (gateway(door)?, what.clone()),
        };
        let body = params::of_body(&arguments.params)?;
        let body = match (method.as_str(), body) {
            (_, Value::Null) if arguments.params.is_empty() => None,
            ("GET" | "HEAD" | "DELETE", Value::Object(members)) => {
                for (name, value) in members {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    path.push(if path.contains('?') { '&' } else { '?' });
                    path.push_str(&format!("{}={}", encode(&name), encode(&value)));
                }
                None
            }
            ("GET" | "HEAD" | "DELETE", _) => {
                let why = format!("a {method} has no body: write its query as KEY=VALUE");
                return Err(Complaint::Client(Trouble::Wrong(why)));
            }
            (_, body) => Some(body),
        };
        Ok(Errand::Rest { gateway: Box::new(gateway), method, path, body })
    }

    pub(super) fn send(&self) -> End {
        match self {
            Errand::Call { service, method, params } => match service.ask(method, params) {
                Ok(reply) => End::good(OutcomeKind::Reply, None, reply.elapsed),
                Err(error) => End::bad(&error),
            },
            Errand::Rest { gateway, method, path, body } => match gateway.request(method, path, body.as_ref()) {
                Ok(reply) => {
                    let end = End::good(reply.outcome, Some(reply.status), reply.elapsed);
                    let problem = reply.json().filter(|_| !reply.outcome.is_good());
                    let told = |name| problem.as_ref()?.get(name)?.as_str().map(str::to_owned);
                    End { remark: told("detail").or_else(|| told("title")), ..end }
                }
                Err(error) => End::bad(&error),
            },
        }
    }
}

/// A URL as the server and the path.
fn split(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.find(['/', '?']).unwrap_or(rest.len());
    Some(url.split_at(scheme.len() + "://".len() + host))
}

impl End {
    fn good(outcome: OutcomeKind, status: Option<u16>, elapsed: Option<SimDuration>) -> Self {
        End { outcome, answered: true, status, elapsed, remark: None }
    }

    fn bad(error: &Error) -> Self {
        let (answered, elapsed) = match error {
            Error::Remote(remote) => (true, remote.elapsed()),
            Error::Status { .. } | Error::Redirected { .. } => (true, None),
            _ => (false, None),
        };
        let status = if let Error::Status { status, .. } = error { Some(*status) } else { None };
        End { outcome: error.outcome(), answered, status, elapsed, remark: Some(error.to_string()) }
    }
}

/// `cart.list`, `GET frontend/catalogue`.
impl fmt::Display for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Errand::Call { service, method, .. } => match service.known_name() {
                Some(name) => write!(f, "{name}.{method}"),
                None => write!(f, "{method} at {}", service.url()),
            },
            Errand::Rest { method, path, .. } => write!(f, "{method} {path}"),
        }
    }
}
