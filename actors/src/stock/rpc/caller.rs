//! A service that has others work, one piece after the other.

use std::cell::Cell;

use serde::Deserialize;
use serde_json::Value;

use crate::interfaces::rpc::{ATTEMPTS, LIST_KEPT};
use crate::prelude::*;
use crate::stock::NoPause;
use crate::stock::pace::Pace;

/// What a [`Caller`] may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallerParams {
    /// The name of the service to call. Default `worker`.
    pub to: String,
    /// An interface that services provide: each call goes to one of them, drawn at random, in place of
    /// `to`. The first waits until there is one.
    pub interface: Option<String>,
    /// How many of them to try, if the first ones are sure not to have done it (nack, undelivered).
    /// Default 3.
    pub tries: u32,
    /// How long to rely on what a directory has told of them; with 0 s it is asked before each call.
    /// Default 5 s.
    pub kept: SimDuration,
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
            interface: None,
            tries: ATTEMPTS,
            kept: LIST_KEPT,
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
    /// Whether anybody has ever provided the interface.
    was_provided: Cell<bool>,
}

impl Caller {
    /// A caller that has yet to call.
    ///
    /// # Errors
    /// There is no time between its calls.
    pub fn new(params: CallerParams) -> Result<Self, NoPause> {
        let pace = Pace::new(params.every)?;
        Ok(Caller { params, pace, called: Cell::new(0), was_provided: Cell::new(false) })
    }

    /// Calls the one that it knows.
    async fn call_one(&self, io: &ServiceIo, number: u64) -> Result<Value, CallError> {
        let CallerParams { to, method, timeout, .. } = &self.params;
        let proxy = io.rpc().proxy(to);
        let proxy = timeout.map_or(proxy.clone(), |timeout| proxy.timeout(timeout));
        proxy.call(method.clone(), number).await
    }

    /// Calls whoever provides the interface.
    async fn call_any(&self, io: &ServiceIo, interface: &str, number: u64) -> Result<Value, CallError> {
        let CallerParams { tries, kept, method, timeout, .. } = &self.params;
        if !self.was_provided.get() {
            // Whoever begins together with those that it calls is not to fail before they have registered.
            io.directory().wait_for(interface).await?;
            self.was_provided.set(true);
        }
        let call = io.rpc().interface(interface).attempts(*tries).kept_for(*kept).call(method, number);
        match timeout {
            Some(timeout) => call.timeout(*timeout).await,
            None => call.await,
        }
    }
}

impl Service for Caller {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let CallerParams { interface, count, .. } = &self.params;
        let number = self.called.get() + 1;
        if count.is_some_and(|count| number > count) {
            return Ok(Step::Stop);
        }
        self.pace.turn(io).await;
        self.called.set(number);
        let answer = match interface {
            Some(interface) => self.call_any(io, interface, number).await,
            None => self.call_one(io, number).await,
        };
        io.count(if answer.is_ok() { "calls answered" } else { "calls failed" }, 1);
        answer?;
        Ok(Step::Continue)
    }
}
