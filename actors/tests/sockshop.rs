//! The SockShop from end to end, through the public API: seven machines, each joined to every other
//! by a link of 10 ms and unlimited bandwidth, one service on each.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::report::{Ending, Report};
use rehearsal_actors::simulation::{AppLink, Cast, Progress, ServiceSpec, Setup, run};
use rehearsal_actors::stock::sockshop::{FrontendParams, OrderParams, PaymentParams, mpi, rest};
use rehearsal_actors::topology::{Link, Node, NodeId, Topology};
use rehearsal_actors::units::{Probability, SimDuration, SimTime};
use serde_json::{Value, json};

type TestResult = Result<(), Box<dyn Error>>;

const NAMES: [&str; 7] = ["frontend", "catalog", "user", "cart", "order", "payment", "shipping"];

#[derive(Clone, Copy, PartialEq)]
enum Speaks {
    Mpi,
    Rest,
}

const BOTH: [Speaks; 2] = [Speaks::Mpi, Speaks::Rest];

#[derive(Default)]
struct Shop {
    frontend: FrontendParams,
    payment: PaymentParams,
    /// What happens to the node of which service, in milliseconds.
    faults: Vec<(u64, &'static str, Fault)>,
    timeout: Option<SimDuration>,
}

#[derive(Clone, Copy)]
enum Fault {
    Down,
    Up,
}

fn at_millis(millis: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(millis)
}

impl Shop {
    fn casts(&self, speaks: Speaks) -> [Cast; 7] {
        let (frontend, order, payment) = (self.frontend.clone(), OrderParams::default(), self.payment.clone());
        match speaks {
            Speaks::Mpi => [
                Cast::service(mpi::Frontend::new(frontend)),
                Cast::service(mpi::Catalog),
                Cast::service(mpi::Users),
                Cast::service(mpi::Cart),
                Cast::service(mpi::Order::new(order)),
                Cast::service(mpi::Payment::new(payment)),
                Cast::service(mpi::Shipping),
            ],
            Speaks::Rest => [
                Cast::service(rest::Frontend::new(frontend)),
                Cast::service(rest::Catalog),
                Cast::service(rest::Users),
                Cast::service(rest::Cart),
                Cast::service(rest::Order::new(order)),
                Cast::service(rest::Payment::new(payment)),
                Cast::service(rest::Shipping),
            ],
        }
    }

    /// Opens the shop for some steps of 500 ms.
    fn run(&self, speaks: Speaks, steps: u64) -> Result<Report, Box<dyn Error>> {
        let mut topology = Topology::new();
        let nodes: Vec<NodeId> =
            NAMES.iter().map(|name| topology.add_node(Node::new(*name))).collect::<Result<_, _>>()?;
        for (i, &a) in nodes.iter().enumerate() {
            for &b in &nodes[i + 1..] {
                topology.add_symmetric(a, b, Link::new(SimDuration::from_millis(10)))?;
            }
        }
        let mut setup = Setup::new(22, topology);
        for ((name, &node), cast) in NAMES.iter().zip(&nodes).zip(self.casts(speaks)) {
            setup.services.push(ServiceSpec::new(*name, node, cast));
        }
        setup.services[0].step_every = Some(SimDuration::from_millis(500));
        setup.services[0].keep_step_values = 100;
        // Frontend with catalog, user, cart and order; order with payment and shipping.
        let links = [(0, 1), (0, 2), (0, 3), (0, 4), (4, 5), (4, 6)];
        let link = |from, to| AppLink { from, to, ordering: None };
        setup.links = Some(links.iter().flat_map(|&(a, b)| [link(a, b), link(b, a)]).collect());
        for &(millis, name, fault) in &self.faults {
            let node = setup.topology.find(name).ok_or("no such node")?;
            let change = match fault {
                Fault::Down => Change::NodeDown(node),
                Fault::Up => Change::NodeUp(node),
            };
            setup.changes.push(ScheduledChange { at: at_millis(millis), change });
        }
        setup.timeout = self.timeout.unwrap_or(setup.timeout);
        // The last step begins half a second before.
        setup.until = Some(at_millis(steps * 500 - 1));
        Ok(run(setup, None, Arc::new(Progress::default()))?)
    }
}

fn failed_steps<'a>(report: &'a Report, service: &str) -> BTreeMap<&'a str, u64> {
    let service = report.services.iter().find(|one| one.name == service);
    service.into_iter().flat_map(|one| &one.failed_steps).map(|(reason, count)| (reason.as_str(), *count)).collect()
}

