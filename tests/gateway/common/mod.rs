//! A run with a gateway, and clients for it.

pub mod cast;
pub mod http;
pub mod outsider;
pub mod served;

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::thread::JoinHandle;

use rehearsal::actors::outside::{Entrance, Gateway};
use rehearsal::actors::report::Report;
use rehearsal::actors::simulation::{Cast, Pacing, Progress, ServiceSpec, Setup, StartError, run_paced};
use rehearsal::actors::topology::{Link, Node, Topology};
use rehearsal::actors::units::SimDuration;
use rehearsal::gateway::{Running, Server};

use cast::{Calculator, Shop};
use http::{Client, Response};

/// A run that others can talk to: the gateway on its `edge`, two services on the other side of a link of
/// 5 ms.
///
/// ```text
/// edge: gateway --- 5 ms --- cloud: calc (methods), shop (endpoints), hidden.calc (methods)
/// ```
pub struct Stage {
    pub entrance: Entrance,
    server: Option<Running>,
    progress: Arc<Progress>,
    run: Option<JoinHandle<Result<Report, StartError>>>,
    address: SocketAddr,
}

impl Stage {
    /// One whose server is as it is by default.
    pub fn plain() -> Self {
        Stage::with(|server| server)
    }

    /// One whose server is set up like that.
    pub fn with(set_up: impl FnOnce(Server) -> Server) -> Self {
        watch_panics();
        let entrance = Entrance::new();
        let progress = Arc::new(Progress::default());
        let run = std::thread::spawn({
            let (entrance, progress) = (entrance.clone(), progress.clone());
            move || run_paced(setup(&entrance), Pacing { stay_open: true, ..Pacing::default() }, None, progress)
        });
        while !entrance.is_open() {
            assert!(!run.is_finished(), "the run ended before it had begun");
            std::thread::yield_now();
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let server = set_up(Server::new(entrance.clone()).workers(2)).start(listener).expect("the server starts");
        let address = server.address();
        Stage { entrance, server: Some(server), progress, run: Some(run), address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection of its own.
    pub fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// One request on a connection of its own.
    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        self.client().ask(method, target, headers, body)
    }

    /// JSON on a connection of its own.
    pub fn post(&self, target: &str, body: &str) -> Response {
        self.ask("POST", target, &[("content-type", "application/json")], body.as_bytes())
    }

    pub fn get(&self, target: &str) -> Response {
        self.ask("GET", target, &[], b"")
    }

    /// That the server is as well as it ever was: the next request is answered, and nothing has panicked.
    pub fn answers(&self) {
        let sum = self.post("/api/calc", r#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#);
        assert_eq!((sum.status, sum.json()["result"].as_i64()), (200, Some(19)), "the next good request is answered");
        assert_eq!(PANICS.load(Ordering::Relaxed), 0, "panics in the server's threads");
    }

    /// Ends the server first, then the run.
    pub fn stop_server(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().expect("the server ends in an orderly way");
        }
    }

    /// Ends the run; the server goes on.
    pub fn stop_run(&mut self) -> Option<Report> {
        self.progress.interrupt.store(true, Ordering::Relaxed);
        let run = self.run.take()?;
        Some(run.join().expect("the run does not panic").expect("the run starts"))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.stop_server();
        self.stop_run();
    }
}

/// Panics in the threads of servers. Those of services do not come here: the runtime keeps them.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn watch_panics() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            if thread.name().is_some_and(|name| name == "gateway" || name.starts_with("actix")) {
                PANICS.fetch_add(1, Ordering::Relaxed);
            }
            before(info);
        }));
    });
}

fn setup(entrance: &Entrance) -> Setup {
    let mut topology = Topology::new();
    let edge = topology.add_node(Node::new("edge")).expect("the name is free");
    let cloud = topology.add_node(Node::new("cloud")).expect("the name is free");
    topology.add_symmetric(edge, cloud, Link::new(SimDuration::from_millis(5))).expect("the link is new");
    let mut setup = Setup::new(1, topology);
    setup.services.push(Gateway::at("gateway", edge, entrance));
    setup.services.push(ServiceSpec::restartable("calc", cloud, || Cast::service(Calculator)));
    setup.services.push(ServiceSpec::restartable("hidden.calc", cloud, || Cast::service(Calculator)));
    setup.services.push(ServiceSpec::restartable("shop", cloud, || Cast::service(Shop)));
    setup
}
