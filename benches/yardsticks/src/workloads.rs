//! The workloads, as plain data and small state machines that every peer plays in the same way.
//!
//! A peer brings what the workload is measured on: who carries a message, and when it arrives. What a service does
//! with a message it has been given, and what must have happened when nothing is left to do, stands here. Choices
//! come from a generator that travels with the message or lives in the service, so every peer does the same work,
//! message by message, whatever the order in which it treats messages of one instant.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::graph::RouteTable;

/// A millisecond of virtual time, in nanoseconds.
pub const MILLISECOND: u64 = 1_000_000;

/// The latency of a link in every workload but gossip, in nanoseconds.
pub const LINK: u64 = MILLISECOND;

/// A seeded stream of choices: splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices(u64);

impl Choices {
    /// The stream of one token, client or graph.
    pub fn seeded(seed: u64) -> Self {
        Choices(seed)
    }

    /// The next 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A whole number below `bound`, uniform but for a bias below `bound / 2^32`.
    #[inline]
    pub fn below(&mut self, bound: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(bound)) >> 32) as u32
    }
}

/// What a runtime must have done when a workload is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Messages delivered.
    pub delivered: u64,
    /// The virtual time of the last delivery, in nanoseconds.
    pub ended_at: u64,
}

/// Pairs of services, `2 * i` and `2 * i + 1`, each with a ball that goes to and fro over a link of 1 ms.
/// The even service of each pair strikes first, at time 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingPong {
    /// How many pairs there are.
    pub pairs: u32,
    /// How often the ball of each pair is delivered.
    pub hops: u64,
}

impl PingPong {
    /// About `messages` messages, shared out evenly; every player gets one at least.
    pub fn new(pairs: u32, messages: u64) -> Self {
        PingPong { pairs, hops: (messages / u64::from(pairs)).max(2) }
    }

    /// How many services play.
    pub fn services(&self) -> u32 {
        2 * self.pairs
    }

    /// The number on the ball when it is first sent: how often it will have to come back.
    pub fn first_ball(&self) -> u64 {
        self.hops - 1
    }

    /// Every ball is delivered `hops` times, one link apart.
    pub fn expected(&self) -> Expected {
        Expected { delivered: u64::from(self.pairs) * self.hops, ended_at: self.hops * LINK }
    }
}

/// The other player of a pair.
#[inline]
pub fn partner(service: u32) -> u32 {
    service ^ 1
}

/// One side of a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Player {
    /// How many balls came in.
    pub heard: u64,
}

impl Player {
    /// A ball comes in: the ball to send back, or `None` when the match is over.
    #[inline]
    pub fn hear(&mut self, ball: u64) -> Option<u64> {
        self.heard += 1;
        ball.checked_sub(1)
    }

    /// Whether the ball just heard was the last for this player: the number on it falls by two between two turns.
    #[inline]
    pub fn is_last(ball: u64) -> bool {
        ball <= 1
    }
}

/// What travels in gossip, 64 bytes: where it goes next is drawn from its own stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Deliveries left after this one.
    pub left: u64,
    /// Where it goes from here.
    pub choices: Choices,
    /// What it has to say.
    pub text: Text,
}

/// Bytes that nobody looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text([u8; 48]);

impl Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

/// Services on a graph; each starts one token at time 0, and a token goes on from service to uniformly chosen other
/// service, over the shortest path between the two, until its hops are used up.
#[derive(Clone, Debug)]
pub struct Gossip {
    /// The graph, and how long the shortest paths take.
    pub routes: Arc<RouteTable>,
    /// How often each token is delivered.
    pub hops: u64,
}

impl Gossip {
    /// About `messages` messages, shared out evenly among the tokens.
    pub fn new(routes: Arc<RouteTable>, messages: u64) -> Self {
        let hops = (messages / u64::from(routes.services())).max(1);
        Gossip { routes, hops }
    }

    /// How many services there are, and tokens.
    #[inline]
    pub fn services(&self) -> u32 {
        self.routes.services()
    }

    /// The token that `service` starts, and where it goes first.
    pub fn first(&self, service: u32) -> (u32, Token) {
        let seed = 0x000C_0FFE_E000_0000 ^ u64::from(service) << 20;
        self.pass_on(service, Token { left: self.hops, choices: Choices::seeded(seed), text: Text([0; 48]) })
    }

    /// What `service` does with a token that came in: where it sends it, or `None` when its hops are used up.
    #[inline]
    pub fn hear(&self, service: u32, token: Token) -> Option<(u32, Token)> {
        (token.left > 0).then(|| self.pass_on(service, token))
    }

    #[inline]
    fn pass_on(&self, service: u32, mut token: Token) -> (u32, Token) {
        let other = token.choices.below(self.services() - 1);
        token.left -= 1;
        // The numbers from `service` on stand for the services behind it, so that it never chooses itself.
        (if other >= service { other + 1 } else { other }, token)
    }

    /// Worked out without a queue: nothing in this workload waits for anything, so a token's time is the sum of the
    /// latencies of its own path.
    pub fn expected(&self) -> Expected {
        let walk = |service| {
            let mut at = 0;
            let (mut from, mut next) = (service, Some(self.first(service)));
            while let Some((to, token)) = next {
                at += self.routes.latency(from, to);
                (from, next) = (to, self.hear(to, token));
            }
            at
        };
        Expected {
            delivered: u64::from(self.services()) * self.hops,
            ended_at: (0..self.services()).map(walk).max().unwrap_or(0),
        }
    }
}

