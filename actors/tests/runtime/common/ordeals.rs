//! Requests through every interface among supervised services, which are killed, panic, fail, stand on
//! machines that crash, and are restarted: all drawn at random.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use futures_util::future::{join, join_all};
use proptest::prelude::*;

use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::interfaces::raw::{Defaults, Draft, Handling, HandlingResult, Msg};
use rehearsal_actors::outcome::Interface;
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Cast, LinkModel, Ordering, ServiceSpec, Setup};
use rehearsal_actors::supervision::{
    Backoff, ChildSpec, Intensity, Queued, Restart, Shutdown, Strategy as Tactics, Supervisor,
};
use rehearsal_actors::topology::NodeId;
use rehearsal_actors::trace::ServiceId;
use rehearsal_actors::units::Probability;

use super::cast::Parcel;
use super::cuts::{Cut, cuts_of, scheduled};
use super::networks::{NetworkPlan, Noise, networks};
use super::{at_ms, ms};

/// What a handler does with a request; its place in [`DEEDS`] goes along with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    Answers,
    /// After so many milliseconds.
    Slowly(u64),
    Panics,
    /// After so many milliseconds.
    PanicsLater(u64),
    /// Returns an error, and no answer.
    Fails,
    /// Says nothing.
    Forgets,
}

const DEEDS: [Deed; 7] = [
    Deed::Answers,
    Deed::Slowly(20),
    Deed::Slowly(3000),
    Deed::Panics,
    Deed::PanicsLater(10),
    Deed::Fails,
    Deed::Forgets,
];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    Send,
    SendAndForget,
    Rest(usize),
    Rpc(usize),
    Raw(usize),
    RawAndForget(usize),
    /// The future is dropped.
    RawUnheard(usize),
    Event(usize),
}

impl How {
    fn interface(self) -> Interface {
        match self {
            How::Send | How::SendAndForget => Interface::Mpi,
            How::Rest(_) => Interface::Rest,
            How::Rpc(_) => Interface::Rpc,
            How::Raw(_) | How::RawAndForget(_) | How::RawUnheard(_) => Interface::Raw,
            How::Event(_) => Interface::Event,
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Errand {
    /// Milliseconds after the start.
    at: u64,
    from: usize,
    to: usize,
    how: How,
    bytes: u64,
    /// Milliseconds; `None` is the scenario's 2 s.
    timeout: Option<u64>,
}

impl Errand {
    pub fn timeout(&self) -> SimDuration {
        ms(self.timeout.unwrap_or(2000))
    }
}

/// How a service ends by itself, if it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    Panics(u64),
    Fails(u64),
    Ends(u64),
}

#[derive(Clone, Debug)]
pub struct Part {
    pub node: usize,
    pub end: Option<End>,
    /// Milliseconds that its start takes.
    start: u64,
    /// Panics when it is stopped.
    rude: bool,
    /// Under the root, or one of the two supervisors below it.
    pub boss: usize,
    pub spec: Terms,
}

/// How a child is treated.
#[derive(Clone, Debug)]
pub struct Terms {
    pub restart: Restart,
    shutdown: Shutdown,
    queued: Queued,
    pub fallback: Vec<usize>,
}

/// A supervisor, without its children.
#[derive(Clone, Debug)]
pub struct Post {
    tactics: Tactics,
    intensity: (u32, u64),
    backoff: Option<(u64, u64, f64)>,
    await_starts: bool,
    pub spec: Terms,
}

#[derive(Clone, Debug)]
pub enum Blow {
    Kill(usize),
    /// One of the two below the root.
    KillSupervisor(usize),
    Crash(usize),
    Restart(usize),
}

#[derive(Clone, Debug)]
pub struct Ordeal {
    pub plan: NetworkPlan,
    pub parts: Vec<Part>,
    /// The first below the root, the second below it or the first.
    pub posts: [Post; 2],
    nested: bool,
    root: Tactics,
    pub errands: Vec<Errand>,
    cuts: Vec<Cut>,
    /// At milliseconds.
    blows: Vec<(u64, Blow)>,
}

/// What the askers saw.
#[derive(Default)]
pub struct Diary {
    /// Requests that were made, by interface.
    pub made: RefCell<BTreeMap<Interface, u64>>,
    /// Ends of requests that somebody waited for: which, and after how long.
    pub answers: RefCell<Vec<(usize, SimDuration)>>,
    /// Errands that were run: one that ends its own service is not run by the next life again.
    run: RefCell<BTreeSet<usize>>,
    /// Services that have ended by themselves, as they were to.
    ended: RefCell<BTreeSet<usize>>,
    /// Requests that somebody waits for, and has not heard of.
    pub open: Cell<i64>,
}

impl Diary {
    fn note(&self, interface: Interface, count: u64) {
        *self.made.borrow_mut().entry(interface).or_default() += count;
    }
}

/// Whoever waits, or has gone away over it.
struct Waiting<'a>(&'a Diary);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
    }
}

