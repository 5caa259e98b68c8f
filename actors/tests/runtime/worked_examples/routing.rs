//! Which way raw messages go: by way of other machines, to directories, and with what standing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use rehearsal_actors::interfaces::raw::{Draft, Handling, HandlingResult, Msg, PING};
use rehearsal_actors::interfaces::{CallError, Declined};
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::prelude::*;
use rehearsal_actors::router::{Address, HOP_LIMIT, KnownDirectory, MachineId, Standing};
use rehearsal_actors::simulation::{AppLink, Cast, ServiceSpec, Setup, StartError, run};
use rehearsal_actors::topology::Link;

use super::raw::{AddOne, add_one, address, outcomes, text, told, undelivered};
use crate::common::cast::{chain, enters, once};
use crate::common::story::{Event, play};
use crate::common::{at_ms, ms};

/// Deliveries of raw messages, as (at, from, to).
fn deliveries(events: &[Event]) -> Vec<(SimTime, usize, usize)> {
    let raw = |event: &Event| match *event {
        Event::Delivery { at, from, to, interface: Interface::Raw, .. } => Some((at, from, to)),
        _ => None,
    };
    events.iter().filter_map(raw).collect()
}

/// Nodes a to d in a chain; `fred` on c, `asker` on a. The routers are 2 to 5.
fn far_apart(asker: Cast) -> Setup {
    let (mut setup, nodes) = chain([5, 7, 11].map(|latency| Link::new(ms(latency))));
    enters(&mut setup, "fred", nodes[2], Cast::service(AddOne::default()));
    enters(&mut setup, "asker", nodes[0], asker);
    setup
}

#[test]
fn a_message_told_its_way_pays_for_each_hop_and_its_reply_comes_back_straight() {
    let router = |machine| Address::local_inter_machine_router(MachineId(machine));
    let (asker, seen) = once(async move |io: &ServiceIo| {
        let reply = io.raw().request(add_one("2:0:2").via(router(3)).via(router(1))).await;
        (told(reply), io.now())
    });
    let (report, events) = play(far_apart(asker));
    // a to d: 5 + 7 + 11 = 23; d to b: 11 + 7 = 18; b to c: 7; and c to a: 12.
    assert_eq!(seen.take(), Some((Ok(text("ADD_ONE", 42)), at_ms(23 + 18 + 7 + 12))));
    let hops = [(at_ms(23), 1, 5), (at_ms(41), 5, 3), (at_ms(48), 3, 0), (at_ms(60), 0, 1)];
    assert_eq!(deliveries(&events), hops);
    assert_eq!(outcomes(&report), BTreeMap::from([(OutcomeKind::Reply, 1)]));
}

#[test]
fn a_gateway_takes_all_that_is_for_other_machines_and_forgotten_messages_end_once() {
    let (asker, _) = once(async |io| io.raw().send(add_one("2:0:2")).map(|_| io.raw().send(add_one("2:0:9"))));
    let mut setup = far_apart(asker);
    setup.routing.gateways.insert(0, 3);
    let (report, events) = play(setup);
    // Both by way of d; the first is answered straight, the second found to be for nobody.
    let hops = [(at_ms(23), 1, 5), (at_ms(23), 1, 5), (at_ms(34), 5, 0), (at_ms(46), 0, 1)];
    assert_eq!(deliveries(&events), hops);
    assert_eq!(outcomes(&report), BTreeMap::from([(OutcomeKind::Ack, 1), (OutcomeKind::Undelivered, 1)]));
    let undelivered = events.iter().find_map(|event| match event {
        Event::Outcome { at, kind: OutcomeKind::Undelivered, from, elapsed, .. } => Some((*at, *from, *elapsed)),
        _ => None,
    });
    // The notice goes straight back from c, 12 ms.
    assert_eq!(undelivered, Some((at_ms(46), 1, ms(46))));
}

#[test]
fn gateways_in_a_circle_give_up_after_as_many_hops_as_there_may_be() {
    let (asker, seen) = once(async |io| (told(io.raw().request(add_one("2:0:2")).await), io.now()));
    let mut setup = far_apart(asker);
    setup.routing.gateways.extend([(0, 1), (1, 0)]);
    let (report, events) = play(setup);
    let round = Err(Undelivered::TooManyHops { to: "2:0:2".to_owned() }.into());
    // The hop that is one too many, 5 ms as all of them, is refused at b, which is 5 ms away.
    let hops = u64::from(HOP_LIMIT) + 1;
    assert_eq!(seen.take(), Some((round, at_ms(5 * hops + 5))));
    assert_eq!(deliveries(&events).len(), usize::from(HOP_LIMIT));
    assert_eq!(outcomes(&report), BTreeMap::from([(OutcomeKind::Undelivered, 1)]));
}

#[test]
fn a_router_that_cannot_send_a_message_on_says_so_to_who_wrote_it() {
    let router = |machine| Address::local_inter_machine_router(MachineId(machine));
    let (asker, seen) = once(async move |io: &ServiceIo| {
        let mut seen = Vec::new();
        for draft in
            [add_one("9:0:2").via(router(1)), add_one("2:0:2").via(address("1:0:2")), add_one("0:0:7").via(router(1))]
        {
            seen.push((told(io.raw().request(draft).await), io.now()));
        }
        seen
    });
    play(far_apart(asker));
    // From b; at once, as that is no inter-machine router; and from a itself, where the message came
    // back to.
    let [nowhere, no_router, nobody] = ["9:0:2", "1:0:2", "0:0:7"].map(|to| Err(undelivered(to)));
    assert_eq!(seen.take(), Some(vec![(nowhere, at_ms(10)), (no_router, at_ms(10)), (nobody, at_ms(20))]));
}

