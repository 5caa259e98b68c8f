//! What can be written behind `serve`.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use rehearsal_actors::simulation::Pace;
use rehearsal_actors::units::{Bytes, SimDuration, SimTime, UnitError};

use super::{size, until};
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
    #[arg(long, value_name = "FACTOR", default_value_t)]
    pub(in crate::cli) pace: Pace,
    /// Draw everything random from this seed instead of the scenario's
    #[arg(long, value_name = "N")]
    pub(in crate::cli) seed: Option<u64>,
    /// End at this virtual time, and judge the scenario's expectations then. Without it, what is served
    /// goes on until Ctrl-C, whatever the scenario says
    #[arg(long, value_name = "TIME", value_parser = until)]
    pub(in crate::cli) until: Option<SimTime>,
    /// Who shows this token may call everything; others, what the gateway exposes
    #[arg(
        long, env = "REHEARSAL_TOKEN", hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub(in crate::cli) token: Option<String>,
    /// Let pages of this origin read answers, in browsers; "*" for any. May be given several times
    #[arg(long, value_name = "ORIGIN")]
    pub(in crate::cli) allow_origin: Vec<String>,
    /// Write both `result` and `error` into every JSON-RPC answer, one of them null, for clients that
    /// insist on that, as gemstone 0.12 does
    #[arg(long)]
    pub(in crate::cli) null_members: bool,
    /// How many threads talk HTTP [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
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
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "1MiB")]
    max_body: Bytes,
    /// How deep JSON may nest
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=120))]
    max_depth: u16,
    /// The longest batch of JSON-RPC
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    max_batch: u32,
    /// How many headers a request may have
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=96))]
    max_headers: u16,
    /// How many connections there may be; others wait
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,
    /// How many requests may be under way; others are turned away
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    max_in_flight: u32,
    /// How long the head of a request may take
    #[arg(long, value_name = "TIME", value_parser = wall_time, default_value = "5s")]
    head_timeout: Duration,
    /// How long its body may take
    #[arg(long, value_name = "TIME", value_parser = wall_time, default_value = "10s")]
    body_timeout: Duration,
    /// How long an answer may take, by the wall clock
    #[arg(long, value_name = "TIME", value_parser = wall_time, default_value = "1min")]
    answer_timeout: Duration,
    /// How long a connection may be idle
    #[arg(long, value_name = "TIME", value_parser = wall_time, default_value = "30s")]
    idle_timeout: Duration,
}

impl Serve {
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
    fn limits_of_nothing_are_refused() {
        for wrong in ["--max-batch=0", "--max-depth=0", "--max-depth=121", "--body-timeout=0s", "--listen=nowhere"] {
            assert!(Alone::try_parse_from(["serve", "a.ron", wrong]).is_err(), "{wrong}");
        }
    }
}
