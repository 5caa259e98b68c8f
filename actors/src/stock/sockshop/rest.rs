//! The shop over REST.
//!
//! | endpoint | asked by | success | failure |
//! |---|---|---|---|
//! | `GET catalog/catalog` | frontend | 200 `{"products": […]}` | |
//! | `GET user/user/{id}` | frontend | 200, the user | 404: there is none of that number |
//! | `GET cart/cart` | frontend | 200 `{"items": […]}` | |
//! | `POST order/order` `{"items": […]}` | frontend | 201, the order | 402: declined; 503: not paid; 504, 502: paid perhaps, or not shipped |
//! | `POST payment/pay` `{"order_id": …, "amount": …}` | order | 200, the transaction | 402: declined |
//! | `GET shipping/details/{order}` | order | 200, the shipment | |
//! | `POST frontend/orders`, perhaps `{"user_id": …}` | customers outside | 201, what came of it | as the order service; 503 too if it never came to an order |
//!
//! The order service asks for payment and shipping at once. Who would rather call than post calls
//! `shop.place_order(user_id)` of the frontend, which nacks where nothing was ordered.

mod frontend;

pub use frontend::{Frontend, OrderFailed};

use std::cell::Cell;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    CartItem, Money, OrderLine, OrderParams, PaymentParams, Product, Shipment, cart, products, shipment, total, user,
};
use crate::interfaces::rest::Reply;
use crate::outcome::OutcomeKind;
use crate::prelude::{Endpoints, Request, Response, Service, ServiceIo, StepError};

/// What the catalog answers.
#[derive(Serialize, Deserialize)]
struct CatalogBody {
    products: Vec<Product>,
}

/// What the cart answers.
#[derive(Serialize, Deserialize)]
struct CartBody {
    items: Vec<CartItem>,
}

/// What the order service is asked.
#[derive(Serialize, Deserialize)]
struct OrderBody {
    items: Vec<OrderLine>,
}

/// What the order service answers.
#[derive(Serialize, Deserialize)]
struct OrderAnswer {
    order_id: u64,
    transaction_id: u64,
    shipping_details: Shipment,
    status: String,
}

/// What the payment service is asked.
#[derive(Serialize, Deserialize)]
struct PayBody {
    order_id: u64,
    amount: Money,
}

/// What the payment service answers.
#[derive(Serialize, Deserialize)]
struct PayAnswer {
    order_id: u64,
    amount: Money,
    transaction_id: u64,
    status: String,
}

/// What the shipping service answers.
#[derive(Serialize, Deserialize)]
struct ShippingAnswer {
    order_id: u64,
    status: String,
    shipping_details: Shipment,
}

fn success() -> String {
    "success".to_owned()
}

/// Why a request at one stage of an order failed: `cart: timed out`.
fn reason(stage: &str, reply: &Reply) -> String {
    match (reply.outcome, reply.body.get("detail").and_then(Value::as_str)) {
        (OutcomeKind::TimedOut, _) => format!("{stage}: timed out"),
        (_, Some(detail)) => format!("{stage}: {detail}"),
        (_, None) => format!("{stage}: answered {}", reply.status),
    }
}

/// What a successful reply says.
fn read<T: DeserializeOwned>(stage: &str, reply: Reply) -> Result<T, StepError> {
    if !reply.is_success() {
        return Err(StepError::new(reason(stage, &reply)));
    }
    reply.json().map_err(|error| StepError::new(format!("{stage}: {error}")))
}

/// Says what is for sale.
#[derive(Debug, Default)]
pub struct Catalog;

impl Catalog {
    async fn catalog(self: Rc<Self>, _: ServiceIo, _: Request) -> Response {
        Response::new(200, CatalogBody { products: products() })
    }
}

impl Service for Catalog {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.get("/catalog", Catalog::catalog);
    }
}

/// Knows the users.
#[derive(Debug, Default)]
pub struct Users;

