//! Requests, and how they end.

use std::collections::BTreeSet;

use proptest::prelude::*;

use rehearsal_actors::outcome::Interface;
use rehearsal_actors::report::{Ending, Report};

use crate::common::errands::bustles;
use crate::common::scenes::{link_models, orderings};
use crate::common::story::{Event, play};

fn outcomes_of(report: &Report, interface: Interface) -> u64 {
    report.outcomes.iter().filter(|((of, _), _)| *of == interface).map(|(_, count)| count).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_request_ends_in_exactly_one_outcome_no_later_than_its_timeout_whatever_fails(
        bustle in bustles(), model in link_models(), ordering in orderings(), seed: u64,
    ) {
        let (setup, diary) = bustle.stage(seed, model, ordering);
        let (report, events) = play(setup);
        prop_assert_eq!(&report.ending, &Ending::Quiescent);
        prop_assert!(report.unfinished.is_empty(), "open for ever: {:?}", report.unfinished);
        for (interface, made) in [(Interface::Mpi, diary.mpi.get()), (Interface::Rest, diary.rest.get())] {
            prop_assert_eq!(outcomes_of(&report, interface), made, "outcomes of {}", interface);
            let told = |event: &&Event| matches!(event, Event::Outcome { interface: of, .. } if *of == interface);
            prop_assert_eq!(events.iter().filter(told).count() as u64, made, "{} in the trace", interface);
        }
        let answers = diary.answers.borrow();
        for (id, waited) in answers.iter() {
            prop_assert!(*waited <= bustle.errands[*id].timeout(), "{:?} waited {waited:?}", bustle.errands[*id]);
        }
        // Whoever lives on hears of every request it awaits, and only once.
        let crashed = |id: usize| report.services[bustle.errands[id].from()].crashed;
        let heard: BTreeSet<usize> = answers.iter().map(|(id, _)| *id).collect();
        prop_assert_eq!(heard.len(), answers.len());
        for id in diary.awaited.borrow().iter().filter(|id| !crashed(**id)) {
            prop_assert!(heard.contains(id), "nobody ever answered {:?}", bustle.errands[*id]);
        }
    }
}
