//! What is said in a ping, and whom `locate_service` looks for.

use std::net::Ipv6Addr;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, from_str};
use ureq::http::uri::Authority;

use crate::gateway::calls::errors;
use crate::gateway::jsonrpc::ErrorObject;
use crate::service_url::{self, is_authority};

/// The longest time that a sign of life may count for, in seconds: a day.
const LONGEST: f64 = 86_400.0;

/// How to do it right.
const USAGE: &str = "`ping` takes `name` and `url`, or `name`, `host` and `port`, and perhaps `ttl`";

/// The sign of life of a provider outside. Where it gives host and port it is at `http://HOST:PORT/api`.
#[derive(Debug, PartialEq)]
pub(super) struct Sign {
    pub(super) name: String,
    pub(super) url: String,
    /// How long that counts, in seconds of the wall clock.
    pub(super) ttl: Option<f64>,
}

/// As it is sent, by name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    name: String,
    url: Option<String>,
    host: Option<String>,
    port: Option<Value>,
    ttl: Option<Value>,
}

/// Reads the parameters of a ping.
pub(super) fn read(params: Option<&RawValue>) -> Result<Sign, ErrorObject> {
    sign_of(params).map_err(|reason| errors::bad_params(&reason))
}

fn sign_of(params: Option<&RawValue>) -> Result<Sign, String> {
    let text = params.map_or("[]", RawValue::get);
    let Said { name, url, host, port, ttl } = match text.starts_with('[') {
        true => by_position(from_str(text).map_err(wrong)?)?,
        false => from_str(text).map_err(wrong)?,
    };
    let url = match (url, host, port) {
        (Some(url), None, None) => checked_url(url)?,
        (None, Some(host), Some(port)) => format!("http://{}:{}/api", checked_host(&host)?, checked_port(&port)?),
        _ => return Err(USAGE.to_owned()),
    };
    Ok(Sign { name, url, ttl: ttl.map(checked_ttl).transpose()? })
}

fn wrong(error: serde_json::Error) -> String {
    format!("{USAGE}: {error}")
}

/// `[name, url, ttl]` or `[name, host, port, ttl]`: a URL is told from a host by its scheme.
fn by_position(values: Vec<Value>) -> Result<Said, String> {
    let mut values = values.into_iter();
    let mut text = || match values.next() {
        Some(Value::String(text)) => Ok(text),
        _ => Err(USAGE.to_owned()),
    };
    let (name, place) = (text()?, text()?);
    let (url, host, port) = match place.contains("://") {
        true => (Some(place), None, None),
        false => (None, Some(place), values.next()),
    };
    let ttl = values.next();
    if values.next().is_some() {
        return Err(USAGE.to_owned());
    }
    Ok(Said { name, url, host, port, ttl })
}

fn checked_url(url: String) -> Result<String, String> {
    match service_url::check(&url) {
        Err(why) => Err(format!("`{}` is no URL of a service: {why}", clip(&url))),
        Ok(_) => Ok(url),
    }
}

fn checked_host(host: &str) -> Result<String, String> {
    // Without brackets, as other addresses stand.
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        return Ok(format!("[{address}]"));
    }
    let has_port = host.parse::<Authority>().is_ok_and(|authority| authority.port().is_some());
    match is_authority(host) && !has_port {
        true => Ok(host.to_owned()),
        false => Err(format!("`{}` is no host", clip(host))),
    }
}

fn checked_port(port: &Value) -> Result<u16, String> {
    let number = port.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    number.ok_or_else(|| format!("`{}` is no port: a number from 1 to 65535", clip(&port.to_string())))
}

fn checked_ttl(ttl: Value) -> Result<f64, String> {
    let seconds = ttl.as_f64().filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST);
    let complain = || format!("`{}` is no `ttl`: seconds, more than 0 and at most {LONGEST}", clip(&ttl.to_string()));
    seconds.ok_or_else(complain)
}

