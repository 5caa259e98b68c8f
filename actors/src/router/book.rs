//! The address book: which connection is whose. Plain data; the routers of a run share it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::network::header::ANY_INCARNATION;
use crate::router::address::{Address, ConnectionId, MachineId, RouterId};
use crate::trace::ServiceId;

/// What a service may see and do, as its declaration says. The network stamps it on every message,
/// so that the receiver can rely on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The virtual networks that it belongs to.
    pub vnets: BTreeSet<String>,
    /// The permissions that it holds.
    pub permissions: BTreeSet<String>,
}

/// The standing of those who have none.
pub(crate) static NO_STANDING: Standing = Standing { vnets: BTreeSet::new(), permissions: BTreeSet::new() };

/// A directory that is known from the start: it is the same one whatever connection it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnownDirectory {
    /// The service at that position in [`Setup::services`](crate::simulation::Setup::services):
    /// its main connection, whichever that is at the time.
    Service(usize),
    /// Whoever has this address.
    At(Address),
}

/// How machines reach each other, and where their directories are.
#[derive(Clone, Debug, Default)]
pub struct Routing {
    /// A machine sends all that is for other machines by way of another machine's inter-machine
    /// router, by the positions of both among the nodes; what is for that one goes to it straight.
    pub gateways: BTreeMap<usize, usize>,
    /// The directories that everybody knows, the best first.
    pub directories: Vec<KnownDirectory>,
}

/// Whose a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) service: ServiceId,
    /// [`ANY_INCARNATION`] where the address is a logical one, and whoever stands behind it will do.
    pub(crate) incarnation: u32,
}

/// Where a message goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// To whom it is for.
    Owner(Owner),
    /// To a machine's inter-machine router, which sends it on.
    Forwarder(ServiceId),
    /// Nobody has the address: to its router, which says so.
    Nobody(ServiceId),
}

impl Stop {
    /// The seat that the message goes to.
    pub(crate) fn seat(self) -> ServiceId {
        match self {
            Stop::Owner(owner) => owner.service,
            Stop::Forwarder(router) | Stop::Nobody(router) => router,
        }
    }
}

/// One router's page. The first connections are the main ones of those who were entered with it, as
/// their first incarnations; there may be a million, and most never change.
struct Page {
    seat: ServiceId,
    /// The number that it gives out next.
    next: ConnectionId,
    /// Whose the first ones are, as long as they are open.
    first: Vec<Option<Entered>>,
    /// The later ones that are open.
    later: BTreeMap<ConnectionId, Owner>,
}

/// The position of a service, counted from 1, so that none takes no room.
type Entered = NonZero<u32>;

impl Page {
    /// The connection that it gives out next.
    fn number(&mut self) -> ConnectionId {
        let number = self.next;
        self.next = ConnectionId(number.0.saturating_add(1));
        number
    }

    /// Gives a main connection to one who is entered.
    fn enter(&mut self, service: ServiceId) -> ConnectionId {
        self.first.push(NonZero::new(service.0.wrapping_add(1)));
        self.number()
    }

    fn open(&mut self, owner: Owner) -> ConnectionId {
        let connection = self.number();
        self.later.insert(connection, owner);
        connection
    }

    fn first_at(connection: ConnectionId) -> Option<usize> {
        connection.0.checked_sub(ConnectionId::FIRST.0).map(|at| at as usize)
    }

    fn owner_of(&self, connection: ConnectionId) -> Option<Owner> {
        match Self::first_at(connection).and_then(|at| self.first.get(at)) {
            Some(entered) => entered.map(|number| Owner { service: ServiceId(number.get() - 1), incarnation: 1 }),
            None => self.later.get(&connection).copied(),
        }
    }

    /// Closes a connection, if it is open.
    fn close(&mut self, connection: ConnectionId) -> Option<Owner> {
        let owner = self.owner_of(connection)?;
        match Self::first_at(connection).and_then(|at| self.first.get_mut(at)) {
            Some(entered) => *entered = None,
            None => drop(self.later.remove(&connection)),
        }
        Some(owner)
    }
}

