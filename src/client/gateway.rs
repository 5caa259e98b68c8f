//! The door of a run: everything that `rehearsal serve` offers.

use std::fmt;

use rehearsal_actors::interfaces::rpc::Inspection;
use serde_json::Value;
use ureq::http::Method;

use super::connection::{Connection, malformed};
use super::url::{Url, encode};
use super::{Error, Events, Registry, RemoteService, RestReply, Settings};

/// The HTTP gateway of a run.
///
/// ```no_run
/// use rehearsal::client::{Error, Gateway};
/// use serde_json::json;
///
/// // Needs `rehearsal serve scenarios/sockshop-rest.ron` in another window.
/// let gateway = Gateway::at("http://127.0.0.1:8080")?;
/// for service in gateway.services()? {
///     println!("{} has {} interfaces", service.service, service.interfaces.len());
/// }
/// let reply = gateway.request("POST", "/frontend/orders", Some(&json!({"customer": "ann"})))?;
/// println!("HTTP {}, after {:?} of virtual time", reply.status, reply.elapsed);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct Gateway {
    settings: Settings,
    base: Url,
    connection: Connection,
    api: RemoteService,
}

impl Gateway {
    /// The gateway at a URL such as `http://127.0.0.1:8080`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::BadUrl`], also if it has a query: other URLs lie under it.
    pub fn at(url: &str) -> Result<Self, Error> {
        Self::with(&Settings::default(), url)
    }

    /// The gateway at a URL, within bounds of your own.
    ///
    /// # Errors
    /// [`Error::BadUrl`], [`Error::BadToken`].
    pub fn with(settings: &Settings, url: &str) -> Result<Self, Error> {
        let base = Url::parse_base(url)?;
        let connection = Connection::new(settings)?;
        let api = RemoteService::reached_by(connection.clone(), vec![base.under("/api")?], None);
        Ok(Gateway { settings: settings.clone(), base, connection, api })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        self.base.as_str()
    }

    /// The gateway itself as a JSON-RPC service, where a method's name begins with its service's:
    /// `cart.add`.
    pub fn api(&self) -> &RemoteService {
        &self.api
    }

    /// One of the services behind it. Nobody is asked whether there is such a one.
    ///
    /// # Errors
    /// [`Error::BadUrl`].
    pub fn service(&self, name: &str) -> Result<RemoteService, Error> {
        let url = self.base.under(&format!("/api/{}", encode(name)))?;
        Ok(RemoteService::reached_by(self.connection.clone(), vec![url], Some(name.to_owned())))
    }

    /// It knows where services are, too.
    ///
    /// # Errors
    /// [`Error::BadUrl`].
    pub fn registry(&self) -> Result<Registry, Error> {
        Registry::with(&self.settings, self.api.url())
    }

    /// Everybody behind it, and what they may be called by.
    ///
    /// # Errors
    /// As [`RemoteService::call`] has them.
    pub fn services(&self) -> Result<Vec<Inspection>, Error> {
        self.api.call("inspect", ())
    }

    /// A request to a REST endpoint: `path` begins with the name of the service. Every answer is a
    /// reply, whatever its status.
    ///
    /// # Errors
    /// [`Error::BadUrl`] if there is no such method or path, and what can go wrong on the way.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<RestReply, Error> {
        let url = self.base.under(&format!("/{}", path.trim_start_matches('/')))?;
        let refuse = |_| Error::BadUrl { url: url.to_string(), reason: format!("`{method}` is no HTTP method") };
        let method = Method::from_bytes(method.as_bytes()).map_err(refuse)?;
        let body = body.map(Value::to_string);
        self.connection.exchange(&method, &url, body.as_deref().map(str::as_bytes)).map(RestReply::of)
    }

    /// Tells an event to everybody who has subscribed to its topic. Returns how many that were.
    ///
    /// # Errors
    /// [`Error::Status`] if it was not taken, and what can go wrong on the way.
    pub fn emit(&self, topic: &str, body: &Value) -> Result<u64, Error> {
        let url = self.base.under(&format!("/events/{}", encode(topic)))?;
        let answered = self.connection.post(&url, body.to_string().as_bytes())?;
        if !answered.is_success() {
            return Err(answered.status_error(&url));
        }
        let told: Option<Value> = serde_json::from_slice(&answered.body).ok();
        let receivers = told.as_ref().and_then(|told| told.get("receivers")).and_then(Value::as_u64);
        receivers.ok_or_else(|| malformed(&url, "it does not say how many receivers there were"))
    }

    /// Subscribes to the topics of a pattern: `orders.*`. The events come as they happen, until the run
    /// or the connection ends.
    ///
    /// # Errors
    /// [`Error::Status`] if it is refused, and what can go wrong on the way.
    pub fn subscribe(&self, pattern: &str) -> Result<Events, Error> {
        let url = self.base.under(&format!("/events?pattern={}", encode(pattern)))?;
        let stream = self.connection.stream(&url)?;
        Ok(Events::new(url, Box::new(stream), self.settings.most_answer_bytes))
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("url", &self.base).finish_non_exhaustive()
    }
}
