//! What a delivery costs, in whole runs through the public API: routes, sizes, outcomes, order and
//! trace hash are on, as they are for everybody.
//!
//! ```text
//! cargo bench                             everything, in some minutes
//! cargo bench -- --quick ping_pong        the first impression of one group
//! ```
//!
//! A run is measured from the start of its services to its report, first routes included; building
//! its network is not. Throughput is in deliveries (of `parse`, in bytes). How this compares with
//! other runtimes is the subject of `benches/yardsticks`.

use std::cell::{Cell, OnceCell};
use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rehearsal::actors::interfaces::rpc::Proxy;
use rehearsal::actors::random::{Stream, Streams};
use rehearsal::actors::report::{Ending, Report};
use rehearsal::actors::simulation::{Progress, ServiceSpec, Setup, run};
use rehearsal::actors::topology::{Link, Node, NodeId, Topology};
use rehearsal::prelude::*;
use rehearsal::scenario::Scenario;
use serde::Serialize;

/// Deliveries in a run. A build for tests only shows that the benchmarks work.
const DELIVERIES: u64 = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };

const MILLISECOND: SimDuration = SimDuration::from_millis(1);

/// Nodes joined as told, and a service on each.
fn setup(links: &[(usize, usize, SimDuration)], casts: impl IntoIterator<Item = Cast>) -> Setup {
    let mut topology = Topology::new();
    let mut services = Vec::new();
    for (i, cast) in casts.into_iter().enumerate() {
        let node = topology.add_node(Node::new(format!("node-{i}"))).expect("names differ");
        services.push(ServiceSpec::new(format!("service-{i}"), node, cast));
    }
    let nodes: Vec<NodeId> = topology.nodes().map(|(id, _)| id).collect();
    for &(a, b, latency) in links {
        topology.add_symmetric(nodes[a], nodes[b], Link::new(latency)).expect("each is there once");
    }
    let mut setup = Setup::new(1, topology);
    setup.services = services;
    setup
}

fn perform(setup: Setup, deliveries: u64) -> Report {
    let report = run(setup, None, Arc::new(Progress::default())).expect("the setup is sound");
    assert_eq!((&report.ending, report.traffic.delivered), (&Ending::Quiescent, deliveries));
    report
}

/// Measures runs with so many deliveries.
fn bench_run(criterion: &mut Criterion, group: &str, id: BenchmarkId, deliveries: u64, make: impl Fn() -> Setup) {
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(deliveries));
    group.bench_function(id, |bencher| {
        bencher.iter_batched(&make, |setup| perform(setup, deliveries), BatchSize::PerIteration);
    });
    group.finish();
}

// --- ping-pong: pairs of services, a link of 1 ms and a ball for each pair

/// How often it is still to be sent back.
#[derive(Clone, Copy, Serialize)]
struct Ball(u64);

/// A player who is an actor with a handler. Some have the ball first.
struct Player {
    first: Option<(usize, Ball)>,
}

impl Actor for Player {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        if let Some((partner, ball)) = self.first
            && let Some(partner) = ctx.find(&format!("service-{partner}"))
        {
            let _ = ctx.send(partner, ball);
        }
    }
}

impl Networked for Player {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Ball>();
    }
}

impl Handler<Delivery<Ball>> for Player {
    type Result = ();

    fn handle(&mut self, ball: Delivery<Ball>, ctx: &mut ServiceContext<Self>) {
        if let Some(left) = ball.body.0.checked_sub(1) {
            let _ = ctx.send(ball.from, Ball(left));
        }
    }
}

/// A player who awaits one ball after the other.
struct SequentialPlayer {
    first: Option<(usize, Ball)>,
}

impl Service for SequentialPlayer {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        if let Some((partner, ball)) = self.first {
            io.mpi().tell(format!("service-{partner}"), ball)?;
        }
        Ok(())
    }

    async fn step(&self, io: &ServiceIo) -> StepResult {
        let ball = io.mpi().recv::<Ball>().no_timeout().await?;
        if let Some(left) = ball.body.0.checked_sub(1) {
            io.mpi().tell(ball.from, Ball(left))?;
        }
        // A player's balls differ by two: 1 and 0 are the last for the two of them.
        Ok(if ball.body.0 <= 1 { Step::Stop } else { Step::Continue })
    }
}

fn ping_pong(criterion: &mut Criterion) {
    for pairs in [1, 100, 10_000] {
        let hops = (DELIVERIES / pairs as u64).max(2);
        let links: Vec<_> = (0..pairs).map(|pair| (2 * pair, 2 * pair + 1, MILLISECOND)).collect();
        let first = |number: usize| number.is_multiple_of(2).then_some((number + 1, Ball(hops - 1)));
        let mut bench = |id: &str, cast: &dyn Fn(usize) -> Cast| {
            let make = || setup(&links, (0..2 * pairs).map(cast));
            bench_run(criterion, "ping_pong", BenchmarkId::new(id, pairs), hops * pairs as u64, make);
        };
        bench("handlers", &|number| Cast::actor(Player { first: first(number) }));
        bench("sequential", &|number| Cast::service(SequentialPlayer { first: first(number) }));
    }
}

