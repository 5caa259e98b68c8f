//! Erlang/OTP's rules, one by one.
//!
//! Citations: *SB* is the chapter "Supervisor Behaviour" of the OTP Design Principles, with its
//! section; *REF* the reference page of the module `supervisor`, with its section; *SRC* its source,
//! with the function that does what the texts leave open; *ours* is what OTP does not have.

mod additions;
mod crossing;

use super::script::{Answers, Stage};
use crate::units::SimTime;

struct Row {
    cites: &'static str,
    given: &'static str,
    /// All children have been started before, unless it begins with `start` or `stop`.
    story: &'static str,
}

fn check(rows: &[Row], answers: Answers) {
    for row in rows {
        let mut stage = Stage::new(row.given);
        if !["0s: start", "0s: stop"].iter().any(|first| row.story.trim_start().starts_with(first)) {
            stage.happens("start", SimTime::ZERO, Answers::AtOnce);
        }
        stage.play(row.story, answers, &format!("{} [{}]", row.cites, row.given));
    }
}

/// What a child does, how it ends, whether it is restarted, and where that is written.
const KINDS: [(&str, &str, bool, &str); 15] = [
    ("permanent", "normal", true, "SB, Child Specification, restart: a permanent child is always restarted"),
    ("permanent", "shutdown", true, "SB, Child Specification, restart: a permanent child is always restarted"),
    ("permanent", "gave-up", true, "SB, Maximum Restart Intensity: the next higher supervisor restarts it"),
    ("permanent", "failed", true, "SB, Child Specification, restart: a permanent child is always restarted"),
    ("permanent", "crashed", true, "ours: a child is restarted when its machine has crashed"),
    ("transient", "normal", false, "SB, Child Specification, restart: transient, unless `normal`"),
    ("transient", "shutdown", false, "SB, Child Specification, restart: transient, unless `shutdown`"),
    (
        "transient",
        "gave-up",
        false,
        "SB, Maximum Restart Intensity: the reason of a supervisor that gives up is `shutdown`",
    ),
    ("transient", "failed", true, "SB, Child Specification, restart: a transient child if it ends abnormally"),
    ("transient", "crashed", true, "ours: a machine's crash is an abnormal end"),
    ("temporary", "normal", false, "SB, Child Specification, restart: a temporary child is never restarted"),
    ("temporary", "shutdown", false, "SB, Child Specification, restart: a temporary child is never restarted"),
    ("temporary", "gave-up", false, "SB, Child Specification, restart: a temporary child is never restarted"),
    ("temporary", "failed", false, "SB, Child Specification, restart: a temporary child is never restarted"),
    ("temporary", "crashed", false, "SB, Child Specification, restart: a temporary child is never restarted"),
];

/// What each strategy does when b of a, b, c and a temporary d is to be restarted.
const STRATEGIES: [(&str, &str, &str); 3] = [
    ("one_for_one", "start b", "SB, one_for_one: only that child is restarted"),
    (
        "rest_for_one",
        "stop d, stop c, start b, start c",
        "SB, rest_for_one: the rest are terminated, then it and the rest are restarted; a temporary one never",
    ),
    (
        "one_for_all",
        "stop d, stop c, stop a, start a, start b, start c",
        "SB, one_for_all: all others are terminated, then all are restarted; a temporary one never",
    ),
];

#[test]
fn every_strategy_for_every_kind_of_child_and_exit() {
    for (strategy, restart, why) in STRATEGIES {
        for (kind, exit, is_restarted, cites) in KINDS {
            let mut stage =
                Stage::new(&format!("{strategy}, 1 in 5s, a permanent, b {kind}, c transient, d temporary"));
            stage.happens("start", SimTime::ZERO, Answers::AtOnce);
            let story = format!("0s: b {exit} -> {}", if is_restarted { restart } else { "" });
            stage.play(&story, Answers::AtOnce, &format!("{cites}; {why}"));
        }
    }
}

