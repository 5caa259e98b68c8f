//! Figures of a run while it goes on.

use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::outside::observation::{Count, Observation, Queued};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::RestartCause;
use rehearsal_actors::simulation::{LinkModel, ServiceSpec, Setup};
use rehearsal_actors::topology::Link;
use rehearsal_actors::units::{Bandwidth, Probability};

use crate::common::cast::{Parcel, acts, chain, enters, listens, once};
use crate::common::story::play_unheard;
use crate::common::{at_ms, ms};

const BOUNDS: [SimDuration; 3] = [ms(9), ms(10), ms(5000)];

/// 8 Mbit/s: a byte takes a microsecond.
fn slow_link(latency: SimDuration) -> Link {
    Link { bandwidth: Bandwidth::bits_per_second(8_000_000).expect("it is not zero"), ..Link::new(latency) }
}

/// Messages over a lossy link, requests to nobody, and a service that fails and is restarted.
fn bustle(looks: bool) -> (Setup, std::rc::Rc<std::cell::RefCell<Option<Observation>>>) {
    let mut lossy = slow_link(ms(10));
    lossy.loss = Probability::new(0.3).expect("it is one");
    let (mut setup, nodes) = chain([lossy]);
    setup.model = LinkModel::Queued;
    enters(&mut setup, "listener", nodes[1], listens());
    let fails = || {
        acts(async |io: &ServiceIo| {
            io.sleep(ms(20)).await;
            if io.now() < at_ms(20) + ms(1) { Err(StepError::new("not yet").fatal()) } else { Ok(Step::Stop) }
        })
    };
    setup.services.push(ServiceSpec::restartable("fails", nodes[1], fails));
    let sends = acts(async |io: &ServiceIo| {
        let _ = io.mpi().send_sized("listener", Parcel(1), Bytes(3000)).timeout(ms(40)).await;
        io.rest().get("nobody/at/all").await;
        if io.now() < at_ms(300) { Ok(Step::Continue) } else { Ok(Step::Stop) }
    });
    enters(&mut setup, "sends", nodes[0], sends);
    let (looker, seen) = once(async move |io| {
        let mut seen = None;
        while io.now() < at_ms(1000) {
            io.sleep(ms(3)).await;
            if looks {
                seen = Some(Observation::take(io, &BOUNDS));
            }
        }
        seen.expect("it looks")
    });
    enters(&mut setup, "looker", nodes[0], looker);
    (setup, seen)
}

#[test]
fn a_run_that_is_looked_at_goes_as_one_that_is_not() {
    let (watched, _) = bustle(true);
    let watched = play_unheard(watched);
    let mut alone = bustle(true).0;
    // The last one is the looker: another one that sleeps as long.
    alone.services.pop();
    let node = alone.services[0].node;
    let sleeper = acts(async |io: &ServiceIo| {
        while io.now() < at_ms(1000) {
            io.sleep(ms(3)).await;
        }
        Ok(Step::Stop)
    });
    alone.services.push(ServiceSpec::new("looker", node, sleeper));
    let alone = play_unheard(alone);
    assert_eq!(watched.trace_hash, alone.trace_hash);
    assert_eq!((watched.traffic, watched.outcomes, watched.ended_at), (alone.traffic, alone.outcomes, alone.ended_at));
}

