//! Raw messages: connections, and what comes back. Which way they go is in [`routing`](super::routing).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use rehearsal_actors::interfaces::raw::{
    Connection, DOES_NOT_UNDERSTAND, Defaults, Draft, HANDLE_DOES_NOT_UNDERSTAND, HANDLE_SHUTDOWN, Handling,
    HandlingResult, MSG_NOT_DELIVERED, Msg, PING, SHUTDOWN,
};
use rehearsal_actors::interfaces::{CallError, Declined};
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::{Ending, Report};
use rehearsal_actors::router::{Address, MachineId, RouterId};
use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup};
use rehearsal_actors::topology::{Link, NodeId};
use rehearsal_actors::units::Probability;

use crate::common::cast::{acts, chain, enters, once};
use crate::common::story::play;
use crate::common::{at_ms, ms};

/// Adds one, at once or after 30 ms; does other things when told so.
#[derive(Default)]
pub struct AddOne {
    ended: Rc<RefCell<Vec<SimTime>>>,
}

impl Service for AddOne {
    async fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> HandlingResult {
        match msg.subject.as_str() {
            "ADD_ONE" => {}
            "ADD_ONE_SLOWLY" => io.sleep(ms(30)).await,
            "BURN" => panic!("out of fingers"),
            "FAIL" => return Err(StepError::new("cannot")),
            "FAIL_AFTER_ANSWERING" => {
                io.raw().send(msg.reply("done"))?;
                return Err(StepError::new("too late"));
            }
            "KEEP" => return Ok(Handling::Done),
            _ => return Ok(Handling::Unhandled(Defaults::default() | HANDLE_SHUTDOWN)),
        }
        io.raw().send(msg.reply(msg.json::<u64>()? + 1))?;
        Ok(Handling::Done)
    }

    fn stop(&self, io: &ServiceIo) {
        self.ended.borrow_mut().push(io.now());
    }
}

/// A chain with 10 ms between neighbours and `fred`, who adds one, on its second node; his address is
/// 1:0:2.
fn fred(links: usize) -> (Setup, Vec<NodeId>) {
    let (mut setup, nodes) = chain((0..links).map(|_| Link::new(ms(10))));
    enters(&mut setup, "fred", nodes[1], Cast::service(AddOne::default()));
    (setup, nodes)
}

pub fn address(text: &str) -> Address {
    text.parse().expect("it is one")
}

pub fn add_one(to: &str) -> Draft {
    Draft::new(address(to), "ADD_ONE").contents(41)
}

pub fn undelivered(to: &str) -> CallError {
    Undelivered::UnknownAddress { address: to.to_owned() }.into()
}

pub fn outcomes(report: &Report) -> BTreeMap<OutcomeKind, u64> {
    report
        .outcomes
        .iter()
        .filter(|((interface, _), _)| *interface == Interface::Raw)
        .map(|((_, k), n)| (*k, *n))
        .collect()
}

/// What is left of a reply to look at.
pub fn told(reply: Result<Msg, CallError>) -> Result<(String, Value), CallError> {
    reply.map(|msg| (msg.subject, msg.contents))
}

pub fn text(subject: &str, contents: impl Into<Value>) -> (String, Value) {
    (subject.to_owned(), contents.into())
}

#[test]
fn routers_of_one_machine_give_out_their_own_addresses_and_what_is_said_among_them_costs_nothing() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "fred", nodes[0], Cast::service(AddOne::default()));
    let (asker, seen) = once(async |io| {
        let connection = io.raw().open();
        let reply = connection.request(add_one("0:0:2")).await?;
        let numbers = (reply.id.to_string(), reply.reply_id.map(|id| id.to_string()));
        let ends = [io.address(), connection.address(), reply.to, reply.from].map(|end| end.to_string());
        Ok::<_, CallError>((ends, numbers, reply.json::<u64>()?, io.now()))
    });
    let asker = ServiceSpec::new("asker", nodes[0], asker);
    setup.services.push(ServiceSpec { router: RouterId(3), ..asker });
    let (report, _) = play(setup);
    let ends = ["0:3:2", "0:3:3", "0:3:3", "0:0:2"].map(str::to_owned);
    let numbers = ("2".to_owned(), Some("1".to_owned()));
    assert_eq!(seen.take(), Some(Ok((ends, numbers, 42, at_ms(0)))));
    assert_eq!(outcomes(&report), BTreeMap::from([(OutcomeKind::Reply, 1)]));
}

