//! Events: who hears of what, and what it costs.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};

use rehearsal_actors::interfaces::events::EmitError;
use rehearsal_actors::interfaces::rpc::TraceId;
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::Report;
use rehearsal_actors::simulation::{AppLink, Cast, Setup, StartError, run};
use rehearsal_actors::topology::{Link, NodeId};
use rehearsal_actors::units::Probability;

use crate::common::cast::{Unspeakable, acts, chain, enters, once};
use crate::common::story::{Event as Told, play, play_unheard};
use crate::common::{at_ms, ms};

/// Topic, body, sender, time, chain.
type Heard = (String, Value, String, SimTime, TraceId);

/// Notes what it hears of orders, twice what it hears of those that were placed.
#[derive(Clone, Default)]
struct Listener(Rc<RefCell<Vec<Heard>>>);

impl Listener {
    async fn note(self: Rc<Self>, io: ServiceIo, event: Event<Value>) -> Result<(), StepError> {
        let Event { topic, from, trace_id, body, .. } = event;
        assert_eq!(io.trace_id(), Some(trace_id));
        self.0.borrow_mut().push((topic, body, io.name_of(from), io.now(), trace_id));
        Ok(())
    }

    async fn note_later(self: Rc<Self>, io: ServiceIo, event: Event<Value>) -> Result<(), StepError> {
        io.sleep(ms(5)).await;
        self.note(io, event).await
    }
}

impl Service for Listener {
    fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
        subscriptions.on("order.*", Listener::note).on("*.placed", Listener::note_later);
    }
}

/// Wants a number, and fails or panics over some.
struct Picky;

impl Picky {
    async fn take(self: Rc<Self>, io: ServiceIo, event: Event<u32>) -> Result<(), StepError> {
        match event.body {
            13 => Err(StepError::new("an unlucky number")),
            666 => panic!("the devil"),
            number => {
                io.count("numbers", u64::from(number));
                Ok(())
            }
        }
    }
}

impl Service for Picky {
    fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
        subscriptions.on("#", Picky::take);
    }
}

fn count(report: &Report, kind: OutcomeKind) -> u64 {
    report.outcomes.get(&(Interface::Event, kind)).copied().unwrap_or_default()
}

fn listener(setup: &mut Setup, name: &str, node: NodeId) -> Listener {
    let listener = Listener::default();
    enters(setup, name, node, Cast::service(listener.clone()));
    listener
}

#[test]
fn everyone_who_has_subscribed_hears_of_it_over_the_network() {
    let (mut setup, nodes) = chain([Link::new(ms(10)), Link::new(ms(10))]);
    let near = listener(&mut setup, "near", nodes[1]);
    let far = listener(&mut setup, "far", nodes[2]);
    let (emitter, told) = once(async |io| {
        [io.events().emit("order.placed", 1), io.events().emit("order.paid", 2), io.events().emit("stock.low", 3)]
    });
    enters(&mut setup, "emitter", nodes[0], emitter);
    let (report, events) = play(setup);
    assert_eq!(told.take(), Some([Ok(2), Ok(2), Ok(0)]));
    let brief = |heard: &[Heard]| -> Vec<(String, Value, SimTime)> {
        heard.iter().map(|(topic, body, _, at, _)| (topic.clone(), body.clone(), *at)).collect()
    };
    let expected = |at| {
        let (placed, paid) = ("order.placed".to_owned(), "order.paid".to_owned());
        // The second handler takes its time.
        [(placed.clone(), json!(1), at_ms(at)), (paid, json!(2), at_ms(at)), (placed, json!(1), at_ms(at + 5))]
    };
    assert_eq!(brief(&near.0.borrow()), expected(10));
    assert_eq!(brief(&far.0.borrow()), expected(20));
    assert!(near.0.borrow().iter().all(|(_, _, from, ..)| from == "emitter"));
    assert_eq!((report.traffic.delivered, count(&report, OutcomeKind::Ack)), (4, 4));
    // The topic and the byte of its length, eight bytes of trace id, one byte of body: an i32 below 64.
    let bytes: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Told::Delivery { bytes, to: 0, .. } => Some(*bytes),
            _ => None,
        })
        .collect();
    assert_eq!(bytes, [(1 + 12) + 8 + 1, (1 + 10) + 8 + 1]);
}

#[test]
fn whoever_tells_hears_of_it_too_and_handlers_carry_the_trace_on() {
    /// Answers the first event with a second one.
    #[derive(Clone, Default)]
    struct Echo(Rc<RefCell<Vec<(String, TraceId)>>>);
    impl Echo {
        async fn hear(self: Rc<Self>, io: ServiceIo, event: Event<u8>) -> Result<(), StepError> {
            if event.topic == "call" {
                io.events().emit("echo", event.body)?;
            }
            self.0.borrow_mut().push((event.topic, event.trace_id));
            Ok(())
        }
    }
    impl Service for Echo {
        fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
            subscriptions.on("#", Echo::hear);
        }
        async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
            io.events().emit("call", 1u8)?;
            io.events().emit("other", 1u8)?;
            Ok(())
        }
    }
    let (mut setup, nodes) = chain([]);
    let echo = Echo::default();
    enters(&mut setup, "echo", nodes[0], Cast::service(echo.clone()));
    play(setup);
    let heard = echo.0.take();
    let topics: Vec<&str> = heard.iter().map(|(topic, _)| topic.as_str()).collect();
    assert_eq!(topics, ["call", "other", "echo"]);
    assert_eq!(heard[0].1, heard[2].1);
    assert_ne!(heard[0].1, heard[1].1);
}

