//! `rehearsal call-raw`: calls a method of whoever is at a URL.

use std::process::ExitCode;
use std::time::Instant;

use super::arguments::client::CallRaw;
use super::asking::{Errand, Question, carry_out, method_of, remark, seconds};
use super::complaint::Complaint;
use super::params;
use crate::client::RemoteService;

pub(super) fn call_raw(arguments: &CallRaw) -> Result<ExitCode, Complaint> {
    let CallRaw { url, method, look, .. } = arguments;
    Question::new(look.json, method_of(url, method), url).unless_asked(true).tell(call_there(arguments))
}

fn call_there(arguments: &CallRaw) -> Result<ExitCode, Complaint> {
    let params = params::of_call(&arguments.params)?;
    let begun = Instant::now();
    let service = RemoteService::with(&arguments.bounds.settings_for(&arguments.url), &arguments.url)?;
    let identification = begun.elapsed();
    if !(arguments.look.json || arguments.look.quiet) {
        remark(&format!("Service identification: {}", seconds(identification)));
    }
    let CallRaw { method, notify, .. } = arguments;
    carry_out(Errand { service: &service, method, params, notify: *notify, identification }, &arguments.look)
}