#[test]
fn a_request_and_its_reply_each_pay_for_their_way_by_their_size() {
    // 8 kbit/s: a millisecond a byte.
    let link = Link { bandwidth: "8kbit/s".parse().expect("it is one"), ..Link::new(ms(10)) };
    let (mut setup, nodes) = chain([link]);
    enters(&mut setup, "fred", nodes[1], Cast::service(AddOne::default()));
    let (asker, seen) = once(async |io| {
        let reply = io.raw().request(add_one("1:0:2").meta("k", "v")).await?;
        Ok::<_, CallError>((reply.contents, io.now()))
    });
    enters(&mut setup, "asker", nodes[0], asker);
    play(setup);
    // To and from: 3 bytes each; subject: length and 7 letters; contents, id, no reply id, no way: a
    // byte each; meta: the number of entries, and for the one of it, twice a length and a letter. That
    // is 3 + 3 + 8 + 4 + 5 = 23. The reply has no meta (4 bytes less), and one byte more for the number
    // of what it answers: 20.
    assert_eq!(seen.take(), Some(Ok((json!(42), at_ms(10 + 23 + 10 + 20)))));
}

#[test]
fn who_asks_an_address_that_is_nobodys_is_told_so_after_both_ways() {
    let (mut setup, nodes) = fred(1);
    let (asker, seen) = once(async |io| {
        let mut seen = Vec::new();
        for to in ["1:0:7", "1:9:2", "1:LocalHubDirectory", "1:LocalInterMachineRouter", "7:0:2"] {
            let began = io.now();
            seen.push((told(io.raw().request(add_one(to)).await), io.now().since(began)));
        }
        seen
    });
    enters(&mut setup, "asker", nodes[0], asker);
    let (report, _) = play(setup);
    let after = |to: &str, waited| (Err(undelivered(to)), ms(waited));
    let there = ["1:0:7", "1:9:2", "1:LocalHubDirectory", "1:LocalInterMachineRouter"].map(|to| after(to, 20));
    let at_once = after("7:0:2", 0);
    assert_eq!(seen.take(), Some([&there[..], &[at_once]].concat()));
    assert_eq!(outcomes(&report), BTreeMap::from([(OutcomeKind::Undelivered, 5)]));
}

#[test]
fn who_sends_and_forgets_gets_msg_not_delivered_at_the_connection_that_sent_it() {
    let (mut setup, nodes) = fred(1);
    let (asker, seen) = once(async |io| {
        let connection = io.raw().open();
        let sent = connection.send(add_one("1:0:7"))?;
        let notice = connection.recv().await?;
        assert_eq!(notice.reply_id, Some(sent));
        Ok::<_, CallError>((notice.subject, notice.contents, notice.from.to_string(), io.now()))
    });
    enters(&mut setup, "asker", nodes[0], asker);
    let (report, _) = play(setup);
    let from = "1:LocalInterMachineRouter".to_owned();
    assert_eq!(seen.take(), Some(Ok((MSG_NOT_DELIVERED.to_owned(), json!("1:0:7"), from, at_ms(20)))));
    assert_eq!(outcomes(&report), BTreeMap::from([(OutcomeKind::Undelivered, 1)]));
}

#[test]
fn nobody_is_told_that_an_answer_or_a_notice_finds_nobody() {
    let (mut setup, nodes) = fred(1);
    let (asker, _) = once(async |io| {
        // Both connections are closed when the notice and the answer come back.
        let _ = io.raw().open().send(add_one("1:0:7"));
        let _ = io.raw().open().send(add_one("1:0:2"));
    });
    enters(&mut setup, "asker", nodes[0], asker);
    let (report, _) = play(setup);
    // The first message and the notice of it; the second and its answer, and that is all.
    assert_eq!(report.traffic.sent, 4);
    assert_eq!((report.ending.clone(), report.traffic.in_flight), (Ending::Quiescent, 0));
    assert_eq!(outcomes(&report), BTreeMap::from([(OutcomeKind::Ack, 1), (OutcomeKind::Undelivered, 1)]));
}

