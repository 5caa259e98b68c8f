//! The service that lets visitors in.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use serde_json::Value;

use crate::interfaces::rpc::{Interfaces, ReplyChannel, RpcAnswer};
use crate::outside::Entrance;
use crate::outside::registry::Registry;
use crate::service::{Service, ServiceIo, Step, StepError, StepResult};
use crate::simulation::{Cast, ServiceSpec};
use crate::topology::NodeId;

/// The service that an [`Entrance`] leads to. There should be one in a run.
pub struct Gateway {
    entrance: Entrance,
    life: Cell<u64>,
    registry: Option<Registry>,
    /// How many calls of providers outside are under way.
    outside: Rc<Cell<usize>>,
}

impl Gateway {
    /// A gateway on a node, which its supervisor can restart.
    pub fn at(name: impl Into<String>, node: NodeId, entrance: &Entrance) -> ServiceSpec {
        Gateway::make(name, node, entrance, None)
    }

    /// The same, by which providers outside are found and called that register there.
    pub fn registering(name: impl Into<String>, node: NodeId, entrance: &Entrance, registry: &Registry) -> ServiceSpec {
        Gateway::make(name, node, entrance, Some(registry.clone()))
    }

    fn make(name: impl Into<String>, node: NodeId, entrance: &Entrance, registry: Option<Registry>) -> ServiceSpec {
        let entrance = entrance.clone();
        let make = move || {
            let (entrance, registry) = (entrance.clone(), registry.clone());
            Cast::service(Gateway { entrance, life: Cell::new(0), registry, outside: Rc::default() })
        };
        ServiceSpec::restartable(name, node, make)
    }

    async fn call_out(self: Rc<Self>, io: ServiceIo, params: Value, channel: ReplyChannel) {
        match &self.registry {
            Some(registry) => registry.call_out(&io, &self.outside, params, channel).await,
            // That the gateway is gone meanwhile, its callers are told by others.
            None => drop(channel.answer(RpcAnswer::NotUnderstood("the gateway offers no interface".to_owned()))),
        }
    }
}

impl Service for Gateway {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        if let Some(registry) = self.registry.clone() {
            io.spawn(registry.keep(io.clone()));
        }
        self.life.set(self.entrance.open());
        Ok(())
    }

    async fn step(&self, io: &ServiceIo) -> StepResult {
        let _waiting = Waiting::begin(io);
        poll_fn(|cx| {
            if io.desk.is_leaving() {
                // Whoever comes now is turned away, which they know is all that happened to them.
                self.entrance.shut(self.life.get());
                return Poll::Ready(());
            }
            self.entrance.poll_take_in(cx, |visitor| io.spawn(visitor.stay(io.clone())))
        })
        .await;
        Ok(Step::Stop)
    }

    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces.otherwise(Gateway::call_out);
    }

    fn stop(&self, _: &ServiceIo) {
        self.entrance.shut(self.life.get());
    }
}

/// While it lasts, an orderly end has nothing to wait for but the visitors.
struct Waiting<'a>(&'a ServiceIo);

impl<'a> Waiting<'a> {
    fn begin(io: &'a ServiceIo) -> Self {
        io.desk.set_serving(true);
        Waiting(io)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.desk.set_serving(false);
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.entrance.shut(self.life.get());
    }
}
