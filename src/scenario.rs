//! Scenario files: who plays, on which network, and what goes wrong when.
//!
//! A scenario is a [RON](https://github.com/ron-rs/ron) file. Everything optional may be left out:
//!
//! ```ron
//! Scenario(
//!     version: 1,
//!     name: "SockShop",
//!     seed: 22,                       // default 0; another seed, another run
//!     until: "50s",                   // default: until nothing is left to happen
//!     timeout: "2s",                  // how long awaited calls wait if they do not say; default 2s
//!     model: RouteCost,               // or Queued
//!     ordering: Ordered,              // or Unordered: messages may overtake each other
//!     network: Explicit(
//!         nodes: [
//!             (name: "a", group: "edge", cpu: 4, gpu: 0, ram: "8GiB", storage: "100GiB",
//!              availability: 0.99, processing: "2ms"),
//!             (name: "b"),            // endless resources, always up, costs nothing to pass
//!         ],
//!         links: [
//!             // Without `symmetric: false` a link runs both ways.
//!             (from: "a", to: "b", latency: "10ms", bandwidth: "100Mbit/s", jitter: "1ms",
//!              loss: 0.01, duplication: 0.0, queue_limit: "64KiB"),
//!         ],
//!     ),
//!     placement: Random,              // or Static, RoundRobin, FirstFit, BestFit
//!     services: [
//!         (name: "frontend", actor: "shop/frontend", node: "a", cpu: 1, gpu: 0, ram: "512MiB",
//!          storage: "1GiB", availability: 0.9, step_every: "500ms", keep_steps: 10),
//!         (name: "cart", actor: "shop/cart", params: (items: 3)),
//!         (name: "orders", actor: "shop/orders", with: "cart"), // on the node of `cart`
//!         // Where it has its connections for raw messages, and what directories may show it.
//!         // With `provides: true` a service registers its interfaces there by itself.
//!         (name: "phone book", actor: "directory", router: 1, vnets: ["shop"], permissions: ["clerk"]),
//!         // By which others come in when it is served, and what they may call without a token
//!         // (left out: everything, unless it is served with a token; `events` and `ping` may stand among
//!         // them); and somebody outside, who is reached by way of it.
//!         (name: "gateway", gateway: (exposes: ["frontend", "cart/items/*", "orders.status"]), node: "a"),
//!         (name: "payment", external: "http://127.0.0.1:9000/api"),
//!     ],
//!     links: [                        // left out: everyone may speak to everyone
//!         // Both ways again. Latency (at most) and bandwidth (at least) are requirements.
//!         (from: "frontend", to: "cart", latency: "50ms", bandwidth: "5Mbit/s", ordering: Unordered),
//!     ],
//!     directories: ["phone book"],    // services that everybody knows as directories, the best first
//!     gateways: [                     // what machine `a` says to others goes by way of machine `b`
//!         (machine: "a", by: "b"),
//!     ],
//!     // Who restarts whom, as in Erlang/OTP. Left out: a one-for-one root restarts every service.
//!     supervision: Supervisor(
//!         name: "root",
//!         strategy: OneForOne,        // or OneForAll, RestForOne
//!         restarts: 3, period: "5s",  // default 1 in 5s; one more, and the supervisor gives up
//!         backoff: (first: "100ms", most: "10s", jitter: 0.1), // default: restarts at once
//!         children: [                 // in the order of their start; services not named come last
//!             "frontend",             // permanent, 5s to end, what is queued is returned
//!             (service: "cart", restart: Transient, shutdown: "2s", queued: Keep, fallback: ["b"]),
//!             Supervisor(name: "back office", restart: Temporary, shutdown: Infinity, children: ["orders"]),
//!         ],
//!     ),
//!     faults: [
//!         (at: "10s", change: NodeDown("b")),
//!         (at: "12s", change: NodeUp("b")),
//!         (at: "13s", change: Kill("cart")),                   // a service or supervisor dies
//!         (at: "13s", change: NodeCrash("a")),                 // goes down, and its services die
//!         (at: "14s", change: NodeRestart("a")),               // comes up, and they come back
//!         (at: "14s", change: LinkDown(from: "a", to: "b")),   // both ways, as above
//!         (at: "15s", change: LinkUp(from: "a", to: "b")),
//!         (at: "20s", change: Partition(left: ["edge"], right: ["b"])), // nodes or groups; no `right`: the rest
//!         (at: "25s", change: Heal),                           // or Heal(left: ["edge"], right: ["b"])
//!         (at: "30s", change: Latency(from: "a", to: "b", value: "80ms")),
//!         (at: "30s", change: Bandwidth(from: "a", to: "b", value: "1Mbit/s", symmetric: false)),
//!         (at: "30s", change: Loss(from: "a", to: "b", value: 0.2)),
//!     ],
//!     policies: [
//!         Flap(every: "500ms", down: 0.02, up: 0.5, on: [Nodes]),  // or [Links], or both
//!         Drift(every: "500ms", latency: (0.9, 1.1), bandwidth: (0.95, 1.05), processing: (0.9, 1.1)),
//!         Kill(every: "5s", chance: 0.1, services: ["cart"]), // left out: any service
//!     ],
//!     // What must hold; a run of which it does not ends with exit code 1.
//!     expect: [
//!         // Outcomes and their latencies, of one interface or (left out) of all.
//!         Outcomes(interface: Rest, kind: Reply, at_least: 100), // or `at_most`, or both, or `exactly`
//!         Ratio(interface: Rest, kinds: [Reply, Ack], at_least: 0.99),
//!         Latency(interface: Rest, percentile: 99, at_most: "200ms"),
//!         // Of one service or (left out) of any.
//!         Recovery(service: "cart", at_most: "2s"),   // from failure to the first good reply
//!         Restarts(service: "cart", at_most: 5),      // or `supervisor: "root"`: those it carried out
//!         Failures(service: "cart", at_most: 3),      // panics and errors: without it, none may be
//!         // Named counters: at the end, and while the run goes on.
//!         Counter(name: "orders placed", service: "frontend", at_least: 10),
//!         Always(counter: "orders shipped", at_most: "orders paid"), // or a number
//!         Eventually(counter: "orders placed", at_least: 10, by: "20s"), // no `by`: at last
//!     ],
//! )
//! ```
//!
//! A child's `restart` is `Permanent`, `Transient` or `Temporary`; its `shutdown` is `Kill`, `Infinity`
//! or a duration; `queued` is `Return` or `Keep`; and `fallback` lists the nodes on which a service
//! comes back if its own is down: the first that is up. See
//! [`supervision`](rehearsal_actors::supervision) for what these mean.
//!
//! A service has an `actor`, is the `gateway`, of which there is at most one, or is `external`. One that is
//! external stands where the gateway does: requests and calls of others cross the network to there, and
//! then go out for real, as HTTP requests below its URL and JSON-RPC calls to it. That takes the wall
//! clock's time, so that such a scenario runs paced alone (`--pace`, `serve`).
//!
//! `router` is 0 unless it is said: services with different routers on one node are as processes on one
//! machine. A gateway takes raw messages alone, one hop further: see [`router`](rehearsal_actors::router).
//!
//! Panics and errors that no fault caused end a run badly too, except those of services of which
//! `Failures` are expected. See [`expectations`](crate::expectations) for what is measured and when.
//!
//! Generated networks are written `Star(nodes: 5)`, `Hierarchical(nodes: 30, partition: [0.6, 0.4],
//! joined: 0.3, within: 0.1)`, `Random(nodes: 20, chance: 0.2)`, `ScaleFree(nodes: 20, attachments:
//! 2)`, `SmallWorld(nodes: 20, neighbours: 4, rewiring: 0.1)` and `FatTree(k: 4)`; see
//! [`Shape`](rehearsal_actors::topology::generate::Shape) for what they are and how they name their
//! nodes. Each also takes what to draw for its links and nodes, as one value or as a range from
//! least to most: `latency: ("1ms", "40ms")`, `bandwidth: ("50Mbit/s", "1500Mbit/s")`, `processing`,
//! `cpu`, `gpu`, `ram`, `storage`, and `symmetric: false` to draw each direction by itself.
//!
//! This module knows the network and the simulation as plain data; it runs nothing.

