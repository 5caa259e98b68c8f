//! What a message costs.

use proptest::prelude::*;

use rehearsal_actors::routes::explain;
use rehearsal_actors::simulation::{LinkModel, Ordering};
use rehearsal_actors::units::{Bytes, SimDuration};

use crate::common::cast::Parcel;
use crate::common::networks::{NetworkPlan, Noise};
use crate::common::scenes::{Scene, calm_scenes};
use crate::common::story::{Event, play};

/// Scenes without noise in which the fastest path is unique.
fn exact_scenes() -> impl Strategy<Value = Scene> {
    calm_scenes(Noise::None).prop_map(|scene| Scene { plan: NetworkPlan::with_unique_paths(scene.plan), ..scene })
}

/// Checks every delivery against the price that petgraph's path has; all must arrive.
fn check_prices(scene: &Scene, model: LinkModel, ordering: Ordering) -> Result<(), TestCaseError> {
    let (setup, logbook) = scene.stage(1, model, ordering);
    let (report, events) = play(setup);
    for event in &events {
        let Event::Delivery { at, sent_at, bytes, .. } = event else { continue };
        let dispatch = &scene.traffic.dispatches[Parcel::of(*bytes)];
        let (from, to) = (scene.traffic.nodes[dispatch.from], scene.traffic.nodes[dispatch.to]);
        prop_assert_eq!(sent_at.as_nanos(), dispatch.sent());
        prop_assert_eq!(at.since(*sent_at).as_nanos(), scene.plan.cost(from, to, *bytes), "{:?}", dispatch);
    }
    prop_assert_eq!(report.traffic.delivered as usize, scene.traffic.dispatches.len());
    prop_assert_eq!(logbook.arrivals.borrow().len(), scene.traffic.dispatches.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn route_cost_equals_an_independent_computation_over_petgraphs_shortest_path(scene in exact_scenes()) {
        check_prices(&scene, LinkModel::RouteCost, Ordering::Unordered)?;
    }

    #[test]
    fn the_queued_model_equals_route_cost_when_nothing_contends(mut scene in exact_scenes()) {
        // The largest message, 64 KiB, takes less than 6 s to enter the slowest link, 100 kbit/s, and
        // there are at most seven hops: after 60 s it is long gone.
        for (id, dispatch) in scene.traffic.dispatches.iter_mut().enumerate() {
            dispatch.at = id as u64 * 60_000;
        }
        check_prices(&scene, LinkModel::Queued, Ordering::Ordered)?;
    }

    #[test]
    fn a_queued_message_never_arrives_before_its_route_cost(scene in exact_scenes()) {
        let (setup, logbook) = scene.stage(1, LinkModel::Queued, Ordering::Unordered);
        play(setup);
        for arrival in logbook.arrivals.borrow().iter() {
            let dispatch = &scene.traffic.dispatches[arrival.id];
            let (from, to) = (scene.traffic.nodes[dispatch.from], scene.traffic.nodes[dispatch.to]);
            let least = dispatch.sent() + scene.plan.cost(from, to, dispatch.bytes);
            prop_assert!(arrival.at.as_nanos() >= least, "{arrival:?} before {least}");
        }
    }

    #[test]
    fn what_explain_says_a_route_costs_is_the_sum_of_its_parts_and_what_petgraphs_path_costs(
        scene in exact_scenes(), bytes in 0u64..100_000,
    ) {
        let (topology, nodes, _) = scene.plan.topology();
        for (i, from) in nodes.iter().enumerate() {
            for (j, to) in nodes.iter().enumerate() {
                let route = explain(&topology, *from, *to, Bytes(bytes));
                let parts = route.as_ref().map(|route| {
                    let hops = route.hops.iter().map(|hop| hop.processing + hop.transmission + hop.latency);
                    hops.sum::<SimDuration>() + route.last.1
                });
                let total = route.as_ref().map(|route| route.total);
                prop_assert_eq!(parts, total);
                prop_assert_eq!(total.map(SimDuration::as_nanos), Some(scene.plan.cost(i, j, bytes)));
            }
        }
    }
}
