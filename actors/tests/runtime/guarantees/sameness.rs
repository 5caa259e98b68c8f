//! The same scenario and seed give the same run.

use proptest::prelude::*;

use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{LinkModel, Ordering, Setup};
use rehearsal_actors::topology::Link;
use rehearsal_actors::units::SimDuration;

use crate::common::cast::{acts, chain, enters, listens};
use crate::common::networks::Noise;
use crate::common::ordeals::ordeals;
use crate::common::scenes::{Scene, calm_scenes, link_models, orderings, troubled_scenes};
use crate::common::story::{Event, play, play_unheard};
use crate::common::{at_ms, ms};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_same_seed_gives_the_same_trace_with_a_listener_and_without(
        scene in troubled_scenes(Noise::All), model in link_models(), ordering in orderings(), seed: u64,
    ) {
        let (first, first_events) = play(scene.stage(seed, model, ordering).0);
        let (second, second_events) = play(scene.stage(seed, model, ordering).0);
        let unheard = play_unheard(scene.stage(seed, model, ordering).0);
        prop_assert_eq!(first.trace_hash, second.trace_hash);
        prop_assert_eq!(first.trace_hash, unheard.trace_hash);
        prop_assert_eq!(first_events, second_events);
        prop_assert_eq!(first.traffic, second.traffic);
        prop_assert_eq!(first.traffic, unheard.traffic);
        prop_assert_eq!(first.outcomes, unheard.outcomes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Among hundreds of nodes messages are priced some time after they were sent, several at once.
    #[test]
    fn the_same_traffic_leaves_the_same_trace_in_a_small_network_and_in_a_large_one(
        scene in prop_oneof![calm_scenes(Noise::None), calm_scenes(Noise::All), troubled_scenes(Noise::None)],
        model in link_models(), ordering in orderings(), seed: u64,
    ) {
        let large = Scene { plan: scene.plan.clone().in_a_crowd(), ..scene.clone() };
        let (alone, events) = play(scene.stage(seed, model, ordering).0);
        let (in_a_crowd, events_in_a_crowd) = play(large.stage(seed, model, ordering).0);
        prop_assert_eq!(events, events_in_a_crowd);
        prop_assert_eq!(alone.trace_hash, in_a_crowd.trace_hash);
        prop_assert_eq!(alone.traffic, in_a_crowd.traffic);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Timers, timeouts and restarts come between messages that have yet to be priced.
    #[test]
    fn requests_of_every_interface_end_in_a_large_network_as_they_do_in_a_small_one(
        ordeal in ordeals(), model in link_models(), ordering in orderings(), seed: u64,
    ) {
        let small = ordeal.in_peace();
        let large = small.clone().in_a_crowd();
        let (alone, events) = play(small.stage(seed, model, ordering).0);
        let (in_a_crowd, events_in_a_crowd) = play(large.stage(seed, model, ordering).0);
        prop_assert_eq!(events, events_in_a_crowd);
        prop_assert_eq!(alone.outcomes, in_a_crowd.outcomes);
        prop_assert_eq!(alone.traffic, in_a_crowd.traffic);
        prop_assert_eq!(alone.ending, in_a_crowd.ending);
    }
}

/// Ten messages over a link of 10 ms and up to 5 ms of jitter.
fn shaken(seed: u64, model: LinkModel) -> Setup {
    let (mut setup, nodes) = chain([Link { jitter: ms(5), ..Link::new(ms(10)) }]);
    (setup.seed, setup.model, setup.ordering) = (seed, model, Ordering::Unordered);
    let talks = acts(async |io: &ServiceIo| {
        for number in 0..10u8 {
            drop(io.mpi().send("listener", number));
        }
        Ok(Step::Stop)
    });
    enters(&mut setup, "talker", nodes[0], talks);
    enters(&mut setup, "listener", nodes[1], listens());
    setup
}

#[test]
fn another_seed_gives_another_trace() {
    for model in [LinkModel::RouteCost, LinkModel::Queued] {
        let (one, one_events) = play(shaken(1, model));
        let (other, other_events) = play(shaken(2, model));
        assert_ne!(one.trace_hash, other.trace_hash);
        assert_ne!(one_events, other_events);
        let in_bounds = |event: &Event| match event {
            Event::Delivery { at, .. } => (ms(10)..=ms(15)).contains(&SimDuration::from_nanos(at.as_nanos())),
            _ => true,
        };
        assert!(one_events.iter().chain(&other_events).all(in_bounds));
        assert_eq!((one.traffic.delivered, other.traffic.delivered), (10, 10));
    }
}

#[test]
fn one_more_service_leaves_what_the_others_draw_as_it_was() {
    let draws = async |io: &ServiceIo| Ok(Step::Value(io.random(|stream| stream.bits()).into()));
    let values_of_drawer = |names: &[&str]| {
        let (mut setup, nodes) = chain([]);
        for name in names {
            enters(&mut setup, name, nodes[0], acts(draws));
        }
        for service in &mut setup.services {
            (service.step_every, service.keep_step_values) = (Some(ms(1)), 5);
        }
        setup.until = Some(at_ms(4));
        let drawer = play_unheard(setup).services.into_iter().find(|service| service.name == "drawer");
        drawer.map(|drawer| drawer.step_values)
    };
    let alone = values_of_drawer(&["drawer"]);
    assert_eq!(alone.as_ref().map(Vec::len), Some(5));
    assert_eq!(alone, values_of_drawer(&["another", "drawer"]));
}