/// A service that is to be entered, in the order of declaration.
pub(crate) struct Entrant {
    pub(crate) machine: MachineId,
    pub(crate) router: RouterId,
    pub(crate) standing: Standing,
}

/// An address at a router that is not there: nobody will ever have it.
const NO_CONNECTION: ConnectionId = ConnectionId(u32::MAX);

/// Which connection is whose, and the numbers of messages.
pub(crate) struct AddressBook {
    pages: BTreeMap<(MachineId, RouterId), Page>,
    /// The main connection of each service.
    mains: Vec<Address>,
    /// Of those who have any.
    standings: BTreeMap<ServiceId, Rc<Standing>>,
    /// Connections beside the main ones.
    further: BTreeSet<(ServiceId, Address)>,
    hubs: BTreeMap<MachineId, Address>,
    gateways: BTreeMap<MachineId, MachineId>,
    directories: Vec<KnownDirectory>,
    last_message: u64,
}

impl AddressBook {
    /// Enters every service with the main connection of its first incarnation. `routers`: the seat
    /// of each router; one that is not there has no connections to give.
    pub(crate) fn new(
        routers: impl IntoIterator<Item = ((MachineId, RouterId), ServiceId)>,
        entrants: Vec<Entrant>,
        routing: Routing,
    ) -> Self {
        let page = |seat| Page { seat, next: ConnectionId::FIRST, first: Vec::new(), later: BTreeMap::new() };
        let machine = |node: usize| MachineId(node as u32);
        let mut book = AddressBook {
            pages: routers.into_iter().map(|(at, seat)| (at, page(seat))).collect(),
            mains: Vec::with_capacity(entrants.len()),
            standings: BTreeMap::new(),
            further: BTreeSet::new(),
            hubs: BTreeMap::new(),
            gateways: routing.gateways.into_iter().map(|(from, by)| (machine(from), machine(by))).collect(),
            directories: routing.directories,
            last_message: 0,
        };
        for (index, Entrant { machine, router, standing }) in entrants.into_iter().enumerate() {
            let service = ServiceId(index as u32);
            let page = book.pages.get_mut(&(machine, router));
            let connection = page.map_or(NO_CONNECTION, |page| page.enter(service));
            book.mains.push(Address { machine, router, connection });
            if standing != NO_STANDING {
                book.standings.insert(service, Rc::new(standing));
            }
        }
        book.pages.values_mut().for_each(|page| page.first.shrink_to_fit());
        book
    }

    fn give_out(&mut self, machine: MachineId, router: RouterId, owner: Owner) -> Address {
        let connection = self.pages.get_mut(&(machine, router)).map_or(NO_CONNECTION, |page| page.open(owner));
        Address { machine, router, connection }
    }

    /// The main connection of an incarnation: a new one, unless it has it already.
    pub(crate) fn open_main(&mut self, owner: Owner) -> Address {
        let old = self.main_of(owner.service);
        if self.owner_of(old) == Some(owner) {
            return old;
        }
        self.close_all(owner.service);
        let main = self.give_out(old.machine, old.router, owner);
        self.mains[owner.service.index()] = main;
        main
    }

    /// A service has its connections at another router from its next main one on.
    pub(crate) fn move_to(&mut self, service: ServiceId, machine: MachineId, router: RouterId) {
        self.close_all(service);
        let main = &mut self.mains[service.index()];
        *main = Address { machine, router, connection: main.connection };
    }

    /// The seat of a router, if there is one of that number.
    pub(crate) fn router_at(&self, machine: MachineId, router: RouterId) -> Option<ServiceId> {
        self.pages.get(&(machine, router)).map(|page| page.seat)
    }

