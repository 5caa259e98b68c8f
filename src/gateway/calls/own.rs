//! Methods of the gateway itself, which stand at `/api` without a service in front. With them it is a
//! registry as services and clients of gemstone know it.
//!
//! | method | what comes of it |
//! |---|---|
//! | `ping(name, url, ttl)`, `ping(name, host, port, ttl)` | a provider outside says that it is there; see [`Sign`] |
//! | `locate_service(name)` | the URLs of who has that name, in which `*` and `?` may stand for others: best first |
//! | `inspect()` | every service, and what it may be called by |
//! | `get_service_specs()` | the gateway and its services, as gemstone's clients want to have it |
//!
//! Whoever registers is called from inside, and answers under a name of their choice. So where there is a
//! token or a list of what is exposed, `ping` is for those who show the token, unless the list has `ping` on
//! it. The other three tell everybody of what they may ask anyway, and of nothing else.

mod sign;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{self, HeaderMap};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rehearsal_actors::interfaces::rpc::Inspection;
use rehearsal_actors::outside::catalogue::{Catalogue, Listed};
use rehearsal_actors::outside::registry::{LocateError, Located, RegistrationError, TIME_TO_LIVE};
use rehearsal_actors::service::ServiceIo;
use rehearsal_actors::units::SimDuration;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use ureq::http::Uri;
use ureq::http::uri::Authority;

use super::errors;
use crate::gateway::exposure::Shown;
use crate::gateway::jsonrpc::{ErrorObject, Request};
use crate::gateway::place::is_own_place;
use crate::gateway::shared::{Providers, Shared};
use crate::service_url::is_authority;
use sign::Sign;

const PING: &str = "ping";

/// What each method does, for those who ask.
const METHODS: [(&str, &str); 4] = [
    (PING, "Registers a service outside: name and url, or name, host and port; ttl in seconds."),
    ("locate_service", "The URLs of the services of that name, in which * and ? may stand for other characters."),
    ("get_service_specs", "What this gateway is."),
    ("inspect", "Every service, and what it may be called by."),
];

/// What stands for itself as a segment of a path.
const IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What the gateway itself is asked for.
pub(super) struct Own {
    method: Result<Method, ErrorObject>,
    /// Host and port, as the asker has reached the gateway.
    authority: Box<str>,
}

enum Method {
    Ping(Sign),
    Locate(String),
    Specs,
    Inspect,
}

impl Own {
    /// Nothing if the method is another one.
    pub(super) fn of(request: &Request<'_>, headers: &HeaderMap, listens: SocketAddr) -> Option<Self> {
        let method = match &*request.method {
            PING => sign::read(request.params).map(Method::Ping),
            "locate_service" => sign::read_name(request.params).map(Method::Locate),
            "inspect" => Ok(Method::Inspect),
            super::GET_SERVICE_SPECS => Ok(Method::Specs),
            _ => return None,
        };
        Some(Own { method, authority: authority(headers, listens).into() })
    }

    /// What is done inside of the run.
    pub(super) async fn answer(
        self,
        io: &ServiceIo,
        shown: Shown,
        shared: &Shared,
    ) -> Result<Box<RawValue>, ErrorObject> {
        let Own { method, authority } = self;
        let exposure = &shared.exposure;
        match &method {
            Ok(Method::Ping(_)) if !exposure.shows(PING, shown) => {
                return Err(errors::hidden(&format!("`{PING}`"), shown));
            }
            // Who may not ask for anything is not told what was wrong with it, either.
            _ if !exposure.shows_anything(shown) => return Err(errors::hidden(what_it_tells(&method), shown)),
            _ => {}
        }
        let me = io.name();
        let is_shown = |listed: &Listed| listed.name != me && exposure.shows_some_of(&listed.name, shown);
        let services = || Catalogue::of(io).all().filter(is_shown);
        match method? {
            Method::Ping(sign) if is_here(&sign.url, &authority, shared.address) => {
                let detail = format!("`{}` is at this gateway itself: give the URL of who provides it", sign.url);
                Err(errors::bad_params(&detail))
            }
            Method::Ping(sign) if is_own_place(&sign.name) => {
                let name = &sign.name;
                let detail = format!("`{name}` is the gateway's own: `/{name}` never leads to a service of that name");
                Err(errors::bad_params(&detail))
            }
            Method::Ping(sign) => {
                let may_know = exposure.shows_some_of(&sign.name, shown);
                write(&ping(io, providers(shared)?, &sign, may_know)?)
            }
            Method::Locate(name) => {
                let located =
                    providers(shared)?.registry.locate(io, &name).await.map_err(|error| not_located(&error))?;
                let may_ask = located.iter().filter(|located| exposure.shows_some_of(name_of(located), shown));
                let mut told = BTreeSet::new();
                let urls = may_ask.map(|located| url_of(located, &authority)).filter(|url| told.insert(url.clone()));
                write(&urls.collect::<Vec<_>>())
            }
            Method::Inspect => write(&services().map(inspection).collect::<Vec<_>>()),
            Method::Specs => {
                let (host, port) = (shared.address.ip().to_string(), shared.address.port());
                let services = services().map(|listed| listed.name).collect();
                write(&Specs { name: me.clone(), host, port, methods: METHODS.into(), services })
            }
        }
    }
}

