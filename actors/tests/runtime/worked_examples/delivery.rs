//! What one message costs, who may overtake, what the trace says of it.

use rehearsal_actors::interfaces::CallError;
use rehearsal_actors::interfaces::mpi::Sent;
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{AppLink, LinkModel, Ordering, Setup};
use rehearsal_actors::topology::{Link, Node, NodeId, Topology};
use rehearsal_actors::trace::LossCause;
use rehearsal_actors::units::{Bandwidth, Probability};

use crate::common::cast::{acts, chain, enters, listens, once};
use crate::common::story::{Event, play};
use crate::common::{at_ms, ms};

fn mbit(mbit: u64) -> Bandwidth {
    Bandwidth::bits_per_second(mbit * 1_000_000).expect("not zero")
}

/// `a` (2 ms) to `b` (3 ms) over 10 ms at 10 Mbit/s, on to `c` (5 ms) over 20 ms at 4 Mbit/s.
fn three_nodes() -> (Setup, [NodeId; 3]) {
    let mut topology = Topology::new();
    let nodes = [("a", 2), ("b", 3), ("c", 5)].map(|(name, processing)| {
        topology.add_node(Node { processing: ms(processing), ..Node::new(name) }).expect("names differ")
    });
    for (from, latency, bandwidth) in [(0, 10, mbit(10)), (1, 20, mbit(4))] {
        let link = Link { bandwidth, ..Link::new(ms(latency)) };
        topology.add_symmetric(nodes[from], nodes[from + 1], link).expect("links differ");
    }
    (Setup::new(1, topology), nodes)
}

#[test]
fn a_message_over_three_nodes_takes_what_is_worked_out_by_hand() {
    // 1,250 bytes are 10,000 bits: 1 ms at 10 Mbit/s, 2.5 ms at 4 Mbit/s.
    //   2 (a) + 1 + 10 (a to b) + 3 (b) + 2.5 + 20 (b to c) + 5 (c) = 43.5 ms
    let total = SimDuration::from_micros(43_500);
    for model in [LinkModel::RouteCost, LinkModel::Queued] {
        let (mut setup, nodes) = three_nodes();
        setup.model = model;
        let (caller, sent) = once(async |io| (io.mpi().send_sized("listener", (), Bytes(1250)).await, io.now()));
        enters(&mut setup, "caller", nodes[0], caller);
        enters(&mut setup, "listener", nodes[2], listens());
        let (report, events) = play(setup);
        let (at, at_once) = (SimTime::ZERO + total, SimTime::ZERO);
        let (from, to, interface) = (0, 1, Interface::Mpi);
        assert_eq!(
            events,
            [
                Event::Delivery {
                    at,
                    from,
                    to,
                    interface,
                    sent_at: at_once,
                    bytes: 1250,
                    held_back: SimDuration::ZERO,
                    duplicate: false
                },
                Event::Outcome {
                    at,
                    from,
                    to: Some(to),
                    interface,
                    kind: OutcomeKind::Ack,
                    elapsed: total,
                    cause: None
                },
            ]
        );
        let (sent, done_at) = sent.take().expect("it was called");
        let Ok(Sent { route, elapsed }) = sent else { panic!("not delivered: {sent:?}") };
        assert_eq!((elapsed, done_at, route.hops()), (total, at, 2), "the send is over at the instant of delivery");
        assert_eq!(route.nodes, nodes);
        assert_eq!(report.latency.map(|latency| latency.max), Some(total));
    }
}

/// A large message, then a small one in the same instant: 12,500 bytes take 10 ms at 10 Mbit/s, so
/// that the large one arrives after 20 ms and the small one after 10.
fn large_then_small(ordering: Ordering, links: Option<Vec<AppLink>>) -> Vec<(SimTime, u64, SimDuration)> {
    let (mut setup, nodes) = chain([Link { bandwidth: mbit(10), ..Link::new(ms(10)) }]);
    (setup.ordering, setup.links) = (ordering, links);
    let talks = acts(async |io: &ServiceIo| {
        let large = io.mpi().send_sized("listener", (), Bytes(12_500));
        let small = io.mpi().send_sized("listener", (), Bytes(0));
        drop((large, small));
        Ok(Step::Stop)
    });
    enters(&mut setup, "talker", nodes[0], talks);
    enters(&mut setup, "listener", nodes[1], listens());
    let delivery = |event| match event {
        Event::Delivery { at, bytes, held_back, .. } => Some((at, bytes, held_back)),
        _ => None,
    };
    play(setup).1.into_iter().filter_map(delivery).collect()
}

const OVERTAKEN: [(SimTime, u64, SimDuration); 2] = [(at_ms(10), 0, ms(0)), (at_ms(20), 12_500, ms(0))];
const HELD_BACK: [(SimTime, u64, SimDuration); 2] = [(at_ms(20), 12_500, ms(0)), (at_ms(20), 0, ms(10))];

