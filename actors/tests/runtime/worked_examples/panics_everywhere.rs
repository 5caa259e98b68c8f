//! A panic in whatever code of a service the runtime runs: the run goes on, the caller gets its outcome,
//! the supervisor restarts the service, and the next one is well.

use std::cell::{Cell, RefCell};
use std::future::{Future, Ready, ready};
use std::rc::Rc;

use actix::{Actor, Handler};
use futures_util::future::{Either, select};
use serde::{Serialize, Serializer};

use rehearsal_actors::interfaces::raw::{Draft, Handling, HandlingResult, Msg};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::{Ending, RestartCause};
use rehearsal_actors::router::Address;
use rehearsal_actors::simulation::{Cast, ServiceSpec};
use rehearsal_actors::supervision::{Intensity, Supervisor};
use rehearsal_actors::topology::Link;

use crate::common::cast::{chain, once};
use crate::common::ms;
use crate::common::story::play;
use crate::common::troupe::{child, kill, outsider};

/// Where to panic, once. It is over when it has.
#[derive(Clone, Default)]
struct Weak(Rc<Cell<Option<&'static str>>>);

impl Weak {
    fn touch(&self, place: &str) {
        if self.0.get() == Some(place) {
            self.0.set(None);
            // Two panics at once would end the process.
            assert!(std::thread::panicking(), "{place} broke");
        }
    }
}

/// A body that breaks when it is put into bytes, or dropped.
#[derive(Clone)]
struct Glass(Weak);

impl Serialize for Glass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.touch("a body's bytes");
        serializer.serialize_unit()
    }
}

impl Drop for Glass {
    fn drop(&mut self) {
        self.0.touch("a body's drop");
    }
}

/// Does everything that a service can, well unless it is at its weak point.
struct Brittle {
    weak: Weak,
    /// Where its opened connection is.
    opened: Rc<RefCell<Option<Address>>>,
}

impl Brittle {
    async fn call(self: Rc<Self>, io: ServiceIo, (): ()) -> Result<u32, Failure> {
        self.weak.touch("a method");
        io.sleep(ms(5)).await;
        self.weak.touch("a method, later");
        Ok(7)
    }

    async fn glass(self: Rc<Self>, _: ServiceIo, (): ()) -> Result<Glass, Failure> {
        Ok(Glass(self.weak.clone()))
    }

    fn sudden(self: Rc<Self>, _: ServiceIo, (): ()) -> impl Future<Output = Result<u32, Failure>> {
        self.weak.touch("a method's beginning");
        ready(Ok(7))
    }

    async fn raw_call(self: Rc<Self>, _: ServiceIo, (): (), channel: ReplyChannel) {
        self.weak.touch("a raw method");
        let _ = channel.reply(7u32);
        self.weak.touch("a raw method that has replied");
    }

    async fn heard(self: Rc<Self>, _: ServiceIo, _: Event<()>) -> Result<(), StepError> {
        self.weak.touch("an event's handler");
        Ok(())
    }

    async fn asked(self: Rc<Self>, io: ServiceIo, _: Request) -> Response {
        self.weak.touch("an endpoint");
        io.sleep(ms(5)).await;
        self.weak.touch("an endpoint, later");
        Response::new(200, Glass(self.weak.clone()))
    }

    fn at_once(self: Rc<Self>, _: ServiceIo, _: Request) -> Ready<Response> {
        self.weak.touch("an endpoint's beginning");
        ready(Response::new(200, 7))
    }
}

impl Service for Brittle {
    async fn start(&self, _: &ServiceIo) -> Result<(), StepError> {
        self.weak.touch("start");
        Ok(())
    }

    async fn step(&self, io: &ServiceIo) -> StepResult {
        let weak = self.weak.clone();
        let connection = io.raw().open_with(async move |io: ServiceIo, msg: Msg| -> HandlingResult {
            weak.touch("an opened connection's handler");
            io.raw().send(msg.reply(7))?;
            Ok(Handling::Done)
        });
        self.opened.replace(Some(connection.address()));
        loop {
            let (text, glass) = (io.mpi().recv::<String>().no_timeout(), io.mpi().recv::<Glass>().no_timeout());
            match select(text, glass).await {
                Either::Left((text, _)) => {
                    self.weak.touch("a step");
                    if text?.body == "end" {
                        return Ok(Step::End);
                    }
                }
                Either::Right((glass, _)) => drop(glass?),
            }
        }
    }

