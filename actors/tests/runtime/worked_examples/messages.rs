//! MPI: one, many and all; receiving; `exchange` in its forms.

use rehearsal_actors::interfaces::CallError;
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{AppLink, Setup};
use rehearsal_actors::topology::{Link, NodeId};
use rehearsal_actors::units::Probability;

use crate::common::cast::{Unspeakable, acts, chain, enters, listens, once};
use crate::common::story::play;
use crate::common::{at_ms, ms};

/// A hub on `a`, `near` 10 ms and `far` 30 ms away.
fn near_and_far() -> (Setup, Vec<NodeId>) {
    let (mut setup, nodes) = chain([Link::new(ms(10)), Link::new(ms(20))]);
    enters(&mut setup, "near", nodes[1], listens());
    enters(&mut setup, "far", nodes[2], listens());
    (setup, nodes)
}

#[test]
fn many_recipients_cost_the_slowest() {
    let (mut setup, nodes) = near_and_far();
    let (hub, sent) = once(async |io| (io.mpi().multicast(["near", "far", "near"], 1u8).await, io.now()));
    enters(&mut setup, "hub", nodes[0], hub);
    let (report, _) = play(setup);
    let (sent, at) = sent.take().expect("it was called");
    let each: Vec<_> = sent.outcomes.iter().map(|sent| sent.as_ref().map(|sent| sent.elapsed)).collect();
    assert_eq!(each, [Ok(ms(10)), Ok(ms(30)), Ok(ms(10))]);
    assert_eq!((sent.elapsed, at), (ms(30), at_ms(30)));
    assert_eq!(report.outcomes.get(&(Interface::Mpi, OutcomeKind::Ack)), Some(&3));
}

#[test]
fn many_recipients_cost_the_slowest_even_if_they_are_awaited_later() {
    let (mut setup, nodes) = near_and_far();
    let (hub, elapsed) = once(async |io| {
        let sending = io.mpi().multicast(["near", "far"], 1u8);
        io.sleep(ms(500)).await;
        sending.await.elapsed
    });
    enters(&mut setup, "hub", nodes[0], hub);
    play(setup);
    assert_eq!(elapsed.take(), Some(ms(30)));
}

#[test]
fn one_failure_among_many_is_that_recipients_alone() {
    let (mut setup, nodes) = near_and_far();
    let (hub, sent) = once(async |io| io.mpi().multicast(["near", "nobody"], 1u8).await);
    enters(&mut setup, "hub", nodes[0], hub);
    play(setup);
    let sent = sent.take().expect("it was called");
    let unknown = CallError::Undelivered(Undelivered::UnknownService("nobody".to_owned()));
    assert_eq!(sent.outcomes[0].as_ref().map(|sent| sent.elapsed), Ok(ms(10)));
    assert_eq!(sent.outcomes[1], Err(unknown.clone()));
    assert_eq!(sent.all(), Err(unknown));
}

#[test]
fn a_broadcast_goes_to_the_neighbours_in_the_application_graph() {
    let (mut setup, nodes) = near_and_far();
    let (hub, reached) = once(async |io| {
        let sent = io.mpi().bcast(1u8).await;
        (io.neighbours().into_iter().map(|id| io.name_of(id)).collect::<Vec<_>>(), sent.elapsed)
    });
    enters(&mut setup, "hub", nodes[0], hub);
    setup.links = Some(vec![
        AppLink { from: 2, to: 1, ordering: None },
        AppLink { from: 0, to: 2, ordering: None },
        AppLink { from: 1, to: 0, ordering: None },
    ]);
    let (report, _) = play(setup);
    assert_eq!(reached.take(), Some((vec!["far".to_owned()], ms(30))));
    let received: Vec<u64> = report.services.iter().map(|service| service.received).collect();
    assert_eq!(received, [0, 1, 0]);
}

#[test]
fn a_message_waits_for_a_receiver_of_its_type_and_of_its_sender() {
    let (mut setup, nodes) = chain([]);
    let (listener, heard) = once(async |io| {
        let mpi = io.mpi();
        let text = mpi.recv::<String>().await.map(|delivery| delivery.body);
        let second = mpi.recv::<u8>().from("second").await.map(|delivery| delivery.body);
        let first = mpi.recv::<u8>().await.map(|delivery| io.name_of(delivery.from));
        let nobody = mpi.recv::<u8>().from("nobody").await.map(|_| ());
        (text, second, first, nobody)
    });
    enters(&mut setup, "listener", nodes[0], listener);
    for (name, number) in [("first", 1u8), ("second", 2)] {
        enters(
            &mut setup,
            name,
            nodes[0],
            acts(async move |io: &ServiceIo| {
                io.mpi().send("listener", number).await?;
                io.mpi().send("listener", format!("from {}", io.name())).await?;
                Ok(Step::Stop)
            }),
        );
    }
    play(setup);
    let unknown = CallError::Undelivered(Undelivered::UnknownService("nobody".to_owned()));
    let heard = heard.take().expect("it ran");
    assert_eq!(heard, (Ok("from first".to_owned()), Ok(2), Ok("first".to_owned()), Err(unknown)));
}

