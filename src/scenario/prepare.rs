//! From a scenario to a run that can start, and what its placement does to its requirements.

use std::fmt;
use std::sync::Arc;

use rehearsal_actors::outside::registry::Registry as OutsideRegistry;
use rehearsal_actors::outside::{Entrance, External, Gateway, Outbound};
use rehearsal_actors::router::Routing;
use rehearsal_actors::routes;
use rehearsal_actors::simulation::{AppLink, Recast, ServiceSpec, Setup};
use rehearsal_actors::units::{Bandwidth, Bytes, SimDuration, SimTime};

use crate::expectations::Expectation;
use crate::outgoing::Outgoing;
use crate::registry::{Factory, Refusal};

use super::doors::Part;
use super::mistakes::{Mistake, Mistakes, quoted, said};
use super::plan::Plan;
use super::services::Service;
use super::{Scenario, syntax};

/// A run that is ready to start.
pub struct Prepared {
    /// The scenario's name.
    pub name: String,
    /// Everything that decides the run, with fresh actors.
    pub setup: Setup,
    /// The network at the start.
    pub network: NetworkSummary,
    /// Requirements of links between services that the placement does not meet at the start.
    pub violations: Vec<Violation>,
    /// What must hold of the run.
    pub expectations: Vec<Expectation>,
    /// Its gateway, if it has one.
    pub door: Option<Door>,
    /// The services that live outside, which only a paced run can reach.
    pub outside: Vec<String>,
}

/// The gateway of a run that is ready to start.
#[derive(Clone, Debug)]
pub struct Door {
    /// The service.
    pub gateway: String,
    /// By which others come in.
    pub entrance: Entrance,
    /// Where providers outside register.
    pub registry: OutsideRegistry,
    /// What anybody may call without a token, as `service`, `service/path` or `service.method` with `*` and
    /// `?` in it; `None`: everything.
    pub exposes: Option<Vec<String>>,
}

/// How large a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkSummary {
    /// How many nodes there are.
    pub nodes: usize,
    /// How many links there are, each direction counted.
    pub links: usize,
}

/// A requirement of a link between services that the network does not meet.
///
/// The latency of a route is the sum of the latencies of its links and its bandwidth the least of
/// theirs, as ECLYPSE reckons when it validates a placement: processing on the way and the size of
/// messages do not count. Services on one node are always near and fast enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Who sends.
    pub from: String,
    /// Who receives.
    pub to: String,
    /// What is not met.
    pub unmet: Unmet,
}

/// What of a link between services is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// The route takes longer than it may.
    Latency {
        /// At most this was asked for.
        required: SimDuration,
        /// The route's.
        actual: SimDuration,
    },
    /// The route is narrower than it may be.
    Bandwidth {
        /// At least this was asked for.
        required: Bandwidth,
        /// The route's.
        actual: Bandwidth,
    },
    /// There is no route at all.
    NoRoute,
}

/// `frontend -> cart: latency 62ms, required at most 50ms`.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}: ", self.from, self.to)?;
        match self.unmet {
            Unmet::Latency { required, actual } => {
                write!(f, "latency {actual}, required at most {required}")
            }
            Unmet::Bandwidth { required, actual } => {
                write!(f, "bandwidth {actual}, required at least {required}")
            }
            Unmet::NoRoute => f.write_str("no route"),
        }
    }
}

impl Scenario {
    /// Makes a run of it: draws the network, places the services and makes their actors, all anew.
    ///
    /// `seed` and `until` stand in for what the file says. The same seed gives the same run.
    ///
    /// # Errors
    /// What goes wrong under this seed and not under that of the file (another random network may
    /// lack a link that a fault names), and parameters that an actor reads but does not want.
    pub fn prepare(&self, seed: Option<u64>, until: Option<SimTime>) -> Result<Prepared, Mistakes> {
        let mut mistakes = Mistakes::none(self.source.clone());
        let seed = seed.unwrap_or(self.declared.seed);
        let plan = if seed == self.plan.seed {
            Some(self.plan.clone())
        } else {
            Plan::new(&self.declared, seed, &mut mistakes)
        };
        let outgoing = self.outgoing(&mut mistakes);
        let door = outgoing.as_ref().and_then(|outgoing| self.door(outgoing));
        let services = plan
            .as_ref()
            .map(|plan| self.cast(plan, door.as_ref(), outgoing.as_ref(), &mut mistakes))
            .unwrap_or_default();
        mistakes.into_result()?;
        let Some(plan) = plan else {
            // No plan without a mistake.
            return Err(Mistakes::of_file(&self.source.name, Mistake::new("no run comes of this scenario")));
        };
        let declared = &self.declared;
        let links = declared.links.as_ref().map(|links| {
            links.iter().map(|link| AppLink { from: link.from, to: link.to, ordering: link.ordering }).collect()
        });
        Ok(Prepared {
            name: declared.name.clone(),
            network: NetworkSummary { nodes: plan.topology.node_count(), links: plan.topology.link_count() },
            violations: self.violations(&plan),
            expectations: declared.expectations.clone(),
            door,
            outside: self.outside(),
            setup: Setup {
                seed,
                topology: plan.topology,
                model: declared.model,
                ordering: declared.ordering,
                timeout: declared.timeout,
                services,
                links,
                changes: plan.changes,
                policies: declared.policies.clone(),
                supervision: plan.supervision,
                monitors: declared.expectations.iter().filter_map(Expectation::monitor).cloned().collect(),
                until: until.or(declared.until),
                routing: Routing { gateways: plan.gateways, directories: declared.directories.clone() },
            },
        })
    }

