use std::process::ExitCode;
use std::rc::Rc;

use rehearsal::prelude::*;
use rehearsal::registry::RegistryError;

/// Answers `GET /celsius`.
struct Thermometer {
    least: u64,
}

impl Thermometer {
    async fn celsius(self: Rc<Self>, io: ServiceIo, _: Request) -> (u16, u64) {
        io.sleep(SimDuration::from_millis(3)).await; // measuring takes virtual time
        (200, self.least + io.random(|random| random.between(0, 4)))
    }
}

impl Service for Thermometer {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.get("/celsius", Self::celsius);
    }
}

/// Asks the thermometer in every step.
struct Display;

impl Service for Display {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let celsius: u64 = io.rest().get("thermometer/celsius").await.json()?;
        io.count("readings", 1);
        Ok(Step::Value(celsius.into()))
    }
}

fn main() -> Result<ExitCode, RegistryError> {
    let mut registry = Registry::stock();
    registry.register("home/thermometer", "Says how warm it is: GET /celsius.", |least| {
        Ok(Cast::service(Thermometer { least }))
    })?;
    registry.register("home/display", "Asks how warm it is in every step.", |(): ()| Ok(Cast::service(Display)))?;
    Ok(Cli::new(registry).run())
}
