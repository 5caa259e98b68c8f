//! Whoever answers JSON-RPC at a URL.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::batch::Batch;
use super::connection::{Answered, Connection, malformed};
use super::message::{self, Id};
use super::pool::Pool;
use super::url::Url;
use super::{AsyncCall, Error, Reply, Settings};

/// A service somewhere else that speaks JSON-RPC 2.0 over HTTP.
///
/// Clones are the same service: they share its connections and its request numbers. It may be used
/// from many threads at once.
///
/// ```
/// # let url: String = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/client/example_server.rs"));
/// use rehearsal::client::{Error, RemoteService};
///
/// let service = RemoteService::at(&url)?;
///
/// // One thread asks, others call.
/// let sums: Vec<_> = (0..20).map(|n| service.call_async::<i64>("add", (n, n))).collect::<Result<_, _>>()?;
/// for (n, sum) in sums.into_iter().enumerate() {
///     assert_eq!(sum.into_result()?, 2 * n as i64);
/// }
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct RemoteService {
    inner: Arc<Inner>,
}

struct Inner {
    name: OnceLock<String>,
    /// At least one.
    urls: Vec<Url>,
    /// The one that answered last.
    good: AtomicUsize,
    connection: Connection,
    last_id: AtomicU64,
    pool: Pool,
}

impl RemoteService {
    /// The service at a URL such as `http://127.0.0.1:8080/api/cart`, within the default bounds.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::BadUrl`].
    pub fn at(url: &str) -> Result<Self, Error> {
        Self::with(&Settings::default(), url)
    }

    /// The service at a URL, within bounds of your own.
    ///
    /// # Errors
    /// [`Error::BadUrl`], [`Error::BadToken`].
    pub fn with(settings: &Settings, url: &str) -> Result<Self, Error> {
        Ok(Self::reached_by(Connection::new(settings)?, vec![Url::parse(url)?], None))
    }

    /// The service at any of these URLs, best first; there is at least one.
    pub(super) fn reached_by(connection: Connection, urls: Vec<Url>, name: Option<String>) -> Self {
        let pool = Pool::new(connection.settings().connections);
        let name = name.map(OnceLock::from).unwrap_or_default();
        let inner = Inner { name, urls, good: AtomicUsize::new(0), connection, last_id: AtomicU64::new(0), pool };
        RemoteService { inner: Arc::new(inner) }
    }

    /// Where it is. If it is at several places: the one that was reached last, or the best if none
    /// has been yet.
    pub fn url(&self) -> &str {
        let Inner { urls, good, .. } = &*self.inner;
        urls.get(good.load(Ordering::Relaxed)).map_or("", Url::as_str)
    }

