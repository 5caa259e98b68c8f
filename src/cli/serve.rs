//! `rehearsal serve`: runs a scenario by the wall clock, and lets others in over HTTP.

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rehearsal_actors::simulation::{Pace, Pacing, Progress};

use super::arguments::Serve;
use super::complaint::Complaint;
use super::console;
use super::interrupt::on_ctrl_c;
use super::opened::open;
use super::run::{Telling, open_trace, perform, tell_all};
use crate::gateway::jsonrpc::Style;
use crate::gateway::{Running, Server};
use crate::registry::Registry;

/// By then it says where it listens, whether somebody may come in yet or not.
const WELCOMED_BY: Duration = Duration::from_secs(5);

pub(super) fn serve(arguments: &Serve, registry: &Registry) -> Result<ExitCode, Complaint> {
    let token = arguments.token()?;
    let mut scenario = open(&arguments.scenario, registry, arguments.seed, arguments.until)?;
    let Some(door) = scenario.door.take() else {
        return Err(Complaint::NoGateway(arguments.scenario.clone()));
    };
    if arguments.until.is_none() {
        // What goes on for as long as somebody likes is not what was expected of the whole.
        scenario.setup.until = None;
        scenario.expectations.clear();
    }
    let complain = |cause| Complaint::Listen { address: arguments.listen, cause };
    let listener = TcpListener::bind(arguments.listen).map_err(complain)?;
    let progress = Arc::new(Progress::default());
    let trace = arguments.trace.as_deref();
    let trace = trace.map(|path| open_trace(path, &arguments.scenario, &progress)).transpose()?;

    let entrance = door.entrance.clone();
    let server = Server::new(door.entrance).limits(arguments.limits()).origins(arguments.allow_origin.clone());
    let server = server.registry(door.registry, arguments.pace);
    let server = server.style(if arguments.null_members { Style::NullMembers } else { Style::Strict });
    let server = server.clock(progress.clone(), arguments.pace);
    let has_token = token.is_some();
    let server = match token {
        Some(token) => server.token(token),
        None => server,
    };
    let server = match door.exposes {
        Some(exposed) => server.expose(exposed),
        None => server,
    };
    let server = match arguments.workers {
        Some(workers) => server.workers(workers.into()),
        None => server,
    };
    let running = server.start(listener).map_err(complain)?;
    if !arguments.quiet {
        let welcome = welcome(&scenario.name, running.address(), arguments.pace, has_token);
        // Whoever is told so may come in at once; unless the gateway takes long to stand in the run, as where
        // its node is down at first.
        std::thread::spawn(move || {
            entrance.wait_until_open(WELCOMED_BY);
            console::note(&welcome);
        });
    }
    let closing = Arc::new(Closing(Mutex::new(Some(running))));
    on_ctrl_c({
        let (closing, progress) = (closing.clone(), progress.clone());
        move || {
            console::note("\nclosing: finishing what is under way (Ctrl-C again ends it at once)\n");
            // In a thread of its own, so that a second Ctrl-C is heard.
            let (closing, progress) = (closing.clone(), progress.clone());
            std::thread::spawn(move || {
                closing.close();
                progress.interrupt.store(true, Ordering::Relaxed);
            });
        }
    });
    let pacing = Pacing { pace: arguments.pace, stay_open: true };
    let finished = perform(scenario, Some(pacing), trace.as_ref(), &progress, arguments.quiet || arguments.json)?;
    closing.close();
    let telling = Telling {
        json: arguments.json,
        quiet: arguments.quiet,
        verbose: arguments.verbose,
        trace: arguments.trace.as_deref(),
    };
    tell_all(&finished, trace, &telling)
}

/// The server, until somebody closes it.
struct Closing(Mutex<Option<Running>>);

impl Closing {
    /// Whoever comes first waits until it is closed.
    fn close(&self) {
        let server = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(cause)) = server.map(Running::stop) {
            console::note(&format!("warning: the gateway did not close in order: {cause}\n"));
        }
    }
}

/// Where it listens, and what is to be thought of that.
fn welcome(name: &str, address: SocketAddr, pace: Pace, has_token: bool) -> String {
    let name = crate::typeset::clean(name);
    let mut text = format!("{name}: listening on http://{address}, at pace {pace} (Ctrl-C ends it)\n");
    if !address.ip().is_loopback() && !has_token {
        text.push_str("warning: anybody who reaches this machine may call what the gateway exposes; see --token\n");
    }
    text
}
