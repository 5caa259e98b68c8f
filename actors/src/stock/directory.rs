//! A directory, as a service that any scenario may have as many of as it likes.
//!
//! It is [`directory::Directory`](crate::directory) behind raw messages; which there are stands in
//! [`interfaces::directory`](crate::interfaces::directory). It keeps everything in memory: when it is
//! restarted it is empty, and is filled again by its hubs and by providers that register anew. What
//! its former incarnation has shared counts no more.
//!
//! Directories are not known to each other by addresses, which a restart changes, but by names. At
//! each sending the name stands for whoever bears it: the main connection that a service has then, as
//! a well-known port on the network would lead to it; or the
//! [hub](crate::router::Address::local_hub_directory) that a machine has then.
//!
//! What other directories tell it is believed because they are directories: that is not written in a
//! message but on it, by the network, and no other service can have it written there.

mod office;

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::Deserialize;

use crate::directory::{Asker, Permission, Query, Share, Vnet};
use crate::interfaces::directory::{
    GET_ENTRIES, Listing, REGISTER_ENTRY, SHARE_ENTRIES, UNREGISTER_ADDR, UNREGISTER_ENTRY, WAIT,
};
use crate::interfaces::raw::{DENIED, DOES_NOT_UNDERSTAND, Defaults, Draft, Handling, HandlingResult, Msg};
use crate::network::reminder::Reminder;
use crate::outcome::Interface;
use crate::prelude::*;
use crate::router::{Address, Standing};

use office::{Office, Waiter};

/// What a [`Server`] may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerParams {
    /// The vnets of which it takes, keeps and shares entries. None: those that it belongs to itself. It
    /// always keeps entries of the vnet `local`, and shares them with nobody.
    pub vnets: BTreeSet<String>,
    /// The directories that it shares with from the start: names of services, or of machines, whose hub
    /// directory is meant. It is enough if one of two names the other.
    pub hubs: Vec<String>,
    /// From one round of pings to the next, and from one time that everything is shared to the next;
    /// the same in all directories that share. Default 1 s.
    pub heartbeat: SimDuration,
    /// How long news waits for more before it is shared. Default 50 ms.
    pub share_delay: SimDuration,
    /// Whether it is its machine's hub directory, which services there ask first. Default true. Of two
    /// on one machine, the one is that began last.
    pub local_hub: bool,
}

impl Default for ServerParams {
    fn default() -> Self {
        ServerParams {
            vnets: BTreeSet::new(),
            hubs: Vec::new(),
            heartbeat: SimDuration::from_secs(1),
            share_delay: SimDuration::from_millis(50),
            local_hub: true,
        }
    }
}

/// A directory cannot be like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`heartbeat` is {0}; a directory needs at least {SHORTEST_HEARTBEAT} from one round to the next")]
pub struct BadHeartbeat(SimDuration);

/// Much shorter, and a run would see nothing but heartbeats.
const SHORTEST_HEARTBEAT: SimDuration = SimDuration::from_millis(1);

/// A directory.
#[derive(Debug)]
pub struct Server {
    params: ServerParams,
    office: RefCell<Option<Office>>,
    reminder: Reminder,
}

impl Server {
    /// A directory that has yet to begin.
    ///
    /// # Errors
    /// The heartbeat is too short.
    pub fn new(params: ServerParams) -> Result<Self, BadHeartbeat> {
        if params.heartbeat < SHORTEST_HEARTBEAT {
            return Err(BadHeartbeat(params.heartbeat));
        }
        Ok(Server { params, office: RefCell::new(None), reminder: Reminder::new(SimTime::ZERO) })
    }

    /// Does something with the directory, and sees to what comes of it. Messages may come before it
    /// has begun.
    fn with<R>(&self, io: &ServiceIo, run: impl FnOnce(&mut Office) -> R) -> R {
        let mut office = self.office.borrow_mut();
        let office = office.get_or_insert_with(|| Office::open(io, &self.params));
        let result = run(office);
        self.reminder.set(office.due());
        result
    }

