//! Rehearsal itself, twice: services that are plain handlers, and services that await their messages one after the
//! other. Each service of ping-pong stands on a node of its own, and every pair has a link of its own; routes, sizes,
//! the order within a pair, outcomes and the trace hash are on, as they are for everybody.
//!
//! Routes are worked out when a node first sends. In gossip every node sends to every other, so that the whole table
//! of routes comes into being, as the bare loop's did before its clock started; the time after each token was heard
//! twice is reported beside that of the whole run.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Cast, Progress, ServiceSpec, Setup, run};
use rehearsal_actors::topology::{Link, Node, NodeId, Topology, TopologyError};

use super::{Column, Failure, Measured, Peer};
use crate::memory::{Footprint, Growth};
use crate::workloads::{Client, Gossip, LINK, PingPong, Player, RequestReply, Token, partner};

/// Services that are Actix actors with handlers.
pub struct Handlers;

/// Async services whose steps receive and send.
pub struct Sequential;

/// What the services count, and when.
struct Tally {
    heard: Cell<u64>,
    expected: u64,
    warm: u64,
    started: Cell<Option<Instant>>,
    steady: Cell<Option<Instant>>,
    ended: Cell<Option<Instant>>,
}

impl Tally {
    /// `warm`: after so many messages the start-up is over; 0 if there is none.
    fn new(expected: u64, warm: u64) -> Rc<Self> {
        Rc::new(Tally {
            heard: Cell::new(0),
            expected,
            warm,
            started: Cell::new(None),
            steady: Cell::new(None),
            ended: Cell::new(None),
        })
    }

    fn start(&self) {
        if self.started.get().is_none() {
            self.started.set(Some(Instant::now()));
        }
    }

    #[inline]
    fn hear(&self) {
        let heard = self.heard.get() + 1;
        self.heard.set(heard);
        if heard == self.warm {
            self.steady.set(Some(Instant::now()));
        }
        if heard == self.expected {
            self.ended.set(Some(Instant::now()));
        }
    }

    /// Runs to the end.
    fn measure(&self, setup: Setup) -> Result<Measured, Failure> {
        let report = run(setup, None, Arc::new(Progress::default())).map_err(Failure::runtime)?;
        let started = self.started.get().ok_or_else(|| Failure::runtime("nothing was sent"))?;
        let ended = self.ended.get().unwrap_or_else(Instant::now);
        let steady = self.steady.get().map(|since| (self.heard.get() - self.warm, ended - since));
        Ok(Measured {
            delivered: self.heard.get(),
            ended_at: Some(report.ended_at.as_nanos()),
            wall: ended - started,
            steady,
        })
    }
}

/// Nodes `0..count`, linked as told, and a service on each.
fn setup(
    count: u32,
    links: impl IntoIterator<Item = (u32, u32, u64)>,
    mut cast: impl FnMut(u32) -> Cast,
) -> Result<Setup, TopologyError> {
    let mut topology = Topology::new();
    let nodes = (0..count).map(|i| topology.add_node(Node::new(format!("n{i}")))).collect::<Result<Vec<_>, _>>()?;
    for (a, b, nanos) in links {
        let link = Link::new(SimDuration::from_nanos(nanos));
        topology.add_symmetric(nodes[a as usize], nodes[b as usize], link)?;
    }
    let mut setup = Setup::new(1, topology);
    setup.services = (0..count).zip(nodes).map(|(i, node)| ServiceSpec::new(format!("s{i}"), node, cast(i))).collect();
    Ok(setup)
}

fn pairs(game: &PingPong) -> impl Iterator<Item = (u32, u32, u64)> {
    (0..game.pairs).map(|pair| (2 * pair, partner(2 * pair), LINK))
}

fn graph(gossip: &Gossip) -> impl Iterator<Item = (u32, u32, u64)> {
    gossip.routes.graph().links.iter().map(|link| (link.a, link.b, u64::from(link.nanos)))
}

fn everyone_to_everyone(shop: &RequestReply) -> impl Iterator<Item = (u32, u32, u64)> {
    let (clients, servers) = (shop.clients, shop.servers);
    (0..clients).flat_map(move |client| (clients..clients + servers).map(move |server| (client, server, LINK)))
}

/// The service at a position: names are `s0`, `s1`, …, in this order.
struct Everyone(Rc<[Cell<Option<ServiceId>>]>);

impl Everyone {
    fn new(count: u32) -> Self {
        Everyone((0..count).map(|_| Cell::new(None)).collect())
    }
    fn enter(&self, position: u32, id: ServiceId) {
        self.0[position as usize].set(Some(id));
    }
    #[inline]
    fn at(&self, position: u32) -> Option<ServiceId> {
        self.0[position as usize].get()
    }
}

