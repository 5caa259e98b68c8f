//! `rehearsal emit`: tells an event to whoever has subscribed.

use std::process::ExitCode;
use std::time::Instant;

use serde_json::json;

use super::arguments::client::Emit;
use super::asking::{code_of, error_as_json, gateway, remark, seconds, set_json};
use super::complaint::Complaint;
use super::{console, params};
use crate::typeset::plural;

pub(super) fn emit(arguments: &Emit) -> Result<ExitCode, Complaint> {
    let body = params::of_body(&arguments.body)?;
    let gateway = gateway(&arguments.door)?;
    let begun = Instant::now();
    let told = gateway.emit(&arguments.topic, &body);
    let took = begun.elapsed();
    if arguments.look.json {
        let (object, code) = match &told {
            Ok(receivers) => (json!({"topic": arguments.topic, "outcome": "ack", "receivers": receivers}), 0),
            Err(error) => {
                let outcome = error.outcome();
                let error = error_as_json(error);
                (json!({"topic": arguments.topic, "outcome": outcome.name(), "error": error}), code_of(outcome))
            }
        };
        console::say(&set_json(&object))?;
        return Ok(ExitCode::from(code));
    }
    let receivers = told?;
    if !arguments.look.quiet {
        remark(&format!("Event: {}", seconds(took)));
        remark(&format!("Told to {}", plural(receivers, "subscriber", "subscribers")));
    }
    Ok(ExitCode::SUCCESS)
}
