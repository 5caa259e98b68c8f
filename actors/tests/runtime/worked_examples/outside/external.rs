//! Services that live outside of the run.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::interfaces::CallError;
use rehearsal_actors::interfaces::rpc::JsonParams;
use rehearsal_actors::outcome::{Interface, OutcomeKind, Undelivered};
use rehearsal_actors::outside::{
    Came, Errand, External, MALFORMED_ANSWER, OUTSIDE_LIMIT, OutboundAnswer, OutboundRequest, REDIRECTED,
};
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Pacing, Progress, Setup, run_paced};
use rehearsal_actors::topology::{Link, NodeId};
use serde_json::{Value, json};

use crate::common::cast::{chain, enters, once};
use crate::common::story::play_unheard;
use crate::common::{at_ms, ms};

type Outcome = (OutcomeKind, SimDuration);

/// A caller at `a`, and somebody outside behind `b`, ten milliseconds away, who answers at once with that.
fn at_the_edge(answers: impl Fn(&OutboundRequest) -> Option<Came> + Send + Sync + 'static) -> (Setup, NodeId) {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let outbound = move |request: OutboundRequest, answer: OutboundAnswer| {
        if let Some(came) = answers(&request) {
            answer.give(came);
        }
    };
    setup.services.push(External::at("outside", nodes[1], "http://127.0.0.1:9000/api", Arc::new(outbound)));
    (setup, nodes[0])
}

