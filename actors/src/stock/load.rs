//! Traffic: messages of a given size at a given rate, and somewhere for them to go.

use std::cell::Cell;

use actix::prelude::*;
use serde::{Deserialize, Serialize};

use crate::prelude::*;

/// One message of a [`Sender`]. Its size on the wire is what the sender was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Parcel {
    /// Which one it is, from 1 on.
    pub number: u64,
}

/// What a [`Sender`] may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SenderParams {
    /// The name of the service to send to. Default `sink`.
    pub to: String,
    /// From the beginning of one message to that of the next; the first is sent at once. Default
    /// 10 ms.
    pub every: SimDuration,
    /// Whether messages come as a Poisson process instead, with `every` for their mean distance,
    /// the first after one such distance. Default false.
    pub poisson: bool,
    /// The size of a message on the wire. Default 1 KiB.
    pub bytes: Bytes,
    /// How many messages to send; without it, until the run ends.
    pub count: Option<u64>,
    /// Whether to wait until each message was delivered; one that was not fails the step. What
    /// became due meanwhile is sent as soon as that is known. Default false.
    pub confirm: bool,
}

impl Default for SenderParams {
    fn default() -> Self {
        SenderParams {
            to: "sink".to_owned(),
            every: SimDuration::from_millis(10),
            poisson: false,
            bytes: Bytes::kib(1),
            count: None,
            confirm: false,
        }
    }
}

/// Why there can be no such [`Sender`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSender {
    /// It would send without end in a single instant.
    #[error("`every` is no time at all, and would send without end at once; write more than zero, such as \"10ms\"")]
    NoPause,
}

/// Sends a [`Parcel`] in every step. Counts `parcels sent`.
#[derive(Debug)]
pub struct Sender {
    params: SenderParams,
    sent: Cell<u64>,
    /// When the next one is to be sent; `None` before the first.
    due: Cell<Option<SimTime>>,
}

impl Sender {
    /// A sender that has yet to send.
    ///
    /// # Errors
    /// The parameters make no sense.
    pub fn new(params: SenderParams) -> Result<Self, BadSender> {
        if params.every.is_zero() {
            return Err(BadSender::NoPause);
        }
        Ok(Sender { params, sent: Cell::new(0), due: Cell::new(None) })
    }

    /// From one message to the next.
    fn gap(&self, io: &ServiceIo) -> SimDuration {
        match self.params.poisson {
            true => io.random(|stream| stream.exponential(self.params.every)),
            false => self.params.every,
        }
    }

    /// When the next message is due.
    fn next_due(&self, io: &ServiceIo) -> SimTime {
        match self.due.get() {
            Some(due) => due + self.gap(io),
            None if self.params.poisson => io.now() + self.gap(io),
            None => io.now(),
        }
    }
}

impl Service for Sender {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let number = self.sent.get() + 1;
        if self.params.count.is_some_and(|count| number > count) {
            return Ok(Step::Stop);
        }
        let due = self.next_due(io);
        self.due.set(Some(due));
        io.sleep_until(due).await;
        self.sent.set(number);
        io.count("parcels sent", 1);
        let sending = io.mpi().send_sized(&self.params.to, Parcel { number }, self.params.bytes);
        if self.params.confirm {
            sending.await?;
        }
        Ok(Step::Continue)
    }
}

/// Takes every [`Parcel`]. Counts `parcels taken` and `bytes taken`.
#[derive(Debug, Default)]
pub struct Sink;

impl Actor for Sink {
    type Context = ServiceContext<Self>;
}

impl Networked for Sink {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Parcel>();
    }
}

impl Handler<Delivery<Parcel>> for Sink {
    type Result = ();

