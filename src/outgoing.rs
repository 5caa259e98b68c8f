//! Out of a run for real: HTTP requests and JSON-RPC calls to services that live outside.
//!
//! The run's own thread never waits: each errand has a thread of a pool, and comes back when it has an
//! answer, or knows that there will be none. So many are out to one destination at once, whatever becomes of
//! them, that nobody who hangs holds up the errands to others. What came of one is told apart by whether it
//! may have happened: nobody took the connection (refused), nobody answered (silence), the connection broke,
//! or what came was not to be read.

mod answers;
mod turns;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rehearsal_actors::interfaces::rest::Method;
use rehearsal_actors::outside::{Came, Errand, Outbound, OutboundAnswer, OutboundRequest};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use ureq::Agent;
use ureq::http::{self, Response, Uri};

use crate::client::not_reached;
use crate::trail::{TRAIL, onwards};
use answers::{Heard, ID};
use turns::{Place, Turns};

/// So many threads there may be: one for each call that a gateway's registry may have outside, wherever they
/// go, and as many as dozens of external services together may need. They end when they have nothing to do.
const THREADS: usize = 4096;

/// An answer that has not come by then is silence, and whoever still waits for their turn does not go any
/// more. Who asked has mostly given up before, in virtual time.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest answer that is read.
const ANSWER_LIMIT: u64 = 16 * 1024 * 1024;

/// Goes out over HTTP.
pub(crate) struct Outgoing {
    agent: Agent,
    turns: Arc<Mutex<Turns<Setting>>>,
    /// For its threads alone; `None` once it is dropped.
    pool: Option<Runtime>,
}

/// What is about to go out.
struct Setting {
    request: OutboundRequest,
    answer: OutboundAnswer,
    /// Until when it has to be back.
    until: Instant,
}