mod blank;
mod decode;
mod doors;
mod expectations;
mod explicit;
mod faults;
mod fields;
mod mistakes;
mod network;
mod plan;
mod policies;
mod prepare;
mod routing;
mod services;
mod source;
mod strikes;
mod supervision;
mod syntax;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rehearsal_actors::changes::Policy;
use rehearsal_actors::router::KnownDirectory;
use rehearsal_actors::simulation::{LinkModel, Ordering};
use rehearsal_actors::topology::Topology;
use rehearsal_actors::topology::placement::Strategy;
use rehearsal_actors::units::{SimDuration, SimTime};

use crate::expectations::Expectation;
use crate::registry::Registry;

pub use mistakes::{Mistake, Mistakes};
pub use prepare::{Door, NetworkSummary, Prepared, Unmet, Violation};

pub(crate) use decode::options as parameter_options;

use decode::{Kind, Raw};
use faults::Fault;
use network::Network;
use plan::Plan;
use routing::Gateway;
use services::{ORDERINGS, Service, ServiceLink};
use source::Source;
use strikes::Victims;
use supervision::Tree;

/// The version of the format that is read.
pub const VERSION: u64 = 1;

/// How long awaited calls wait when neither they nor the scenario say: 2 s.
pub const DEFAULT_TIMEOUT: SimDuration = SimDuration::from_secs(2);