    fn handle(&mut self, parcel: Delivery<Parcel>, ctx: &mut ServiceContext<Self>) {
        ctx.count("parcels taken", 1);
        ctx.count("bytes taken", parcel.bytes.0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::changes::{Change, ScheduledChange};
    use crate::report::Report;
    use crate::simulation::{Cast, Progress, ServiceSpec, Setup, run};
    use crate::topology::{Link, Node, NodeId, Topology};

    fn setup(params: SenderParams) -> Result<(Setup, NodeId), Box<dyn std::error::Error>> {
        let mut topology = Topology::new();
        let (a, b) = (topology.add_node(Node::new("a"))?, topology.add_node(Node::new("b"))?);
        topology.add_symmetric(a, b, Link::new(SimDuration::from_millis(5)))?;
        let mut setup = Setup::new(1, topology);
        setup.services = vec![
            ServiceSpec::new("sender", a, Cast::service(Sender::new(params)?)),
            ServiceSpec::new("sink", b, Cast::actor(Sink)),
        ];
        Ok((setup, b))
    }

    fn run_with(params: SenderParams) -> Result<Report, Box<dyn std::error::Error>> {
        Ok(run(setup(params)?.0, None, Arc::new(Progress::default()))?)
    }

    #[test]
    fn parcels_have_their_size_number_and_distance() -> Result<(), Box<dyn std::error::Error>> {
        let params = SenderParams { bytes: Bytes(300), count: Some(4), ..SenderParams::default() };
        let report = run_with(params)?;
        assert_eq!(report.counters["parcels taken"], 4);
        assert_eq!(report.counters["bytes taken"], 1200);
        // Sent after 0, 10, 20 and 30 ms; the last one is 5 ms on its way.
        assert_eq!(report.ended_at, SimTime::from_nanos(35_000_000));
        Ok(())
    }

    #[test]
    fn a_poisson_process_has_its_rate() -> Result<(), Box<dyn std::error::Error>> {
        let params = SenderParams { poisson: true, count: Some(10_000), ..SenderParams::default() };
        let report = run_with(params)?;
        // The sum of 10,000 exponential gaps of mean 10 ms: mean 100 s, deviation 10 ms * sqrt(10,000)
        // = 1 s. Five deviations.
        let seconds = report.ended_at.as_secs_f64();
        assert!((95.0..105.0).contains(&seconds), "{seconds}");
        Ok(())
    }

    #[test]
    fn confirmed_parcels_fail_with_the_reason_and_others_in_silence() -> Result<(), Box<dyn std::error::Error>> {
        for (confirm, failed) in [(true, 1), (false, 0)] {
            let (mut setup, sink_node) = setup(SenderParams { count: Some(3), confirm, ..SenderParams::default() })?;
            // Down while the second is sent, after 10 ms; up for the third, after 20 ms.
            for (ms, change) in [(8, Change::NodeDown(sink_node)), (12, Change::NodeUp(sink_node))] {
                setup.changes.push(ScheduledChange { at: SimTime::from_nanos(ms * 1_000_000), change });
            }
            let report = run(setup, None, Arc::new(Progress::default()))?;
            assert_eq!(report.counters["parcels taken"], 2);
            let reasons = &report.services[0].failed_steps;
            assert_eq!(reasons.get("no route to `sink`").copied().unwrap_or(0), failed, "{reasons:?}");
        }
        Ok(())
    }

    #[test]
    fn sending_without_pause_is_refused() {
        let params = SenderParams { every: SimDuration::ZERO, ..SenderParams::default() };
        assert_eq!(Sender::new(params).err(), Some(BadSender::NoPause));
    }

    #[test]
    fn parameters_are_written_as_in_a_scenario() -> Result<(), serde_json::Error> {
        let params = serde_json::json!({ "to": "drain", "every": "1.6ms", "poisson": true, "bytes": "64KiB" });
        let params: SenderParams = serde_json::from_value(params)?;
        assert_eq!((params.every, params.bytes), (SimDuration::from_micros(1600), Bytes::kib(64)));
        assert_eq!((params.count, params.confirm), (None, false));
        assert!(serde_json::from_value::<SenderParams>(serde_json::json!({ "evry": "1s" })).is_err());
        Ok(())
    }
}