    async fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> HandlingResult {
        self.weak.touch("a raw handler");
        io.raw().send(msg.reply(7))?;
        Ok(Handling::Done)
    }

    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.get("/ask", Brittle::asked).get("/at_once", Brittle::at_once);
    }

    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces
            .interface("brittle", "1.0")
            .rpc("call", "", Brittle::call)
            .rpc("glass", "", Brittle::glass)
            .rpc("sudden", "", Brittle::sudden)
            .raw_rpc("raw_call", "", Brittle::raw_call);
    }

    fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
        subscriptions.on("event", Brittle::heard);
    }

    fn stop(&self, _: &ServiceIo) {
        self.weak.touch("stop");
    }
}

impl Drop for Brittle {
    fn drop(&mut self) {
        self.weak.touch("drop");
    }
}

/// An actor with a handler, and its weak point there.
struct Plain(Weak);

impl Actor for Plain {
    type Context = ServiceContext<Self>;
}

impl Networked for Plain {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<String>();
    }
}

impl Handler<Delivery<String>> for Plain {
    type Result = ();

    fn handle(&mut self, _: Delivery<String>, _: &mut ServiceContext<Self>) {
        self.0.touch("an actor's handler");
    }
}

/// By which way somebody reaches for it.
#[derive(Clone, Copy, Debug)]
enum By {
    Message(&'static str),
    Glass,
    Get(&'static str),
    Call(&'static str),
    Raw,
    Opened,
    Event,
    /// A fault kills it after 50 ms; then a message.
    Kill,
}

/// What comes of it, in a word.
async fn reach(io: &ServiceIo, by: By, weak: &Weak, opened: &RefCell<Option<Address>>) -> String {
    let word = |error: CallError| match error {
        CallError::Remote(error) => format!("remote {}", error.type_name),
        CallError::Failed { .. } => "failed".to_owned(),
        other => other.to_string(),
    };
    let ended = match by {
        By::Message(text) => io.mpi().send("brittle", text.to_owned()).await.map(|_| ()),
        By::Kill => io.mpi().send("brittle", String::new()).await.map(|_| ()),
        By::Glass => io.mpi().send("brittle", Glass(weak.clone())).await.map(|_| ()),
        By::Get(path) => return io.rest().get(path).await.status.to_string(),
        By::Call(method) => io.rpc().proxy("brittle").call::<serde_json::Value, _>(method, ()).await.map(|_| ()),
        By::Raw => {
            let to = io.raw().address_of("brittle").expect("it is in the cast");
            io.raw().request(Draft::new(to, "HELLO")).await.map(|_| ())
        }
        By::Opened => {
            let to = opened.borrow().expect("it has begun");
            io.raw().request(Draft::new(to, "HELLO")).await.map(|_| ())
        }
        By::Event => io.events().emit("event", ()).map(|_| ()).map_err(|_| unreachable!("the topic is one")),
    };
    ended.map_or_else(word, |()| "fine".to_owned())
}

/// Where it breaks, how it is reached, what the caller gets for it, and what the next caller gets.
const TABLE: [(&str, By, &str, &str); 22] = [
    ("an actor's handler", By::Message("go"), "fine", "fine"),
    ("a step", By::Message("go"), "fine", "fine"),
    ("a body's drop", By::Glass, "fine", "fine"),
    ("an endpoint", By::Get("brittle/ask"), "500", "200"),
    ("an endpoint, later", By::Get("brittle/ask"), "500", "200"),
    ("an endpoint's beginning", By::Get("brittle/at_once"), "500", "200"),
    ("a body's bytes", By::Get("brittle/ask"), "500", "200"),
    ("a body's drop", By::Get("brittle/ask"), "500", "200"),
    ("a method", By::Call("call"), "remote Panic", "fine"),
    ("a method, later", By::Call("call"), "remote Panic", "fine"),
    ("a method's beginning", By::Call("sudden"), "remote Panic", "fine"),
    ("a body's bytes", By::Call("glass"), "remote Panic", "fine"),
    ("a raw method", By::Call("raw_call"), "remote Panic", "fine"),
    ("a raw method that has replied", By::Call("raw_call"), "fine", "fine"),
    ("a raw handler", By::Raw, "failed", "fine"),
    ("an opened connection's handler", By::Opened, "failed", "fine"),
    ("an event's handler", By::Event, "fine", "fine"),
    ("start", By::Message("go"), "fine", "fine"),
    ("stop", By::Message("end"), "fine", "fine"),
    ("drop", By::Message("end"), "fine", "fine"),
    ("drop", By::Kill, "fine", "fine"),
    ("recast", By::Kill, "fine", "fine"),
];

#[test]
fn wherever_a_service_panics_its_caller_gets_an_outcome_and_its_supervisor_gives_it_another_life() {
    for (place, by, first, second) in TABLE {
        let (mut setup, nodes) = chain([Link::new(ms(10))]);
        let weak = Weak::default();
        let opened = Rc::new(RefCell::new(None));
        let (own, other) = (weak.clone(), opened.clone());
        let make = move || match place {
            "an actor's handler" => Cast::actor(Plain(own.clone())),
            _ => {
                own.touch("recast");
                Cast::service(Brittle { weak: own.clone(), opened: other.clone() })
            }
        };
        let brittle = child(&mut setup, ServiceSpec::restartable("brittle", nodes[1], make));
        weak.0.set(Some(place));
        let intensity = Intensity { restarts: 5, period: ms(5000) };
        setup.supervision =
            Some(Supervisor { intensity, await_starts: false, children: vec![brittle], ..Supervisor::new("root") });
        if let By::Kill = by {
            kill(&mut setup, 50, "brittle");
        }
        let own = weak.clone();
        let words = outsider(&mut setup, "caller", nodes[0], async move |io| {
            let first = reach(io, by, &own, &opened).await;
            io.sleep(ms(100)).await;
            (first, reach(io, by, &own, &opened).await)
        });
        let (report, _) = play(setup);
        let row = format!("{place}, {by:?}");
        assert_eq!(report.ending, Ending::Quiescent, "{row}");
        assert_eq!(words.take(), Some((first.to_owned(), second.to_owned())), "{row}");
        let messages: Vec<&str> = report.panics.iter().map(|panic| panic.message.as_str()).collect();
        assert_eq!(messages, [format!("{place} broke")], "{row}");
        assert!(report.unfinished.is_empty(), "{row}: {:?}", report.unfinished);
        let caller = &report.services[1];
        let (sender, brittle) = (caller.crashed, &report.services[0]);
        assert!(!sender && brittle.running && brittle.incarnation >= 2, "{row}: {:?}", report.supervision);
        let of = |cause| report.supervision.restarts.get(&("brittle".to_owned(), cause)).copied().unwrap_or(0);
        let cause = match (place, by) {
            // Whoever makes it anew is no part of it: it was killed, and the second attempt was good.
            ("recast", _) => RestartCause::Killed,
            // It had ended already.
            ("drop", By::Message(_)) => RestartCause::Ended,
            _ => RestartCause::Panic,
        };
        assert!(of(cause) >= 1, "{row}: {:?}", report.supervision.restarts);
    }
}

#[test]
fn whoever_sends_a_body_that_cannot_be_put_into_bytes_without_a_panic_is_the_one_who_fails() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let weak = Weak::default();
    weak.0.set(Some("a body's bytes"));
    let (cast, _) = once(async move |io| io.mpi().send("caller", Glass(weak.clone())).await.map(|_| ()));
    setup.services.push(ServiceSpec::new("caller", nodes[0], cast));
    let (report, _) = play(setup);
    assert!(report.services[0].crashed && report.panic_count == 1);
    assert_eq!(report.ending, Ending::Quiescent);
}
