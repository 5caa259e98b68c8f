//! RPC: every outcome that a call can have, and what goes along with it.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use rehearsal_actors::interfaces::Declined;
use rehearsal_actors::interfaces::rpc::{
    HEADERS_LIMIT, Inspection, InterfaceDescription, LATE_ANSWERS, MethodDescription, Parameter, RemoteError, TraceId,
};
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{AppLink, Cast, Setup, StartError, run};
use rehearsal_actors::topology::{Link, Node, NodeId};
use rehearsal_actors::units::Probability;

use crate::common::cast::{Unspeakable, chain, enters, listens, once};
use crate::common::story::{Event, play, play_unheard};
use crate::common::{at_ms, ms};

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{asked} asked for, {left} left")]
struct SoldOut {
    asked: u32,
    left: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("the till is jammed")]
struct Jammed;

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    item: String,
    count: u32,
}

/// Sells what it is asked for, and fails in every way there is.
struct Shop;

impl Shop {
    async fn buy(self: Rc<Self>, _: ServiceIo, order: Order) -> Result<u32, Failure> {
        match order.item.as_str() {
            "tea" if order.count > 2 => Err(SoldOut { asked: order.count, left: 2 }.into()),
            "coffee" => Err(Jammed.into()),
            "gin" => Err(Failure::denied("come back when you are older")),
            "bread" => Err(Failure::nack("still in the oven")),
            "glass" => panic!("broke a {}", order.item),
            _ => Ok(order.count * 3),
        }
    }

    async fn slowly(self: Rc<Self>, io: ServiceIo, millis: u64) -> Result<u64, Failure> {
        io.sleep(ms(millis)).await;
        Ok(millis)
    }

    async fn shrug(self: Rc<Self>, _: ServiceIo, (): (), channel: ReplyChannel) {
        let _ = channel.ack();
    }

    async fn speechless(self: Rc<Self>, _: ServiceIo, (): ()) -> Result<Unspeakable, Failure> {
        Ok(Unspeakable)
    }

    async fn return_headers(self: Rc<Self>, io: ServiceIo, (): ()) -> Result<bool, Failure> {
        let call = io.call().ok_or(Jammed)?;
        for (name, value) in call.headers().iter() {
            call.set_header(format!("{name}-back"), value)?;
        }
        Ok(call.is_idempotent())
    }
}

impl Service for Shop {
    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces
            .interface("shop", "1.2")
            .rpc("buy", "Buys some of an item; replies what it costs.", Shop::buy)
            .raises::<SoldOut>("SoldOut")
            .rpc("slowly", "", Shop::slowly)
            .raw_rpc("shrug", "Acks.", Shop::shrug)
            .rpc("return_headers", "", Shop::return_headers);
        interfaces.interface("other", "0.1").rpc("slowly", "", Shop::slowly).rpc("speechless", "", Shop::speechless);
    }
}

/// A shop and, 10 ms away, room for its customers.
fn shop() -> (Setup, Vec<NodeId>) {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "shop", nodes[1], Cast::service(Shop));
    (setup, nodes)
}

fn order(item: &str, count: u32) -> Order {
    Order { item: item.to_owned(), count }
}

fn declined(what: &str, reason: &str) -> Box<Declined> {
    Box::new(Declined { by: "shop".to_owned(), what: what.to_owned(), reason: reason.to_owned() })
}

fn nack(reason: &str) -> CallError {
    CallError::Nack(declined("buy", reason))
}

fn not_understood(method: &str, reason: &str) -> CallError {
    CallError::NotUnderstood(declined(method, reason))
}

