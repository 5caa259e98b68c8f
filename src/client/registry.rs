//! Where services are.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::connection::Connection;
use super::message::excerpt;
use super::url::Url;
use super::{Error, RemoteService, Settings};

/// How many URLs of one registry are looked at.
const MOST_URLS: usize = 1_024;

/// A service that knows where others are: `ping(name, …)` tells it, `locate_service(name)` asks it.
///
/// Names may be patterns: `*` stands for any characters, `?` for one.
///
/// ```
/// # let url: String = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/client/example_server.rs"));
/// use rehearsal::client::{Error, Registry};
///
/// let registry = Registry::at(&url)?;
/// let workers = registry.locate("myservice.workers.*")?;
/// assert_eq!(workers.len(), 1);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct Registry {
    service: RemoteService,
    url: Url,
    /// For services on the host of the registry, and for those elsewhere, who are not to see the token.
    near: Connection,
    far: Connection,
}

impl Registry {
    /// The registry at a URL such as `http://127.0.0.1:8080/api`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::BadUrl`].
    pub fn at(url: &str) -> Result<Self, Error> {
        Self::with(&Settings::default(), url)
    }

    /// The registry at a URL, within bounds of your own, which hold for the services that it knows as
    /// well. They are sent the token only if they are on the same host and port.
    ///
    /// # Errors
    /// [`Error::BadUrl`], [`Error::BadToken`].
    pub fn with(settings: &Settings, url: &str) -> Result<Self, Error> {
        let url = Url::parse(url)?;
        let near = Connection::new(settings)?;
        let far = if settings.token.is_some() { Connection::new(&settings.without_token())? } else { near.clone() };
        let service = RemoteService::reached_by(near.clone(), vec![url.clone()], None);
        Ok(Registry { service, url, near, far })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The URLs of everybody who has that name, or whose name has that pattern: best first, as the
    /// registry orders them. None if it knows nobody.
    ///
    /// # Errors
    /// As [`RemoteService::call`] has them; [`Error::Malformed`] if there is something among them that
    /// is no URL.
    pub fn locate(&self, name: &str) -> Result<Vec<String>, Error> {
        Ok(self.locate_urls(name)?.iter().map(Url::to_string).collect())
    }

    /// Whoever has that name, or whose name has that pattern. If there are several, calls go to the
    /// best that can be reached. Nothing if the registry knows nobody.
    ///
    /// # Errors
    /// As [`locate`](Self::locate) has them.
    pub fn locate_service(&self, name: &str) -> Result<Option<RemoteService>, Error> {
        let urls = self.locate_urls(name)?;
        Ok(if urls.is_empty() { None } else { Some(self.service_at(urls, name)) })
    }

    /// Says that a service of that name is at a URL. Registries forget it after a while, so it is to be
    /// said again and again.
    ///
    /// # Errors
    /// As [`RemoteService::call`] has them.
    pub fn ping(&self, name: &str, url: &str) -> Result<(), Error> {
        #[derive(Serialize)]
        struct Ping<'a> {
            name: &'a str,
            url: &'a str,
        }
        self.service.ask("ping", Ping { name, url }).map(drop)
    }

    /// Says that a service of that name is at a host and port, where registries take that to mean
    /// `http://HOST:PORT/api`.
    ///
    /// # Errors
    /// As [`RemoteService::call`] has them.
    pub fn ping_at(&self, name: &str, host: &str, port: u16) -> Result<(), Error> {
        #[derive(Serialize)]
        struct Ping<'a> {
            name: &'a str,
            host: &'a str,
            port: u16,
        }
        self.service.ask("ping", Ping { name, host, port }).map(drop)
    }

    fn locate_urls(&self, name: &str) -> Result<Vec<Url>, Error> {
        #[derive(Serialize)]
        struct Locate<'a> {
            name: &'a str,
        }
        let reply = self.service.ask("locate_service", Locate { name })?;
        urls_of(reply.result).map_err(|reason| Error::Malformed { url: self.url.to_string(), reason })
    }

    fn service_at(&self, urls: Vec<Url>, name: &str) -> RemoteService {
        let near = urls.iter().all(|url| url.same_host(&self.url));
        let connection = if near { &self.near } else { &self.far };
        let name = if is_pattern(name) { None } else { Some(name.to_owned()) };
        RemoteService::reached_by(connection.clone(), urls, name)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Whether a name stands for several.
fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// A list of URLs. Registries of gemstone may say null where they know nobody.
fn urls_of(located: Value) -> Result<Vec<Url>, String> {
    let listed = match located {
        Value::Null => return Ok(Vec::new()),
        Value::Array(listed) => listed,
        other => return Err(format!("it locates services at {}, which is no list of URLs", excerpt(&other))),
    };
    if listed.len() > MOST_URLS {
        return Err(format!("it locates services at {} URLs, more than {MOST_URLS}", listed.len()));
    }
    let parse = |value: Value| match value.as_str().map(Url::parse) {
        Some(Ok(url)) => Ok(url),
        _ => Err(format!("it locates services at {}, which is no URL", excerpt(&value))),
    };
    listed.into_iter().map(parse).collect()
}

/// Several registries, asked one after the other.
///
/// ```
/// # let url: String = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/client/example_server.rs"));
/// use rehearsal::client::{Registries, Settings};
///
/// // Nobody listens at the first. The second knows.
/// let registries = Registries::with(&Settings::default(), ["http://127.0.0.1:1/api", &url])?;
/// let located = registries.locate_service("calculator")?;
/// assert_eq!(located.registry, url);
/// assert_eq!(located.service.call::<i64>("add", (19, 23))?, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registries {
    registries: Vec<Registry>,
}