#[test]
fn a_late_reply_comes_to_the_connection_that_asked_unless_it_ignores_such_replies() {
    let (mut setup, nodes) = fred(1);
    let (asker, seen) = once(async |io| {
        let slowly = || Draft::new(address("1:0:2"), "ADD_ONE_SLOWLY").contents(1);
        let (hears, ignores) = (io.raw().open(), io.raw().open().ignoring_unhandled_replies());
        let asked = [hears.request(slowly()).timeout(ms(40)).send(), ignores.request(slowly()).timeout(ms(40)).send()];
        let mut seen = Vec::new();
        for reply in asked {
            seen.push(told(reply.await));
        }
        // 10 ms there, 30 ms of work, 10 ms back.
        seen.push(told(hears.recv().await));
        assert_eq!(io.now(), at_ms(50));
        seen.push(told(ignores.recv().timeout(ms(50)).await));
        seen
    });
    enters(&mut setup, "asker", nodes[0], asker);
    let (report, _) = play(setup);
    let late = || {
        let what = "`1:0:2` to answer ADD_ONE_SLOWLY".to_owned();
        Err(CallError::TimedOut { what, waited: ms(40) })
    };
    let nothing = Err(CallError::TimedOut { what: "a message to `0:0:4`".to_owned(), waited: ms(50) });
    assert_eq!(seen.take(), Some(vec![late(), late(), Ok(text("ADD_ONE_SLOWLY", 2)), nothing]));
    assert_eq!(outcomes(&report), BTreeMap::from([(OutcomeKind::TimedOut, 2)]));
}

/// Asks fred too impatiently, and leaves what comes late to the runtime, which is told what to do.
struct Impatient {
    defaults: Defaults,
    heard: Rc<RefCell<Vec<(String, SimTime)>>>,
}

impl Service for Impatient {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let slowly = Draft::new(address("1:0:2"), "ADD_ONE_SLOWLY").contents(1);
        let _ = io.raw().request(slowly).timeout(ms(40)).await;
        Ok(Step::Stop)
    }

    async fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> HandlingResult {
        assert!(msg.is_reply());
        self.heard.borrow_mut().push((msg.to_string(), io.now()));
        Ok(Handling::Unhandled(self.defaults))
    }
}

#[test]
fn a_late_reply_to_a_main_connection_goes_to_its_handler_which_may_leave_it_to_be_ignored_or_noted() {
    for (defaults, noted) in [(Defaults::default(), 0), (HANDLE_DOES_NOT_UNDERSTAND, 1)] {
        let (mut setup, nodes) = fred(1);
        let heard = Rc::new(RefCell::new(Vec::new()));
        let impatient = Impatient { defaults, heard: heard.clone() };
        enters(&mut setup, "impatient", nodes[0], Cast::service(impatient));
        let (report, _) = play(setup);
        // 10 ms there, 30 ms of work, 10 ms back.
        assert_eq!(heard.take(), [("1:0:2 -> 0:0:2 ADD_ONE_SLOWLY #2 answers #1".to_owned(), at_ms(50))]);
        assert_eq!(report.counters.get("unhandled messages").copied().unwrap_or_default(), noted);
        assert_eq!(report.traffic.sent, 2, "no reply is answered");
        assert_eq!(outcomes(&report), BTreeMap::from([(OutcomeKind::TimedOut, 1)]));
    }
}

#[test]
fn a_request_that_was_forgotten_ends_with_its_reply_all_the_same() {
    let (mut setup, nodes) = fred(1);
    let (asker, _) = once(async |io| drop(io.raw().request(add_one("1:0:2")).send()));
    enters(&mut setup, "asker", nodes[0], asker);
    let (report, _) = play(setup);
    assert_eq!(outcomes(&report), BTreeMap::from([(OutcomeKind::Reply, 1)]));
}