    /// Does what a message asks for. The answer, unless there is none, or none yet.
    fn serve(&self, io: &ServiceIo, msg: &Msg) -> Result<Option<Draft>, No> {
        let sender = msg.from;
        match msg.subject.as_str() {
            REGISTER_ENTRY => {
                let own = own_vnets(msg.standing());
                let entry = read::<Listing>(msg)?.entry(sender, || own.clone());
                if let Some(vnet) = entry.vnets.iter().find(|vnet| !own.contains(*vnet)) {
                    return Err(No::Denied(format!("who registers in `{vnet}` must belong to it")));
                }
                self.with(io, |office| office.register(io, sender, entry))?;
            }
            UNREGISTER_ENTRY => {
                let entry = read::<Listing>(msg)?.entry(sender, BTreeSet::new);
                self.with(io, |office| office.unregister(io, sender, &entry.offer))?;
            }
            UNREGISTER_ADDR => {
                let address = read::<Option<Address>>(msg)?.unwrap_or(sender);
                self.with(io, |office| office.unregister_address(io, sender, address))?;
            }
            GET_ENTRIES => {
                let query = read::<Query>(msg)?;
                let asker = asker(msg.standing());
                let patience = patience(msg)?;
                return self.with(io, |office| office.look_up(io, msg, Waiter::new(msg, asker, query), patience));
            }
            SHARE_ENTRIES => {
                if msg.stamp.interface != Interface::Directory {
                    return Err(No::Denied("only directories are believed what they share".to_owned()));
                }
                let share = read::<Share<Address>>(msg)?;
                self.with(io, |office| office.receive(io, msg.sender(), &share));
                return Ok(None);
            }
            _ => return Err(No::NotMine),
        }
        Ok(Some(msg.reply(self.with(io, |office| office.word_to(sender)))))
    }
}

/// Why a directory does not do what a message asks for.
enum No {
    /// The sender may not.
    Denied(String),
    /// It cannot be read.
    NotUnderstood(String),
    /// It is nothing that a directory knows of.
    NotMine,
}

impl From<crate::directory::Refusal> for No {
    fn from(refusal: crate::directory::Refusal) -> Self {
        No::Denied(refusal.to_string())
    }
}

fn read<T: serde::de::DeserializeOwned>(msg: &Msg) -> Result<T, No> {
    T::deserialize(&msg.contents).map_err(|error| No::NotUnderstood(error.to_string()))
}

/// How long an asker would have the directory wait.
fn patience(msg: &Msg) -> Result<SimDuration, No> {
    let Some(wait) = msg.meta.get(WAIT) else { return Ok(SimDuration::ZERO) };
    SimDuration::deserialize(wait).map_err(|error| No::NotUnderstood(format!("`{WAIT}`: {error}")))
}

/// The vnets that somebody belongs to: `local`, if no other.
fn own_vnets(standing: &Standing) -> BTreeSet<Vnet> {
    match standing.vnets.is_empty() {
        true => [Vnet::from(crate::directory::LOCAL)].into(),
        false => standing.vnets.iter().map(|vnet| vnet.as_str().into()).collect(),
    }
}

fn asker(standing: &Standing) -> Asker {
    let holds: BTreeSet<Permission> = standing.permissions.iter().map(|held| held.as_str().into()).collect();
    Asker::new(&own_vnets(standing), holds)
}

