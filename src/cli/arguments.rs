//! What can be written on the command line. The texts here are the help.

pub(super) mod client;
mod serve;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, CommandFactory, Parser, Subcommand};

use rehearsal_actors::simulation::Pace;
use rehearsal_actors::units::{Bytes, SimTime, UnitError};

use self::client::ClientCommand;
pub(super) use self::serve::Serve;
use crate::graph::{Format, View};

/// Rehearse a distributed application over an emulated network, in deterministic virtual time.
///
/// Given a scenario, runs it and prints a summary: the same scenario and seed give the same run,
/// delivery by delivery.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, arg_required_else_help = true, max_term_width = 80)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: Option<Run>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a scenario and print a summary (what happens without a command, too)
    Run(Run),
    /// Run a scenario by the wall clock and let others in over HTTP
    Serve(Box<Serve>),
    /// Look for mistakes in scenarios without running them
    Check(Check),
    /// Draw a scenario: its network, its application, who stands where
    Graph(Graph),
    /// Show the route of a message and what each part of it costs
    Route(Route),
    /// List the actors that scenarios may name
    Actors,
    #[command(flatten)]
    Client(ClientCommand),
}

#[derive(Args, Debug)]
pub(super) struct Run {
    /// The scenario to run
    #[arg(value_name = "SCENARIO.ron")]
    pub(super) scenario: PathBuf,
    /// Draw everything random from this seed instead of the scenario's
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0, u64::MAX), allow_hyphen_values = true)]
    pub(super) seed: Option<u64>,
    /// End the run at this virtual time instead of the scenario's: 10s, 2min
    #[arg(long, value_name = "TIME", value_parser = until, allow_hyphen_values = true)]
    pub(super) until: Option<SimTime>,
    /// Hold virtual time to the wall clock: 1 for as fast as it goes by, 10 for ten times as fast. The run
    /// is the same, only slower
    #[arg(long, value_name = "FACTOR", allow_hyphen_values = true)]
    pub(super) pace: Option<Pace>,
    /// Print one JSON object instead of the summary
    #[arg(long, conflicts_with = "verbose")]
    pub(super) json: bool,
    /// Write every delivery, outcome and fault to this file as JSON lines ("-": to the standard
    /// output, and the summary to the standard error). A file that is there is replaced
    #[arg(long, value_name = "FILE.jsonl")]
    pub(super) trace: Option<PathBuf>,
    /// Print nothing but errors; the exit code says how it went
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Tell everything: each service's counters, failed steps and last values, and no list cut short
    #[arg(long, short, conflicts_with = "quiet")]
    pub(super) verbose: bool,
}

#[derive(Args, Debug)]
pub(super) struct Check {
    /// The scenarios to check
    #[arg(value_name = "SCENARIO.ron", required = true)]
    pub(super) scenarios: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct Graph {
    /// The scenario to draw
    #[arg(value_name = "SCENARIO.ron")]
    pub(super) scenario: PathBuf,
    /// What the drawing is for
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// What is to be seen
    #[arg(long, value_enum, default_value_t)]
    pub(super) view: View,
    /// Draw everything random from this seed instead of the scenario's
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0, u64::MAX), allow_hyphen_values = true)]
    pub(super) seed: Option<u64>,
}

#[derive(Args, Debug)]
pub(super) struct Route {
    /// The scenario whose network it is
    #[arg(value_name = "SCENARIO.ron")]
    pub(super) scenario: PathBuf,
    /// The service or node that sends
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(super) from: String,
    /// The service or node that receives
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(super) to: String,
    /// The size of the message: 100, 64KiB, 1.5MB
    #[arg(long, value_name = "N", value_parser = size, default_value = "1KiB", allow_hyphen_values = true)]
    pub(super) bytes: Bytes,
    /// Draw everything random from this seed instead of the scenario's
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0, u64::MAX), allow_hyphen_values = true)]
    pub(super) seed: Option<u64>,
}

/// A variable of the environment. An empty one is none: somebody wanted to be rid of it.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Reads whole numbers from `least` to `most`. Options that it reads take what begins with a hyphen as well, as
/// those do that take times and sizes: `-1` is a wrong number, not another option.
fn whole<T: TryFrom<u64>>(least: u64, most: u64) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| format!("write a whole number from {least} to {most}"))
    }
}

/// A size with its unit, or a bare number of bytes: the option's name says the unit.
fn size(text: &str) -> Result<Bytes, String> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().map(Bytes).map_err(|_| format!("`{text}` is too large; the most is {}", u64::MAX));
    }
    text.parse().map_err(|error: UnitError| error.to_string())
}

/// An instant after the start.
fn until(text: &str) -> Result<SimTime, String> {
    match text.parse().map_err(|error: UnitError| error.to_string())? {
        SimTime::ZERO => Err("that is a run of no time at all; write more than zero".to_owned()),
        instant => Ok(instant),
    }
}

/// Everything that a program of that name understands, with examples.
pub(super) fn command(program: &str) -> clap::Command {
    client::examples::add_to(Arguments::command().after_help(examples(program)), program)
}

