//! How long is waited, to the nanosecond.

use std::rc::Rc;

use rehearsal_actors::interfaces::CallError;
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Cast, Setup};
use rehearsal_actors::topology::Link;

use crate::common::cast::{chain, enters, listens, once};
use crate::common::ms;
use crate::common::story::play;

/// Answers everything at once.
struct Clerk;

impl Service for Clerk {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        async fn answer(_: Rc<Clerk>, _: ServiceIo, _: Request) {}
        endpoints.get("/", answer);
    }
}

/// A message that needs `latency` in a scenario with that timeout, and how its send ends.
fn send_over(latency: SimDuration, timeout: Option<SimDuration>) -> (Result<SimDuration, SimDuration>, SimTime) {
    let (mut setup, nodes) = chain([Link::new(latency)]);
    setup.timeout = timeout.unwrap_or(setup.timeout);
    let (caller, sent) = once(async |io| (io.mpi().send("listener", ()).await, io.now()));
    enters(&mut setup, "caller", nodes[0], caller);
    enters(&mut setup, "listener", nodes[1], listens());
    play(setup);
    match sent.take().expect("it was called") {
        (Ok(sent), at) => (Ok(sent.elapsed), at),
        (Err(CallError::TimedOut { waited, .. }), at) => (Err(waited), at),
        (Err(other), _) => panic!("{other}"),
    }
}

/// The status of a request over a link of that latency, and when it was there.
fn ask_over(latency: SimDuration, own_timeout: Option<SimDuration>) -> (u16, SimDuration) {
    let (mut setup, nodes) = chain([Link::new(latency)]);
    let (caller, reply) = once(async move |io: &ServiceIo| {
        let call = io.rest().get("clerk/");
        match own_timeout {
            Some(timeout) => call.timeout(timeout).await,
            None => call.await,
        }
    });
    enters(&mut setup, "caller", nodes[0], caller);
    enters(&mut setup, "clerk", nodes[1], Cast::service(Clerk));
    play(setup);
    let reply = reply.take().expect("it was called");
    (reply.status, reply.elapsed)
}

const NANO: SimDuration = SimDuration::from_nanos(1);

fn instant(since_start: SimDuration) -> SimTime {
    SimTime::ZERO + since_start
}

#[test]
fn an_awaited_send_times_out_after_exactly_two_seconds_unless_the_scenario_says_otherwise() {
    assert_eq!(send_over(ms(3000), None), (Err(ms(2000)), instant(ms(2000))));
    assert_eq!(send_over(ms(3000), Some(ms(750))), (Err(ms(750)), instant(ms(750))));
    assert_eq!(send_over(ms(3000), Some(ms(5000))), (Ok(ms(3000)), instant(ms(3000))));
}

#[test]
fn a_delivery_at_the_very_moment_of_the_timeout_is_in_time() {
    assert_eq!(send_over(ms(2000), None), (Ok(ms(2000)), instant(ms(2000))));
    assert_eq!(send_over(ms(2000) + NANO, None), (Err(ms(2000)), instant(ms(2000))));
}

#[test]
fn a_reply_at_the_very_moment_of_the_timeout_is_in_time() {
    // There and back.
    assert_eq!(ask_over(ms(1000), None), (204, ms(2000)));
    assert_eq!(ask_over(ms(1000) + NANO, None), (504, ms(2000)));
    assert_eq!(ask_over(ms(1000), Some(ms(1500))), (504, ms(1500)));
    assert_eq!(ask_over(ms(1500), Some(ms(3000))), (204, ms(3000)));
}

#[test]
fn receiving_times_out_after_two_seconds_or_when_it_is_told_to_or_never() {
    let (mut setup, nodes) = chain([]);
    let (listener, ends) = once(async |io| {
        let waits = |io: &ServiceIo| io.now();
        let plain = io.mpi().recv::<u8>().await.map(|_| ());
        let after_plain = waits(io);
        let short = io.mpi().recv::<Vec<u8>>().timeout(ms(30)).await.map(|_| ());
        let after_short = waits(io);
        let patient = io.mpi().recv::<u8>().no_timeout().await.map(|delivery| delivery.body);
        (plain, after_plain, short, after_short, patient, waits(io))
    });
    enters(&mut setup, "listener", nodes[0], listener);
    let (talker, _) = once(async |io| {
        io.sleep(ms(60_000)).await;
        io.mpi().send("listener", 9u8).await
    });
    enters(&mut setup, "talker", nodes[0], talker);
    play(setup);
    let timed_out = |what: &str, waited| Err(CallError::TimedOut { what: what.to_owned(), waited });
    let expected = (
        timed_out("u8", ms(2000)),
        instant(ms(2000)),
        timed_out("Vec<u8>", ms(30)),
        instant(ms(2030)),
        Ok(9),
        instant(ms(60_000)),
    );
    assert_eq!(ends.take(), Some(expected));
}

#[test]
fn a_message_at_the_very_moment_of_the_timeout_is_received() {
    let (mut setup, nodes) = chain([Link::new(ms(2000))]);
    let (listener, heard) = once(async |io| io.mpi().recv::<u8>().await.map(|delivery| delivery.body));
    let (talker, _) = once(async |io| io.mpi().send("listener", 9u8).await);
    enters(&mut setup, "listener", nodes[0], listener);
    enters(&mut setup, "talker", nodes[1], talker);
    play(setup);
    assert_eq!(heard.take(), Some(Ok(9)));
}

#[test]
fn a_request_whose_asker_has_gone_away_still_ends_by_its_timeout() {
    let (mut setup, nodes) = chain([Link::new(ms(5000))]);
    let (caller, _) = once(async |io| drop(io.rest().get("clerk/").timeout(ms(10)).send()));
    enters(&mut setup, "caller", nodes[0], caller);
    enters(&mut setup, "clerk", nodes[1], Cast::service(Clerk));
    let (report, _) = play(setup);
    let outcomes: Vec<(String, u64)> = report.outcomes.iter().map(|((_, kind), n)| (kind.to_string(), *n)).collect();
    assert_eq!(outcomes, [("timed out".to_owned(), 1)]);
    assert_eq!(report.traffic.delivered, 2, "the request and its late response arrive all the same");
}

#[test]
fn a_run_that_is_given_an_end_stops_there_and_says_what_was_open() {
    let (setup, nodes) = chain([Link::new(ms(3000))]);
    let mut setup = Setup { until: Some(instant(ms(1000))), ..setup };
    let (caller, sent) = once(async |io| io.mpi().send("listener", ()).await);
    enters(&mut setup, "caller", nodes[0], caller);
    enters(&mut setup, "listener", nodes[1], listens());
    let (report, _) = play(setup);
    assert_eq!(sent.take(), None);
    assert_eq!((report.ended_at, report.traffic.in_flight), (instant(ms(1000)), 1));
    assert_eq!(report.unfinished.values().sum::<u64>(), 1);
    assert!(report.ended_well());
}
