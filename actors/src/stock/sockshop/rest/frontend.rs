//! The front of the shop: who places the orders, in steps of its own and for customers outside.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::super::{FrontendParams, Money, Shipment, User, order_lines, total};
use super::{CartBody, CatalogBody, OrderAnswer, OrderBody, read, reason};
use crate::interfaces::rest::Reply;
use crate::prelude::{
    Endpoints, Failure, Interfaces, Request, Response, Service, ServiceIo, Step, StepError, StepResult,
};

/// Places an order in every step, and whenever somebody asks for one. The value of a step is the order:
/// its number, amount, transaction and shipment, and how long it took.
#[derive(Debug, Default)]
pub struct Frontend {
    params: FrontendParams,
}

/// An order that was placed.
#[derive(Clone, Serialize)]
struct Placed {
    order_id: u64,
    amount: Money,
    transaction_id: u64,
    shipment: Shipment,
    took: String,
}

/// What a customer may say of an order.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OrderFor {
    /// Instead of the user that the frontend orders for itself.
    user_id: Option<u64>,
}

/// Why an order failed of which something may have happened: money taken, goods not shipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{reason}")]
pub struct OrderFailed {
    /// Where and how.
    pub reason: String,
}

/// Why an order was not placed.
enum NotPlaced {
    /// It never came to an order, or the order was turned down: 503, or 402 if it could not be paid for.
    Nothing(u16, String),
    /// Something may have happened.
    Perhaps(u16, String),
}

impl From<StepError> for NotPlaced {
    /// Before there is an order, nothing was done but asking.
    fn from(error: StepError) -> Self {
        NotPlaced::Nothing(503, error.to_string())
    }
}

impl NotPlaced {
    /// What the order service's failure means.
    fn of_order(reply: &Reply) -> Self {
        let why = reason("order", reply);
        match reply.status {
            _ if reply.outcome.is_definite_failure() => NotPlaced::Nothing(503, why),
            status @ (402 | 503) => NotPlaced::Nothing(status, why),
            504 => NotPlaced::Perhaps(504, why),
            _ => NotPlaced::Perhaps(502, why),
        }
    }

    fn reason(self) -> String {
        match self {
            NotPlaced::Nothing(_, why) | NotPlaced::Perhaps(_, why) => why,
        }
    }
}

impl Frontend {
    /// A frontend that has yet to place an order.
    pub fn new(params: FrontendParams) -> Self {
        Frontend { params }
    }

    async fn place(&self, io: &ServiceIo, user_id: u64) -> Result<Placed, NotPlaced> {
        let FrontendParams { catalog, user, cart, order, .. } = &self.params;
        let began = io.now();
        let CatalogBody { products } = read("catalog", io.rest().get(&format!("{catalog}/catalog")).await)?;
        let _: User = read("user", io.rest().get(&format!("{user}/user/{user_id}")).await)?;
        let CartBody { items } = read("cart", io.rest().get(&format!("{cart}/cart")).await)?;
        let items = order_lines(&products, &items)
            .map_err(|id| StepError::new(format!("catalog: product {id} is not for sale")))?;
        let amount = total(&items);
        let reply = io.rest().post(&format!("{order}/order"), OrderBody { items }).await;
        if !reply.is_success() {
            return Err(NotPlaced::of_order(&reply));
        }
        let answer = read("order", reply).map_err(|error| NotPlaced::Perhaps(502, error.to_string()))?;
        let OrderAnswer { order_id, transaction_id, shipping_details: shipment, .. } = answer;
        io.count("orders placed", 1);
        Ok(Placed { order_id, amount, transaction_id, shipment, took: io.now().since(began).to_string() })
    }

    /// `POST /orders`
    async fn order(self: Rc<Self>, io: ServiceIo, request: Request) -> Result<Response, Response> {
        let OrderFor { user_id } = if request.body.is_null() { OrderFor::default() } else { request.json()? };
        match self.place(&io, user_id.unwrap_or(self.params.user_id)).await {
            Ok(placed) => Ok(Response::new(201, placed)),
            Err(NotPlaced::Nothing(status, why) | NotPlaced::Perhaps(status, why)) => {
                Err(Response::problem(status, &why))
            }
        }
    }

    async fn place_order(self: Rc<Self>, io: ServiceIo, order: OrderFor) -> Result<Placed, Failure> {
        let user_id = order.user_id.unwrap_or(self.params.user_id);
        self.place(&io, user_id).await.map_err(|failed| match failed {
            NotPlaced::Nothing(_, why) => Failure::nack(why),
            NotPlaced::Perhaps(_, reason) => OrderFailed { reason }.into(),
        })
    }
}

impl Service for Frontend {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        let placed = self.place(io, self.params.user_id).await.map_err(|failed| StepError::new(failed.reason()))?;
        Ok(Step::Value(serde_json::to_value(placed)?))
    }

    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.post("/orders", Frontend::order);
    }

    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces
            .interface("shop", "1.0")
            .rpc("place_order", "Places an order, and says what came of it.", Frontend::place_order)
            .raises::<OrderFailed>("OrderFailed");
    }
}