impl Outgoing {
    /// # Errors
    /// There are no threads to be had.
    pub(crate) fn new() -> io::Result<Self> {
        let config = Agent::config_builder()
            // A status is an answer, and so is a redirection, which nobody follows.
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .user_agent(concat!("rehearsal/", env!("CARGO_PKG_VERSION")));
        let pool = Builder::new_current_thread().max_blocking_threads(THREADS).thread_name("outgoing").build()?;
        Ok(Outgoing { agent: config.build().into(), turns: Arc::default(), pool: Some(pool) })
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        // Whoever is out is not waited for: the run they would come back to is over.
        self.pool.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

impl Outbound for Outgoing {
    fn begin(&self, request: OutboundRequest, answer: OutboundAnswer) {
        let Some(pool) = &self.pool else { return };
        let destination = destination(&request.url);
        let setting = Setting { request, answer, until: Instant::now() + PATIENCE };
        let first = match lock(&self.turns).come(&destination, setting) {
            Place::Goes(setting) => setting,
            Place::Waits => return,
            Place::TooMany(Setting { answer, .. }) => {
                return answer.give(Came::Refused(format!("too many wait for `{destination}` already")));
            }
        };
        let (agent, turns) = (self.agent.clone(), self.turns.clone());
        pool.spawn_blocking(move || {
            let mut next = Some(first);
            while let Some(setting) = next {
                set_out(&agent, setting);
                next = lock(&turns).come_back(&destination);
            }
        });
    }
}

fn lock(turns: &Mutex<Turns<Setting>>) -> std::sync::MutexGuard<'_, Turns<Setting>> {
    turns.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whom a URL leads to, whatever they are asked for: scheme, host and port.
fn destination(url: &str) -> String {
    let Ok(uri) = url.parse::<Uri>() else { return url.to_owned() };
    let scheme = uri.scheme_str().unwrap_or("http");
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    format!("{scheme}://{}:{port}", uri.host().unwrap_or_default().to_ascii_lowercase())
}

/// Goes, unless it is in vain by now.
fn set_out(agent: &Agent, setting: Setting) {
    let Setting { request, answer, until } = setting;
    let left = until.saturating_duration_since(Instant::now());
    let came = match left.is_zero() || !answer.is_awaited() {
        true => Came::Refused(format!("it was given up while it waited for its turn at `{}`", request.url)),
        false => go(agent, &request, left),
    };
    answer.give(came);
}

/// Asks, and waits so long for what comes of it.
fn go(agent: &Agent, request: &OutboundRequest, patience: Duration) -> Came {
    let OutboundRequest { url, errand, baggage, .. } = request;
    let request = http::Request::builder().header(TRAIL, onwards(baggage.as_deref()));
    let asked = match errand {
        Errand::Request { method, target, body } => {
            let request = request.method(verb(*method)).uri(below(url, target));
            send(agent, request, (!body.is_null()).then_some(body), patience)
        }
        Errand::Call { method, params, trace_id } => {
            let request = request.method("POST").uri(url).header("rehearsal-trace", trace_id);
            let body = json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": ID });
            send(agent, request, Some(&body), patience)
        }
    };
    asked.map_or_else(|error| missing(&error), |heard| heard.on(errand))
}

fn verb(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
    }
}

/// `http://host/api` and `/pay`: `http://host/api/pay`.
fn below(url: &str, target: &str) -> String {
    format!("{}{target}", url.trim_end_matches('/'))
}

fn send(
    agent: &Agent,
    request: http::request::Builder,
    body: Option<&Value>,
    patience: Duration,
) -> Result<Heard, ureq::Error> {
    let request = request.header("accept", "application/json");
    let response = match body {
        Some(body) => {
            let request = request.header("content-type", "application/json").body(serde_json::to_vec(body)?)?;
            agent.run(agent.configure_request(request).timeout_global(Some(patience)).build())
        }
        None => agent.run(agent.configure_request(request.body(())?).timeout_global(Some(patience)).build()),
    };
    read(response?)
}

fn read(response: Response<ureq::Body>) -> Result<Heard, ureq::Error> {
    let (head, mut body) = response.into_parts();
    let body = body.with_config().limit(ANSWER_LIMIT).read_to_vec()?;
    Ok(Heard { status: head.status, headers: head.headers, body })
}

/// Why there is no answer, and whether it may have happened.
fn missing(error: &ureq::Error) -> Came {
    use ureq::{Error, Timeout};
    let why = error.to_string();
    match error {
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::BadUri(_)
        | Error::Http(_)
        | Error::Tls(_)
        | Error::TlsRequired
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => Came::Refused(why),
        Error::Io(cause) if not_reached(cause).is_some() || is_no_handshake(cause) => Came::Refused(why),
        Error::Protocol(_) | Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(..) | Error::Json(_) => {
            Came::Garbage(why)
        }
        Error::Timeout(_) | Error::BodyStalled => Came::Silence(why),
        _ => Came::Broken(why),
    }
}

/// Whether TLS has failed before anything was sent within it. What may show later, too, is none of these.
fn is_no_handshake(cause: &io::Error) -> bool {
    let begins = [
        "invalid peer certificate",
        "peer is incompatible",
        // No TLS at all is spoken there.
        "received corrupt message of type InvalidContentType",
        "received fatal alert: HandshakeFailure",
        "received fatal alert: ProtocolVersion",
        "received fatal alert: UnrecognisedName",
    ];
    let why = cause.to_string();
    cause.kind() == io::ErrorKind::InvalidData && begins.iter().any(|begin| why.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// What comes of an errand to somebody who hears a request and says this.
    fn came(errand: Errand, says: &'static str) -> (Came, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api/", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = vec![0; 4096];
            let mut len = stream.read(&mut heard).unwrap();
            // The body may come behind the head.
            let expects_more = |text: &[u8]| text.starts_with(b"P") && text.ends_with(b"\r\n\r\n");
            if expects_more(&heard[..len]) {
                len += stream.read(&mut heard[len..]).unwrap();
            }
            stream.write_all(says.as_bytes()).unwrap();
            String::from_utf8_lossy(&heard[..len]).into_owned()
        });
        let outgoing = Outgoing::new().unwrap();
        let (from, baggage) = ("order".to_owned(), Some("a, b".to_owned()));
        let came = go(&outgoing.agent, &OutboundRequest { url, from, baggage, errand }, PATIENCE);
        (came, server.join().unwrap())
    }

    fn call() -> Errand {
        Errand::Call { method: "pay".to_owned(), params: json!({ "amount": 3 }), trace_id: "7".to_owned() }
    }

