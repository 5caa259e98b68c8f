//! Counters that are watched while a run goes on.

use rehearsal_actors::monitors::{Limit, Monitor, MonitorReport, Rule, Violation};
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Setup, StartError, run};
use rehearsal_actors::topology::Link;

use crate::common::cast::{acts, chain, enters};
use crate::common::story::play_unheard;
use crate::common::{at_ms, ms};

/// Ships at 10 ms what is paid for in the same instant, and at 20 ms what is paid for at 30 ms.
fn a_shop_that_ships_too_soon() -> Setup {
    let (mut setup, nodes) = chain([Link::new(ms(1))]);
    let shop = acts(async |io: &ServiceIo| {
        io.sleep(ms(10)).await;
        io.count("shipped", 1);
        io.sleep(ms(0)).await;
        io.count("paid", 1);
        io.sleep(ms(10)).await;
        io.count("shipped", 1);
        io.sleep(ms(10)).await;
        io.count("paid", 1);
        Ok(Step::Stop)
    });
    enters(&mut setup, "shop", nodes[0], shop);
    setup
}

fn shipped(service: Option<ServiceId>, rule: Rule) -> Monitor {
    Monitor { counter: "shipped".to_owned(), service, rule }
}

#[test]
fn a_run_reports_when_a_counter_first_left_its_bounds_or_reached_its_goal() {
    let mut setup = a_shop_that_ships_too_soon();
    let paid = Some(Limit::Counter("paid".to_owned()));
    setup.monitors = vec![
        shipped(None, Rule::Always { at_least: None, at_most: paid.clone() }),
        shipped(None, Rule::Always { at_least: paid, at_most: Some(Limit::Number(2)) }),
        shipped(Some(ServiceId::at(0)), Rule::Eventually { at_least: 2, by: Some(at_ms(20)) }),
        shipped(None, Rule::Eventually { at_least: 3, by: Some(at_ms(25)) }),
        shipped(None, Rule::Eventually { at_least: 3, by: None }),
    ];
    let violated = |at, value, limit| MonitorReport { met_at: None, violation: Some(Violation { at, value, limit }) };
    let expected = [
        violated(at_ms(20), 2, 1),
        MonitorReport::default(),
        MonitorReport { met_at: Some(at_ms(20)), violation: None },
        violated(at_ms(25), 2, 3),
        violated(at_ms(30), 2, 3),
    ];
    assert_eq!(play_unheard(setup).monitors, expected);
}

#[test]
fn whoever_watches_changes_nothing() {
    let alone = play_unheard(a_shop_that_ships_too_soon());
    let mut setup = a_shop_that_ships_too_soon();
    setup.monitors.push(shipped(None, Rule::Eventually { at_least: 1, by: None }));
    let watched = play_unheard(setup);
    assert_eq!((alone.trace_hash, alone.counters), (watched.trace_hash, watched.counters));
}

#[test]
fn a_service_that_is_not_there_cannot_be_watched() {
    let mut setup = a_shop_that_ships_too_soon();
    setup.monitors.push(shipped(Some(ServiceId::at(1)), Rule::Eventually { at_least: 1, by: None }));
    let refused = run(setup, None, Default::default());
    assert!(matches!(refused, Err(StartError::OutOfRange { index: 1, count: 1, .. })), "{refused:?}");
}
