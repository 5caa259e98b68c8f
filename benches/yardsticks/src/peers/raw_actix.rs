//! One raw Actix hop: actors in one arbiter that `do_send` a ball to each other. No network, no clock, no queue but
//! Actix's own mailboxes.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use actix::prelude::*;

use super::{Column, Failure, Measured, Peer};
use crate::memory::{Footprint, Growth};
use crate::workloads::{PingPong, Player as Side};

/// Actix actors, bare.
pub struct RawActix;

/// From the other player: the ball.
struct Ball(u64);

impl Message for Ball {
    type Result = ();
}

/// From the umpire, before the match: who the other player is.
struct Meet(Addr<Player>);

impl Message for Meet {
    type Result = ();
}

/// From the umpire: strike first.
struct Serve(u64);

impl Message for Serve {
    type Result = ();
}

/// What the players report: that they are there, and when they have heard their last ball.
#[derive(Default)]
struct Match {
    started: Cell<u32>,
    still_playing: Cell<u32>,
    heard: Cell<u64>,
    ended: Cell<Option<Instant>>,
}

struct Player {
    side: Side,
    other: Option<Addr<Player>>,
    game: Rc<Match>,
}

impl Actor for Player {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.game.started.set(self.game.started.get() + 1);
    }
}

impl Player {
    fn strike(&self, ball: u64) {
        if let Some(other) = &self.other {
            other.do_send(Ball(ball));
        }
    }
}

impl Handler<Meet> for Player {
    type Result = ();

    fn handle(&mut self, Meet(other): Meet, _: &mut Context<Self>) {
        self.other = Some(other);
    }
}

impl Handler<Serve> for Player {
    type Result = ();

    fn handle(&mut self, Serve(ball): Serve, _: &mut Context<Self>) {
        self.strike(ball);
    }
}

impl Handler<Ball> for Player {
    type Result = ();

    fn handle(&mut self, Ball(ball): Ball, _: &mut Context<Self>) {
        if let Some(next) = self.side.hear(ball) {
            self.strike(next);
        }
        if Side::is_last(ball) {
            let game = &self.game;
            game.heard.set(game.heard.get() + self.side.heard);
            game.still_playing.set(game.still_playing.get() - 1);
            if game.still_playing.get() == 0 {
                game.ended.set(Some(Instant::now()));
                System::current().stop();
            }
        }
    }
}

impl Match {
    /// Lets so many actors start.
    async fn all_started(&self, players: u32) {
        while self.started.get() < players {
            actix_rt::task::yield_now().await;
        }
    }
}

impl Peer for RawActix {
    fn name(&self) -> &'static str {
        "raw-actix"
    }

    fn column(&self) -> Column {
        Column::RawActix
    }

    fn ping_pong(&self, game: &PingPong) -> Result<Measured, Failure> {
        let score = Rc::new(Match { still_playing: Cell::new(game.services()), ..Match::default() });
        let system = System::new();
        let servers: Vec<Addr<Player>> = system.block_on(async {
            let new = || Player { side: Side::default(), other: None, game: score.clone() }.start();
            let pairs = (0..game.pairs).map(|_| {
                let (even, odd) = (new(), new());
                even.do_send(Meet(odd.clone()));
                odd.do_send(Meet(even.clone()));
                even
            });
            let servers = pairs.collect();
            score.all_started(game.services()).await;
            servers
        });
        let started = Instant::now();
        for server in &servers {
            server.do_send(Serve(game.first_ball()));
        }
        system.run().map_err(Failure::runtime)?;
        let ended = score.ended.get().ok_or_else(|| Failure::runtime("the match did not end"))?;
        Ok(Measured { delivered: score.heard.get(), ended_at: None, wall: ended - started, steady: None })
    }

    fn idle(&self, services: u32, before: Footprint) -> Result<Growth, Failure> {
        let game = Rc::new(Match::default());
        System::new().block_on(async {
            let new = |_| Player { side: Side::default(), other: None, game: game.clone() }.start();
            // An actor lives as long as somebody can reach it.
            let reachable: Vec<Addr<Player>> = (0..services).map(new).collect();
            game.all_started(services).await;
            let growth = before.complete();
            drop(reachable);
            growth
        })
    }
}
