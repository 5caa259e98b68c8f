//! An event loop without actors: the practical limit. Services are structs in a vector, a message is a value in the
//! queue, routes are a table. Once with a binary heap, once with a calendar queue; the better of the two is *the* bare
//! loop, and it need not be the same one for every workload.

use std::time::Instant;

use super::{Column, Failure, Measured, Peer};
use crate::queues::{Calendar, Heap, Queue};
use crate::workloads::{Client, Gossip, LINK, PingPong, Player, RequestReply, Token, partner};

/// With the standard library's heap.
pub const BARE_HEAP: BareLoop = BareLoop { calendar: false };

/// With a calendar queue.
pub const BARE_CALENDAR: BareLoop = BareLoop { calendar: true };

/// The loop, with one of its two queues.
pub struct BareLoop {
    calendar: bool,
}

impl Peer for BareLoop {
    fn name(&self) -> &'static str {
        if self.calendar { "bare-calendar" } else { "bare-heap" }
    }

    fn column(&self) -> Column {
        Column::BareLoop
    }

    fn ping_pong(&self, game: &PingPong) -> Result<Measured, Failure> {
        Ok(if self.calendar { ping_pong::<Calendar<_>>(game) } else { ping_pong::<Heap<_>>(game) })
    }

    fn gossip(&self, gossip: &Gossip) -> Result<Measured, Failure> {
        Ok(if self.calendar { pass_tokens::<Calendar<_>>(gossip) } else { pass_tokens::<Heap<_>>(gossip) })
    }

    fn request_reply(&self, shop: &RequestReply) -> Result<Measured, Failure> {
        Ok(if self.calendar { serve::<Calendar<_>>(shop) } else { serve::<Heap<_>>(shop) })
    }
}

#[derive(Clone, Copy)]
struct Ball {
    to: u32,
    number: u64,
}

fn ping_pong<Q: Queue<Ball>>(game: &PingPong) -> Measured {
    let mut players = vec![Player::default(); game.services() as usize];
    let mut queue = Q::spanning(LINK);
    let mut now = 0;
    let started = Instant::now();
    for pair in 0..game.pairs {
        queue.push(LINK, Ball { to: partner(2 * pair), number: game.first_ball() });
    }
    while let Some((at, ball)) = queue.pop() {
        now = at;
        if let Some(number) = players[ball.to as usize].hear(ball.number) {
            queue.push(now + LINK, Ball { to: partner(ball.to), number });
        }
    }
    let wall = started.elapsed();
    Measured { delivered: players.iter().map(|player| player.heard).sum(), ended_at: Some(now), wall, steady: None }
}

#[derive(Clone, Copy)]
struct Passed {
    to: u32,
    token: Token,
}

fn pass_tokens<Q: Queue<Passed>>(gossip: &Gossip) -> Measured {
    let routes = &*gossip.routes;
    let mut heard = vec![0u64; gossip.services() as usize];
    let mut queue = Q::spanning(routes.longest());
    let mut now = 0;
    let started = Instant::now();
    for service in 0..gossip.services() {
        let (to, token) = gossip.first(service);
        queue.push(routes.latency(service, to), Passed { to, token });
    }
    while let Some((at, Passed { to: here, token })) = queue.pop() {
        now = at;
        heard[here as usize] += 1;
        if let Some((to, token)) = gossip.hear(here, token) {
            queue.push(now + routes.latency(here, to), Passed { to, token });
        }
    }
    let wall = started.elapsed();
    Measured { delivered: heard.iter().sum(), ended_at: Some(now), wall, steady: None }
}

#[derive(Clone, Copy)]
struct Call {
    from: u32,
    to: u32,
}

enum Service {
    Client { itself: Client, replies: u64 },
    Server { requests: u64 },
}

fn serve<Q: Queue<Call>>(shop: &RequestReply) -> Measured {
    let client = |number| Service::Client { itself: shop.client(number), replies: 0 };
    let mut services: Vec<Service> = (0..shop.clients).map(client).collect();
    services.extend((0..shop.servers).map(|_| Service::Server { requests: 0 }));
    let mut queue = Q::spanning(LINK);
    let mut now = 0;
    let started = Instant::now();
    for (from, service) in services.iter_mut().enumerate() {
        if let Service::Client { itself, .. } = service
            && let Some(to) = itself.ask()
        {
            queue.push(LINK, Call { from: from as u32, to });
        }
    }
    while let Some((at, Call { from, to })) = queue.pop() {
        now = at;
        match &mut services[to as usize] {
            Service::Server { requests } => {
                *requests += 1;
                queue.push(now + LINK, Call { from: to, to: from });
            }
            Service::Client { itself, replies } => {
                *replies += 1;
                if let Some(server) = itself.ask() {
                    queue.push(now + LINK, Call { from: to, to: server });
                }
            }
        }
    }
    let wall = started.elapsed();
    let heard = |service: &Service| match service {
        Service::Client { replies, .. } => *replies,
        Service::Server { requests } => *requests,
    };
    Measured { delivered: services.iter().map(heard).sum(), ended_at: Some(now), wall, steady: None }
}
