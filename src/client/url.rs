//! Addresses that can be called.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::Uri;

use super::Error;
use crate::service_url;

/// An absolute `http` or `https` URL.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Url {
    uri: Uri,
    text: String,
}

impl Url {
    /// # Errors
    /// [`Error::BadUrl`], with what is wrong about it.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        Url::checked(text, service_url::check_whole)
    }

    /// A URL that others lie under: it has no query.
    ///
    /// # Errors
    /// [`Error::BadUrl`], with what is wrong about it.
    pub(super) fn parse_base(text: &str) -> Result<Self, Error> {
        Url::checked(text, service_url::check)
    }

    fn checked(text: &str, check: impl Fn(&str) -> Result<Uri, String>) -> Result<Self, Error> {
        let has_user = |uri: Uri| uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        let refuse = |why: String| {
            let reason = if text.parse().is_ok_and(has_user) { format!("{why}: give a token") } else { why };
            Error::BadUrl { url: text.to_owned(), reason }
        };
        let uri = check(text).map_err(refuse)?;
        Ok(Url { uri, text: text.to_owned() })
    }

    /// The URL of `path` (which begins with a slash, and is encoded) under this one.
    pub(super) fn under(&self, path: &str) -> Result<Self, Error> {
        Url::parse(&format!("{}{path}", self.text.trim_end_matches('/')))
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether both lead to the same server.
    pub(super) fn same_host(&self, other: &Url) -> bool {
        let port = |uri: &Uri| uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let host = |uri: &Uri| uri.host().unwrap_or_default().to_ascii_lowercase();
        self.uri.scheme() == other.uri.scheme()
            && host(&self.uri) == host(&other.uri)
            && port(&self.uri) == port(&other.uri)
    }

    /// Whether what is sent there is encrypted.
    pub(super) fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// Whether it leads to this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let address = host.parse::<std::net::IpAddr>();
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Whether two URLs lead to the same server. What is no URL leads nowhere.
pub(crate) fn same_host(one: &str, other: &str) -> bool {
    matches!((Url::parse(one), Url::parse(other)), (Ok(one), Ok(other)) if one.same_host(&other))
}

/// `text` as one segment of a path or one value of a query: everything but the unreserved characters
/// of RFC 3986, section 2.3, by their bytes.
pub(crate) fn encode(text: &str) -> String {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_called_is_a_url() {
        for good in ["http://127.0.0.1:8080/api", "https://example.org", "http://[::1]:9000/api?x=1"] {
            assert_eq!(Url::parse(good).map(|url| url.to_string()), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "cart",
            "/api",
            "127.0.0.1:8080",
            "ftp://x/y",
            "http://",
            "http:///api",
            "http://a b/",
            "http://me:pw@host/",
            "http://127.0.0.1:99999/api",
            "http://h:0/",
            "http://h:/x",
            "https://h:abc/",
            "http://h/#top",
        ] {
            assert!(matches!(Url::parse(bad), Err(Error::BadUrl { url, .. }) if url == bad), "{bad}");
        }
    }

    #[test]
    fn a_host_is_the_same_whatever_the_path() {
        let same = |a, b| Url::parse(a).and_then(|a| Ok(a.same_host(&Url::parse(b)?)));
        assert_eq!(same("http://gate/api", "http://GATE:80/api/cart"), Ok(true));
        assert_eq!(same("http://gate/api", "https://gate/api"), Ok(false));
        assert_eq!(same("http://gate/api", "http://gate:8080/api"), Ok(false));
        assert_eq!(same("http://gate/api", "http://other/api"), Ok(false));
    }

    #[test]
    fn loopback_is_known_by_name_and_number() {
        for (url, is) in [
            ("http://localhost:1/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]/", true),
            ("http://10.0.0.1/", false),
            ("http://localhost.example.org/", false),
        ] {
            assert_eq!(Url::parse(url).map(|url| url.is_loopback()), Ok(is), "{url}");
        }
    }

    #[test]
    fn names_of_any_kind_fit_into_a_path() {
        assert_eq!(encode("my-service.1"), "my-service.1");
        // U+00E9 is C3 A9 in UTF-8.
        assert_eq!(encode("caf\u{e9}/a b?#%"), "caf%C3%A9%2Fa%20b%3F%23%25");
    }
}