/// The end of the help, for a program of that name.
fn examples(program: &str) -> String {
    format!(
        "\
Examples:
  {program} scenarios/sockshop.ron                run it, print a summary
  {program} scenarios/sockshop.ron --seed 7       another run
  {program} scenarios/sockshop.ron --json         for machines to read
  {program} scenarios/sockshop.ron --trace story  and all that happens
  {program} check scenarios/*.ron                 find mistakes, run nothing
  {program} graph scenarios/echo.ron | dot -Tsvg  draw it
  {program} route scenarios/sockshop.ron frontend cart --bytes 64KiB
  {program} serve scenarios/hello.ron             let clients in over HTTP
  {program} call hello say_hello name=world       be one

A scenario that is named like a command is run as ./NAME. Ctrl-C ends a run with
the summary so far; a second Ctrl-C ends it at once.

Exit code: 0 if the run ended well, 1 if it did not, 2 for a mistake on the
command line or in a scenario. Commands that call others tell more: see theirs."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    fn parsed(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(std::iter::once(&"rehearsal").chain(arguments))
    }

    #[test]
    fn run_needs_no_name() {
        let named = parsed(&["run", "shop.ron", "--seed", "7", "--until", "10s"]).unwrap();
        let unnamed = parsed(&["shop.ron", "--seed", "7", "--until", "10s"]).unwrap();
        let (Some(Command::Run(named)), Some(unnamed)) = (named.command, unnamed.run) else { panic!("both run") };
        assert_eq!(named.scenario, unnamed.scenario);
        assert_eq!((named.seed, named.until), (Some(7), Some(SimTime::from_nanos(10_000_000_000))));
        assert_eq!((unnamed.seed, unnamed.until), (named.seed, named.until));
    }

    #[test]
    fn a_file_named_like_a_command_has_a_path() {
        assert!(parsed(&["check"]).is_err(), "check what?");
        assert_eq!(parsed(&["./check"]).unwrap().run.unwrap().scenario, PathBuf::from("./check"));
    }

    #[test]
    fn options_out_of_place_are_refused() {
        for wrong in [
            &["check", "a.ron", "--json"] as &[&str],
            &["--json", "check", "a.ron"],
            &["graph", "a.ron", "--trace", "t"],
            &["route", "a.ron", "x"],
            &["route", "a.ron", "x", "y", "--bytes", "many"],
            &["route", "a.ron", "", "y", "--bytes", "1"],
            &["a.ron", "b.ron"],
            &["a.ron", "--seed", "-1"],
            &["a.ron", "--until", "10"],
            &["a.ron", "--until", "0s"],
            &["a.ron", "--quiet", "-v"],
            &["a.ron", "--json", "-v"],
            &["--seed", "3"],
        ] {
            let error = parsed(wrong).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{wrong:?}");
        }
    }

    #[test]
    fn a_value_that_begins_with_a_hyphen_is_told_what_is_wrong_with_it() {
        for (wrong, option, right) in [
            (&["a.ron", "--seed", "-1"] as &[&str], "--seed", "a whole number from 0 to 18446744073709551615"),
            (&["a.ron", "--until", "-1s"], "--until", "`-1s` is negative; write a duration such as"),
            (&["a.ron", "--pace", "-1"], "--pace", "write a number from"),
            (&["run", "a.ron", "--seed", "x"], "--seed", "a whole number from 0"),
            (&["graph", "a.ron", "--seed", "-1"], "--seed", "a whole number from 0"),
            (&["route", "a.ron", "x", "y", "--bytes", "-1"], "--bytes", "`-1` is negative; write a size such as"),
            (&["route", "a.ron", "x", "y", "--bytes", "-1KiB"], "--bytes", "`-1KiB` is negative"),
            (&["serve", "a.ron", "--max-body", "-1"], "--max-body", "write a size such as"),
            (&["serve", "a.ron", "--idle-timeout", "-1s"], "--idle-timeout", "write a duration such as"),
            (&["serve", "a.ron", "--workers", "-1"], "--workers", "a whole number from 1 to 1024"),
            (&["serve", "a.ron", "--max-batch", "0"], "--max-batch", "a whole number from 1 to 4294967295"),
            (&["call", "a", "b", "--timeout", "-1s"], "--timeout", "`-1s` is negative; write a duration such as"),
            (&["request", "a", "b", "--for", "-1s"], "--for", "write a duration such as"),
            (&["request", "a", "b", "-N", "-1"], "--requests", "a whole number from 1"),
            (&["request", "a", "b", "-C", "2000"], "--concurrency", "a whole number from 1 to 1024"),
            (&["request", "a", "b", "--rate", "-1"], "--rate", "a whole number from 1"),
            (&["subscribe", "a", "-n", "-1"], "--count", "a whole number from 1"),
        ] {
            let told = parsed(wrong).unwrap_err().to_string();
            assert!(told.contains(option) && told.contains(right) && !told.contains("tip:"), "{wrong:?}: {told}");
        }
        // Values of calls may be negative still, and options may follow them.
        assert!(parsed(&["call", "a", "b", "-1", "--timeout", "1s", "--json"]).is_ok());
    }

    #[test]
    fn sizes_may_be_bare_numbers_of_bytes() {
        assert_eq!(size("65536"), Ok(Bytes(65_536)));
        assert_eq!(size("64KiB"), Ok(Bytes(65_536)));
        assert!(size("99999999999999999999").unwrap_err().contains("too large"));
        assert!(size("").is_err());
    }
}