// --- gossip: a token for each service, which goes on to a uniformly chosen other service

/// How often it is still to be passed on.
#[derive(Clone, Copy, Serialize)]
struct Token(u64);

struct Gossip {
    hops: u64,
    others: Vec<ServiceId>,
}

impl Gossip {
    fn pass_on(&self, token: Token, ctx: &mut ServiceContext<Self>) {
        if let Some(&other) = ctx.random().pick(&self.others) {
            let _ = ctx.send(other, token);
        }
    }
}

impl Actor for Gossip {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        self.others = ctx.neighbours();
        self.pass_on(Token(self.hops - 1), ctx);
    }
}

impl Networked for Gossip {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Token>();
    }
}

impl Handler<Delivery<Token>> for Gossip {
    type Result = ();

    fn handle(&mut self, token: Delivery<Token>, ctx: &mut ServiceContext<Self>) {
        if let Some(left) = token.body.0.checked_sub(1) {
            self.pass_on(Token(left), ctx);
        }
    }
}

/// Two random rings through all nodes, links of 1 to 10 ms: connected, and of degree 4 but where the
/// rings coincide.
fn two_rings(nodes: usize, stream: &mut Stream) -> Vec<(usize, usize, SimDuration)> {
    let mut links: Vec<(usize, usize, SimDuration)> = Vec::new();
    for _ in 0..2 {
        let mut ring: Vec<usize> = (0..nodes).collect();
        stream.shuffle(&mut ring);
        for (i, &a) in ring.iter().enumerate() {
            let b = ring[(i + 1) % nodes];
            if !links.iter().any(|&(from, to, _)| (from, to) == (a.min(b), a.max(b))) {
                links.push((a.min(b), a.max(b), SimDuration::from_micros(stream.between(1_000, 10_000))));
            }
        }
    }
    links
}

fn gossip(criterion: &mut Criterion) {
    for services in [100, 1_000] {
        let hops = DELIVERIES / services as u64;
        let links = two_rings(services, &mut Streams::new(1).stream("rings"));
        let cast = |_| Cast::actor(Gossip { hops, others: Vec::new() });
        let make = || setup(&links, (0..services).map(cast));
        bench_run(criterion, "gossip", BenchmarkId::new("handlers", services), hops * services as u64, make);
    }
}

// --- requests: 100 clients, 10 servers, a link of 1 ms from each to each

const CLIENTS: usize = 100;
const SERVERS: usize = 10;

/// Asks a randomly chosen server in every step, over REST.
struct Client {
    requests: Cell<u64>,
}

impl Service for Client {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let Some(left) = self.requests.get().checked_sub(1) else {
            return Ok(Step::Stop);
        };
        self.requests.set(left);
        let server = CLIENTS as u64 + io.random(|stream| stream.below(SERVERS as u64));
        io.rest().get(&format!("service-{server}/answers/{left}")).await.success()?;
        Ok(Step::Continue)
    }
}

/// Answers.
struct Server;

impl Service for Server {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.get("/answers/{number}", |_, _, request: Request| async move {
            request.param("number").map(|number: u64| (200, number))
        });
    }
}

/// Asks a randomly chosen server in every step, over RPC.
struct Caller {
    requests: Cell<u64>,
    servers: OnceCell<Vec<Proxy>>,
}

impl Service for Caller {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let Some(left) = self.requests.get().checked_sub(1) else {
            return Ok(Step::Stop);
        };
        self.requests.set(left);
        let proxy = |number| io.rpc().proxy(format!("service-{}", CLIENTS + number));
        let servers = self.servers.get_or_init(|| (0..SERVERS).map(proxy).collect());
        let server = &servers[io.random(|stream| stream.below(SERVERS as u64)) as usize];
        let answer: u64 = server.call("answers.answer", left).await?;
        assert_eq!(answer, left);
        Ok(Step::Continue)
    }
}

/// Answers calls.
struct Callee;

impl Service for Callee {
    fn interfaces(interfaces: &mut Interfaces<Self>) {
        async fn answer(_: Rc<Callee>, _: ServiceIo, number: u64) -> Result<u64, Failure> {
            Ok(number)
        }
        interfaces.interface("answers", "1").rpc("answer", "Says the number again.", answer);
    }
}

/// What is asked and answered without an interface: two plain deliveries.
#[derive(Clone, Copy, Serialize)]
struct Question(u64);

/// Asks a randomly chosen server when the last one has answered.
struct Asker {
    requests: u64,
    servers: Vec<ServiceId>,
}

impl Asker {
    fn ask(&mut self, ctx: &mut ServiceContext<Self>) {
        if let Some(left) = self.requests.checked_sub(1) {
            self.requests = left;
            let server = ctx.random().below(SERVERS as u64) as usize;
            let _ = ctx.send(self.servers[server], Question(left));
        }
    }
}

