//! REST: every status there is, and when.

use std::cell::Cell;
use std::rc::Rc;

use actix::{Actor, Handler};
use serde_json::{Value, json};

use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup, StartError, run};
use rehearsal_actors::topology::{Link, Node, NodeId};

use crate::common::cast::{acts, chain, enters, once};
use crate::common::story::play;
use crate::common::{at_ms, ms};

/// Keeps one value.
#[derive(Default)]
struct Store {
    value: Cell<Option<u64>>,
}

impl Store {
    async fn keep(self: Rc<Self>, _: ServiceIo, request: Request) -> Result<(u16, Value), Response> {
        self.value.set(Some(request.json()?));
        Ok((201, Value::Null))
    }

    async fn look(self: Rc<Self>, _: ServiceIo, request: Request) -> (u16, Value) {
        match self.value.get() {
            Some(value) => (200, json!({ "value": value, "key": request.params["key"] })),
            None => (404, Value::Null),
        }
    }

    async fn panics(self: Rc<Self>, _: ServiceIo, _: Request) {
        panic!("out of paper");
    }

    async fn fails(self: Rc<Self>, _: ServiceIo, _: Request) -> Result<(), StepError> {
        Err(StepError::new("cannot"))
    }

    async fn busy(self: Rc<Self>, _: ServiceIo, _: Request) -> Response {
        Response::status(503)
    }

    async fn nothing(self: Rc<Self>, _: ServiceIo, _: Request) {}
}

impl Service for Store {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.post("/items", Store::keep).get("/items/{key}", Store::look).delete("/items/{key}", Store::nothing);
        endpoints.get("/panics", Store::panics).get("/fails", Store::fails).get("/busy", Store::busy);
    }
}

/// A caller and a store with 10 ms between them.
fn store() -> (Setup, Vec<NodeId>) {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    setup.services.push(ServiceSpec::restartable("store", nodes[1], || Cast::service(Store::default())));
    (setup, nodes)
}

type Told = (u16, OutcomeKind, SimDuration);

#[test]
fn every_answer_has_its_status_and_its_outcome_and_pays_for_both_ways() {
    use Method::{Delete, Get, Post, Put};
    let (mut setup, nodes) = store();
    let asks = [
        (Get, "store/items/a", Value::Null),
        (Post, "store/items", json!(5)),
        (Post, "store/items", json!("five")),
        (Get, "store/items/a", Value::Null),
        (Delete, "store/items/a", Value::Null),
        (Get, "store/nothing/here", Value::Null),
        (Put, "store/items", json!(5)),
        (Get, "store/panics", Value::Null),
        (Get, "store/fails", Value::Null),
        (Get, "store/busy", Value::Null),
        (Get, "store/items/a", Value::Null),
    ];
    let (caller, told) = once(async move |io: &ServiceIo| {
        let mut told: Vec<Told> = Vec::new();
        for (method, url, body) in asks.clone() {
            let reply = io.rest().call(method, url, body).await;
            told.push((reply.status, reply.outcome, reply.elapsed));
        }
        told
    });
    enters(&mut setup, "caller", nodes[0], caller);
    let (report, _) = play(setup);
    let expected = [
        (404, OutcomeKind::Reply),
        (201, OutcomeKind::Reply),
        (400, OutcomeKind::Reply),
        (200, OutcomeKind::Reply),
        (204, OutcomeKind::Ack),
        (404, OutcomeKind::NotUnderstood),
        (405, OutcomeKind::NotUnderstood),
        (500, OutcomeKind::Error),
        (500, OutcomeKind::Error),
        (503, OutcomeKind::Nack),
        // The one that panicked was restarted, and had nothing in store.
        (404, OutcomeKind::Reply),
    ];
    assert_eq!(told.take(), Some(expected.map(|(status, outcome)| (status, outcome, ms(20))).to_vec()));
    let panics: Vec<(&str, &str)> = report.panics.iter().map(|p| (p.service.as_str(), p.message.as_str())).collect();
    assert_eq!(panics, [("store", "out of paper")]);
    assert!(!report.services[0].crashed, "a handler's panic is its caller's trouble alone");
    assert_eq!(report.services[0].handled, 9, "what nobody understands no handler handles");
}

