//! A shop for socks: seven services, once over [MPI](mpi) and once over [REST](rest).
//!
//! In every step the frontend places an order. What it asks, in this order:
//!
//! ```text
//!             1 what is for sale   +---------+
//!           +--------------------->| catalog |
//!           |                      +---------+
//! +----------+  2 who is it        +---------+
//! | frontend |-------------------->|  user   |
//! +----------+  3 what is wanted   +---------+
//!    |      |                      +---------+
//!    |      +--------------------->|  cart   |
//!    |                             +---------+
//!    |      4 order     +-------+  5 pay    +----------+
//!    +----------------->| order |---------->| payment  |
//!                       +-------+           +----------+
//!                           |      6 ship   +----------+
//!                           +-------------->| shipping |
//!                                           +----------+
//! ```
//!
//! Every arrow is a request and its answer. Over MPI they follow one another; over REST, 5 and 6 are
//! under way at once. If one of them fails, the order fails, and the reason names the stage:
//! `cart: timed out`, `order: payment: no route to `payment``. The frontend then goes on with its
//! next step.
//!
//! What there is to buy, who buys it and what the services say to each other are those of the
//! SockShop that comes with ECLYPSE (<https://github.com/eclypse-org/eclypse>), with two
//! differences: orders are numbered from 54321 on instead of all having that number, and amounts of
//! money are exact. Its payment service calls half of the payments failed, and its order service
//! takes no notice; here payments succeed unless [`PaymentParams::declined`] says otherwise, and
//! then the order fails.
//!
//! Counted are `orders placed` (frontend), `payments taken` (payment), `shipments arranged`
//! (shipping), and over MPI `answers too late`. More payments than placed orders are what a network
//! that fails at the wrong moment leaves behind.

mod goods;
pub mod messages;
mod money;
pub mod mpi;
pub mod rest;

use serde::Deserialize;

pub use goods::{CartItem, OrderLine, Product, Shipment, User, cart, order_lines, products, shipment, total, user};
pub use money::{BadMoney, Money};

use crate::random::Stream;
use crate::units::Probability;

/// The number of the one user.
pub const USER: u64 = 12345;

/// The number of the first order.
pub const FIRST_ORDER: u64 = 54321;

/// Transactions are numbered at random from here…
pub const LEAST_TRANSACTION: u64 = 1000;
/// …to here.
pub const MOST_TRANSACTION: u64 = 9999;

/// What a frontend may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FrontendParams {
    /// Who buys. Default 12345, the only user there is.
    pub user_id: u64,
    /// The name of the catalog. Default `catalog`.
    pub catalog: String,
    /// The name of the user service. Default `user`.
    pub user: String,
    /// The name of the cart. Default `cart`.
    pub cart: String,
    /// The name of the order service. Default `order`.
    pub order: String,
}

impl Default for FrontendParams {
    fn default() -> Self {
        FrontendParams {
            user_id: USER,
            catalog: "catalog".to_owned(),
            user: "user".to_owned(),
            cart: "cart".to_owned(),
            order: "order".to_owned(),
        }
    }
}

/// What an order service may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrderParams {
    /// The number of its first order. Default 54321.
    pub first_order: u64,
    /// The name of the payment service. Default `payment`.
    pub payment: String,
    /// The name of the shipping service. Default `shipping`.
    pub shipping: String,
}

impl Default for OrderParams {
    fn default() -> Self {
        OrderParams { first_order: FIRST_ORDER, payment: "payment".to_owned(), shipping: "shipping".to_owned() }
    }
}

/// What a payment service may be told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentParams {
    /// The chance that a payment is declined. Default 0.
    pub declined: Probability,
}

impl PaymentParams {
    /// The number of a payment's transaction, or nothing if it is declined.
    fn transact(&self, stream: &mut Stream) -> Option<u64> {
        let declined = stream.chance(self.declined);
        (!declined).then(|| stream.between(LEAST_TRANSACTION, MOST_TRANSACTION))
    }
}