impl Actor for Asker {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        let server = |number| ctx.find(&format!("service-{}", CLIENTS + number));
        self.servers = (0..SERVERS).filter_map(server).collect();
        self.ask(ctx);
    }
}

impl Networked for Asker {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Question>();
    }
}

impl Handler<Delivery<Question>> for Asker {
    type Result = ();

    fn handle(&mut self, _: Delivery<Question>, ctx: &mut ServiceContext<Self>) {
        self.ask(ctx);
    }
}

/// Sends every question back.
struct Answerer;

impl Actor for Answerer {
    type Context = ServiceContext<Self>;
}

impl Networked for Answerer {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<Question>();
    }
}

impl Handler<Delivery<Question>> for Answerer {
    type Result = ();

    fn handle(&mut self, question: Delivery<Question>, ctx: &mut ServiceContext<Self>) {
        let _ = ctx.send(question.from, question.body);
    }
}

fn requests(criterion: &mut Criterion) {
    let each = DELIVERIES / (10 * CLIENTS as u64);
    let pairs = (0..CLIENTS).flat_map(|client| (CLIENTS..CLIENTS + SERVERS).map(move |server| (client, server)));
    let links: Vec<_> = pairs.map(|(client, server)| (client, server, MILLISECOND)).collect();
    // There and back.
    let deliveries = 2 * each * CLIENTS as u64;
    let mut bench = |id: &str, client: &dyn Fn() -> Cast, server: &dyn Fn() -> Cast| {
        let cast = |number| if number < CLIENTS { client() } else { server() };
        let make = || setup(&links, (0..CLIENTS + SERVERS).map(cast));
        bench_run(criterion, "requests", BenchmarkId::new(id, format!("{CLIENTS}x{SERVERS}")), deliveries, make);
    };
    // What an interface costs is the difference to the first.
    bench("handlers", &|| Cast::actor(Asker { requests: each, servers: Vec::new() }), &|| Cast::actor(Answerer));
    bench("rpc", &|| Cast::service(Caller { requests: each.into(), servers: OnceCell::new() }), &|| {
        Cast::service(Callee)
    });
    bench("rest", &|| Cast::service(Client { requests: each.into() }), &|| Cast::service(Server));
}

// --- scenarios

/// The run of a file: its network drawn, its services placed, fifty seconds of the shop.
fn sockshop(criterion: &mut Criterion) {
    let registry = Registry::stock();
    let mut group = criterion.benchmark_group("scenario");
    for name in ["sockshop", "sockshop-rest"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.ron"));
        let scenario = Scenario::load(file, &registry).expect("it is checked by its own tests");
        let play = || {
            let setup = scenario.prepare(None, None).expect("as above").setup;
            run(setup, None, Arc::new(Progress::default())).expect("as above")
        };
        group.throughput(Throughput::Elements(play().traffic.delivered));
        group.bench_function(name, |bencher| bencher.iter(play));
    }
    group.finish();
}

/// A file with two thousand services on a thousand nodes.
fn parse(criterion: &mut Criterion) {
    let registry = Registry::stock();
    let text = large_scenario(1_000);
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("large", |bencher| {
        bencher.iter(|| Scenario::parse("large.ron", black_box(text.as_str()), &registry).expect("nothing is wrong"));
    });
    group.finish();
}

/// Machines in a ring with a sender and a sink on each; every sender sends to the sink of the next.
fn large_scenario(nodes: usize) -> String {
    let mut text = "Scenario(version: 1, name: \"large\", network: Explicit(nodes: [\n".to_owned();
    let mut line = |entry: std::fmt::Arguments<'_>| writeln!(text, "    {entry}").expect("memory takes it");
    for i in 0..nodes {
        line(format_args!(
            "(name: \"node-{i}\", group: \"g{}\", cpu: 8, ram: \"16GiB\", processing: \"1ms\"),",
            i % 10
        ));
    }
    line(format_args!("], links: ["));
    for i in 0..nodes {
        let next = (i + 1) % nodes;
        line(format_args!("(from: \"node-{i}\", to: \"node-{next}\", latency: \"5ms\", bandwidth: \"100Mbit/s\"),"));
    }
    line(format_args!("]), services: ["));
    for i in 0..nodes {
        let next = (i + 1) % nodes;
        let params = format!("(to: \"sink-{next}\", every: \"10ms\", bytes: \"1KiB\")");
        line(format_args!("(name: \"sender-{i}\", actor: \"load/sender\", node: \"node-{i}\", params: {params}),"));
        line(format_args!("(name: \"sink-{i}\", actor: \"load/sink\", node: \"node-{i}\"),"));
    }
    line(format_args!("], links: ["));
    for i in 0..nodes {
        line(format_args!("(from: \"sender-{i}\", to: \"sink-{}\", latency: \"20ms\"),", (i + 1) % nodes));
    }
    line(format_args!("])"));
    text
}

/// Each run is long enough for few of them to do.
fn few_long_runs() -> Criterion {
    Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3))
}

criterion_group! {
    name = delivery;
    config = few_long_runs();
    targets = ping_pong, gossip, requests, sockshop, parse
}
criterion_main!(delivery);
