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

mod checks;
mod names;
mod reporting;
mod routing;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;

use crate::changes::{Policy, PolicyState, ScheduledChange};
pub use crate::clock::wall::{Pace, PaceError};
use crate::interfaces::events::BadSubscription;
use crate::interfaces::rest::BadEndpoint;
use crate::interfaces::rpc::BadInterface;
use crate::monitors::{Monitor, Watch};
use crate::network::ledger::Ledger;
use crate::network::pacing::Paced;
pub use crate::network::pacing::Pacing;
use crate::network::pump::{NetworkActor, Run};
use crate::network::schedule::Schedule;
use crate::network::{Network, Parts};
use crate::panics::{self, Caught};
use crate::random::Streams;
pub use crate::report::Progress;
use crate::report::Report;
use crate::router::{RouterActor, RouterId, Routing};
pub use crate::rules::{LinkModel, Ordering};
use crate::service::cast::{BadStart, Casting, seat};
pub use crate::service::cast::{Cast, Recast};
use crate::supervision::Supervisor;
use crate::supervision::lives::{Again, Lives, Role};
use crate::supervision::root::complete;
use crate::topology::{NodeId, Topology};
use crate::trace::{ServiceId, TraceNames, TraceSink};
use crate::units::{SimDuration, SimTime};

use names::{names_of, neighbours_of};
use reporting::report;
use routing::{check_routing, places, routers_of};

/// One service of the application.
pub struct ServiceSpec {
    /// What others call it; unique.
    pub name: String,
    /// What it is in its first life.
    pub cast: Cast,
    /// Makes it anew for every further life. Without it the service has one life.
    pub recast: Option<Recast>,
    /// Where it stands.
    pub node: NodeId,
    /// Steps begin no more often than this; `None`: as soon as the last one ended.
    pub step_every: Option<SimDuration>,
    /// How many of the most recent step values to keep.
    pub keep_step_values: usize,
    /// Which of the node's routers it has its connections at. There are as many as are named, and
    /// router 0.
    pub router: RouterId,
    /// The virtual networks that it belongs to.
    pub vnets: BTreeSet<String>,
    /// The permissions that it holds.
    pub permissions: BTreeSet<String>,
    /// Whether it registers its interfaces with a directory when its start is over.
    pub provides: bool,
}

impl ServiceSpec {
    /// A service that steps without pause and keeps no values, has its connections at router 0, belongs
    /// to no virtual network, holds no permissions and registers nothing by itself. It has one life: when
    /// it fails, it is gone.
    pub fn new(name: impl Into<String>, node: NodeId, cast: Cast) -> Self {
        ServiceSpec {
            name: name.into(),
            cast,
            recast: None,
            node,
            step_every: None,
            keep_step_values: 0,
            router: RouterId::default(),
            vnets: BTreeSet::new(),
            permissions: BTreeSet::new(),
            provides: false,
        }
    }

    /// The same as a provider of all of its [interfaces](crate::service::Service::interfaces): each is
    /// registered with a directory under its own name, with its version as the parameter
    /// [`version`](crate::interfaces::rpc::VERSION), for the service's own vnets.
    #[must_use]
    pub fn providing(mut self) -> Self {
        self.provides = true;
        self
    }

