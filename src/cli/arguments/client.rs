//! What can be written for the commands that call a running gateway, or any other server.

pub(in crate::cli) mod examples;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueHint};
use clap_complete::Shell;

use rehearsal_actors::units::{SimDuration, UnitError};

use super::{variable, whole};
use crate::client::{Settings, same_host};

/// Where a gateway is if nobody says so.
const GATEWAY: &str = "http://127.0.0.1:8080";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ClientCommand {
    /// Call a method of a service, found by its name
    Call(Call),
    /// Call a method of whoever answers JSON-RPC at a URL
    CallRaw(CallRaw),
    /// Send a request, or many of them, and print how long they took
    Request(Request),
    /// Show what a service can be called by
    Inspect(Inspect),
    /// List the services that there are
    Discover(Discover),
    /// Tell an event to everybody who has subscribed to its topic
    Emit(Emit),
    /// Print events as they happen
    Subscribe(Subscribe),
    /// Print completions for a shell
    Completions(Completions),
    /// Print the manual page
    Manual(Manual),
}

/// The gateway, and how to speak to it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(in crate::cli) struct Door {
    /// Where `serve` listens, unless REHEARSAL_GATEWAY says so [default: http://127.0.0.1:8080]
    #[arg(long, value_name = "URL", default_value_t = named_gateway(), hide_default_value = true, value_hint = ValueHint::Url)]
    gateway: String,
    #[command(flatten)]
    bounds: Bounds,
}

/// How long to wait, and as whom.
#[derive(Args, Debug)]
pub(in crate::cli) struct Bounds {
    /// Say who asks, by this bearer token. REHEARSAL_TOKEN is one for the gateway alone: it is sent to
    /// nobody else
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// Give up after this time: 500ms, 2min
    #[arg(long, value_name = "TIME", value_parser = patience, default_value = "30s", allow_hyphen_values = true)]
    timeout: Duration,
}

impl Door {
    /// The gateway's URL.
    pub(in crate::cli) fn gateway(&self) -> &str {
        &self.gateway
    }

    /// For the gateway.
    pub(in crate::cli) fn settings(&self) -> Settings {
        self.settings_for(&self.gateway)
    }

    /// For whoever is at that URL.
    pub(in crate::cli) fn settings_for(&self, url: &str) -> Settings {
        self.bounds.settings(url, &self.gateway)
    }
}

impl Bounds {
    /// For whoever is at that URL, where no gateway is named but by the environment.
    pub(in crate::cli) fn settings_for(&self, url: &str) -> Settings {
        self.settings(url, &named_gateway())
    }

    fn settings(&self, url: &str, gateway: &str) -> Settings {
        let settings = Settings::default().timeout(self.timeout);
        let for_gateway = || variable("REHEARSAL_TOKEN").filter(|_| same_host(url, gateway));
        // An empty one is none: somebody wanted to be rid of it.
        match self.token.clone().or_else(for_gateway).filter(|token| !token.is_empty()) {
            Some(token) => settings.token(token),
            None => settings,
        }
    }
}

/// The gateway that the environment names, or where one is if nobody says so.
fn named_gateway() -> String {
    variable("REHEARSAL_GATEWAY").unwrap_or_else(|| GATEWAY.to_owned())
}

/// Who is asked where a service is.
#[derive(Args, Debug)]
pub(in crate::cli) struct Whom {
    /// Ask this registry where the service is, instead of the gateway. May be given several times:
    /// the first that knows is believed
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(in crate::cli) registry: Vec<String>,
}

/// How an answer is printed.
#[derive(Args, Debug)]
pub(in crate::cli) struct Look {
    /// Print one JSON object, whatever the outcome
    #[arg(long, conflicts_with = "quiet")]
    pub(in crate::cli) json: bool,
    /// Print the result alone
    #[arg(long, short)]
    pub(in crate::cli) quiet: bool,
}