impl Service for Server {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        let unknown = self.params.hubs.iter().find(|hub| office::named(io, hub).is_none());
        if let Some(hub) = unknown {
            let problem = format!("`hubs`: there is no service and no machine named `{hub}`; take one of theirs");
            return Err(StepError::new(problem).fatal());
        }
        if self.params.local_hub {
            io.raw().become_local_hub_directory();
        }
        self.with(io, |office| office.begin(io));
        Ok(())
    }

    /// A step is what is due at some time: a round, something to share, an answer that cannot wait any
    /// longer.
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let serving = Serving::begin(io);
        self.reminder.due(&io.desk.network).await;
        drop(serving);
        self.with(io, |office| office.advance(io));
        Ok(Step::Continue)
    }

    async fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> HandlingResult {
        self.with(io, |office| office.heard(io, msg.from));
        if msg.is_reply() {
            return Ok(Handling::Unhandled(Defaults::default()));
        }
        let answer = match self.serve(io, &msg) {
            Ok(answer) => answer,
            Err(No::Denied(detail)) => Some(msg.reply(serde_json::json!({ "detail": detail })).subject(DENIED)),
            Err(No::NotUnderstood(detail)) => {
                Some(msg.reply(&msg.subject).meta("detail", detail).subject(DOES_NOT_UNDERSTAND))
            }
            Err(No::NotMine) => return Ok(Handling::Unhandled(Defaults::default())),
        };
        if let Some(answer) = answer {
            // Whoever cannot be reached asks again.
            let _ = io.raw().send(answer);
        }
        Ok(Handling::Done)
    }
}

/// While it lasts, nothing is under way that an orderly end would have to wait for.
struct Serving<'a>(&'a ServiceIo);

impl<'a> Serving<'a> {
    fn begin(io: &'a ServiceIo) -> Self {
        io.desk.set_serving(true);
        Serving(io)
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.desk.set_serving(false);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::{Report, RestartCause};
    use crate::simulation::{Cast, Progress, ServiceSpec, Setup, StartError, run};
    use crate::supervision::{ChildSpec, Strategy, Supervisor};
    use crate::topology::{Node, Topology};

    /// A directory beside a service that fails after a second, under a supervisor that then restarts both.
    fn beside_a_failure(params: ServerParams) -> Result<Report, StartError> {
        struct Fails;
        impl Service for Fails {
            async fn step(&self, io: &ServiceIo) -> StepResult {
                io.sleep(SimDuration::from_secs(1)).await;
                Err(StepError::new("enough").fatal())
            }
        }
        let mut topology = Topology::new();
        let node = topology.add_node(Node::new("node")).expect("it is the first");
        let mut setup = Setup::new(1, topology);
        let make = move || Cast::service(Server::new(params.clone()).expect("its heartbeat is long enough"));
        let fails = ServiceSpec::restartable("fails", node, || Cast::service(Fails));
        setup.services = vec![fails, ServiceSpec::restartable("directory", node, make)];
        let children = vec![ChildSpec::service(0), ChildSpec::service(1)];
        setup.supervision = Some(Supervisor { strategy: Strategy::OneForAll, children, ..Supervisor::new("root") });
        setup.until = Some(SimTime::ZERO + SimDuration::from_millis(1_500));
        run(setup, None, Arc::new(Progress::default()))
    }

    #[test]
    fn a_directory_without_a_heartbeat_cannot_be() {
        let params = ServerParams { heartbeat: SimDuration::ZERO, ..ServerParams::default() };
        let why = Server::new(params).err().map(|error| error.to_string());
        let expected = "`heartbeat` is 0s; a directory needs at least 1ms from one round to the next";
        assert_eq!(why.as_deref(), Some(expected));
    }

    #[test]
    fn a_hub_that_is_nowhere_is_named() -> Result<(), StartError> {
        let report = beside_a_failure(ServerParams { hubs: vec!["hubb".to_owned()], ..ServerParams::default() })?;
        let failures = report.supervision.failures;
        let told = failures.iter().find(|failure| failure.service == "directory").map(|failure| &*failure.message);
        let expected = "start: `hubs`: there is no service and no machine named `hubb`; take one of theirs";
        assert_eq!(told, Some(expected));
        Ok(())
    }

    #[test]
    fn an_orderly_end_does_not_wait_for_the_next_round() -> Result<(), StartError> {
        // Its next round is an hour away, and it has nothing in its hands.
        let heartbeat = SimDuration::from_secs(3_600);
        let report = beside_a_failure(ServerParams { heartbeat, ..ServerParams::default() })?;
        let restarts = report.supervision.restarts;
        assert_eq!(restarts.get(&("directory".to_owned(), RestartCause::Sibling)), Some(&1), "{restarts:?}");
        assert_eq!(report.supervision.failure_count, 1, "nobody had to kill it");
        Ok(())
    }
}