    /// A further connection of a service, at the router of its main one.
    pub(crate) fn open(&mut self, owner: Owner) -> Address {
        let Address { machine, router, .. } = self.main_of(owner.service);
        let address = self.give_out(machine, router, owner);
        self.further.insert((owner.service, address));
        address
    }

    /// Closes one connection. False if it was not open.
    pub(crate) fn close(&mut self, address: Address) -> bool {
        let Some(page) = self.pages.get_mut(&(address.machine, address.router)) else { return false };
        let Some(owner) = page.close(address.connection) else { return false };
        self.further.remove(&(owner.service, address));
        if self.hubs.get(&address.machine) == Some(&address) {
            self.hubs.remove(&address.machine);
        }
        true
    }

    /// Closes every connection of a service. A router has none.
    pub(crate) fn close_all(&mut self, service: ServiceId) {
        let first = Address::local_inter_machine_router(MachineId(0));
        let further = self.further.range((service, first)..).take_while(|(owner, _)| *owner == service);
        let mut all: Vec<Address> = further.map(|(_, address)| *address).collect();
        all.extend(self.mains.get(service.index()));
        for address in all {
            self.close(address);
        }
    }

    /// Whose connection that is, if it is open; of a hub directory's logical address, whoever is the
    /// hub.
    pub(crate) fn owner_of(&self, address: Address) -> Option<Owner> {
        let owner = |address: Address| self.pages.get(&(address.machine, address.router))?.owner_of(address.connection);
        if address.is_local_hub_directory() {
            let Owner { service, .. } = owner(*self.hubs.get(&address.machine)?)?;
            return Some(Owner { service, incarnation: ANY_INCARNATION });
        }
        owner(address)
    }

    /// The connection behind an address: another one if it is a logical one.
    pub(crate) fn connection_behind(&self, address: Address) -> Option<Address> {
        if address.is_local_hub_directory() { self.hubs.get(&address.machine).copied() } else { Some(address) }
    }

    /// A service's main connection: its last one, if it is gone.
    pub(crate) fn main_of(&self, service: ServiceId) -> Address {
        self.mains[service.index()]
    }

    pub(crate) fn standing_of(&self, service: ServiceId) -> Option<Rc<Standing>> {
        self.standings.get(&service).cloned()
    }

    /// Makes a connection its machine's hub directory, instead of the one before it, if it is open.
    pub(crate) fn set_hub(&mut self, address: Address) {
        if self.owner_of(address).is_some() {
            self.hubs.insert(address.machine, address);
        }
    }

    /// The directories that a machine knows, the best first: its own hub, then those that everybody
    /// knows.
    pub(crate) fn directories(&self, machine: MachineId) -> Vec<KnownDirectory> {
        let hub = Address::local_hub_directory(machine);
        let by_hub = self.owner_of(hub).map(|owner| owner.service.index());
        let is_hub = |known: &KnownDirectory| match *known {
            KnownDirectory::Service(index) => by_hub == Some(index),
            KnownDirectory::At(address) => by_hub.is_some() && address == hub,
        };
        let others = self.directories.iter().copied().filter(|known| !is_hub(known));
        by_hub.map(|_| KnownDirectory::At(hub)).into_iter().chain(others).collect()
    }

    /// Where a directory is reached now.
    pub(crate) fn reach(&self, directory: KnownDirectory) -> Address {
        match directory {
            KnownDirectory::Service(index) => self.main_of(ServiceId(index as u32)),
            KnownDirectory::At(address) => address,
        }
    }

    /// Whether a service is the directory that is meant.
    pub(crate) fn is_meant(&self, service: ServiceId, directory: KnownDirectory) -> bool {
        match directory {
            KnownDirectory::Service(index) => service.index() == index,
            KnownDirectory::At(address) => self.owner_of(address).is_some_and(|owner| owner.service == service),
        }
    }