    /// Every URL where it is, best first. Calls go to the first that can be reached.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.inner.urls.iter().map(Url::as_str)
    }

    /// What it is called: the name that it was looked up by, or what it says itself
    /// (`get_service_specs`), which is asked once.
    ///
    /// # Errors
    /// As [`call`](Self::call) has them, if it has to be asked.
    pub fn name(&self) -> Result<&str, Error> {
        if let Some(name) = self.known_name() {
            return Ok(name);
        }
        let specs = self.specs()?;
        Ok(self.inner.name.get_or_init(|| specs.name))
    }

    /// The name, if it need not be asked for.
    pub fn known_name(&self) -> Option<&str> {
        self.inner.name.get().map(String::as_str)
    }

    /// What it says of itself (`get_service_specs`).
    ///
    /// # Errors
    /// As [`call`](Self::call) has them.
    pub fn specs(&self) -> Result<Specs, Error> {
        self.call("get_service_specs", ())
    }

    /// Calls a method and waits for its result.
    ///
    /// `params` is anything that serialises to an object (parameters by name) or to a list, such as a
    /// tuple (by position); `()` for none.
    ///
    /// # Errors
    /// Everything in [`Error`] but what concerns batches alone. [`Error::is_definite`] says whether
    /// it may have been carried out.
    pub fn call<R: DeserializeOwned>(&self, method: &str, params: impl Serialize) -> Result<R, Error> {
        self.ask(method, params)?.into()
    }

    /// Calls a method, and gives its result as it came, with what the call cost in the emulated
    /// network, where the server says so.
    ///
    /// # Errors
    /// As [`call`](Self::call) has them.
    pub fn ask(&self, method: &str, params: impl Serialize) -> Result<Reply, Error> {
        let params = message::params_of(method, params)?;
        self.ask_prepared(method, params)
    }

    fn ask_prepared(&self, method: &str, params: Option<Value>) -> Result<Reply, Error> {
        let id = self.next_id();
        let body = message::request(method, params, Some(id)).to_string();
        let (url, answered) = self.post(body.as_bytes())?;
        let cost = answered.cost;
        let verdict = message::verdict_on(value_of(url, &answered)?, id);
        let result = verdict.map_err(|reason| not_said(url, &answered, reason))??;
        Ok(Reply { method: method.to_owned(), result, elapsed: cost.elapsed, hops: cost.hops })
    }

    /// Calls a method and does not want to know the result: JSON-RPC's notification. Returns when the
    /// server has said that it has it, which may be before it is carried out.
    ///
    /// # Errors
    /// What can go wrong on the way. What the method makes of it, nobody hears.
    pub fn notify(&self, method: &str, params: impl Serialize) -> Result<(), Error> {
        let params = message::params_of(method, params)?;
        let body = message::request(method, params, None).to_string();
        let (url, answered) = self.post(body.as_bytes())?;
        if answered.is_success() { Ok(()) } else { Err(answered.status_error(url)) }
    }

    /// Calls a method without waiting for its result: another thread does. As many go on at once as
    /// [`Settings::connections`] says; the others wait in line, and whoever makes one more than 1,024
    /// beyond waits, too.
    ///
    /// # Errors
    /// [`Error::BadParams`]. Everything else is told by the [`AsyncCall`].
    pub fn call_async<R: DeserializeOwned + Send + 'static>(
        &self,
        method: &str,
        params: impl Serialize,
    ) -> Result<AsyncCall<R>, Error> {
        let params = message::params_of(method, params)?;
        let (call, answer) = AsyncCall::new();
        let (service, method) = (self.clone(), method.to_owned());
        self.inner.pool.run(move || {
            let result = service.ask_prepared(&method, params).and_then(Reply::into);
            // Whoever wanted it may have lost interest.
            let _ = answer.send(result);
        });
        Ok(call)
    }

    /// Several calls in one request.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self)
    }

    /// A number that no other request of this service has.
    pub(super) fn next_id(&self) -> Id {
        self.inner.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Posts to the first URL that can be reached, beginning with the one that was last time. To go on
    /// to the next is safe only because nothing was sent to the one before.
    pub(super) fn post(&self, body: &[u8]) -> Result<(&Url, Answered), Error> {
        let Inner { urls, good, connection, .. } = &*self.inner;
        let first = good.load(Ordering::Relaxed);
        let mut last = None;
        for at in (0..urls.len()).map(|offset| (first + offset) % urls.len()) {
            match connection.post(&urls[at], body) {
                Err(error @ Error::Unreachable { .. }) => last = Some(error),
                Err(error) => return Err(error),
                Ok(answered) => {
                    good.store(at, Ordering::Relaxed);
                    return Ok((&urls[at], answered));
                }
            }
        }
        let nowhere = || Error::BadUrl { url: String::new(), reason: "there is none".to_owned() };
        Err(last.unwrap_or_else(nowhere))
    }
}

impl fmt::Debug for RemoteService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { name, urls, .. } = &*self.inner;
        f.debug_struct("RemoteService").field("name", &name.get()).field("urls", urls).finish_non_exhaustive()
    }
}

/// The JSON of an answer. An HTTP error may have JSON-RPC in its body, too; if not, it is that error.
pub(super) fn value_of(url: &Url, answered: &Answered) -> Result<Value, Error> {
    if answered.body.is_empty() || answered.problem().is_some() {
        return Err(not_said(url, answered, format!("it is empty (HTTP {})", answered.status)));
    }
    serde_json::from_slice(&answered.body).map_err(|error| not_said(url, answered, format!("it is no JSON ({error})")))
}

/// What is to be said of an answer that is none.
pub(super) fn not_said(url: &Url, answered: &Answered, reason: String) -> Error {
    if answered.is_success() { malformed(url, reason) } else { answered.status_error(url) }
}

/// What a service says of itself when it is asked for `get_service_specs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "the specs of a service: an object with its `name`, and with `methods` if it has any")]
#[non_exhaustive]
pub struct Specs {
    /// What it is called.
    pub name: String,
    /// Where it says that it listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// At which port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Its methods, and what each does, where somebody wrote that down.
    #[serde(default)]
    pub methods: BTreeMap<String, Option<String>>,
    /// Whatever else it says.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