    /// The way out of a run of it, if it has one.
    fn outgoing(&self, mistakes: &mut Mistakes) -> Option<Arc<dyn Outbound>> {
        let has_door = |service: &Service| !matches!(service.part, Part::Actor(_));
        if !self.declared.services.iter().any(has_door) {
            return None;
        }
        match Outgoing::new() {
            Ok(outgoing) => Some(Arc::new(outgoing)),
            Err(error) => {
                mistakes.add_file(Mistake::new(format!("there is no way out of a run: {error}")));
                None
            }
        }
    }

    /// The way into a run of it.
    fn door(&self, outgoing: &Arc<dyn Outbound>) -> Option<Door> {
        self.declared.services.iter().find_map(|service| {
            let Part::Gateway(gateway) = &service.part else { return None };
            let exposes = gateway.exposes.as_ref();
            Some(Door {
                gateway: service.name.value.clone(),
                entrance: Entrance::new(),
                registry: OutsideRegistry::new(outgoing.clone()),
                exposes: exposes.map(|patterns| patterns.iter().map(|pattern| pattern.value.clone()).collect()),
            })
        })
    }

    /// The services that live outside.
    fn outside(&self) -> Vec<String> {
        let lives_outside = |service: &&Service| matches!(service.part, Part::External(_));
        self.declared.services.iter().filter(lives_outside).map(|service| service.name.value.clone()).collect()
    }

    /// Makes the actors.
    fn cast(
        &self,
        plan: &Plan,
        door: Option<&Door>,
        outgoing: Option<&Arc<dyn Outbound>>,
        mistakes: &mut Mistakes,
    ) -> Vec<ServiceSpec> {
        let mut specs = Vec::with_capacity(plan.nodes.len());
        for (service, &node) in self.declared.services.iter().zip(&plan.nodes) {
            let name = service.name.value.clone();
            let params = service.params.map_or("()", |span| self.source.slice(span));
            let spec = match (&service.part, door.zip(outgoing)) {
                (Part::Actor(Some(factory)), _) => factory.make(params).map(|cast| ServiceSpec {
                    recast: Some(anew(factory, params)),
                    ..ServiceSpec::new(name, node, cast)
                }),
                (Part::Gateway(_), Some((door, _))) => {
                    Ok(Gateway::registering(name, node, &door.entrance, &door.registry))
                }
                (Part::External(url), Some((_, outgoing))) => Ok(External::at(name, node, url, outgoing.clone())),
                // A mistake that was found when the file was read.
                (Part::Actor(None) | Part::Gateway(_) | Part::External(_), _) => continue,
            };
            match spec {
                Ok(spec) => specs.push(ServiceSpec {
                    step_every: service.step_every,
                    keep_step_values: service.keep_steps,
                    provides: service.provides,
                    router: service.membership.router,
                    vnets: service.membership.vnets.clone(),
                    permissions: service.membership.permissions.clone(),
                    ..spec
                }),
                Err(Refusal::Unwanted(why)) => {
                    let message = format!("service `{}`: {}", quoted(&service.name.value), said(&why));
                    mistakes.add(service.at, Mistake::with_advice(&message));
                }
                Err(Refusal::Unreadable(error)) => {
                    mistakes.add(service.at, Mistake::new(syntax::message(&error)));
                }
            }
        }
        specs
    }

    /// What the network at the start does not give of what links between services ask for.
    pub(super) fn violations(&self, plan: &Plan) -> Vec<Violation> {
        let services = &self.declared.services;
        let mut violations = Vec::new();
        for link in self.declared.links.iter().flatten() {
            if link.latency.is_none() && link.bandwidth.is_none() {
                continue;
            }
            let mut violate = |unmet| {
                let name = |index: usize| services[index].name.value.clone();
                violations.push(Violation { from: name(link.from), to: name(link.to), unmet });
            };
            let (from, to) = (plan.nodes[link.from], plan.nodes[link.to]);
            if from == to {
                continue;
            }
            let Some(route) = routes::explain(&plan.topology, from, to, Bytes(0)) else {
                violate(Unmet::NoRoute);
                continue;
            };
            let actual = route.hops.iter().map(|hop| plan.topology.link(hop.link).latency).sum();
            if let Some(required) = link.latency.filter(|&required| actual > required) {
                violate(Unmet::Latency { required, actual });
            }
            let links = route.hops.iter().map(|hop| plan.topology.link(hop.link).bandwidth);
            let actual = links.fold(Bandwidth::Unlimited, narrower);
            if let Some(required) = link.bandwidth.filter(|&required| narrower(actual, required) != required) {
                violate(Unmet::Bandwidth { required, actual });
            }
        }
        violations
    }
}

/// Makes a service's actor for each further life, from the same parameters.
fn anew(factory: &Arc<dyn Factory>, params: &str) -> Recast {
    let (factory, params) = (Arc::clone(factory), params.to_owned());
    Box::new(move || {
        factory.make(&params).map_err(|refusal| match refusal {
            Refusal::Unwanted(why) => why,
            Refusal::Unreadable(error) => error.to_string(),
        })
    })
}

/// The lesser of two bandwidths.
fn narrower(a: Bandwidth, b: Bandwidth) -> Bandwidth {
    match (a, b) {
        (Bandwidth::Unlimited, other) | (other, Bandwidth::Unlimited) => other,
        (Bandwidth::BitsPerSecond(a), Bandwidth::BitsPerSecond(b)) => Bandwidth::BitsPerSecond(a.min(b)),
    }
}