    /// Where a message goes that is on a machine: first by way of the machines in `via`, from which
    /// those are struck that it has reached. The address that nobody can reach, if there is one.
    pub(crate) fn next_stop(&self, here: MachineId, to: Address, via: &mut Vec<Address>) -> Result<Stop, Address> {
        while via.first().is_some_and(|first| *first == Address::local_inter_machine_router(here)) {
            via.remove(0);
        }
        let seat = |machine, router| self.router_at(machine, router);
        if let Some(next) = via.first() {
            let forwarder = seat(next.machine, RouterId(0)).filter(|_| next.is_local_inter_machine_router());
            return forwarder.map(Stop::Forwarder).ok_or(*next);
        }
        let gateway = self.gateways.get(&here).filter(|by| to.machine != here && **by != here && **by != to.machine);
        if let Some(gateway) = gateway {
            return seat(*gateway, RouterId(0)).map(Stop::Forwarder).ok_or(to);
        }
        if let Some(owner) = self.owner_of(to) {
            return Ok(Stop::Owner(owner));
        }
        self.router_of(to).map(Stop::Nobody).ok_or(to)
    }

    /// The router of an address; the machine's first if it has none of that number, and nothing if there
    /// is no such machine.
    pub(crate) fn router_of(&self, address: Address) -> Option<ServiceId> {
        let seat = |router| self.pages.get(&(address.machine, router)).map(|page| page.seat);
        seat(address.router).or_else(|| seat(RouterId(0)))
    }

