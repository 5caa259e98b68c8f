//! Figures of a run while it goes on: what a page of metrics is made of.
//!
//! Taking them sends nothing, takes no virtual time and changes nothing: a run that is looked at has the
//! same trace hash as one that is not. It costs a look at every request that is open, at the links' queues,
//! at the buckets of the latency histograms, and at the services that are told of one by one.
//!
//! ```
//! use rehearsal_actors::outcome::{Interface, OutcomeKind};
//! use rehearsal_actors::outside::observation::Observation;
//! use rehearsal_actors::prelude::*;
//!
//! struct Looker;
//!
//! impl Service for Looker {
//!     async fn step(&self, io: &ServiceIo) -> StepResult {
//!         io.mpi().send("listener", "hello".to_owned()).await?;
//!         let seen = Observation::take(io, &[SimDuration::from_millis(5), SimDuration::from_millis(50)]);
//!         assert_eq!(seen.outcomes[&(Interface::Mpi, OutcomeKind::Ack)], 1);
//!         assert_eq!(seen.latencies[&Interface::Mpi].counts, [1, 1]);
//!         assert_eq!((seen.services.up, seen.services.down), (2, 0));
//!         io.count("looked", 1);
//!         Ok(Step::Stop)
//!     }
//! }
//! struct Listener;
//! impl Service for Listener {}
//!
//! # use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup, run};
//! # use rehearsal_actors::topology::{Node, Topology};
//! # let mut topology = Topology::new();
//! # let node = topology.add_node(Node::new("a")).unwrap();
//! # let mut setup = Setup::new(1, topology);
//! # setup.services.push(ServiceSpec::new("looker", node, Cast::service(Looker)));
//! # setup.services.push(ServiceSpec::new("listener", node, Cast::service(Listener)));
//! # assert_eq!(run(setup, None, Default::default()).unwrap().counters["looked"], 1);
//! ```

use std::collections::BTreeMap;

use crate::network::Network;
use crate::network::seats::Presence;
use crate::outcome::{Interface, OutcomeKind};
use crate::report::{DirectoryReport, Latencies, RestartCause, Traffic};
use crate::service::ServiceIo;
use crate::trace::ServiceId;
use crate::units::{Bytes, SimDuration, SimTime};

/// So many services, in order of declaration, are told of one by one; of the others there are counts only.
/// A page of metrics has a line for each.
pub const SERVICES_TOLD: usize = 1000;

/// So many links whose queues are not empty are told of.
pub const LINKS_TOLD: usize = 1000;

/// What is known of a run at one moment. All counts are since its beginning, and only ever grow, unless they
/// say what there is at the moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The moment.
    pub at: SimTime,
    /// What became of the messages so far; those that are on their way at the moment are
    /// [in flight](Traffic::in_flight).
    pub traffic: Traffic,
    /// How many requests of each interface ended in each way.
    pub outcomes: BTreeMap<(Interface, OutcomeKind), u64>,
    /// How many requests of each interface are open at the moment.
    pub open: BTreeMap<Interface, u64>,
    /// From sending to delivery for messages, and from request to outcome for calls.
    pub latencies: BTreeMap<Interface, Buckets>,
    /// How many services there are at the moment.
    pub services: Count,
    /// The first of them, up to [`SERVICES_TOLD`], in order of declaration.
    pub each: Vec<Observed>,
    /// How often each child (a service or a supervisor, by name) was restarted, and why.
    pub restarts: BTreeMap<(String, RestartCause), u64>,
    /// How often each service panicked or failed with an error, by name.
    pub failures: BTreeMap<String, u64>,
    /// Panics that hosts caught.
    pub panics: u64,
    /// What waits before links at the moment, in the queued model: up to [`LINKS_TOLD`] queues.
    pub queues: Vec<Queued>,
    /// What directories did.
    pub directories: DirectoryReport,
}

