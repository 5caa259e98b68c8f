//! Directories, and services that register with them.

use rehearsal_actors::directory::Query;
use rehearsal_actors::interfaces::directory::Offering;
use rehearsal_actors::interfaces::raw::{Defaults, Handling, HandlingResult, Msg};
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Cast, ServiceSpec};
use rehearsal_actors::stock::directory::{Server, ServerParams};
use rehearsal_actors::topology::NodeId;

/// Offers something from its start, and adds one.
pub struct Bearer(pub Vec<Offering>);

impl Service for Bearer {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        self.0.iter().for_each(|offering| io.directory().register(offering.clone()));
        Ok(())
    }

    async fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> HandlingResult {
        if msg.subject != "ADD_ONE" {
            return Ok(Handling::Unhandled(Defaults::default()));
        }
        io.raw().send(msg.reply(msg.json::<u64>()? + 1))?;
        Ok(Handling::Done)
    }
}

pub trait Standing {
    /// The same in this vnet too.
    fn on(self, vnet: &str) -> Self;
    /// The same with that permission too.
    fn holding(self, permission: &str) -> Self;
}

impl Standing for ServiceSpec {
    fn on(mut self, vnet: &str) -> Self {
        self.vnets.insert(vnet.to_owned());
        self
    }

    fn holding(mut self, permission: &str) -> Self {
        self.permissions.insert(permission.to_owned());
        self
    }
}

/// A directory that is restarted when it dies.
pub fn directory(name: &str, node: NodeId, params: ServerParams) -> ServiceSpec {
    let make = move || Cast::service(Server::new(params.clone()).expect("the heartbeat is long enough"));
    ServiceSpec::restartable(name, node, make)
}

/// A service that bears one responsibility, and is restarted when it dies.
pub fn bearer(name: &str, node: NodeId, offering: impl Into<Offering>) -> ServiceSpec {
    let offering = offering.into();
    ServiceSpec::restartable(name, node, move || Cast::service(Bearer(vec![offering.clone()])))
}

pub fn hubs(names: &[&str]) -> ServerParams {
    ServerParams { hubs: names.iter().map(|&name| name.to_owned()).collect(), ..ServerParams::default() }
}

/// The addresses found, as texts.
pub async fn addresses(io: &ServiceIo, query: impl Into<Query>) -> Result<Vec<String>, CallError> {
    Ok(io.directory().find(query).await?.iter().map(|provider| provider.address.to_string()).collect())
}