/// The help of whatever takes parameters.
macro_rules! params {
    () => {
        "Parameters, by name as KEY=VALUE or by position. A value that is JSON is taken as such, \
         anything else as text. A single object or list stands for all of them, `-` for what is read \
         from the standard input"
    };
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Call {
    /// The service. `*` stands for any characters, `?` for one
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) name: String,
    /// The method, with its interface in front of it if need be: add, cart.add
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) method: String,
    #[arg(value_name = "KEY=VALUE", help = params!(), allow_negative_numbers = true)]
    pub(in crate::cli) params: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) whom: Whom,
    /// Do not wait for a result: send a notification
    #[arg(long, short)]
    pub(in crate::cli) notify: bool,
    #[command(flatten)]
    pub(in crate::cli) look: Look,
    #[command(flatten)]
    pub(in crate::cli) door: Door,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct CallRaw {
    /// Where the service is: http://127.0.0.1:5000/api
    #[arg(value_hint = ValueHint::Url)]
    pub(in crate::cli) url: String,
    /// The method
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) method: String,
    #[arg(value_name = "KEY=VALUE", help = params!(), allow_negative_numbers = true)]
    pub(in crate::cli) params: Vec<String>,
    /// Do not wait for a result: send a notification
    #[arg(long, short)]
    pub(in crate::cli) notify: bool,
    #[command(flatten)]
    pub(in crate::cli) look: Look,
    #[command(flatten, next_help_heading = "Connection")]
    pub(in crate::cli) bounds: Bounds,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Request {
    /// A service or the URL of one; or GET, POST, PUT, PATCH, DELETE, HEAD for an endpoint
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) target: String,
    /// The method of the service; or the endpoint: its URL, or its path behind the gateway, which
    /// begins with its service
    #[arg(value_name = "METHOD|PATH", value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) what: String,
    #[arg(value_name = "KEY=VALUE", help = params!(), allow_negative_numbers = true)]
    pub(in crate::cli) params: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) whom: Whom,
    /// Send it so many times
    #[arg(short = 'N', long = "requests", value_name = "COUNT", default_value_t = 1, value_parser = whole::<u64>(1, u64::MAX), allow_hyphen_values = true)]
    pub(in crate::cli) requests: u64,
    /// Keep so many going at once
    #[arg(short = 'C', long = "concurrency", value_name = "COUNT", default_value_t = 1, value_parser = whole::<u16>(1, 1024), allow_hyphen_values = true)]
    pub(in crate::cli) concurrency: u16,
    /// Send for so long, instead of so many
    #[arg(long = "for", value_name = "TIME", value_parser = patience, conflicts_with = "requests", allow_hyphen_values = true)]
    pub(in crate::cli) lasting: Option<Duration>,
    /// Send so many a second, whether or not answers keep up. How long one took is then counted from
    /// when it should have been sent
    #[arg(long, value_name = "PER_SECOND", value_parser = whole::<u32>(1, u32::MAX.into()), allow_hyphen_values = true)]
    pub(in crate::cli) rate: Option<u32>,
    #[command(flatten)]
    pub(in crate::cli) look: Look,
    #[command(flatten)]
    pub(in crate::cli) door: Door,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Inspect {
    /// The service, or the URL of one
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) target: String,
    #[command(flatten)]
    pub(in crate::cli) whom: Whom,
    /// Print one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) door: Door,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Discover {
    /// Those with such names only. `*` stands for any characters, `?` for one
    #[arg(default_value = "*", value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) pattern: String,
    /// Ask this registry instead of the gateway. May be given several times: what they know is put
    /// together
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(in crate::cli) registry: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) look: Look,
    #[command(flatten)]
    pub(in crate::cli) door: Door,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Emit {
    /// What it is about: orders.placed
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) topic: String,
    /// What is told: JSON, a text, or an object of KEY=VALUE; `-` for what is read from the standard
    /// input
    #[arg(value_name = "BODY|KEY=VALUE", allow_negative_numbers = true)]
    pub(in crate::cli) body: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) look: Look,
    #[command(flatten)]
    pub(in crate::cli) door: Door,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Subscribe {
    /// Which topics: `*` stands for one word, `#` for any number of them
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) pattern: String,
    /// End after so many events
    #[arg(short = 'n', long, value_name = "N", value_parser = whole::<u64>(1, u64::MAX), allow_hyphen_values = true)]
    pub(in crate::cli) count: Option<u64>,
    /// Print each event as a line of JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Print nothing but events
    #[arg(long, short)]
    pub(in crate::cli) quiet: bool,
    #[command(flatten)]
    pub(in crate::cli) door: Door,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Completions {
    /// For which shell
    pub(in crate::cli) shell: Shell,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Manual {
    /// The page of this command; of the program, without it
    pub(in crate::cli) command: Option<String>,
    /// Write all pages into this folder, which is made if it is not there
    #[arg(long, value_name = "FOLDER", conflicts_with = "command", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) into: Option<PathBuf>,
}

/// A time to wait, which is not none.
fn patience(text: &str) -> Result<Duration, String> {
    match text.parse().map_err(|error: UnitError| error.to_string())? {
        SimDuration::ZERO => Err("that is no time at all; write more than zero".to_owned()),
        length => Ok(Duration::from_nanos(length.as_nanos())),
    }
}
