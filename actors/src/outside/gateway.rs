//! The service that lets visitors in.

use std::cell::Cell;
use std::future::poll_fn;

use crate::outside::Entrance;
use crate::service::{Service, ServiceIo, Step, StepError, StepResult};
use crate::simulation::{Cast, ServiceSpec};
use crate::topology::NodeId;

/// The service that an [`Entrance`] leads to. There should be one in a run.
pub struct Gateway {
    entrance: Entrance,
    life: Cell<u64>,
}

impl Gateway {
    /// A gateway on a node, which its supervisor can restart.
    pub fn at(name: impl Into<String>, node: NodeId, entrance: &Entrance) -> ServiceSpec {
        let entrance = entrance.clone();
        let make = move || Cast::service(Gateway { entrance: entrance.clone(), life: Cell::new(0) });
        ServiceSpec::restartable(name, node, make)
    }
}

impl Service for Gateway {
    async fn start(&self, _: &ServiceIo) -> Result<(), StepError> {
        self.life.set(self.entrance.open());
        Ok(())
    }

    async fn step(&self, io: &ServiceIo) -> StepResult {
        poll_fn(|cx| self.entrance.poll_take_in(cx, |visitor| io.spawn(visitor.begin(io.clone())))).await;
        Ok(Step::Stop)
    }

    fn stop(&self, _: &ServiceIo) {
        self.entrance.shut(self.life.get());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.entrance.shut(self.life.get());
    }
}