struct Player {
    index: usize,
    errands: Rc<[(usize, Errand)]>,
    part: Part,
    services: u64,
    diary: Rc<Diary>,
}

async fn act(io: &ServiceIo, which: usize) -> Result<(), StepError> {
    match DEEDS[which % DEEDS.len()] {
        Deed::Answers | Deed::Forgets => {}
        Deed::Slowly(millis) => io.sleep(ms(millis)).await,
        Deed::Panics => panic!("a handler that panics"),
        Deed::PanicsLater(millis) => {
            io.sleep(ms(millis)).await;
            panic!("a handler that panics later");
        }
        Deed::Fails => return Err(StepError::new("a handler that fails")),
    }
    Ok(())
}

impl Player {
    async fn run(&self, io: &ServiceIo, id: usize, errand: &Errand) {
        if at_ms(errand.at) < io.now() {
            return;
        }
        io.sleep_until(at_ms(errand.at)).await;
        if !self.diary.run.borrow_mut().insert(id) {
            return;
        }
        let began = io.now();
        let name = format!("s{}", errand.to);
        let count = if let How::Event(_) = errand.how { self.services } else { 1 };
        self.diary.note(errand.how.interface(), count);
        let address = io.raw().address_of(&name).expect("it is in the cast");
        let text = "x".repeat(errand.bytes as usize);
        let draft = |which: usize| Draft::new(address, which.to_string()).contents(text.clone());
        self.diary.open.set(self.diary.open.get() + 1);
        let waiting = Waiting(&self.diary);
        match errand.how {
            How::Send => {
                let sent = io.mpi().send_sized(name, Parcel(id), Bytes(errand.bytes));
                let _ = sent.timeout(errand.timeout()).await;
            }
            How::Rest(which) => {
                let call = io.rest().call(Method::Get, &format!("{name}/{which}"), text);
                call.timeout(errand.timeout()).await;
            }
            How::Rpc(which) => {
                let call = io.rpc().proxy(name).call::<(), _>("act", (which, text));
                let _ = call.timeout(errand.timeout()).await;
            }
            How::Raw(which) => {
                let _ = io.raw().request(draft(which)).timeout(errand.timeout()).await;
            }
            How::RawUnheard(which) => return drop(io.raw().request(draft(which)).timeout(errand.timeout()).send()),
            How::SendAndForget => return drop(io.mpi().send_sized(name, Parcel(id), Bytes(errand.bytes))),
            How::RawAndForget(which) => return drop(io.raw().send(draft(which))),
            How::Event(which) => return drop(io.events().emit("act", which)),
        }
        drop(waiting);
        self.diary.answers.borrow_mut().push((id, io.now().since(began)));
    }

    async fn called(self: Rc<Self>, io: ServiceIo, (which, _): (usize, String)) -> Result<(), Failure> {
        act(&io, which).await.map_err(|error| Failure::nack(error.to_string()))
    }

