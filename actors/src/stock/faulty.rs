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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::{FailureKind, Report};
    use crate::simulation::{Cast, Progress, ServiceSpec, Setup, run};
    use crate::topology::{Node, Topology};

    /// A service under the implicit root, which restarts it once in five seconds and no more, for 20 s.
    fn fail(params: FaultyParams) -> Result<Report, Box<dyn std::error::Error>> {
        Faulty::new(params.clone())?;
        let mut topology = Topology::new();
        let node = topology.add_node(Node::new("a"))?;
        let mut setup = Setup::new(1, topology);
        let make = move || Cast::service(Faulty { params: params.clone() });
        setup.services = vec![ServiceSpec::restartable("faulty", node, make)];
        setup.until = Some(SimTime::ZERO + SimDuration::from_secs(20));
        Ok(run(setup, None, Arc::new(Progress::default()))?)
    }

    #[test]
    fn it_fails_in_steps_as_long_as_it_is_to() -> Result<(), Box<dyn std::error::Error>> {
        let at = |seconds| SimTime::ZERO + SimDuration::from_secs(seconds);
        let every = SimDuration::from_secs(6);
        let report = fail(FaultyParams { every, from: at(6), until: Some(at(12)), ..FaultyParams::default() })?;
        // After 6 s. The next life steps after 12 s, which is too late to fail, and after 18 s.
        assert_eq!((report.counters["lives"], report.counters["steps survived"]), (2, 2));
        let [failure] = &report.supervision.failures[..] else { panic!("{:?}", report.supervision.failures) };
        assert_eq!((failure.at, failure.kind), (at(6), FailureKind::Error));
        Ok(())
    }

    #[test]
    fn it_fails_at_its_start_until_nobody_starts_it_any_more() -> Result<(), Box<dyn std::error::Error>> {
        let report = fail(FaultyParams { at: Moment::Start, fault: Fault::Panic, ..FaultyParams::default() })?;
        assert_eq!(report.panic_count, report.counters["lives"]);
        assert!(!report.came_to_its_end(), "{:?}", report.ending);
        Ok(())
    }

    #[test]
    fn it_does_not_fail_without_end_in_one_instant() {
        let params = FaultyParams { every: SimDuration::ZERO, ..FaultyParams::default() };
        assert_eq!(Faulty::new(params).err(), Some(NoPause));
    }
}
