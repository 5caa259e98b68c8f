//! The reply channel: what each side sees of every answer, given once and twice, in time and late.
//!
//! The callee does what the call tells it to, one act after the other, and notes what it is told; caller
//! and callee are 10 ms apart.

use std::cell::RefCell;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use rehearsal_actors::interfaces::rpc::{AnswerError, LATE_ANSWERS, RemoteError, SECOND_ANSWERS};
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::Report;
use rehearsal_actors::simulation::Cast;
use rehearsal_actors::topology::Link;

use crate::common::cast::{Unspeakable, acts, chain, enters, once};
use crate::common::ms;
use crate::common::story::play_unheard;

/// Something that is done with a channel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Act {
    Reply,
    Ack,
    Nack,
    Error,
    AckUnlessSent,
    NackUnlessSent,
    ErrorUnlessSent,
    ReplyUnspeakable,
    /// So many milliseconds.
    Wait(u64),
    Panic,
}

use Act::{Ack, AckUnlessSent, Error, ErrorUnlessSent, Nack, NackUnlessSent, Panic, Reply, ReplyUnspeakable, Wait};

/// Whether an answer was sent.
type Seen = Result<bool, AnswerError>;

fn perform(act: Act, channel: &ReplyChannel) -> Seen {
    let unless = channel.unless_reply_sent();
    match act {
        Reply => channel.reply("done").map(|()| true),
        Ack => channel.ack().map(|()| true),
        Nack => channel.nack("not now").map(|()| true),
        Error => channel.error("Broken", "it broke", 7).map(|()| true),
        AckUnlessSent => unless.ack(),
        NackUnlessSent => unless.nack("not now"),
        ErrorUnlessSent => unless.error("Broken", "it broke", 7),
        ReplyUnspeakable => channel.reply(Unspeakable).map(|()| true),
        Wait(_) | Panic => Ok(false),
    }
}

#[derive(Default)]
struct Callee {
    seen: Rc<RefCell<Vec<Seen>>>,
    kept: RefCell<Vec<(Vec<Act>, ReplyChannel)>>,
}

impl Callee {
    async fn play(self: Rc<Self>, io: ServiceIo, acts: Vec<Act>, channel: ReplyChannel) {
        for act in acts {
            match act {
                Wait(millis) => io.sleep(ms(millis)).await,
                Panic => panic!("dropped it"),
                act => self.seen.borrow_mut().push(perform(act, &channel)),
            }
        }
    }

    async fn keep(self: Rc<Self>, _: ServiceIo, acts: Vec<Act>, channel: ReplyChannel) {
        self.kept.borrow_mut().push((acts, channel));
    }
}

impl Service for Callee {
    fn interfaces(interfaces: &mut Interfaces<Self>) {
        let script = interfaces.interface("script", "1");
        script.raw_rpc("play", "Does it at once.", Callee::play).raw_rpc("keep", "Does it at 100 ms.", Callee::keep);
    }

    async fn step(&self, io: &ServiceIo) -> StepResult {
        io.sleep(ms(100)).await;
        for (acts, channel) in self.kept.take() {
            acts.into_iter().for_each(|act| self.seen.borrow_mut().push(perform(act, &channel)));
        }
        Ok(Step::Stop)
    }
}

/// How the caller goes about it.
#[derive(Clone, Copy, Debug)]
enum Caller {
    Waits,
    /// No longer than so many milliseconds.
    WaitsFor(u64),
    /// Calls, and lets go of the future at once.
    LetsGo,
    /// Panics so many milliseconds after the call.
    Dies(u64),
}

/// What each side has seen, and what the books say.
struct Told {
    callee: Vec<Seen>,
    /// Nothing if it did not look.
    caller: Option<(OutcomeKind, SimDuration)>,
    report: Report,
}

impl Told {
    fn counter(&self, counter: &str) -> u64 {
        self.report.counters.get(counter).copied().unwrap_or_default()
    }

