//! Services under supervision that note when they begin and end, and do what they are told.

use std::cell::RefCell;
use std::rc::Rc;

use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::interfaces::raw::{Defaults, Handling, HandlingResult, Msg};
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup};
use rehearsal_actors::supervision::{ChildSpec, Restart, Strategy, Supervisor};
use rehearsal_actors::topology::{Link, NodeId};
use rehearsal_actors::trace::{ServiceId, TraceNames};
use rehearsal_actors::units::SimDuration;

use super::cast::{chain, enters, once};
use super::{at_ms, ms};

/// Who did what when.
pub type Diary = Rc<RefCell<Vec<(&'static str, &'static str, SimTime)>>>;

/// Every request takes it so long.
pub const WORK: SimDuration = ms(50);

/// Notes its beginning and its end. Says by a panic, an error or an end what it is told to.
pub struct Worker {
    name: &'static str,
    diary: Diary,
    /// How long its start takes.
    start: SimDuration,
}

impl Worker {
    fn note(&self, what: &'static str, io: &ServiceIo) {
        self.diary.borrow_mut().push((self.name, what, io.now()));
    }

    async fn called(self: Rc<Self>, io: ServiceIo, (): ()) -> Result<u64, Failure> {
        io.sleep(WORK).await;
        Ok(7)
    }

    async fn heard(self: Rc<Self>, io: ServiceIo, _: Event<()>) -> Result<(), StepError> {
        io.sleep(WORK).await;
        self.note("heard", &io);
        Ok(())
    }
}

impl Service for Worker {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        io.sleep(self.start).await;
        self.note("start", io);
        Ok(())
    }

    async fn step(&self, io: &ServiceIo) -> StepResult {
        let order = io.mpi().recv::<&'static str>().no_timeout().await?;
        match order.body {
            "panic" => panic!("as told"),
            "fail" => Err(StepError::new("as told").fatal()),
            "end" => Ok(Step::End),
            "work" => {
                io.sleep(ms(100)).await;
                self.note("worked", io);
                Ok(Step::Continue)
            }
            note => {
                self.note(note, io);
                Ok(Step::Continue)
            }
        }
    }

    fn endpoints(endpoints: &mut Endpoints<Self>) {
        async fn slow(_: Rc<Worker>, io: ServiceIo, _: Request) -> Response {
            io.sleep(WORK).await;
            Response::new(200, 7)
        }
        endpoints.get("/slow", slow);
    }

    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces.interface("work", "1.0").rpc("slow", "", Worker::called);
    }

    fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
        subscriptions.on("work", Worker::heard);
    }

    async fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> HandlingResult {
        if msg.subject != "SLOW" {
            return Ok(Handling::Unhandled(Defaults::default()));
        }
        io.sleep(WORK).await;
        io.raw().send(msg.reply(7))?;
        Ok(Handling::Done)
    }

    fn stop(&self, io: &ServiceIo) {
        self.note("stop", io);
    }
}

pub fn worker(setup: &mut Setup, name: &'static str, node: NodeId, diary: &Diary) -> ChildSpec {
    slow_starter(setup, name, node, diary, SimDuration::ZERO)
}

/// A worker whose start takes so long.
pub fn slow_starter(
    setup: &mut Setup,
    name: &'static str,
    node: NodeId,
    diary: &Diary,
    start: SimDuration,
) -> ChildSpec {
    let diary = diary.clone();
    let make = move || Cast::service(Worker { name, diary: diary.clone(), start });
    child(setup, ServiceSpec::restartable(name, node, make))
}

/// Adds a service, a permanent child.
pub fn child(setup: &mut Setup, service: ServiceSpec) -> ChildSpec {
    setup.services.push(service);
    ChildSpec::service(setup.services.len() - 1)
}

/// Three workers on a node 10 ms away from the first, under a root.
pub fn three(strategy: Strategy, change: impl Fn(&mut ChildSpec)) -> (Setup, Vec<NodeId>, Diary) {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let diary = Diary::default();
    let mut root = Supervisor { strategy, ..Supervisor::new("root") };
    for name in ["a", "b", "c"] {
        let mut child = worker(&mut setup, name, nodes[1], &diary);
        change(&mut child);
        root.children.push(child);
    }
    setup.supervision = Some(root);
    (setup, nodes, diary)
}

/// Adds somebody who does this once, as the last, temporary child of the root; and the place where
/// the result will be.
pub fn outsider<T: 'static>(
    setup: &mut Setup,
    name: &str,
    node: NodeId,
    act: impl AsyncFn(&ServiceIo) -> T + 'static,
) -> Rc<RefCell<Option<T>>> {
    let (cast, result) = once(act);
    enters(setup, name, node, cast);
    let outsider = ChildSpec { restart: Restart::Temporary, ..ChildSpec::service(setup.services.len() - 1) };
    setup.supervision.as_mut().expect("there is a tree").children.push(outsider);
    result
}

/// Somebody at that node who sends orders at times.
pub fn orders(setup: &mut Setup, node: NodeId, orders: &'static [(u64, &'static str, &'static str)]) {
    outsider(setup, "boss", node, async move |io| {
        for (at, to, order) in orders {
            io.sleep_until(at_ms(*at)).await;
            let _ = io.mpi().tell(*to, *order);
        }
    });
}

pub fn id_of(setup: &Setup, name: &str) -> ServiceId {
    let names = setup.services.iter().map(|service| service.name.clone()).collect();
    TraceNames { services: names }.find(name).expect("it is in the cast")
}

/// Lets something happen at that millisecond.
pub fn strike(setup: &mut Setup, at: u64, change: Change) {
    setup.changes.push(ScheduledChange { at: at_ms(at), change });
}

pub fn kill(setup: &mut Setup, at: u64, name: &str) {
    let change = Change::Kill(id_of(setup, name));
    strike(setup, at, change);
}

pub fn kill_supervisor(setup: &mut Setup, at: u64, name: &str) {
    strike(setup, at, Change::KillSupervisor(name.to_owned()));
}

/// What they noted from that millisecond on.
pub fn from_ms(diary: &Diary, at: u64) -> Vec<(&'static str, &'static str, SimTime)> {
    diary.borrow().iter().filter(|(.., noted)| *noted >= at_ms(at)).copied().collect()
}

/// Does nothing at all.
pub struct Idle;

impl Service for Idle {}
