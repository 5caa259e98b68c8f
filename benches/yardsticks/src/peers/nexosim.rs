//! NeXosim 1.0 on one thread: a player is a model; a ball that comes in is put off by the link's latency with a
//! scheduled event, then sent through an output port. One scheduled event and one send a message.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::{EventSource, Output};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};

use super::{Column, Failure, Measured, Peer};
use crate::memory::{Footprint, Growth};
use crate::workloads::{LINK, PingPong, Player as Side, Workload};

/// NeXosim's models and ports.
pub struct Nexosim;

#[derive(Default, Serialize, Deserialize)]
struct Player {
    ball_out: Output<u64>,
    side: Side,
    /// What all players heard, added up as each hears its last ball.
    #[serde(skip)]
    heard: Arc<AtomicU64>,
}

#[Model]
impl Player {
    /// The ball to send off at the start of the match.
    fn serve(&mut self, ball: u64, cx: &Context<Self>) {
        self.put_on_link(ball, cx);
    }

    /// A ball that comes in.
    fn ball_in(&mut self, ball: u64, cx: &Context<Self>) {
        let next = self.side.hear(ball);
        if Side::is_last(ball) {
            self.heard.fetch_add(self.side.heard, Ordering::Relaxed);
        }
        if let Some(next) = next {
            self.put_on_link(next, cx);
        }
    }

    fn put_on_link(&self, ball: u64, cx: &Context<Self>) {
        // Scheduling fails only for a time that is not in the future; a lost ball would show in the count.
        let _ = cx.schedule_event(Duration::from_nanos(LINK), schedulable!(Self::arrive), ball);
    }

    /// The ball is at the end of its link.
    #[nexosim(schedulable)]
    async fn arrive(&mut self, ball: u64) {
        self.ball_out.send(ball).await;
    }
}

impl Peer for Nexosim {
    fn name(&self) -> &'static str {
        "nexosim"
    }

    fn column(&self) -> Column {
        Column::Nexosim
    }

    fn fewer_messages(&self, _workload: &Workload) -> u64 {
        4
    }

    fn ping_pong(&self, game: &PingPong) -> Result<Measured, Failure> {
        let heard = Arc::new(AtomicU64::new(0));
        let new = || Player { heard: heard.clone(), ..Player::default() };
        let mut bench = SimInit::with_num_threads(1);
        let mut servers = EventSource::new();
        for pair in 0..game.pairs {
            let (mut even, mut odd) = (new(), new());
            let (even_mailbox, odd_mailbox) = (Mailbox::new(), Mailbox::new());
            even.ball_out.connect(Player::ball_in, &odd_mailbox);
            odd.ball_out.connect(Player::ball_in, &even_mailbox);
            servers = servers.connect(Player::serve, &even_mailbox);
            bench = bench.add_model(even, even_mailbox, &format!("even-{pair}")).add_model(
                odd,
                odd_mailbox,
                &format!("odd-{pair}"),
            );
        }
        let servers = servers.register(&mut bench);
        let mut simulation = bench.init(MonotonicTime::EPOCH).map_err(Failure::runtime)?;
        let started = Instant::now();
        simulation.process_event(&servers, game.first_ball()).map_err(Failure::runtime)?;
        simulation.run().map_err(Failure::runtime)?;
        let wall = started.elapsed();
        let ended_at = simulation.time().duration_since(MonotonicTime::EPOCH);
        Ok(Measured {
            delivered: heard.load(Ordering::Relaxed),
            ended_at: Some(ended_at.as_nanos() as u64),
            wall,
            steady: None,
        })
    }

    fn idle(&self, services: u32, before: Footprint) -> Result<Growth, Failure> {
        let heard = Arc::new(AtomicU64::new(0));
        let mut bench = SimInit::with_num_threads(1);
        for number in 0..services {
            let player = Player { heard: heard.clone(), ..Player::default() };
            bench = bench.add_model(player, Mailbox::new(), &number.to_string());
        }
        let waiting = bench.init(MonotonicTime::EPOCH).map_err(Failure::runtime)?;
        let growth = before.complete();
        drop(waiting);
        growth
    }
}
