//! The shop over MPI: questions and answers are [`messages`](super::messages).
//!
//! An answer that comes after its asker has given up must not be taken for the answer to the next
//! question, so each carries the number of its question, and what is too late is dropped. Second
//! copies of a question, which a network may deliver, are not answered twice: nobody pays twice.

use std::cell::Cell;

use serde_json::json;

use super::messages::{GetCart, GetCatalog, GetUser, OrderAnswer, Pay, PlaceOrder, Question, Reply, Request, Ship};
use super::{FrontendParams, OrderParams, PaymentParams, Shipment, cart, order_lines, products, shipment, total, user};
use crate::prelude::{CallError, Service, ServiceIo, Step, StepError, StepResult};

/// A failure at one stage of an order: `cart: timed out`.
fn failed_at(stage: &'static str) -> impl Fn(CallError) -> StepError {
    move |error| match error {
        CallError::TimedOut { .. } => StepError::new(format!("{stage}: timed out")),
        error => StepError::new(format!("{stage}: {error}")),
    }
}

/// Asks, and tells the answers to its questions apart.
#[derive(Debug, Default)]
struct Asker {
    last: Cell<u64>,
}

impl Asker {
    /// Asks a service and waits for its answer. Both the way there and the wait that follows may take
    /// as long as the scenario's timeout; an answer that is too late begins the wait anew.
    async fn ask<Q: Question>(
        &self,
        io: &ServiceIo,
        (stage, to): (&'static str, &str),
        question: Q,
    ) -> Result<Q::Answer, StepError> {
        let number = self.last.get() + 1;
        self.last.set(number);
        io.mpi().send(to, Request { number, question }).await.map_err(failed_at(stage))?;
        loop {
            let reply = io.mpi().recv::<Reply<Q::Answer>>().from(to).await.map_err(failed_at(stage))?;
            if reply.body.number == number {
                return Ok(reply.body.answer);
            }
            io.count("answers too late", 1);
        }
    }
}

/// Waits for a question, however long that takes, and answers it.
async fn serve<Q: Question>(io: &ServiceIo, answer: impl FnOnce(Q) -> Q::Answer) -> StepResult {
    let request = io.mpi().recv::<Request<Q>>().no_timeout().await?;
    if !request.duplicate {
        let Request { number, question } = request.body;
        io.mpi().send(request.from, Reply { number, answer: answer(question) }).await.map_err(failed_at("answer"))?;
    }
    Ok(Step::Continue)
}

/// Places an order in every step. The value of a step is the order: its number, amount, transaction
/// and shipment, and how long it took.
#[derive(Debug, Default)]
pub struct Frontend {
    params: FrontendParams,
    asker: Asker,
}

impl Frontend {
    /// A frontend that has yet to place an order.
    pub fn new(params: FrontendParams) -> Self {
        Frontend { params, asker: Asker::default() }
    }
}

impl Service for Frontend {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let FrontendParams { user_id, catalog, user, cart, order } = &self.params;
        let user_id = *user_id;
        let began = io.now();
        let products = self.asker.ask(io, ("catalog", catalog), GetCatalog).await?;
        if self.asker.ask(io, ("user", user), GetUser { user_id }).await?.is_none() {
            return Err(StepError::new(format!("user: there is no user {user_id}")));
        }
        let wanted = self.asker.ask(io, ("cart", cart), GetCart { user_id }).await?;
        let items = order_lines(&products, &wanted)
            .map_err(|id| StepError::new(format!("catalog: product {id} is not for sale")))?;
        let amount = total(&items);
        match self.asker.ask(io, ("order", order), PlaceOrder { user_id, items }).await? {
            OrderAnswer::Placed { order_id, transaction_id, shipment } => {
                io.count("orders placed", 1);
                Ok(Step::Value(json!({
                    "order_id": order_id,
                    "amount": amount,
                    "transaction_id": transaction_id,
                    "shipment": shipment,
                    "took": io.now().since(began).to_string(),
                })))
            }
            OrderAnswer::Failed { reason } => Err(StepError::new(format!("order: {reason}"))),
        }
    }
}

/// Says what is for sale.
#[derive(Debug, Default)]
pub struct Catalog;

impl Service for Catalog {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        serve(io, |GetCatalog| products()).await
    }
}

/// Knows the users.
#[derive(Debug, Default)]
pub struct Users;

impl Service for Users {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        serve(io, |GetUser { user_id }| user(user_id)).await
    }
}

/// Knows what lies in the cart.
#[derive(Debug, Default)]
pub struct Cart;

impl Service for Cart {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        serve(io, |GetCart { .. }| cart()).await
    }
}

/// Takes orders, one after the other: has each paid for, then shipped. An order that fails at one of
/// these is a step that failed, and the frontend is told why.
#[derive(Debug)]
pub struct Order {
    params: OrderParams,
    next: Cell<u64>,
    asker: Asker,
}

impl Default for Order {
    fn default() -> Self {
        Order::new(OrderParams::default())
    }
}

impl Order {
    /// An order service that has yet to take an order.
    pub fn new(params: OrderParams) -> Self {
        Order { next: Cell::new(params.first_order), params, asker: Asker::default() }
    }

    /// The transaction and the shipment of an order.
    async fn process(&self, io: &ServiceIo, order_id: u64, order: &PlaceOrder) -> Result<(u64, Shipment), StepError> {
        let OrderParams { payment, shipping, .. } = &self.params;
        let amount = total(&order.items);
        let transaction = self.asker.ask(io, ("payment", payment), Pay { order_id, amount }).await?;
        let transaction = transaction.ok_or_else(|| StepError::new("payment: declined"))?;
        let shipment = self.asker.ask(io, ("shipping", shipping), Ship { order_id }).await?;
        Ok((transaction, shipment))
    }
}

impl Service for Order {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let request = io.mpi().recv::<Request<PlaceOrder>>().no_timeout().await?;
        if request.duplicate {
            return Ok(Step::Continue);
        }
        let order_id = self.next.get();
        self.next.set(order_id + 1);
        let Request { number, question } = request.body;
        let processed = self.process(io, order_id, &question).await;
        let (answer, ended) = match processed {
            Ok((transaction_id, shipment)) => (OrderAnswer::Placed { order_id, transaction_id, shipment }, Ok(())),
            Err(error) => (OrderAnswer::Failed { reason: error.to_string() }, Err(error)),
        };
        let told = io.mpi().send(request.from, Reply { number, answer }).await;
        // What went wrong first is what went wrong.
        ended?;
        told.map_err(failed_at("answer"))?;
        Ok(Step::Continue)
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
}

impl Service for Payment {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        serve(io, |Pay { .. }| {
            let transaction = io.random(|stream| self.params.transact(stream));
            io.count("payments taken", u64::from(transaction.is_some()));
            transaction
        })
        .await
    }
}

/// Ships what was paid for.
#[derive(Debug, Default)]
pub struct Shipping;

impl Service for Shipping {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        serve(io, |Ship { .. }| {
            io.count("shipments arranged", 1);
            shipment()
        })
        .await
    }
}