/// What somebody asks the gateway for, in words. What cannot be read is one of these.
fn what_it_tells(method: &Result<Method, ErrorObject>) -> &'static str {
    match method {
        Ok(Method::Inspect) => "the list of services, and of what they can be asked for,",
        Ok(Method::Locate(_)) => "where services are",
        Ok(Method::Specs) => "what the gateway says of itself, and the list of its services,",
        Ok(Method::Ping(_)) | Err(_) => "what the gateway knows of services",
    }
}

/// The answer of `get_service_specs`.
#[derive(Serialize)]
struct Specs {
    /// What the gateway is called in the run.
    name: String,
    /// Where it listens.
    host: String,
    port: u16,
    /// What each of its own methods does.
    methods: BTreeMap<&'static str, &'static str>,
    /// Who may be asked through it.
    services: Vec<String>,
}

/// Those that may be called here, of whatever service.
pub(crate) fn is_own_method(name: &str) -> bool {
    METHODS.iter().any(|(method, _)| *method == name)
}

fn providers(shared: &Shared) -> Result<&Providers, ErrorObject> {
    shared.providers.as_ref().ok_or_else(|| errors::no_such_method("there is no registry here"))
}

/// Gemstone's registries answer nothing, which clients do not look at.
/// `may_know`: whether whoever registers may know of a service of that name, should there be one.
fn ping(io: &ServiceIo, providers: &Providers, sign: &Sign, may_know: bool) -> Result<(), ErrorObject> {
    let lasts = sign.ttl.map_or(TIME_TO_LIVE.as_nanos() as f64, |secs| secs * 1e9) * providers.pace.factor();
    // Whatever does not fit is longer than any run.
    let lasts = SimDuration::from_nanos(lasts as u64);
    let pinged = match providers.registry.ping(io, &sign.name, &sign.url, Some(lasts)) {
        // It is as if it had been registered, and never asked.
        Err(RegistrationError::Inside { .. }) if !may_know => return Ok(()),
        pinged => pinged,
    };
    pinged.map(drop).map_err(|error| match error {
        RegistrationError::Full => errors::no_room(&error.to_string()),
        RegistrationError::Name { .. }
        | RegistrationError::Url { .. }
        | RegistrationError::Gateway { .. }
        | RegistrationError::Inside { .. } => errors::bad_params(&error.to_string()),
    })
}

fn not_located(error: &LocateError) -> ErrorObject {
    match error {
        LocateError::TooLong { .. } => errors::bad_params(&error.to_string()),
        LocateError::Directory(cause) => errors::no_directory(&error.to_string(), cause),
    }
}

/// By which it is decided who may know of them.
fn name_of(located: &Located) -> &str {
    match located {
        Located::Inside { service, .. } => service,
        Located::Outside(provision) => &provision.name,
    }
}

fn url_of(located: &Located, authority: &str) -> String {
    match located {
        Located::Inside { service, .. } => {
            format!("http://{authority}/api/{}", utf8_percent_encode(service, IN_A_PATH))
        }
        Located::Outside(provision) => provision.url.clone(),
    }
}