#[test]
fn when_nothing_happens_any_more_it_says_what_the_report_says() {
    let (setup, seen) = bustle(true);
    let report = play_unheard(setup);
    let seen = seen.take().expect("it looked");
    assert!(seen.at >= at_ms(1000));
    assert_eq!((seen.traffic, &seen.outcomes), (report.traffic, &report.outcomes));
    assert!(seen.outcomes[&(Interface::Mpi, OutcomeKind::TimedOut)] > 0, "some are lost");
    assert!(seen.outcomes[&(Interface::Rest, OutcomeKind::Undelivered)] > 0, "nobody is nobody");
    assert_eq!((seen.open.len(), seen.queues.len()), (0, 0));
    assert_eq!(seen.restarts, report.supervision.restarts);
    assert_eq!(seen.restarts[&("fails".to_owned(), RestartCause::Error)], 1);
    assert_eq!(seen.failures["fails"], 1);
    assert_eq!(seen.services, Count { up: 4, down: 0 });
    let fails = &seen.each[1];
    assert_eq!((fails.name.as_str(), fails.node.as_str(), fails.up, fails.lives), ("fails", "b", true, 2));
    for (seen, reported) in seen.each.iter().zip(&report.services) {
        assert_eq!((&seen.name, seen.sent, seen.received), (&reported.name, reported.sent, reported.received));
    }
    let listener = &seen.each[0];
    assert_eq!(listener.inbox as u64, listener.received, "it never looks");

    // 3 ms to be sent, and 10 ms on the link, for each that arrived.
    let messages = &seen.latencies[&Interface::Mpi];
    assert_eq!(messages.counts, [0, 0, listener.received]);
    assert_eq!(messages.count, listener.received);
    assert!((messages.sum_secs - 0.013 * listener.received as f64).abs() < 1e-9, "{}", messages.sum_secs);
    assert_eq!(report.latency_by_interface[&Interface::Mpi].max, ms(13));
}

#[test]
fn what_is_open_in_flight_queued_and_in_the_inbox_is_told_as_it_is_at_the_moment() {
    let (mut setup, nodes) = chain([slow_link(ms(10))]);
    setup.model = LinkModel::Queued;
    enters(&mut setup, "listener", nodes[1], listens());
    let (sender, seen) = once(async |io| {
        // One at a time: the first is being sent for 1 ms, while the others wait.
        let sendings: Vec<_> = (0..3).map(|i| io.mpi().send_sized("listener", Parcel(i), Bytes(1000))).collect();
        let mut seen = Vec::new();
        for micros in [500, 1000, 2000, 11_000, 12_000, 13_000] {
            io.sleep_until(SimTime::from_nanos(micros * 1000)).await;
            seen.push(Observation::take(io, &BOUNDS));
        }
        drop(sendings);
        seen
    });
    enters(&mut setup, "sender", nodes[0], sender);
    play_unheard(setup);
    let seen = seen.take().expect("it looked");
    let waiting = |messages, bytes| Queued { from: "a".to_owned(), to: "b".to_owned(), messages, bytes: Bytes(bytes) };
    let queues: Vec<&[Queued]> = seen.iter().map(|seen| &*seen.queues).collect();
    assert_eq!(queues, [&[waiting(2, 2000)][..], &[waiting(1, 1000)], &[], &[], &[], &[]]);
    // They arrive at 11, 12 and 13 ms, before whoever wakes up then.
    let moments: Vec<_> = seen
        .iter()
        .map(|seen| {
            let open = seen.open.get(&Interface::Mpi).copied().unwrap_or_default();
            (seen.traffic.in_flight, open, seen.each[0].inbox)
        })
        .collect();
    assert_eq!(moments, [(3, 3, 0), (3, 3, 0), (3, 3, 0), (2, 2, 1), (1, 1, 2), (0, 0, 3)]);
}

#[test]
fn latencies_are_counted_up_to_each_bound_and_one_that_equals_it_is_within() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "near", nodes[0], listens());
    enters(&mut setup, "far", nodes[1], listens());
    let (sender, seen) = once(async |io| {
        for to in ["near", "far", "far"] {
            io.mpi().send(to, 1u8).await.expect("nothing is lost");
        }
        Observation::take(io, &BOUNDS)
    });
    enters(&mut setup, "sender", nodes[0], sender);
    play_unheard(setup);
    let seen = seen.take().expect("it looked");
    assert_eq!(seen.latencies[&Interface::Mpi].counts, [1, 3, 3]);
    assert!((seen.latencies[&Interface::Mpi].sum_secs - 0.020).abs() < 1e-12);
}