#[test]
fn a_value_that_was_posted_comes_back_under_the_key_that_was_asked_for() {
    let (mut setup, nodes) = store();
    let (caller, value) = once(async |io| {
        io.rest().post("store/items", 5).await.success()?;
        io.rest().get("store/items/a%20b").await.json::<Value>()
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    assert_eq!(value.take(), Some(Ok(json!({ "value": 5, "key": "a b" }))));
}

#[test]
fn an_unknown_service_is_404_and_one_without_a_route_503_at_once_and_what_is_lost_504_at_the_timeout() {
    let (mut setup, nodes) = store();
    let island = setup.topology.add_node(Node::new("island")).expect("names differ");
    enters(&mut setup, "castaway", island, Cast::service(Store::default()));
    // The store's node dies when the first request, sent at 0, is half way.
    setup.changes.push(ScheduledChange { at: at_ms(5), change: Change::NodeDown(nodes[1]) });
    let (caller, told) = once(async |io| {
        let mut told: Vec<Told> = Vec::new();
        for url in ["store/items/a", "nobody/items/a", "castaway/items/a", "store/items/a"] {
            let reply = io.rest().get(url).await;
            told.push((reply.status, reply.outcome, reply.elapsed));
        }
        told
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    let expected = [
        (504, OutcomeKind::TimedOut, ms(2000)),
        (404, OutcomeKind::Undelivered, ms(0)),
        (503, OutcomeKind::Undelivered, ms(0)),
        (503, OutcomeKind::Undelivered, ms(0)),
    ];
    assert_eq!(told.take(), Some(expected.to_vec()));
}

#[test]
fn a_service_that_is_gone_is_503_when_its_router_has_said_so() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "ghost", nodes[1], acts(async |_| panic!("boo")));
    let (caller, reply) = once(async |io| io.rest().get("ghost/").await);
    enters(&mut setup, "caller", nodes[0], caller);
    let (report, _) = play(setup);
    let reply = reply.take().expect("it was called");
    // 10 ms there, and 10 ms back for the notice.
    assert_eq!((reply.status, reply.outcome, reply.elapsed), (503, OutcomeKind::Undelivered, ms(20)));
    assert!(report.services[0].crashed);
}

/// A plain actor, which has no endpoints.
struct Deaf;

impl Actor for Deaf {
    type Context = ServiceContext<Self>;
}

impl Networked for Deaf {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<u8>();
    }
}

impl Handler<Delivery<u8>> for Deaf {
    type Result = ();
    fn handle(&mut self, _: Delivery<u8>, _: &mut ServiceContext<Self>) {}
}

#[test]
fn a_request_to_an_actor_without_endpoints_is_not_understood_for_the_asker_as_for_the_report() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "deaf", nodes[1], Cast::actor(Deaf));
    let (caller, reply) = once(async |io| io.rest().get("deaf/").await);
    enters(&mut setup, "caller", nodes[0], caller);
    let (report, _) = play(setup);
    let reply = reply.take().expect("it was called");
    assert_eq!(report.outcomes.get(&(Interface::Rest, OutcomeKind::NotUnderstood)), Some(&1));
    assert_eq!((reply.status, reply.outcome), (404, OutcomeKind::NotUnderstood));
}

#[test]
fn requests_under_way_at_once_cost_the_slowest() {
    let (mut setup, nodes) = store();
    let (caller, elapsed) = once(async |io| {
        let rest = io.rest();
        let both = (rest.get("store/busy").send(), rest.get("store/fails").send());
        (both.0.await.status, both.1.await.status, io.now())
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    assert_eq!(elapsed.take(), Some((503, 500, at_ms(20))));
}

struct Twice;

impl Service for Twice {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        async fn nothing(_: Rc<Twice>, _: ServiceIo, _: Request) {}
        endpoints.get("/here", nothing).post("/here", nothing).get("/here", nothing);
    }
}

#[test]
fn an_endpoint_registered_twice_keeps_the_run_from_starting() {
    let (mut setup, nodes) = chain([]);
    enters(&mut setup, "twice", nodes[0], Cast::service(Twice));
    match run(setup, None, std::sync::Arc::default()) {
        Err(StartError::BadEndpoint { service, endpoint, .. }) => {
            assert_eq!((service.as_str(), endpoint.as_str()), ("twice", "GET /here"));
        }
        other => panic!("it started: {other:?}"),
    }
}

/// Tells what it was asked.
struct Teller;

impl Teller {
    async fn tell(self: Rc<Self>, _: ServiceIo, request: Request) -> (u16, Value) {
        (200, json!([request.path, request.params["key"], request.query("size"), request.query.len()]))
    }
}

impl Service for Teller {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.get("/items/{key}", Teller::tell).put("/items/{key}", Teller::tell);
    }
}

#[test]
fn a_path_may_have_escapes_and_a_query_and_one_for_other_methods_says_which() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "teller", nodes[1], Cast::service(Teller));
    let (caller, told) = once(async |io: &ServiceIo| {
        let read = io.rest().get("teller/items/a%2Fb%20c?size=3&size=4&tag=").await;
        let refused = io.rest().delete("teller/items/a").await;
        (read.body, read.by_service, refused.by_service, refused.allowed)
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    let body = json!(["/items/a%2Fb c", "a/b c", "3", 3]);
    assert_eq!(told.take(), Some((body, true, false, vec![Method::Get, Method::Put])));
}
