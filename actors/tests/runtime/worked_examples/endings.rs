//! How runs end, and what the books say then.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rehearsal_actors::changes::{Change, Policy, ScheduledChange};
use rehearsal_actors::interfaces::mpi::Sending;
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::{Ending, Report};
use rehearsal_actors::simulation::{Cast, LinkModel, Progress, Setup, StartError, run};
use rehearsal_actors::supervision::{ChildSpec, Supervisor};
use rehearsal_actors::topology::{Link, Node, Topology};
use rehearsal_actors::trace::ServiceId;
use rehearsal_actors::units::Probability;

use crate::common::cast::{acts, chain, enters, listens};
use crate::common::story::{play, play_unheard};
use crate::common::{at_ms, ms};

/// Every message is accounted for, and every request once.
fn check_books(report: &Report) {
    let t = report.traffic;
    assert_eq!(t.sent, t.delivered + t.lost + t.undelivered + t.in_flight, "{t:?}");
    let ended: u64 = report.outcomes.values().sum();
    let open: u64 = report.unfinished.values().sum();
    assert_eq!(t.sent, ended + open, "{:?}, {:?}", report.outcomes, report.unfinished);
}

/// Says goodbye when it ends.
struct Polite;

impl Service for Polite {
    fn stop(&self, io: &ServiceIo) {
        io.mpi().tell("listener", 1u8).expect("it is a neighbour");
        drop(io.mpi().send("listener", 2u8));
    }
}

#[test]
fn what_services_send_when_they_are_stopped_is_accounted_for() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "polite", nodes[0], Cast::service(Polite));
    enters(&mut setup, "listener", nodes[1], listens());
    let (report, _) = play(setup);
    let t = report.traffic;
    assert_eq!((t.sent, t.delivered, t.in_flight), (2, 0, 2));
    assert_eq!(report.unfinished.get(&Interface::Mpi), Some(&1), "the one that was told needs no answer");
}

#[test]
fn a_lost_message_whose_sender_has_yet_to_look_is_one_open_request_when_the_run_ends() {
    let lossy = Link { loss: Probability::ALWAYS, ..Link::new(ms(10)) };
    let (mut setup, nodes) = chain([lossy]);
    setup.until = Some(at_ms(50));
    let late = acts(async |io: &ServiceIo| {
        let sending = io.mpi().send("listener", 1u8);
        io.sleep(ms(1000)).await;
        sending.await?;
        Ok(Step::Stop)
    });
    enters(&mut setup, "late", nodes[0], late);
    enters(&mut setup, "listener", nodes[1], listens());
    let (report, _) = play(setup);
    check_books(&report);
}

#[test]
fn a_sender_may_keep_what_it_sent_beyond_the_end() {
    let kept: Rc<RefCell<Vec<Sending>>> = Rc::default();
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let place = kept.clone();
    let keeps = acts(async move |io: &ServiceIo| {
        place.borrow_mut().push(io.mpi().send("listener", 1u8));
        Ok(Step::Stop)
    });
    enters(&mut setup, "keeps", nodes[0], keeps);
    enters(&mut setup, "listener", nodes[1], listens());
    let (report, _) = play(setup);
    check_books(&report);
    assert_eq!(report.outcomes.get(&(Interface::Mpi, OutcomeKind::Ack)), Some(&1));
    drop(kept);
}

#[test]
fn steps_that_take_no_time_at_a_period_of_none_are_noticed() {
    let (mut setup, nodes) = chain([]);
    enters(&mut setup, "restless", nodes[0], acts(async |_| Ok(Step::Continue)));
    setup.services[0].step_every = Some(SimDuration::ZERO);
    let report = play_unheard(setup);
    assert_eq!(report.ending, Ending::Stuck { service: "restless".to_owned(), at: at_ms(0) });
}

#[test]
fn a_service_that_sleeps_for_no_time_again_and_again_is_noticed() {
    let (mut setup, nodes) = chain([]);
    let dozes = acts(async |io: &ServiceIo| {
        loop {
            io.sleep(SimDuration::ZERO).await;
        }
    });
    enters(&mut setup, "dozes", nodes[0], dozes);
    let report = play_unheard(setup);
    assert_eq!(report.ending, Ending::Stuck { service: "dozes".to_owned(), at: at_ms(0) });
}

#[test]
fn sizes_and_counts_beyond_all_measure_do_not_end_the_run() {
    for model in [LinkModel::RouteCost, LinkModel::Queued] {
        let vast = Link { queue_limit: Bytes(u64::MAX), ..Link::new(ms(10)) };
        let (mut setup, nodes) = chain([vast]);
        setup.model = model;
        for name in ["one", "other"] {
            let boasts = acts(async |io: &ServiceIo| {
                let sent = io.mpi().send_sized("listener", 1u8, Bytes(u64::MAX)).await;
                io.count("stars", u64::MAX);
                io.count("stars", 1);
                sent?;
                Ok(Step::Stop)
            });
            enters(&mut setup, name, nodes[0], boasts);
        }
        enters(
            &mut setup,
            "listener",
            nodes[1],
            acts(async |io: &ServiceIo| {
                io.mpi().recv::<u8>().no_timeout().await?;
                Ok(Step::Continue)
            }),
        );
        let report = play_unheard(setup);
        assert_eq!(report.panics, []);
        assert_eq!((report.traffic.delivered, report.traffic.bytes), (2, u64::MAX));
        assert_eq!(report.counters.get("stars"), Some(&u64::MAX));
    }
}

