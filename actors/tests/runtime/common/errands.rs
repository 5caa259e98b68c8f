//! Requests of every kind, among services some of which fail in every way there is.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use actix::{Actor, AsyncContext, Handler};
use futures_util::future::{join, join_all};
use proptest::prelude::*;

use rehearsal_actors::outcome::Interface;
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Cast, LinkModel, Ordering, ServiceSpec, Setup};

use super::cast::Parcel;
use super::cuts::{Cut, cuts_of, scheduled};
use super::networks::{NetworkPlan, Noise, networks};
use super::{at_ms, ms};

/// What a service is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// It answers, and makes its own requests.
    Serves,
    /// The same, until it panics at that millisecond.
    Crashes(u64),
    /// A plain actor that takes parcels and no requests, and forgets what it sends.
    Handles,
    /// A plain actor that takes nothing at all.
    Deaf,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    Await,
    /// Sent, and the future dropped.
    Forget,
    /// A request to one of [`ENDPOINTS`].
    Ask(usize),
}

/// Answered at once; answered after 3 s; panics; no such endpoint; no such method.
const ENDPOINTS: [(Method, &str); 5] = [
    (Method::Get, "fine"),
    (Method::Post, "slow"),
    (Method::Get, "panics"),
    (Method::Get, "nothing"),
    (Method::Delete, "fine"),
];

/// One request.
#[derive(Clone, Debug)]
pub struct Errand {
    /// Milliseconds after the start.
    at: u64,
    from: usize,
    /// Nobody by the name if `None`.
    to: Option<usize>,
    how: How,
    bytes: u64,
    /// Milliseconds; `None` is the scenario's 2 s.
    timeout: Option<u64>,
}

impl Errand {
    pub fn from(&self) -> usize {
        self.from
    }

    pub fn timeout(&self) -> SimDuration {
        ms(self.timeout.unwrap_or(2000))
    }
}

#[derive(Clone, Debug)]
pub struct Bustle {
    pub plan: NetworkPlan,
    /// By service: its node and what it is.
    pub services: Vec<(usize, Role)>,
    pub errands: Vec<Errand>,
    pub cuts: Vec<Cut>,
}

/// What the askers saw.
#[derive(Default)]
pub struct Diary {
    /// Requests that were made, by interface.
    pub mpi: Cell<u64>,
    pub rest: Cell<u64>,
    /// Errands that somebody waits for.
    pub awaited: RefCell<Vec<usize>>,
    /// Their ends: which, and after how long.
    pub answers: RefCell<Vec<(usize, SimDuration)>>,
}

impl Diary {
    fn note(&self, interface: Interface) {
        let made = if interface == Interface::Rest { &self.rest } else { &self.mpi };
        made.set(made.get() + 1);
    }
}

struct Runner {
    errands: Vec<(usize, Errand)>,
    crashes: Option<u64>,
    diary: Rc<Diary>,
}

impl Runner {
    async fn run(&self, io: &ServiceIo, id: usize, errand: &Errand) {
        io.sleep_until(at_ms(errand.at)).await;
        let began = io.now();
        let name = errand.to.map_or("nobody".to_owned(), |to| format!("s{to}"));
        let (parcel, bytes) = (Parcel(id), Bytes(errand.bytes));
        self.diary.note(if let How::Ask(_) = errand.how { Interface::Rest } else { Interface::Mpi });
        if errand.how != How::Forget {
            self.diary.awaited.borrow_mut().push(id);
        }
        match errand.how {
            How::Forget => return drop(io.mpi().send_sized(name, parcel, bytes)),
            How::Await => {
                let _ = io.mpi().send_sized(name, parcel, bytes).timeout(errand.timeout()).await;
            }
            How::Ask(which) => {
                let (method, path) = ENDPOINTS[which];
                let body = "x".repeat(errand.bytes as usize);
                let call = io.rest().call(method, &format!("{name}/{path}"), body);
                call.timeout(errand.timeout()).await;
            }
        }
        self.diary.answers.borrow_mut().push((id, io.now().since(began)));
    }
}

