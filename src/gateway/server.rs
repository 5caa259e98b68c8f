//! The server: how it is set up, started and stopped.

use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive};
use actix_server::ServerHandle;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpRequest, rt, web};
use rehearsal_actors::outside::Entrance;
use rehearsal_actors::outside::registry::Registry;
use rehearsal_actors::simulation::{Pace, Progress};
use tokio::sync::watch;

use super::connection::Connection;
use super::cors::Origins;
use super::dispatch;
use super::exposure::Exposure;
use super::jsonrpc::Style;
use super::limits::Limits;
use super::shared::{Providers, Shared};

/// An HTTP server that has yet to be started.
#[must_use = "it listens when it is started"]
pub struct Server {
    entrance: Entrance,
    providers: Option<Providers>,
    limits: Limits,
    exposure: Exposure,
    style: Style,
    origins: Origins,
    clock: Option<(Arc<Progress>, Pace)>,
    workers: usize,
}

impl Server {
    /// A server whose requests go in by this entrance.
    pub fn new(entrance: Entrance) -> Self {
        Server {
            entrance,
            providers: None,
            limits: Limits::default(),
            exposure: Exposure::default(),
            style: Style::default(),
            origins: Origins::default(),
            clock: None,
            workers: std::thread::available_parallelism().map_or(1, Into::into),
        }
    }

    /// Lets services outside register with the gateway's registry, and be located by others. How long they
    /// say that they are there goes by the wall clock, of whose seconds each is `pace` in the run.
    pub fn registry(mut self, registry: Registry, pace: Pace) -> Self {
        self.providers = Some(Providers { registry, pace });
        self
    }

    /// How much of anything it takes.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Who shows this token (`Authorization: Bearer …`) may ask every service; others those only that are
    /// [exposed](Self::expose).
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.exposure.set_token(token.into());
        self
    }

    /// Lets everybody ask these services, or these paths of services (`service/path`), or call these methods
    /// (`service.method`), in which `*` and `?` stand for other characters; and nobody any other, but for who
    /// shows the token. `events` and `ping` on the list let everybody tell and hear events, and register. Without a
    /// list and without a token everybody may ask everything.
    pub fn expose<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.exposure.list(names.into_iter().map(Into::into));
        self
    }

    /// How answers in JSON-RPC are written.
    pub fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// Lets pages of these origins read answers; `*` stands for all. Without it none may.
    pub fn origins<T: Into<String>>(mut self, origins: impl IntoIterator<Item = T>) -> Self {
        self.origins = Origins::new(origins.into_iter().map(Into::into));
        self
    }

    /// Tells, among its figures, how the run keeps to the wall clock: the progress that the run was given,
    /// and its pace.
    pub fn clock(mut self, progress: Arc<Progress>, pace: Pace) -> Self {
        self.clock = Some((progress, pace));
        self
    }

    /// In so many threads, one at least; without it, as many as the machine has cores.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Begins to listen, in threads of its own.
    ///
    /// # Errors
    /// The socket cannot be listened to, or there are no threads to be had.
    pub fn start(self, listener: TcpListener) -> io::Result<Running> {
        let address = listener.local_addr()?;
        let Server { entrance, providers, limits, exposure, style, origins, clock, workers } = self;
        let (close, closing) = watch::channel(false);
        let (connections, in_flight, streams, tally) = Default::default();
        let shared = Arc::new(Shared {
            entrance,
            providers,
            limits,
            exposure,
            style,
            origins,
            address,
            connections,
            in_flight,
            streams,
            tally,
            clock,
            closing,
        });
        let (started, starting) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("gateway".to_owned()).spawn(move || {
            rt::System::new().block_on(async move {
                match listen(shared, workers, listener) {
                    Ok(server) => {
                        let _ = started.send(Ok(server.handle()));
                        server.await
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                        Ok(())
                    }
                }
            })
        })?;
        let gone = |_| Err(io::Error::other("the server's thread ended before it had begun"));
        let handle = starting.recv().unwrap_or_else(gone)?;
        Ok(Running { address, close, handle, thread })
    }
}

/// So many connections more than there may be are taken, to be told that they are too many.
const TURNED_AWAY: usize = 256;

fn listen(shared: Arc<Shared>, workers: usize, listener: TcpListener) -> io::Result<actix_server::Server> {
    let limits = shared.limits.clone();
    let server = actix_server::Server::build()
        .workers(workers)
        .max_concurrent_connections(limits.connections.saturating_add(TURNED_AWAY).div_ceil(workers))
        .shutdown_timeout(limits.drain_time.as_secs().max(1))
        // Who runs it decides what a signal means.
        .disable_signals();
    // Once for each worker.
    let accept = move || {
        let answering = shared.clone();
        let answer =
            move |request: HttpRequest, payload: web::Payload| dispatch::answer(answering.clone(), request, payload);
        let app = App::new().default_service(web::to(answer)).into_factory();
        let app = app.map_err(|error| error.error_response());
        let http = HttpService::build()
            .keep_alive(KeepAlive::Timeout(limits.idle_time))
            // The server's clock for this goes by half seconds.
            .client_request_timeout(limits.head_time.max(Duration::from_secs(1)))
            .client_disconnect_timeout(Duration::from_secs(1))
            .local_addr(shared.address)
            .on_connect_ext(|connection: &Connection, data| {
                data.insert(connection.conversation.clone());
            })
            .h1(map_config(app, |()| AppConfig::default()));
        let shared = shared.clone();
        fn_service(move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            ready(Ok((Connection::new(stream, &shared), peer)))
        })
        .and_then(http)
    };
    Ok(server.listen("gateway", listener, accept)?.run())
}

/// A server that listens. Dropped, it goes on as long as the program does.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    /// Tells connections not to wait for further requests.
    close: watch::Sender<bool>,
    handle: ServerHandle,
    thread: JoinHandle<io::Result<()>>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, finishes what it has in hand, and ends: after
    /// [`drain_time`](Limits::drain_time) in any case.
    ///
    /// # Errors
    /// It had failed before.
    pub fn stop(self) -> io::Result<()> {
        self.close.send_replace(true);
        // It is told at once; the future only waits for it.
        drop(self.handle.stop(true));
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the server panicked")))
    }
}
