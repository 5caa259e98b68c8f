//! `rehearsal call`: calls a method of a service that is found by its name.

use std::process::ExitCode;
use std::time::Instant;

use super::arguments::client::Call;
use super::asking::{Errand, Question, carry_out, find, is_url, method_of, remark, seconds};
use super::complaint::Complaint;
use super::params;

pub(super) fn call(arguments: &Call) -> Result<ExitCode, Complaint> {
    let Call { name, method, whom, look, door, .. } = arguments;
    let question = Question::new(look.json, method_of(name, method), door.gateway());
    question.unless_asked(is_url(name) || !whom.registry.is_empty()).tell(find_and_call(arguments))
}

fn find_and_call(arguments: &Call) -> Result<ExitCode, Complaint> {
    let params = params::of_call(&arguments.params)?;
    let begun = Instant::now();
    let service = find(&arguments.name, &arguments.whom, &arguments.door)?;
    let identification = begun.elapsed();
    if !(arguments.look.json || arguments.look.quiet) {
        remark(&format!("Service identification: {}", seconds(identification)));
        if let Some(name) = service.known_name() {
            remark(&format!("Service name: {name}"));
        }
        remark(&format!("Service URL : {}", service.url()));
    }
    let Call { method, notify, .. } = arguments;
    carry_out(Errand { service: &service, method, params, notify: *notify, identification }, &arguments.look)
}