/// Reads the name that `locate_service` is asked for.
pub(super) fn read_name(params: Option<&RawValue>) -> Result<String, ErrorObject> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct ByName {
        name: String,
    }
    let text = params.map_or("[]", RawValue::get);
    let name = match text.starts_with('[') {
        true => from_str::<(String,)>(text).map(|(name,)| name),
        false => from_str::<ByName>(text).map(|ByName { name }| name),
    };
    name.map_err(|error| errors::bad_params(&format!("`locate_service` takes a `name`: {error}")))
}

/// As much of a text as is needed to know it again.
fn clip(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serde_json::value::to_raw_value;

    use super::*;

    fn sign(params: Value) -> Result<Sign, String> {
        sign_of(Some(&to_raw_value(&params).map_err(|error| error.to_string())?))
    }

    #[test]
    fn a_ping_is_understood_by_name_and_by_position() {
        let url = |url: &str, ttl| Ok(Sign { name: "a.b".to_owned(), url: url.to_owned(), ttl });
        let named = "http://127.0.0.1:9000/api";
        for (params, expected) in [
            (json!({ "name": "a.b", "url": named }), url(named, None)),
            (json!({ "name": "a.b", "host": "127.0.0.1", "port": 9000 }), url(named, None)),
            (json!({ "name": "a.b", "host": "127.0.0.1", "port": 9000, "ttl": 2.5 }), url(named, Some(2.5))),
            (json!(["a.b", named]), url(named, None)),
            (json!(["a.b", named, 7]), url(named, Some(7.0))),
            (json!(["a.b", "127.0.0.1", 9000]), url(named, None)),
            (json!(["a.b", "127.0.0.1", 9000, 7]), url(named, Some(7.0))),
            (json!(["a.b", "::1", 9000]), url("http://[::1]:9000/api", None)),
            (json!(["a.b", "[::1]", 9000]), url("http://[::1]:9000/api", None)),
            (json!(["a.b", "pay_1.example", 80]), url("http://pay_1.example:80/api", None)),
            (json!(["a.b", "https://[::1]/x"]), url("https://[::1]/x", None)),
        ] {
            assert_eq!(sign(params.clone()), expected, "{params}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused_and_says_why() {
        for (params, why) in [
            (json!([]), "takes `name` and `url`"),
            (json!(["a"]), "takes"),
            (json!(["a", 9000]), "takes"),
            (json!(["a", "h"]), "takes"),
            (json!(["a", "h", 1, 2, 3]), "takes"),
            (json!(["a", "http://h", 1, 2]), "takes"),
            (json!({ "name": "a" }), "takes"),
            (json!({ "url": "http://h" }), "missing field `name`"),
            (json!({ "name": "a", "url": "http://h", "port": 1 }), "takes"),
            (json!({ "name": "a", "uri": "http://h" }), "unknown field `uri`"),
            (json!(["a", "h", 0]), "no port"),
            (json!(["a", "h", 65536]), "no port"),
            (json!(["a", "h", "80"]), "no port"),
            (json!(["a", "", 80]), "no host"),
            (json!(["a", "h:1", 80]), "no host"),
            (json!(["a", "u@h", 80]), "no host"),
            (json!(["a", "h/x", 80]), "no host"),
            (json!(["a", "ftp://h/x"]), "does not begin with http"),
            (json!(["a", "http://u:p@h/x"]), "a user in it"),
            (json!(["a", "http://h/x#y"]), "a fragment"),
            (json!(["a", "http://h:99999/x"]), "no URL"),
            (json!(["a", "http:///x"]), "no URL"),
            (json!(["a", "http://h/x?y=1"]), "query"),
            (json!(["a", "http://h/x", 0]), "no `ttl`"),
            (json!(["a", "http://h/x", "soon"]), "no `ttl`"),
            (json!(["a", "http://h/x", 1e9]), "no `ttl`"),
        ] {
            let refused = sign(params.clone());
            assert!(refused.as_ref().is_err_and(|refused| refused.contains(why)), "{params}: {refused:?}");
        }
    }
}