    async fn heard(self: Rc<Self>, io: ServiceIo, event: Event<usize>) -> Result<(), StepError> {
        act(&io, event.body).await
    }

    async fn asked(self: Rc<Self>, io: ServiceIo, request: Request) -> Response {
        let which = request.params.get("which").and_then(|which| which.parse().ok()).unwrap_or(0);
        match act(&io, which).await {
            Ok(()) => Response::new(200, "done"),
            Err(error) => Response::problem(500, &error.to_string()),
        }
    }
}

impl Service for Player {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        io.sleep(ms(self.part.start)).await;
        Ok(())
    }

    async fn step(&self, io: &ServiceIo) -> StepResult {
        let errands = join_all(self.errands.iter().map(|(id, errand)| self.run(io, *id, errand)));
        let end = async {
            let Some(End::Panics(at) | End::Fails(at) | End::Ends(at)) = self.part.end else { return Step::Continue };
            if at_ms(at) < io.now() {
                return Step::Continue;
            }
            io.sleep_until(at_ms(at)).await;
            if !self.diary.ended.borrow_mut().insert(self.index) {
                return Step::Continue;
            }
            match self.part.end {
                Some(End::Panics(_)) => panic!("as the script says"),
                _ => Step::End,
            }
        };
        let fails = matches!(self.part.end, Some(End::Fails(_)));
        match join(end, errands).await.0 {
            Step::End if fails => return Err(StepError::new("as the script says").fatal()),
            Step::End => return Ok(Step::End),
            _ => {}
        }
        loop {
            io.mpi().recv::<Parcel>().no_timeout().await?;
        }
    }

    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.get("/{which}", Player::asked);
    }

    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces.interface("player", "1.0").rpc("act", "", Player::called);
    }

    fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
        subscriptions.on("act", Player::heard);
    }

    async fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> HandlingResult {
        // Two who answer each other's answers would never come to an end.
        let (Ok(which), false) = (msg.subject.parse::<usize>(), msg.is_reply()) else {
            return Ok(Handling::Unhandled(Defaults::default()));
        };
        act(io, which).await?;
        if DEEDS[which % DEEDS.len()] != Deed::Forgets {
            io.raw().send(msg.reply("done"))?;
        }
        Ok(Handling::Done)
    }

    fn stop(&self, _: &ServiceIo) {
        assert!(!self.part.rude, "no goodbye");
    }
}

impl Terms {
    fn of(&self, child: ChildSpec, nodes: &[NodeId]) -> ChildSpec {
        let fallback = self.fallback.iter().map(|node| nodes[*node]).collect();
        ChildSpec { restart: self.restart, shutdown: self.shutdown, queued: self.queued, fallback, ..child }
    }
}

impl Post {
    fn named(&self, name: &str) -> Supervisor {
        let backoff = self.backoff.map(|(first, most, jitter)| Backoff {
            first: ms(first),
            most: ms(most),
            jitter: Probability::new(jitter).expect("it is one"),
        });
        Supervisor {
            strategy: self.tactics,
            intensity: Intensity { restarts: self.intensity.0, period: ms(self.intensity.1) },
            backoff,
            await_starts: self.await_starts,
            ..Supervisor::new(name)
        }
    }
}

impl Ordeal {
    /// The same in a network that never changes and loses nothing.
    pub fn in_peace(mut self) -> Self {
        (self.cuts, self.blows) = (Vec::new(), Vec::new());
        for link in &mut self.plan.links {
            (link.jitter, link.loss, link.duplication) = (0, 0.0, 0.0);
        }
        self
    }

    /// The same among hundreds of nodes.
    pub fn in_a_crowd(mut self) -> Self {
        self.plan = self.plan.in_a_crowd();
        self
    }

