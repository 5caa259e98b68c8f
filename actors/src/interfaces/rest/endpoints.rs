//! The endpoints that a service offers.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use matchit::Router;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Method, Request, Response};
use crate::interfaces::rpc::schema_of;
use crate::service::{ServiceIo, StepError};

/// Whatever a handler may return.
pub trait IntoResponse {
    /// The response it stands for.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

/// Status and body.
impl<T: Serialize> IntoResponse for (u16, T) {
    fn into_response(self) -> Response {
        Response::new(self.0, self.1)
    }
}

/// 204.
impl IntoResponse for () {
    fn into_response(self) -> Response {
        Response::status(204)
    }
}

/// 500.
impl IntoResponse for StepError {
    fn into_response(self) -> Response {
        Response::problem(500, &self.to_string())
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

type ResponseFuture = Pin<Box<dyn Future<Output = Response>>>;

/// An async function that answers requests: `async fn f(self: Rc<S>, io: ServiceIo, request: Request)`.
pub trait Handle<S>: 'static {
    /// Answers one request.
    fn handle(&self, service: Rc<S>, io: ServiceIo, request: Request) -> ResponseFuture;
}

impl<S, F, Answer> Handle<S> for F
where
    F: Fn(Rc<S>, ServiceIo, Request) -> Answer + 'static,
    Answer: Future<Output: IntoResponse> + 'static,
{
    fn handle(&self, service: Rc<S>, io: ServiceIo, request: Request) -> ResponseFuture {
        let answer = self(service, io, request);
        Box::pin(async move { answer.await.into_response() })
    }
}

type Handler<S> = Rc<dyn Handle<S>>;

/// A JSON Schema, written when somebody asks for it.
#[derive(Clone)]
enum Shape {
    Of(fn() -> Value),
    Like(Value),
}

impl Shape {
    fn schema(&self) -> Value {
        match self {
            Shape::Of(type_schema) => type_schema(),
            Shape::Like(schema) => schema.clone(),
        }
    }
}

/// One endpoint, and what it was said to take.
struct Entry<S> {
    handler: Handler<S>,
    params: BTreeMap<String, Shape>,
    body: Option<Shape>,
}

/// Why an endpoint cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadEndpoint {
    pub(crate) endpoint: String,
    pub(crate) reason: String,
}

/// An endpoint that a service offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointDescription {
    /// The paths that it answers, with parameters in braces: `/items/{id}`, `/files/{*path}`.
    pub pattern: String,
    /// What it does with them.
    pub method: Method,
    /// JSON Schemas of parameters of the pattern, for those of which something [was said](Endpoints::param);
    /// the others may be any text.
    pub params: BTreeMap<String, Value>,
    /// A JSON Schema of the body, if something [was said](Endpoints::takes) of it.
    pub body: Option<Value>,
}

/// What is there for a path and a method.
pub(crate) enum Found<S> {
    Handler(Handler<S>, BTreeMap<String, String>),
    NoSuchEndpoint,
    OtherMethods(Vec<Method>),
}

/// The endpoints of one service. Patterns are paths with parameters: `/items/{id}`, or `{*rest}`
/// at the end for everything that follows.
///
/// What an endpoint takes may be said behind it. It is for pages that describe the service, and for whoever
/// generates clients and tests from them; the handler alone decides what it does with a request.
///
/// ```
/// use std::rc::Rc;
/// use rehearsal_actors::prelude::*;
///
/// struct Shop;
///
/// impl Shop {
///     async fn change_price(self: Rc<Self>, _: ServiceIo, request: Request) -> Result<Response, Response> {
///         let (item, price): (u32, u64) = (request.param("item")?, request.json()?);
///         Ok(Response::new(200, format!("{item} costs {price} from now on")))
///     }
/// }
///
/// impl Service for Shop {
///     fn endpoints(endpoints: &mut Endpoints<Self>) {
///         endpoints.put("/items/{item}/price", Shop::change_price).param::<u32>("item").takes::<u64>();
///     }
/// }
/// ```
pub struct Endpoints<S> {
    /// From a pattern to its place in `methods`.
    router: Router<usize>,
    methods: Vec<BTreeMap<Method, Entry<S>>>,
    patterns: BTreeMap<String, usize>,
    /// The one that was registered last, unless that was a mistake.
    last: Option<(usize, Method)>,
    mistakes: Vec<BadEndpoint>,
}