#[test]
fn a_small_message_is_held_back_behind_a_large_one_and_the_trace_says_so() {
    assert_eq!(large_then_small(Ordering::Ordered, None), HELD_BACK);
}

#[test]
fn unordered_the_small_message_overtakes_and_pays_its_bare_cost() {
    assert_eq!(large_then_small(Ordering::Unordered, None), OVERTAKEN);
}

#[test]
fn an_application_link_has_an_ordering_of_its_own() {
    let link = |ordering| Some(vec![AppLink { from: 0, to: 1, ordering: Some(ordering) }]);
    assert_eq!(large_then_small(Ordering::Ordered, link(Ordering::Unordered)), OVERTAKEN);
    assert_eq!(large_then_small(Ordering::Unordered, link(Ordering::Ordered)), HELD_BACK);
}

#[test]
fn a_second_copy_is_marked_and_counted_apart() {
    for model in [LinkModel::RouteCost, LinkModel::Queued] {
        let (mut setup, nodes) = chain([Link { duplication: Probability::ALWAYS, ..Link::new(ms(10)) }]);
        setup.model = model;
        let talks = acts(async |io: &ServiceIo| {
            io.mpi().send("listener", 7u8).await?;
            Ok(Step::Stop)
        });
        let (listener, heard) = once(async |io| {
            let mut heard = Vec::new();
            while let Ok(delivery) = io.mpi().recv::<u8>().await {
                heard.push((delivery.body, delivery.duplicate, io.now()));
            }
            heard
        });
        enters(&mut setup, "talker", nodes[0], talks);
        enters(&mut setup, "listener", nodes[1], listener);
        let (report, events) = play(setup);
        assert_eq!(heard.take(), Some(vec![(7, false, at_ms(10)), (7, true, at_ms(10))]));
        assert_eq!((report.traffic.sent, report.traffic.delivered, report.traffic.duplicates), (1, 1, 1));
        assert_eq!(report.outcomes.values().sum::<u64>(), 1);
        let marks = events.iter().filter_map(|event| match event {
            Event::Delivery { duplicate, .. } => Some(*duplicate),
            _ => None,
        });
        assert_eq!(marks.collect::<Vec<_>>(), [false, true]);
    }
}

#[test]
fn a_message_that_a_link_loses_is_traced_where_it_got_lost() {
    let (mut setup, nodes) = chain([Link::new(ms(10)), Link { loss: Probability::ALWAYS, ..Link::new(ms(5)) }]);
    let (caller, sent) = once(async |io| io.mpi().send("listener", 1u8).await);
    enters(&mut setup, "caller", nodes[0], caller);
    enters(&mut setup, "listener", nodes[2], listens());
    let (report, events) = play(setup);
    assert!(matches!(
        &events[0],
        Event::Lost { at, cause: LossCause::Link, duplicate: false, .. } if *at == at_ms(15)
    ));
    assert!(matches!(sent.take(), Some(Err(CallError::TimedOut { waited, .. })) if waited == ms(2000)));
    assert_eq!((report.traffic.lost, report.traffic.delivered), (1, 0));
}

#[test]
fn within_a_node_messages_cost_nothing() {
    let (mut setup, nodes) = three_nodes();
    let (caller, sent) = once(async |io| io.mpi().send_sized("listener", (), Bytes::mib(1)).await);
    enters(&mut setup, "caller", nodes[1], caller);
    enters(&mut setup, "listener", nodes[1], listens());
    play(setup);
    let sent = sent.take().expect("it was called").expect("it is delivered");
    assert_eq!((sent.elapsed, sent.route.hops()), (SimDuration::ZERO, 0));
}

#[test]
fn what_has_no_route_or_no_application_link_or_no_receiver_fails_at_once() {
    let mut topology = Topology::new();
    let nodes = ["a", "island"].map(|name| topology.add_node(Node::new(name)).expect("names differ"));
    let mut setup = Setup::new(1, topology);
    setup.links = Some(vec![AppLink { from: 0, to: 1, ordering: None }]);
    let (caller, failures) = once(async |io| {
        let mut failures = Vec::new();
        for name in ["castaway", "stranger", "nobody"] {
            failures.push((io.mpi().send(name, 1u8).await.expect_err("it cannot arrive").to_string(), io.now()));
        }
        failures
    });
    enters(&mut setup, "caller", nodes[0], caller);
    enters(&mut setup, "castaway", nodes[1], listens());
    enters(&mut setup, "stranger", nodes[0], listens());
    let (report, _) = play(setup);
    let expected =
        ["no route to `castaway`", "`caller` has no application link to `stranger`", "no service named `nobody`"];
    assert_eq!(failures.take(), Some(expected.map(|text| (text.to_owned(), SimTime::ZERO)).to_vec()));
    assert_eq!((report.traffic.sent, report.traffic.undelivered), (3, 3));
    assert_eq!(report.outcomes.get(&(Interface::Mpi, OutcomeKind::Undelivered)), Some(&3));
}