#[test]
fn a_handler_that_fails_or_panics_or_cannot_read_the_body_is_reported_and_the_event_was_taken() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "picky", nodes[1], Cast::service(Picky));
    let emitter = acts(async |io: &ServiceIo| {
        for body in [json!(5), json!(13), json!("five"), json!(666)] {
            io.events().emit("number", body)?;
        }
        Ok(Step::Stop)
    });
    enters(&mut setup, "emitter", nodes[0], emitter);
    let (report, _) = play(setup);
    let failed: Vec<(&str, u64)> =
        report.services[0].failed_steps.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    let unfit = "event number: the body does not fit: invalid type: string \"five\", expected u32";
    assert_eq!(failed, [("event number: an unlucky number", 1), (unfit, 1)]);
    let panics: Vec<&str> = report.panics.iter().map(|panic| panic.message.as_str()).collect();
    assert_eq!(panics, ["the devil"]);
    assert_eq!((report.counters["numbers"], count(&report, OutcomeKind::Ack)), (5, 4));
}

#[test]
fn an_event_that_cannot_set_out_or_finds_nobody_is_undelivered_and_one_that_the_network_loses_is_lost() {
    let mut lossy = Link::new(ms(10));
    lossy.loss = Probability::new(1.0).expect("it is one");
    let (mut setup, nodes) = chain([lossy, Link::new(ms(10))]);
    for (name, node) in [("here", 0), ("behind-the-loss", 1), ("stranger", 0)] {
        listener(&mut setup, name, nodes[node]);
    }
    struct Dead;
    impl Dead {
        async fn hear(self: Rc<Self>, _: ServiceIo, _: Event<u8>) -> Result<(), StepError> {
            Ok(())
        }
    }
    impl Service for Dead {
        fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
            subscriptions.on("order.*", Dead::hear);
        }
        async fn step(&self, _: &ServiceIo) -> StepResult {
            panic!("dead")
        }
    }
    enters(&mut setup, "dead", nodes[0], Cast::service(Dead));
    let (emitter, told) = once(async |io| {
        io.sleep(ms(1)).await;
        io.events().emit("order.paid", 1u8)
    });
    enters(&mut setup, "emitter", nodes[0], emitter);
    let link = |to| AppLink { from: 4, to, ordering: None };
    setup.links = Some(vec![link(0), link(1), link(3)]);
    let report = play_unheard(setup);
    assert_eq!(told.take(), Some(Ok(3)), "one has no application link");
    let kinds = [OutcomeKind::Ack, OutcomeKind::Lost, OutcomeKind::Undelivered];
    assert_eq!(kinds.map(|kind| count(&report, kind)), [1, 1, 2]);
}

#[test]
fn second_copies_are_not_heard() {
    let mut doubling = Link::new(ms(10));
    doubling.duplication = Probability::new(1.0).expect("it is one");
    let (mut setup, nodes) = chain([doubling]);
    let listener = listener(&mut setup, "listener", nodes[1]);
    let (emitter, _) = once(async |io| io.events().emit("order.paid", 1u8));
    enters(&mut setup, "emitter", nodes[0], emitter);
    let report = play_unheard(setup);
    assert_eq!((listener.0.borrow().len(), report.traffic.duplicates), (1, 1));
    assert_eq!(count(&report, OutcomeKind::Ack), 1);
}

#[test]
fn topics_and_bodies_that_are_none_are_told_to_nobody() {
    let (mut setup, nodes) = chain([]);
    listener(&mut setup, "listener", nodes[0]);
    let (emitter, told) = once(async |io| {
        let events = io.events();
        [
            matches!(events.emit("order.*", 1u8), Err(EmitError::Topic(_))),
            matches!(events.emit("", 1u8), Err(EmitError::Topic(_))),
            matches!(events.emit("order.paid", Unspeakable), Err(EmitError::Body(_))),
        ]
    });
    enters(&mut setup, "emitter", nodes[0], emitter);
    let report = play_unheard(setup);
    assert_eq!((told.take(), report.traffic.sent), (Some([true; 3]), 0));
}

#[test]
fn a_pattern_that_is_none_keeps_the_run_from_starting() {
    struct Wild;
    impl Wild {
        async fn hear(self: Rc<Self>, _: ServiceIo, _: Event<u8>) -> Result<(), StepError> {
            Ok(())
        }
    }
    impl Service for Wild {
        fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
            subscriptions.on("order.pl*", Wild::hear);
        }
    }
    let (mut setup, nodes) = chain([]);
    enters(&mut setup, "wild", nodes[0], Cast::service(Wild));
    match run(setup, None, std::sync::Arc::default()) {
        Err(StartError::BadSubscription { service, pattern, .. }) => {
            assert_eq!((service.as_str(), pattern.as_str()), ("wild", "order.pl*"));
        }
        other => panic!("it started: {other:?}"),
    }
}