/// Clients that each ask a uniformly chosen server, wait for the reply, and ask again; servers reply at once; every
/// link takes 1 ms. Services `0..clients` are the clients, those after them the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestReply {
    /// How many ask.
    pub clients: u32,
    /// How many reply.
    pub servers: u32,
    /// How many requests each client makes.
    pub rounds: u64,
}

impl RequestReply {
    /// About `messages` messages, requests and replies counted alike.
    pub fn new(clients: u32, servers: u32, messages: u64) -> Self {
        RequestReply { clients, servers, rounds: (messages / (2 * u64::from(clients))).max(1) }
    }

    /// How many services there are.
    pub fn services(&self) -> u32 {
        self.clients + self.servers
    }

    /// One of the clients, before its first request.
    pub fn client(&self, number: u32) -> Client {
        Client {
            choices: Choices::seeded(0x0000_A5C1_1E47_0000 ^ u64::from(number) << 20),
            left: self.rounds,
            first_server: self.clients,
            servers: self.servers,
        }
    }

    /// A round is a link there and a link back.
    pub fn expected(&self) -> Expected {
        Expected { delivered: u64::from(self.clients) * self.rounds * 2, ended_at: self.rounds * 2 * LINK }
    }
}

/// One of those who ask.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    choices: Choices,
    left: u64,
    first_server: u32,
    servers: u32,
}

impl Client {
    /// The service to ask next, or `None` when all rounds are over.
    #[inline]
    pub fn ask(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        Some(self.first_server + self.choices.below(self.servers))
    }
}

/// A workload of one size.
#[derive(Clone, Debug)]
pub enum Workload {
    /// See [`PingPong`].
    PingPong(PingPong),
    /// See [`Gossip`].
    Gossip(Gossip),
    /// See [`RequestReply`].
    RequestReply(RequestReply),
}

impl Workload {
    /// What a runtime must have done when this workload is over.
    pub fn expected(&self) -> Expected {
        match self {
            Workload::PingPong(it) => it.expected(),
            Workload::Gossip(it) => it.expected(),
            Workload::RequestReply(it) => it.expected(),
        }
    }

    /// Which workload, of which size.
    pub fn case(&self) -> Case {
        match self {
            Workload::PingPong(it) => Case::PingPong(it.pairs),
            Workload::Gossip(it) => Case::Gossip(it.services()),
            Workload::RequestReply(it) => Case::RequestReply(it.clients, it.servers),
        }
    }
}

/// Names a workload and its size; printed as `ping-pong 100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// So many pairs.
    PingPong(u32),
    /// So many services.
    Gossip(u32),
    /// So many clients and servers.
    RequestReply(u32, u32),
    /// So many services that wait.
    Idle(u32),
}

impl Case {
    /// The workload's name without its size.
    pub fn workload(&self) -> &'static str {
        match self {
            Case::PingPong(_) => "ping-pong",
            Case::Gossip(_) => "gossip",
            Case::RequestReply(..) => "request/reply",
            Case::Idle(_) => "idle",
        }
    }

    /// The size alone.
    pub fn size(&self) -> String {
        match self {
            Case::PingPong(n) | Case::Gossip(n) | Case::Idle(n) => n.to_string(),
            Case::RequestReply(clients, servers) => format!("{clients}/{servers}"),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.workload(), self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;

    #[test]
    fn a_ball_is_heard_as_often_as_it_has_hops_and_both_players_know_their_last() {
        for hops in 2..9 {
            let game = PingPong { pairs: 1, hops };
            let mut players = [Player::default(); 2];
            let mut lasts = [0; 2];
            let (mut at, mut ball) = (1, Some(game.first_ball()));
            while let Some(number) = ball {
                lasts[at as usize] += u32::from(Player::is_last(number));
                ball = players[at as usize].hear(number);
                at = partner(at);
            }
            assert_eq!(players[0].heard + players[1].heard, game.expected().delivered);
            assert_eq!(lasts, [1, 1], "with {hops} hops");
        }
    }

    #[test]
    fn a_token_never_stays_and_visits_everyone() {
        let gossip = Gossip::new(Arc::new(RouteTable::new(&Graph::random(10))), 10_000);
        let mut visits = [0u32; 10];
        let (mut at, mut next) = (3, Some(gossip.first(3)));
        while let Some((to, token)) = next {
            assert_ne!(to, at);
            visits[to as usize] += 1;
            (at, next) = (to, gossip.hear(to, token));
        }
        // 1,000 hops over 10 services: 100 each, within six standard deviations of the binomial (about 9.5).
        assert!(visits.iter().all(|&n| (43..157).contains(&n)), "{visits:?}");
        assert_eq!(visits.iter().sum::<u32>(), 1_000);
    }

    #[test]
    fn a_client_asks_as_often_as_there_are_rounds_and_only_servers() {
        let shop = RequestReply { clients: 4, servers: 3, rounds: 50 };
        let mut client = shop.client(2);
        let asked: Vec<u32> = std::iter::from_fn(|| client.ask()).collect();
        assert_eq!(asked.len(), 50);
        assert!(asked.iter().all(|server| (4..7).contains(server)));
    }
}