#[test]
fn a_second_copy_is_neither_handled_nor_sent_on_and_a_message_lost_between_hops_ends_once() {
    let router = Address::local_inter_machine_router(MachineId(1));
    let doubling = Link { duplication: Probability::ALWAYS, ..Link::new(ms(10)) };
    let lossy = Link { loss: Probability::ALWAYS, ..Link::new(ms(10)) };
    for (links, handled, outcome) in
        [([doubling.clone(), doubling], 1, OutcomeKind::Ack), ([Link::new(ms(10)), lossy], 0, OutcomeKind::Lost)]
    {
        let (mut setup, nodes) = chain(links);
        enters(&mut setup, "fred", nodes[2], Cast::service(AddOne::default()));
        let keep = Draft::new(address("2:0:2"), "KEEP").via(router);
        let (asker, _) = once(async move |io: &ServiceIo| io.raw().send(keep.clone()).map(|_| ()));
        enters(&mut setup, "asker", nodes[0], asker);
        let (report, _) = play(setup);
        assert_eq!(report.services[0].handled, handled);
        assert_eq!(outcomes(&report), BTreeMap::from([(outcome, 1)]));
    }
}

#[test]
fn the_runtime_answers_for_a_handler_what_it_is_told_to() {
    let (mut setup, nodes) = fred(1);
    let (asker, seen) = once(async |io| {
        let mut seen = Vec::new();
        for subject in [PING, "TO_BE", "FAIL", "FAIL_AFTER_ANSWERING", "ADD_ONE", "KEEP", "BURN"] {
            seen.push(told(io.raw().request(Draft::new(address("1:0:2"), subject)).timeout(ms(100)).await));
        }
        seen
    });
    enters(&mut setup, "asker", nodes[0], asker);
    let (report, _) = play(setup);
    let fred = || "1:0:2".to_owned();
    let failed = |reason: &str| Err(CallError::Failed { by: fred(), reason: reason.to_owned() });
    let malformed = "the body of `ADD_ONE` is not what was expected: invalid type: null, expected u64";
    let expected = vec![
        Ok(text(PING, Value::Null)),
        Err(CallError::NotUnderstood(Box::new(Declined {
            by: fred(),
            what: "TO_BE".to_owned(),
            reason: "it does not know the subject".to_owned(),
        }))),
        failed("cannot"),
        Ok(text("FAIL_AFTER_ANSWERING", "done")),
        failed(malformed),
        Err(CallError::TimedOut { what: "`1:0:2` to answer KEEP".to_owned(), waited: ms(100) }),
        failed("the handler panicked: out of fingers"),
    ];
    assert_eq!(seen.take(), Some(expected));
    use OutcomeKind::{Error, NotUnderstood, Reply, TimedOut};
    assert_eq!(outcomes(&report), BTreeMap::from([(Reply, 2), (NotUnderstood, 1), (Error, 3), (TimedOut, 1)]));
    let panics: Vec<(&str, &str)> = report.panics.iter().map(|p| (p.service.as_str(), p.message.as_str())).collect();
    assert_eq!(panics, [("fred", "out of fingers")]);
    assert!(report.services[0].crashed, "whoever panics in a handler has failed");
    let failed: Vec<&str> = report.services[0].failed_steps.keys().map(String::as_str).collect();
    let malformed = format!("ADD_ONE: {malformed}");
    assert_eq!(failed, [malformed.as_str(), "FAIL: cannot", "FAIL_AFTER_ANSWERING: too late"]);
}

#[test]
fn who_was_not_awaited_gets_does_not_understand_as_a_message() {
    let (mut setup, nodes) = fred(1);
    let (asker, seen) = once(async |io| {
        let connection = io.raw().open();
        connection.send(Draft::new(address("1:0:2"), "TO_BE"))?;
        connection.recv().await.map(|msg| (msg.subject, msg.contents))
    });
    enters(&mut setup, "asker", nodes[0], asker);
    let (report, _) = play(setup);
    assert_eq!(seen.take(), Some(Ok(text(DOES_NOT_UNDERSTAND, "TO_BE"))));
    assert_eq!(outcomes(&report), BTreeMap::from([(OutcomeKind::Ack, 1)]), "it was taken, and that is all");
}

