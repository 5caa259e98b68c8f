//! The one who adds.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::ADD_ONE;
use crate::interfaces::directory::Offering;
use crate::interfaces::raw::{Defaults, Handling, HandlingResult, Msg};
use crate::prelude::*;

/// What an [`AddOne`] may be told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddOneParams {
    /// The name under which it offers to add in a directory; without it, in none.
    pub offers: Option<String>,
    /// The permissions without which nobody finds it there. Default: none.
    pub needs: BTreeSet<String>,
    /// When, from its start on. Default 0 s: at once.
    pub after: SimDuration,
}

/// Answers [`ADD_ONE`] with the next number. What else it hears it does not understand, but for
/// `PING`. Counts `numbers added`.
#[derive(Debug, Default)]
pub struct AddOne {
    params: AddOneParams,
}

impl AddOne {
    /// One that has yet to add.
    pub fn new(params: AddOneParams) -> Self {
        AddOne { params }
    }
}

impl Service for AddOne {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        if let Some(name) = &self.params.offers {
            io.sleep(self.params.after).await;
            let offering = Offering::of(name.as_str());
            io.directory().register(self.params.needs.iter().map(String::as_str).fold(offering, Offering::needing));
        }
        Ok(Step::Stop)
    }

    async fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> HandlingResult {
        if msg.subject != ADD_ONE || msg.is_reply() {
            return Ok(Handling::Unhandled(Defaults::default()));
        }
        let number: u64 = msg.json()?;
        let next = number.checked_add(1).ok_or_else(|| StepError::new("there is no number after the last"))?;
        io.count("numbers added", 1);
        io.raw().send(msg.reply(next))?;
        Ok(Handling::Done)
    }
}
