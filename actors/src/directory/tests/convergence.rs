//! Whatever has happened: three quiet heartbeats later all directories of a vnet agree.

use proptest::prelude::*;

use super::world::{Act, Sight, World};
use super::*;

const HEARTBEAT: SimDuration = SimDuration::from_secs(1);

/// How long a storm lasts, in milliseconds: some heartbeats, so that homes are forgotten in it.
const STORM: u64 = 7_000;

fn any_act() -> impl Strategy<Value = Act> {
    let number = 0usize..6;
    prop_oneof![
        2 => number.clone().prop_map(Act::KillDirectory),
        2 => number.clone().prop_map(Act::StartDirectory),
        2 => number.clone().prop_map(Act::KillProvider),
        2 => number.clone().prop_map(Act::StartProvider),
        4 => (number.clone(), number.clone(), number.clone()).prop_map(|(a, b, c)| Act::Offer(a, b, c)),
        3 => (number.clone(), number.clone()).prop_map(|(a, b)| Act::Withdraw(a, b)),
        2 => (number.clone(), number.clone()).prop_map(|(a, b)| Act::Cut(a, b)),
        2 => (number.clone(), number).prop_map(|(a, b)| Act::Mend(a, b)),
    ]
}

/// A last blow, from which there is least time to recover.
fn any_kill() -> impl Strategy<Value = Act> {
    let number = 0usize..6;
    prop_oneof![number.clone().prop_map(Act::KillDirectory), number.prop_map(Act::KillProvider)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn three_quiet_heartbeats_after_a_storm_all_agree_on_the_living(
        seed in any::<u64>(),
        mut acts in prop::collection::vec((0..STORM, any_act()), 0..60),
        blows in prop::collection::vec((STORM - 200..STORM, any_kill()), 0..6),
    ) {
        acts.extend(blows);
        acts.sort_by_key(|&(when, _)| when);
        let mut world = World::random(seed);
        world.begin_storm();
        for (when, act) in &acts {
            world.run(at(*when));
            world.act(act);
        }
        world.run(at(STORM));
        world.end_storm();
        let quiet_since = world.now;
        world.run(quiet_since + HEARTBEAT + HEARTBEAT + HEARTBEAT);
        for permissions in [&["p"][..], &[]] {
            for Sight { place, found, expected } in world.sights(permissions) {
                prop_assert_eq!(found, expected, "{}", place);
            }
        }
        // And so it stays: directories that providers have left are left by then, and nothing changes.
        world.run(quiet_since + SimDuration::from_secs(5));
        let before = world.shares;
        world.run(quiet_since + SimDuration::from_secs(6));
        prop_assert!(world.shares - before <= world.most_shares());
        for Sight { place, found, expected } in world.sights(&["p"]) {
            prop_assert_eq!(found, expected, "{}", place);
        }
    }
}

/// How many shares directories of one vnet send in an interval in which nothing changes.
fn shares_in_an_interval(hubs: &[&[u32]]) -> usize {
    let directories: Vec<_> = hubs.iter().map(|&hubs| (&["v0"][..], hubs)).collect();
    let mut world = World::new(&directories, 1);
    world.run(at(3_500));
    let before = world.shares;
    world.run(at(4_500));
    world.shares - before
}

/// A home's snapshot goes to all its peers, and each other directory passes it on once, to all peers
/// but the one it had it from. With n directories and e pairs of peers that is 2 e - (n - 1) for
/// each home.
#[test]
fn an_interval_without_changes_costs_each_home_one_flood_and_no_echo() {
    let flood = |n: usize, e: usize| n * (2 * e - (n - 1));
    // Two hubs that share with each other: one message each.
    assert_eq!(shares_in_an_interval(&[&[1], &[0]]), flood(2, 1));
    assert_eq!(flood(2, 1), 2);
    // A line of four, named in one direction; a star; a ring; everybody with everybody.
    assert_eq!(shares_in_an_interval(&[&[1], &[2], &[3], &[]]), flood(4, 3));
    assert_eq!(shares_in_an_interval(&[&[], &[0], &[0], &[0], &[0]]), flood(5, 4));
    assert_eq!(shares_in_an_interval(&[&[1], &[2], &[3], &[4], &[0]]), flood(5, 5));
    assert_eq!(shares_in_an_interval(&[&[1, 2, 3], &[2, 3], &[3], &[]]), flood(4, 6));
    // A hub that is not there is greeted by the one that names it.
    assert_eq!(shares_in_an_interval(&[&[1, 77], &[0]]), flood(2, 1) + 1);
}