impl<S: 'static> Endpoints<S> {
    pub(crate) fn new() -> Self {
        let (methods, mistakes) = (Vec::new(), Vec::new());
        Endpoints { router: Router::new(), methods, patterns: BTreeMap::new(), last: None, mistakes }
    }

    /// Registers an endpoint. A pattern and method that are there already, and a pattern that
    /// cannot be told from another, keep the service from starting.
    pub fn on(&mut self, method: Method, pattern: &str, handler: impl Handle<S>) -> &mut Self {
        self.last = match self.add(method, pattern, Rc::new(handler)) {
            Ok(at) => Some((at, method)),
            Err(reason) => {
                self.mistakes.push(BadEndpoint { endpoint: format!("{method} {pattern}"), reason });
                None
            }
        };
        self
    }

    /// Says that a parameter of the pattern registered last is read as a value of this type. One that is not
    /// in the pattern keeps the service from starting.
    pub fn param<T: DeserializeOwned>(&mut self, name: &str) -> &mut Self {
        let Some((at, method)) = self.last else { return self };
        let pattern = self.patterns.iter().find(|(_, place)| **place == at).map_or("", |(pattern, _)| pattern);
        if !pattern.contains(&format!("{{{name}}}")) && !pattern.contains(&format!("{{*{name}}}")) {
            let reason = format!("there is no parameter `{name}` in the pattern");
            self.mistakes.push(BadEndpoint { endpoint: format!("{method} {pattern}"), reason });
        } else if let Some(entry) = self.methods[at].get_mut(&method) {
            entry.params.insert(name.to_owned(), Shape::Of(schema_of::<T>));
        }
        self
    }

    /// Says that the endpoint registered last reads its body as a value of this type. If null will do for
    /// one, there need not be a body.
    pub fn takes<T: DeserializeOwned>(&mut self) -> &mut Self {
        self.set_body(Shape::Of(schema_of::<T>))
    }

    /// Says what the body of the endpoint registered last looks like, as a JSON Schema: for types that do
    /// not give themselves away, such as those with a `serde_json::Value` in them.
    pub fn takes_like(&mut self, schema: Value) -> &mut Self {
        self.set_body(Shape::Like(schema))
    }

    fn set_body(&mut self, shape: Shape) -> &mut Self {
        let entry = self.last.and_then(|(at, method)| self.methods[at].get_mut(&method));
        if let Some(entry) = entry {
            entry.body = Some(shape);
        }
        self
    }

    /// Registers an endpoint that reads.
    pub fn get(&mut self, pattern: &str, handler: impl Handle<S>) -> &mut Self {
        self.on(Method::Get, pattern, handler)
    }

    /// Registers an endpoint that makes or does something.
    pub fn post(&mut self, pattern: &str, handler: impl Handle<S>) -> &mut Self {
        self.on(Method::Post, pattern, handler)
    }

    /// Registers an endpoint that puts something in place.
    pub fn put(&mut self, pattern: &str, handler: impl Handle<S>) -> &mut Self {
        self.on(Method::Put, pattern, handler)
    }

    /// Registers an endpoint that takes something away.
    pub fn delete(&mut self, pattern: &str, handler: impl Handle<S>) -> &mut Self {
        self.on(Method::Delete, pattern, handler)
    }

    fn add(&mut self, method: Method, pattern: &str, handler: Handler<S>) -> Result<usize, String> {
        if !pattern.starts_with('/') {
            return Err("a pattern starts with a slash".to_owned());
        }
        let at = match self.patterns.get(pattern) {
            Some(at) => *at,
            None => {
                let at = self.methods.len();
                self.router.insert(pattern, at).map_err(|error| error.to_string())?;
                self.patterns.insert(pattern.to_owned(), at);
                self.methods.push(BTreeMap::new());
                at
            }
        };
        if self.methods[at].contains_key(&method) {
            return Err("it is registered already".to_owned());
        }
        self.methods[at].insert(method, Entry { handler, params: BTreeMap::new(), body: None });
        Ok(at)
    }

    pub(crate) fn take_mistakes(&mut self) -> Vec<BadEndpoint> {
        std::mem::take(&mut self.mistakes)
    }

    /// All of them, in the order of patterns and methods.
    pub(crate) fn describe(&self) -> Vec<EndpointDescription> {
        let of_pattern = |(pattern, at): (&String, &usize)| {
            let describe = |(method, entry): (&Method, &Entry<S>)| EndpointDescription {
                pattern: pattern.clone(),
                method: *method,
                params: entry.params.iter().map(|(name, shape)| (name.clone(), shape.schema())).collect(),
                body: entry.body.as_ref().map(Shape::schema),
            };
            self.methods[*at].iter().map(describe).collect::<Vec<_>>()
        };
        self.patterns.iter().flat_map(of_pattern).collect()
    }

    pub(crate) fn find(&self, method: Method, path: &str) -> Found<S> {
        let Ok(matched) = self.router.at(path) else {
            return Found::NoSuchEndpoint;
        };
        let methods = &self.methods[*matched.value];
        match methods.get(&method) {
            Some(Entry { handler, .. }) => {
                let params = matched.params.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
                Found::Handler(handler.clone(), params)
            }
            None => Found::OtherMethods(methods.keys().copied().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn nothing(_: Rc<()>, _: ServiceIo, _: Request) {}

    #[test]
    fn paths_find_their_pattern_and_its_parameters() {
        let mut endpoints = Endpoints::<()>::new();
        endpoints.get("/items/{id}", nothing).post("/items", nothing);
        assert_eq!(endpoints.take_mistakes(), []);
        let Found::Handler(_, params) = endpoints.find(Method::Get, "/items/7") else { panic!("not found") };
        assert_eq!(params.get("id").map(String::as_str), Some("7"));
        assert!(matches!(endpoints.find(Method::Get, "/item"), Found::NoSuchEndpoint));
        let Found::OtherMethods(allowed) = endpoints.find(Method::Delete, "/items") else { panic!("found") };
        assert_eq!(allowed, [Method::Post]);
    }

    #[test]
    fn duplicates_are_mistakes() {
        let mut endpoints = Endpoints::<()>::new();
        endpoints.get("/a", nothing).get("/a", nothing).put("/a", nothing).get("/{x}", nothing).get("/{y}", nothing);
        let endpoints: Vec<String> = endpoints.take_mistakes().into_iter().map(|m| m.endpoint).collect();
        assert_eq!(endpoints, ["GET /a", "GET /{y}"]);
    }

    #[test]
    fn what_an_endpoint_takes_is_told_where_it_was_said() {
        let mut endpoints = Endpoints::<()>::new();
        endpoints.get("/items/{id}", nothing).param::<u8>("id").put("/items/{id}", nothing).takes::<bool>();
        endpoints.post("/items", nothing).takes_like(json!({ "type": "object" })).delete("/files/{*all}", nothing);
        assert_eq!(endpoints.take_mistakes(), []);
        let told: Vec<_> = endpoints.describe().into_iter().map(|told| (told.method, told.params, told.body)).collect();
        let none = BTreeMap::new;
        let byte = json!({ "type": "integer", "minimum": 0, "maximum": 255 });
        let expected = [
            (Method::Delete, none(), None),
            (Method::Post, none(), Some(json!({ "type": "object" }))),
            (Method::Get, BTreeMap::from([("id".to_owned(), byte)]), None),
            (Method::Put, none(), Some(json!({ "type": "boolean" }))),
        ];
        assert_eq!(told, expected);
        endpoints.get("/a/{x}", nothing).param::<u8>("y");
        let mistakes: Vec<String> = endpoints.take_mistakes().into_iter().map(|m| m.endpoint).collect();
        assert_eq!(mistakes, ["GET /a/{x}"]);
    }
}
