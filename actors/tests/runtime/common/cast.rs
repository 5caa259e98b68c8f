//! Services that do what a test tells them.

use std::cell::RefCell;
use std::rc::Rc;

use actix::{Actor, AsyncContext, Handler};
use proptest::prelude::*;
use rehearsal_actors::outcome::Undelivered;
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup};
use rehearsal_actors::topology::{Link, Node, NodeId, Topology};
use serde::Serialize;

use super::networks::NetworkPlan;

/// A message with a number. Its number is also the remainder of its size by [`Parcel::KINDS`], so
/// that a trace tells which one it was.
#[derive(Clone, Debug, Serialize)]
pub struct Parcel(pub usize);

impl Parcel {
    pub const KINDS: u64 = 64;

    /// Which one had that size.
    pub fn of(bytes: u64) -> usize {
        (bytes % Parcel::KINDS) as usize
    }
}

/// A message to be sent; its number is its place in the order of sending.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// Milliseconds after the start.
    pub at: u64,
    pub from: usize,
    pub to: usize,
    pub bytes: u64,
}

impl Dispatch {
    pub fn sent(&self) -> u64 {
        self.at * 1_000_000
    }
}

/// Services on nodes, and what they send.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// By service.
    pub nodes: Vec<usize>,
    /// In order of time.
    pub dispatches: Vec<Dispatch>,
}

/// Two to six services on the nodes of a network, and up to 60 messages of up to 64 KiB among them
/// within 150 ms, often several in one instant.
pub fn traffic_on(plan: &NetworkPlan) -> impl Strategy<Value = Traffic> + use<> {
    let nodes = plan.processing.len();
    prop::collection::vec(0..nodes, 2..=6).prop_flat_map(|nodes| {
        let services = nodes.len();
        let sizes = prop_oneof![Just(0u64), 0u64..100, 0u64..1024];
        let dispatch = (0u64..150, 0..services, 0..services, sizes);
        prop::collection::vec(dispatch, 1..60).prop_map(move |mut drawn| {
            drawn.sort_by_key(|(at, ..)| *at);
            let number = |(id, (at, from, to, size)): (usize, (u64, usize, usize, u64))| {
                let bytes = size * Parcel::KINDS + id as u64;
                Dispatch { at, from, to, bytes }
            };
            Traffic { nodes: nodes.clone(), dispatches: drawn.into_iter().enumerate().map(number).collect() }
        })
    })
}

/// A parcel that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    pub id: usize,
    pub at: SimTime,
    pub from: usize,
    pub to: usize,
    pub duplicate: bool,
}

/// What the services of a [`Traffic`] saw.
#[derive(Default)]
pub struct Logbook {
    /// In order of arrival.
    pub arrivals: RefCell<Vec<Arrival>>,
    /// What a sender was told at once.
    pub refusals: RefCell<Vec<(usize, Undelivered)>>,
}

/// Sends what it is told, and notes what it gets.
struct Clerk {
    dispatches: Vec<(usize, Dispatch)>,
    logbook: Rc<Logbook>,
}

impl Actor for Clerk {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        for (id, dispatch) in self.dispatches.drain(..) {
            ctx.run_later(SimDuration::from_millis(dispatch.at).into(), move |clerk, ctx| {
                let to = ctx.find(&format!("s{}", dispatch.to)).expect("it is in the cast");
                if let Err(why) = ctx.send_sized(to, Parcel(id), Bytes(dispatch.bytes)) {
                    clerk.logbook.refusals.borrow_mut().push((id, why));
                }
            });
        }
    }
}

impl Networked for Clerk {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Parcel>();
    }
}

impl Handler<Delivery<Parcel>> for Clerk {
    type Result = ();

    fn handle(&mut self, parcel: Delivery<Parcel>, ctx: &mut ServiceContext<Self>) {
        let Delivery { from, duplicate, body: Parcel(id), .. } = parcel;
        let (from, to) = (from.index(), ctx.id().index());
        self.logbook.arrivals.borrow_mut().push(Arrival { id, at: ctx.now(), from, to, duplicate });
    }
}

impl Traffic {
    /// Adds the services to a setup, as `s0`, `s1` and so on.
    pub fn enter(&self, setup: &mut Setup, nodes: &[NodeId]) -> Rc<Logbook> {
        let logbook = Rc::new(Logbook::default());
        for (service, node) in self.nodes.iter().enumerate() {
            let own = |(_, dispatch): &(usize, &Dispatch)| dispatch.from == service;
            let dispatches = self.dispatches.iter().enumerate().filter(own).map(|(id, d)| (id, d.clone())).collect();
            let clerk = Clerk { dispatches, logbook: logbook.clone() };
            setup.services.push(ServiceSpec::new(format!("s{service}"), nodes[*node], Cast::actor(clerk)));
        }
        logbook
    }
}

/// An async service whose steps are a closure.
struct Acts<F>(F);

impl<F: AsyncFn(&ServiceIo) -> StepResult + 'static> Service for Acts<F> {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        (self.0)(io).await
    }
}

/// A service that does this in every step.
pub fn acts(step: impl AsyncFn(&ServiceIo) -> StepResult + 'static) -> Cast {
    Cast::service(Acts(step))
}

/// A service that only listens, and takes nothing out of its inbox.
pub fn listens() -> Cast {
    acts(async |_| Ok(Step::Stop))
}

/// Nodes `a`, `b`, … with a link both ways between each and the next; no services yet.
pub fn chain(links: impl IntoIterator<Item = Link>) -> (Setup, Vec<NodeId>) {
    let mut topology = Topology::new();
    let add = |topology: &mut Topology, i: u8| {
        topology.add_node(Node::new(char::from(b'a' + i).to_string())).expect("names differ")
    };
    let mut nodes = vec![add(&mut topology, 0)];
    for (i, link) in links.into_iter().enumerate() {
        nodes.push(add(&mut topology, i as u8 + 1));
        topology.add_symmetric(nodes[i], nodes[i + 1], link).expect("links differ");
    }
    (Setup::new(1, topology), nodes)
}

/// Adds a service.
pub fn enters(setup: &mut Setup, name: &str, node: NodeId, cast: Cast) {
    setup.services.push(ServiceSpec::new(name, node, cast));
}

/// A service that does this once, and the place where its result will be.
pub fn once<T: 'static>(act: impl AsyncFn(&ServiceIo) -> T + 'static) -> (Cast, Rc<RefCell<Option<T>>>) {
    let result = Rc::new(RefCell::new(None));
    let place = result.clone();
    let cast = acts(async move |io| {
        let value = act(io).await;
        place.replace(Some(value));
        Ok(Step::Stop)
    });
    (cast, result)
}

/// A body that cannot be put into bytes.
#[derive(Clone)]
pub struct Unspeakable;

impl Serialize for Unspeakable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no words"))
    }
}
