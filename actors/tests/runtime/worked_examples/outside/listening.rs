//! Events heard for a while.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::StreamExt;
use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::interfaces::events::{ListenError, Listener, SUBSCRIPTIONS_LIMIT};
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::Report;
use rehearsal_actors::simulation::{Cast, ServiceSpec};
use rehearsal_actors::supervision::{ChildSpec, Strategy, Supervisor};
use rehearsal_actors::topology::Link;
use serde::Serialize;
use serde_json::{Value, json};

use crate::common::cast::{acts, chain, enters, once};
use crate::common::story::play_unheard;
use crate::common::{at_ms, ms};

fn count(report: &Report, kind: OutcomeKind) -> u64 {
    report.outcomes.get(&(Interface::Event, kind)).copied().unwrap_or_default()
}

/// Emits `tick` with a number, ten times from 5 ms on, every ten milliseconds.
fn ticks() -> Cast {
    acts(async |io: &ServiceIo| {
        for number in 0..10u32 {
            io.sleep_until(at_ms(5 + 10 * u64::from(number))).await;
            io.events().emit("clock.tick", number)?;
        }
        Ok(Step::Stop)
    })
}

/// All that a listener hears until nothing more comes for a second.
async fn all(io: &ServiceIo, listener: &mut Listener) -> Vec<Value> {
    let mut heard = Vec::new();
    loop {
        let deadline = Box::pin(io.sleep(ms(1000)));
        let next = Box::pin(listener.recv());
        match futures_util::future::select(next, deadline).await {
            futures_util::future::Either::Left((Some(event), _)) => heard.push(event.body),
            _ => return heard,
        }
    }
}

#[test]
fn a_service_hears_from_when_it_listens_until_it_drops_the_listener() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "ticks", nodes[0], ticks());
    let (listener, heard) = once(async |io| {
        io.sleep_until(at_ms(30)).await;
        let mut listener = io.events().listen("clock.*").expect("it is a pattern");
        let mut heard = Vec::new();
        while io.now() < at_ms(60) {
            let event = listener.recv().await.expect("it lives");
            assert_eq!((event.topic.as_str(), io.name_of(event.from).as_str()), ("clock.tick", "ticks"));
            assert_eq!(io.now(), event.sent_at + ms(10), "it pays for its way");
            heard.push(event.body);
        }
        assert_eq!((listener.waiting(), listener.dropped()), (0, 0));
        heard
    });
    enters(&mut setup, "listener", nodes[1], listener);
    let report = play_unheard(setup);
    // Emitted at 35, 45 and 55 ms; the last one arrives at 65.
    assert_eq!(heard.take(), Some(vec![json!(3), json!(4), json!(5)]));
    // That of 65 ms, which set out in the instant at which the listener was dropped, before it was.
    let sent = count(&report, OutcomeKind::Ack);
    assert!((3..=4).contains(&sent), "{sent}");
    assert!(report.ended_well());
}

#[test]
fn who_listens_twice_and_has_a_handler_is_told_once_and_hears_thrice() {
    #[derive(Clone, Default)]
    struct Both(Rc<RefCell<Vec<String>>>);
    impl Both {
        async fn hear(self: Rc<Self>, _: ServiceIo, event: Event<u32>) -> Result<(), StepError> {
            self.0.borrow_mut().push(format!("handler {}", event.body));
            Ok(())
        }
    }
    impl Service for Both {
        fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
            subscriptions.on("clock.tick", Both::hear);
        }
        async fn step(&self, io: &ServiceIo) -> StepResult {
            let mut any = io.events().listen("#")?;
            let other = io.events().listen("clock.*")?;
            let deaf = io.events().listen("tick")?;
            let heard = all(io, &mut any).await;
            self.0.borrow_mut().push(format!(
                "any {}, other {}, deaf {}",
                heard.len(),
                other.waiting(),
                deaf.waiting()
            ));
            Ok(Step::Stop)
        }
    }
    let (mut setup, nodes) = chain([]);
    let both = Both::default();
    enters(&mut setup, "both", nodes[0], Cast::service(both.clone()));
    enters(&mut setup, "ticks", nodes[0], ticks());
    let report = play_unheard(setup);
    let heard = both.0.take();
    assert_eq!((heard.len(), heard[0].as_str()), (11, "handler 0"));
    assert_eq!(heard[10], "any 10, other 10, deaf 0");
    assert_eq!((count(&report, OutcomeKind::Ack), report.traffic.delivered), (10, 10));
}

