//! A thermometer, which is an async service, and a vent, which is an Actix actor.
//!
//! ```text
//! Thermometer -- POST data { key, value } --> a store of the stock
//! Thermometer -- Reading { celsius } --> Vent
//! Thermometer <-- Position { open } -- Vent
//! ```

use std::cell::Cell;

use rehearsal::prelude::*;
use serde::{Deserialize, Serialize};

/// From the thermometer to the vent: how warm it is.
#[derive(Clone, Serialize)]
struct Reading {
    celsius: i64,
}

/// From the vent to the thermometer, for each reading.
#[derive(Clone, Serialize)]
struct Position {
    open: bool,
}

/// What a store takes under `data`.
#[derive(Serialize)]
struct Entry {
    key: String,
    value: i64,
}

/// What a scenario says about a thermometer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThermometerParams {
    /// How warm it is in the morning.
    celsius: i64,
    /// How many readings to take.
    readings: u64,
}

/// Books a reading and tells it to `vent`, in every step. Three degrees colder if the vent is
/// open, two degrees warmer if not.
pub struct Thermometer {
    celsius: Cell<i64>,
    left: Cell<u64>,
}

impl Thermometer {
    pub fn new(params: ThermometerParams) -> Self {
        Thermometer { celsius: Cell::new(params.celsius), left: Cell::new(params.readings) }
    }
}

impl Service for Thermometer {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        if self.left.get() == 0 {
            return Ok(Step::Stop);
        }
        let celsius = self.celsius.get();
        let entry = Entry { key: format!("reading-{}", self.left.get()), value: celsius };
        // Whatever fails ends the step, is counted with its reason, and the next step tries again.
        io.rest().post("logbook/data", entry).await.success()?;
        io.mpi().send("vent", Reading { celsius }).await?;
        let vent = io.mpi().recv::<Position>().await?.body;
        self.celsius.set(if vent.open { celsius - 3 } else { celsius + 2 });
        self.left.set(self.left.get() - 1);
        Ok(Step::Value(celsius.into()))
    }
}

/// What a scenario says about a vent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VentParams {
    /// It is open while it is warmer than this.
    above: i64,
}

/// Answers each reading with its position. Counts `times opened`.
pub struct Vent {
    above: i64,
    open: bool,
}

impl Vent {
    pub fn new(VentParams { above }: VentParams) -> Result<Self, String> {
        if above < -273 {
            return Err(format!("it is never colder than -273 degrees, so {above} would keep the vent open"));
        }
        Ok(Vent { above, open: false })
    }
}

impl Actor for Vent {
    type Context = ServiceContext<Self>;
}

impl Networked for Vent {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Reading>();
    }
}

impl Handler<Delivery<Reading>> for Vent {
    type Result = ();

    fn handle(&mut self, reading: Delivery<Reading>, ctx: &mut ServiceContext<Self>) {
        let open = reading.body.celsius > self.above;
        if open && !self.open {
            ctx.count("times opened", 1);
        }
        self.open = open;
        // That nobody can be reached is counted; there is nothing else to do about it here.
        let _ = ctx.send(reading.from, Position { open });
    }
}