    pub fn stage(&self, seed: u64, model: LinkModel, ordering: Ordering) -> (Setup, Rc<Diary>) {
        let (topology, nodes, links) = self.plan.topology();
        let mut changes = scheduled(&self.cuts, &nodes, &links);
        changes.extend(self.blows.iter().map(|(at, blow)| {
            let change = match blow {
                Blow::Kill(service) => Change::Kill(ServiceId::at(*service as u32)),
                Blow::KillSupervisor(post) => Change::KillSupervisor(format!("post {post}")),
                Blow::Crash(node) => Change::NodeCrash(nodes[*node]),
                Blow::Restart(node) => Change::NodeRestart(nodes[*node]),
            };
            ScheduledChange { at: at_ms(*at), change }
        }));
        let mut setup = Setup { model, ordering, changes, ..Setup::new(seed, topology) };
        let diary = Rc::new(Diary::default());
        // It never gives up, so that the others' giving up can be seen.
        let never = Intensity { restarts: 100_000, period: ms(1) };
        let mut root =
            Supervisor { strategy: self.root, intensity: never, await_starts: false, ..Supervisor::new("root") };
        let mut posts = [self.posts[0].named("post 0"), self.posts[1].named("post 1")];
        for (index, part) in self.parts.iter().enumerate() {
            let own = |(_, errand): &(usize, &Errand)| errand.from == index;
            let errands = self.errands.iter().enumerate().filter(own).map(|(id, e)| (id, e.clone()));
            let errands: Rc<[_]> = errands.collect();
            let (diary, services, own) = (diary.clone(), self.parts.len() as u64, part.clone());
            let make = move || {
                let (errands, part, diary) = (errands.clone(), own.clone(), diary.clone());
                Cast::service(Player { index, errands, part, services, diary })
            };
            setup.services.push(ServiceSpec::restartable(format!("s{index}"), nodes[part.node], make));
            let child = part.spec.of(ChildSpec::service(index), &nodes);
            match part.boss {
                0 => root.children.push(child),
                post => posts[post - 1].children.push(child),
            }
        }
        let [mut first, second] = posts;
        let no_fallback = |terms: &Terms| Terms { fallback: Vec::new(), queued: Queued::Return, ..terms.clone() };
        let second = no_fallback(&self.posts[1].spec).of(ChildSpec::supervisor(second), &nodes);
        if self.nested {
            first.children.push(second);
        } else {
            root.children.push(second);
        }
        root.children.insert(0, no_fallback(&self.posts[0].spec).of(ChildSpec::supervisor(first), &nodes));
        setup.supervision = Some(root);
        (setup, diary)
    }

    /// Whether a service must be there in the end: everybody from it up to the root is permanent, and
    /// one of the machines that it may stand on has not crashed.
    pub fn must_run(&self, service: usize, setup: &Setup) -> bool {
        let part = &self.parts[service];
        let is_permanent = |post: usize| self.posts[post].spec.restart == Restart::Permanent;
        let above = match part.boss {
            0 => true,
            1 => is_permanent(0),
            _ => is_permanent(1) && (!self.nested || is_permanent(0)),
        };
        let (_, nodes, _) = self.plan.topology();
        let has_crashed = |node: &usize| {
            let mut changes: Vec<&ScheduledChange> = setup.changes.iter().collect();
            changes.sort_by_key(|change| change.at);
            let mut of_node = changes.iter().filter_map(|change| match change.change {
                Change::NodeCrash(of) if of == nodes[*node] => Some(true),
                Change::NodeRestart(of) | Change::NodeUp(of) if of == nodes[*node] => Some(false),
                _ => None,
            });
            of_node.next_back().unwrap_or(false)
        };
        let stands = std::iter::once(&part.node).chain(&part.spec.fallback).any(|node| !has_crashed(node));
        part.spec.restart == Restart::Permanent && above && stands
    }
}

fn tactics() -> impl Strategy<Value = Tactics> {
    prop_oneof![3 => Just(Tactics::OneForOne), 1 => Just(Tactics::OneForAll), 1 => Just(Tactics::RestForOne)]
}