#[test]
fn requests_and_calls_of_every_name_go_out_as_they_were_made() {
    let asked: Arc<Mutex<Vec<OutboundRequest>>> = Arc::default();
    let noted = asked.clone();
    let (mut setup, node) = at_the_edge(move |request| {
        noted.lock().expect("nobody panics").push(request.clone());
        Some(match &request.errand {
            Errand::Request { target, .. } => Came::Response { status: 201, body: json!({ "target": target }) },
            Errand::Call { params, .. } => Came::Result(params.clone()),
        })
    });
    let (caller, answers) = once(async |io| {
        let outside = io.rpc().proxy("outside");
        let calls = [
            outside.call::<Value, _>("pay", json!({ "sum": 3 })).await,
            outside.call("billing.v1.refund", (1u8, "two".to_owned())).await,
            outside.call("single", 7u8).await,
            outside.call("nested", JsonParams::from_text("[[1, 2]]").expect("it is JSON")).await,
            outside.call("named", JsonParams::from_text(r#"{"value": 1}"#).expect("it is JSON")).await,
            outside.call("ping", ()).await,
        ];
        let replies = [
            io.rest().get("outside").await,
            io.rest().post("outside/orders/caf%C3%A9%2f7?deep=true&tag=a+b%26&flag", json!([1])).await,
            io.rest().delete("outside/a//b").await,
        ];
        (calls.map(Result::ok), replies.map(|reply| (reply.status, reply.body, reply.elapsed)))
    });
    enters(&mut setup, "caller", node, caller);
    let report = play_unheard(setup);

    let (calls, replies) = answers.take().expect("it has asked");
    // What is no list and no object goes out as a list.
    let (nested, named) = (json!([[1, 2]]), json!({ "value": 1 }));
    let params = [json!({ "sum": 3 }), json!([1, "two"]), json!([7]), nested, named, json!([])];
    assert_eq!(calls, params.clone().map(Some));
    let targets = ["/", "/orders/caf%C3%A9%2F7?deep=true&tag=a+b%26&flag=", "/a//b"];
    assert_eq!(replies, targets.map(|target| (201, json!({ "target": target }), ms(20))));
    assert_eq!(report.outcomes[&(Interface::Rpc, OutcomeKind::Reply)], 6);

    let asked = asked.lock().expect("nobody panics");
    assert!(asked.iter().all(|asked| asked.url == "http://127.0.0.1:9000/api" && asked.from == "caller"));
    let methods: Vec<String> = asked
        .iter()
        .map(|asked| match &asked.errand {
            Errand::Call { method, trace_id, .. } => {
                assert_eq!(trace_id.len(), 16);
                method.clone()
            }
            Errand::Request { method, body, .. } => format!("{method} {body}"),
        })
        .collect();
    assert_eq!(
        methods,
        ["pay", "billing.v1.refund", "single", "nested", "named", "ping", "GET null", "POST [1]", "DELETE null"]
    );
}

/// What a call and a request end as, of which that comes.
fn ends(came: fn() -> Option<Came>) -> (Result<Value, CallError>, [Outcome; 2], Option<CallError>) {
    let (mut setup, node) = at_the_edge(move |_| came());
    let (caller, seen) = once(async |io| {
        let called = io.rpc().proxy("outside").call::<Value, _>("pay", ()).reply().await;
        let asked = io.rest().get("outside/x").await;
        let outcomes = [(called.outcome, called.elapsed), (asked.outcome, asked.elapsed)];
        (called.result, outcomes, asked.success().err())
    });
    enters(&mut setup, "caller", node, caller);
    let report = play_unheard(setup);
    assert!(report.ended_well() && report.unfinished.is_empty());
    seen.take().expect("it has asked")
}

#[test]
fn who_is_not_there_outside_is_gone_inside_and_who_does_not_answer_may_have_done_it() {
    use OutcomeKind::{Error, Interrupted, TimedOut, Undelivered as Gone};
    let gone = || CallError::Undelivered(Undelivered::ConnectionGone { to: "outside".to_owned() });
    let (call, outcomes, request) = ends(|| Some(Came::Refused("connection refused".to_owned())));
    assert_eq!(outcomes, [(Gone, ms(20)), (Gone, ms(20))]);
    assert_eq!((call, request), (Err(gone()), Some(gone())));

    for silence in [|| Some(Came::Silence("nothing in 5 s".to_owned())), || None] {
        let (call, outcomes, request) = ends(silence);
        assert_eq!(outcomes, [(Interrupted, ms(20)), (TimedOut, ms(20))]);
        assert_eq!(call, Err(CallError::Interrupted { by: "outside".to_owned() }));
        assert!(matches!(request, Some(CallError::TimedOut { waited, .. }) if waited == ms(20)));
    }

    let (call, outcomes, request) = ends(|| Some(Came::Garbage("<html>".to_owned())));
    assert_eq!(outcomes, [(Error, ms(20)), (Error, ms(20))]);
    assert!(matches!(call, Err(CallError::Remote(error)) if error.type_name == MALFORMED_ANSWER));
    assert!(matches!(request, Some(CallError::Status { status: 500, .. })));
}

#[test]
fn what_comes_back_to_where_it_went_out_did_not_happen_and_what_is_redirected_may_have() {
    use OutcomeKind::{Error, Undelivered as NotThere};
    let (call, outcomes, request) = ends(|| Some(Came::Looped("round and round".to_owned())));
    assert_eq!(outcomes, [(NotThere, ms(20)), (NotThere, ms(20))]);
    let looped = Undelivered::Outside { to: "outside".to_owned(), reason: "round and round".to_owned() };
    assert_eq!((call, request), (Err(looped.clone().into()), Some(looped.into())));

    let (call, outcomes, _) = ends(|| Some(Came::Redirected { status: 303, to: Some("/there".to_owned()) }));
    assert_eq!(outcomes[0], (Error, ms(20)));
    let Err(CallError::Remote(error)) = call else { panic!("{call:?}") };
    assert_eq!(error.type_name, REDIRECTED);
    assert!(error.message.contains("303 and points to `/there`"), "{error}");
}

#[test]
fn errors_from_outside_are_what_they_say() {
    let error = |code, data: Value| Some(Came::Error { code, message: "no".to_owned(), data });
    let (call, ..) = ends(|| None.or(Some(Came::Result(Value::Null))));
    assert_eq!(call, Ok(Value::Null), "an ack");
    let sold_out = move || error(-32000, json!({ "type": "SoldOut", "message": "none left" }));
    let called = {
        let (mut setup, node) = at_the_edge(move |_| sold_out());
        let (caller, seen) = once(async |io| io.rpc().proxy("outside").call::<Value, _>("pay", ()).await);
        enters(&mut setup, "caller", node, caller);
        play_unheard(setup);
        seen.take().expect("it has asked")
    };
    let Err(CallError::Remote(remote)) = called else { panic!("{called:?}") };
    assert_eq!((remote.type_name.as_str(), remote.message.as_str()), ("SoldOut", "none left"));
}

#[test]
fn messages_stay_inside_and_are_not_understood() {
    use rehearsal_actors::interfaces::raw::Draft;
    let (mut setup, node) = at_the_edge(|_| panic!("nothing goes out"));
    let (sender, seen) = once(async |io| {
        let message = io.mpi().send("outside", "hello".to_owned()).await;
        let to = io.raw().address_of("outside").expect("it is there");
        let raw = io.raw().request(Draft::new(to, "HELLO")).await;
        (message.map(|_| ()), raw.is_err())
    });
    enters(&mut setup, "sender", node, sender);
    play_unheard(setup);
    let not_understood = CallError::Undelivered(Undelivered::NotUnderstood { to: "outside".to_owned() });
    assert_eq!(seen.take(), Some((Err(not_understood), true)));
}

#[test]
fn no_more_are_outside_at_once_than_may_be_and_the_others_may_try_again() {
    let (mut setup, nodes) = chain([]);
    // Answers are kept, and never given while anybody asks.
    let (keep, kept): (Sender<OutboundAnswer>, Receiver<OutboundAnswer>) = channel();
    let keep = Mutex::new(keep);
    let outbound = move |_: OutboundRequest, answer: OutboundAnswer| {
        let _ = keep.lock().expect("nobody panics").send(answer);
    };
    setup.services.push(External::at("outside", nodes[0], "http://127.0.0.1:9000", Arc::new(outbound)));
    let (caller, seen) = once(async move |io| {
        let calls = (0..OUTSIDE_LIMIT + 1).map(|_| io.rpc().proxy("outside").call::<Value, _>("pay", ()).defer());
        let mut last = calls.collect::<Vec<_>>().pop().expect("there are some");
        let refused = (&mut last).await;
        // One comes back, so that there is room for another.
        kept.try_recv().expect("it is outside").give(Came::Result(json!(1)));
        io.sleep(ms(1)).await;
        let request = io.rest().get("outside/x").timeout(ms(5)).await.outcome;
        (refused, request)
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play_unheard(setup);
    let (refused, request) = seen.take().expect("it has asked");
    assert!(matches!(refused, Err(CallError::Nack(_))), "{refused:?}");
    assert_eq!(request, OutcomeKind::TimedOut, "it went out");
}

#[test]
fn whoever_is_outside_when_the_service_is_killed_is_interrupted_and_the_answer_finds_nobody() {
    let kept: Arc<Mutex<Vec<OutboundAnswer>>> = Arc::default();
    let keep = kept.clone();
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let outbound = move |_: OutboundRequest, answer: OutboundAnswer| keep.lock().expect("nobody panics").push(answer);
    setup.services.push(External::at("outside", nodes[1], "http://127.0.0.1:9000", Arc::new(outbound)));
    setup.changes.push(ScheduledChange { at: at_ms(50), change: Change::Kill(ServiceId::at(0)) });
    let (caller, seen) = once(async |io| {
        let call = io.rpc().proxy("outside").call::<Value, _>("pay", ()).defer();
        let request = io.rest().get("outside/x").send();
        (call.reply().await.outcome, request.await.outcome, io.now())
    });
    enters(&mut setup, "caller", nodes[0], caller);
    play_unheard(setup);
    let interrupted = OutcomeKind::Interrupted;
    assert_eq!(seen.take(), Some((interrupted, interrupted, at_ms(60))));
    for answer in kept.lock().expect("nobody panics").drain(..) {
        assert!(!answer.is_awaited());
        answer.give(Came::Result(json!("too late")));
    }
}

#[test]
fn in_a_paced_run_answers_come_from_other_threads() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let outbound = |request: OutboundRequest, answer: OutboundAnswer| {
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(30));
            if let Errand::Call { params, .. } = request.errand {
                answer.give(Came::Result(params));
            }
        });
    };
    setup.services.push(External::at("outside", nodes[1], "http://127.0.0.1:9000", Arc::new(outbound)));
    let (caller, seen) = once(async |io| {
        let outside = io.rpc().proxy("outside");
        let began = io.now();
        let calls: Vec<_> = (0..10u8).map(|number| outside.call::<(u8,), _>("echo", (number,)).defer()).collect();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.map(|(number,)| number));
        }
        (answers, io.now().since(began), outside.call::<Value, _>("x", ()).defer().reply().await.outcome)
    });
    enters(&mut setup, "caller", nodes[0], caller);
    let report = run_paced(setup, Pacing::default(), None, Arc::new(Progress::default())).expect("it is sound");
    let (answers, took, last) = seen.take().expect("it has asked");
    assert_eq!(answers, (0..10).map(Ok).collect::<Vec<_>>());
    // 20 ms on the way and 30 outside, at least; all at once.
    assert!(took >= ms(50) && took < ms(300), "{took}");
    assert_eq!(last, OutcomeKind::Reply);
    assert!(report.ended_well());
}
