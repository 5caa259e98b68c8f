//! `rehearsal subscribe`: prints events as they happen.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use rehearsal_actors::units::SimDuration;

use super::arguments::client::Subscribe;
use super::asking::{gateway, remark, set_json_line};
use super::complaint::Complaint;
use super::console;
use super::interrupt::on_ctrl_c;
use super::trouble::Trouble;
use crate::client::Event;
use crate::typeset::{FAINT, HEADING, clean, duration, paint, plural};

pub(super) fn subscribe(arguments: &Subscribe) -> Result<ExitCode, Complaint> {
    let gateway = gateway(&arguments.door)?;
    let told = Arc::new(AtomicU64::new(0));
    let quiet = arguments.quiet;
    end_on_ctrl_c(Arc::clone(&told), quiet);
    let trouble = |error| Complaint::Client(Trouble::Subscription(error));
    let events = gateway.subscribe(&arguments.pattern).map_err(trouble)?;
    if !quiet {
        remark(&format!("Subscribed to {} at {}", arguments.pattern, gateway.url()));
    }
    for event in events {
        let event = event.map_err(trouble)?;
        let line = if arguments.json { set_json_line(&json!(event)) } else { set(&event) };
        if !console::say_on(&line)? {
            return Ok(ExitCode::SUCCESS);
        }
        let so_far = told.fetch_add(1, Ordering::Relaxed) + 1;
        if arguments.count.is_some_and(|count| so_far >= count) {
            return Ok(ExitCode::SUCCESS);
        }
    }
    if let Some(count) = arguments.count {
        let heard = told.load(Ordering::Relaxed);
        return Err(Complaint::Client(Trouble::EndedEarly { heard, count }));
    }
    if !quiet {
        remark(&format!("The gateway ended the stream after {}", events_so_far(&told)));
    }
    Ok(ExitCode::SUCCESS)
}

/// `12.3 ms  orders.placed  {"id":3}  from orders`
fn set(event: &Event) -> String {
    let at = event.at_ns.map(|at| format!("{:>10}  ", duration(SimDuration::from_nanos(at)))).unwrap_or_default();
    let from = event.from.as_ref().map(|from| format!("  from {}", clean(from))).unwrap_or_default();
    let body = set_json_line(&event.body);
    format!("{}{}  {}{}\n", paint(FAINT, at), paint(HEADING, clean(&event.topic)), body.trim_end(), paint(FAINT, from))
}

/// The next event may be long in coming: whoever waits for it is not asked.
fn end_on_ctrl_c(told: Arc<AtomicU64>, quiet: bool) {
    on_ctrl_c(move || {
        if !quiet {
            console::note("\n");
            remark(&format!("Ended after {}", events_so_far(&told)));
        }
        std::process::exit(0);
    });
}

fn events_so_far(told: &AtomicU64) -> String {
    plural(told.load(Ordering::Relaxed), "event", "events")
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    #[test]
    fn an_event_is_a_line_whatever_is_in_it() {
        let event: Event = serde_json::from_value(json!({
            "topic": "orders.placed", "from": "or\nders", "at_ns": 12_300_000, "trace_id": "7f", "body": {"text": "a\nb\u{9b}"}
        }))
        .expect("it is an event");
        let line = set(&event);
        assert_eq!(
            strip_str(&line).to_string(),
            "   12.3 ms  orders.placed  {\"text\":\"a\\nb\\u009b\"}  from or ders\n"
        );
        let bare: Event = serde_json::from_value(json!({"topic": "a"})).expect("it is an event");
        assert_eq!(strip_str(&set(&bare)).to_string(), "a  null\n");
    }
}