    /// The one outcome that the call had, according to the books.
    fn booked(&self) -> OutcomeKind {
        let outcomes: Vec<_> = self.report.outcomes.iter().filter(|((i, _), _)| *i == Interface::Rpc).collect();
        let [((_, kind), 1)] = outcomes[..] else { panic!("not one outcome: {outcomes:?}") };
        assert!(self.report.unfinished.is_empty());
        *kind
    }
}

fn call(method: &'static str, acts: Vec<Act>, how: Caller) -> Told {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let callee = Callee::default();
    let seen = callee.seen.clone();
    enters(&mut setup, "callee", nodes[1], Cast::service(callee));
    let (caller, told) = once(async move |io: &ServiceIo| {
        let call = io.rpc().proxy("callee").call::<Value, _>(method, acts.clone());
        let reply = match how {
            Caller::Waits => call.reply(),
            Caller::WaitsFor(millis) => call.timeout(ms(millis)).reply(),
            Caller::LetsGo => {
                drop(call.defer());
                return None;
            }
            Caller::Dies(millis) => {
                let _calling = call.defer();
                io.sleep(ms(millis)).await;
                panic!("the caller dies");
            }
        };
        let reply = reply.await;
        Some((reply.outcome, reply.elapsed))
    });
    enters(&mut setup, "caller", nodes[0], caller);
    let report = play_unheard(setup);
    Told { callee: seen.take(), caller: told.take().flatten(), report }
}

const ANSWERS: [(Act, OutcomeKind); 4] =
    [(Reply, OutcomeKind::Reply), (Ack, OutcomeKind::Ack), (Nack, OutcomeKind::Nack), (Error, OutcomeKind::Error)];

const UNLESS_SENT: [(Act, OutcomeKind); 3] =
    [(AckUnlessSent, OutcomeKind::Ack), (NackUnlessSent, OutcomeKind::Nack), (ErrorUnlessSent, OutcomeKind::Error)];

/// What the callee is told of an answer when there was one before.
fn second(act: Act, first: OutcomeKind) -> Seen {
    if UNLESS_SENT.iter().any(|(unless, _)| *unless == act) { Ok(false) } else { Err(AnswerError::Second { first }) }
}

/// Every answer alone, and every one followed by every other: what is done, and how the first one counts.
fn rows() -> Vec<(Vec<Act>, OutcomeKind)> {
    let every = || ANSWERS.into_iter().chain(UNLESS_SENT);
    let alone = every().map(|(act, kind)| (vec![act], kind));
    let twice = every().flat_map(|(first, kind)| every().map(move |(second, _)| (vec![first, second], kind)));
    alone.chain(twice).collect()
}

/// What the callee is told of the acts of a row.
fn told_to_callee(acts: &[Act], first: OutcomeKind) -> Vec<Seen> {
    [Ok(true)].into_iter().chain(acts.iter().skip(1).map(|act| second(*act, first))).collect()
}

fn refused(seen: &[Seen]) -> u64 {
    seen.iter().filter(|seen| seen.is_err()).count() as u64
}

/// Acts that begin after a while.
fn after(millis: u64, acts: &[Act]) -> Vec<Act> {
    [Wait(millis)].into_iter().chain(acts.iter().copied()).collect()
}

#[test]
fn the_caller_hears_the_first_answer_and_a_second_one_is_refused_unless_it_is_meant_for_that() {
    assert_eq!(rows().len(), 7 + 7 * 7);
    for (acts, first) in rows() {
        let seen = told_to_callee(&acts, first);
        // At once; 30 ms later; from another step, at 100 ms.
        let ways = [("play", acts.clone(), 20), ("play", after(30, &acts), 50), ("keep", acts.clone(), 110)];
        for (method, script, elapsed) in ways {
            let told = call(method, script, Caller::Waits);
            assert_eq!(told.caller, Some((first, ms(elapsed))), "{method} {acts:?}");
            assert_eq!(told.callee, seen, "{method} {acts:?}");
            assert_eq!(told.counter(SECOND_ANSWERS), refused(&seen), "{method} {acts:?}");
            assert_eq!((told.booked(), told.counter(LATE_ANSWERS)), (first, 0), "{method} {acts:?}");
        }
    }
}

