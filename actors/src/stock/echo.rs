//! An echo, wired up with [`exchange`](crate::interfaces::exchange) alone.
//!
//! ```text
//! Caller -- Ping { number, text } --> Server
//! Caller <-- Echo { number, "Echo: text" } -- Server
//! ```

use std::cell::Cell;

use serde::{Deserialize, Serialize};

use crate::prelude::*;

/// What a [`Caller`] sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ping {
    /// Which one it is, from 1 on.
    pub number: u64,
    /// What is called.
    pub text: String,
}

/// What a [`Server`] sends back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Echo {
    /// The number of the ping that it answers.
    pub number: u64,
    /// `Echo: ` and what was called.
    pub text: String,
}

impl Echo {
    /// The echo of a ping.
    pub fn of(ping: &Ping) -> Echo {
        Echo { number: ping.number, text: format!("Echo: {}", ping.text) }
    }
}

/// Sends every [`Ping`] back to where it came from, as an [`Echo`]. Counts `pings echoed`.
#[derive(Debug, Default)]
pub struct Server;

impl Service for Server {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let echo = io.mpi().exchange().receive::<Ping>().no_timeout().send();
        echo.run(|ping| async move { (ping.from, Echo::of(&ping.body)) }).await?;
        io.count("pings echoed", 1);
        Ok(Step::Continue)
    }
}

/// What a [`Caller`] may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallerParams {
    /// The name of the service to call. Default `echo`.
    pub to: String,
    /// What to call. Default `hello`.
    pub text: String,
    /// How often; without it, until the run ends.
    pub count: Option<u64>,
}

impl Default for CallerParams {
    fn default() -> Self {
        CallerParams { to: "echo".to_owned(), text: "hello".to_owned(), count: None }
    }
}

/// Sends a [`Ping`] in every step, waits for its [`Echo`] and checks it. Counts `echoes heard`; the
/// value of a step says how long the echo took.
#[derive(Debug, Default)]
pub struct Caller {
    params: CallerParams,
    called: Cell<u64>,
}

impl Caller {
    /// A caller that has yet to call.
    pub fn new(params: CallerParams) -> Self {
        Caller { params, called: Cell::new(0) }
    }

    /// Waits for the echo of a ping. Echoes of earlier ones, which were given up, are dropped.
    async fn hear(&self, io: &ServiceIo, number: u64) -> Result<Echo, CallError> {
        loop {
            let heard = io.mpi().exchange().receive::<Echo>();
            let echo = heard.run(|echo| async move { echo.body }).await?;
            if echo.number == number {
                return Ok(echo);
            }
            io.count("echoes too late", 1);
        }
    }
}

impl Service for Caller {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let number = self.called.get() + 1;
        if self.params.count.is_some_and(|count| number > count) {
            return Ok(Step::Stop);
        }
        self.called.set(number);
        let began = io.now();
        let ping = Ping { number, text: self.params.text.clone() };
        let expected = Echo::of(&ping);
        io.mpi().exchange().send().run(|| async move { (&self.params.to, ping) }).await?;
        let echo = self.hear(io, number).await?;
        if echo != expected {
            return Err(StepError::new(format!("heard `{}` instead of `{}`", echo.text, expected.text)));
        }
        io.count("echoes heard", 1);
        let took = io.now().since(began).to_string();
        Ok(Step::Value(serde_json::json!({ "ping": number, "heard": echo.text, "took": took })))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::Ending;
    use crate::simulation::{Cast, Progress, ServiceSpec, Setup, run};
    use crate::topology::{Link, Node, Topology};

    #[test]
    fn every_ping_is_heard_again_after_the_way_there_and_back() -> Result<(), Box<dyn std::error::Error>> {
        let mut topology = Topology::new();
        let (here, there) = (topology.add_node(Node::new("here"))?, topology.add_node(Node::new("there"))?);
        topology.add_symmetric(here, there, Link::new(SimDuration::from_millis(7)))?;
        let mut setup = Setup::new(1, topology);
        let caller = Caller::new(CallerParams { count: Some(3), ..CallerParams::default() });
        let mut caller = ServiceSpec::new("caller", here, Cast::service(caller));
        caller.keep_step_values = 1;
        setup.services = vec![caller, ServiceSpec::new("echo", there, Cast::service(Server))];

        let report = run(setup, None, Arc::new(Progress::default()))?;
        assert_eq!(report.ending, Ending::Quiescent);
        assert_eq!(report.counters["echoes heard"], 3);
        assert_eq!(report.counters["pings echoed"], 3);
        // Three times 7 ms there and 7 ms back.
        assert_eq!(report.ended_at, SimTime::from_nanos(42_000_000));
        let last = serde_json::json!({ "ping": 3, "heard": "Echo: hello", "took": "14ms" });
        assert_eq!(report.services[0].step_values, [last]);
        Ok(())
    }
}
