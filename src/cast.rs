//! The stock actors: under which name scenarios know each, and what it does.
//!
//! The one place to touch for a new one, beside its own file in [`rehearsal_actors::stock`].

use rehearsal_actors::simulation::Cast;
use rehearsal_actors::stock::sockshop::{FrontendParams, OrderParams, PaymentParams, mpi, rest};
use rehearsal_actors::stock::{directory, echo, events, faulty, load, raw, rpc, store};
use serde::de::DeserializeOwned;

use crate::registry::Registry;

/// Every stock actor.
pub(crate) fn stock() -> Registry {
    let mut cast = Stock(Registry::new());

    cast.add("echo/server", "Sends every ping back.", |(): ()| Cast::service(echo::Server));
    cast.add("echo/caller", "Sends pings and checks that they come back.", |params| {
        Cast::service(echo::Caller::new(params))
    });

    cast.add("store/server", "Keeps values by key: POST /data, GET /data/{key}.", |params| {
        Cast::service(store::Store::new(params))
    });
    cast.add("store/client", "Stores a value, reads it, asks for what is not there.", |params| {
        Cast::service(store::Client::new(params))
    });

    cast.try_add("directory", "Knows who provides what: services register there, and ask it.", |params| {
        directory::Server::new(params).map(Cast::service).map_err(|error| error.to_string())
    });

    cast.try_add("load/sender", "Sends messages of a given size at a given rate.", |params| {
        load::Sender::new(params).map(Cast::service).map_err(|error| error.to_string())
    });
    cast.add("load/sink", "Takes and counts what load/sender sends.", |(): ()| Cast::actor(load::Sink));

    calls_and_messages(&mut cast);
    cast.try_add("faulty", "Fails: at its start or in its steps, with an error or a panic.", |params| {
        faulty::Faulty::new(params).map(Cast::service).map_err(|error| error.to_string())
    });
    sockshop_mpi(&mut cast);
    sockshop_rest(&mut cast);
    cast.0
}

fn calls_and_messages(cast: &mut Stock) {
    cast.add("rpc/hello", "Greets and echoes when it is called.", |(): ()| Cast::service(rpc::Hello));
    cast.add("rpc/worker", "Works when it is called, and answers in every way there is.", |params| {
        Cast::service(rpc::Worker::new(params))
    });
    cast.try_add("rpc/caller", "Calls a method again and again.", |params| {
        rpc::Caller::new(params).map(Cast::service).map_err(|error| error.to_string())
    });
    cast.add("rpc/outcomes", "Sees every outcome that a call can have, once.", |params| {
        Cast::service(rpc::Outcomes::new(params))
    });
    cast.add("raw/add-one", "Adds one to whatever number a raw message brings.", |params| {
        Cast::service(raw::AddOne::new(params))
    });
    cast.try_add("raw/asker", "Asks raw/add-one for the next number, again and again.", |params| {
        raw::Asker::new(params).map(Cast::service).map_err(|error| error.to_string())
    });
    cast.try_add("events/emitter", "Tells of events, topic after topic.", |params| {
        events::Emitter::new(params).map(Cast::service).map_err(|error| error.to_string())
    });
    cast.add("events/listener", "Hears of the events order.*.", |(): ()| Cast::service(events::Listener));
    cast.add("events/auditor", "Hears of every event, and notices what it misses.", |(): ()| {
        Cast::service(events::Auditor::default())
    });
}

fn sockshop_mpi(cast: &mut Stock) {
    cast.add("sockshop/frontend", "Places an order in every step, over MPI.", |params: FrontendParams| {
        Cast::service(mpi::Frontend::new(params))
    });
    cast.add("sockshop/catalog", "Says over MPI what is for sale.", |(): ()| Cast::service(mpi::Catalog));
    cast.add("sockshop/user", "Knows the users, over MPI.", |(): ()| Cast::service(mpi::Users));
    cast.add("sockshop/cart", "Knows over MPI what lies in the cart.", |(): ()| Cast::service(mpi::Cart));
    cast.add("sockshop/order", "Has orders paid for, then shipped, over MPI.", |params: OrderParams| {
        Cast::service(mpi::Order::new(params))
    });
    cast.add("sockshop/payment", "Takes the money, over MPI.", |params: PaymentParams| {
        Cast::service(mpi::Payment::new(params))
    });
    cast.add("sockshop/shipping", "Ships what was paid for, over MPI.", |(): ()| Cast::service(mpi::Shipping));
}

fn sockshop_rest(cast: &mut Stock) {
    cast.add("sockshop-rest/frontend", "Places an order in every step, over REST.", |params: FrontendParams| {
        Cast::service(rest::Frontend::new(params))
    });
    cast.add("sockshop-rest/catalog", "Says what is for sale: GET /catalog.", |(): ()| Cast::service(rest::Catalog));
    cast.add("sockshop-rest/user", "Knows the users: GET /user/{id}.", |(): ()| Cast::service(rest::Users));
    cast.add("sockshop-rest/cart", "Knows what lies in the cart: GET /cart.", |(): ()| Cast::service(rest::Cart));
    cast.add("sockshop-rest/order", "Has orders paid for and shipped: POST /order.", |params: OrderParams| {
        Cast::service(rest::Order::new(params))
    });
    cast.add("sockshop-rest/payment", "Takes the money: POST /pay.", |params: PaymentParams| {
        Cast::service(rest::Payment::new(params))
    });
    cast.add("sockshop-rest/shipping", "Ships what is ordered: GET /details/{order}.", |(): ()| {
        Cast::service(rest::Shipping)
    });
}

/// A registry in the making.
struct Stock(Registry);

impl Stock {
    /// An actor that takes whatever its parameters can say.
    fn add<P: DeserializeOwned + 'static>(
        &mut self,
        name: &str,
        doc: &str,
        make: impl Fn(P) -> Cast + Send + Sync + 'static,
    ) {
        self.try_add(name, doc, move |params| Ok(make(params)));
    }

    /// An actor that does not want some of what its parameters can say.
    fn try_add<P: DeserializeOwned + 'static>(
        &mut self,
        name: &str,
        doc: &str,
        make: impl Fn(P) -> Result<Cast, String> + Send + Sync + 'static,
    ) {
        let known = self.0.register(name, doc, make);
        // The names stand above, so that only whoever writes them can get them wrong.
        debug_assert_eq!(known, Ok(()), "`{name}`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_actor_can_be_made_without_parameters() {
        let registry = stock();
        assert!(registry.names().count() >= 20);
        for name in registry.names() {
            let made = registry.factory(name).map(|factory| factory.make("()").is_ok());
            assert_eq!(made, Some(true), "{name}");
        }
    }

    #[test]
    fn every_actor_says_in_a_sentence_what_it_does() {
        let registry = stock();
        for name in registry.names() {
            let doc = registry.describe(name).unwrap_or_default();
            assert!(doc.ends_with('.') && doc.len() < 80, "{name}: {doc}");
        }
    }
}
