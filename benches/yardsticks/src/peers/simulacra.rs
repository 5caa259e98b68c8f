//! simulacra 0.1: services are its async nodes, on its topology, over its own routes.
//!
//! It works out a route when a pair of nodes first speaks, with Dijkstra's algorithm over arrays as long as there are
//! nodes, and keeps it in a table of nodes times nodes. Where that weighs (20,000 nodes: a table of 400 million
//! entries), a run is mostly this start-up. Ping-pong therefore also reports the time after the first two hops, gossip
//! that of the second half of the run: routes are known by then.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use simulacra::{Duration, NodeContext, NodeId, TaskSim, TaskSimBuilder, TopologyBuilder};

use super::{Column, Failure, Measured, Peer};
use crate::memory::{Footprint, Growth};
use crate::workloads::{Expected, Gossip, LINK, PingPong, Player, RequestReply, partner};

/// simulacra's async nodes.
pub struct Simulacra;

/// It draws nothing from this seed: latencies are fixed.
const SEED: u64 = 1;

/// Counts the messages that nodes take from their inboxes, and notes when the last one was taken: `run` itself returns
/// only after it has torn the simulation down, which takes a while with a large table.
struct Tally {
    heard: Cell<u64>,
    expected: u64,
    ended: Cell<Option<Instant>>,
}

impl Tally {
    fn new(expected: Expected) -> Rc<Self> {
        Rc::new(Tally { heard: Cell::new(0), expected: expected.delivered, ended: Cell::new(None) })
    }

    fn hear(&self) {
        self.heard.set(self.heard.get() + 1);
        if self.heard.get() == self.expected {
            self.ended.set(Some(Instant::now()));
        }
    }
}

/// Runs to the end. `steady_from`: when the start-up is over, in virtual nanoseconds.
fn run<M: Clone + 'static>(sim: TaskSim<M>, tally: &Tally, steady_from: Option<u64>) -> Measured {
    let mut steady = None;
    let started = Instant::now();
    let stats = match steady_from {
        None => sim.run(),
        Some(from) => sim.run_until(|now| {
            // Asked before each event: what was heard so far belongs to the start-up.
            if steady.is_none() && now.as_nanos() > from {
                steady = Some((tally.heard.get(), Instant::now()));
            }
            true
        }),
    };
    let ended = tally.ended.get().unwrap_or_else(Instant::now);
    let heard = tally.heard.get();
    Measured {
        delivered: heard,
        ended_at: Some(stats.final_time.as_nanos()),
        wall: ended - started,
        steady: steady.map(|(before, since)| (heard - before, ended.saturating_duration_since(since))),
    }
}

async fn player(ctx: NodeContext<u64>, first_ball: u64, tally: Rc<Tally>) {
    let me = ctx.id().as_u32();
    let other = NodeId(partner(me));
    let mut side = Player::default();
    if me < other.as_u32() {
        ctx.send(other, first_ball).await;
    }
    loop {
        let ball = ctx.recv().await.payload;
        tally.hear();
        if let Some(next) = side.hear(ball) {
            ctx.send(other, next).await;
        }
        if Player::is_last(ball) {
            return;
        }
    }
}

impl Peer for Simulacra {
    fn name(&self) -> &'static str {
        "simulacra"
    }

    fn column(&self) -> Column {
        Column::Simulacra
    }

    fn ping_pong(&self, game: &PingPong) -> Result<Measured, Failure> {
        let mut topology = TopologyBuilder::new(game.services() as usize);
        for pair in 0..game.pairs {
            topology = topology.link(2 * pair, partner(2 * pair), Duration::from_nanos(LINK));
        }
        let tally = Tally::new(game.expected());
        let first_ball = game.first_ball();
        let sim = TaskSimBuilder::new(topology.build(), SEED).build(|ctx| player(ctx, first_ball, tally.clone()));
        Ok(run(sim, &tally, Some(2 * LINK)))
    }

    fn gossip(&self, gossip: &Gossip) -> Result<Measured, Failure> {
        // Among 1,000 there are a million pairs: nearly every message would be one more run of Dijkstra's algorithm.
        if gossip.services() >= 1_000 {
            return Err(Failure::TakesNoPart);
        }
        let graph = gossip.routes.graph();
        let mut topology = TopologyBuilder::new(graph.services as usize);
        for link in &graph.links {
            let latency = Duration::from_nanos(u64::from(link.nanos));
            topology = topology.link(link.a, link.b, latency);
        }
        let expected = gossip.expected();
        let tally = Tally::new(expected);
        let sim = TaskSimBuilder::new(topology.build(), SEED).build(|ctx| {
            let (gossip, tally) = (gossip.clone(), tally.clone());
            async move {
                let me = ctx.id().as_u32();
                let (to, token) = gossip.first(me);
                ctx.send(NodeId(to), token).await;
                loop {
                    let token = ctx.recv().await.payload;
                    tally.hear();
                    if let Some((to, token)) = gossip.hear(me, token) {
                        ctx.send(NodeId(to), token).await;
                    }
                }
            }
        });
        // Half-way through, nearly every pair has spoken.
        Ok(run(sim, &tally, Some(expected.ended_at / 2)))
    }

    fn request_reply(&self, shop: &RequestReply) -> Result<Measured, Failure> {
        let mut topology = TopologyBuilder::new(shop.services() as usize);
        for client in 0..shop.clients {
            for server in shop.clients..shop.services() {
                topology = topology.link(client, server, Duration::from_nanos(LINK));
            }
        }
        let tally = Tally::new(shop.expected());
        let sim = TaskSimBuilder::new(topology.build(), SEED).build(|ctx| {
            let (shop, tally) = (*shop, tally.clone());
            async move {
                let me = ctx.id().as_u32();
                if me < shop.clients {
                    let mut client = shop.client(me);
                    while let Some(server) = client.ask() {
                        ctx.send(NodeId(server), ()).await;
                        ctx.recv().await;
                        tally.hear();
                    }
                } else {
                    loop {
                        let request = ctx.recv().await;
                        tally.hear();
                        ctx.send(request.src, ()).await;
                    }
                }
            }
        });
        Ok(run(sim, &tally, None))
    }

    fn idle(&self, services: u32, before: Footprint) -> Result<Growth, Failure> {
        let topology = TopologyBuilder::new(services as usize).build();
        let mut sim = TaskSimBuilder::<u64>::new(topology, SEED).build(|ctx| async move {
            let mut side = Player::default();
            loop {
                side.hear(ctx.recv().await.payload);
            }
        });
        // A message from a node to itself needs no route; it lets us look once all nodes wait.
        sim.inject(NodeId(0), NodeId(0), 0);
        let mut growth = Err(Failure::runtime("the first message never came"));
        sim.run_until(|_| {
            growth = before.complete();
            false
        });
        growth
    }
}
