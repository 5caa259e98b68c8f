//! What the services of the MPI shop say to each other.
//!
//! | question | from | to | answer |
//! |---|---|---|---|
//! | [`GetCatalog`] | frontend | catalog | the products |
//! | [`GetUser`] | frontend | user | the user, if there is one |
//! | [`GetCart`] | frontend | cart | what lies in it |
//! | [`PlaceOrder`] | frontend | order | [`OrderAnswer`] |
//! | [`Pay`] | order | payment | the transaction, if it was not declined |
//! | [`Ship`] | order | shipping | the shipment |
//!
//! A question travels in a [`Request`], its answer in a [`Reply`] of the same number.

use serde::Serialize;

use super::{CartItem, Money, OrderLine, Product, Shipment, User};
use crate::Body;

/// Something that is asked, and the type of the answer.
pub trait Question: Body {
    /// What comes back.
    type Answer: Body;
}

/// A question on its way.
#[derive(Clone, Debug, Serialize)]
pub struct Request<Q> {
    /// Tells the questions of one asker apart.
    pub number: u64,
    /// What is asked.
    pub question: Q,
}

/// An answer on its way.
#[derive(Clone, Debug, Serialize)]
pub struct Reply<A> {
    /// The number of the request.
    pub number: u64,
    /// What is answered.
    pub answer: A,
}

/// What is for sale?
#[derive(Clone, Debug, Serialize)]
pub struct GetCatalog;

impl Question for GetCatalog {
    type Answer = Vec<Product>;
}

/// Who is that?
#[derive(Clone, Debug, Serialize)]
pub struct GetUser {
    /// The user's number.
    pub user_id: u64,
}

impl Question for GetUser {
    type Answer = Option<User>;
}

/// What does the user want?
#[derive(Clone, Debug, Serialize)]
pub struct GetCart {
    /// The user's number.
    pub user_id: u64,
}

impl Question for GetCart {
    type Answer = Vec<CartItem>;
}

/// May the user have this?
#[derive(Clone, Debug, Serialize)]
pub struct PlaceOrder {
    /// The user's number.
    pub user_id: u64,
    /// What is wanted, priced.
    pub items: Vec<OrderLine>,
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum OrderAnswer {
    /// It is paid for and shipped.
    Placed {
        /// The order's number.
        order_id: u64,
        /// The number of the payment's transaction.
        transaction_id: u64,
        /// How it is shipped.
        shipment: Shipment,
    },
    /// It is not.
    Failed {
        /// Why: the stage, and what happened there.
        reason: String,
    },
}

impl Question for PlaceOrder {
    type Answer = OrderAnswer;
}

/// May the shop have the money?
#[derive(Clone, Debug, Serialize)]
pub struct Pay {
    /// The order's number.
    pub order_id: u64,
    /// What it costs.
    pub amount: Money,
}

impl Question for Pay {
    type Answer = Option<u64>;
}

/// How will this order be shipped?
#[derive(Clone, Debug, Serialize)]
pub struct Ship {
    /// The order's number.
    pub order_id: u64,
}

impl Question for Ship {
    type Answer = Shipment;
}
