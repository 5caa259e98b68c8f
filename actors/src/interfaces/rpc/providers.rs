//! Calls of an interface, whoever provides it: directories know who does, and when one fails another
//! is called.
//!
//! ```
//! use std::rc::Rc;
//! use rehearsal_actors::interfaces::rpc::Spread;
//! use rehearsal_actors::prelude::*;
//!
//! struct Quotes;
//!
//! impl Quotes {
//!     async fn price(self: Rc<Self>, _: ServiceIo, item: String) -> Result<usize, Failure> {
//!         Ok(item.len())
//!     }
//! }
//!
//! impl Service for Quotes {
//!     fn interfaces(interfaces: &mut Interfaces<Self>) {
//!         interfaces.interface("quotes", "1.0").rpc("price", "What an item costs.", Quotes::price);
//!     }
//! }
//!
//! struct Buyer;
//!
//! impl Service for Buyer {
//!     async fn step(&self, io: &ServiceIo) -> StepResult {
//!         // Until somebody has registered.
//!         io.directory().wait_for("quotes").await?;
//!         let quotes = io.rpc().interface("quotes").spread(Spread::RoundRobin);
//!         let price: usize = quotes.call("price", "tea".to_owned()).idempotent().await?;
//!         assert_eq!(price, 3);
//!         Ok(Step::Stop)
//!     }
//! }
//!
//! # use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup, run};
//! # use rehearsal_actors::stock::directory::{Server, ServerParams};
//! # use rehearsal_actors::topology::{Node, Topology};
//! # let mut topology = Topology::new();
//! # let node = topology.add_node(Node::new("a")).unwrap();
//! # let mut setup = Setup::new(1, topology);
//! # setup.until = Some(SimTime::ZERO + SimDuration::from_secs(3));
//! # setup.services.push(ServiceSpec::new("directory", node, Cast::service(Server::new(ServerParams::default()).unwrap())));
//! setup.services.push(ServiceSpec::new("quotes-1", node, Cast::service(Quotes)).providing());
//! setup.services.push(ServiceSpec::new("quotes-2", node, Cast::service(Quotes)).providing());
//! # setup.services.push(ServiceSpec::new("buyer", node, Cast::service(Buyer)));
//! # let report = run(setup, None, Default::default()).unwrap();
//! # assert!(report.ended_well() && report.services[3].failed_steps.is_empty() && report.services[3].steps == 0, "{report:?}");
//! ```

mod calls;
mod pool;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

pub use calls::{AnyCall, Trying};
pub use pool::Spread;
use pool::{Outstanding, Pool};

use super::headers::{Fields, TraceId};
use crate::directory::{Params, Query};
use crate::interfaces::CallError;
use crate::interfaces::baggage::Baggage;
use crate::interfaces::directory::Directories;
use crate::network::pending::Deadline;
use crate::network::ports::Body;
use crate::router::Address;
use crate::service::ServiceIo;
use crate::service::desk::Desk;
use crate::units::{SimDuration, SimTime};

/// So many providers are tried for one call, unless it says otherwise.
pub const ATTEMPTS: u32 = 3;

/// So long a caller relies on what a directory has told it, unless it says otherwise.
pub const LIST_KEPT: SimDuration = SimDuration::from_secs(5);

/// The one parameter with which interfaces are registered.
pub const VERSION: &str = "version";

/// What one service knows of providers; its incarnations each find out for themselves.
#[derive(Default)]
pub(crate) struct Acquaintances {
    /// By what was asked for, of which there is as much as the service's code has interfaces to call.
    by_query: RefCell<BTreeMap<(String, Params), Rc<Shared>>>,
    outstanding: RefCell<Outstanding>,
}

impl Acquaintances {
    fn of(&self, desk: &Desk, interface: &str, params: &Params) -> Rc<Shared> {
        let mut by_query = self.by_query.borrow_mut();
        let new = || {
            let (network, params) = (&desk.network, write(params));
            let incarnation = network.incarnation(desk.id);
            let stream = format!("rpc:{}#{incarnation}:{interface}{params}", network.name_of(desk.id));
            Rc::new(Shared { pool: RefCell::new(Pool::new(network.stream(&stream))), lookup: Lookup::default() })
        };
        by_query.entry((interface.to_owned(), params.clone())).or_insert_with(new).clone()
    }
}

fn write(params: &Params) -> String {
    params.iter().map(|(name, value)| format!(",{name}={value}")).collect()
}

/// What all calls of one interface by one service share.
struct Shared {
    pool: RefCell<Pool>,
    lookup: Lookup,
}

/// One lookup at a time is enough for all.
#[derive(Default)]
struct Lookup {
    under_way: Cell<bool>,
    /// How many have been made.
    made: Cell<u64>,
    /// Why the last one failed.
    failed: RefCell<Option<CallError>>,
    waiting: RefCell<Vec<Waker>>,
}

/// A lookup under way, until it is dropped: then others go on.
struct UnderWay<'a>(&'a Lookup);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.set(false);
        self.0.waiting.take().into_iter().for_each(Waker::wake);
    }
}

