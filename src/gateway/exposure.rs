//! Who may ask for what.

use actix_web::http::header::{self, HeaderMap};
use percent_encoding::percent_decode_str;
use wildmatch::WildMatch;

/// How events are listed.
pub(crate) const EVENTS: &str = "events";

/// What the gateway shows to whom.
///
/// | token | list | who has not shown the token may ask |
/// |---|---|---|
/// | none | none | every service |
/// | none | some | what is on the list |
/// | some | none | nobody |
/// | some | some | what is on the list |
///
/// Who has shown the token may ask every service. What is not one service's stands on the list by its own name:
/// [`events`](EVENTS), which are told and heard at `/events`, and `ping`, by which others register.
#[derive(Clone, Debug, Default)]
pub(super) struct Exposure {
    token: Option<String>,
    listed: Option<Vec<WildMatch>>,
}

/// What somebody has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Nothing.
    Nothing,
    /// The token.
    Token,
    /// Something else in its place.
    Wrong,
}

impl Exposure {
    pub(super) fn set_token(&mut self, token: String) {
        self.token = Some(token);
    }

    /// Whether there is a token that could be shown.
    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Adds services, or methods of services, to the list.
    pub(super) fn list(&mut self, globs: impl IntoIterator<Item = String>) {
        self.listed.get_or_insert_default().extend(globs.into_iter().map(|glob| WildMatch::new(&glob)));
    }

    /// What a request has shown.
    pub(super) fn shown(&self, headers: &HeaderMap) -> Shown {
        let (Some(token), Some(shown)) = (&self.token, headers.get(header::AUTHORIZATION)) else {
            return Shown::Nothing;
        };
        let bearer = shown.as_bytes().split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "));
        match bearer {
            Some((_, shown)) if is_same(shown.trim_ascii(), token.as_bytes()) => Shown::Token,
            _ => Shown::Wrong,
        }
    }

    /// Whether somebody may ask everything.
    pub(super) fn shows_everything(&self, shown: Shown) -> bool {
        shown == Shown::Token || (self.token.is_none() && self.listed.is_none())
    }

    /// Whether somebody may tell and hear events.
    pub(super) fn shows_events(&self, shown: Shown) -> bool {
        self.shows(EVENTS, shown)
    }

    /// Whether somebody may ask a service.
    pub(super) fn shows(&self, service: &str, shown: Shown) -> bool {
        self.decide(shown, |glob| glob.matches(service))
    }

    /// Whether somebody may call a method: the service is on the list, or the method is as
    /// `service.method`.
    pub(super) fn shows_method(&self, service: &str, method: &str, shown: Shown) -> bool {
        self.decide(shown, |glob| glob.matches(service) || glob.matches(&format!("{service}.{method}")))
    }

    /// Whether somebody may ask a service for what it has at a path, which has its escapes still and is empty
    /// or begins with a slash: the service is on the list, or the path is as `service/path`.
    pub(super) fn shows_path(&self, service: &str, path: &str, shown: Shown) -> bool {
        let whole = || format!("{service}/{}", readable(path.strip_prefix('/').unwrap_or(path)));
        self.decide(shown, |glob| glob.matches(service) || glob.matches(&whole()))
    }

    /// Whether somebody may ask for anything at all.
    pub(super) fn shows_anything(&self, shown: Shown) -> bool {
        self.decide(shown, |_| true)
    }

    /// Whether somebody may know of a service: it is on the list, or a method of it is.
    pub(super) fn shows_some_of(&self, service: &str, shown: Shown) -> bool {
        let is_of_it = |glob: &str| glob.strip_prefix(service).is_some_and(|rest| rest.starts_with(['.', '/']));
        self.decide(shown, |glob| glob.matches(service) || is_of_it(&glob.pattern()))
    }

    fn decide(&self, shown: Shown, is_listed: impl Fn(&WildMatch) -> bool) -> bool {
        match &self.listed {
            _ if shown == Shown::Token => true,
            Some(listed) => listed.iter().any(is_listed),
            None => self.token.is_none(),
        }
    }
}

/// What is said to somebody to whom something is not shown, `what` set as it is to be read.
pub(super) fn refusal(what: &str, shown: Shown) -> String {
    match shown {
        Shown::Wrong => format!("{what} is for those who have the gateway's token, and what was shown is another"),
        _ => format!("{what} is not for everybody: show the gateway's token"),
    }
}

