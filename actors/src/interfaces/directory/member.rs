//! Keeps what a service offers registered, beside whatever the service itself does.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::{Listing, Offering, REGISTER_ENTRY, UNREGISTER_ADDR, UNREGISTER_ENTRY, Word};
use crate::directory::{Ask, Entry, Membership, Offer, Request, Timing, Vnet};
use crate::interfaces::CallError;
use crate::interfaces::raw::{Draft, Msg, PING, Raw};
use crate::network::Network;
use crate::network::reminder::Reminder;
use crate::outcome::Interface;
use crate::router::{Address, KnownDirectory};
use crate::service::desk::Desk;
use crate::trace::ServiceId;
use crate::units::SimTime;

/// The counter of a service whose registrations were refused.
const REFUSED: &str = "registrations refused";

/// A service's [`Membership`], with a network and a clock.
///
/// It speaks from the main connection, which is the address that others are told. What comes back for
/// it, and the pings of directories, are taken at the service's door before its own handler sees them.
pub(crate) struct Member {
    membership: RefCell<Membership<Address, KnownDirectory>>,
    reminder: Reminder,
    /// The directory that has last registered anything.
    home: Cell<Option<KnownDirectory>>,
}

type Asks = Vec<Ask<Address, KnownDirectory>>;

impl Member {
    /// That of a service; it has one from the first time that it offers something.
    pub(super) fn of(desk: &Rc<Desk>) -> Rc<Member> {
        let new = || {
            let now = desk.network.now();
            let membership = Membership::new(Vec::new(), Timing::default(), now);
            let member = Rc::new(Member {
                membership: RefCell::new(membership),
                reminder: Reminder::new(now),
                home: Cell::new(None),
            });
            desk.network.spawn(desk.id, Box::pin(keep(member.clone(), desk.clone())));
            member
        };
        desk.raw().member.get_or_init(new).clone()
    }

    /// That of a service whose business this message is, and not that of the service itself.
    pub(crate) fn that_hears(desk: &Desk, msg: &Msg) -> Option<Rc<Member>> {
        // Only the runtime speaks to directories, and directories to it, as directories are spoken to.
        let is_for_it = msg.stamp.interface == Interface::Directory && (msg.is_reply() || msg.subject == PING);
        desk.raw_if_used().filter(|_| is_for_it)?.member.get().cloned()
    }

    pub(super) fn offer(&self, desk: &Rc<Desk>, offering: Offering) {
        let entry = entry(desk, offering);
        let asks = self.membership.borrow_mut().offer(entry, desk.network.now());
        self.ask(desk, asks);
    }

    pub(super) fn withdraw(&self, desk: &Rc<Desk>, offering: Offering) -> bool {
        let Entry { offer, .. } = entry(desk, offering);
        let (was_there, asks) = {
            let mut membership = self.membership.borrow_mut();
            let was_there = membership.entries().any(|entry| entry.offer == offer);
            (was_there, membership.withdraw(&offer, desk.network.now()))
        };
        self.ask(desk, asks);
        was_there
    }

    /// The service ends in an orderly way: what it offers is taken back. Nobody has to know when
    /// everything ends.
    pub(crate) fn leave(desk: &Rc<Desk>) {
        let Some(member) = desk.raw_if_used().and_then(|raw| raw.member.get()) else { return };
        let last = member.membership.borrow_mut().leave_all();
        if !desk.network.is_over() {
            member.ask(desk, last.into_iter().collect());
        }
    }

    /// There is a hub directory on some machine: those who know none look again.
    pub(crate) fn tell_the_homeless(network: &Network) {
        let homeless = network.commons.homeless.take();
        for desk in homeless.iter().filter_map(Weak::upgrade) {
            if let Some(member) = desk.raw_if_used().and_then(|raw| raw.member.get()) {
                member.reminder.set(network.now());
            }
        }
    }

    /// Something from a directory that nobody awaits.
    pub(crate) fn hear(&self, desk: &Rc<Desk>, msg: &Msg) {
        if msg.is_reply() {
            // Too late to be of interest.
            return;
        }
        // If it cannot set out, the directory hears nothing of this service, as it should.
        let _ = Raw::new(desk).send(msg.reply(()));
        let Ok(Word { entries, heartbeat }) = msg.json() else { return };
        let directory = self.which(desk, msg.sender());
        let asks = {
            let mut membership = self.membership.borrow_mut();
            membership.keep_time(heartbeat);
            membership.pinged(directory, entries, desk.network.now())
        };
        self.ask(desk, asks);
    }

