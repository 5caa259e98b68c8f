//! What can be written behind `serve`.

use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use rehearsal_actors::simulation::Pace;
use rehearsal_actors::units::{Bytes, SimDuration, SimTime, UnitError};

use super::{size, until, variable, whole};
use crate::cli::complaint::Complaint;
use crate::client::is_visible_ascii;
use crate::gateway::Limits;

#[derive(Args, Debug)]
pub(in crate::cli) struct Serve {
    /// The scenario to serve: one of its services is a gateway
    #[arg(value_name = "SCENARIO.ron")]
    pub(in crate::cli) scenario: PathBuf,
    /// Where to listen. Port 0 takes any that is free, and says which
    #[arg(long, short, value_name = "HOST:PORT", value_parser = address, default_value = "127.0.0.1:8080")]
    pub(in crate::cli) listen: SocketAddr,
    /// How fast virtual time goes: 1 for as fast as the wall clock, 10 for ten times as fast
    #[arg(long, value_name = "FACTOR", default_value_t, allow_hyphen_values = true)]
    pub(in crate::cli) pace: Pace,
    /// Draw everything random from this seed instead of the scenario's
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0, u64::MAX), allow_hyphen_values = true)]
    pub(in crate::cli) seed: Option<u64>,
    /// End at this virtual time, and judge the scenario's expectations then. Without it, what is served
    /// goes on until Ctrl-C, whatever the scenario says
    #[arg(long, value_name = "TIME", value_parser = until, allow_hyphen_values = true)]
    pub(in crate::cli) until: Option<SimTime>,
    /// Who shows this token may call everything; others, what the gateway exposes [env: REHEARSAL_TOKEN]
    #[arg(long, value_parser = token)]
    token: Option<String>,
    /// Let pages of this origin read answers, in browsers; "*" for any. May be given several times
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub(in crate::cli) allow_origin: Vec<String>,
    /// Write both `result` and `error` into every JSON-RPC answer, one of them null, for clients that
    /// insist on that, as gemstone 0.12 does
    #[arg(long)]
    pub(in crate::cli) null_members: bool,
    /// How many threads talk HTTP [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = whole::<u16>(1, 1024), allow_hyphen_values = true)]
    pub(in crate::cli) workers: Option<u16>,
    /// Print one JSON object at the end instead of the summary
    #[arg(long, conflicts_with = "verbose")]
    pub(in crate::cli) json: bool,
    /// Write every delivery, outcome and fault to this file as JSON lines. A file that is there is replaced
    #[arg(long, value_name = "FILE.jsonl")]
    pub(in crate::cli) trace: Option<PathBuf>,
    /// Print nothing but errors
    #[arg(long, short)]
    pub(in crate::cli) quiet: bool,
    /// Tell everything at the end
    #[arg(long, short, conflicts_with = "quiet")]
    pub(in crate::cli) verbose: bool,
    #[command(flatten)]
    limits: LimitArguments,
}

/// What is taken of anybody.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
struct LimitArguments {
    /// The largest body of a request
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "1MiB", allow_hyphen_values = true)]
    max_body: Bytes,
    /// How deep JSON may nest
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = whole::<u16>(1, 120), allow_hyphen_values = true)]
    max_depth: u16,
    /// The longest batch of JSON-RPC
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = whole::<u32>(1, u32::MAX.into()), allow_hyphen_values = true)]
    max_batch: u32,
    /// How many headers a request may have
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = whole::<u16>(1, 96), allow_hyphen_values = true)]
    max_headers: u16,
    /// How many connections there may be; others are told that there are too many
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = whole::<u32>(1, u32::MAX.into()), allow_hyphen_values = true)]
    max_connections: u32,
    /// How many requests may be under way; others are turned away
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = whole::<u32>(1, u32::MAX.into()), allow_hyphen_values = true)]
    max_in_flight: u32,
    /// How long the head of a request may take
    #[arg(long, value_name = "TIME", value_parser = wall_time, default_value = "5s", allow_hyphen_values = true)]
    head_timeout: Duration,
    /// How long its body may take
    #[arg(long, value_name = "TIME", value_parser = wall_time, default_value = "10s", allow_hyphen_values = true)]
    body_timeout: Duration,
    /// How long an answer may take, by the wall clock
    #[arg(long, value_name = "TIME", value_parser = wall_time, default_value = "1min", allow_hyphen_values = true)]
    answer_timeout: Duration,
    /// How long a connection may be idle
    #[arg(long, value_name = "TIME", value_parser = wall_time, default_value = "30s", allow_hyphen_values = true)]
    idle_timeout: Duration,
}

impl Serve {
    /// The token that was given, here or by the environment.
    ///
    /// # Errors
    ///
    /// [`Complaint::BadToken`].
    pub(in crate::cli) fn token(&self) -> Result<Option<String>, Complaint> {
        let given = self.token.clone().or_else(|| variable("REHEARSAL_TOKEN"));
        given.map(|given| token(&given)).transpose().map_err(Complaint::BadToken)
    }