#[test]
fn a_latency_of_centuries_does_not_end_the_run() {
    for latency in [u64::MAX / 2, u64::MAX] {
        let (mut setup, nodes) = chain([Link::new(SimDuration::from_nanos(latency))]);
        let patient = acts(async |io: &ServiceIo| {
            io.mpi().tell("listener", 1u8)?;
            Ok(Step::Stop)
        });
        enters(&mut setup, "patient", nodes[0], patient);
        enters(&mut setup, "listener", nodes[1], listens());
        let report = play_unheard(setup);
        assert_eq!((report.traffic.delivered, report.ending), (1, Ending::Quiescent));
    }
}

#[test]
fn a_way_may_have_more_links_than_sixteen_bits_count() {
    let links = 66_000;
    let mut topology = Topology::new();
    let mut last = topology.add_node(Node::new("0")).expect("names differ");
    let first = last;
    for i in 1..=links {
        let next = topology.add_node(Node::new(i.to_string())).expect("names differ");
        topology.add_link(last, next, Link::new(SimDuration::from_nanos(1))).expect("links differ");
        last = next;
    }
    let mut setup = Setup::new(1, topology);
    setup.model = LinkModel::Queued;
    let caller = acts(async |io: &ServiceIo| {
        io.mpi().tell("listener", 1u8)?;
        Ok(Step::Stop)
    });
    enters(&mut setup, "caller", first, caller);
    enters(&mut setup, "listener", last, listens());
    let report = play_unheard(setup);
    assert_eq!((report.traffic.delivered, report.ended_at), (1, SimTime::from_nanos(links)));
}

#[test]
fn changes_to_what_is_not_there_are_refused_at_the_start() {
    let (other, others) = chain([Link::new(ms(1)), Link::new(ms(1))]);
    let foreign = other.topology.link_between(others[1], others[2]).expect("it was added");
    let changes = [
        Change::NodeDown(others[2]),
        Change::LinkDown(foreign),
        Change::Latency(foreign, ms(1)),
        Change::NodeCrash(others[2]),
        Change::Partition { left: vec![others[0]], right: vec![others[2]] },
        // The only service stands at position 0.
        Change::Kill(ServiceId::at(1)),
    ];
    for change in changes {
        let refused = refused(|setup| setup.changes.push(ScheduledChange { at: at_ms(0), change }));
        assert!(matches!(refused, StartError::OutOfRange { .. }), "{refused:?}");
    }
    let services = vec![ServiceId::at(0), ServiceId::at(1)];
    let kill = Policy::Kill { every: ms(1), chance: Probability::ALWAYS, services };
    assert!(matches!(refused(|setup| setup.policies.push(kill)), StartError::OutOfRange { index: 1, count: 1, .. }));
}

#[test]
fn whoever_would_kill_a_supervisor_must_know_its_name() {
    let kill = |name: &str| ScheduledChange { at: at_ms(0), change: Change::KillSupervisor(name.to_owned()) };
    for name in ["root", "below", "beside"] {
        let (mut setup, nodes) = chain([Link::new(ms(10))]);
        enters(&mut setup, "listener", nodes[0], listens());
        let mut root = Supervisor::new("root");
        root.children = vec![ChildSpec::service(0), ChildSpec::supervisor(Supervisor::new("below"))];
        setup.supervision = Some(root);
        setup.changes.push(kill(name));
        match run(setup, None, Default::default()) {
            Ok(_) => assert_ne!(name, "beside"),
            Err(refused) => assert!(matches!(&refused, StartError::UnknownSupervisor(unknown) if unknown == "beside")),
        }
    }
    assert!(matches!(refused(|setup| setup.changes.push(kill("root"))), StartError::UnknownSupervisor(_)));
}

/// What is said of two nodes with one service on them that are given this besides.
fn refused(add: impl FnOnce(&mut Setup)) -> StartError {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "listener", nodes[0], listens());
    add(&mut setup);
    run(setup, None, Default::default()).expect_err("it contradicts itself")
}

/// Cannot be registered.
struct Twofold;

impl Service for Twofold {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        async fn answer(_: Rc<Twofold>, _: ServiceIo, _: rehearsal_actors::interfaces::rest::Request) {}
        endpoints.get("/", answer).get("/", answer);
    }
}

#[test]
fn a_run_that_cannot_begin_leaves_nothing_behind() {
    let held = Rc::new(());
    let (mut setup, nodes) = chain([]);
    let own = held.clone();
    enters(
        &mut setup,
        "holder",
        nodes[0],
        acts(async move |_| {
            let _own = &own;
            Ok(Step::Stop)
        }),
    );
    enters(&mut setup, "twofold", nodes[0], Cast::service(Twofold));
    assert!(matches!(run(setup, None, Default::default()), Err(StartError::BadEndpoint { .. })));
    assert_eq!(Rc::strong_count(&held), 1);
}

#[test]
fn a_run_in_which_nothing_happens_but_changes_can_be_interrupted() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let flap = Probability::new(0.5).expect("a half is a probability");
    let every = SimDuration::from_nanos(1);
    setup.policies.push(Policy::Flap { every, down: flap, up: flap, nodes: true, links: false });
    let sleeper = acts(async |io: &ServiceIo| {
        io.sleep(SimDuration::from_secs(u64::MAX)).await;
        Ok(Step::Stop)
    });
    enters(&mut setup, "sleeper", nodes[0], sleeper);
    let progress = Arc::new(Progress::default());
    progress.interrupt.store(true, Relaxed);
    let report = run(setup, None, progress).expect("the setup is sound");
    assert_eq!(report.ending, Ending::Interrupted);
}