fn inspection(listed: Listed) -> Inspection {
    let interfaces = listed.offered.iter().flat_map(|offered| &offered.interfaces);
    let endpoints = listed.offered.iter().flat_map(|offered| &offered.endpoints);
    Inspection {
        interfaces: interfaces.map(|interface| interface.description.clone()).collect(),
        endpoints: endpoints.map(|endpoint| format!("{} {}", endpoint.method, endpoint.pattern)).collect(),
        service: listed.name,
    }
}

fn write(answer: &impl Serialize) -> Result<Box<RawValue>, ErrorObject> {
    to_raw_value(answer).map_err(|error| ErrorObject::new(ErrorObject::INTERNAL_ERROR, error.to_string()))
}

/// Where the asker has found the gateway: what it says itself, as far as that is a host, which is right where
/// a gateway listens on every address or is behind another name. Otherwise where it listens.
fn authority(headers: &HeaderMap, listens: SocketAddr) -> String {
    let said = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match said.filter(|host| is_authority(host)) {
        Some(host) => host.to_owned(),
        None => listens.to_string(),
    }
}

/// Whether a URL leads to the gateway that listens there and that somebody has reached by that authority.
fn is_here(url: &str, reached_by: &str, listens: SocketAddr) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let is_named = reached_by
        .parse::<Authority>()
        .is_ok_and(|reached| reached.host().eq_ignore_ascii_case(host) && reached.port_u16().unwrap_or(80) == port);
    let address = match host.eq_ignore_ascii_case("localhost") {
        true => Some(IpAddr::from([127, 0, 0, 1])),
        false => host.trim_matches(['[', ']']).parse::<IpAddr>().ok(),
    };
    let own = listens.ip();
    let is_own =
        |address: IpAddr| address == own || (address.is_loopback() || address.is_unspecified()) && own.is_unspecified();
    is_named || (port == listens.port() && address.is_some_and(is_own))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn services_are_located_where_the_asker_has_reached_the_gateway() {
        let listens = SocketAddr::from(([127, 0, 0, 1], 8080));
        let found = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            authority(&headers, listens)
        };
        for host in ["gate", "gate.local:80", "10.0.0.1:8080", "[::1]:8080"] {
            assert_eq!(found(host), host);
        }
        for host in ["", "a/b", "user@gate", "gate:99999", "a b", "gate:", "\"><script>"] {
            assert_eq!(found(host), "127.0.0.1:8080", "{host}");
        }
        assert_eq!(authority(&HeaderMap::new(), listens), "127.0.0.1:8080");
    }

    #[test]
    fn a_gateway_knows_its_own_urls() {
        let on = |listens: [u8; 4]| SocketAddr::from((listens, 8080));
        let (local, every) = (on([127, 0, 0, 1]), on([0, 0, 0, 0]));
        for (url, reached_by, listens) in [
            ("http://127.0.0.1:8080/api", "127.0.0.1:8080", local),
            ("http://localhost:8080", "10.0.0.1:8080", local),
            ("http://127.0.0.1:8080/api/shop", "10.0.0.1:8080", every),
            ("http://Gate/api", "gate", every),
            ("http://gate:80/api", "gate", local),
        ] {
            assert!(is_here(url, reached_by, listens), "{url}");
        }
        for (url, reached_by, listens) in [
            ("http://127.0.0.1:8081/api", "127.0.0.1:8080", local),
            ("http://10.0.0.2:8080/api", "10.0.0.1:8080", every),
            ("http://other/api", "gate", local),
        ] {
            assert!(!is_here(url, reached_by, listens), "{url}");
        }
    }

    #[test]
    fn a_service_s_url_leads_to_it_whatever_its_name() {
        let located = |name: &str| Located::Inside { name: "any".to_owned(), service: name.to_owned() };
        assert_eq!(url_of(&located("shop.front-1"), "gate"), "http://gate/api/shop.front-1");
        assert_eq!(url_of(&located("a/b c"), "gate"), "http://gate/api/a%2Fb%20c");
    }
}