impl Clone for Everyone {
    fn clone(&self) -> Self {
        Everyone(self.0.clone())
    }
}

// --- plain handlers

struct PlayerActor {
    side: Player,
    number: u32,
    first_ball: u64,
    tally: Rc<Tally>,
}

impl Actor for PlayerActor {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        self.tally.start();
        if self.number.is_multiple_of(2)
            && let Some(other) = ctx.find(&format!("s{}", partner(self.number)))
        {
            let _ = ctx.send(other, self.first_ball);
        }
    }
}

impl Networked for PlayerActor {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<u64>();
    }
}

impl Handler<Delivery<u64>> for PlayerActor {
    type Result = ();

    fn handle(&mut self, ball: Delivery<u64>, ctx: &mut ServiceContext<Self>) {
        self.tally.hear();
        if let Some(next) = self.side.hear(ball.body) {
            let _ = ctx.send(ball.from, next);
        }
    }
}

struct GossipActor {
    number: u32,
    gossip: Gossip,
    everyone: Everyone,
    tally: Rc<Tally>,
}

impl GossipActor {
    #[inline]
    fn pass_on(&self, to: u32, token: Token, ctx: &ServiceContext<Self>) {
        if let Some(to) = self.everyone.at(to) {
            let _ = ctx.send(to, token);
        }
    }
}

impl Actor for GossipActor {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        self.everyone.enter(self.number, ctx.id());
        // Once everybody has entered.
        ctx.run_later(std::time::Duration::ZERO, |actor, ctx| {
            actor.tally.start();
            let (to, token) = actor.gossip.first(actor.number);
            actor.pass_on(to, token, ctx);
        });
    }
}

impl Networked for GossipActor {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Token>();
    }
}

impl Handler<Delivery<Token>> for GossipActor {
    type Result = ();

    fn handle(&mut self, token: Delivery<Token>, ctx: &mut ServiceContext<Self>) {
        self.tally.hear();
        if let Some((to, token)) = self.gossip.hear(self.number, token.body) {
            self.pass_on(to, token, ctx);
        }
    }
}

/// A question, and its answer.
#[derive(Clone, Copy, serde::Serialize)]
struct Question;
#[derive(Clone, Copy, serde::Serialize)]
struct Answer;

struct ClientActor {
    client: Client,
    tally: Rc<Tally>,
    servers: Vec<ServiceId>,
    first_server: u32,
}

impl ClientActor {
    fn ask(&mut self, ctx: &ServiceContext<Self>) {
        if let Some(server) = self.client.ask() {
            let _ = ctx.send(self.servers[(server - self.first_server) as usize], Question);
        }
    }
}

impl Actor for ClientActor {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        self.tally.start();
        self.servers = (self.first_server..).map_while(|i| ctx.find(&format!("s{i}"))).collect();
        self.ask(ctx);
    }
}

impl Networked for ClientActor {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Answer>();
    }
}

impl Handler<Delivery<Answer>> for ClientActor {
    type Result = ();

    fn handle(&mut self, _: Delivery<Answer>, ctx: &mut ServiceContext<Self>) {
        self.tally.hear();
        self.ask(ctx);
    }
}

struct ServerActor {
    tally: Rc<Tally>,
}

impl Actor for ServerActor {
    type Context = ServiceContext<Self>;
}

impl Networked for ServerActor {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Question>();
    }
}

impl Handler<Delivery<Question>> for ServerActor {
    type Result = ();

    fn handle(&mut self, question: Delivery<Question>, ctx: &mut ServiceContext<Self>) {
        self.tally.hear();
        let _ = ctx.send(question.from, Answer);
    }
}

