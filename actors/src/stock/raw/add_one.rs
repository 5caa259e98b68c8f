//! The one who adds.

use super::ADD_ONE;
use crate::interfaces::raw::{Defaults, Handling, HandlingResult, Msg};
use crate::prelude::*;

/// Answers [`ADD_ONE`] with the next number. What else it hears it does not understand, but for
/// `PING`. Counts `numbers added`.
#[derive(Debug, Default)]
pub struct AddOne;

impl Service for AddOne {
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