    /// The same, made by a function, so that its supervisor can restart it.
    pub fn restartable(name: impl Into<String>, node: NodeId, mut make: impl FnMut() -> Cast + 'static) -> Self {
        let first = make();
        ServiceSpec { recast: Some(Box::new(move || Ok(make()))), ..ServiceSpec::new(name, node, first) }
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
    /// Who restarts whom. Services that it does not name are permanent children of its root, behind
    /// the others; without it, of a one-for-one root. Those that can be made only once are temporary.
    pub supervision: Option<Supervisor>,
    /// How machines reach each other with raw messages, and where their directories are.
    pub routing: Routing,
    /// What happens to the network at which time.
    pub changes: Vec<ScheduledChange>,
    /// What happens to it at a period.
    pub policies: Vec<Policy>,
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
            supervision: None,
            routing: Routing::default(),
            changes: Vec::new(),
            policies: Vec::new(),
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
    /// Two supervisors would have one name.
    #[error("there are two supervisors named `{0}`; give each a name of its own")]
    DuplicateSupervisor(String),
    /// A service would have two supervisors, or one twice.
    #[error("service `{0}` is supervised twice; name it once in the tree of supervisors")]
    SupervisedTwice(String),
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
    /// A service registers an interface, a method or a declared error that cannot be.
    #[error("service `{service}` cannot register `{name}` among its interfaces: {reason}")]
    BadInterface {
        /// Whose.
        service: String,
        /// The interface, and the method in it.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A service subscribes to something that is no pattern of topics.
    #[error("service `{service}` cannot subscribe to `{pattern}`: {reason}")]
    BadSubscription {
        /// Whose.
        service: String,
        /// What it subscribes to.
        pattern: String,
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
    begin(setup, None, sink, progress)
}

/// Runs a setup with virtual time held to the wall clock: what comes in from outside
/// ([`outside`](crate::outside)) enters at the instant that the wall clock shows. Without it the run is
/// the same as one that does not wait. Blocks the thread.
///
/// # Errors
/// As [`run`].
pub fn run_paced(
    setup: Setup,
    pacing: Pacing,
    sink: Option<Box<dyn TraceSink>>,
    progress: Arc<Progress>,
) -> Result<Report, StartError> {
    begin(setup, Some(pacing), sink, progress)
}

fn begin(
    setup: Setup,
    pacing: Option<Pacing>,
    sink: Option<Box<dyn TraceSink>>,
    progress: Arc<Progress>,
) -> Result<Report, StartError> {
    if tokio::runtime::Handle::try_current().is_ok() {
        return Err(StartError::InsideRuntime);
    }
    panics::install_hook();
    System::new().block_on(perform(setup, pacing, sink, progress))
}

async fn perform(
    setup: Setup,
    pacing: Option<Pacing>,
    sink: Option<Box<dyn TraceSink>>,
    progress: Arc<Progress>,
) -> Result<Report, StartError> {
    checks::check(&setup)?;
    let Setup {
        seed,
        topology,
        model,
        ordering,
        timeout,
        services,
        links,
        routing,
        supervision,
        changes,
        policies,
        monitors,
        until,
    } = setup;
    let by_name = names_of(&services, &topology)?;
    let neighbours = links.map(|links| neighbours_of(&links, services.len(), ordering)).transpose()?;
    check_routing(&routing, &topology, services.len())?;
    let routers = routers_of(&services, &topology);
    let mut names: Vec<String> = services.iter().map(|service| service.name.clone()).collect();
    names.extend(routers.iter().map(|(node, router)| match router {
        RouterId(0) => format!("router@{}", topology.node(*node).name),
        RouterId(number) => format!("router@{}:{number}", topology.node(*node).name),
    }));
    let (positions, seats, book) = places(&services, &routers, routing, neighbours, ordering);
    let ledger =
        Ledger::new(TraceNames { services: names }, sink).map_err(|error| StartError::Runtime(error.to_string()))?;
    let streams = Streams::new(seed);
    let policies: Vec<PolicyState> =
        policies.into_iter().enumerate().map(|(i, policy)| PolicyState::new(policy, i, &streams)).collect();
    let network = Network::new(Parts {
        seed,
        model,
        changes: !(changes.is_empty() && policies.is_empty()),
        timeout,
        positions,
        seats,
        by_name,
        book,
        ledger,
        topology,
        watch: Watch::over(monitors),
    });
    if pacing.is_some() {
        network.hold_foreign();
    }
    for index in 0..routers.len() {
        let router = ServiceId((services.len() + index) as u32);
        seat(&network, router, RouterActor);
        network.begin(router);
    }
    // What is down from the start is down when the first service starts.
    let mut schedule = Schedule::new(changes, policies);
    schedule.carry_out(&network);
    let roles = cast(&network, services).inspect_err(|_| network.abandon())?;
    let root = complete(supervision, &roles);
    let lives = Lives::new(&network, roles, root);
    lives.begin();
    let paced = pacing.map(Paced::start);
    let actor = NetworkActor { network: network.clone(), schedule, until, progress, paced }.start();
    let ended = actor.send(Run).await.map_err(|error| StartError::Runtime(error.to_string()))?;
    Ok(report(&network, seed, ended, &lives))
}

fn cannot_start(service: String, bad: BadStart) -> StartError {
    match bad {
        BadStart::Endpoint(BadEndpoint { endpoint, reason }) => StartError::BadEndpoint { service, endpoint, reason },
        BadStart::Interface(BadInterface { name, reason }) => StartError::BadInterface { service, name, reason },
        BadStart::Subscription(BadSubscription { pattern, reason }) => {
            StartError::BadSubscription { service, pattern, reason }
        }
    }
}

/// Puts every service in its place, ready to begin its first life.
fn cast(network: &Rc<Network>, services: Vec<ServiceSpec>) -> Result<Vec<Role>, StartError> {
    let mut roles = Vec::with_capacity(services.len());
    for (index, spec) in services.into_iter().enumerate() {
        let ServiceSpec { name, cast, recast, node, step_every, keep_step_values, router, provides, .. } = spec;
        let id = ServiceId(index as u32);
        let casting = Casting { network, id, step_every, keep_step_values, provides };
        let desk = match panics::catch(|| cast.make(casting)) {
            Ok(Ok(desk)) => desk,
            Ok(Err(bad)) => return Err(cannot_start(name, bad)),
            Err(Caught { message, place }) => return Err(StartError::Panicked { service: name, message, place }),
        };
        let again = recast.map(|recast| Box::new(Again { recast, step_every, keep_step_values, provides }));
        roles.push(Role { home: node, router, ready: true, again, desk, records: None });
    }
    Ok(roles)
}
