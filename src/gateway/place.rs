//! What a path leads to.

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// What stands at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// `/api`: JSON-RPC with services named in the method.
    Api,
    /// `/api/{service}`: JSON-RPC for one service.
    ServiceApi(Cow<'a, str>),
    /// `/healthz`
    Health,
    /// `/readyz`
    Readiness,
    /// `/metrics`
    Metrics,
    /// `/openapi.json`
    OpenApi,
    /// `/events`
    Events,
    /// `/events/{topic}`
    Topic(Cow<'a, str>),
    /// `/{service}/{path…}`: what a service has there. The path has its escapes and begins with a slash.
    Service(Cow<'a, str>, &'a str),
    /// Nothing, and nothing of a service either.
    Nothing,
}

/// Why a path or a query is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadTarget {
    /// A percent sign without two hexadecimal digits.
    #[error("a `%` is followed by two hexadecimal digits")]
    Escape,
    /// What is escaped is no text.
    #[error("what is escaped is not UTF-8")]
    NotText,
    /// `.` or `..`: resolving them is for the client, before anybody has decided who may ask for what.
    #[error("a path has no segments `.` or `..`")]
    Dots,
}

/// Finds out what a path leads to. Segments are told apart before their escapes are resolved, so that
/// `%2F` is no separator.
pub(super) fn locate(path: &str) -> Result<Place<'_>, BadTarget> {
    if path == "/api" {
        return Ok(Place::Api);
    }
    let Some(path) = path.strip_prefix('/') else { return Ok(Place::Nothing) };
    let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    let first = segment(first)?;
    for further in rest.split('/').skip(1) {
        segment(further)?;
    }
    // One segment more, and no more than that.
    let second = || match rest.strip_prefix('/') {
        Some(second) if !second.is_empty() && !second.contains('/') => segment(second).map(Some),
        _ => Ok(None),
    };
    Ok(match &*first {
        "api" if rest.is_empty() => Place::Api,
        "api" => second()?.map_or(Place::Nothing, Place::ServiceApi),
        "healthz" if rest.is_empty() => Place::Health,
        "readyz" if rest.is_empty() => Place::Readiness,
        "events" if rest.is_empty() => Place::Events,
        "events" => second()?.map_or(Place::Nothing, Place::Topic),
        "metrics" if rest.is_empty() => Place::Metrics,
        "openapi.json" if rest.is_empty() => Place::OpenApi,
        "" | "healthz" | "readyz" | "metrics" | "openapi.json" => Place::Nothing,
        _ => Place::Service(first, rest),
    })
}

/// Whether `/{service}/…` leads to the service of that name, and not to a place of the gateway's own or
/// nowhere.
pub(crate) fn leads_to(service: &str) -> bool {
    matches!(locate(&in_a_path(service)), Ok(Place::Service(..)))
}

/// Whether `/{name}` is a place of the gateway's own, so that a service of that name is never found there.
pub(super) fn is_own_place(name: &str) -> bool {
    !name.is_empty() && locate(&in_a_path(name)).is_ok_and(|place| !matches!(place, Place::Service(..)))
}

fn in_a_path(name: &str) -> String {
    format!("/{}", percent_encode(name.as_bytes(), NON_ALPHANUMERIC))
}

/// A segment of a path without its escapes.
fn segment(segment: &str) -> Result<Cow<'_, str>, BadTarget> {
    let text = decode(segment)?;
    if matches!(&*text, "." | "..") { Err(BadTarget::Dots) } else { Ok(text) }
}

fn decode(text: &str) -> Result<Cow<'_, str>, BadTarget> {
    if !text.contains('%') {
        return Ok(text.into());
    }
    let is_hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
    let mut escapes = text.split('%').skip(1).map(str::bytes);
    if !escapes.all(|mut after| is_hex(after.next()) && is_hex(after.next())) {
        return Err(BadTarget::Escape);
    }
    percent_decode_str(text).decode_utf8().map_err(|_| BadTarget::NotText)
}

/// Whether a query is text with whole escapes.
pub(super) fn check_query(query: &str) -> Result<(), BadTarget> {
    decode(query).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_the_gateway_s_own_places_first() {
        for (path, place) in [
            ("/api", Place::Api),
            ("/%61pi", Place::Api),
            ("/api/shop", Place::ServiceApi("shop".into())),
            ("/api/shop%2fx", Place::ServiceApi("shop/x".into())),
            ("/api/", Place::Nothing),
            ("/api/shop/x", Place::Nothing),
            ("/healthz", Place::Health),
            ("/healthz/x", Place::Nothing),
            ("/events", Place::Events),
            ("/events/a.b", Place::Topic("a.b".into())),
            ("/events/a/b", Place::Nothing),
            ("/metrics", Place::Metrics),
            ("/metrics/x", Place::Nothing),
            ("/openapi.json", Place::OpenApi),
            ("/", Place::Nothing),
            ("//shop", Place::Nothing),
            ("*", Place::Nothing),
            ("/shop", Place::Service("shop".into(), "")),
            ("/shop/", Place::Service("shop".into(), "/")),
            ("/caf%C3%A9/a%2Fb/%20", Place::Service("café".into(), "/a%2Fb/%20")),
            ("/shop//x", Place::Service("shop".into(), "//x")),
        ] {
            assert_eq!(locate(path), Ok(place), "{path}");
        }
    }

    #[test]
    fn some_names_are_taken() {
        for taken in ["api", "healthz", "readyz", "metrics", "events", "openapi.json", ".", ".."] {
            assert!(!leads_to(taken), "{taken}");
        }
        for free in ["shop", "Api", "api.v2", "...", "a/b", "100%", "café", "events2"] {
            assert!(leads_to(free), "{free}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for (path, why) in [
            ("/shop/%", BadTarget::Escape),
            ("/shop/%2", BadTarget::Escape),
            ("/shop/%zz", BadTarget::Escape),
            ("/shop/%%41", BadTarget::Escape),
            ("/%ff/x", BadTarget::NotText),
            ("/shop/%c3%28", BadTarget::NotText),
            ("/shop/../etc", BadTarget::Dots),
            ("/./shop", BadTarget::Dots),
            ("/shop/%2e%2E", BadTarget::Dots),
            ("/..", BadTarget::Dots),
        ] {
            assert_eq!(locate(path), Err(why), "{path}");
        }
        assert_eq!(check_query("a=%41&b=%"), Err(BadTarget::Escape));
        assert_eq!(check_query("a=%41&b=.."), Ok(()));
    }
}