/// A path without its escapes, but for those of slashes: to the service, too, they part no segments.
fn readable(path: &str) -> String {
    let segment = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().replace('/', "%2F");
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// Compares in a time that tells nothing of where two texts differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn exposure(token: Option<&str>, listed: Option<&[&str]>) -> Exposure {
        let mut exposure = Exposure::default();
        token.into_iter().for_each(|token| exposure.set_token(token.to_owned()));
        listed.into_iter().for_each(|globs| exposure.list(globs.iter().map(|glob| (*glob).to_owned())));
        exposure
    }

    #[test]
    fn paths_are_listed_as_they_are_read() {
        let exposure = exposure(None, Some(&["store/data/*", "shop", "user/me"]));
        let may = |service, path| exposure.shows_path(service, path, Shown::Nothing);
        for (service, path) in
            [("store", "/data/x"), ("store", "/d%61ta/x%20y"), ("shop", ""), ("shop", "/x"), ("user", "/me")]
        {
            assert!(may(service, path), "{service}{path}");
        }
        // An escaped slash parts nothing.
        for (service, path) in
            [("store", "/data"), ("store", "/data%2Fx"), ("store", ""), ("user", "/me/too"), ("stor", "e/data/x")]
        {
            assert!(!may(service, path), "{service}{path}");
        }
    }

    #[test]
    fn what_is_shown_goes_by_token_and_list() {
        let listed: Option<&[&str]> = Some(&["front*", "store.look"]);
        let may = |exposure: &Exposure, shown| {
            [("frontend", "x"), ("store", "look"), ("store", "keep")].map(|(service, method)| {
                (exposure.shows(service, shown), exposure.shows_method(service, method, shown))
            })
        };
        let (all, none) = ([(true, true); 3], [(false, false); 3]);
        let some = [(true, true), (false, true), (false, false)];
        assert_eq!(may(&exposure(None, None), Shown::Nothing), all);
        assert_eq!(may(&exposure(None, listed), Shown::Nothing), some);
        assert_eq!(may(&exposure(Some("t"), None), Shown::Nothing), none);
        assert_eq!(may(&exposure(Some("t"), listed), Shown::Wrong), some);
        assert_eq!(may(&exposure(Some("t"), listed), Shown::Token), all);
    }

    #[test]
    fn events_are_private_where_there_is_a_list_without_them_or_a_token_without_a_list() {
        let may = |token, listed: Option<&[&str]>| exposure(token, listed).shows_events(Shown::Nothing);
        assert!(may(None, None) && may(None, Some(&["events"])) && may(Some("t"), Some(&["shop", "events"])));
        assert!(!may(None, Some(&["shop"])) && !may(Some("t"), Some(&["shop"])) && !may(Some("t"), None));
        assert!(exposure(Some("t"), Some(&["shop"])).shows_events(Shown::Token));
    }

    #[test]
    fn whoever_may_call_a_method_of_a_service_may_know_of_it() {
        let exposed = exposure(Some("t"), Some(&["front*", "store.look"]));
        let known = ["frontend", "store", "stor", "store.look", "cart"];
        let may = known.map(|service| exposed.shows_some_of(service, Shown::Nothing));
        assert_eq!(may, [true, true, false, true, false]);
        assert!(exposed.shows_anything(Shown::Wrong) && exposed.shows_some_of("cart", Shown::Token));
        assert!(!exposure(Some("t"), None).shows_anything(Shown::Wrong));
        assert!(exposure(None, None).shows_anything(Shown::Nothing));
    }

    #[test]
    fn a_token_is_a_bearer_token() {
        let shown = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            exposure(Some("secret"), None).shown(&headers)
        };
        assert_eq!(exposure(Some("secret"), None).shown(&HeaderMap::new()), Shown::Nothing);
        assert_eq!((shown("Bearer secret"), shown("bearer  secret")), (Shown::Token, Shown::Token));
        for wrong in ["Bearer secre", "Bearer secret2", "Basic secret", "secret", "Bearer", ""] {
            assert_eq!(shown(wrong), Shown::Wrong, "{wrong}");
        }
    }
}