#[test]
fn an_application_link_is_needed_to_ask_by_whatever_way_and_not_to_answer() {
    let (asker, seen) = once(async |io| {
        let via = Address::local_inter_machine_router(MachineId(1));
        let mut seen = Vec::new();
        for draft in [add_one("2:0:2"), add_one("2:0:2").via(via), add_one("0:0:2"), add_one("0:0:2").via(via)] {
            seen.push(told(io.raw().request(draft).await));
        }
        seen
    });
    let mut setup = far_apart(asker);
    setup.links = Some(vec![AppLink { from: 1, to: 0, ordering: None }]);
    // The asker itself has 0:0:2, and may always speak to itself.
    let (report, _) = play(setup);
    let dnu = || {
        let (by, what, reason) = ("0:0:2".to_owned(), "ADD_ONE".to_owned(), "it does not know the subject".to_owned());
        Err(CallError::NotUnderstood(Box::new(Declined { by, what, reason })))
    };
    let fine = || Ok(text("ADD_ONE", 42));
    assert_eq!(seen.take(), Some(vec![fine(), fine(), dnu(), dnu()]));
    assert_eq!(outcomes(&report).get(&OutcomeKind::Undelivered), None);
}

#[test]
fn without_an_application_link_a_message_does_not_set_out() {
    let (asker, seen) = once(async |io| {
        let via = Address::local_inter_machine_router(MachineId(1));
        let straight = told(io.raw().request(add_one("2:0:2")).await);
        (straight, io.raw().send(add_one("2:0:2").via(via)).map(|_| ()), io.now())
    });
    let mut setup = far_apart(asker);
    setup.links = Some(Vec::new());
    let (report, _) = play(setup);
    let no_link = || Undelivered::NotANeighbour { from: "asker".to_owned(), to: "fred".to_owned() };
    assert_eq!(seen.take(), Some((Err(no_link().into()), Err(no_link()), at_ms(0))));
    assert_eq!(outcomes(&report), BTreeMap::from([(OutcomeKind::Undelivered, 2)]));
}

#[test]
fn the_hub_of_a_machine_is_its_directory_and_else_one_that_everybody_knows() {
    /// Becomes the hub after 10 ms.
    struct Hub;
    impl Service for Hub {
        async fn step(&self, io: &ServiceIo) -> StepResult {
            io.sleep(ms(10)).await;
            io.raw().become_local_hub_directory();
            Ok(Step::Stop)
        }
    }
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "hub", nodes[0], Cast::service(Hub));
    let (asker, seen) = once(async |io| {
        let before = io.directory_address();
        io.sleep(ms(20)).await;
        let all: Vec<String> = io.known_directories().iter().map(Address::to_string).collect();
        let hub = io.directory_address().expect("there are two");
        let ping = io.raw().request(Draft::new(hub, PING)).await.map(|reply| reply.from.to_string());
        (before.map(|address| address.to_string()), all, ping)
    });
    enters(&mut setup, "asker", nodes[0], asker);
    setup.routing.directories = vec![KnownDirectory::At(address("1:0:9")), KnownDirectory::Service(0)];
    play(setup);
    // The hub is there once, though everybody knows it by its service too.
    let all = ["0:LocalHubDirectory", "1:0:9"].map(str::to_owned).to_vec();
    // A reply comes from the connection itself.
    assert_eq!(seen.take(), Some((Some("1:0:9".to_owned()), all, Ok("0:0:2".to_owned()))));
}

#[test]
fn the_standing_of_a_sender_is_what_its_declaration_says_whatever_it_writes() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let (asker, _) = once(async |io| {
        let boast = Draft::new(address("0:0:3"), "LET_ME_IN").meta("permissions", "everything");
        io.raw().send(boast).map(|_| ())
    });
    let asker = ServiceSpec::new("asker", nodes[0], asker);
    let (vnets, permissions) = ([("game".to_owned())].into(), ["look".to_owned()].into());
    setup.services.push(ServiceSpec { vnets, permissions, ..asker });
    struct Guard(Rc<RefCell<Vec<String>>>);
    impl Service for Guard {
        async fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> HandlingResult {
            let Standing { vnets, permissions } = msg.standing().clone();
            self.0.borrow_mut().extend(vnets.into_iter().chain(permissions).chain([io.name_of(msg.sender())]));
            Ok(Handling::Done)
        }
    }
    let seen = Rc::new(RefCell::new(Vec::new()));
    enters(&mut setup, "guard", nodes[0], Cast::service(Guard(seen.clone())));
    play(setup);
    assert_eq!(seen.take(), ["game", "look", "asker"]);
}

#[test]
fn gateways_and_directories_must_be_there() {
    let (mut setup, _) = chain([Link::new(ms(10))]);
    setup.routing.gateways.insert(0, 2);
    let what = "a gateway or its machine";
    assert!(
        matches!(run(setup, None, Default::default()), Err(StartError::OutOfRange { what: w, index: 2, count: 2 }) if w == what)
    );
    let (mut setup, _) = chain([Link::new(ms(10))]);
    setup.routing.directories.push(KnownDirectory::Service(0));
    let what = "a directory";
    assert!(
        matches!(run(setup, None, Default::default()), Err(StartError::OutOfRange { what: w, index: 0, count: 0 }) if w == what)
    );
}