impl Lookup {
    /// Waits until nobody looks, but no longer than that.
    async fn over(&self, mut deadline: Deadline) {
        std::future::poll_fn(|cx| {
            if !self.under_way.get() {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(cx.waker().clone());
            Pin::new(&mut deadline).poll(cx)
        })
        .await;
    }
}

impl Shared {
    /// Sees to it that who provides the interface is known, as far as directories tell until then.
    async fn find(&self, of: &Providers, deadline: SimTime) -> Result<(), CallError> {
        let network = &of.desk.network;
        let (lookup, made) = (&self.lookup, self.lookup.made.get());
        while lookup.under_way.get() && network.now() < deadline {
            lookup.over(Deadline::new(network.clone(), deadline)).await;
        }
        if lookup.made.get() != made {
            return lookup.failed.borrow().clone().map_or(Ok(()), Err);
        }
        if lookup.under_way.get() {
            // There is no time left for whatever comes of it.
            return Ok(());
        }
        let left = deadline.since(network.now());
        let falls_back = self.pool.borrow().len() > 0;
        // What was known will do if need be: then there must be time left to use it.
        let timeout = if falls_back { SimDuration::from_nanos(left.as_nanos() / 2) } else { left };
        lookup.under_way.set(true);
        let under_way = UnderWay(lookup);
        let query = of.params.iter().fold(Query::named(&of.interface), |query, (name, value)| query.with(name, value));
        let found = Directories::new(&of.desk).find(query).timeout(timeout).await;
        let now = network.now();
        let failed = match found {
            Ok(found) => {
                let addresses = found.into_iter().map(|provider| provider.address);
                self.pool.borrow_mut().learn(addresses, now, of.kept);
                None
            }
            Err(_) if falls_back => {
                self.pool.borrow_mut().make_do(now, of.kept);
                None
            }
            Err(error) => Some(error),
        };
        lookup.made.set(made + 1);
        lookup.failed.replace(failed.clone());
        drop(under_way);
        failed.map_or(Ok(()), Err)
    }
}

/// Whoever provides an interface: see [`Rpc::interface`](super::Rpc::interface).
///
/// Directories are asked who that is when the first call is made, and again when a call is made after
/// the list has been [kept](Self::kept_for) for its time, or when a provider could not be reached. If no
/// directory answers by then, the old list is used for as long again. A provider that is gone is not
/// called again, however long directories tell of it. All calls of an interface by one service share
/// one list, and one lookup.
///
/// # Which failures lead to another provider
///
/// | outcome | another one is called |
/// |---|---|
/// | nack, undelivered | always: it did not happen |
/// | error, timed out, interrupted | if the call is [idempotent](AnyCall::idempotent): it may have happened |
/// | not understood, denied, a reply that cannot be read, parameters that cannot be sent | never: another one would say the same |
///
/// At most so [many](Self::attempts) are called, each at most once, and all within the timeout of the
/// call. Each is a request of its own, with an outcome of its own; the caller sees the last. A call that
/// is idempotent gives each provider an equal share of the time that is left; every other one gives it
/// all to the first that takes it, since it must not be made again anyway.
///
/// If nobody is found, that is the outcome of the call: undelivered.
#[derive(Clone)]
pub struct Providers {
    desk: Rc<Desk>,
    trace: Option<TraceId>,
    baggage: Baggage,
    interface: String,
    params: Params,
    spread: Spread,
    attempts: u32,
    kept: SimDuration,
    timeout: Option<SimDuration>,
}

impl Providers {
    pub(super) fn new(io: &ServiceIo, interface: String) -> Self {
        Providers {
            desk: io.desk.clone(),
            trace: io.trace_id(),
            baggage: io.baggage.clone(),
            interface,
            params: Params::new(),
            spread: Spread::default(),
            attempts: ATTEMPTS,
            kept: LIST_KEPT,
            timeout: None,
        }
    }

    /// Those only that are registered with this parameter and value; [`VERSION`] is one that every
    /// interface has.
    #[must_use]
    pub fn with(mut self, param: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.insert(param.into(), value.into());
        self
    }

    /// How calls are spread over them.
    #[must_use]
    pub fn spread(mut self, spread: Spread) -> Self {
        self.spread = spread;
        self
    }

    /// So many are tried for each call, one at least; without it, [`ATTEMPTS`].
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// How long to rely on what a directory has told; without it, [`LIST_KEPT`].
    #[must_use]
    pub fn kept_for(mut self, kept: SimDuration) -> Self {
        self.kept = kept;
        self
    }

    /// Calls end so long after they are made at the latest, lookups and all attempts included.
    #[must_use]
    pub fn timeout(mut self, timeout: SimDuration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Calls a method of the interface, by its own name. Bodies are as in
    /// [`Proxy::call`](super::Proxy::call).
    pub fn call<R, P: Body>(&self, method: &str, params: P) -> AnyCall<P, R> {
        let method = Cow::Owned(format!("{}.{method}", self.interface));
        AnyCall::new(self.clone(), method, params)
    }

    fn shared(&self) -> Rc<Shared> {
        self.desk.acquaintances().of(&self.desk, &self.interface, &self.params)
    }

    /// A call to one of them, counted as outstanding until it is dropped.
    fn outstanding(&self, provider: Address) -> UnderWayTo {
        *self.desk.acquaintances().outstanding.borrow_mut().entry(provider).or_default() += 1;
        UnderWayTo { desk: self.desk.clone(), provider }
    }
}

/// A call that a provider has yet to answer.
struct UnderWayTo {
    desk: Rc<Desk>,
    provider: Address,
}

impl Drop for UnderWayTo {
    fn drop(&mut self) {
        let mut outstanding = self.desk.acquaintances().outstanding.borrow_mut();
        if let Some(count) = outstanding.get_mut(&self.provider) {
            *count -= 1;
            if *count == 0 {
                outstanding.remove(&self.provider);
            }
        }
    }
}
