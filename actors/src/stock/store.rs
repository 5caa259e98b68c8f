//! A store for values, asked over REST.
//!
//! | request | response |
//! |---|---|
//! | `POST /data` with `{"key": …, "value": …}` | 201; 400 if the body is something else; 507 if the store is full |
//! | `GET /data/{key}` | 200 with `{"value": …}`; 404 if there is none |

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::prelude::*;

/// What a [`Store`] may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreParams {
    /// How many values it holds. Default 10,000.
    pub capacity: usize,
}

impl Default for StoreParams {
    fn default() -> Self {
        StoreParams { capacity: 10_000 }
    }
}

/// Keeps values by key, and gives them back. Counts `values stored`.
#[derive(Debug, Default)]
pub struct Store {
    params: StoreParams,
    values: RefCell<BTreeMap<String, Value>>,
}

/// The body of `POST /data`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with `key` and `value`")]
struct Item {
    key: String,
    value: Value,
}

impl Store {
    /// A store with nothing in it.
    pub fn new(params: StoreParams) -> Self {
        Store { params, values: RefCell::default() }
    }

    async fn put_in(self: Rc<Self>, io: ServiceIo, request: Request) -> Result<Response, Response> {
        let Item { key, value } = request.json()?;
        let mut values = self.values.borrow_mut();
        if values.len() >= self.params.capacity && !values.contains_key(&key) {
            return Err(Response::problem(507, "the store is full"));
        }
        values.insert(key, value);
        io.count("values stored", 1);
        Ok(Response::new(201, json!({ "status": "ok" })))
    }

    async fn look_up(self: Rc<Self>, _: ServiceIo, request: Request) -> Result<Response, Response> {
        let key: String = request.param("key")?;
        match self.values.borrow().get(&key) {
            Some(value) => Ok(Response::new(200, json!({ "value": value }))),
            None => Err(Response::problem(404, &format!("nothing is stored under `{key}`"))),
        }
    }
}

impl Service for Store {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        let members = json!({ "key": { "type": "string" }, "value": {} });
        endpoints.post("/data", Store::put_in).takes_like(json!({
            "type": "object", "properties": members, "required": ["key", "value"], "additionalProperties": false,
        }));
        endpoints.get("/data/{key}", Store::look_up).param::<String>("key");
    }
}

/// What a [`Client`] may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientParams {
    /// The name of the store. Default `store`.
    pub to: String,
    /// Under which key to store something. Default `item1`.
    pub key: String,
    /// What to store. Default 42.
    pub value: Value,
    /// How many rounds of requests to make. Default 1.
    pub rounds: u64,
}

impl Default for ClientParams {
    fn default() -> Self {
        ClientParams { to: "store".to_owned(), key: "item1".to_owned(), value: json!(42), rounds: 1 }
    }
}

/// Makes a round of five requests in every step, and fails if one is not answered as it should be.
/// Counts `answers as expected`; the value of a step lists requests, statuses and bodies.
#[derive(Debug, Default)]
pub struct Client {
    params: ClientParams,
    rounds: Cell<u64>,
}

impl Client {
    /// A client that has yet to ask.
    pub fn new(params: ClientParams) -> Self {
        Client { params, rounds: Cell::new(0) }
    }

    /// What it asks, and which status should come back.
    fn requests(&self) -> [(Method, String, Value, u16); 5] {
        let ClientParams { to, key, value, .. } = &self.params;
        let item = json!(Item { key: key.clone(), value: value.clone() });
        [
            (Method::Post, format!("{to}/data"), item, 201),
            (Method::Get, format!("{to}/data/{key}"), Value::Null, 200),
            // Nothing is stored there.
            (Method::Get, format!("{to}/data/not-{key}"), Value::Null, 404),
            // There is no such endpoint.
            (Method::Get, format!("{to}/dat/{key}"), Value::Null, 404),
            // There is, but not for this method.
            (Method::Delete, format!("{to}/data/{key}"), Value::Null, 405),
        ]
    }
}

impl Service for Client {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        if self.rounds.get() >= self.params.rounds {
            return Ok(Step::Stop);
        }
        self.rounds.set(self.rounds.get() + 1);
        let mut answers = Vec::new();
        for (method, url, body, expected) in self.requests() {
            let reply = io.rest().call(method, &url, body).await;
            if reply.status != expected {
                let why = format!("{method} {url}: {} instead of {expected}", reply.status);
                return Err(StepError::new(why));
            }
            io.count("answers as expected", 1);
            let request = format!("{method} {url}");
            answers.push(json!({ "request": request, "status": reply.status, "body": reply.body }));
        }
        Ok(Step::Value(Value::Array(answers)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::Report;
    use crate::simulation::{Cast, Progress, ServiceSpec, Setup, run};
    use crate::topology::{Link, Node, Topology};

    fn shop_with(store: StoreParams, client: ClientParams) -> Result<Report, Box<dyn std::error::Error>> {
        let mut topology = Topology::new();
        let (a, b) = (topology.add_node(Node::new("a"))?, topology.add_node(Node::new("b"))?);
        topology.add_symmetric(a, b, Link::new(SimDuration::from_millis(5)))?;
        let mut setup = Setup::new(1, topology);
        let mut client = ServiceSpec::new("client", a, Cast::service(Client::new(client)));
        client.keep_step_values = 10;
        setup.services = vec![client, ServiceSpec::new("store", b, Cast::service(Store::new(store)))];
        Ok(run(setup, None, Arc::new(Progress::default()))?)
    }

    #[test]
    fn what_is_stored_is_found_and_nothing_else() -> Result<(), Box<dyn std::error::Error>> {
        let value = json!({ "socks": ["left", "right"] });
        let report =
            shop_with(StoreParams::default(), ClientParams { value: value.clone(), ..ClientParams::default() })?;
        let [answers] = &report.services[0].step_values[..] else { panic!("{:?}", report.services[0]) };
        let statuses: Vec<_> = answers.as_array().into_iter().flatten().map(|answer| &answer["status"]).collect();
        assert_eq!(statuses, [201, 200, 404, 404, 405]);
        assert_eq!(answers[1]["body"], json!({ "value": value }));
        assert_eq!(report.counters["answers as expected"], 5);
        // Five requests of 5 ms there and 5 ms back.
        assert_eq!(report.ended_at, SimTime::from_nanos(50_000_000));
        Ok(())
    }

    #[test]
    fn a_body_that_is_no_item_is_told_what_one_is() {
        for wrong in [json!(null), json!("socks"), json!(3)] {
            let told = serde_json::from_value::<Item>(wrong).expect_err("it is none").to_string();
            assert!(told.ends_with("expected a JSON object with `key` and `value`"), "{told}");
        }
    }

    #[test]
    fn a_full_store_takes_nothing_new() -> Result<(), Box<dyn std::error::Error>> {
        let report = shop_with(StoreParams { capacity: 0 }, ClientParams::default())?;
        assert_eq!(report.services[0].failed_steps["POST store/data: 507 instead of 201"], 1);
        Ok(())
    }
}
