//! One request over HTTP and its whole answer, within bounds.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::units::SimDuration;
use serde_json::Value;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use ureq::http::{HeaderMap, HeaderValue, Method, Request, Response};
use ureq::{Agent, Body, Timeout};

use super::error::outcome_named;
use super::url::Url;
use super::{Error, Settings};

/// Connections are not used again when they have been idle for so long: servers close them, often
/// after five seconds, and a call that meets a closing connection is one whose end is not known.
const IDLE: Duration = Duration::from_secs(4);

/// Connections to any host, within the bounds of some settings. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    agent: Agent,
    /// For hosts on this machine: a proxy, which may be set for everything, is not asked.
    direct: Agent,
    settings: Arc<Settings>,
    authorization: Option<HeaderValue>,
}

/// What the emulated network says of a call, in headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) outcome: Option<OutcomeKind>,
    pub(super) elapsed: Option<SimDuration>,
    pub(super) hops: Option<u64>,
}

/// An answer that is there as a whole.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) content_type: Option<String>,
    pub(super) location: Option<String>,
    pub(super) cost: Cost,
    pub(super) body: Vec<u8>,
}

impl Connection {
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        let authorization = settings.token.as_deref().map(bearer).transpose()?;
        let agent = |config: ureq::config::ConfigBuilder<ureq::typestate::AgentScope>| -> Agent {
            let config = config
                .http_status_as_error(false)
                // A call goes where it was sent, or the caller is told where else it might.
                .max_redirects(0)
                .timeout_connect(Some(settings.connect_timeout.min(settings.timeout)))
                .max_idle_connections(settings.connections)
                .max_idle_connections_per_host(settings.connections)
                .max_idle_age(IDLE)
                .user_agent(concat!("rehearsal/", env!("CARGO_PKG_VERSION")));
            config.build().new_agent()
        };
        Ok(Connection {
            agent: agent(Agent::config_builder()),
            direct: agent(Agent::config_builder().proxy(None)),
            settings: Arc::new(settings.clone()),
            authorization,
        })
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Posts a JSON text.
    pub(super) fn post(&self, url: &Url, body: &[u8]) -> Result<Answered, Error> {
        self.exchange(&Method::POST, url, Some(body))
    }

    /// A request and its whole answer.
    pub(super) fn exchange(&self, method: &Method, url: &Url, body: Option<&[u8]>) -> Result<Answered, Error> {
        let response = self.send(method, url, body, "application/json", Some(self.settings.timeout))?;
        let (parts, body) = response.into_parts();
        // What is just as large as it may be is told from what is larger by one byte more.
        let limit = self.settings.most_answer_bytes;
        let read = body.into_with_config().limit(limit.saturating_add(1)).read_to_vec();
        let body = read.map_err(|error| self.failure(url, error))?;
        if body.len() as u64 > limit {
            return Err(Error::TooLarge { url: url.to_string(), limit });
        }
        Ok(Answered {
            status: parts.status.as_u16(),
            content_type: text_of(&parts.headers, CONTENT_TYPE.as_str()),
            location: text_of(&parts.headers, LOCATION.as_str()),
            cost: Cost::from_headers(&parts.headers),
            body,
        })
    }

    /// A request for a stream of events, as a reader of it. It may take as long as it likes once it
    /// has begun.
    pub(super) fn stream(&self, url: &Url) -> Result<impl io::Read + use<>, Error> {
        let response = self.send(&Method::GET, url, None, "text/event-stream", None)?;
        let status = response.status().as_u16();
        let content_type = text_of(response.headers(), CONTENT_TYPE.as_str());
        if status != 200 {
            let location = text_of(response.headers(), LOCATION.as_str());
            let limit = self.settings.most_answer_bytes;
            let body = response.into_body().into_with_config().limit(limit).read_to_vec().unwrap_or_default();
            let answered = Answered { status, content_type, location, cost: Cost::default(), body };
            return Err(answered.status_error(url));
        }
        if !content_type.as_deref().unwrap_or_default().starts_with("text/event-stream") {
            let kind = content_type.unwrap_or_else(|| "nothing that says what it is".to_owned());
            return Err(malformed(url, format!("it sends {kind} instead of events")));
        }
        Ok(response.into_body().into_reader())
    }

