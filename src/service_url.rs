//! URLs at which services outside are, as scenarios, pings and those who call from outside give them.

use std::net::Ipv6Addr;

use ureq::http::Uri;
use ureq::http::uri::Authority;

/// Checks that a service can be at this URL: what is asked of it goes there, or below it.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(url: &str) -> Result<Uri, String> {
    let uri = check_whole(url)?;
    if uri.query().is_some() { Err("it has a query".to_owned()) } else { Ok(uri) }
}

/// Checks that a request can go to this URL, which is the whole of where it goes and may have a query.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_whole(url: &str) -> Result<Uri, String> {
    let uri = url.parse::<Uri>().map_err(|error| error.to_string())?;
    let authority = uri.authority().map_or("", Authority::as_str);
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("it does not begin with http:// or https://".to_owned());
    }
    if authority.contains('@') {
        return Err("it has a user in it, whom nobody would hear of".to_owned());
    }
    check_authority(authority)?;
    // The parser leaves it out.
    if url.contains('#') { Err("it has a fragment".to_owned()) } else { Ok(uri) }
}

/// Whether it is a host, perhaps with a port, and nothing else: no user, no path.
pub(crate) fn is_authority(text: &str) -> bool {
    check_authority(text).is_ok()
}

/// The parser takes any port, and a client that cannot read one goes to the port of the scheme: whoever
/// answers there was not meant.
fn check_authority(text: &str) -> Result<(), String> {
    let no_host = || "it names no host".to_owned();
    let authority = text.parse::<Authority>().map_err(|_| no_host())?;
    let host = authority.host();
    let is_name = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let has_host = match literal {
        Some(literal) => literal.parse::<Ipv6Addr>().is_ok(),
        None => (1..=253).contains(&host.len()) && is_name(host),
    };
    let Some(rest) = text.strip_prefix(host).filter(|_| has_host) else { return Err(no_host()) };
    let Some(port) = rest.strip_prefix(':') else {
        return if rest.is_empty() { Ok(()) } else { Err(no_host()) };
    };
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(1..) if is_number => Ok(()),
        _ if port.is_empty() => Err("there is no port behind the colon".to_owned()),
        _ => Err(format!("`{port}` is no port: a port is a number from 1 to 65535")),
    }
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
            ("http://h:65536/", "`65536` is no port"),
            ("http://h:0/", "`0` is no port"),
            ("http://h:abc/", "`abc` is no port"),
            ("http://h:+80/", "`+80` is no port"),
            ("http://h:/", "no port behind the colon"),
            ("http://[::1]:99999/", "`99999` is no port"),
            ("http://[x]/", "no host"),
            ("http://u:p@h/", "a user"),
            ("http://h/#top", "a fragment"),
            ("http://h/?a=b", "a query"),
            ("ftp://h/", "does not begin with"),
            ("h:80", "does not begin with"),
            ("/api", "does not begin with"),
        ] {
            assert!(check(url).is_err_and(|said| said.contains(why)), "{url}: {:?}", check(url));
        }
    }

    #[test]
    fn a_request_may_have_a_query_and_nothing_else_more() {
        assert!(check_whole("http://h/?a=b").is_ok());
        for wrong in ["http://h:99999/?a=b", "http://u@h/?a=b", "http://h/?a=b#c", "h/?a=b"] {
            assert!(check_whole(wrong).is_err(), "{wrong}");
        }
    }
}