fn count(report: &Report, counter: &str) -> u64 {
    report.counters.get(counter).copied().unwrap_or(0)
}

#[test]
fn without_faults_every_step_places_an_order() -> TestResult {
    for speaks in BOTH {
        let report = Shop::default().run(speaks, 10)?;
        assert_eq!(report.ending, Ending::TimeReached);
        assert_eq!(count(&report, "orders placed"), 10);
        assert_eq!(count(&report, "payments taken"), 10);
        assert_eq!(count(&report, "shipments arranged"), 10);
        assert_eq!(report.services[0].steps, 10);
        assert!(report.services.iter().all(|service| service.failed_steps.is_empty()), "{report:?}");
    }
    Ok(())
}

#[test]
fn an_order_has_the_contents_of_the_cart_and_takes_its_way() -> TestResult {
    for speaks in BOTH {
        let report = Shop::default().run(speaks, 2)?;
        let took = match speaks {
            // There and back for catalog, user, cart, order, payment and shipping: 12 * 10 ms.
            Speaks::Mpi => "120ms",
            // Payment and shipping at once: 10 * 10 ms.
            Speaks::Rest => "100ms",
        };
        let [first, second] = &report.services[0].step_values[..] else { panic!("{report:?}") };
        let transaction = first["transaction_id"].as_u64().ok_or("no transaction")?;
        assert!((1000..=9999).contains(&transaction), "{transaction}");
        let expected = json!({
            "order_id": 54321,
            // 2 * 19.99 + 29.99
            "amount": "69.97",
            "transaction_id": transaction,
            "shipment": {
                "carrier": "UPS",
                "tracking_number": "1234567890",
                "estimated_delivery_date": "2024-04-09",
            },
            "took": took,
        });
        assert_eq!(first, &expected);
        assert_eq!(second["order_id"], Value::from(54322));
    }
    Ok(())
}

#[test]
fn an_order_takes_twelve_messages() -> TestResult {
    let report = Shop::default().run(Speaks::Mpi, 1)?;
    assert_eq!(report.traffic.delivered, 12);
    assert_eq!(report.outcomes[&(Interface::Mpi, OutcomeKind::Ack)], 12);
    let report = Shop::default().run(Speaks::Rest, 1)?;
    assert_eq!(report.traffic.delivered, 12);
    assert_eq!(report.outcomes[&(Interface::Rest, OutcomeKind::Reply)], 6);
    Ok(())
}

#[test]
fn while_payment_is_down_orders_fail_with_the_reason_and_succeed_later() -> TestResult {
    // Down for the steps that begin after 1.0, 1.5 and 2.0 s.
    let shop = Shop { faults: vec![(900, "payment", Fault::Down), (2400, "payment", Fault::Up)], ..Shop::default() };
    for speaks in BOTH {
        let report = shop.run(speaks, 10)?;
        assert_eq!(failed_steps(&report, "frontend"), BTreeMap::from([("order: payment: no route to `payment`", 3)]));
        assert_eq!(count(&report, "orders placed"), 7);
        assert_eq!(count(&report, "payments taken"), 7);
        if speaks == Speaks::Rest {
            // The order service says that nothing has happened: payment's answer and its own.
            assert_eq!(report.outcomes[&(Interface::Rest, OutcomeKind::Nack)], 3);
            assert_eq!(report.outcomes[&(Interface::Rest, OutcomeKind::Undelivered)], 3);
        }
    }
    Ok(())
}