#[test]
fn what_nobody_takes_is_kept_up_to_a_bound_and_the_oldest_goes_first() {
    #[derive(Clone, Serialize)]
    struct NoJson(std::collections::BTreeMap<(u8, u8), u8>);

    let (mut setup, nodes) = chain([]);
    enters(&mut setup, "ticks", nodes[0], ticks());
    let (listener, heard) = once(async |io| {
        let mut listener = io.events().listen_keeping(3, "#").expect("it is a pattern");
        io.sleep_until(at_ms(200)).await;
        assert_eq!((listener.waiting(), listener.dropped()), (3, 7));
        let body = NoJson([((1, 2), 3)].into());
        assert_eq!(io.events().emit("clock.odd", body), Ok(1), "it has a size, and no JSON");
        io.sleep(ms(1)).await;
        assert_eq!(listener.dropped(), 8);
        [listener.next().await, listener.next().await, listener.next().await].map(|event| event.map(|event| event.body))
    });
    enters(&mut setup, "listener", nodes[0], listener);
    play_unheard(setup);
    assert_eq!(heard.take(), Some([7, 8, 9].map(|number| Some(json!(number)))));
}

#[test]
fn listening_ends_with_the_life_and_the_next_life_begins_anew() {
    let (mut setup, nodes) = chain([]);
    enters(&mut setup, "ticks", nodes[0], ticks());
    let lives = Rc::new(RefCell::new(Vec::new()));
    let kept: Rc<RefCell<Vec<Listener>>> = Rc::default();
    let (noted, keeps) = (lives.clone(), kept.clone());
    let listens = move || {
        let (lives, kept) = (noted.clone(), keeps.clone());
        acts(async move |io: &ServiceIo| {
            if lives.borrow().is_empty() {
                // One that outlives the service hears nothing any more.
                kept.borrow_mut().push(io.events().listen("#")?);
            }
            lives.borrow_mut().push(0);
            let mut listener = io.events().listen("clock.tick")?;
            while listener.recv().await.is_some() {
                *lives.borrow_mut().last_mut().expect("it was pushed") += 1;
            }
            Ok(Step::Stop)
        })
    };
    setup.services.push(ServiceSpec::restartable("listener", nodes[0], listens));
    let kill = Change::Kill(ServiceId::at(1));
    setup.changes.push(ScheduledChange { at: at_ms(50), change: kill });
    play_unheard(setup);
    assert_eq!(*lives.borrow(), [5, 5]);
    let mut left = kept.take();
    assert_eq!(left[0].waiting(), 5);
    for _ in 0..5 {
        assert!(futures_util::FutureExt::now_or_never(left[0].recv()).flatten().is_some());
    }
    assert!(matches!(futures_util::FutureExt::now_or_never(left[0].recv()), Some(None)), "its life is over");
}

#[test]
fn a_service_that_is_to_end_need_not_wait_for_what_it_listens_to() {
    let (mut setup, nodes) = chain([]);
    let listens = || {
        acts(async |io: &ServiceIo| {
            io.events().listen("#")?.recv().await;
            Ok(Step::Stop)
        })
    };
    setup.services.push(ServiceSpec::restartable("listener", nodes[0], listens));
    let fails = || {
        acts(async |io: &ServiceIo| {
            io.sleep(ms(20)).await;
            if io.now() < at_ms(30) { Err(StepError::new("once").fatal()) } else { Ok(Step::Stop) }
        })
    };
    setup.services.push(ServiceSpec::restartable("fails", nodes[0], fails));
    let children = vec![ChildSpec::service(0), ChildSpec::service(1)];
    setup.supervision = Some(Supervisor { strategy: Strategy::OneForAll, children, ..Supervisor::new("root") });
    let report = play_unheard(setup);
    assert_eq!(report.services[0].incarnation, 2);
    assert!(report.ended_at < at_ms(1000), "{:?}: it was not waited for", report.ended_at);
}

#[test]
fn patterns_that_are_none_and_too_many_listeners_are_refused() {
    let (mut setup, nodes) = chain([]);
    let (listener, refused) = once(async |io| {
        let listening: Vec<_> = (0..SUBSCRIPTIONS_LIMIT).map(|_| io.events().listen("a")).collect();
        assert!(listening.iter().all(Result::is_ok));
        let refused = [io.events().listen("a").err(), io.events().listen("a*").err()];
        drop(listening);
        assert!(io.events().listen("a").is_ok());
        refused
    });
    enters(&mut setup, "listener", nodes[0], listener);
    play_unheard(setup);
    let [too_many, no_pattern] = refused.take().expect("it tried");
    assert_eq!(too_many, Some(ListenError::TooMany));
    assert!(matches!(no_pattern, Some(ListenError::Pattern(_))));
}
