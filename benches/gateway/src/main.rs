//! What the gateway costs: JSON-RPC echo through a network that costs nothing, and the same by an actix-web
//! handler that reads and answers the same JSON and does nothing else, by turns in one run.
//!
//! ```text
//! cargo run --release -p rehearsal-gateway-bench                    throughput and latency, two minutes
//! cargo run --release -p rehearsal-gateway-bench -- --soak 300      and then five minutes at half the peak
//! ```
//!
//! Throughput is [wrk](https://github.com/wg/wrk)'s, with 64 connections that are kept open; Debian has a
//! package of it. Latency is that of requests at a steady rate, each reckoned from when it was due, so that
//! one that has to wait behind a slow one counts as slow. Servers are processes of their own.
#![forbid(unsafe_code)]

mod memory;
mod servers;
mod steady;
mod wrk;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use servers::{Kind, Server};

/// What every request says.
const REQUEST: &str = r#"{"jsonrpc":"2.0","method":"echo","params":{"value":{"n":42,"text":"hello"}},"id":1}"#;

/// The rate of gemstone 0.12's own server, measured on this kind of machine by those who set the target.
const GEMSTONE: f64 = 2500.0;

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(8);
const STEADY_RATE: f64 = 1000.0;
const STEADY: Duration = Duration::from_secs(20);

const USAGE: &str = "\
Measures the gateway against a bare actix-web handler.

Usage: rehearsal-gateway-bench [--soak SECONDS]

  --soak SECONDS   then goes on for so long at half the peak rate, and shows what memory it takes
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["--serve", kind] => return servers::serve(kind),
        [] => measure(None),
        ["--soak", seconds] => match seconds.parse() {
            Ok(seconds) => measure(Some(Duration::from_secs(seconds))),
            Err(_) => Err(format!("`{seconds}` is no number of seconds").into()),
        },
        _ => {
            print!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(soak: Option<Duration>) -> Result<(), Box<dyn Error>> {
    let bare = Server::start(Kind::Bare)?;
    let gateway = Server::start(Kind::Gateway)?;
    // Both must say the same before it matters how fast they say it.
    for server in [&bare, &gateway] {
        steady::check(server.address)?;
    }

    println!("throughput, requests a second, 64 connections, {ROUNDS} rounds by turns");
    let mut best = [0f64; 2];
    for _ in 0..ROUNDS {
        for (best, server) in best.iter_mut().zip([&bare, &gateway]) {
            let rate = wrk::rate(server.address, ROUND)?;
            println!("  {:<8} {rate:>9.0}", server.kind.name());
            *best = best.max(rate);
        }
    }
    let [bare_rate, gateway_rate] = best;
    println!("  best: gateway/bare {:.2} (target: at least 0.5)", gateway_rate / bare_rate);
    println!("  best: gateway/gemstone's {GEMSTONE:.0}: {:.1} (target: at least 10)", gateway_rate / GEMSTONE);

    println!("\nlatency at {STEADY_RATE:.0} requests a second for {} s each", STEADY.as_secs());
    let mut p99 = [0f64; 2];
    for (p99, server) in p99.iter_mut().zip([&bare, &gateway]) {
        let run = steady::run(server.address, STEADY_RATE, STEADY, |_| ())?;
        println!("  {:<8} {run}", server.kind.name());
        *p99 = run.percentile_ms(99.0);
    }
    println!("  added at p99: {:.3} ms (target: less than 2)", p99[1] - p99[0]);

    if let Some(length) = soak {
        let rate = gateway_rate / 2.0;
        println!("\nsoak: {rate:.0} requests a second for {} s", length.as_secs());
        let run = steady::run(gateway.address, rate, length, |passed| {
            if let Some(resident) = memory::resident(gateway.id()) {
                println!("  after {:>4} s  {:>7.1} MiB resident", passed.as_secs(), resident as f64 / 1_048_576.0);
            }
        })?;
        println!("  {run}");
    }
    Ok(())
}
