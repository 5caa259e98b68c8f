//! `rehearsal request`: sends a request, or many, and tells how long they took.

mod errand;
mod figures;
mod load;

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rehearsal_actors::outcome::OutcomeKind;
use serde_json::{Value, json};

use self::errand::Errand;
use self::figures::Figures;
use self::load::Plan;
use super::arguments::client::{Look, Request};
use super::asking::{self, Question, is_url, remark, remark_cost, seconds, set_json};
use super::complaint::Complaint;
use super::console;
use super::interrupt::on_ctrl_c;
use super::trouble::code_of;
use crate::client::RestReply;
use crate::typeset::clean;

pub(super) fn request(arguments: &Request) -> Result<ExitCode, Complaint> {
    let Request { target, what, whom, look, door, .. } = arguments;
    let rest = errand::is_http_method(target);
    let subject = if rest { json!({}) } else { asking::method_of(target, what) };
    let others = if rest { is_url(what) } else { is_url(target) || !whom.registry.is_empty() };
    Question::new(look.json, subject, door.gateway()).unless_asked(others).tell(send(arguments))
}

fn send(arguments: &Request) -> Result<ExitCode, Complaint> {
    let begun = Instant::now();
    let errand = Errand::of(arguments)?;
    let identification = begun.elapsed();
    let look = &arguments.look;
    if arguments.requests > 1 || arguments.lasting.is_some() {
        return many(arguments, &errand);
    }
    match errand {
        Errand::Call { service, method, params } => {
            let errand = asking::Errand { service: &service, method: &method, params, notify: false, identification };
            asking::carry_out(errand, look)
        }
        Errand::Rest { gateway, method, path, body } => {
            let begun = Instant::now();
            let reply = gateway.request(&method, &path, body.as_ref())?;
            let took = begun.elapsed();
            match look.json {
                true => console::say(&set_json(&rest_as_json(&reply, took)))?,
                false => tell_rest(&reply, took, look)?,
            }
            Ok(ExitCode::from(code_of(reply.outcome)))
        }
    }
}

fn rest_as_json(reply: &RestReply, took: Duration) -> Value {
    let text = || Value::from(String::from_utf8_lossy(&reply.body));
    json!({
        "status": reply.status,
        "outcome": reply.outcome.name(),
        "call_seconds": took.as_secs_f64(),
        "elapsed_ns": reply.elapsed.map(|elapsed| elapsed.as_nanos()),
        "hops": reply.hops,
        "content_type": reply.content_type,
        "body": reply.json().unwrap_or_else(text),
    })
}

fn tell_rest(reply: &RestReply, took: Duration, look: &Look) -> io::Result<()> {
    if !look.quiet {
        remark(&format!("Request: {}", seconds(took)));
        if let Some(elapsed) = reply.elapsed {
            remark_cost(elapsed, reply.hops);
        }
        remark(&format!("HTTP status {}: {}", reply.status, reply.outcome));
        if !reply.body.is_empty() {
            console::note("\n");
        }
    }
    match reply.json() {
        Some(body) => console::say(&set_json(&body)),
        None => match str::from_utf8(&reply.body) {
            Ok(text) => console::say(&set_text(text)),
            Err(_) if io::stdout().is_terminal() => console::say(&set_text(&String::from_utf8_lossy(&reply.body))),
            // What is no text, a picture maybe, is for another program or a file.
            Err(_) => console::say_bytes(&reply.body),
        },
    }
}

/// A text of somebody else, line by line, without what would disturb a terminal, which may stand at the
/// end of a pipe as well. Tabs do not.
fn set_text(text: &str) -> String {
    let calm = |line: &str| line.split('\t').map(|cell| clean(cell).into_owned()).collect::<Vec<_>>().join("\t");
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => calm(line.strip_suffix('\r').unwrap_or(line)) + "\n",
            None => calm(line),
        })
        .collect()
}

fn many(arguments: &Request, errand: &Errand) -> Result<ExitCode, Complaint> {
    let Request { requests, concurrency, lasting, rate, look, .. } = arguments;
    let requests = if lasting.is_some() { None } else { Some(*requests) };
    let plan = Plan { requests, lasting: *lasting, concurrency: *concurrency, rate: *rate };
    let stop = end_on_ctrl_c();
    let figures = load::send(&plan, || errand.send(), &stop, !(look.json || look.quiet));
    if look.json {
        console::say(&set_json(&figures.as_json(&errand.to_string(), *concurrency)))?;
    } else if !look.quiet {
        console::say(&figures.set(&errand.to_string(), *concurrency))?;
    }
    Ok(ExitCode::from(code_of_many(&figures)))
}

/// The one code that all bad ends have, or 1 if they have several.
fn code_of_many(figures: &Figures) -> u8 {
    let mut codes: Vec<u8> =
        OutcomeKind::ALL.into_iter().filter(|&kind| figures.count(kind) > 0).map(code_of).collect();
    codes.retain(|&code| code != 0);
    codes.dedup();
    match codes[..] {
        [] => 0,
        [code] => code,
        _ => 1,
    }
}

/// The first Ctrl-C ends the requests, the second the program.
fn end_on_ctrl_c() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    on_ctrl_c(move || {
        asked.store(true, Ordering::Relaxed);
        console::note("\ninterrupted: waiting for what is under way (Ctrl-C again ends it at once)\n");
    });
    stop
}
