//! The one who asks.

use std::cell::Cell;

use serde::Deserialize;

use super::ADD_ONE;
use crate::interfaces::raw::Draft;
use crate::prelude::*;
use crate::router::Address;
use crate::stock::NoPause;
use crate::stock::pace::Pace;

/// What an [`Asker`] may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AskerParams {
    /// The name of the service to ask, whose address it has been told. Default `add-one`.
    pub to: String,
    /// A name that somebody offers in a directory, in place of `to`. It is looked up before each
    /// question.
    pub provider: Option<String>,
    /// How long to wait until somebody offers it. Default 5 s.
    pub patience: SimDuration,
    /// The first number that it asks about. Default 41.
    pub number: u64,
    /// From one question to the next; the first is asked at once. One that is answered later than
    /// that is followed by the next one at once. Default 1 s.
    pub every: SimDuration,
    /// How many questions to ask; without it, until the run ends.
    pub count: Option<u64>,
}

impl Default for AskerParams {
    fn default() -> Self {
        AskerParams {
            to: "add-one".to_owned(),
            provider: None,
            patience: SimDuration::from_secs(5),
            number: 41,
            every: SimDuration::from_secs(1),
            count: None,
        }
    }
}

/// Asks in every step for the number after the one it has, beginning with
/// [`number`](AskerParams::number). Counts `right answers`; the value of a step is the number that it
/// was told.
#[derive(Debug)]
pub struct Asker {
    params: AskerParams,
    pace: Pace,
    asked: Cell<u64>,
    number: Cell<u64>,
}

impl Asker {
    /// An asker that has yet to ask.
    ///
    /// # Errors
    /// There is no time between its questions.
    pub fn new(params: AskerParams) -> Result<Self, NoPause> {
        let (pace, number) = (Pace::new(params.every)?, Cell::new(params.number));
        Ok(Asker { params, pace, asked: Cell::new(0), number })
    }

    /// Whom to ask. It is looked up each time: a restarted service has another address.
    async fn whom(&self, io: &ServiceIo) -> Result<Address, CallError> {
        let AskerParams { to, provider, patience, .. } = &self.params;
        let Some(name) = provider else {
            return io.raw().address_of(to).ok_or_else(|| Undelivered::UnknownService(to.clone()).into());
        };
        let found = io.directory().wait_for(name.as_str()).timeout(*patience).any().await?;
        found.map(|provider| provider.address).ok_or_else(|| Undelivered::UnknownService(name.clone()).into())
    }
}

impl Service for Asker {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let count = self.params.count;
        let asked = self.asked.get();
        if count.is_some_and(|count| asked >= count) {
            return Ok(Step::Stop);
        }
        self.pace.turn(io).await;
        self.asked.set(asked + 1);
        let address = self.whom(io).await?;
        let number = self.number.get();
        let reply = io.raw().request(Draft::new(address, ADD_ONE).contents(number)).await?;
        let told: u64 = reply.json()?;
        if number.checked_add(1) != Some(told) {
            return Err(StepError::new(format!("{address} says that {told} comes after {number}")));
        }
        self.number.set(told);
        io.count("right answers", 1);
        Ok(Step::Value(told.into()))
    }
}
