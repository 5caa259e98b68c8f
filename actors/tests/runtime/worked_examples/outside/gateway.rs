//! How a gateway is made to end by its supervisor, and what that means to whoever is inside.

use std::future::pending;

use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::outside::{Entrance, EntranceError, Gateway};
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup};
use rehearsal_actors::supervision::{ChildSpec, Strategy, Supervisor};

use crate::common::cast::{chain, enters, listens, once};
use crate::common::ms;
use crate::common::story::play_unheard;

fn at(millis: u64) -> SimTime {
    SimTime::ZERO + ms(millis)
}

/// A gateway and its partner, which is killed after a second: both are restarted, the gateway in an orderly
/// way, for which it has five seconds. The driver, which comes third, is none of their business.
fn stage(entrance: &Entrance, driver: Cast) -> Setup {
    let (mut setup, nodes) = chain([]);
    setup.services.push(Gateway::at("gateway", nodes[0], entrance));
    setup.services.push(ServiceSpec::restartable("partner", nodes[0], listens));
    enters(&mut setup, "driver", nodes[0], driver);
    let pair = Supervisor {
        strategy: Strategy::OneForAll,
        children: vec![ChildSpec::service(0), ChildSpec::service(1)],
        ..Supervisor::new("pair")
    };
    let children = vec![ChildSpec::supervisor(pair), ChildSpec::service(2)];
    setup.supervision = Some(Supervisor { children, ..Supervisor::new("root") });
    setup.changes.push(ScheduledChange { at: at(1000), change: Change::Kill(ServiceId::at(1)) });
    setup.until = Some(at(20_000));
    setup
}

#[test]
fn a_gateway_with_nobody_inside_ends_at_once_when_its_supervisor_wants_it_to() {
    let entrance = Entrance::new();
    let door = entrance.clone();
    let (driver, seen) = once(async move |io| {
        // Somebody who listens is nobody to wait for.
        let listening = door.linger(async |_| pending::<()>().await);
        io.sleep_until(at(999)).await;
        let before = door.enter(async |io| io.now()).await;
        io.sleep_until(at(1001)).await;
        let after = door.enter(async |io| io.now()).await;
        (before, listening.await, after)
    });
    let report = play_unheard(stage(&entrance, driver));
    assert!(report.ended_well(), "{:?}", report.panics);
    let (before, listening, after) = seen.take().expect("it is over");
    assert_eq!((before, listening), (Ok(at(999)), Err(EntranceError::Interrupted)));
    assert_eq!((after, report.services[0].incarnation), (Ok(at(1001)), 2), "in its second life");
}

#[test]
fn whoever_is_inside_may_finish_and_whoever_comes_meanwhile_is_turned_away() {
    let entrance = Entrance::new();
    let door = entrance.clone();
    let (driver, seen) = once(async move |io| {
        let slow = door.enter(async |io| {
            io.sleep_until(at(1800)).await;
            io.now()
        });
        io.sleep_until(at(1500)).await;
        let late = door.enter(async |io| io.now()).await;
        let slow = slow.await;
        io.sleep_until(at(1801)).await;
        let after = door.enter(async |io| io.now()).await;
        (late, slow, after)
    });
    let report = play_unheard(stage(&entrance, driver));
    assert!(report.ended_well(), "{:?}", report.panics);
    let (late, slow, after) = seen.take().expect("it is over");
    assert_eq!((late, slow, after), (Err(EntranceError::Closed), Ok(at(1800)), Ok(at(1801))));
}

#[test]
fn whoever_takes_longer_than_the_gateway_has_is_interrupted() {
    let entrance = Entrance::new();
    let door = entrance.clone();
    let (driver, seen) = once(async move |io| {
        let endless = door.enter(async |_| pending::<()>().await);
        (endless.await, io.now())
    });
    let report = play_unheard(stage(&entrance, driver));
    assert!(report.ended_well(), "{:?}", report.panics);
    assert_eq!(seen.take().expect("it is over"), (Err(EntranceError::Interrupted), at(6000)));
}