    /// Which of the directories known somebody is: if he has several names, the one he goes by here.
    fn which(&self, desk: &Desk, sender: ServiceId) -> KnownDirectory {
        let membership = self.membership.borrow();
        let book = desk.network.book.borrow();
        let mut names = membership.directory().into_iter().chain(membership.directories().iter().copied());
        names.find(|known| book.is_meant(sender, *known)).unwrap_or(KnownDirectory::Service(sender.index()))
    }

    fn ask(&self, desk: &Rc<Desk>, asks: Asks) {
        for Ask { to: directory, number, request } in asks {
            let to = desk.network.book.borrow().reach(directory);
            let draft = match request {
                Request::Register(entry) => Draft::new(to, REGISTER_ENTRY).contents(Listing::from(entry)),
                Request::Unregister(offer) => Draft::new(to, UNREGISTER_ENTRY).contents(Listing::of(offer)),
                Request::UnregisterAddress => Draft::new(to, UNREGISTER_ADDR),
            };
            let patience = self.membership.borrow().timing().directory_silence();
            let reply = Raw::new(desk).request(draft.speaking(Interface::Directory)).timeout(patience).send();
            if number == NOBODY_WAITS {
                continue;
            }
            let heed = {
                let desk = desk.clone();
                async move {
                    let answer = reply.await;
                    if let Some(member) = desk.raw_if_used().and_then(|raw| raw.member.get()) {
                        member.answered(&desk, directory, number, answer);
                    }
                }
            };
            desk.network.spawn(desk.id, Box::pin(heed));
        }
        self.remind();
    }

    /// Who knows no directory yet is reminded by others to look for one.
    fn remind(&self) {
        let membership = self.membership.borrow();
        if membership.directory().is_some() {
            self.reminder.set(membership.due());
        }
    }

    fn answered(&self, desk: &Desk, directory: KnownDirectory, number: u64, answer: Result<Msg, CallError>) {
        let network = &desk.network;
        match answer {
            Ok(msg) => {
                let mut membership = self.membership.borrow_mut();
                if let Ok(Word { heartbeat, .. }) = msg.json() {
                    membership.keep_time(heartbeat);
                }
                membership.answered(directory, number, network.now());
                if membership.directory() == Some(directory) {
                    let before = self.home.replace(Some(directory));
                    if before.is_some_and(|before| before != directory) {
                        let mut ledger = network.ledger.borrow_mut();
                        ledger.directories.directory_failovers += 1;
                        let what =
                            format!("took over {} from another directory", network.book.borrow().main_of(desk.id));
                        ledger.directed(network.now(), msg.sender(), &what);
                    }
                }
            }
            Err(CallError::Denied { .. }) => {
                network.count(desk.id, REFUSED, 1);
                self.membership.borrow_mut().refused(directory, number);
            }
            // It is asked again, or another one.
            Err(_) => {}
        }
        self.remind();
    }
}

/// The number of requests whose answers interest nobody.
const NOBODY_WAITS: u64 = 0;

/// What is offered, at the service's main connection and, unless it says otherwise, in all its vnets.
fn entry(desk: &Desk, offering: Offering) -> Entry<Address> {
    let Offering { service, params, vnets, permissions } = offering;
    let book = desk.network.book.borrow();
    let own = || {
        let standing = book.standing_of(desk.id);
        standing.iter().flat_map(|standing| &standing.vnets).map(|vnet| Vnet::from(vnet.as_str())).collect()
    };
    let offer = Offer { service, address: book.main_of(desk.id), params };
    Entry { offer: offer.into(), vnets: vnets.unwrap_or_else(own), permissions }
}

/// Does what is due, as long as the service lives.
async fn keep(member: Rc<Member>, desk: Rc<Desk>) {
    loop {
        member.reminder.due(&desk.network).await;
        let now = desk.network.now();
        let asks = {
            let mut membership = member.membership.borrow_mut();
            let mut asks = membership.know(desk.known_directories(), now);
            asks.extend(membership.advance(now));
            if membership.directory().is_none() {
                desk.network.commons.homeless.borrow_mut().push(Rc::downgrade(&desk));
            }
            asks
        };
        member.reminder.set(SimTime::MAX);
        member.ask(&desk, asks);
    }
}
