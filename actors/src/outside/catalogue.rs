//! What every service of a run offers, known without asking anybody over the network: for pages that
//! describe the application, and for whoever has to tell whether a request could mean anything.
//!
//! ```
//! use std::rc::Rc;
//! use rehearsal_actors::outside::catalogue::Catalogue;
//! use rehearsal_actors::prelude::*;
//!
//! struct Shop;
//!
//! impl Shop {
//!     async fn item(self: Rc<Self>, _: ServiceIo, request: Request) -> (u16, String) {
//!         (200, request.params["id"].clone())
//!     }
//! }
//!
//! impl Service for Shop {
//!     async fn step(&self, io: &ServiceIo) -> StepResult {
//!         let Some(shop) = Catalogue::of(io).get("shop") else { return Err(StepError::new("it is there")) };
//!         assert!(shop.running && shop.node == "a");
//!         let endpoint = &shop.offered.as_ref().ok_or(StepError::new("it is a service"))?.endpoints[0];
//!         assert_eq!((endpoint.method, endpoint.pattern.as_str()), (Method::Get, "/items/{id}"));
//!         io.count("looked", 1);
//!         Ok(Step::Stop)
//!     }
//!
//!     fn endpoints(endpoints: &mut Endpoints<Self>) {
//!         endpoints.get("/items/{id}", Shop::item);
//!     }
//! }
//!
//! # use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup, run};
//! # use rehearsal_actors::topology::{Node, Topology};
//! # let mut topology = Topology::new();
//! # let node = topology.add_node(Node::new("a")).unwrap();
//! # let mut setup = Setup::new(1, topology);
//! # setup.services.push(ServiceSpec::new("shop", node, Cast::service(Shop)));
//! # assert_eq!(run(setup, None, Default::default()).unwrap().counters["looked"], 1);
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use matchit::Router;

pub use crate::interfaces::rest::EndpointDescription;
use crate::interfaces::rest::{Method, Target};
pub use crate::interfaces::rpc::{InterfaceDescription, MethodDescription, Parameter, Schemas};
use crate::network::Network;
use crate::outcome::Interface;
use crate::service::ServiceIo;
pub use crate::service::offers::{InterfaceOffer, Offered};
use crate::trace::ServiceId;

/// The services of a run, as they are at the moment. Looking takes no virtual time, sends nothing and
/// changes nothing.
#[derive(Clone, Copy)]
pub struct Catalogue<'a> {
    network: &'a Network,
    /// Who looks.
    looker: ServiceId,
}

/// One service.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// What it is called.
    pub name: String,
    /// The node that it stands on.
    pub node: String,
    /// Whether it is there: it has begun, and neither ended nor failed since.
    pub running: bool,
    /// Whether whoever looks may ask it: the application graph, if there is one, has a link to it.
    pub within_reach: bool,
    /// What it offers, or offered when it was there last. Nothing is known of actors that have handlers of
    /// their own, which take no requests anyway.
    pub offered: Option<Arc<Offered>>,
}

impl<'a> Catalogue<'a> {
    /// The catalogue of the run that this service lives in.
    pub fn of(io: &'a ServiceIo) -> Self {
        Catalogue { network: &io.desk.network, looker: io.id() }
    }

    /// Every service, in order of declaration.
    pub fn all(self) -> impl Iterator<Item = Listed> + use<'a> {
        let services = self.network.positions.services() as u32;
        (0..services).map(move |service| self.listed(ServiceId(service)))
    }

    /// The service of that name.
    pub fn get(self, name: &str) -> Option<Listed> {
        self.network.find(name).map(|service| self.listed(service))
    }

    fn listed(self, service: ServiceId) -> Listed {
        let network = self.network;
        let node = network.positions.node_of(service);
        let within_reach = network.positions.may_speak(self.looker, service, Interface::Rest, false);
        Listed {
            name: network.name_of(service),
            node: network.topology(|topology| topology.node(node).name.clone()),
            running: network.is_present(service),
            within_reach,
            offered: network.commons.offers.described(service),
        }
    }
}

impl Offered {
    /// For which methods there is an endpoint at a path, which begins with a slash.
    pub fn methods_at(&self, path: &str) -> Vec<Method> {
        let mut of_pattern = BTreeMap::<&str, Vec<Method>>::new();
        for EndpointDescription { pattern, method, .. } in &self.endpoints {
            of_pattern.entry(pattern).or_default().push(*method);
        }
        let mut router = Router::new();
        for (pattern, methods) in of_pattern {
            // They can be told apart, or the service would not have started.
            let _ = router.insert(pattern, methods);
        }
        let target = Target::of(path);
        router.at(&target.path).map(|matched| matched.value.clone()).unwrap_or_default()
    }

    /// The method that a call of this name means: `interface.method`, or `method` if one interface alone
    /// has it. What each parameter looks like stands in the schemas.
    pub fn method(&self, name: &str) -> Option<(&MethodDescription, &Schemas)> {
        let all = self.interfaces.iter().flat_map(|interface| {
            let methods = interface.description.methods.iter().zip(&interface.schemas);
            methods.map(|(method, schemas)| (&interface.description.name, method, schemas))
        });
        let in_full = |interface: &str, method: &str| {
            name.strip_prefix(interface).and_then(|rest| rest.strip_prefix('.')) == Some(method)
        };
        let mut found = None;
        for (interface, method, schemas) in all {
            if in_full(interface, &method.name) {
                return Some((method, schemas));
            }
            // Without an interface in front, these two are those that every service has.
            if method.name == name && !["ping", "inspect"].contains(&name) {
                // Two of a name are told apart by their interfaces only.
                found = if found.is_none() { Some(Some((method, schemas))) } else { Some(None) };
            }
        }
        found.flatten()
    }
}
