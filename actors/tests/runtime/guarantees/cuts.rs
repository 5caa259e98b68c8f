//! Nodes that are down, links that are cut.

use proptest::prelude::*;

use rehearsal_actors::outcome::Undelivered;
use rehearsal_actors::simulation::{LinkModel, Ordering};
use rehearsal_actors::trace::LossCause;

use crate::common::cast::Parcel;
use crate::common::cuts::{Standing, cut_off_at};
use crate::common::networks::Noise;
use crate::common::scenes::{link_models, orderings, troubled_scenes};
use crate::common::story::{Event, play};

/// What became of a message, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Delivered(u64),
    Cut(u64),
    NoRoute(u64),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_is_delivered_to_a_node_that_is_down_or_across_a_cut(
        scene in troubled_scenes(Noise::All), model in link_models(), ordering in orderings(), seed: u64,
    ) {
        let (setup, logbook) = scene.stage(seed, model, ordering);
        play(setup);
        for arrival in logbook.arrivals.borrow().iter() {
            let dispatch = &scene.traffic.dispatches[arrival.id];
            let (from, to) = (scene.traffic.nodes[dispatch.from], scene.traffic.nodes[dispatch.to]);
            let now = Standing::at(&scene.plan, &scene.cuts, arrival.at.as_nanos());
            prop_assert!(now.is_node_up(to), "{arrival:?} at a node that is down");
            // Noise and queues only make it later, so that this is the soonest it can pass each link.
            let path = Standing::at(&scene.plan, &scene.cuts, dispatch.sent()).path(&scene.plan, from, to);
            prop_assert!(path.is_some(), "{arrival:?} without a route");
            let way = scene.plan.way(&path.unwrap_or_default(), dispatch.sent(), dispatch.bytes);
            let cut = cut_off_at(&scene.plan, &scene.cuts, &way, to, dispatch.sent());
            prop_assert_eq!(cut, None, "{:?} across a cut", arrival);
        }
    }

    #[test]
    fn what_has_yet_to_pass_a_cut_is_lost_at_that_moment_and_all_else_is_delivered_on_time(
        scene in troubled_scenes(Noise::None),
    ) {
        let expected: Vec<End> = scene.traffic.dispatches.iter().map(|dispatch| {
            let (from, to) = (scene.traffic.nodes[dispatch.from], scene.traffic.nodes[dispatch.to]);
            let sent = dispatch.sent();
            let Some(path) = Standing::at(&scene.plan, &scene.cuts, sent).path(&scene.plan, from, to) else {
                return End::NoRoute(sent);
            };
            let way = scene.plan.way(&path, sent, dispatch.bytes);
            cut_off_at(&scene.plan, &scene.cuts, &way, to, sent).map_or(End::Delivered(way.arrives), End::Cut)
        }).collect();

        let (setup, logbook) = scene.stage(1, LinkModel::RouteCost, Ordering::Unordered);
        let (report, events) = play(setup);
        let mut ends = vec![None; expected.len()];
        for event in events {
            match event {
                Event::Delivery { at, bytes, .. } => ends[Parcel::of(bytes)] = Some(End::Delivered(at.as_nanos())),
                Event::Lost { at, bytes, cause, .. } => {
                    prop_assert_eq!(cause, LossCause::Cut);
                    ends[Parcel::of(bytes)] = Some(End::Cut(at.as_nanos()));
                }
                _ => {}
            }
        }
        for (id, why) in logbook.refusals.borrow().iter() {
            let to = format!("s{}", scene.traffic.dispatches[*id].to);
            prop_assert_eq!(why, &Undelivered::NoRoute { to });
            ends[*id] = Some(End::NoRoute(scene.traffic.dispatches[*id].sent()));
        }
        let ends: Vec<End> = ends.into_iter().flatten().collect();
        prop_assert_eq!(ends, expected);
        prop_assert_eq!(report.traffic.in_flight, 0);
    }
}