    /// The limits that were asked for.
    pub(in crate::cli) fn limits(&self) -> Limits {
        let asked = &self.limits;
        Limits {
            body: usize::try_from(asked.max_body.0).unwrap_or(usize::MAX),
            depth: asked.max_depth.into(),
            batch: asked.max_batch as usize,
            headers: asked.max_headers.into(),
            connections: asked.max_connections as usize,
            in_flight: asked.max_in_flight as usize,
            head_time: asked.head_timeout,
            body_time: asked.body_timeout,
            answer_time: asked.answer_timeout,
            idle_time: asked.idle_timeout,
            ..Limits::default()
        }
    }
}

/// An address, or a name that has one.
fn address(text: &str) -> Result<SocketAddr, String> {
    let mut addresses = text.to_socket_addrs().map_err(|error| format!("{error}; write HOST:PORT"))?;
    addresses.next().ok_or_else(|| format!("`{text}` has no address"))
}

/// A token that fits into a header, so that somebody can show it.
fn token(text: &str) -> Result<String, String> {
    const MOST_BYTES: usize = 4_096;
    match text.len() {
        0 => Err("an empty token is none; write one that is hard to guess, or leave the option out".to_owned()),
        length if length > MOST_BYTES => {
            Err(format!("no client could send it: it has {length} bytes, and the most is {MOST_BYTES}"))
        }
        _ if !is_visible_ascii(text) => {
            Err("no client could send it: it has characters other than visible ASCII".to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

/// What browsers say of where a page comes from, as they write it: RFC 6454, section 6.2, and without the
/// port that the scheme has anyway. Anything else would never be met.
fn origin(text: &str) -> Result<String, String> {
    let lower = text.to_ascii_lowercase();
    if matches!(&*lower, "*" | "null") {
        return Ok(lower);
    }
    let refuse = |why: &str| Err(format!("{why}; write `*`, `null`, or an origin such as http://localhost:3000"));
    let Some((scheme, rest)) = lower.split_once("://") else { return refuse("it has no scheme") };
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(is_of_scheme) {
        return refuse("its scheme is none");
    }
    if rest.contains(['/', '?', '#']) {
        return refuse("it goes on behind the host, with a path or a slash");
    }
    // The colons of an IPv6 address stand between brackets.
    let behind = rest.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match rest[behind..].find(':') {
        Some(colon) => (&rest[..behind + colon], Some(&rest[behind + colon + 1..])),
        None => (rest, None),
    };
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')),
    };
    if !is_host {
        return refuse("its host is none that a browser would send, in ASCII and without wildcards");
    }
    let Some(port) = port else { return Ok(lower) };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    match (scheme, port.parse::<u16>()) {
        ("http", Ok(80)) | ("https", Ok(443)) if digits => Ok(format!("{scheme}://{host}")),
        (_, Ok(port)) if digits && port > 0 => Ok(format!("{scheme}://{host}:{port}")),
        _ => refuse("its port is none"),
    }
}

/// Some time of the wall clock.
fn wall_time(text: &str) -> Result<Duration, String> {
    let length: SimDuration = text.parse().map_err(|error: UnitError| error.to_string())?;
    match length.is_zero() {
        true => Err("that is no time at all; write more than zero".to_owned()),
        false => Ok(Duration::from_nanos(length.as_nanos())),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        serve: Serve,
    }

    #[test]
    fn what_is_not_said_is_as_the_gateway_has_it() {
        let alone = Alone::try_parse_from(["serve", "a.ron"]).unwrap();
        assert_eq!(alone.serve.limits(), Limits::default());
        assert!(alone.serve.listen.ip().is_loopback());
    }

    #[test]
    fn a_token_is_one_that_can_be_sent() {
        for good in ["s3cret", "!~", &"a".repeat(4_096)] {
            assert_eq!(token(good).as_deref(), Ok(good));
        }
        for wrong in ["", "ü", "a b", "a\n", "\u{7f}", &"a".repeat(4_097)] {
            assert!(token(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for (written, sent) in [
            ("*", "*"),
            ("NULL", "null"),
            ("https://Shop.Example", "https://shop.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://a:80", "http://a"),
            ("https://a:443", "https://a"),
            ("https://a:80", "https://a:80"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://[::1]", "http://[::1]"),
            ("chrome-extension://abc", "chrome-extension://abc"),
        ] {
            assert_eq!(origin(written).as_deref(), Ok(sent), "{written}");
        }
        for wrong in [
            "",
            "localhost:3000",
            "shop.example",
            "https://shop.example/",
            "https://shop.example/cart",
            "https://",
            "://a",
            "1a://a",
            "https://*.example",
            "https://café.example",
            "https://a:",
            "https://a:0",
            "https://a:65536",
            "https://a:b",
            "https://u@a",
            "https://a b",
            "http://[::1",
            "http://[x]",
            "https://a,b",
            "http://[::1]x:1",
            "https://a:+1",
            "https://a?b",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn limits_of_nothing_are_refused() {
        for wrong in ["--max-batch=0", "--max-depth=0", "--max-depth=121", "--body-timeout=0s", "--listen=nowhere"] {
            assert!(Alone::try_parse_from(["serve", "a.ron", wrong]).is_err(), "{wrong}");
        }
    }
}