/// A scenario without mistakes.
///
/// ```
/// use rehearsal::registry::Registry;
/// use rehearsal::scenario::Scenario;
///
/// let text = r#"
/// Scenario(
///     version: 1,
///     name: "two machines",
///     network: Explicit(
///         nodes: [(name: "edge"), (name: "cloud", processing: "2ms")],
///         links: [(from: "edge", to: "cloud", latency: "10ms", bandwidth: "100Mbit/s")],
///     ),
///     services: [],
/// )"#;
/// let scenario = Scenario::parse("two.ron", text, &Registry::stock())?;
/// assert_eq!(scenario.name(), "two machines");
/// assert_eq!(scenario.topology().node_count(), 2);
/// // The link runs both ways.
/// assert_eq!(scenario.topology().link_count(), 2);
/// # Ok::<(), rehearsal::scenario::Mistakes>(())
/// ```
pub struct Scenario {
    source: Arc<Source>,
    declared: Declared,
    /// Under the seed of the file.
    plan: Plan,
}

/// What the file says, whatever the seed.
pub(crate) struct Declared {
    name: String,
    seed: u64,
    until: Option<SimTime>,
    timeout: SimDuration,
    model: LinkModel,
    ordering: Ordering,
    placement: Strategy,
    /// Nothing, if it could not be read.
    network: Option<Network>,
    services: Vec<Service>,
    /// Each service's position, by name.
    indices: BTreeMap<String, usize>,
    links: Option<Vec<ServiceLink>>,
    supervision: Option<Tree>,
    directories: Vec<KnownDirectory>,
    gateways: Vec<Gateway>,
    faults: Vec<Fault>,
    policies: Vec<Policy>,
    expectations: Vec<Expectation>,
}

impl Scenario {
    /// Reads a scenario file. Services name actors of the registry.
    ///
    /// # Errors
    /// Everything that is wrong with the file, as far as one mistake does not hide another: that it
    /// cannot be read, is larger than 16 MiB or no RON; what the format does not know; and what
    /// cannot be under the seed of the file, such as services that fit nowhere.
    pub fn load(path: impl AsRef<Path>, registry: &Registry) -> Result<Scenario, Mistakes> {
        Scenario::read(Source::read(path.as_ref())?, registry)
    }

    /// Reads a scenario from memory. Mistakes call it by the given name.
    ///
    /// # Errors
    /// As those of [`Scenario::load`].
    pub fn parse(name: &str, source: impl Into<Vec<u8>>, registry: &Registry) -> Result<Scenario, Mistakes> {
        Scenario::read(Source::decode(name, source.into())?, registry)
    }

