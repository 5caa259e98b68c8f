//! Whatever happens, in any order.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::Exit;
use super::shell::{Answer, Given, Shell, Step};
use crate::supervision::spec::{self, Backoff, Intensity, Restart, Shutdown};
use crate::units::{Probability, SimDuration};

const CHILDREN: usize = 5;

fn exits() -> impl Strategy<Value = Exit> {
    let all = [Exit::Normal, Exit::Shutdown, Exit::GaveUp, Exit::Failed, Exit::Failed, Exit::NodeCrashed];
    proptest::sample::select(all.to_vec())
}

fn children() -> impl Strategy<Value = Vec<(Restart, Shutdown)>> {
    let kind = prop_oneof![3 => Just(Restart::Permanent), 2 => Just(Restart::Transient), 1 => Just(Restart::Temporary)];
    let shutdown = prop_oneof![
        Just(Shutdown::Kill),
        Just(Shutdown::Infinity),
        (1u64..9).prop_map(|s| Shutdown::Grace(SimDuration::from_secs(s)))
    ];
    vec((kind, shutdown), 0..=CHILDREN)
}

fn given() -> impl Strategy<Value = Given> {
    let strategy =
        prop_oneof![Just(spec::Strategy::OneForOne), Just(spec::Strategy::OneForAll), Just(spec::Strategy::RestForOne)];
    let intensity =
        (0u32..8, 1u64..8).prop_map(|(restarts, s)| Intensity { restarts, period: SimDuration::from_secs(s) });
    let backoff = (1u64..2000, 1u64..4000).prop_map(|(first, most)| Backoff {
        first: SimDuration::from_millis(first),
        most: SimDuration::from_millis(most),
        jitter: Probability::new(0.25).unwrap_or_default(),
    });
    (strategy, intensity, proptest::option::of(backoff), children())
        .prop_map(|(strategy, intensity, backoff, children)| Given { strategy, intensity, backoff, children })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let answer = prop_oneof![
        8 => Just(Answer::Good),
        1 => Just(Answer::Deferred),
        1 => Just(Answer::Unstartable),
        1 => exits().prop_map(Answer::Exit),
    ];
    // The time that passes is often a whole number of seconds, as the period is.
    let time = prop_oneof![(0u64..3).prop_map(|s| s * 1000), 0u64..1500].prop_map(SimDuration::from_millis);
    let step = prop_oneof![
        160 => answer.prop_map(Step::Answer),
        80 => (0..CHILDREN, exits()).prop_map(|(child, exit)| Step::Die(child, exit)),
        80 => (0..CHILDREN).prop_map(Step::Report),
        20 => (0..CHILDREN, proptest::bool::weighted(0.8)).prop_map(|(child, good)| Step::Back(child, good)),
        60 => time.prop_map(Step::Pass),
        10 => (0usize..8).prop_map(Step::Stale),
        1 => Just(Step::End),
    ];
    vec(step, 0..150)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Starts and stops come one at a time, stops in reverse order; no child is started twice;
    /// restarts stay within the intensity and are not refused before; at rest every child that
    /// should run does, unless the supervisor has ended, and then none does and nothing follows.
    #[test]
    fn whatever_happens_the_children_are_as_their_supervisor_says(given in given(), steps in steps()) {
        let size = given.children.len();
        let mut shell = Shell::new(given);
        shell.begin();
        for step in steps {
            match step {
                Step::Die(child, _) | Step::Report(child) | Step::Back(child, _) if child >= size => {}
                step => shell.step(step),
            }
        }
        shell.calm_down();
        shell.check_rest();
    }
}