fn terms(nodes: usize) -> impl Strategy<Value = Terms> {
    let restart =
        prop_oneof![4 => Just(Restart::Permanent), 1 => Just(Restart::Transient), 1 => Just(Restart::Temporary)];
    let shutdown = prop_oneof![
        Just(Shutdown::Kill),
        (0u64..100).prop_map(|grace| Shutdown::Grace(ms(grace))),
        Just(Shutdown::Infinity)
    ];
    let queued = prop_oneof![Just(Queued::Return), Just(Queued::Keep)];
    (restart, shutdown, queued, prop::collection::vec(0..nodes, 0..=2))
        .prop_map(|(restart, shutdown, queued, fallback)| Terms { restart, shutdown, queued, fallback })
}

fn posts(nodes: usize) -> impl Strategy<Value = Post> {
    let backoff = prop::option::of((0u64..30, 0u64..100, 0.0..=1.0));
    (tactics(), (0u32..4, 1u64..200), backoff, any::<bool>(), terms(nodes)).prop_map(
        |(tactics, intensity, backoff, await_starts, spec)| Post { tactics, intensity, backoff, await_starts, spec },
    )
}

fn parts(nodes: usize) -> impl Strategy<Value = Part> {
    let end = prop_oneof![
        (1u64..150).prop_map(End::Panics),
        (1u64..150).prop_map(End::Fails),
        (1u64..150).prop_map(End::Ends)
    ];
    let start = prop_oneof![2 => Just(0), 1 => 0u64..40];
    (0..nodes, prop::option::of(end), start, prop::bool::weighted(0.1), 0usize..3, terms(nodes))
        .prop_map(|(node, end, start, rude, boss, spec)| Part { node, end, start, rude, boss, spec })
}

fn hows() -> impl Strategy<Value = How> {
    let deed = 0..DEEDS.len();
    prop_oneof![
        Just(How::Send),
        Just(How::SendAndForget),
        deed.clone().prop_map(How::Rest),
        deed.clone().prop_map(How::Rpc),
        deed.clone().prop_map(How::Raw),
        deed.clone().prop_map(How::RawAndForget),
        deed.clone().prop_map(How::RawUnheard),
        deed.prop_map(How::Event),
    ]
}

/// Two to six services, up to 40 requests among them within 150 ms, and up to 20 blows.
pub fn ordeals() -> impl Strategy<Value = Ordeal> {
    let plans = prop_oneof![networks(Noise::All), networks(Noise::All).prop_map(NetworkPlan::with_short_queues)];
    plans.prop_flat_map(|plan| {
        let nodes = plan.processing.len();
        let company = prop::collection::vec(parts(nodes), 2..=6);
        (company, cuts_of(&plan), Just(plan)).prop_flat_map(move |(parts, cuts, plan)| {
            let count = parts.len();
            let timeout = prop_oneof![Just(None), (0u64..3000).prop_map(Some)];
            let errand = (0u64..150, 0..count, 0..count, hows(), 0u64..2000, timeout)
                .prop_map(|(at, from, to, how, bytes, timeout)| Errand { at, from, to, how, bytes, timeout });
            let blow = prop_oneof![
                3 => (0..count).prop_map(Blow::Kill),
                1 => (0usize..2).prop_map(Blow::KillSupervisor),
                1 => (0..nodes).prop_map(Blow::Crash),
                1 => (0..nodes).prop_map(Blow::Restart),
            ];
            let errands = prop::collection::vec(errand, 1..40);
            let blows = prop::collection::vec((0u64..200, blow), 0..20);
            let posts = [posts(nodes), posts(nodes)];
            (errands, blows, posts, any::<bool>(), tactics()).prop_map(move |(errands, blows, posts, nested, root)| {
                let (plan, parts, cuts) = (plan.clone(), parts.clone(), cuts.clone());
                Ordeal { plan, parts, posts, nested, root, errands, cuts, blows }
            })
        })
    })
}