    /// The number of the next message.
    pub(crate) fn next_message(&mut self) -> u64 {
        self.last_message += 1;
        self.last_message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: MachineId = MachineId(0);

    /// Three machines with a router each, the first with a second one; services 0 and 1 at its
    /// routers, 2 and 3 on the others. The routers' seats are 4 to 7.
    fn book(gateways: &[(usize, usize)]) -> AddressBook {
        let at = |machine, router| (MachineId(machine), RouterId(router));
        let routers = [(at(0, 0), ServiceId(4)), (at(1, 0), ServiceId(5)), (at(2, 0), ServiceId(6))];
        let routers = routers.into_iter().chain([(at(0, 1), ServiceId(7))]);
        let entrant = |(machine, router)| Entrant { machine, router, standing: Standing::default() };
        let entrants = [at(0, 0), at(0, 1), at(1, 0), at(2, 0)].map(entrant).into();
        let gateways = gateways.iter().copied().collect();
        AddressBook::new(routers, entrants, Routing { gateways, directories: Vec::new() })
    }

    fn first(service: u32) -> Owner {
        Owner { service: ServiceId(service), incarnation: 1 }
    }

    fn main_of(book: &AddressBook, service: u32) -> Address {
        book.main_of(ServiceId(service))
    }

    #[test]
    fn every_service_has_a_main_connection_at_its_own_router_from_the_start() {
        let book = book(&[]);
        for (service, address) in [(0, "0:0:2"), (1, "0:1:2"), (2, "1:0:2"), (3, "2:0:2")] {
            assert_eq!(main_of(&book, service).to_string(), address);
            assert_eq!(book.owner_of(main_of(&book, service)), Some(first(service)));
        }
    }

    #[test]
    fn a_number_is_never_given_out_again() {
        let mut book = book(&[]);
        let mut seen = BTreeSet::from([main_of(&book, 0)]);
        for _ in 0..5 {
            let address = book.open(first(0));
            assert!(seen.insert(address), "{address} again");
            assert!(book.close(address));
            assert!(!book.close(address), "it is closed already");
            assert_eq!(book.owner_of(address), None);
        }
    }

    #[test]
    fn a_new_incarnation_has_a_new_main_connection_and_none_of_the_old_ones() {
        let mut book = book(&[]);
        let old = [main_of(&book, 0), book.open(first(0))];
        let others = main_of(&book, 1);
        assert_eq!(book.open_main(first(0)), old[0], "the first has it from the start");
        let second = Owner { incarnation: 2, ..first(0) };
        let new = book.open_main(second);
        assert_eq!(new.to_string(), "0:0:4");
        assert_eq!(book.owner_of(new), Some(second));
        assert_eq!(old.map(|address| book.owner_of(address)), [None, None]);
        assert_eq!(book.owner_of(others), Some(first(1)), "others keep theirs");
    }

    #[test]
    fn the_hub_is_whoever_is_the_hub_until_its_connection_closes() {
        let mut book = book(&[]);
        let hub = Address::local_hub_directory(HERE);
        assert_eq!((book.owner_of(hub), book.directories(HERE)), (None, vec![]));
        let further = book.open(first(0));
        book.set_hub(further);
        let any = Owner { service: ServiceId(0), incarnation: ANY_INCARNATION };
        assert_eq!((book.owner_of(hub), book.directories(HERE)), (Some(any), vec![KnownDirectory::At(hub)]));
        assert_eq!(book.connection_behind(hub), Some(further));
        book.close_all(ServiceId(0));
        assert_eq!((book.owner_of(hub), book.directories(HERE)), (None, vec![]));
        book.set_hub(further);
        assert_eq!(book.owner_of(hub), None, "it is closed");
    }

    fn stops(book: &AddressBook, here: u32, to: Address, via: &[u32]) -> (Result<Stop, Address>, usize) {
        let mut via = via.iter().map(|machine| Address::local_inter_machine_router(MachineId(*machine))).collect();
        (book.next_stop(MachineId(here), to, &mut via), via.len())
    }

    #[test]
    fn a_message_goes_to_its_owner_or_to_the_router_that_can_say_that_there_is_none() {
        let book = book(&[]);
        let to = main_of(&book, 3);
        assert_eq!(stops(&book, 0, to, &[]).0, Ok(Stop::Owner(first(3))));
        let nobody = |text: &str| stops(&book, 0, text.parse().unwrap(), &[]).0;
        assert_eq!(nobody("2:0:77"), Ok(Stop::Nobody(ServiceId(6))));
        assert_eq!(nobody("0:1:77"), Ok(Stop::Nobody(ServiceId(7))));
        assert_eq!(nobody("0:9:77"), Ok(Stop::Nobody(ServiceId(4))), "no such router, but such a machine");
        assert_eq!(nobody("9:0:2"), Err("9:0:2".parse().unwrap()));
    }

    #[test]
    fn a_message_goes_by_way_of_every_machine_it_was_told_to_in_turn() {
        let book = book(&[]);
        let to = main_of(&book, 3);
        assert_eq!(stops(&book, 0, to, &[1]), (Ok(Stop::Forwarder(ServiceId(5))), 1));
        assert_eq!(stops(&book, 1, to, &[1]), (Ok(Stop::Owner(first(3))), 0), "it has been there");
        assert_eq!(stops(&book, 1, to, &[1, 0]), (Ok(Stop::Forwarder(ServiceId(4))), 1));
        let mut via = vec!["1:0:2".parse().unwrap()];
        assert_eq!(book.next_stop(HERE, to, &mut via), Err(via[0]), "that is no inter-machine router");
    }

    #[test]
    fn a_gateway_takes_what_is_for_other_machines_and_what_is_for_its_own_goes_straight() {
        let book = book(&[(0, 1)]);
        assert_eq!(stops(&book, 0, main_of(&book, 3), &[]).0, Ok(Stop::Forwarder(ServiceId(5))));
        assert_eq!(stops(&book, 0, main_of(&book, 2), &[]).0, Ok(Stop::Owner(first(2))));
        assert_eq!(stops(&book, 0, main_of(&book, 1), &[]).0, Ok(Stop::Owner(first(1))), "the same machine");
        assert_eq!(stops(&book, 1, main_of(&book, 3), &[]).0, Ok(Stop::Owner(first(3))), "the gateway itself");
    }
}