impl Users {
    async fn user(self: Rc<Self>, _: ServiceIo, request: Request) -> Result<Response, Response> {
        let user_id = request.param("id")?;
        match user(user_id) {
            Some(user) => Ok(Response::new(200, user)),
            None => Err(Response::problem(404, &format!("there is no user {user_id}"))),
        }
    }
}

impl Service for Users {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.get("/user/{id}", Users::user);
    }
}

/// Knows what lies in the cart.
#[derive(Debug, Default)]
pub struct Cart;

impl Cart {
    async fn cart(self: Rc<Self>, _: ServiceIo, _: Request) -> Response {
        Response::new(200, CartBody { items: cart() })
    }
}

impl Service for Cart {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.get("/cart", Cart::cart);
    }
}

/// Takes orders: has each paid for and shipped.
#[derive(Debug)]
pub struct Order {
    params: OrderParams,
    next: Cell<u64>,
}

impl Default for Order {
    fn default() -> Self {
        Order::new(OrderParams::default())
    }
}

impl Order {
    /// An order service that has yet to take an order.
    pub fn new(params: OrderParams) -> Self {
        Order { next: Cell::new(params.first_order), params }
    }

    async fn order(self: Rc<Self>, io: ServiceIo, request: Request) -> Result<Response, Response> {
        let OrderBody { items } = request.json()?;
        let order_id = self.next.get();
        self.next.set(order_id + 1);
        let OrderParams { payment, shipping, .. } = &self.params;
        let pay = PayBody { order_id, amount: total(&items) };
        let paying = io.rest().post(&format!("{payment}/pay"), pay).send();
        let shipping = io.rest().get(&format!("{shipping}/details/{order_id}")).send();
        let (paid, shipped) = (paying.await, shipping.await);
        let PayAnswer { transaction_id, .. } = Order::stage("payment", paid, 503)?;
        // It is paid for: whatever goes wrong now, something has happened.
        let ShippingAnswer { shipping_details, .. } = Order::stage("shipping", shipped, 502)?;
        Ok(Response::new(201, OrderAnswer { order_id, transaction_id, shipping_details, status: success() }))
    }

    /// What a stage answered; or, if it failed, what to tell the frontend. `not_done` is the status
    /// for a request that was certainly not carried out.
    fn stage<T: DeserializeOwned>(stage: &str, reply: Reply, not_done: u16) -> Result<T, Response> {
        let status = match (reply.outcome, reply.status) {
            (_, 200..300) => 502,
            (OutcomeKind::TimedOut, _) => 504,
            (outcome, _) if outcome.is_definite_failure() => not_done,
            (_, 402) => 402,
            _ => 502,
        };
        read(stage, reply).map_err(|error| Response::problem(status, &error.to_string()))
    }
}

impl Service for Order {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.post("/order", Order::order);
    }
}

/// Takes the money.
#[derive(Debug, Default)]
pub struct Payment {
    params: PaymentParams,
}

impl Payment {
    /// A payment service.
    pub fn new(params: PaymentParams) -> Self {
        Payment { params }
    }

    async fn pay(self: Rc<Self>, io: ServiceIo, request: Request) -> Result<Response, Response> {
        let PayBody { order_id, amount } = request.json()?;
        let Some(transaction_id) = io.random(|stream| self.params.transact(stream)) else {
            return Err(Response::problem(402, "declined"));
        };
        io.count("payments taken", 1);
        Ok(Response::new(200, PayAnswer { order_id, amount, transaction_id, status: success() }))
    }
}

impl Service for Payment {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.post("/pay", Payment::pay);
    }
}

/// Ships what is ordered.
#[derive(Debug, Default)]
pub struct Shipping;

impl Shipping {
    async fn details(self: Rc<Self>, io: ServiceIo, request: Request) -> Result<Response, Response> {
        let order_id = request.param("order")?;
        io.count("shipments arranged", 1);
        Ok(Response::new(200, ShippingAnswer { order_id, status: success(), shipping_details: shipment() }))
    }
}

impl Service for Shipping {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.get("/details/{order}", Shipping::details);
    }
}
