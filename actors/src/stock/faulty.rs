//! A service that fails: to see what a supervisor makes of it.

use serde::Deserialize;

use crate::prelude::*;
use crate::stock::NoPause;
use crate::units::Probability;

/// How a [`Faulty`] service fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Fault {
    /// It says that it cannot go on.
    #[default]
    Error,
    /// It panics.
    Panic,
}

/// When it fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Moment {
    /// In its steps.
    #[default]
    Step,
    /// When it starts.
    Start,
}

/// What a [`Faulty`] service may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultyParams {
    /// How it fails: `Error` (default) or `Panic`.
    pub fault: Fault,
    /// When: in a `Step` (default) or at its `Start`.
    pub at: Moment,
    /// How long each of its steps takes. Default 1 s.
    pub every: SimDuration,
    /// The chance that it fails there. Default 1: whenever it can.
    pub chance: Probability,
    /// It does not fail before this time of the run. Default 0 s.
    pub from: SimTime,
    /// Nor at this time or later; without it, it never gets better.
    pub until: Option<SimTime>,
}

impl Default for FaultyParams {
    fn default() -> Self {
        FaultyParams {
            fault: Fault::default(),
            at: Moment::default(),
            every: SimDuration::from_secs(1),
            chance: Probability::ALWAYS,
            from: SimTime::ZERO,
            until: None,
        }
    }
}

/// Does nothing, and fails at it. Counts its `lives`, and the `steps survived`.
#[derive(Debug)]
pub struct Faulty {
    params: FaultyParams,
}

impl Faulty {
    /// One that has yet to fail.
    ///
    /// # Errors
    /// Its steps take no time.
    pub fn new(params: FaultyParams) -> Result<Self, NoPause> {
        if params.every.is_zero() { Err(NoPause) } else { Ok(Faulty { params }) }
    }

    /// Fails, if it is time and chance will have it.
    fn perhaps_fail(&self, io: &ServiceIo, here: Moment) -> Result<(), StepError> {
        let FaultyParams { fault, at, chance, from, until, .. } = self.params;
        let is_time = at == here && io.now() >= from && until.is_none_or(|until| io.now() < until);
        if !is_time || !io.random(|stream| stream.chance(chance)) {
            return Ok(());
        }
        match fault {
            Fault::Panic => panic!("it fails as it was told to"),
            Fault::Error => Err(StepError::new("it fails as it was told to").fatal()),
        }
    }
}

impl Service for Faulty {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        io.count("lives", 1);
        self.perhaps_fail(io, Moment::Start)
    }

    async fn step(&self, io: &ServiceIo) -> StepResult {
        io.sleep(self.params.every).await;
        self.perhaps_fail(io, Moment::Step)?;
        io.count("steps survived", 1);
        Ok(Step::Continue)
    }
}
