//! A service that sees every outcome that a call can have, once.

use std::cell::Cell;

use serde::Deserialize;
use serde_json::json;

use crate::outcome::OutcomeKind;
use crate::prelude::*;

/// What [`Outcomes`] may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutcomesParams {
    /// The name of a [`Worker`](super::Worker). Default `worker`.
    pub to: String,
    /// A name that nobody bears. Default `nobody`.
    pub nobody: String,
    /// How long to wait for what will not come in time. Default 1 s.
    pub patience: SimDuration,
}

impl Default for OutcomesParams {
    fn default() -> Self {
        OutcomesParams { to: "worker".to_owned(), nobody: "nobody".to_owned(), patience: SimDuration::from_secs(1) }
    }
}

/// A call, and how it ends.
struct Case {
    /// Whether it is for the worker, or for nobody.
    to_nobody: bool,
    method: &'static str,
    /// Whether it waits as long as it takes: longer than the worker dawdles.
    is_patient: bool,
    ends: OutcomeKind,
}

const fn case(method: &'static str, ends: OutcomeKind) -> Case {
    Case { to_nobody: false, method, is_patient: false, ends }
}

const CASES: [Case; 9] = [
    case("work", OutcomeKind::Reply),
    case("note", OutcomeKind::Ack),
    case("refuse", OutcomeKind::Nack),
    case("fail", OutcomeKind::Error),
    case("forbid", OutcomeKind::Denied),
    case("play", OutcomeKind::NotUnderstood),
    Case { to_nobody: true, ..case("work", OutcomeKind::Undelivered) },
    case("dawdle", OutcomeKind::TimedOut),
    // The worker does not live to see its end, if the scenario kills it in time.
    Case { is_patient: true, ..case("dawdle", OutcomeKind::Interrupted) },
];

/// Longer than a worker dawdles.
const LONG: SimDuration = SimDuration::from_secs(90);

/// Makes a call of its worker in every step, each of which ends in another way; see the table of
/// [`Worker`](super::Worker). The last one is for a method that takes a minute: a scenario kills the
/// worker meanwhile. Counts `outcomes as they should be`; the value of a step says what was called
/// and how it ended. One that ends otherwise is an error, with which the service fails.
#[derive(Debug, Default)]
pub struct Outcomes {
    params: OutcomesParams,
    seen: Cell<usize>,
}

impl Outcomes {
    /// One that has yet to call.
    pub fn new(params: OutcomesParams) -> Self {
        Outcomes { params, seen: Cell::new(0) }
    }
}

impl Service for Outcomes {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let number = self.seen.get() + 1;
        let Some(case) = CASES.get(self.seen.replace(number)) else {
            return Ok(Step::Stop);
        };
        let to = if case.to_nobody { &self.params.nobody } else { &self.params.to };
        let timeout = if case.is_patient { LONG } else { self.params.patience };
        let call = io.rpc().proxy(to).call::<serde_json::Value, _>(case.method, number as u64);
        let reply = call.timeout(timeout).reply().await;
        if reply.outcome != case.ends {
            let what = format!("`{}` of `{to}` ended with {} instead of {}", case.method, reply.outcome, case.ends);
            return Err(StepError::new(what).fatal());
        }
        io.count("outcomes as they should be", 1);
        let said = match reply.result {
            Ok(body) => body,
            Err(error) => error.to_string().into(),
        };
        Ok(Step::Value(json!({
            "call": format!("{to}.{}", case.method),
            "outcome": case.ends.name(),
            "said": said,
            "took": reply.elapsed.to_string(),
        })))
    }
}