#[test]
fn what_a_handler_does_is_what_its_caller_gets_and_what_is_counted() {
    let (mut setup, nodes) = shop();
    let asks =
        [order("jam", 2), order("tea", 3), order("coffee", 1), order("gin", 1), order("bread", 1), order("glass", 1)];
    let (caller, told) = once(async move |io: &ServiceIo| {
        let mut told = Vec::new();
        for order in asks.clone() {
            let reply = io.rpc().proxy("shop").call::<u32, _>("buy", order).reply().await;
            told.push((reply.result, reply.outcome, reply.elapsed));
        }
        told
    });
    enters(&mut setup, "caller", nodes[0], caller);
    let (report, _) = play(setup);
    let sold_out = RemoteError {
        type_name: "SoldOut".to_owned(),
        message: "3 asked for, 2 left".to_owned(),
        body: json!({ "asked": 3, "left": 2 }),
    };
    assert_eq!(sold_out.downcast(), Some(SoldOut { asked: 3, left: 2 }));
    let panicked = RemoteError {
        type_name: RemoteError::PANIC.to_owned(),
        message: "the handler panicked: broke a glass".to_owned(),
        body: Value::Null,
    };
    let denied = CallError::Denied(declined("buy", "come back when you are older"));
    let expected = [
        (Ok(6), OutcomeKind::Reply),
        (Err(CallError::Remote(Box::new(sold_out))), OutcomeKind::Error),
        (Err(nack("the till is jammed")), OutcomeKind::Nack),
        (Err(denied), OutcomeKind::Denied),
        (Err(nack("still in the oven")), OutcomeKind::Nack),
        (Err(CallError::Remote(Box::new(panicked))), OutcomeKind::Error),
    ];
    assert_eq!(told.take(), Some(expected.map(|(result, outcome)| (result, outcome, ms(20))).to_vec()));
    let count = |kind| report.outcomes.get(&(Interface::Rpc, kind)).copied().unwrap_or_default();
    use OutcomeKind::{Denied, Error, Nack, Reply};
    assert_eq!([Reply, Error, Nack, Denied].map(count), [1, 2, 2, 1]);
    assert_eq!(report.causes[&(Interface::Rpc, Error, "SoldOut".to_owned())], 1);
    assert_eq!(report.panics.len(), 1);
}

#[test]
fn methods_and_parameters_that_nobody_understands_are_told_with_the_reason_and_reach_no_handler() {
    let (mut setup, nodes) = shop();
    let (caller, told) = once(async |io| {
        let shop = io.rpc().proxy("shop");
        [
            shop.call::<u32, _>("sell", ()).await,
            shop.call("slowly", 5u64).await,
            shop.call("buy", json!({ "item": "jam" })).await,
            shop.call("buy", "jam").await,
        ]
    });
    enters(&mut setup, "caller", nodes[0], caller);
    let (report, _) = play(setup);
    let unfit =
        |reason: &str| CallError::BadParameters(declined("buy", &format!("the parameters do not fit: {reason}")));
    let expected = [
        not_understood("sell", "there is no method `sell`"),
        not_understood("slowly", "several interfaces have a method `slowly`: say `shop.slowly` or `other.slowly`"),
        unfit("missing field `count`"),
        unfit("invalid type: string \"jam\", expected struct Order"),
    ];
    assert_eq!(told.take(), Some(expected.map(Err)));
    assert_eq!(report.services[0].handled, 0);
    assert_eq!(report.outcomes.get(&(Interface::Rpc, OutcomeKind::NotUnderstood)), Some(&4));
}