impl Peer for Handlers {
    fn name(&self) -> &'static str {
        "rehearsal-handlers"
    }

    fn column(&self) -> Column {
        Column::Handlers
    }

    fn ping_pong(&self, game: &PingPong) -> Result<Measured, Failure> {
        let tally = Tally::new(game.expected().delivered, 0);
        let first_ball = game.first_ball();
        let player =
            |number| Cast::actor(PlayerActor { side: Player::default(), number, first_ball, tally: tally.clone() });
        tally.measure(setup(game.services(), pairs(game), player).map_err(Failure::runtime)?)
    }

    fn gossip(&self, gossip: &Gossip) -> Result<Measured, Failure> {
        let tally = Tally::new(gossip.expected().delivered, 2 * u64::from(gossip.services()));
        let everyone = Everyone::new(gossip.services());
        let teller = |number| {
            let (gossip, everyone, tally) = (gossip.clone(), everyone.clone(), tally.clone());
            Cast::actor(GossipActor { number, gossip, everyone, tally })
        };
        tally.measure(setup(gossip.services(), graph(gossip), teller).map_err(Failure::runtime)?)
    }

    fn request_reply(&self, shop: &RequestReply) -> Result<Measured, Failure> {
        let tally = Tally::new(shop.expected().delivered, 0);
        let first_server = shop.clients;
        let someone = |number| {
            let tally = tally.clone();
            if number < first_server {
                let client = shop.client(number);
                Cast::actor(ClientActor { client, tally, servers: Vec::new(), first_server })
            } else {
                Cast::actor(ServerActor { tally })
            }
        };
        tally.measure(setup(shop.services(), everyone_to_everyone(shop), someone).map_err(Failure::runtime)?)
    }

    fn idle(&self, services: u32, before: Footprint) -> Result<Growth, Failure> {
        /// Waits for a message that never comes.
        struct Idle;
        impl Actor for Idle {
            type Context = ServiceContext<Self>;
        }
        impl Networked for Idle {
            fn accepts(accepts: &mut Accepts<Self>) {
                accepts.message::<u64>();
            }
        }
        impl Handler<Delivery<u64>> for Idle {
            type Result = ();
            fn handle(&mut self, _: Delivery<u64>, _: &mut ServiceContext<Self>) {}
        }
        idle(services, before, || Cast::actor(Idle))
    }
}

/// Services on a thousand nodes, and one that looks at the process when all the others wait.
fn idle(services: u32, before: Footprint, cast: impl Fn() -> Cast) -> Result<Growth, Failure> {
    struct Observer {
        before: Footprint,
        growth: Rc<Cell<Option<Result<Growth, Failure>>>>,
    }
    impl Service for Observer {
        async fn step(&self, io: &ServiceIo) -> StepResult {
            io.sleep(SimDuration::from_secs(1)).await;
            self.growth.set(Some(self.before.complete()));
            Ok(Step::Stop)
        }
    }
    let mut topology = Topology::new();
    let nodes = (0..1000).map(|i| topology.add_node(Node::new(format!("n{i}")))).collect::<Result<Vec<NodeId>, _>>();
    let nodes = nodes.map_err(Failure::runtime)?;
    let mut setup = Setup::new(1, topology);
    setup.services =
        (0..services as usize).map(|i| ServiceSpec::new(format!("s{i}"), nodes[i % nodes.len()], cast())).collect();
    let growth = Rc::new(Cell::new(None));
    let observer = Observer { before, growth: growth.clone() };
    setup.services.push(ServiceSpec::new("observer", nodes[0], Cast::service(observer)));
    run(setup, None, Arc::new(Progress::default())).map_err(Failure::runtime)?;
    growth.take().unwrap_or_else(|| Err(Failure::runtime("the observer saw nothing")))
}

// --- sequential services

struct PlayerService {
    number: u32,
    side: Cell<Player>,
    first_ball: u64,
    tally: Rc<Tally>,
}

impl Service for PlayerService {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        self.tally.start();
        if self.number.is_multiple_of(2) {
            io.mpi().tell(format!("s{}", partner(self.number)), self.first_ball)?;
        }
        Ok(())
    }

    async fn step(&self, io: &ServiceIo) -> StepResult {
        let ball = io.mpi().recv::<u64>().await?;
        self.tally.hear();
        let mut side = self.side.get();
        if let Some(next) = side.hear(ball.body) {
            io.mpi().tell(ball.from, next)?;
        }
        self.side.set(side);
        Ok(if Player::is_last(ball.body) { Step::Stop } else { Step::Continue })
    }
}

impl Peer for Sequential {
    fn name(&self) -> &'static str {
        "rehearsal-sequential"
    }

    fn column(&self) -> Column {
        Column::Sequential
    }

    fn ping_pong(&self, game: &PingPong) -> Result<Measured, Failure> {
        let tally = Tally::new(game.expected().delivered, 0);
        let first_ball = game.first_ball();
        let player = |number| {
            let side = Cell::new(Player::default());
            Cast::service(PlayerService { number, side, first_ball, tally: tally.clone() })
        };
        tally.measure(setup(game.services(), pairs(game), player).map_err(Failure::runtime)?)
    }

    fn idle(&self, services: u32, before: Footprint) -> Result<Growth, Failure> {
        /// Waits for a message that never comes.
        struct Idle;
        impl Service for Idle {
            async fn step(&self, io: &ServiceIo) -> StepResult {
                io.mpi().recv::<u64>().no_timeout().await?;
                Ok(Step::Continue)
            }
        }
        idle(services, before, || Cast::service(Idle))
    }
}
