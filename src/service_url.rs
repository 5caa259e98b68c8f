//! URLs at which services outside are, as scenarios and pings give them.

use std::net::Ipv6Addr;

use ureq::http::Uri;
use ureq::http::uri::Authority;

/// Checks that a service can be at this URL: what is asked of it goes there, or below it.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(url: &str) -> Result<Uri, String> {
    let uri = url.parse::<Uri>().map_err(|error| error.to_string())?;
    let authority = uri.authority().map_or("", Authority::as_str);
    let wrong = match uri.scheme_str() {
        Some("http" | "https") if authority.contains('@') => "it has a user in it, whom nobody would hear of",
        Some("http" | "https") if !is_authority(authority) => "it names no host and port",
        // The parser leaves it out.
        Some("http" | "https") if url.contains('#') => "it has a fragment",
        Some("http" | "https") if uri.query().is_some() => "it has a query",
        Some("http" | "https") => return Ok(uri),
        _ => "it does not begin with http:// or https://",
    };
    Err(wrong.to_owned())
}

/// Whether it is a host, perhaps with a port, and nothing else: no user, no path.
pub(crate) fn is_authority(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else { return false };
    let host = authority.host();
    let is_name = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let has_host = match literal {
        Some(literal) => literal.parse::<Ipv6Addr>().is_ok(),
        None => (1..=253).contains(&host.len()) && is_name(host),
    };
    let whole = match authority.port_u16() {
        Some(port) => port > 0 && text.len() == host.len() + 1 + authority.port().map_or(0, |port| port.as_str().len()),
        None => text.len() == host.len(),
    };
    has_host && whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_at_a_host_and_perhaps_a_port_and_below_a_path() {
        for url in ["http://h", "https://h:65535/a/b", "http://[::1]:80/", "http://pay_1.example/api"] {
            assert!(check(url).is_ok(), "{url}");
        }
        for (url, why) in [
            ("http://h:65536/", "no host and port"),
            ("http://h:0/", "no host and port"),
            ("http://h:/", "no host and port"),
            ("http://u:p@h/", "a user"),
            ("http://h/#top", "a fragment"),
            ("http://h/?a=b", "a query"),
            ("ftp://h/", "does not begin with"),
            ("h:80", "does not begin with"),
            ("/api", "does not begin with"),
        ] {
            assert!(check(url).is_err_and(|said| said.contains(why)), "{url}");
        }
    }
}
