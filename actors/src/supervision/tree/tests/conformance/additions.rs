//! What OTP does not have, and how it meets what OTP has.

use super::super::script::Answers;
use super::{Row, check};

#[test]
fn machines_that_are_down() {
    check(
        &[
            Row {
                cites: "ours: the order goes on without a deferred child, which comes later by itself",
                given: "one_for_one, 0 in 5s, a permanent, b permanent",
                story: "0s: start -> start a
                        0s: a deferred -> start b
                        0s: b started -> ready
                        9s: a started ->
                        9s: stop -> stop b",
            },
            Row {
                cites: "ours: a crashed machine's children are deferred until it is back",
                given: "one_for_one, 0 in 5s, a permanent, b permanent",
                story: "1s: a crashed -> start a
                        1s: b crashed ->
                        1s: a deferred -> start b
                        1s: b deferred ->
                        9s: a started ->
                        9s: b started ->",
            },
            Row {
                cites: "ours: a deferred child is told to stop like one that runs, so that it does not come by itself",
                given: "one_for_all, 1 in 5s, a permanent, b permanent",
                story: "1s: b crashed -> stop a
                        1s: a shutdown -> start a
                        1s: a started -> start b
                        1s: b deferred ->
                        2s: a failed -> stop b
                        2s: b started ->
                        2s: b shutdown -> start a",
            },
            Row {
                cites: "ours: a deferred child that cannot be started is a restart that failed",
                given: "rest_for_one, 1 in 5s, a permanent, b permanent, c permanent",
                story: "0s: start -> start a
                        0s: a started -> start b
                        0s: b deferred -> start c
                        0s: c started -> ready
                        1s: b unstartable -> stop c
                        1s: c shutdown -> start b
                        1s: b unstartable -> stop a",
            },
            Row {
                cites: "SB, Child Specification, restart: a temporary child is never restarted, deferred or not",
                given: "one_for_one, 1 in 5s, a temporary, b permanent",
                story: "0s: start -> start a
                        0s: a deferred -> start b
                        0s: b started -> ready
                        1s: a unstartable ->
                        1s: stop -> stop b",
            },
            Row {
                cites: "ours: a machine that crashes under a child being started is no failure to start it",
                given: "one_for_one, 0 in 5s, a permanent, b temporary, c permanent",
                story: "0s: start -> start a
                        0s: a crashed -> start a
                        0s: a deferred -> start b
                        0s: b crashed -> start c
                        0s: c started -> ready",
            },
        ],
        Answers::InScript,
    );
}

#[test]
fn back_off() {
    check(
        &[
            Row {
                cites: "ours: first * 2^(k-1) before the k-th restart in the period, most at most",
                given: "one_for_one, 5 in 60s, backoff 100ms to 500ms, a permanent",
                story: "1s: a failed -> wait 100ms for a
                        1100ms: resume 1 -> start a
                        2s: a failed -> wait 200ms for a
                        2200ms: resume 2 -> start a
                        3s: a failed -> wait 400ms for a
                        3400ms: resume 3 -> start a
                        4s: a failed -> wait 500ms for a
                        4500ms: resume 4 -> start a
                        63s: a failed -> wait 400ms for a",
            },
            Row {
                cites: "ours: siblings are stopped before the wait and started after it",
                given: "one_for_all, 1 in 5s, backoff 1s to 1s, a permanent, b permanent, c temporary",
                story: "1s: b failed -> stop c, stop a, wait 1s for b
                        2s: resume 1 -> start a, start b",
            },
            Row {
                cites: "ours: each child has its own wait under one_for_one",
                given: "one_for_one, 2 in 5s, backoff 1s to 9s, a permanent, b permanent",
                story: "1s: a failed -> wait 1s for a
                        1s: b failed -> wait 2s for b
                        2s: resume 1 -> start a
                        3s: resume 2 -> start b
                        3s: resume 1 ->
                        3s: resume 2 ->",
            },
            Row {
                cites: "SRC, restart: between two attempts the order to end is heard: a back-off is not waited for",
                given: "rest_for_one, 1 in 5s, backoff 1s to 1s, a permanent, b permanent, c permanent",
                story: "1s: b failed -> stop c, wait 1s for b
                        1500ms: stop -> stop a, finish shutdown
                        2s: resume 1 ->",
            },
            Row {
                cites: "SRC, handle_cast: an earlier child's restart includes one that waits, whose wait is over",
                given: "rest_for_one, 2 in 5s, backoff 1s to 9s, a permanent, b permanent, c permanent",
                story: "1s: c failed -> wait 1s for c
                        1s: b failed -> wait 2s for b
                        2s: resume 1 ->
                        3s: resume 2 -> start b, start c",
            },
            Row {
                cites: "SB, Maximum Restart Intensity: giving up does not wait either",
                given: "one_for_one, 1 in 5s, backoff 1s to 1s, a permanent, b permanent, c permanent",
                story: "1s: a failed -> wait 1s for a
                        1s: b failed -> stop c, finish gave-up
                        2s: resume 1 ->",
            },
            Row {
                cites: "ours: no wait before a restart that does not count",
                given: "one_for_one, 1 in 5s, backoff 1s to 9s, a permanent",
                story: "1s: a crashed -> start a
                        1s: a failed -> wait 1s for a",
            },
        ],
        Answers::AtOnce,
    );
    check(
        &[
            Row {
                cites: "ours: a failed attempt waits as well, longer",
                given: "one_for_one, 2 in 5s, backoff 1s to 9s, a permanent",
                story: "1s: a failed -> wait 1s for a
                        2s: resume 1 -> start a
                        2s: a unstartable -> wait 2s for a
                        4s: resume 2 -> start a
                        4s: resume 2 ->
                        4s: a started ->",
            },
            Row {
                cites: "SB, Simplified one_for_one: it is blocked: a wait that ends meanwhile is seen to afterwards",
                given: "one_for_one, 2 in 5s, backoff 1s to 1s, a permanent, b permanent",
                story: "1s: a failed -> wait 1s for a
                        1s: b failed -> wait 1s for b
                        2s: resume 2 -> start b
                        2s: resume 1 ->
                        2s: resume 1 ->
                        3s: b started -> start a
                        3s: a started ->",
            },
        ],
        Answers::InScript,
    );
}