impl Service for Runner {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let errands = join_all(self.errands.iter().map(|(id, errand)| self.run(io, *id, errand)));
        let end = async {
            if let Some(at) = self.crashes {
                io.sleep_until(at_ms(at)).await;
                panic!("as the script says");
            }
        };
        join(errands, end).await;
        Ok(Step::Stop)
    }

    fn endpoints(endpoints: &mut Endpoints<Self>) {
        async fn fine(_: Rc<Runner>, _: ServiceIo, _: Request) -> Response {
            Response::new(200, "fine")
        }
        async fn slow(_: Rc<Runner>, io: ServiceIo, _: Request) {
            io.sleep(ms(3000)).await;
        }
        async fn panics(_: Rc<Runner>, _: ServiceIo, _: Request) {
            panic!("a handler that panics");
        }
        endpoints.get("/fine", fine).post("/slow", slow).get("/panics", panics);
    }
}

/// A plain actor; every request it makes is one that nobody awaits.
struct Handles(Vec<(usize, Errand)>, Rc<Diary>);

impl Actor for Handles {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        for (id, errand) in self.0.drain(..) {
            let Some(to) = errand.to else { continue };
            ctx.run_later(ms(errand.at).into(), move |actor, ctx| {
                let to = ctx.find(&format!("s{to}")).expect("it is in the cast");
                actor.1.note(Interface::Mpi);
                // An error is the outcome, and counted as such.
                let _ = ctx.send_sized(to, Parcel(id), Bytes(errand.bytes));
            });
        }
    }
}

impl Networked for Handles {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Parcel>();
    }
}

impl Handler<Delivery<Parcel>> for Handles {
    type Result = ();
    fn handle(&mut self, _: Delivery<Parcel>, _: &mut ServiceContext<Self>) {}
}

struct Deaf;

impl Actor for Deaf {
    type Context = ServiceContext<Self>;
}

impl Networked for Deaf {
    fn accepts(_: &mut Accepts<Self>) {}
}

impl Bustle {
    pub fn stage(&self, seed: u64, model: LinkModel, ordering: Ordering) -> (Setup, Rc<Diary>) {
        let (topology, nodes, links) = self.plan.topology();
        let changes = scheduled(&self.cuts, &nodes, &links);
        let mut setup = Setup { model, ordering, changes, ..Setup::new(seed, topology) };
        let diary = Rc::new(Diary::default());
        for (service, (node, role)) in self.services.iter().enumerate() {
            let own = |(_, errand): &(usize, &Errand)| errand.from == service;
            let errands: Vec<_> = self.errands.iter().enumerate().filter(own).map(|(id, e)| (id, e.clone())).collect();
            let runner = |crashes| Cast::service(Runner { errands: errands.clone(), crashes, diary: diary.clone() });
            let cast = match *role {
                Role::Serves => runner(None),
                Role::Crashes(at) => runner(Some(at)),
                Role::Handles => Cast::actor(Handles(errands, diary.clone())),
                Role::Deaf => Cast::actor(Deaf),
            };
            setup.services.push(ServiceSpec::new(format!("s{service}"), nodes[*node], cast));
        }
        (setup, diary)
    }
}

/// Two to six services of every kind, and up to 40 requests among them within 150 ms.
pub fn bustles() -> impl Strategy<Value = Bustle> {
    let plans = prop_oneof![networks(Noise::All), networks(Noise::All).prop_map(NetworkPlan::with_short_queues)];
    plans.prop_flat_map(|plan| {
        let role = prop_oneof![
            4 => Just(Role::Serves),
            1 => (1u64..150).prop_map(Role::Crashes),
            2 => Just(Role::Handles),
            1 => Just(Role::Deaf),
        ];
        let services = prop::collection::vec((0..plan.processing.len(), role), 2..=6);
        (services, cuts_of(&plan), Just(plan)).prop_flat_map(|(services, cuts, plan)| {
            let count = services.len();
            let to = prop_oneof![9 => (0..count).prop_map(Some), 1 => Just(None)];
            let how = prop_oneof![Just(How::Await), Just(How::Forget), (0..ENDPOINTS.len()).prop_map(How::Ask)];
            let timeout = prop_oneof![Just(None), (0u64..3000).prop_map(Some)];
            let errand = (0u64..150, 0..count, to, how, 0u64..5000, timeout)
                .prop_map(|(at, from, to, how, bytes, timeout)| Errand { at, from, to, how, bytes, timeout });
            prop::collection::vec(errand, 1..40).prop_map(move |errands| Bustle {
                plan: plan.clone(),
                services: services.clone(),
                errands,
                cuts: cuts.clone(),
            })
        })
    })
}
