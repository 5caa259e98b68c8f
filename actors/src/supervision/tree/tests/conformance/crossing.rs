//! What happens while the supervisor is at work on something else, and starts that fail.

use super::super::script::Answers;
use super::{Row, check};

#[test]
fn otps_rules_when_things_cross() {
    check(
        &[
            Row {
                cites: "SB, Supervision Principles: one is started before the next (start functions are synchronous)",
                given: "one_for_one, 1 in 5s, a permanent, b temporary",
                story: "0s: start -> start a
                        1s: a started -> start b
                        2s: b started -> ready",
            },
            Row {
                cites: "SRC, shutdown: one has ended before the next is terminated",
                given: "one_for_one, 1 in 5s, a permanent, b permanent",
                story: "1s: stop -> stop b
                        2s: b shutdown -> stop a
                        7s: a failed -> finish shutdown",
            },
            Row {
                cites: "REF, start_link: if a child cannot be started, those started are terminated, then the supervisor",
                given: "one_for_one, 9 in 5s, a permanent, b transient, c temporary, d permanent",
                story: "0s: start -> start a
                        0s: a started -> start b
                        0s: b started -> start c
                        0s: c unstartable -> stop b
                        0s: b shutdown -> stop a
                        0s: a shutdown -> finish failed",
            },
            Row {
                cites: "REF, Child specification, start: a child that ends before it is started was not started",
                given: "one_for_one, 9 in 5s, a permanent, b permanent",
                story: "0s: start -> start a
                        0s: a started -> start b
                        0s: b normal -> stop a
                        0s: a shutdown -> finish failed",
            },
            Row {
                cites: "SRC, init_children: exits wait until all are started; then they are restarts like any other",
                given: "one_for_one, 1 in 5s, a permanent, b permanent",
                story: "0s: start -> start a
                        0s: a started -> start b
                        0s: a failed ->
                        0s: b started -> ready, start a
                        0s: a started ->
                        1s: a failed -> stop b
                        1s: b shutdown -> finish gave-up",
            },
            Row {
                cites: "SRC, init_children: one that has ended meanwhile is not terminated when the start fails",
                given: "one_for_one, 1 in 5s, a permanent, b permanent, c permanent",
                story: "0s: start -> start a
                        0s: a started -> start b
                        0s: b started -> start c
                        0s: b failed ->
                        0s: c unstartable -> stop a
                        0s: a shutdown -> finish failed",
            },
            Row {
                cites: "SB, Simplified one_for_one: it is blocked while it starts children: the order to end waits",
                given: "one_for_one, 1 in 5s, a permanent, b permanent",
                story: "0s: start -> start a
                        0s: stop ->
                        0s: a started -> start b
                        0s: b started -> ready, stop b
                        0s: b shutdown -> stop a
                        0s: a shutdown -> finish shutdown",
            },
            Row {
                cites: "SB, Manual stopping versus Automatic Shutdown: unresponsive until a restart under way is complete",
                given: "one_for_all, 1 in 5s, a permanent, b permanent",
                story: "1s: a failed -> stop b
                        2s: stop ->
                        3s: b shutdown -> start a
                        4s: a started -> start b
                        5s: b started -> stop b
                        6s: b shutdown -> stop a
                        7s: a shutdown -> finish shutdown",
            },
            Row {
                cites: "SRC, handle_info: an exit that came before the order to end is seen to before",
                given: "one_for_one, 2 in 5s, a permanent, b permanent",
                story: "1s: b failed -> start b
                        1s: a failed ->
                        1s: stop ->
                        1s: b started -> start a
                        1s: a started -> stop b
                        1s: b shutdown -> stop a
                        1s: a shutdown -> finish shutdown",
            },
            Row {
                cites: "SRC, unlink_flush: a sibling that ends by itself before its turn is not terminated, nor counted",
                given: "one_for_all, 2 in 5s, a permanent, b permanent, c permanent",
                story: "1s: a failed -> stop c
                        1s: b failed ->
                        1s: c shutdown -> start a
                        1s: a started -> start b
                        1s: b started -> start c
                        1s: c started ->
                        2s: b failed -> stop c
                        2s: c shutdown -> stop a
                        2s: a shutdown -> start a",
            },
            Row {
                cites: "SRC, unlink_flush: how a child ends that was told to does not matter",
                given: "one_for_all, 1 in 5s, a permanent, b permanent, c transient",
                story: "1s: a failed -> stop c
                        1s: c failed -> stop b
                        1s: b crashed -> start a",
            },
            Row {
                cites: "SRC, handle_info: two exits in one instant are two restarts, one after the other",
                given: "one_for_one, 2 in 5s, a permanent, b permanent",
                story: "1s: b failed -> start b
                        1s: a failed ->
                        1s: b started -> start a
                        1s: a started ->
                        1s: b failed -> stop a",
            },
            Row {
                cites: "SRC, handle_info: the second may be one too many",
                given: "one_for_one, 1 in 5s, a permanent, b permanent",
                story: "1s: b failed -> start b
                        1s: a failed ->
                        1s: b started -> stop b
                        1s: b shutdown -> finish gave-up",
            },
            Row {
                cites: "SRC, handle_info: under rest_for_one an earlier child's exit is seen to when the rest are back",
                given: "rest_for_one, 2 in 5s, a permanent, b permanent, c permanent",
                story: "1s: b failed -> stop c
                        1s: a failed ->
                        1s: c shutdown -> start b
                        1s: b started -> start c
                        1s: c started -> stop c
                        1s: c shutdown -> stop b
                        1s: b shutdown -> start a
                        1s: a started -> start b
                        1s: b started -> start c
                        1s: c started ->",
            },
            Row {
                cites: "SRC, handle_info: one that is restarted and ends before its siblings are back is restarted again",
                given: "one_for_all, 2 in 5s, a permanent, b permanent",
                story: "1s: b failed -> stop a
                        1s: a shutdown -> start a
                        1s: a started -> start b
                        1s: a failed ->
                        1s: b started -> stop b
                        1s: b shutdown -> start a
                        1s: a started -> start b
                        1s: b started ->",
            },
            Row {
                cites: "SRC, try_again_restart: a failed restart is tried again, and each attempt counts",
                given: "one_for_one, 2 in 5s, a permanent, b permanent",
                story: "1s: b failed -> start b
                        1s: b unstartable -> start b
                        1s: b unstartable -> stop a
                        1s: a shutdown -> finish gave-up",
            },
            Row {
                cites: "SRC, try_again_restart: under one_for_all those that are back already are terminated once more",
                given: "one_for_all, 2 in 5s, a permanent, b permanent, c permanent",
                story: "1s: c failed -> stop b
                        1s: b shutdown -> stop a
                        1s: a shutdown -> start a
                        1s: a started -> start b
                        1s: b unstartable -> stop a
                        1s: a shutdown -> start a
                        1s: a started -> start b
                        1s: b started -> start c
                        1s: c started ->",
            },
            Row {
                cites: "SRC, try_again_restart: under rest_for_one it goes on from the one that could not be started",
                given: "rest_for_one, 2 in 5s, a permanent, b permanent, c permanent",
                story: "1s: a failed -> stop c
                        1s: c shutdown -> stop b
                        1s: b shutdown -> start a
                        1s: a started -> start b
                        1s: b failed -> start b
                        1s: b started -> start c
                        1s: c started ->",
            },
            Row {
                cites: "SRC, handle_cast: what came before is seen to first; a restart that included it leaves nothing to try",
                given: "rest_for_one, 2 in 5s, a permanent, b permanent",
                story: "1s: b failed -> start b
                        1s: a failed ->
                        1s: b unstartable -> start a
                        1s: a started -> start b
                        1s: b started ->",
            },
            Row {
                cites: "SRC, restart: the order to end is heard between two attempts",
                given: "one_for_one, 9 in 5s, a permanent, b permanent",
                story: "1s: b failed -> start b
                        1s: stop ->
                        1s: b unstartable -> stop a
                        1s: a shutdown -> finish shutdown",
            },
            Row {
                cites: "SRC, terminate: once it has given up it has, whatever it is told",
                given: "one_for_one, 0 in 5s, a permanent, b permanent",
                story: "1s: a failed -> stop b
                        1s: stop ->
                        2s: b shutdown -> finish gave-up",
            },
        ],
        Answers::InScript,
    );
}
