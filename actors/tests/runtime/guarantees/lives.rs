//! Services that die and are restarted, whatever the moment, and what becomes of everybody's requests.

use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::*;

use rehearsal_actors::outcome::Interface;
use rehearsal_actors::report::Ending;

use crate::common::ordeals::ordeals;
use crate::common::scenes::{link_models, orderings};
use crate::common::story::{play, play_unheard};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whoever_dies_and_is_restarted_every_request_of_every_interface_has_one_outcome_in_time_and_nothing_is_left_over(
        ordeal in ordeals(), model in link_models(), ordering in orderings(), seed: u64,
    ) {
        let (setup, diary) = ordeal.stage(seed, model, ordering);
        let (report, _) = play(setup);
        prop_assert_eq!(&report.ending, &Ending::Quiescent);
        prop_assert!(report.unfinished.is_empty(), "open for ever: {:?}", report.unfinished);
        let mut ended: BTreeMap<Interface, u64> = BTreeMap::new();
        for ((interface, _), count) in &report.outcomes {
            *ended.entry(*interface).or_default() += count;
        }
        prop_assert_eq!(&ended, &*diary.made.borrow());
        for (id, waited) in diary.answers.borrow().iter() {
            prop_assert!(*waited <= ordeal.errands[*id].timeout(), "{:?} waited {waited:?}", ordeal.errands[*id]);
        }
        prop_assert_eq!(diary.open.get(), 0, "somebody waits for ever");
        let traffic = report.traffic;
        prop_assert_eq!(traffic.sent, traffic.delivered + traffic.lost + traffic.undelivered);
        prop_assert_eq!(traffic.in_flight, 0);
        // Whoever was made, and every future and closure of them, is gone with the run.
        prop_assert_eq!(Rc::strong_count(&diary), 1, "something of a service is left");
    }

    #[test]
    fn whoever_its_supervisors_should_have_restarted_is_there_when_the_run_is_quiescent(
        ordeal in ordeals(), model in link_models(), ordering in orderings(), seed: u64,
    ) {
        let (setup, _) = ordeal.stage(seed, model, ordering);
        let must_run: Vec<bool> = (0..ordeal.parts.len()).map(|service| ordeal.must_run(service, &setup)).collect();
        let report = play_unheard(setup);
        prop_assert_eq!(&report.ending, &Ending::Quiescent);
        for (service, must_run) in report.services.iter().zip(must_run) {
            prop_assert!(service.running || !must_run, "{} is gone: {:?}", service.name, report.supervision);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_deaths_and_restarts_with_a_listener_and_without(
        ordeal in ordeals(), model in link_models(), ordering in orderings(), seed: u64,
    ) {
        let (first, story) = play(ordeal.stage(seed, model, ordering).0);
        let (second, again) = play(ordeal.stage(seed, model, ordering).0);
        let unheard = play_unheard(ordeal.stage(seed, model, ordering).0);
        prop_assert_eq!((first.trace_hash, &story), (second.trace_hash, &again));
        prop_assert_eq!(first.trace_hash, unheard.trace_hash);
        prop_assert_eq!(&first.supervision, &unheard.supervision);
        prop_assert_eq!(&first.outcomes, &unheard.outcomes);
        prop_assert_eq!(first.traffic, unheard.traffic);
    }
}
