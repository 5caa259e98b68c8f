//! What a request from outside has brought along goes out again with everything that is asked on its behalf.

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use rehearsal_actors::interfaces::raw::{Draft, Handling, HandlingResult, Msg};
use rehearsal_actors::outside::{Came, Errand, External, OutboundAnswer, OutboundRequest};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::Report;
use rehearsal_actors::simulation::Cast;
use rehearsal_actors::topology::Link;
use serde_json::{Value, json};

use crate::common::cast::{chain, enters, once};
use crate::common::ms;
use crate::common::story::play_unheard;

/// Asks the next one in another way than it was asked, and the last asks somebody outside:
///
/// ```text
/// start --RPC--> relay: call --REST--> relay: fetch --event--> relay: hear --raw--> relay --RPC, REST--> outside
/// ```
struct Relay;

impl Relay {
    async fn call(self: Rc<Self>, io: ServiceIo, _: Value) -> Result<u16, CallError> {
        Ok(io.rest().post("relay/fetch", json!(1)).await.status)
    }

    async fn fetch(self: Rc<Self>, io: ServiceIo, _: Request) -> Response {
        // What it begins goes on when it has answered.
        io.spawn({
            let io = io.clone();
            async move { drop(io.events().emit("it.was.fetched", 1u8)) }
        });
        Response::status(200)
    }

    async fn hear(self: Rc<Self>, io: ServiceIo, _: Event<u8>) -> Result<(), StepError> {
        io.raw().request(Draft::new(io.address(), "GO_ON")).await?;
        Ok(())
    }
}

impl Service for Relay {
    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces.interface("relay", "1.0").rpc("call", "Goes on.", Relay::call);
    }

    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.post("/fetch", Relay::fetch);
    }

    fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
        subscriptions.on("it.#", Relay::hear);
    }

    async fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> HandlingResult {
        io.rpc().proxy("outside").call::<Value, _>("called", ()).await?;
        io.rest().get("outside/asked").await.success()?;
        io.raw().send(msg.reply("done"))?;
        Ok(Handling::Done)
    }
}

/// Who was asked outside, and what they brought along, when a service has asked that carries this.
fn asked_by(baggage: Option<&'static str>) -> (Vec<(String, Option<String>)>, Report) {
    let asked: Arc<Mutex<Vec<_>>> = Arc::default();
    let noted = asked.clone();
    let outbound = move |request: OutboundRequest, answer: OutboundAnswer| {
        let (what, came) = match request.errand {
            Errand::Call { method, .. } => (method, Came::Result(json!(1))),
            Errand::Request { target, .. } => (target, Came::Response { status: 200, body: json!(1) }),
        };
        noted.lock().expect("nobody panics").push((what, request.baggage));
        answer.give(came);
    };
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    setup.services.push(External::at("outside", nodes[1], "http://127.0.0.1:9000", Arc::new(outbound)));
    enters(&mut setup, "relay", nodes[0], Cast::service(Relay));
    let (start, _) = once(async move |io| {
        let visitor = io.clone().carrying(baggage.map(str::to_owned));
        visitor.rpc().proxy("relay").call::<u16, _>("call", json!([1])).await.expect("it goes on");
        // The service itself carries nothing.
        io.sleep(ms(100)).await;
        io.rest().get("outside/itself").await;
    });
    enters(&mut setup, "start", nodes[1], start);
    let report = play_unheard(setup);
    let asked = asked.lock().expect("nobody panics").clone();
    (asked, report)
}

#[test]
fn what_came_along_goes_out_again_through_calls_requests_events_and_messages_and_the_run_is_the_same() {
    let (laden, with) = asked_by(Some("a, b"));
    let told = |what: &str, baggage: Option<&str>| (what.to_owned(), baggage.map(str::to_owned));
    assert_eq!(laden, [told("called", Some("a, b")), told("/asked", Some("a, b")), told("/itself", None)]);
    let (unladen, without) = asked_by(None);
    assert_eq!(unladen, [told("called", None), told("/asked", None), told("/itself", None)]);
    assert_eq!(with.trace_hash, without.trace_hash, "it weighs nothing");
}