    /// `within`: the time for everything; without it, for everything up to the head of the answer.
    fn send(
        &self,
        method: &Method,
        url: &Url,
        body: Option<&[u8]>,
        accept: &'static str,
        within: Option<Duration>,
    ) -> Result<Response<Body>, Error> {
        let mut request = Request::builder().method(method).uri(url.uri()).header(ACCEPT, accept);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let refuse = |error: ureq::http::Error| Error::BadUrl { url: url.to_string(), reason: error.to_string() };
        let agent = if url.is_loopback() { &self.direct } else { &self.agent };
        let head = Some(self.settings.timeout).filter(|_| within.is_none());
        let sent = match body {
            Some(body) => {
                let request = request.body(body).map_err(refuse)?;
                let request = agent.configure_request(request);
                agent.run(request.timeout_global(within).timeout_recv_response(head).build())
            }
            None => {
                let request = request.body(()).map_err(refuse)?;
                let request = agent.configure_request(request).allow_non_standard_methods(true);
                agent.run(request.timeout_global(within).timeout_recv_response(head).build())
            }
        };
        sent.map_err(|error| match handshake_failure(&error) {
            Some(cause) if url.is_https() => Error::Unreachable { url: url.to_string(), cause },
            _ => self.failure(url, error),
        })
    }

    /// What went wrong, and whether the request can have arrived.
    fn failure(&self, url: &Url, error: ureq::Error) -> Error {
        let limit = self.settings.most_answer_bytes;
        let url = url.to_string();
        match error {
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                let after = self.settings.connect_timeout.min(self.settings.timeout);
                Error::Unreachable { url, cause: format!("no connection within {after:?}") }
            }
            ureq::Error::Timeout(_) => Error::TimedOut { url, after: self.settings.timeout },
            ureq::Error::BodyExceedsLimit(_) => Error::TooLarge { url, limit },
            ureq::Error::LargeResponseHeader(_, limit) => Error::HeadTooLarge { url, limit: limit as u64 },
            ureq::Error::HostNotFound => Error::Unreachable { url, cause: "there is no such host".to_owned() },
            ureq::Error::BadUri(reason) => Error::BadUrl { url, reason },
            ureq::Error::Http(reason) => Error::BadUrl { url, reason: reason.to_string() },
            ureq::Error::Io(cause) => io_failure(url, &cause),
            ureq::Error::Protocol(reason) => Error::Malformed { url, reason: format!("it is not HTTP ({reason})") },
            // What is left fails before a request is sent: the host's certificate, the proxy.
            other => Error::Unreachable { url, cause: other.to_string() },
        }
    }
}

