//! A service that has others work, one piece after the other.

use std::cell::Cell;

use serde::Deserialize;
use serde_json::Value;

use super::chosen::try_providers;
use crate::interfaces::rpc::Proxy;
use crate::prelude::*;
use crate::stock::NoPause;
use crate::stock::pace::Pace;

/// What a [`Caller`] may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallerParams {
    /// The name of the service to call. Default `worker`.
    pub to: String,
    /// A name that services offer in a directory: each call goes to one of them, drawn at random, in
    /// place of `to`.
    pub provider: Option<String>,
    /// How many providers to try, if the first ones are sure not to have done it (nack, undelivered).
    /// Default 3.
    pub tries: u32,
    /// The method to call, which takes a number. Default `work`.
    pub method: String,
    /// From one call to the next; the first is made at once. A call that is answered later than that
    /// is followed by the next one at once. Default 100 ms.
    pub every: SimDuration,
    /// How many calls to make; without it, until the run ends.
    pub count: Option<u64>,
    /// How long to wait for an answer; without it, as long as the scenario says.
    pub timeout: Option<SimDuration>,
}

impl Default for CallerParams {
    fn default() -> Self {
        CallerParams {
            to: "worker".to_owned(),
            provider: None,
            tries: 3,
            method: "work".to_owned(),
            every: SimDuration::from_millis(100),
            count: None,
            timeout: None,
        }
    }
}

/// Makes a call in every step: the first with number 1, the next with number 2, and so on. Counts
/// `calls answered` (reply or ack) and `calls failed`; the step of one that failed fails with the
/// reason.
#[derive(Debug)]
pub struct Caller {
    params: CallerParams,
    pace: Pace,
    called: Cell<u64>,
}

impl Caller {
    /// A caller that has yet to call.
    ///
    /// # Errors
    /// There is no time between its calls.
    pub fn new(params: CallerParams) -> Result<Self, NoPause> {
        Ok(Caller { pace: Pace::new(params.every)?, params, called: Cell::new(0) })
    }
}

impl Service for Caller {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let CallerParams { to, provider, tries, method, count, timeout, .. } = &self.params;
        let number = self.called.get() + 1;
        if count.is_some_and(|count| number > count) {
            return Ok(Step::Stop);
        }
        self.pace.turn(io).await;
        self.called.set(number);
        let call = |proxy: Proxy| async move {
            let proxy = timeout.map_or(proxy.clone(), |timeout| proxy.timeout(timeout));
            proxy.call::<Value, _>(method.clone(), number).await
        };
        let answer = match provider {
            Some(provider) => try_providers(io, provider, *tries, call).await,
            None => call(io.rpc().proxy(to)).await,
        };
        io.count(if answer.is_ok() { "calls answered" } else { "calls failed" }, 1);
        answer?;
        Ok(Step::Continue)
    }
}
