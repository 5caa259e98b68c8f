//! The queued link against queueing theory.
//!
//! Messages come to one link as a Poisson process and are sent one after the other: an M/G/1 queue.
//! Its mean wait before service is, with mean service time `s`, utilisation `u` and squared
//! coefficient of variation of service times `c²`, by Pollaczek and Khinchine
//! (F. Pollaczek, "Über eine Aufgabe der Wahrscheinlichkeitstheorie", 1930; L. Kleinrock, "Queueing
//! Systems", volume 1, 1975, section 5.7)
//!
//! ```text
//! W = s · u / (1 - u) · (1 + c²) / 2
//! ```
//!
//! with `c² = 0` for messages of one size (M/D/1) and `c² = 1` for exponential sizes (M/M/1).

use std::cell::RefCell;
use std::rc::Rc;

use actix::{Actor, AsyncContext, Handler};
use serde::Serialize;

use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Cast, LinkModel};
use rehearsal_actors::topology::Link;
use rehearsal_actors::units::Bandwidth;

use crate::common::cast::{chain, enters};
use crate::common::ms;
use crate::common::story::play_unheard;

/// 8 Mbit/s: a byte takes a microsecond.
const BITS_PER_SECOND: u64 = 8_000_000;
const NANOS_PER_BYTE: u64 = 1_000;
/// A message takes 100 ms on average, a whole number of bytes.
const MEAN_SERVICE: SimDuration = ms(100);
const LATENCY: SimDuration = ms(7);

#[derive(Clone, Copy, PartialEq)]
enum Sizes {
    Fixed,
    Exponential,
}

#[derive(Clone, Serialize)]
struct Job;

/// Sends jobs at random times.
struct Source {
    mean_interval: SimDuration,
    sizes: Sizes,
    left: u32,
}

impl Source {
    fn send_next(&mut self, ctx: &mut ServiceContext<Self>) {
        let mean = self.mean_interval;
        let pause = ctx.random().exponential(mean);
        ctx.run_later(pause.into(), |source, ctx| {
            let service = match source.sizes {
                Sizes::Fixed => MEAN_SERVICE,
                Sizes::Exponential => ctx.random().exponential(MEAN_SERVICE),
            };
            let sink = ctx.find("sink").expect("it is in the cast");
            let bytes = Bytes(service.as_nanos() / NANOS_PER_BYTE);
            ctx.send_sized(sink, Job, bytes).expect("the link is up");
            source.left -= 1;
            if source.left > 0 {
                source.send_next(ctx);
            }
        });
    }
}

impl Actor for Source {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        self.send_next(ctx);
    }
}

impl Networked for Source {
    fn accepts(_: &mut Accepts<Self>) {}
}

/// Adds up how long jobs waited: the time on their way, less their own transmission and the latency.
struct Sink(Rc<RefCell<u64>>);

impl Actor for Sink {
    type Context = ServiceContext<Self>;
}

impl Networked for Sink {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Job>();
    }
}

impl Handler<Delivery<Job>> for Sink {
    type Result = ();

    fn handle(&mut self, job: Delivery<Job>, ctx: &mut ServiceContext<Self>) {
        let on_its_way = ctx.now().since(job.sent_at).as_nanos();
        *self.0.borrow_mut() += on_its_way - LATENCY.as_nanos() - job.bytes.0 * NANOS_PER_BYTE;
    }
}

/// The mean wait of so many jobs, in mean service times.
fn mean_wait(utilisation: f64, sizes: Sizes, jobs: u32) -> f64 {
    let bandwidth = Bandwidth::bits_per_second(BITS_PER_SECOND).expect("not zero");
    let (mut setup, nodes) = chain([Link { bandwidth, queue_limit: Bytes(u64::MAX), ..Link::new(LATENCY) }]);
    setup.model = LinkModel::Queued;
    let mean_interval = SimDuration::from_nanos((MEAN_SERVICE.as_nanos() as f64 / utilisation).round() as u64);
    let waited = Rc::new(RefCell::new(0));
    enters(&mut setup, "source", nodes[0], Cast::actor(Source { mean_interval, sizes, left: jobs }));
    enters(&mut setup, "sink", nodes[1], Cast::actor(Sink(waited.clone())));
    let report = play_unheard(setup);
    assert_eq!(report.traffic.delivered, u64::from(jobs), "an endless queue drops nothing");
    let waited = *waited.borrow();
    waited as f64 / f64::from(jobs) / MEAN_SERVICE.as_nanos() as f64
}

fn pollaczek_khinchine(utilisation: f64, squared_variation: f64) -> f64 {
    utilisation / (1.0 - utilisation) * (1.0 + squared_variation) / 2.0
}

fn check(utilisation: f64, sizes: Sizes, jobs: u32) {
    let squared_variation = if sizes == Sizes::Fixed { 0.0 } else { 1.0 };
    let theory = pollaczek_khinchine(utilisation, squared_variation);
    let measured = mean_wait(utilisation, sizes, jobs);
    let error = (measured / theory - 1.0).abs();
    assert!(error < 0.05, "{measured} mean service times instead of {theory}: {:.1} % off", error * 100.0);
}

#[test]
fn messages_of_one_size_wait_as_in_m_d_1_at_half_load() {
    check(0.5, Sizes::Fixed, 200_000);
}

#[test]
fn messages_of_one_size_wait_as_in_m_d_1_at_four_fifths_load() {
    check(0.8, Sizes::Fixed, 200_000);
}

#[test]
fn messages_of_exponential_size_wait_as_in_m_m_1_at_half_load() {
    check(0.5, Sizes::Exponential, 200_000);
}

#[test]
fn messages_of_exponential_size_wait_as_in_m_m_1_at_four_fifths_load() {
    check(0.8, Sizes::Exponential, 400_000);
}
