//! Providers that register from outside.

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::directory::Query;
use rehearsal_actors::interfaces::CallError;
use rehearsal_actors::outcome::Undelivered;
use rehearsal_actors::outside::registry::{Located, Pinged, Provision, Registry, TIME_TO_LIVE, URL};
use rehearsal_actors::outside::{Came, Entrance, Errand, Gateway, OutboundAnswer, OutboundRequest};
use rehearsal_actors::prelude::*;
use rehearsal_actors::router::KnownDirectory;
use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup};
use rehearsal_actors::stock::directory::{Server, ServerParams};
use rehearsal_actors::topology::{Link, NodeId};
use serde_json::{Value, json};

use crate::common::cast::{chain, enters, once};
use crate::common::ms;
use crate::common::story::play_unheard;

struct Shop;

impl Shop {
    async fn order(self: Rc<Self>, _: ServiceIo, (): ()) -> Result<(), Failure> {
        Ok(())
    }
}

impl Service for Shop {
    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces.interface("orders", "1").rpc("order", "Orders.", Shop::order);
    }
}

/// Who was asked outside, and for what.
type Asked = Arc<Mutex<Vec<(String, String, Value)>>>;

/// A gateway at `a` and a shop at `b`, ten milliseconds away. Outside, who is at a URL with `dead` in it is
/// not there, and everybody else echoes.
fn stage() -> (Setup, Vec<NodeId>, Entrance, Registry, Asked) {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let asked = Asked::default();
    let noted = asked.clone();
    let outbound = move |request: OutboundRequest, answer: OutboundAnswer| {
        let Errand::Call { method, params, .. } = request.errand else { return };
        noted.lock().expect("nobody panics").push((request.url.clone(), method, params.clone()));
        let dead = request.url.contains("dead");
        answer.give(if dead { Came::Refused("refused".to_owned()) } else { Came::Result(params) });
    };
    let (entrance, registry) = (Entrance::new(), Registry::new(Arc::new(outbound)));
    setup.services.push(Gateway::registering("gateway", nodes[0], &entrance, &registry));
    setup.services.push(ServiceSpec::new("shop", nodes[1], Cast::service(Shop)).providing());
    (setup, nodes, entrance, registry, asked)
}

fn with_directory(setup: &mut Setup, node: NodeId) {
    let server = Server::new(ServerParams::default()).expect("it is sound");
    setup.routing.directories.push(KnownDirectory::Service(setup.services.len()));
    enters(setup, "directory", node, Cast::service(server));
}

/// Pings as somebody outside does.
async fn ping(entrance: &Entrance, registry: &Registry, name: &'static str, url: &'static str) -> Pinged {
    let registry = registry.clone();
    let visit = entrance.enter(move |io| async move { registry.ping(&io, name, url, None) });
    visit.await.expect("it is open").expect("it is sound")
}

async fn locate(entrance: &Entrance, registry: &Registry, pattern: &'static str) -> Vec<Located> {
    let registry = registry.clone();
    let visit = entrance.enter(move |io| async move { registry.locate(&io, pattern).await });
    visit.await.expect("it is open").expect("somebody answers")
}

fn outside(name: &str, url: &str) -> Located {
    Located::Outside(Provision { name: name.to_owned(), url: url.to_owned() })
}

fn inside(name: &str, service: &str) -> Located {
    Located::Inside { name: name.to_owned(), service: service.to_owned() }
}

/// A call of whoever provides it.
async fn ask(io: &ServiceIo, name: &str, params: Value) -> Result<Value, CallError> {
    // A list of providers that is a moment old may be out of date.
    let providers = io.rpc().interface(name).kept_for(SimDuration::ZERO);
    providers.call("work", params).await
}

#[test]
fn without_a_directory_those_outside_and_those_inside_are_found_by_name_and_by_glob() {
    let (mut setup, nodes, entrance, registry, _) = stage();
    let (driver, seen) = once(async move |io| {
        let (entrance, registry) = (&entrance, &registry);
        assert_eq!(ping(entrance, registry, "workers.01", "http://one/api").await, Pinged::New);
        assert_eq!(ping(entrance, registry, "workers.02", "http://two/api").await, Pinged::New);
        io.sleep(SimDuration::from_secs(30)).await;
        assert_eq!(ping(entrance, registry, "workers.01", "http://one/api").await, Pinged::Again);
        let workers = locate(entrance, registry, "workers.*").await;
        let second = locate(entrance, registry, "workers.?2").await;
        let all = locate(entrance, registry, "*").await;
        let orders = locate(entrance, registry, "orders").await;
        let nobody = locate(entrance, registry, "worker").await;
        // One falls silent: the other was heard of thirty seconds later.
        io.sleep_until(SimTime::ZERO + TIME_TO_LIVE).await;
        let left = locate(entrance, registry, "workers.*").await;
        [workers, second, all, orders, nobody, left]
    });
    enters(&mut setup, "driver", nodes[1], driver);
    let report = play_unheard(setup);
    let [workers, second, all, orders, nobody, left] = seen.take().expect("it looked");
    let [one, two] = [outside("workers.01", "http://one/api"), outside("workers.02", "http://two/api")];
    assert_eq!(workers, [one.clone(), two.clone()], "whoever was heard of last comes first");
    assert_eq!(second, std::slice::from_ref(&two));
    let [shop, driver, orders_inside] = [inside("shop", "shop"), inside("driver", "driver"), inside("orders", "shop")];
    assert_eq!(all, [shop, driver, orders_inside.clone(), one.clone(), two]);
    assert_eq!(orders, [orders_inside]);
    assert_eq!(nobody, []);
    assert_eq!(left, [one]);
    assert!(report.ended_well());
}

