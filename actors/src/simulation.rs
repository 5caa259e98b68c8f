//! A run from its beginning to its end: a [`Setup`] goes in, a [`Report`] comes out.
//!
//! ```
//! use std::sync::Arc;
//! use rehearsal_actors::prelude::*;
//! use rehearsal_actors::simulation::{Cast, Progress, ServiceSpec, Setup, run};
//! use rehearsal_actors::topology::{Link, Node, Topology};
//! use rehearsal_actors::units::SimDuration;
//!
//! struct Caller;
//! impl Service for Caller {
//!     async fn step(&self, io: &ServiceIo) -> StepResult {
//!         let sent = io.mpi().send("listener", "hello".to_owned()).await?;
//!         assert_eq!(sent.elapsed, SimDuration::from_millis(10));
//!         Ok(Step::Stop)
//!     }
//! }
//! struct Listener;
//! impl Service for Listener {}
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut topology = Topology::new();
//! let a = topology.add_node(Node::new("a"))?;
//! let b = topology.add_node(Node::new("b"))?;
//! topology.add_symmetric(a, b, Link::new(SimDuration::from_millis(10)))?;
//! let mut setup = Setup::new(1, topology);
//! setup.services.push(ServiceSpec::new("caller", a, Cast::service(Caller)));
//! setup.services.push(ServiceSpec::new("listener", b, Cast::service(Listener)));
//! let report = run(setup, None, Arc::new(Progress::default()))?;
//! assert_eq!(report.traffic.delivered, 1);
//! # Ok(())
//! # }
//! ```

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;

use crate::changes::{Policy, PolicyState, ScheduledChange};
use crate::context::{Accepts, Networked, ServiceCell};
use crate::interfaces::rest::Endpoints;
use crate::monitors::{Monitor, Watch};
use crate::network::ledger::Ledger;
use crate::network::pump::{NetworkActor, Run, Schedule};
use crate::network::seats::{Neighbours, Presence, Seats};
use crate::network::{Network, Parts};
use crate::panics::{self, Caught};
use crate::random::Streams;
pub use crate::report::Progress;
use crate::report::{DirectoryReport, Ending, Latencies, Report, ServiceReport};
use crate::router::RouterActor;
pub use crate::rules::{LinkModel, Ordering};
use crate::service::Service;
use crate::service::desk::Desk;
use crate::service::host::ServiceHost;
use crate::supervision::Supervisor;
use crate::topology::{NodeId, Topology};
use crate::trace::{ServiceId, TraceNames, TraceSink};
use crate::units::{SimDuration, SimTime};

mod checks;

/// What a service is made with when the run begins.
struct Casting<'a> {
    network: &'a Rc<Network>,
    id: ServiceId,
    step_every: Option<SimDuration>,
    keep_step_values: usize,
}

/// A service in its place.
struct Made {
    start: Box<dyn FnOnce()>,
    desk: Option<Rc<Desk>>,
}