#[test]
fn exchange_sends_receives_and_broadcasts_as_it_is_wired() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    // Sends, and waits for the echo of what it sent.
    let (caller, echoed) = once(async |io| {
        let sent = io.mpi().exchange().send().run(async || ("echo", "hello".to_owned())).await?;
        let heard = io.mpi().exchange().receive::<String>().run(async |text| text.body).await?;
        Ok::<_, CallError>((sent.elapsed, heard, io.now()))
    });
    // Receives and answers; then receives and tells everybody; then tells everybody unasked.
    let (echo, told) = once(async |io| {
        let exchange = || io.mpi().exchange();
        let echo = exchange().receive::<String>().send();
        echo.run(|text| async move { (text.from, format!("echo: {}", text.body)) }).await?;
        let all = exchange().receive::<u8>().timeout(ms(500)).broadcast();
        let answered = all.run(|number| async move { u16::from(number.body) }).await?;
        let unasked = exchange().broadcast().run(async || 8u16).await;
        let nothing = exchange().receive::<u64>().timeout(ms(5)).run(async |_| ()).await;
        Ok::<_, CallError>((answered.outcomes.len(), unasked.outcomes.len(), nothing))
    });
    let (talker, heard) = once(async |io| {
        io.sleep(ms(100)).await;
        io.mpi().send("echo", 7u8).await?;
        let first = io.mpi().recv::<u16>().await?.body;
        let second = io.mpi().recv::<u16>().await?.body;
        Ok::<_, CallError>((first, second, io.now()))
    });
    enters(&mut setup, "caller", nodes[0], caller);
    enters(&mut setup, "echo", nodes[1], echo);
    enters(&mut setup, "talker", nodes[0], talker);
    play(setup);
    assert_eq!(echoed.take(), Some(Ok((ms(10), "echo: hello".to_owned(), at_ms(20)))));
    let timed_out = Err(CallError::TimedOut { what: "u64".to_owned(), waited: ms(5) });
    assert_eq!(told.take(), Some(Ok((2, 2, timed_out))));
    // Sent at 100 ms, there at 110, back at 120; the next broadcast sets out then and takes 10 ms.
    assert_eq!(heard.take(), Some(Ok((7, 8, at_ms(130)))));
}

#[test]
fn a_message_that_nobody_awaits_has_its_outcome_all_the_same() {
    let (mut setup, nodes) =
        chain([Link::new(ms(1)), Link { loss: Probability::ALWAYS, ..Link::new(ms(1)) }, Link::new(ms(1))]);
    let talks = acts(async |io: &ServiceIo| {
        for name in ["near", "far", "nobody"] {
            drop(io.mpi().send(name, ()));
        }
        Ok(Step::Stop)
    });
    enters(&mut setup, "talker", nodes[0], talks);
    enters(&mut setup, "near", nodes[1], listens());
    enters(&mut setup, "far", nodes[2], listens());
    let (report, _) = play(setup);
    let of = |kind| report.outcomes.get(&(Interface::Mpi, kind)).copied();
    assert_eq!(of(OutcomeKind::Ack), Some(1));
    assert_eq!(of(OutcomeKind::Lost), Some(1));
    assert_eq!(of(OutcomeKind::Undelivered), Some(1));
    assert!(report.unfinished.is_empty());
}

#[test]
fn an_inbox_holds_65536_messages_and_returns_what_comes_beyond() {
    const LIMIT: u64 = 65_536;
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "hoarder", nodes[1], listens());
    let (talker, last) = once(async |io| {
        for _ in 0..LIMIT {
            drop(io.mpi().send("hoarder", ()));
        }
        (io.mpi().send("hoarder", ()).await, io.now())
    });
    enters(&mut setup, "talker", nodes[0], talker);
    let (report, _) = play(setup);
    let full = CallError::Undelivered(Undelivered::InboxFull { to: "hoarder".to_owned() });
    assert_eq!(last.take(), Some((Err(full), at_ms(20))), "the notice has its way back to go");
    assert_eq!(report.services[0].received, LIMIT);
    assert_eq!(report.outcomes.get(&(Interface::Mpi, OutcomeKind::Ack)), Some(&LIMIT));
    assert_eq!(report.outcomes.get(&(Interface::Mpi, OutcomeKind::Undelivered)), Some(&1));
}

#[test]
fn a_body_without_a_size_is_undelivered_and_counted_as_such() {
    let (mut setup, nodes) = chain([]);
    let (talker, sent) = once(async |io| io.mpi().send("listener", Unspeakable).await);
    enters(&mut setup, "talker", nodes[0], talker);
    enters(&mut setup, "listener", nodes[0], listens());
    let (report, _) = play(setup);
    assert!(matches!(
        sent.take(),
        Some(Err(CallError::Undelivered(Undelivered::Unserialisable { to, .. }))) if to == "listener"
    ));
    assert_eq!((report.traffic.sent, report.traffic.undelivered), (1, 1));
    assert_eq!(report.outcomes.get(&(Interface::Mpi, OutcomeKind::Undelivered)), Some(&1));
}

#[test]
fn a_body_without_a_size_that_is_told_and_forgotten_is_counted_too() {
    let (mut setup, nodes) = chain([]);
    let (talker, told) = once(async |io| io.mpi().tell("listener", Unspeakable));
    enters(&mut setup, "talker", nodes[0], talker);
    enters(&mut setup, "listener", nodes[0], listens());
    let (report, _) = play(setup);
    assert!(matches!(told.take(), Some(Err(Undelivered::Unserialisable { to, .. })) if to == "listener"));
    assert_eq!((report.traffic.sent, report.traffic.undelivered), (1, 1));
    assert_eq!(report.outcomes.get(&(Interface::Mpi, OutcomeKind::Undelivered)), Some(&1));
}