/// A service, and who knew of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Located {
    /// The service.
    pub service: RemoteService,
    /// The URL of the registry that knew it.
    pub registry: String,
}

/// Why a service was not found.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LocateError {
    /// There is nobody to ask.
    #[error("there is no registry to ask for `{name}`; name one")]
    NoRegistry {
        /// What was looked for.
        name: String,
    },
    /// All were asked and answered, none knows.
    #[error("no service is called `{name}`, {} asked", registries_were(*.asked))]
    Unknown {
        /// What was looked for.
        name: String,
        /// How many were asked.
        asked: usize,
    },
    /// Nobody knew, and some of those who might have known gave no answer.
    #[error("cannot find `{name}`: {} of {asked} gave no answer; the first: {}", .failed.len(), first(.failed))]
    Failed {
        /// What was looked for.
        name: String,
        /// How many were asked.
        asked: usize,
        /// Those that gave no answer, and why. At least one.
        failed: Vec<Error>,
    },
}

fn registries_were(asked: usize) -> String {
    if asked == 1 { "1 registry was".to_owned() } else { format!("{asked} registries were") }
}

fn first(failed: &[Error]) -> String {
    failed.first().map(Error::to_string).unwrap_or_default()
}

impl Registries {
    /// These, in this order.
    pub fn new(registries: impl IntoIterator<Item = Registry>) -> Self {
        Registries { registries: registries.into_iter().collect() }
    }

    /// The registries at these URLs, in this order.
    ///
    /// # Errors
    /// [`Error::BadUrl`], [`Error::BadToken`].
    pub fn with<U: AsRef<str>>(settings: &Settings, urls: impl IntoIterator<Item = U>) -> Result<Self, Error> {
        let registries = urls.into_iter().map(|url| Registry::with(settings, url.as_ref()));
        Ok(Registries { registries: registries.collect::<Result<_, _>>()? })
    }

    /// Asks one after the other, until one knows whoever has that name, or a name with that pattern.
    /// One that gives no answer is passed over.
    ///
    /// # Errors
    /// [`LocateError`] if none knows.
    pub fn locate_service(&self, name: &str) -> Result<Located, LocateError> {
        let mut failed = Vec::new();
        for registry in &self.registries {
            match registry.locate_service(name) {
                Ok(Some(service)) => return Ok(Located { service, registry: registry.url().to_owned() }),
                Ok(None) => {}
                Err(error) => failed.push(error),
            }
        }
        Err(self.nobody_knows(name, failed))
    }

    /// Asks all of them, and puts together what they know: each URL once, those of the first registry
    /// first. Some may have given no answer: see the second part.
    ///
    /// # Errors
    /// [`LocateError`] if none knows anybody.
    pub fn locate_all(&self, name: &str) -> Result<(Vec<String>, Vec<Error>), LocateError> {
        let (mut urls, mut failed) = (Vec::new(), Vec::new());
        for registry in &self.registries {
            match registry.locate(name) {
                Ok(more) => urls.extend(more),
                Err(error) => failed.push(error),
            }
        }
        if urls.is_empty() {
            return Err(self.nobody_knows(name, failed));
        }
        let mut seen = std::collections::BTreeSet::new();
        urls.retain(|url| seen.insert(url.clone()));
        Ok((urls, failed))
    }

    fn nobody_knows(&self, name: &str, failed: Vec<Error>) -> LocateError {
        let (name, asked) = (name.to_owned(), self.registries.len());
        match (asked, failed.is_empty()) {
            (0, _) => LocateError::NoRegistry { name },
            (_, true) => LocateError::Unknown { name, asked },
            (_, false) => LocateError::Failed { name, asked, failed },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn registries_locate_by_lists_of_urls() {
        let urls = |value| urls_of(value).map(|urls| urls.iter().map(Url::to_string).collect::<Vec<_>>());
        assert_eq!(urls(json!(null)), Ok(vec![]));
        assert_eq!(urls(json!([])), Ok(vec![]));
        assert_eq!(
            urls(json!(["http://b/api", "http://a/api"])),
            Ok(vec!["http://b/api".into(), "http://a/api".into()])
        );
        for wrong in [
            json!("http://a/api"),
            json!({"host": "a", "port": 1}),
            json!([1]),
            json!(["cart"]),
            json!(["file:///etc/passwd"]),
        ] {
            assert!(urls(wrong.clone()).is_err(), "{wrong}");
        }
        assert!(urls(json!(vec!["http://a/"; MOST_URLS + 1])).is_err());
    }
}