#[test]
fn services_without_interfaces_and_plain_actors_understand_no_call() {
    use actix::{Actor, Handler};
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
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "deaf", nodes[1], Cast::actor(Deaf));
    enters(&mut setup, "mute", nodes[1], listens());
    let (caller, told) = once(async |io| {
        let ask = async |name: &str| {
            let reply = io.rpc().proxy(name).call::<(), _>("work", 1u8).reply().await;
            (reply.outcome, matches!(reply.result, Err(CallError::NotUnderstood(_))), reply.elapsed)
        };
        // Whoever offers nothing may still be asked whether it is there; an actor knows of no calls.
        io.rpc().proxy("mute").ping().await?;
        assert!(io.rpc().proxy("deaf").ping().await.is_err());
        Ok::<_, CallError>([ask("deaf").await, ask("mute").await])
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    assert_eq!(told.take(), Some(Ok([(OutcomeKind::NotUnderstood, true, ms(20)); 2])));
}

#[test]
fn what_cannot_set_out_is_undelivered_at_once_and_what_finds_nobody_when_the_router_has_said_so() {
    let (mut setup, nodes) = shop();
    let island = setup.topology.add_node(Node::new("island")).expect("names differ");
    enters(&mut setup, "castaway", island, Cast::service(Shop));
    enters(&mut setup, "ghost", nodes[1], crate::common::cast::acts(async |_| panic!("boo")));
    enters(&mut setup, "stranger", nodes[1], Cast::service(Shop));
    let (caller, told) = once(async |io| {
        let mut told = Vec::new();
        for name in ["nobody", "castaway", "stranger", "ghost"] {
            let reply = io.rpc().proxy(name).ping().reply().await;
            told.push((reply.outcome, reply.result, reply.elapsed));
        }
        let reply = io.rpc().proxy("shop").call::<(), _>("shrug", Unspeakable).reply().await;
        told.push((
            reply.outcome,
            reply.result.map_err(|_| CallError::Undelivered(Undelivered::UnknownService(String::new()))),
            reply.elapsed,
        ));
        told
    });
    enters(&mut setup, "caller", nodes[0], caller);
    let link = |to| AppLink { from: 4, to, ordering: None };
    setup.links = Some(vec![link(0), link(1), link(2)]);
    let (report, _) = play(setup);
    let undelivered = |why, elapsed| (OutcomeKind::Undelivered, Err(CallError::Undelivered(why)), ms(elapsed));
    let expected = [
        undelivered(Undelivered::UnknownService("nobody".to_owned()), 0),
        undelivered(Undelivered::NoRoute { to: "castaway".to_owned() }, 0),
        undelivered(Undelivered::NotANeighbour { from: "caller".to_owned(), to: "stranger".to_owned() }, 0),
        undelivered(Undelivered::ConnectionGone { to: "ghost".to_owned() }, 20),
        undelivered(Undelivered::UnknownService(String::new()), 0),
    ];
    assert_eq!(told.take(), Some(expected.to_vec()));
    assert_eq!(report.outcomes.get(&(Interface::Rpc, OutcomeKind::Undelivered)), Some(&5));
}

#[test]
fn a_call_waits_two_seconds_or_what_it_says_and_an_answer_at_that_very_moment_is_in_time() {
    let (mut setup, nodes) = shop();
    let (caller, told) = once(async |io| {
        let shop = io.rpc().proxy("shop");
        let slowly = |millis: u64| shop.call::<u64, _>("shop.slowly", millis);
        let hasty = shop.clone().timeout(ms(30));
        let replies = [
            slowly(1981).reply().await,
            slowly(1980).reply().await,
            slowly(20).timeout(ms(39)).reply().await,
            slowly(20).timeout(ms(40)).reply().await,
            hasty.call("shop.slowly", 11u64).reply().await,
        ];
        replies.map(|reply| (reply.result.is_ok(), reply.outcome, reply.elapsed))
    });
    enters(&mut setup, "caller", nodes[0], caller);
    let (report, _) = play(setup);
    let (in_time, late) = ((true, OutcomeKind::Reply), (false, OutcomeKind::TimedOut));
    let expected = [(late, 2000), (in_time, 2000), (late, 39), (in_time, 40), (late, 30)];
    assert_eq!(told.take(), Some(expected.map(|((ok, outcome), elapsed)| (ok, outcome, ms(elapsed)))));
    assert_eq!(report.counters[LATE_ANSWERS], 3);
}

#[test]
fn an_ack_is_a_unit_and_what_null_can_be_and_nothing_else() {
    let (mut setup, nodes) = shop();
    let (caller, told) = once(async |io| {
        let shop = io.rpc().proxy("shop");
        let unit = shop.call::<(), _>("shrug", ()).await;
        let nothing = shop.call::<Option<u8>, _>("shrug", ()).await;
        let json = shop.call::<Value, _>("shrug", ()).await;
        let reply = shop.call::<u8, _>("shrug", ()).reply().await;
        (unit, nothing, json, reply.outcome, matches!(reply.result, Err(CallError::Malformed { .. })))
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    assert_eq!(told.take(), Some((Ok(()), Ok(None), Ok(Value::Null), OutcomeKind::Ack, true)));
}

#[test]
fn the_two_ends_may_use_different_types_and_json_will_always_do() {
    #[derive(Clone, Serialize)]
    struct Wish<'a> {
        item: &'a str,
        count: u8,
        urgent: bool,
    }
    let (mut setup, nodes) = shop();
    let (caller, told) = once(async |io| {
        let shop = io.rpc().proxy("shop");
        let wish = Wish { item: "jam", count: 2, urgent: true };
        let typed = shop.call::<u32, _>("buy", wish).await;
        let json = shop.call::<Value, _>("shop.buy", json!({ "item": "jam", "count": 2 })).await;
        let unreadable = shop.call::<String, _>("buy", order("jam", 2)).reply().await;
        (typed, json, unreadable.outcome, matches!(unreadable.result, Err(CallError::Malformed { .. })))
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    assert_eq!(told.take(), Some((Ok(6), Ok(json!(6)), OutcomeKind::Reply, true)));
}

#[test]
fn a_result_that_cannot_be_sent_is_an_error_as_the_method_was_carried_out() {
    let (mut setup, nodes) = shop();
    let (caller, told) = once(async |io| io.rpc().proxy("shop").call::<Value, _>("speechless", ()).await);
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    match told.take() {
        Some(Err(CallError::Remote(error))) => assert_eq!(error.type_name, "Unserialisable"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn calls_under_way_at_once_cost_the_slowest() {
    let (mut setup, nodes) = shop();
    let (caller, told) = once(async |io| {
        let shop = io.rpc().proxy("shop");
        let calls = (1..=100u64).map(|millis| shop.call::<u64, _>("shop.slowly", millis).defer());
        let sum: u64 = join_all(calls).await.into_iter().flatten().sum();
        (sum, io.now())
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    // 1 + 2 + … + 100, and the last one is back after 100 ms and the way.
    assert_eq!(told.take(), Some((5050, at_ms(120))));
}

#[test]
fn futures_that_are_dropped_leave_nothing_behind_and_their_calls_are_counted_once() {
    let (mut setup, nodes) = shop();
    let (caller, told) = once(async |io| {
        let shop = io.rpc().proxy("shop");
        // Dropped before it is polled, while it is awaited, and when its answer is there.
        drop(shop.call::<u64, _>("shop.slowly", 5u64).defer());
        let calling = shop.call::<u64, _>("shop.slowly", 50u64).defer();
        let nap = Box::pin(io.sleep(ms(15)));
        drop(futures_util::future::select(calling, nap).await);
        let answered = shop.call::<u64, _>("shop.slowly", 0u64).defer();
        io.sleep(ms(100)).await;
        drop(answered);
        // Never made.
        drop(shop.call::<u64, _>("shop.slowly", 1u64).idempotent());
    });
    enters(&mut setup, "caller", nodes[0], caller);
    let (report, _) = play(setup);
    assert!(told.take().is_some());
    assert_eq!(report.outcomes.get(&(Interface::Rpc, OutcomeKind::Reply)), Some(&3));
    assert_eq!((report.outcomes.len(), report.unfinished.len()), (1, 0));
}

#[test]
fn headers_go_both_ways_and_are_bounded() {
    let (mut setup, nodes) = shop();
    let (caller, told) = once(async |io| {
        let shop = io.rpc().proxy("shop");
        let call = || shop.call::<bool, _>("return_headers", ());
        let reply = call().header("user", "ada").header("lang", "en").idempotent().reply().await;
        let headers = reply.headers.iter().flat_map(|headers| headers.iter());
        let headers: Vec<_> = headers.map(|(name, value)| format!("{name}={value}")).collect();
        let too_many = (0..=HEADERS_LIMIT).fold(call(), |call, i| call.header(format!("h{i}"), ""));
        let reserved = call().header("trace-id", "mine");
        (reply.result, headers, too_many.reply().await.outcome, reserved.reply().await.outcome)
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    let headers = vec!["lang-back=en".to_owned(), "user-back=ada".to_owned()];
    assert_eq!(told.take(), Some((Ok(true), headers, OutcomeKind::Undelivered, OutcomeKind::Undelivered)));
}

#[test]
fn call_and_answer_pay_for_method_headers_and_body() {
    let (mut setup, nodes) = shop();
    let (caller, _) = once(async |io| {
        let shop = io.rpc().proxy("shop");
        let _ = shop.call::<u32, _>("buy", order("jam", 2)).await;
        let _ = shop.call::<bool, _>("return_headers", ()).header("user", "ada").await;
        let _ = shop.call::<(), _>("shrug", ()).await;
    });
    enters(&mut setup, "caller", nodes[0], caller);
    let (_, events) = play(setup);
    let bytes: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Delivery { bytes, interface: Interface::Rpc, .. } => Some(*bytes),
            _ => None,
        })
        .collect();
    // Each text has a byte for its length in front. Headers: 8 bytes of trace id, one for their number.
    let headers = |texts: &[&str]| 9 + texts.iter().map(|text| 1 + text.len() as u64).sum::<u64>();
    let expected = [
        (1 + 3) + headers(&[]) + (1 + 3) + 1,
        // One byte for the kind of answer.
        1 + headers(&[]) + 1,
        (1 + 14) + headers(&["user", "ada"]),
        1 + headers(&["user-back", "ada"]) + 1,
        (1 + 5) + headers(&[]),
        1 + headers(&[]),
    ];
    assert_eq!(bytes, expected);
}

/// Passes a call on, and notes which chain it belongs to.
struct Relay {
    next: &'static str,
    seen: Rc<RefCell<Vec<Passed>>>,
}

/// Where a call came by, and to which chain it belonged there.
type Passed = (String, Option<TraceId>);

impl Relay {
    async fn pass(self: Rc<Self>, io: ServiceIo, left: u32) -> Result<u32, CallError> {
        self.seen.borrow_mut().push((io.name(), io.trace_id()));
        match left.checked_sub(1) {
            // After a pause the handler is a task of its own, and still knows on whose behalf it acts.
            Some(left) => {
                io.sleep(ms(1)).await;
                io.rpc().proxy(self.next).call("pass", left).await
            }
            None => Ok(0),
        }
    }
}

impl Service for Relay {
    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces.interface("relay", "1").rpc("pass", "", Relay::pass);
    }
}

#[test]
fn a_trace_id_is_made_for_the_first_call_and_carried_on_by_the_ones_that_it_leads_to() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let seen = Rc::new(RefCell::new(Vec::new()));
    for (name, next) in [("b", "c"), ("c", "b")] {
        enters(&mut setup, name, nodes[1], Cast::service(Relay { next, seen: seen.clone() }));
    }
    let (caller, told) = once(async |io| {
        let call = || io.rpc().proxy("b").call::<u32, _>("pass", 2u32).reply();
        let replies = [call().await, call().await];
        replies.map(|reply| reply.headers.map(|headers| headers.trace_id()))
    });
    enters(&mut setup, "a", nodes[0], caller);
    play(setup);
    let [Some(first), Some(second)] = told.take().expect("it was called") else { panic!("no headers") };
    assert_ne!(first, second);
    let chain = |trace| ["b", "c", "b"].map(|name| (name.to_owned(), Some(trace)));
    assert_eq!(seen.take(), [chain(first), chain(second)].concat());
}

#[test]
fn ping_and_inspect_are_built_in() {
    let (mut setup, nodes) = shop();
    let (caller, told) = once(async |io| {
        let shop = io.rpc().proxy("shop");
        let ping = shop.ping().await;
        let json = shop.call::<Value, _>("inspect", ()).await.map(|json| json["interfaces"][0]["methods"][0].clone());
        (ping, shop.inspect().await, json)
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    let parameter = |name: &str, type_name: &str| Parameter { name: name.to_owned(), type_name: type_name.to_owned() };
    let method =
        |name: &str, doc: &str, params: &[Parameter], replies: Option<&str>, raises: &[&str]| MethodDescription {
            name: name.to_owned(),
            doc: doc.to_owned(),
            params: params.to_vec(),
            replies: replies.map(str::to_owned),
            raises: raises.iter().map(|name| (*name).to_owned()).collect(),
        };
    let interface = |name: &str, version: &str, methods: &[MethodDescription]| InterfaceDescription {
        name: name.to_owned(),
        version: version.to_owned(),
        methods: methods.to_vec(),
    };
    let order = [parameter("item", "String"), parameter("count", "u32")];
    let slowly = method("slowly", "", &[parameter("value", "u64")], Some("u64"), &[]);
    let buy = method("buy", "Buys some of an item; replies what it costs.", &order, Some("u32"), &["SoldOut"]);
    let shop_methods = [
        buy,
        slowly.clone(),
        method("shrug", "Acks.", &[], None, &[]),
        method("return_headers", "", &[], Some("bool"), &[]),
    ];
    let other_methods = [slowly, method("speechless", "", &[], Some("Unspeakable"), &[])];
    let interfaces = vec![interface("shop", "1.2", &shop_methods), interface("other", "0.1", &other_methods)];
    let json = json!({
        "name": "buy", "doc": "Buys some of an item; replies what it costs.", "replies": "u32", "raises": ["SoldOut"],
        "params": [{ "name": "item", "type": "String" }, { "name": "count", "type": "u32" }],
    });
    let inspection = Inspection { service: "shop".to_owned(), interfaces, endpoints: Vec::new() };
    assert_eq!(told.take(), Some((Ok(()), Ok(inspection), Ok(json))));
}

#[test]
fn a_method_registered_twice_keeps_the_run_from_starting() {
    struct Twice;
    impl Twice {
        async fn nothing(self: Rc<Self>, _: ServiceIo, (): ()) -> Result<(), Failure> {
            Ok(())
        }
    }
    impl Service for Twice {
        fn interfaces(interfaces: &mut Interfaces<Self>) {
            interfaces.interface("a", "1").rpc("x", "", Twice::nothing).rpc("x", "", Twice::nothing);
        }
    }
    let (mut setup, nodes) = chain([]);
    enters(&mut setup, "twice", nodes[0], Cast::service(Twice));
    match run(setup, None, std::sync::Arc::default()) {
        Err(StartError::BadInterface { service, name, .. }) => {
            assert_eq!((service.as_str(), name.as_str()), ("twice", "a.x"));
        }
        other => panic!("it started: {other:?}"),
    }
}

#[test]
fn on_a_link_that_loses_and_doubles_every_call_is_carried_out_at_most_once_and_ends_once() {
    let (mut setup, nodes) = shop();
    setup.topology = {
        let mut topology = rehearsal_actors::topology::Topology::new();
        let a = topology.add_node(Node::new("a")).expect("names differ");
        let b = topology.add_node(Node::new("b")).expect("names differ");
        let (loss, duplicate) = (Probability::new(0.2), Probability::new(0.2));
        let mut link = Link::new(ms(10));
        link.loss = loss.expect("it is one");
        link.duplication = duplicate.expect("it is one");
        topology.add_symmetric(a, b, link).expect("links differ");
        topology
    };
    let (caller, told) = once(async |io| {
        let shop = io.rpc().proxy("shop");
        let calls = (0..500).map(|_| shop.call::<u32, _>("buy", order("jam", 2)).defer());
        let results = join_all(calls).await;
        (results.iter().filter(|result| **result == Ok(6)).count() as u64, results.len() as u64)
    });
    enters(&mut setup, "caller", nodes[0], caller);
    let report = play_unheard(setup);
    let (replies, calls) = told.take().expect("it was called");
    let count = |kind| report.outcomes.get(&(Interface::Rpc, kind)).copied().unwrap_or_default();
    assert_eq!((count(OutcomeKind::Reply), count(OutcomeKind::TimedOut)), (replies, calls - replies));
    assert!(report.services[0].handled < 500 && report.services[0].handled >= replies, "{replies} replies");
    assert_eq!(report.counters.get(LATE_ANSWERS), None, "a second copy is not a late answer");
}