#[test]
fn who_registers_outside_is_found_and_called_inside_until_it_falls_silent() {
    let (mut setup, nodes, entrance, registry, asked) = stage();
    with_directory(&mut setup, nodes[1]);
    let (driver, seen) = once(async move |io| {
        let (entrance, registry) = (&entrance, &registry);
        ping(entrance, registry, "workers.01", "http://one/api").await;
        ping(entrance, registry, "workers.01", "http://dead/api").await;
        let found = io.directory().wait_for(Query::glob("workers.*").expect("it is short")).await.expect("in time");
        io.sleep(SimDuration::from_secs(1)).await;
        let by_url = io.directory().find(Query::named("workers.01").with(URL, "http://one/api")).await;
        assert_eq!(by_url.map(|found| found.len()), Ok(1));
        let (mut answers, mut took) = (Vec::new(), Vec::new());
        for number in 0..4u8 {
            let began = io.now();
            answers.push(ask(io, "workers.01", json!({ "number": number })).await);
            took.push(io.now().since(began));
        }
        let located = [locate(entrance, registry, "orders").await, locate(entrance, registry, "workers.*").await];
        let until = SimTime::ZERO + TIME_TO_LIVE + SimDuration::from_secs(1);
        io.sleep_until(until).await;
        let left = io.directory().find("workers.01").await.expect("it answers");
        let nobody = ask(io, "workers.01", Value::Null).await;
        (found, answers, took, located, left, nobody)
    });
    enters(&mut setup, "driver", nodes[1], driver);
    setup.until = Some(SimTime::ZERO + SimDuration::from_secs(120));
    let report = play_unheard(setup);
    assert!(report.ended_well(), "{:?}", report.panics);
    let (found, answers, took, located, left, nobody) = seen.take().expect("it is over");
    assert_eq!((found[0].service.as_str(), found[0].params[URL].starts_with("http://")), ("workers.01", true));
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, Ok(json!({ "number": number })));
    }
    // The directory stands beside the caller; the gateway is ten milliseconds away, and outside is no time.
    assert_eq!(took, [ms(20); 4]);
    let asked = asked.lock().expect("nobody panics");
    assert!(asked.iter().all(|(_, method, _)| method == "work"));
    // They take turns, and the one who is not there is no harm: it did not happen.
    let dead = asked.iter().filter(|(url, ..)| url.contains("dead")).count();
    assert_eq!((dead, asked.len()), (2, 6));
    assert_eq!(located[0], [inside("orders", "shop")], "the directory knows");
    assert_eq!(located[1], [outside("workers.01", "http://dead/api"), outside("workers.01", "http://one/api")]);
    assert_eq!(left, []);
    assert!(matches!(nobody, Err(CallError::Undelivered(Undelivered::NoProvider { .. }))), "{nobody:?}");
}

#[test]
fn registrations_outlive_the_gateway_and_calls_of_nobody_are_not_understood() {
    let (mut setup, nodes, entrance, registry, _) = stage();
    with_directory(&mut setup, nodes[1]);
    let second = |n| SimTime::ZERO + SimDuration::from_secs(n);
    setup.changes.push(ScheduledChange { at: second(10), change: Change::Kill(ServiceId::at(0)) });
    let (driver, seen) = once(async move |io| {
        let (entrance, registry) = (&entrance, &registry);
        ping(entrance, registry, "workers.01", "http://one/api").await;
        io.sleep_until(second(20)).await;
        let after = ask(io, "workers.01", json!([1])).await;
        let stranger = io.rpc().proxy("gateway").call::<Value, _>("strangers.work", ()).await;
        (after, stranger, locate(entrance, registry, "workers.01").await)
    });
    enters(&mut setup, "driver", nodes[1], driver);
    setup.until = Some(second(60));
    let report = play_unheard(setup);
    assert!(report.ended_well(), "{:?}", report.panics);
    let (after, stranger, located) = seen.take().expect("it is over");
    assert_eq!(after, Ok(json!([1])));
    assert!(matches!(stranger, Err(CallError::NotUnderstood(_))), "{stranger:?}");
    assert_eq!(located, [outside("workers.01", "http://one/api")]);
    assert_eq!(report.services[0].incarnation, 2);
}
