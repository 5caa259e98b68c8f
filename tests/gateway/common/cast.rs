//! Services that show every way in which a request can end.

use std::rc::Rc;

use rehearsal::actors::interfaces::rest::Method;
use rehearsal::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The methods of the specification's examples, and one for each way to fail.
pub struct Calculator;

#[derive(Deserialize)]
pub struct Subtract {
    minuend: i64,
    subtrahend: i64,
}

#[derive(Debug, Serialize, thiserror::Error)]
#[error("{by} is no divisor")]
struct NoDivisor {
    by: i64,
}

impl Calculator {
    async fn subtract(self: Rc<Self>, _: ServiceIo, of: Subtract) -> Result<i64, Failure> {
        Ok(of.minuend.wrapping_sub(of.subtrahend))
    }

    async fn sum(self: Rc<Self>, _: ServiceIo, numbers: Vec<i64>) -> Result<i64, Failure> {
        Ok(numbers.into_iter().fold(0, i64::wrapping_add))
    }

    async fn data(self: Rc<Self>, _: ServiceIo, (): ()) -> Result<(String, u8), Failure> {
        Ok(("hello".to_owned(), 5))
    }

    async fn echo(self: Rc<Self>, _: ServiceIo, value: Value) -> Result<Value, Failure> {
        Ok(value)
    }

    async fn divide(self: Rc<Self>, _: ServiceIo, (number, by): (i64, i64)) -> Result<i64, NoDivisor> {
        number.checked_div(by).ok_or(NoDivisor { by })
    }

    async fn refuse(self: Rc<Self>, _: ServiceIo, (): ()) -> Result<(), Failure> {
        Err(Failure::nack("not today"))
    }

    async fn forbid(self: Rc<Self>, _: ServiceIo, (): ()) -> Result<(), Failure> {
        Err(Failure::denied("not you"))
    }

    async fn note(self: Rc<Self>, io: ServiceIo, _: Value, channel: ReplyChannel) {
        io.count("notes", 1);
        let _ = channel.ack();
    }

    /// Takes so many milliseconds.
    async fn sleep(self: Rc<Self>, io: ServiceIo, millis: u64) -> Result<u64, Failure> {
        io.sleep(SimDuration::from_millis(millis)).await;
        Ok(millis)
    }

    async fn panics(self: Rc<Self>, _: ServiceIo, (): ()) -> Result<(), Failure> {
        panic!("slipped")
    }
}

impl Service for Calculator {
    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces
            .interface("calculator", "1.0")
            .rpc("subtract", "Takes one number from another.", Calculator::subtract)
            .rpc("sum", "Adds numbers up.", Calculator::sum)
            .rpc("get_data", "Says hello.", Calculator::data)
            .rpc("echo", "Says the same.", Calculator::echo)
            .rpc("divide", "Divides one number by another.", Calculator::divide)
            .raises::<NoDivisor>("NoDivisor")
            .rpc("refuse", "Does not.", Calculator::refuse)
            .rpc("forbid", "Does not let you.", Calculator::forbid)
            .raw_rpc("note", "Takes note.", Calculator::note)
            .rpc("sleep", "Takes its time.", Calculator::sleep)
            .rpc("panics", "Fails as nobody expects.", Calculator::panics);
    }
}

/// Endpoints that tell what they were asked, and some that fail.
pub struct Shop;

impl Shop {
    async fn tell(self: Rc<Self>, _: ServiceIo, request: Request) -> (u16, Value) {
        let asked = json!({
            "method": request.method.to_string(),
            "params": request.params,
            "query": request.query,
            "body": request.body,
        });
        (if request.method == Method::Post { 201 } else { 200 }, asked)
    }

    async fn status(self: Rc<Self>, _: ServiceIo, request: Request) -> Response {
        match request.param("status") {
            Ok(status) => Response::new(status, json!({ "mine": true })),
            Err(response) => response,
        }
    }

    async fn panics(self: Rc<Self>, _: ServiceIo, _: Request) {
        panic!("slipped")
    }

    async fn nothing(self: Rc<Self>, _: ServiceIo, _: Request) {}

    async fn ordered(self: Rc<Self>, io: ServiceIo, _: Event<Value>) -> Result<(), StepError> {
        io.count("orders heard", 1);
        Ok(())
    }
}

impl Service for Shop {
    fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
        subscriptions.on("order.*", Shop::ordered);
    }

    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.get("/items/{id}", Shop::tell).post("/items", Shop::tell).delete("/items/{id}", Shop::nothing);
        endpoints.put("/items/{id}", Shop::tell).get("/", Shop::tell);
        endpoints.get("/status/{status}", Shop::status).get("/panics", Shop::panics);
    }
}
