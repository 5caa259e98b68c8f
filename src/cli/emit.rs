//! `rehearsal emit`: tells an event to whoever has subscribed.

use std::process::ExitCode;
use std::time::Instant;

use serde_json::json;

use super::arguments::client::Emit;
use super::asking::{Question, gateway, remark, seconds, set_json};
use super::complaint::Complaint;
use super::{console, params};
use crate::typeset::plural;

pub(super) fn emit(arguments: &Emit) -> Result<ExitCode, Complaint> {
    let Emit { topic, look, door, .. } = arguments;
    Question::new(look.json, json!({"topic": topic}), door.gateway()).tell(tell_event(arguments))
}

fn tell_event(arguments: &Emit) -> Result<ExitCode, Complaint> {
    let body = params::of_body(&arguments.body)?;
    let gateway = gateway(&arguments.door)?;
    let begun = Instant::now();
    let receivers = gateway.emit(&arguments.topic, &body)?;
    let took = begun.elapsed();
    if arguments.look.json {
        let told = json!({"topic": arguments.topic, "outcome": "ack", "receivers": receivers});
        console::say(&set_json(&told))?;
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.look.quiet {
        remark(&format!("Event: {}", seconds(took)));
        remark(&format!("Told to {}", plural(receivers, "subscriber", "subscribers")));
    }
    Ok(ExitCode::SUCCESS)
}