#[test]
fn what_comes_after_the_caller_has_given_up_is_sent_and_dropped_and_the_call_has_timed_out() {
    for (acts, first) in rows() {
        let seen = told_to_callee(&acts, first);
        // It arrives at 10 ms; the caller has given up at 25.
        for (method, script) in [("play", after(30, &acts)), ("keep", acts.clone())] {
            let told = call(method, script, Caller::WaitsFor(25));
            assert_eq!(told.caller, Some((OutcomeKind::TimedOut, ms(25))), "{method} {acts:?}");
            assert_eq!(told.callee, seen, "{method} {acts:?}");
            assert_eq!(told.counter(SECOND_ANSWERS), refused(&seen), "{method} {acts:?}");
            assert_eq!((told.booked(), told.counter(LATE_ANSWERS)), (OutcomeKind::TimedOut, 1), "{method} {acts:?}");
        }
    }
}

#[test]
fn a_caller_that_lets_go_of_its_call_changes_nothing_for_the_callee_and_the_outcome_is_counted() {
    for (acts, first) in rows() {
        for (method, script) in [("play", acts.clone()), ("play", after(30, &acts)), ("keep", acts.clone())] {
            let told = call(method, script, Caller::LetsGo);
            assert_eq!(told.callee, told_to_callee(&acts, first), "{method} {acts:?}");
            assert_eq!((told.booked(), told.counter(LATE_ANSWERS)), (first, 0), "{method} {acts:?}");
        }
    }
}

#[test]
fn a_caller_that_dies_changes_nothing_for_the_callee_and_its_call_times_out() {
    for (acts, first) in rows() {
        for (method, script) in [("play", after(30, &acts)), ("keep", acts.clone())] {
            let told = call(method, script, Caller::Dies(25));
            assert_eq!(told.callee, told_to_callee(&acts, first), "{method} {acts:?}");
            assert_eq!((told.booked(), told.counter(LATE_ANSWERS)), (OutcomeKind::TimedOut, 0), "{method} {acts:?}");
            // The answer found nobody.
            assert_eq!(told.report.traffic.undelivered, 1, "{method} {acts:?}");
            assert_eq!(told.report.ended_at.as_nanos(), ms(2000).as_nanos());
        }
    }
}

#[test]
fn without_an_answer_it_nacks_when_it_is_let_go_of() {
    for (method, script, elapsed) in [("play", vec![], 20), ("play", vec![Wait(30)], 50), ("keep", vec![], 110)] {
        let told = call(method, script, Caller::Waits);
        assert_eq!(told.caller, Some((OutcomeKind::Nack, ms(elapsed))), "{method}");
        assert_eq!((told.booked(), told.counter(SECOND_ANSWERS)), (OutcomeKind::Nack, 0), "{method}");
    }
}

#[test]
fn a_reply_that_cannot_be_sent_leaves_the_call_open() {
    for (acts, outcome) in
        [(vec![], OutcomeKind::Nack), (vec![Error], OutcomeKind::Error), (vec![Ack], OutcomeKind::Ack)]
    {
        let script = [vec![ReplyUnspeakable], acts].concat();
        let told = call("play", script, Caller::Waits);
        assert!(matches!(told.callee[0], Err(AnswerError::Unserialisable { .. })), "{:?}", told.callee);
        assert_eq!((told.caller, told.booked()), (Some((outcome, ms(20))), outcome));
    }
    let told = call("play", vec![Ack, ReplyUnspeakable], Caller::Waits);
    assert_eq!(told.callee[1], Err(AnswerError::Second { first: OutcomeKind::Ack }));
}