type Make = Box<dyn FnOnce(Casting<'_>) -> Result<Made, BadStart>>;

/// Why one service cannot be made.
struct BadStart {
    endpoint: String,
    reason: String,
}

/// What stands behind a service's name: an async [`Service`], or an actor with handlers.
pub struct Cast(Make);

impl Cast {
    /// An async service.
    pub fn service<S: Service>(service: S) -> Cast {
        Cast(Box::new(move |casting| {
            let Casting { network, id, step_every, keep_step_values } = casting;
            let mut endpoints = Endpoints::new();
            S::endpoints(&mut endpoints);
            if let Some(mistake) = endpoints.take_mistakes().into_iter().next() {
                return Err(BadStart { endpoint: mistake.endpoint, reason: mistake.reason });
            }
            let desk = Rc::new(Desk::new(network.clone(), id, keep_step_values));
            let host = ServiceHost {
                service: Rc::new(service),
                endpoints: Rc::new(endpoints),
                desk: desk.clone(),
                step_every,
                handling: Rc::new(Cell::new(0)),
            };
            let start = seat(network, id, host);
            Ok(Made { start, desk: Some(desk) })
        }))
    }

    /// An Actix actor with typed handlers.
    pub fn actor<A: Networked>(actor: A) -> Cast {
        Cast(Box::new(move |casting| {
            let start = seat(casting.network, casting.id, actor);
            Ok(Made { start, desk: None })
        }))
    }
}

/// Puts an actor into its place; the result starts it.
fn seat<A: Networked>(network: &Rc<Network>, id: ServiceId, actor: A) -> Box<dyn FnOnce()> {
    let cell = ServiceCell::new(network, id, actor);
    A::accepts(&mut Accepts { cell: cell.clone(), network: network.clone(), id });
    Box::new(move || cell.start())
}

/// One service of the application.
pub struct ServiceSpec {
    /// What others call it; unique.
    pub name: String,
    /// What it is.
    pub cast: Cast,
    /// Where it stands.
    pub node: NodeId,
    /// Steps begin no more often than this; `None`: as soon as the last one ended.
    pub step_every: Option<SimDuration>,
    /// How many of the most recent step values to keep.
    pub keep_step_values: usize,
}

impl ServiceSpec {
    /// A service that steps without pause and keeps no values.
    pub fn new(name: impl Into<String>, node: NodeId, cast: Cast) -> Self {
        ServiceSpec { name: name.into(), cast, node, step_every: None, keep_step_values: 0 }
    }
}

/// A directed link of the application graph, by positions in [`Setup::services`].
#[derive(Clone, Debug)]
pub struct AppLink {
    /// Who may send.
    pub from: usize,
    /// To whom.
    pub to: usize,
    /// Overrides [`Setup::ordering`].
    pub ordering: Option<Ordering>,
}

/// Everything that decides a run.
pub struct Setup {
    /// The seed of every random stream.
    pub seed: u64,
    /// The network.
    pub topology: Topology,
    /// How its links treat what they carry.
    pub model: LinkModel,
    /// Whether messages of a pair may overtake each other.
    pub ordering: Ordering,
    /// How long awaited calls wait when they do not say. 2 s by default.
    pub timeout: SimDuration,
    /// The services.
    pub services: Vec<ServiceSpec>,
    /// `None`: every service may speak to every other.
    pub links: Option<Vec<AppLink>>,
    /// What happens to the network at which time.
    pub changes: Vec<ScheduledChange>,
    /// What happens to it at a period.
    pub policies: Vec<Policy>,
    /// Who restarts whom. `None`: every service is a permanent child of a one-for-one root.
    pub supervision: Option<Supervisor>,
    /// What named counters are to keep to meanwhile.
    pub monitors: Vec<Monitor>,
    /// `None`: until nothing is left to happen.
    pub until: Option<SimTime>,
}

impl Setup {
    /// No services yet, and everything else as it is by default.
    pub fn new(seed: u64, topology: Topology) -> Self {
        Setup {
            seed,
            topology,
            model: LinkModel::default(),
            ordering: Ordering::default(),
            timeout: SimDuration::from_secs(2),
            services: Vec::new(),
            links: None,
            changes: Vec::new(),
            policies: Vec::new(),
            supervision: None,
            monitors: Vec::new(),
            until: None,
        }
    }
}

/// Why a run could not begin, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Two services would have one name.
    #[error("there are two services named `{0}`; give each a name of its own")]
    DuplicateService(String),
    /// A service, an application link or a change speaks of something that is not there.
    #[error("{what} is at position {index}, but there are only {count}")]
    OutOfRange {
        /// What is out of range.
        what: &'static str,
        /// Where it is said to be.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A change speaks of a supervisor that is not there.
    #[error("a change would kill the supervisor `{0}`, but there is none of that name")]
    UnknownSupervisor(String),
    /// A service registers an endpoint that cannot be.
    #[error("service `{service}` cannot register the endpoint `{endpoint}`: {reason}")]
    BadEndpoint {
        /// Whose.
        service: String,
        /// Method and pattern.
        endpoint: String,
        /// Why not.
        reason: String,
    },
    /// A service panicked before it could begin.
    #[error("service `{service}` panicked when it was made{}: {message}", place.as_ref().map(|p| format!(" at {p}")).unwrap_or_default())]
    Panicked {
        /// Whose.
        service: String,
        /// The panic's message.
        message: String,
        /// File, line and column, where known.
        place: Option<String>,
    },
    /// A run blocks its thread, which must not be inside another runtime.
    #[error("a run cannot start inside an asynchronous runtime; start it on a thread of its own")]
    InsideRuntime,
    /// The runtime underneath failed.
    #[error("the runtime failed: {0}")]
    Runtime(String),
}

/// Runs a setup to its end. Blocks the thread.
///
/// # Errors
/// The setup contradicts itself, or the thread is inside an asynchronous runtime already.
pub fn run(setup: Setup, sink: Option<Box<dyn TraceSink>>, progress: Arc<Progress>) -> Result<Report, StartError> {
    if tokio::runtime::Handle::try_current().is_ok() {
        return Err(StartError::InsideRuntime);
    }
    panics::install_hook();
    System::new().block_on(perform(setup, sink, progress))
}

async fn perform(
    setup: Setup,
    sink: Option<Box<dyn TraceSink>>,
    progress: Arc<Progress>,
) -> Result<Report, StartError> {
    checks::check(&setup)?;
    let Setup { seed, topology, model, ordering, timeout, services, links, changes, policies, .. } = setup;
    let (monitors, until) = (setup.monitors, setup.until);
    let by_name = names_of(&services, &topology)?;
    let neighbours = links.map(|links| neighbours_of(&links, services.len(), ordering)).transpose()?;
    let nodes: Vec<NodeId> = services.iter().map(|service| service.node).collect();
    let mut names: Vec<String> = services.iter().map(|service| service.name.clone()).collect();
    names.extend(topology.nodes().map(|(_, node)| format!("router@{}", node.name)));
    let ledger =
        Ledger::new(TraceNames { services: names }, sink).map_err(|error| StartError::Runtime(error.to_string()))?;
    let streams = Streams::new(seed);
    let policies: Vec<PolicyState> =
        policies.into_iter().enumerate().map(|(i, policy)| PolicyState::new(policy, i, &streams)).collect();
    let node_count = topology.node_count();
    let network = Network::new(Parts {
        seed,
        model,
        changes: !(changes.is_empty() && policies.is_empty()),
        timeout,
        seats: Seats::new(&nodes, neighbours, node_count, ordering),
        by_name,
        ledger,
        topology,
        watch: Watch::over(monitors),
    });
    for node in 0..node_count {
        seat(&network, ServiceId((services.len() + node) as u32), RouterActor)();
    }
    // What is down from the start is down when the first service starts.
    let mut schedule = Schedule::new(changes, policies);
    schedule.carry_out(&network);
    let desks = cast(&network, services).inspect_err(|_| network.abandon())?;
    let actor = NetworkActor { network: network.clone(), schedule, until, progress }.start();
    let ending = actor.send(Run).await.map_err(|error| StartError::Runtime(error.to_string()))?;
    Ok(report(&network, seed, ending, &desks))
}

/// Puts every service in its place, then starts them in their order.
fn cast(network: &Rc<Network>, services: Vec<ServiceSpec>) -> Result<Vec<Option<Rc<Desk>>>, StartError> {
    let mut starts = Vec::with_capacity(services.len());
    let mut desks = Vec::with_capacity(services.len());
    for (index, spec) in services.into_iter().enumerate() {
        let ServiceSpec { name, cast: Cast(make), step_every, keep_step_values, .. } = spec;
        let id = ServiceId(index as u32);
        let Made { start, desk } = match panics::catch(|| make(Casting { network, id, step_every, keep_step_values })) {
            Ok(Ok(made)) => made,
            Ok(Err(BadStart { endpoint, reason })) => {
                return Err(StartError::BadEndpoint { service: name, endpoint, reason });
            }
            Err(Caught { message, place }) => return Err(StartError::Panicked { service: name, message, place }),
        };
        starts.push(start);
        desks.push(desk);
    }
    for (index, start) in starts.into_iter().enumerate() {
        if let Err(caught) = panics::catch(start) {
            network.crash(ServiceId(index as u32), caught);
        }
    }
    Ok(desks)
}

fn names_of(services: &[ServiceSpec], topology: &Topology) -> Result<HashMap<String, ServiceId>, StartError> {
    let mut by_name = HashMap::with_capacity(services.len());
    for (index, service) in services.iter().enumerate() {
        if service.node.index() >= topology.node_count() {
            let (index, count) = (service.node.index(), topology.node_count());
            return Err(StartError::OutOfRange { what: "the node of a service", index, count });
        }
        if by_name.insert(service.name.clone(), ServiceId(index as u32)).is_some() {
            return Err(StartError::DuplicateService(service.name.clone()));
        }
    }
    Ok(by_name)
}

fn neighbours_of(links: &[AppLink], count: usize, default: Ordering) -> Result<Vec<Neighbours>, StartError> {
    let mut neighbours: Vec<BTreeMap<ServiceId, Ordering>> = vec![BTreeMap::new(); count];
    for link in links {
        for index in [link.from, link.to] {
            if index >= count {
                return Err(StartError::OutOfRange { what: "an end of an application link", index, count });
            }
        }
        neighbours[link.from].insert(ServiceId(link.to as u32), link.ordering.unwrap_or(default));
    }
    Ok(neighbours.into_iter().map(|map| map.into_iter().collect()).collect())
}

/// Ends the services and gathers what is known.
fn report(network: &Rc<Network>, seed: u64, ending: Ending, desks: &[Option<Rc<Desk>>]) -> Report {
    let ended_at = network.now();
    network.stop_all();
    let in_flight = network.in_flight();
    let unfinished = network.open_requests();
    network.dismantle();
    for (index, desk) in desks.iter().enumerate() {
        while let Some(letter) = desk.as_ref().and_then(|desk| desk.inbox.discard_first()) {
            network.drop_what_is_left(ServiceId(index as u32), letter);
        }
    }
    let mut counters: BTreeMap<String, u64> = BTreeMap::new();
    let mut services = Vec::with_capacity(desks.len());
    for (index, desk) in desks.iter().enumerate() {
        let service = service_report(network, ServiceId(index as u32), desk.as_deref());
        for (counter, count) in &service.counters {
            let sum = counters.entry(counter.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
        services.push(service);
    }
    let monitors = network.watch.as_ref().map(|watch| watch.borrow_mut().finish(ended_at)).unwrap_or_default();
    let mut ledger = network.ledger.borrow_mut();
    ledger.traffic.in_flight = in_flight;
    let distributions = ledger.distributions();
    Report {
        seed,
        ended_at,
        ending,
        traffic: ledger.traffic,
        outcomes: ledger.outcomes(),
        causes: ledger.take_causes(),
        unfinished,
        latency: distributions.deliveries.as_ref().and_then(Latencies::summary),
        latency_by_interface: distributions.summaries(),
        distributions,
        services,
        faults: ledger.faults(),
        counters,
        panics: std::mem::take(&mut ledger.panics),
        panic_count: ledger.panic_count,
        supervision: std::mem::take(&mut ledger.supervision),
        directories: DirectoryReport::default(),
        monitors,
        trace_hash: ledger.trace_hash(),
    }
}

fn service_report(network: &Network, id: ServiceId, desk: Option<&Desk>) -> ServiceReport {
    let seats = network.seats.borrow();
    let (sent, received) = seats.counts(id);
    let records = desk.map(|desk| std::mem::take(&mut *desk.records.borrow_mut())).unwrap_or_default();
    ServiceReport {
        name: network.name_of(id),
        node: network.topology(|topology| topology.node(seats.node_of(id)).name.clone()),
        sent,
        received,
        steps: records.steps,
        failed_steps: records.failed_steps,
        handled: records.handled,
        counters: network.counters_of(id),
        step_values: records.values.into(),
        crashed: seats.presence(id) == Presence::Crashed,
    }
}