    fn read(source: Source, registry: &Registry) -> Result<Scenario, Mistakes> {
        let source = Arc::new(source);
        let mut mistakes = Mistakes::none(Arc::clone(&source));
        let declared = Declared::read(&source.text, registry, &mut mistakes);
        let plan = declared.as_ref().and_then(|declared| Plan::new(declared, declared.seed, &mut mistakes));
        mistakes.into_result()?;
        match (declared, plan) {
            (Some(declared), Some(plan)) => Ok(Scenario { source, declared, plan }),
            // What is not there has left a mistake.
            _ => Err(Mistakes::of_file(&source.name, Mistake::new("this is no scenario"))),
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.declared.name
    }

    /// The seed of the file.
    pub fn seed(&self) -> u64 {
        self.declared.seed
    }

    /// The network, under the seed of the file.
    pub fn topology(&self) -> &Topology {
        &self.plan.topology
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario")
            .field("name", &self.declared.name)
            .field("seed", &self.declared.seed)
            .field("nodes", &self.plan.topology.node_count())
            .field("services", &self.declared.services.len())
            .finish_non_exhaustive()
    }
}

impl Declared {
    fn read(text: &str, registry: &Registry, mistakes: &mut Mistakes) -> Option<Declared> {
        const MODELS: [(&str, LinkModel); 2] = [("RouteCost", LinkModel::RouteCost), ("Queued", LinkModel::Queued)];
        const STRATEGIES: [(&str, Strategy); 5] = [
            ("Static", Strategy::Static),
            ("Random", Strategy::Random),
            ("RoundRobin", Strategy::RoundRobin),
            ("FirstFit", Strategy::FirstFit),
            ("BestFit", Strategy::BestFit),
        ];
        let mut fields = scenario(Raw::of_file(text, mistakes)?, mistakes)?.fields("a scenario", mistakes)?;
        if let Some(raw) = fields.required("version", "1", mistakes)
            && raw.head() != "1"
        {
            let mistake = Mistake::new(format!("version {} of the format is not known", mistakes::quoted(raw.head())));
            mistakes.add(raw.span(), mistake.label(format!("this program reads version {VERSION}")));
            // Every other mistake would be hearsay.
            return None;
        }
        let name = fields.required("name", "\"my first scenario\"", mistakes);
        let name = name.and_then(|raw| raw.name("a scenario", mistakes));
        let seed = fields.optional("seed", mistakes).and_then(|raw| raw.whole(0, u64::MAX, mistakes));
        let until = fields.optional("until", mistakes).and_then(|raw| read_until(raw, mistakes));
        let timeout = fields.optional("timeout", mistakes).and_then(|raw| raw.some_time("a timeout", mistakes));
        let model = fields.optional("model", mistakes);
        let model = model.and_then(|raw| raw.choice("a link model", &MODELS, mistakes));
        let ordering = fields.optional("ordering", mistakes);
        let ordering = ordering.and_then(|raw| raw.choice("an ordering", &ORDERINGS, mistakes));
        let placement = fields.optional("placement", mistakes);
        let placement = placement.and_then(|raw| raw.choice("a placement", &STRATEGIES, mistakes));
        let network = fields.required("network", "Star(nodes: 5)", mistakes);
        let network = network.and_then(|raw| Network::read(raw, mistakes));
        let services = fields.optional("services", mistakes);
        let services = services.and_then(|raw| services::read_services(raw, registry, mistakes));
        let (services, indices) = services.unwrap_or_default();
        let links = fields.optional("links", mistakes);
        let links = links.and_then(|raw| services::read_links(raw, &indices, mistakes));
        let supervision = fields.optional("supervision", mistakes);
        let supervision = supervision.and_then(|raw| Tree::read(raw, &services, &indices, mistakes));
        let directories = fields.optional("directories", mistakes);
        let directories = directories.map(|raw| routing::read_directories(raw, &indices, mistakes));
        let gateways = fields.optional("gateways", mistakes).map(|raw| routing::read_gateways(raw, mistakes));
        let victims = Victims { services: &indices, supervision: supervision.as_ref() };
        let faults = fields.optional("faults", mistakes).map(|raw| faults::read_faults(raw, until, &victims, mistakes));
        let policies = fields.optional("policies", mistakes);
        let policies = policies.map(|raw| policies::read_policies(raw, &victims, mistakes));
        let expectations = fields.optional("expect", mistakes);
        let expectations = expectations.map(|raw| expectations::read_expectations(raw, &victims, mistakes));
        fields.finish(mistakes);
        Some(Declared {
            name: name.map(|name| name.value).unwrap_or_default(),
            seed: seed.unwrap_or(0),
            until,
            timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
            model: model.unwrap_or_default(),
            ordering: ordering.unwrap_or_default(),
            placement: placement.unwrap_or_default(),
            network,
            services,
            indices,
            links,
            supervision,
            directories: directories.unwrap_or_default(),
            gateways: gateways.unwrap_or_default(),
            faults: faults.unwrap_or_default(),
            policies: policies.unwrap_or_default(),
            expectations: expectations.unwrap_or_default(),
        })
    }
}

/// What stands in the parentheses of `Scenario(...)`, or of `(...)`.
fn scenario<'a>(raw: Raw<'a>, mistakes: &mut Mistakes) -> Option<Raw<'a>> {
    match raw.variant() {
        None if raw.kind() == Kind::Struct => Some(raw),
        Some((word, rest)) if word.value == "Scenario" && rest.kind() == Kind::Struct => Some(rest),
        _ => {
            raw.unexpected("`Scenario(version: 1, name: ...)`", mistakes);
            None
        }
    }
}

fn read_until(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<SimTime> {
    let until: SimTime = raw.quantity(mistakes)?;
    if until == SimTime::ZERO {
        mistakes.add(raw.span(), Mistake::new("a run of no time at all").label("write more than zero"));
        return None;
    }
    Some(until)
}