#[test]
fn shutdown_is_answered_and_ends_the_service_in_an_orderly_way() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let fred = AddOne::default();
    let ended = fred.ended.clone();
    enters(&mut setup, "fred", nodes[1], Cast::service(fred));
    let (asker, seen) = once(async |io| {
        let kept = io.raw().request(Draft::new(address("1:0:2"), "KEEP")).send();
        let shut = told(io.raw().request(Draft::new(address("1:0:2"), SHUTDOWN)).await);
        (shut, told(kept.await), told(io.raw().request(add_one("1:0:2")).await), io.now())
    });
    enters(&mut setup, "asker", nodes[0], asker);
    let (report, _) = play(setup);
    let interrupted = Err(CallError::Interrupted { by: "fred".to_owned() });
    let expected = (Ok(text(SHUTDOWN, Value::Null)), interrupted, Err(undelivered("1:0:2")), at_ms(40));
    assert_eq!(seen.take(), Some(expected));
    assert_eq!(ended.take(), [at_ms(10)]);
    assert!(report.ended_well());
}

#[test]
fn a_connection_that_closes_refuses_what_is_on_its_way_and_returns_what_lies_unread() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let keeper = acts(async |io: &ServiceIo| {
        let connection: Connection = io.raw().open();
        io.sleep(ms(15)).await;
        let read = connection.recv().await?;
        connection.close();
        io.sleep(ms(20)).await;
        io.raw().send(read.reply("read"))?;
        Ok(Step::Stop)
    });
    enters(&mut setup, "keeper", nodes[1], keeper);
    let (asker, seen) = once(async |io| {
        // Two arrive at 10 ms, of which one is read; the third is on its way when it closes at 15 ms.
        let ask = || io.raw().request(add_one("1:0:3")).send();
        let (read, unread) = (ask(), ask());
        io.sleep(ms(7)).await;
        let refused = ask();
        let mut seen = Vec::new();
        for reply in [unread, refused, read] {
            seen.push((told(reply.await), io.now()));
        }
        seen
    });
    enters(&mut setup, "asker", nodes[0], asker);
    let (report, _) = play(setup);
    let gone = || Err(undelivered("1:0:3"));
    let read = Ok(text("ADD_ONE", "read"));
    assert_eq!(seen.take(), Some(vec![(gone(), at_ms(25)), (gone(), at_ms(27)), (read, at_ms(45))]));
    use OutcomeKind::{Reply, Undelivered};
    assert_eq!(outcomes(&report), BTreeMap::from([(Reply, 1), (Undelivered, 2)]));
}

#[test]
fn a_service_that_crashes_interrupts_what_it_has_in_hand() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let fragile = acts(async |io: &ServiceIo| {
        let connection = io.raw().open();
        let _taken = connection.recv().no_timeout().await?;
        io.sleep(ms(5)).await;
        panic!("dropped it");
    });
    enters(&mut setup, "fragile", nodes[1], fragile);
    let (asker, seen) = once(async |io| {
        let ask = || io.raw().request(add_one("1:0:3")).send();
        let (taken, unread) = (ask(), ask());
        io.sleep(ms(7)).await;
        // Arrives at 17 ms, and it is gone since 15.
        let late = ask();
        let seen = (told(unread.await), told(taken.await), io.now());
        (seen, told(late.await), io.now())
    });
    enters(&mut setup, "asker", nodes[0], asker);
    play(setup);
    let interrupted = Err(CallError::Interrupted { by: "fragile".to_owned() });
    let gone = Err(Undelivered::ConnectionGone { to: "fragile".to_owned() }.into());
    let at_25 = (Err(undelivered("1:0:3")), interrupted, at_ms(25));
    assert_eq!(seen.take(), Some((at_25, gone, at_ms(27))));
}

#[test]
fn a_handler_of_its_own_takes_what_comes_to_a_connection() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let adder = acts(async |io: &ServiceIo| {
        let by = 100;
        let _open = io.raw().open_with(async move |io: ServiceIo, msg: Msg| {
            let sum = msg.json::<u64>()? + by;
            io.sleep(ms(1)).await;
            io.raw().send(msg.reply(sum))?;
            Ok(Handling::Done)
        });
        io.sleep(ms(50)).await;
        Ok(Step::Stop)
    });
    enters(&mut setup, "adder", nodes[1], adder);
    let (asker, seen) = once(async |io| {
        let reply = io.raw().request(add_one("1:0:3")).await;
        (told(reply), io.now())
    });
    enters(&mut setup, "asker", nodes[0], asker);
    play(setup);
    assert_eq!(seen.take(), Some((Ok(text("ADD_ONE", 141)), at_ms(21))));
}