#[test]
fn what_cannot_be_reached_is_named() -> TestResult {
    for speaks in BOTH {
        for (service, reason) in [
            ("catalog", "catalog: no route to `catalog`"),
            ("user", "user: no route to `user`"),
            ("cart", "cart: no route to `cart`"),
            ("order", "order: no route to `order`"),
            ("shipping", "order: shipping: no route to `shipping`"),
            // From a machine that is down nothing leads anywhere.
            ("frontend", "catalog: no route to `catalog`"),
        ] {
            let shop = Shop { faults: vec![(400, service, Fault::Down)], ..Shop::default() };
            let report = shop.run(speaks, 4)?;
            // The steps that begin after 0.5, 1.0 and 1.5 s.
            assert_eq!(failed_steps(&report, "frontend"), BTreeMap::from([(reason, 3)]), "without {service}");
            assert_eq!(count(&report, "orders placed"), 1, "without {service}");
        }
    }
    Ok(())
}

#[test]
fn an_answer_that_is_lost_is_a_timeout_and_the_next_step_begins() -> TestResult {
    // The request is at the cart after 50 ms, where the answer sets out; it is lost when the
    // frontend goes down before 60 ms.
    let faults = vec![(55, "frontend", Fault::Down), (58, "frontend", Fault::Up)];
    let shop = Shop { faults, ..Shop::default() };
    for speaks in BOTH {
        let report = shop.run(speaks, 10)?;
        assert_eq!(failed_steps(&report, "frontend"), BTreeMap::from([("cart: timed out", 1)]));
        // Asked after 40 ms (REST) or delivered after 50 ms (MPI), given up 2 s later: the steps of
        // 0.5, 1.0, 1.5 and 2.0 s had to wait. The next begins at once, the others at its pace.
        assert_eq!(count(&report, "orders placed"), 6, "{:?}", report.services[0]);
    }
    Ok(())
}

#[test]
fn a_late_answer_is_not_taken_for_the_next_one() -> TestResult {
    // Whoever gives up after 15 ms hears of the catalog when it is too late: a message takes 10 ms,
    // the answer as long.
    let shop = Shop { timeout: Some(SimDuration::from_millis(15)), ..Shop::default() };
    let report = shop.run(Speaks::Mpi, 10)?;
    // Sending and waiting are two waits of 15 ms: enough for every stage but the order, which takes
    // 10 + 40 + 10 ms.
    assert_eq!(failed_steps(&report, "frontend"), BTreeMap::from([("order: timed out", 10)]));
    // Paid for and shipped all the same. The last answer is not looked at.
    assert_eq!(count(&report, "payments taken"), 10);
    assert_eq!(count(&report, "answers too late"), 9);
    assert_eq!(count(&report, "orders placed"), 0);
    Ok(())
}

#[test]
fn declined_payments_fail_the_order() -> TestResult {
    for speaks in BOTH {
        let shop = Shop { payment: PaymentParams { declined: Probability::ALWAYS }, ..Shop::default() };
        let report = shop.run(speaks, 3)?;
        assert_eq!(failed_steps(&report, "frontend"), BTreeMap::from([("order: payment: declined", 3)]));
        assert_eq!(count(&report, "orders placed"), 0);
        assert_eq!(count(&report, "payments taken"), 0);
    }
    Ok(())
}

#[test]
fn strangers_cannot_buy() -> TestResult {
    for speaks in BOTH {
        let frontend = FrontendParams { user_id: 7, ..FrontendParams::default() };
        let report = Shop { frontend, ..Shop::default() }.run(speaks, 2)?;
        assert_eq!(failed_steps(&report, "frontend"), BTreeMap::from([("user: there is no user 7", 2)]));
    }
    Ok(())
}