    fn ok(body: &str) -> &'static str {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).leak()
    }

    #[test]
    fn a_call_is_posted_as_json_rpc_and_its_answer_is_what_came() {
        let (came_back, heard) = came(call(), ok(r#"{"jsonrpc":"2.0","result":{"paid":true},"id":1}"#));
        assert_eq!(came_back, Came::Result(json!({ "paid": true })));
        assert!(heard.starts_with("POST /api/ HTTP/1.1\r\n"), "{heard}");
        assert!(heard.ends_with(r#"{"id":1,"jsonrpc":"2.0","method":"pay","params":{"amount":3}}"#), "{heard}");
        // Through which programs it has come, this one last.
        assert!(heard.to_ascii_lowercase().contains("\r\nrehearsal-trail: a, b, "), "{heard}");
        let refused = came(call(), ok(r#"{"jsonrpc":"2.0","error":{"code":-32002,"message":"not now"},"id":1}"#)).0;
        assert_eq!(refused, Came::Error { code: -32002, message: "not now".to_owned(), data: Value::Null });
    }

    #[test]
    fn a_request_goes_below_the_url_and_its_response_is_what_came() {
        let errand = |method, body| Errand::Request { method, target: "/pay?fast=1".to_owned(), body };
        let says = "HTTP/1.1 402 Payment Required\r\nContent-Length: 17\r\n\r\n{\"detail\":\"poor\"}";
        let (came_back, heard) = came(errand(Method::Post, json!([1])), says);
        assert_eq!(came_back, Came::Response { status: 402, body: json!({ "detail": "poor" }) });
        assert!(heard.starts_with("POST /api/pay?fast=1 HTTP/1.1\r\n") && heard.ends_with("[1]"), "{heard}");
        // A redirection is an answer as any other.
        let says = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(came(errand(Method::Get, Value::Null), says).0, Came::Response { status: 302, body: Value::Null });
    }

    #[test]
    fn what_may_have_happened_is_told_from_what_surely_did_not() {
        let garbled = [ok("hello"), ok("{}"), ok(r#"{"error":"no object"}"#)];
        for says in garbled {
            assert!(matches!(came(call(), says).0, Came::Garbage(_)), "{says}");
        }
        let in_between = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops";
        assert_eq!(came(call(), in_between).0, Came::Response { status: 502, body: Value::Null });
        // Heard, and gone.
        assert!(matches!(came(call(), "").0, Came::Broken(_)));
        // Nobody is there: the port was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let outgoing = Outgoing::new().unwrap();
        let request =
            OutboundRequest { url: format!("http://{free}"), from: String::new(), baggage: None, errand: call() };
        assert!(matches!(go(&outgoing.agent, &request, PATIENCE), Came::Refused(_)));
    }

    #[test]
    fn what_never_reached_anybody_was_refused() {
        let cause = |kind: io::ErrorKind| missing(&ureq::Error::Io(kind.into()));
        use io::ErrorKind::{AddrNotAvailable, ConnectionReset, HostUnreachable, NetworkUnreachable};
        for kind in [HostUnreachable, NetworkUnreachable, AddrNotAvailable] {
            assert!(matches!(cause(kind), Came::Refused(_)), "{kind}");
        }
        assert!(matches!(cause(ConnectionReset), Came::Broken(_)));
        let too_late = ureq::Error::Timeout(ureq::Timeout::Global);
        assert!(matches!(missing(&too_late), Came::Silence(_)));
        let unknown = io::Error::other("failed to lookup address information: Name or service not known");
        assert!(matches!(missing(&ureq::Error::Io(unknown)), Came::Refused(_)));
        assert!(matches!(missing(&ureq::Error::LargeResponseHeader(9, 8)), Came::Garbage(_)));
        // Somebody who speaks no TLS.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            stream.write_all(ok("hello").as_bytes()).unwrap();
        });
        let outgoing = Outgoing::new().unwrap();
        let request = OutboundRequest { url, from: String::new(), baggage: None, errand: call() };
        let came = go(&outgoing.agent, &request, PATIENCE);
        assert!(matches!(came, Came::Refused(_)), "{came:?}");
        server.join().unwrap();
    }

    #[test]
    fn a_destination_is_told_by_scheme_host_and_port() {
        assert_eq!(destination("http://Pay.example/api"), destination("http://pay.example:80/other"));
        assert_eq!(destination("https://[::1]/api"), "https://[::1]:443");
        assert_ne!(destination("http://a:1/x"), destination("http://a:2/x"));
    }
}
