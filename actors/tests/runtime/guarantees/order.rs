//! When deliveries come, and which comes first.

use proptest::prelude::*;

use rehearsal_actors::prelude::*;
use rehearsal_actors::report::Report;
use rehearsal_actors::simulation::{LinkModel, Ordering, Setup};
use rehearsal_actors::topology::{Link, Node, NodeId, Topology};

use crate::common::cast::{Dispatch, Parcel, Traffic, acts, enters, listens};
use crate::common::networks::{NetworkPlan, Noise, networks};
use crate::common::scenes::{Scene, calm_scenes, link_models, orderings, troubled_scenes};
use crate::common::story::{Event, play};
use crate::common::{at_ms, ms};

/// A network, the nodes of a sender and two receivers, and the sizes of two messages.
fn forks() -> impl Strategy<Value = (NetworkPlan, [usize; 3], [u64; 2])> {
    networks(Noise::None).prop_map(NetworkPlan::with_unique_paths).prop_flat_map(|plan| {
        let nodes = plan.processing.len();
        (Just(plan), prop::array::uniform3(0..nodes), prop::array::uniform2(0u64..1000))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn deliveries_come_out_in_non_decreasing_virtual_time(
        scene in troubled_scenes(Noise::All), model in link_models(), ordering in orderings(), seed: u64,
    ) {
        let (setup, logbook) = scene.stage(seed, model, ordering);
        let (_, events) = play(setup);
        prop_assert!(events.iter().map(Event::at).is_sorted());
        prop_assert!(logbook.arrivals.borrow().iter().map(|arrival| arrival.at).is_sorted());
    }

    #[test]
    fn messages_between_one_sender_and_one_receiver_do_not_overtake_each_other(
        scene in troubled_scenes(Noise::All), model in link_models(), seed: u64,
    ) {
        let (setup, logbook) = scene.stage(seed, model, Ordering::Ordered);
        play(setup);
        let arrivals = logbook.arrivals.borrow();
        for (i, later) in arrivals.iter().enumerate() {
            for earlier in &arrivals[..i] {
                let one_pair = (earlier.from, earlier.to) == (later.from, later.to);
                // Numbers are given in the order of sending; a second copy has the number of the first.
                prop_assert!(!one_pair || earlier.id <= later.id, "{later:?} after {earlier:?}");
            }
        }
    }

    #[test]
    fn a_message_that_would_overtake_is_held_back_to_just_behind_the_one_before_it(
        scene in calm_scenes(Noise::Jitter), seed: u64,
    ) {
        let (bare, _) = scene.stage(seed, LinkModel::RouteCost, Ordering::Unordered);
        let (held, logbook) = scene.stage(seed, LinkModel::RouteCost, Ordering::Ordered);
        // Order changes nothing in what links do, so the same message arrives at its node at the
        // same time in both runs.
        let mut reached = vec![None; scene.traffic.dispatches.len()];
        for event in play(bare).1 {
            if let Event::Delivery { at, bytes, held_back, .. } = event {
                prop_assert!(held_back.is_zero(), "nothing is held back where everything may overtake");
                reached[Parcel::of(bytes)] = Some(at);
            }
        }
        let (report, events) = play(held);
        let mut waited = 0;
        for event in events {
            let Event::Delivery { at, from, to, bytes, held_back, .. } = event else { continue };
            let id = Parcel::of(bytes);
            let Some(own) = reached[id] else { return Err(TestCaseError::fail("it arrived in one run only")) };
            let before = scene.traffic.dispatches[..id].iter().enumerate().filter(|(_, d)| (d.from, d.to) == (from, to));
            let last = before.filter_map(|(earlier, _)| reached[earlier]).max();
            let due = last.map_or(own, |last| last.max(own));
            prop_assert_eq!((at, held_back), (due, due.since(own)));
            waited += u64::from(!held_back.is_zero());
        }
        prop_assert_eq!(report.traffic.held_back, waited);
        prop_assert_eq!(logbook.arrivals.borrow().len(), scene.traffic.dispatches.len());
    }

    #[test]
    fn of_two_messages_sent_in_the_same_instant_over_different_routes_the_cheaper_arrives_first(
        (plan, nodes, sizes) in forks(), model in link_models(),
    ) {
        let cost = |id: usize| plan.cost(nodes[0], nodes[id + 1], sizes[id] * Parcel::KINDS + id as u64);
        let dispatch = |id: usize| Dispatch { at: 1, from: 0, to: id + 1, bytes: sizes[id] * Parcel::KINDS + id as u64 };
        let (first, second) = (cost(0), cost(1));
        // On one queued link the first message is in the way of the second: only with queues of their
        // own does each pay its route cost.
        let path = |id: usize| plan.shortest_path(nodes[0], nodes[id], |_| true).unwrap_or_default();
        let (one, other) = (path(1), path(2));
        let apart = first != second && one.iter().all(|link| !other.contains(link));
        let model = if apart { model } else { LinkModel::RouteCost };
        let traffic = Traffic { nodes: nodes.to_vec(), dispatches: vec![dispatch(0), dispatch(1)] };
        let scene = Scene { plan: plan.clone(), traffic, cuts: Vec::new() };
        let (setup, logbook) = scene.stage(1, model, Ordering::Ordered);
        play(setup);
        let order: Vec<usize> = logbook.arrivals.borrow().iter().map(|arrival| arrival.id).collect();
        // Of two that cost the same, the one that was sent first.
        prop_assert_eq!(order, if second < first { [1, 0] } else { [0, 1] });
    }
}

/// Of two nodes of a large network one reaches all others, so that its messages are priced later, and one
/// does not, so that its messages are priced at once.
#[test]
fn what_is_due_in_the_same_instant_comes_in_the_order_in_which_it_was_sent_whenever_it_was_priced() {
    let mut topology = Topology::new();
    let mut add = |name: String| topology.add_node(Node::new(name)).expect("names differ");
    let [reaches_all, listens_here, reaches_one] = ["a", "b", "c"].map(|name| add(name.to_owned()));
    let crowd: Vec<NodeId> = (0..300).map(|i| add(format!("n{i}"))).collect();
    let link = Link::new(ms(10));
    for (from, to) in [(reaches_all, listens_here), (reaches_all, reaches_one), (reaches_one, listens_here)] {
        topology.add_link(from, to, link.clone()).expect("links differ");
    }
    for one in crowd {
        topology.add_symmetric(reaches_all, one, link.clone()).expect("links differ");
    }
    let mut setup = Setup::new(1, topology);
    let tells = || {
        acts(async |io: &ServiceIo| {
            io.mpi().tell("listener", ())?;
            Ok(Step::Stop)
        })
    };
    // By turns, so that some are priced at once before and after each that is not.
    for (number, node) in [reaches_all, reaches_one, reaches_all, reaches_one].into_iter().enumerate() {
        enters(&mut setup, &format!("s{number}"), node, tells());
    }
    enters(&mut setup, "listener", listens_here, listens());
    let senders = |(_, events): (Report, Vec<Event>)| {
        let sender = |event| match event {
            Event::Delivery { at, from, .. } => Some((at, from)),
            _ => None,
        };
        events.into_iter().filter_map(sender).collect::<Vec<_>>()
    };
    assert_eq!(senders(play(setup)), [0, 1, 2, 3].map(|from| (at_ms(10), from)));
}