#[test]
fn a_panic_is_an_error_unless_there_was_an_answer_before() {
    for (script, outcome, elapsed) in [
        (vec![Panic], OutcomeKind::Error, 20),
        (vec![Wait(30), Panic], OutcomeKind::Error, 50),
        (vec![Ack, Panic], OutcomeKind::Ack, 20),
        (vec![Nack, Wait(30), Panic], OutcomeKind::Nack, 20),
    ] {
        let told = call("play", script.clone(), Caller::Waits);
        assert_eq!((told.caller, told.booked()), (Some((outcome, ms(elapsed))), outcome), "{script:?}");
        assert_eq!(told.counter(SECOND_ANSWERS), 0, "{script:?}");
        let panics: Vec<&str> = told.report.panics.iter().map(|panic| panic.message.as_str()).collect();
        assert_eq!(panics, ["dropped it"], "{script:?}");
    }
}

/// Never answers.
#[derive(Default)]
struct Hoarder(RefCell<Vec<ReplyChannel>>);

impl Hoarder {
    async fn keep(self: Rc<Self>, _: ServiceIo, (): (), channel: ReplyChannel) {
        self.0.borrow_mut().push(channel);
    }
}

impl Service for Hoarder {
    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces.interface("hoard", "1").raw_rpc("keep", "", Hoarder::keep);
    }
}

#[test]
fn a_channel_that_is_kept_for_good_times_out_and_says_nothing_when_the_run_ends() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "hoarder", nodes[1], Cast::service(Hoarder::default()));
    let (caller, told) = once(async |io| io.rpc().proxy("hoarder").call::<(), _>("keep", ()).reply().await);
    enters(&mut setup, "caller", nodes[0], caller);
    let report = play_unheard(setup);
    let reply = told.take().expect("it was called");
    assert_eq!((reply.outcome, reply.elapsed), (OutcomeKind::TimedOut, ms(2000)));
    assert_eq!((report.traffic.sent, report.traffic.in_flight), (1, 0));
}

#[test]
fn a_typed_error_arrives_with_its_type_its_message_and_its_body() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "callee", nodes[1], Cast::service(Callee::default()));
    let (caller, told) = once(async |io| io.rpc().proxy("callee").call::<(), _>("play", vec![Error]).await);
    enters(&mut setup, "caller", nodes[0], caller);
    play_unheard(setup);
    let error = RemoteError { type_name: "Broken".to_owned(), message: "it broke".to_owned(), body: json!(7) };
    assert_eq!(error.downcast::<u8>(), Some(7));
    assert_eq!(told.take(), Some(Err(CallError::Remote(Box::new(error)))));
}

#[test]
fn a_service_that_dies_with_a_channel_in_its_hands_does_not_nack_but_interrupts() {
    struct Clumsy(RefCell<Option<ReplyChannel>>);
    impl Clumsy {
        async fn take(self: Rc<Self>, _: ServiceIo, (): (), channel: ReplyChannel) {
            self.0.replace(Some(channel));
        }
    }
    impl Service for Clumsy {
        fn interfaces(interfaces: &mut Interfaces<Self>) {
            interfaces.interface("clumsy", "1").raw_rpc("take", "", Clumsy::take);
        }
        async fn step(&self, io: &ServiceIo) -> StepResult {
            io.sleep(ms(100)).await;
            let _held = self.0.take();
            panic!("dropped it");
        }
    }
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "clumsy", nodes[1], Cast::service(Clumsy(RefCell::default())));
    enters(&mut setup, "idle", nodes[1], acts(async |_| Ok(Step::Stop)));
    let (caller, told) = once(async |io| io.rpc().proxy("clumsy").call::<(), _>("take", ()).reply().await);
    enters(&mut setup, "caller", nodes[0], caller);
    play_unheard(setup);
    let reply = told.take().expect("it was called");
    // It dies at 100 ms, and word of it takes 10.
    assert_eq!((reply.outcome, reply.elapsed), (OutcomeKind::Interrupted, ms(110)));
}