/// Whether a token has nothing but what can be sent: visible ASCII.
pub(crate) fn is_visible_ascii(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn bearer(token: &str) -> Result<HeaderValue, Error> {
    // Headers may have more than that, which no two programs read in the same way.
    if !is_visible_ascii(token) {
        return Err(Error::BadToken);
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| Error::BadToken)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What went wrong while an encrypted connection was agreed upon, before anything else was sent. rustls
/// says it as an error of input and output; neither is said of a connection that stands, unless the other
/// side falls back into plain text on it before it answers.
fn handshake_failure(error: &ureq::Error) -> Option<String> {
    let ureq::Error::Io(cause) = error else { return None };
    match cause.kind() {
        io::ErrorKind::InvalidData if cause.to_string().contains("InvalidContentType") => {
            Some("it does not speak TLS: is it http:// instead of https://?".to_owned())
        }
        // On a connection that stands, ureq and rustls say more of it than its kind.
        io::ErrorKind::UnexpectedEof if cause.get_ref().is_none() => {
            Some("it closed the connection in the TLS handshake".to_owned())
        }
        _ => None,
    }
}

fn io_failure(url: String, cause: &io::Error) -> Error {
    if let Some(cause) = not_reached(cause) {
        return Error::Unreachable { url, cause };
    }
    let cause = match cause.kind() {
        io::ErrorKind::UnexpectedEof => "it was closed".to_owned(),
        io::ErrorKind::ConnectionReset => "it was reset".to_owned(),
        _ => cause.to_string(),
    };
    Error::Interrupted { url, cause }
}

/// Why nobody was reached, if that is what it says: nothing was sent then.
pub(crate) fn not_reached(cause: &io::Error) -> Option<String> {
    use io::ErrorKind;
    match cause.kind() {
        ErrorKind::ConnectionRefused => Some("nobody listens there (connection refused)".to_owned()),
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable
        | ErrorKind::PermissionDenied
        | ErrorKind::NotFound => Some(cause.to_string()),
        // The standard library has no kind for it.
        _ if cause.to_string().starts_with("failed to lookup address") => Some("there is no such host".to_owned()),
        _ => None,
    }
}

impl Cost {
    fn from_headers(headers: &HeaderMap) -> Self {
        Cost {
            outcome: text_of(headers, "rehearsal-outcome").and_then(|name| outcome_named(&name)),
            elapsed: text_of(headers, "rehearsal-elapsed").and_then(|seconds| format!("{seconds}s").parse().ok()),
            hops: text_of(headers, "rehearsal-hops").and_then(|hops| hops.parse().ok()),
        }
    }
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(|text| text.trim().to_owned())
}

impl Answered {
    /// Whether the server says that it did what it was asked for.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The answer as an error, with what a problem of RFC 9457 says of it.
    pub(super) fn status_error(&self, url: &Url) -> Error {
        if let (300..400, Some(to)) = (self.status, &self.location) {
            return Error::Redirected { url: url.to_string(), status: self.status, to: to.clone() };
        }
        let problem = self.problem();
        let text = |name: &str| problem.as_ref().and_then(|problem| problem.get(name)).and_then(Value::as_str);
        Error::Status {
            url: url.to_string(),
            status: self.status,
            detail: text("detail").or(text("title")).map(str::to_owned),
            outcome: self.cost.outcome.or_else(|| text("outcome").and_then(outcome_named)),
        }
    }

    /// The body, if it is a problem of RFC 9457.
    pub(super) fn problem(&self) -> Option<Value> {
        let kind = self.content_type.as_deref().unwrap_or_default();
        let is_problem = kind.split(';').next().is_some_and(|kind| kind.trim() == "application/problem+json");
        if is_problem { serde_json::from_slice(&self.body).ok() } else { None }
    }
}

pub(super) fn malformed(url: &Url, reason: impl Into<String>) -> Error {
    Error::Malformed { url: url.to_string(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_read_from_the_headers() {
        let mut headers = HeaderMap::new();
        headers.insert("Rehearsal-Outcome", HeaderValue::from_static("reply"));
        headers.insert("Rehearsal-Elapsed", HeaderValue::from_static("0.042000000"));
        headers.insert("Rehearsal-Hops", HeaderValue::from_static("3"));
        let cost = Cost::from_headers(&headers);
        assert_eq!(cost.outcome, Some(OutcomeKind::Reply));
        assert_eq!((cost.elapsed, cost.hops), (Some(SimDuration::from_nanos(42_000_000)), Some(3)));

        for (name, wrong) in [("rehearsal-outcome", "fine"), ("rehearsal-elapsed", "soon"), ("rehearsal-hops", "-1")] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(wrong));
            assert_eq!(Cost::from_headers(&headers), Cost::default(), "{wrong}");
        }
    }

    #[test]
    fn a_token_must_fit_into_a_header() {
        assert!(Connection::new(&Settings::default().token("abc.DEF-123")).is_ok());
        for wrong in ["a\nb", "ü", "a b", "\u{7f}"] {
            assert_eq!(Connection::new(&Settings::default().token(wrong)).err(), Some(Error::BadToken), "{wrong:?}");
        }
    }
}