/// Latencies, as a Prometheus histogram tells them.
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets {
    /// How many were no longer than each of the bounds asked for.
    pub counts: Vec<u64>,
    /// How many there are.
    pub count: u64,
    /// All together, in seconds.
    pub sum_secs: f64,
}

impl Buckets {
    fn of(latencies: &Latencies, bounds: &[SimDuration]) -> Self {
        let (counts, count) = (latencies.counts_up_to(bounds), latencies.count());
        Buckets { counts, count, sum_secs: latencies.sum_secs() }
    }
}

/// How many services there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that have begun, and have neither ended nor failed since.
    pub up: u64,
    /// Those that have yet to begin, wait for their restart, or are gone for good.
    pub down: u64,
}

/// One service at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// What it is called.
    pub name: String,
    /// The node that it stands on.
    pub node: String,
    /// Whether it is there.
    pub up: bool,
    /// How many lives it has had, the present one included. 0 if it has yet to begin.
    pub lives: u32,
    /// Messages that it sent.
    pub sent: u64,
    /// Messages that it got.
    pub received: u64,
    /// Messages that lie in its inbox.
    pub inbox: usize,
    /// Requests and events that its handlers are at work on.
    pub in_hand: usize,
}

/// What waits before one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The node that the link leads from.
    pub from: String,
    /// The node that it leads to.
    pub to: String,
    /// How many messages wait until it is free.
    pub messages: u64,
    /// How large they are.
    pub bytes: Bytes,
}

impl Observation {
    /// Looks at the run that this service lives in. `bounds`: those of the latencies' buckets, ascending.
    pub fn take(io: &ServiceIo, bounds: &[SimDuration]) -> Self {
        let network = &*io.desk.network;
        let (services, each) = services(network);
        let restarts = network.overseer().map(|overseer| overseer.restarts()).unwrap_or_default();
        let (open, queues) = (network.open_requests(), queues(network));
        // Whoever is asked for anything else may look into the ledger, too.
        let mut ledger = network.ledger.borrow_mut();
        let buckets = |(interface, latencies)| (interface, Buckets::of(latencies, bounds));
        Observation {
            at: network.now(),
            traffic: ledger.traffic(),
            outcomes: ledger.outcomes(),
            open,
            latencies: ledger.latencies().map(buckets).collect(),
            services,
            each,
            restarts,
            failures: ledger.supervision.unexplained.clone(),
            panics: ledger.panic_count,
            queues,
            directories: ledger.directories.clone(),
        }
    }
}

fn services(network: &Network) -> (Count, Vec<Observed>) {
    let overseer = network.overseer();
    let seats = network.seats.borrow();
    let mut count = Count::default();
    let mut each = Vec::new();
    for service in (0..network.positions.services() as u32).map(ServiceId) {
        let presence = seats.presence(service);
        let up = presence == Presence::Running;
        *(if up { &mut count.up } else { &mut count.down }) += 1;
        if each.len() >= SERVICES_TOLD {
            continue;
        }
        let (sent, received) = network.tallies.of(service);
        let load = overseer.as_ref().and_then(|overseer| overseer.load_of(service)).unwrap_or_default();
        each.push(Observed {
            name: network.name_of(service),
            node: network.topology(|topology| topology.node(network.positions.node_of(service)).name.clone()),
            up,
            lives: if presence == Presence::Expected { 0 } else { seats.incarnation(service) },
            sent,
            received,
            inbox: load.inbox,
            in_hand: load.in_hand,
        });
    }
    (count, each)
}

fn queues(network: &Network) -> Vec<Queued> {
    let waiting = network.queued();
    network.topology(|topology| {
        let queue = |(link, messages, bytes)| {
            let (from, to) = topology.ends(link);
            let [from, to] = [from, to].map(|node| topology.node(node).name.clone());
            Queued { from, to, messages, bytes: Bytes(bytes) }
        };
        waiting.into_iter().take(LINKS_TOLD).map(queue).collect()
    })
}