#[test]
fn otps_rules_with_children_that_obey_at_once() {
    check(
        &[
            Row {
                cites: "SB, Supervision Principles: started in the order of the list, terminated in the reverse order",
                given: "one_for_one, 1 in 5s, a permanent, b transient, c temporary",
                story: "0s: start -> start a, start b, start c, ready
                        1s: stop -> stop c, stop b, stop a, finish shutdown",
            },
            Row {
                cites: "SB, Starting a Supervisor: it starts all its children; there may be none",
                given: "one_for_all, 1 in 5s",
                story: "0s: start -> ready
                        1s: stop -> finish shutdown",
            },
            Row {
                cites: "SB, Stopping: when asked to shut down it terminates all children; there are none yet",
                given: "one_for_all, 1 in 5s, a permanent",
                story: "0s: stop -> finish shutdown
                        0s: start ->",
            },
            Row {
                cites: "SB, Child Specification, shutdown: brutal_kill, a time-out, or infinity, for each child its own",
                given: "one_for_one, 1 in 5s, a permanent kill, b permanent infinity, c permanent 2s, d permanent",
                story: "1s: stop -> stop d, stop c 2s, stop b infinity, stop a kill, finish shutdown",
            },
            Row {
                cites: "SB, Child Specification, shutdown: also when a sibling's end is the cause",
                given: "one_for_all, 1 in 5s, a permanent kill, b permanent, c permanent 2s",
                story: "1s: b failed -> stop c 2s, stop a kill, start a, start b, start c",
            },
            Row {
                cites: "SB, Stopping: only children that are there are terminated",
                given: "one_for_one, 1 in 5s, a permanent, b transient, c temporary",
                story: "1s: b normal ->
                        1s: c failed ->
                        2s: stop -> stop a, finish shutdown",
            },
            Row {
                cites: "SB, rest_for_one: the rest are those after it in start order; the first child's rest is all",
                given: "rest_for_one, 2 in 5s, a permanent, b permanent, c permanent",
                story: "1s: c failed -> start c
                        1s: a failed -> stop c, stop b, start a, start b, start c",
            },
            Row {
                cites: "SRC, start_children: a transient child that had ended normally is started with its siblings",
                given: "one_for_all, 1 in 5s, a permanent, b transient",
                story: "1s: b normal ->
                        2s: a failed -> start a, start b",
            },
            Row {
                cites: "SRC, start_children: and so under rest_for_one, if it comes after the one that failed",
                given: "rest_for_one, 1 in 5s, a transient, b permanent, c transient",
                story: "1s: a normal ->
                        1s: c shutdown ->
                        2s: b failed -> start b, start c",
            },
            Row {
                cites: "REF, terminate_child: a temporary child's specification goes when it ends; no sibling brings it back",
                given: "one_for_all, 2 in 5s, a permanent, b temporary",
                story: "1s: b failed ->
                        2s: a failed -> start a
                        3s: a failed -> start a",
            },
            Row {
                cites: "SB, Maximum Restart Intensity: MaxR restarts in the last MaxT seconds are allowed, one more is not",
                given: "one_for_one, 3 in 5s, a permanent, b permanent",
                story: "1s: a failed -> start a
                        2s: b failed -> start b
                        3s: a failed -> start a
                        4s: b failed -> stop a, finish gave-up",
            },
            Row {
                cites: "SRC, add_restart: one that is exactly as old as the period still counts",
                given: "one_for_one, 1 in 5s, a permanent",
                story: "1s: a failed -> start a
                        6s: a failed -> finish gave-up",
            },
            Row {
                cites: "SRC, add_restart: one that is older does not",
                given: "one_for_one, 1 in 5s, a permanent",
                story: "1s: a failed -> start a
                        6000.000001ms: a failed -> start a
                        11000.000002ms: a failed -> start a
                        11s: a failed -> finish gave-up",
            },
            Row {
                cites: "SRC, add_restart: the window slides; the oldest leaves it, the others stay",
                given: "one_for_one, 2 in 5s, a permanent",
                story: "0s: a failed -> start a
                        4s: a failed -> start a
                        6s: a failed -> start a
                        8s: a failed -> finish gave-up",
            },
            Row {
                cites: "REF, Supervisor flags, intensity: 0 is valid, and allows no restart",
                given: "rest_for_one, 0 in 5s, a permanent, b permanent, c permanent",
                story: "1s: b failed -> stop c, stop a, finish gave-up",
            },
            Row {
                cites: "REF, Restart intensity and period: it is restarts that count: an end without one does not",
                given: "one_for_all, 0 in 5s, a permanent, b transient, c temporary, d temporary",
                story: "1s: b normal ->
                        1s: c failed ->
                        1s: d crashed ->
                        2s: stop -> stop a, finish shutdown",
            },
            Row {
                cites: "SB, Child Specification, restart: permanent: a normal end is a restart, and counts",
                given: "one_for_one, 1 in 5s, a permanent",
                story: "1s: a normal -> start a
                        2s: a shutdown -> finish gave-up",
            },
            Row {
                cites: "SRC, restart: the children of a group are one restart, however many they are",
                given: "one_for_all, 1 in 5s, a permanent, b permanent, c permanent",
                story: "1s: a failed -> stop c, stop b, start a, start b, start c
                        2s: c failed -> stop b, stop a, finish gave-up",
            },
            Row {
                cites: "SB, Maximum Restart Intensity: the supervisor above restarts one that gave up, and counts it",
                given: "one_for_one, 1 in 5s, a permanent infinity, b permanent",
                story: "1s: a gave-up -> start a
                        2s: a gave-up -> stop b, finish gave-up",
            },
            Row {
                cites: "SRC, terminate: nothing is heard after it has ended",
                given: "one_for_all, 0 in 5s, a permanent, b permanent",
                story: "1s: a failed -> stop b, finish gave-up
                        1s: b failed ->
                        1s: a started ->
                        1s: b deferred ->
                        1s: b unstartable ->
                        1s: start ->
                        1s: stop ->",
            },
            Row {
                cites: "ours: a machine's crash is nobody's fault and counts for nothing",
                given: "one_for_all, 0 in 5s, a permanent, b transient, c temporary",
                story: "1s: a crashed -> stop c, stop b, start a, start b
                        1s: b crashed -> stop a, start a, start b
                        1s: b failed -> stop a, finish gave-up",
            },
        ],
        Answers::AtOnce,
    );
}
