//! Messages are neither made nor unmade by the network.

use proptest::prelude::*;

use rehearsal_actors::report::{Ending, Traffic};
use rehearsal_actors::units::SimTime;

use crate::common::errands::bustles;
use crate::common::networks::{NetworkPlan, Noise};
use crate::common::scenes::{Scene, link_models, orderings, troubled_scenes};
use crate::common::story::{Event, play};

/// Ends that a trace tells of: delivered, lost, second copies delivered.
fn ends_told(events: &[Event]) -> (u64, u64, u64) {
    let count = |which: &dyn Fn(&Event) -> bool| events.iter().filter(|event| which(event)).count() as u64;
    (
        count(&|event| matches!(event, Event::Delivery { duplicate: false, .. })),
        count(&|event| matches!(event, Event::Lost { duplicate: false, .. })),
        count(&|event| matches!(event, Event::Delivery { duplicate: true, .. })),
    )
}

fn ends_counted(traffic: &Traffic) -> (u64, u64, u64) {
    (traffic.delivered, traffic.lost, traffic.duplicates)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_sent_is_delivered_lost_undelivered_or_in_flight_and_second_copies_count_apart(
        scene in troubled_scenes(Noise::All), short_queues: bool, model in link_models(), ordering in orderings(),
        seed: u64, until in prop_oneof![Just(None), (0u64..400_000_000).prop_map(Some)],
    ) {
        let plan = if short_queues { scene.plan.clone().with_short_queues() } else { scene.plan.clone() };
        let scene = Scene { plan: NetworkPlan::with_unique_paths(plan), ..scene };
        let (mut setup, logbook) = scene.stage(seed, model, ordering);
        setup.until = until.map(SimTime::from_nanos);
        let (report, events) = play(setup);
        let traffic = report.traffic;
        let made = scene.traffic.dispatches.iter().filter(|d| until.is_none_or(|until| d.sent() <= until)).count();
        prop_assert_eq!(traffic.sent, made as u64);
        prop_assert_eq!(traffic.sent, traffic.delivered + traffic.lost + traffic.undelivered + traffic.in_flight);
        prop_assert_eq!(ends_told(&events), ends_counted(&traffic));
        prop_assert_eq!(traffic.undelivered, logbook.refusals.borrow().len() as u64);
        prop_assert!(traffic.duplicates <= traffic.sent, "no more than one copy is made of a message");
        let arrivals = logbook.arrivals.borrow();
        let duplicates = arrivals.iter().filter(|arrival| arrival.duplicate).count() as u64;
        prop_assert_eq!((traffic.delivered, traffic.duplicates), (arrivals.len() as u64 - duplicates, duplicates));
        for arrival in arrivals.iter() {
            let twins = arrivals.iter().filter(|other| (other.id, other.duplicate) == (arrival.id, arrival.duplicate));
            prop_assert_eq!(twins.count(), 1, "{:?} came more than once", arrival);
        }
        if report.ending == Ending::Quiescent {
            prop_assert_eq!(traffic.in_flight, 0);
        }
    }

    #[test]
    fn conservation_holds_for_requests_answers_and_notices_too(
        bustle in bustles(), model in link_models(), ordering in orderings(), seed: u64,
        until in prop_oneof![Just(None), (0u64..400_000_000).prop_map(Some)],
    ) {
        let (mut setup, _) = bustle.stage(seed, model, ordering);
        setup.until = until.map(SimTime::from_nanos);
        let (report, events) = play(setup);
        let traffic = report.traffic;
        prop_assert_eq!(traffic.sent, traffic.delivered + traffic.lost + traffic.undelivered + traffic.in_flight);
        prop_assert_eq!(ends_told(&events), ends_counted(&traffic));
        if report.ending == Ending::Quiescent {
            prop_assert_eq!(traffic.in_flight, 0);
        }
    }
}
