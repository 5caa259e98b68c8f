//! The endpoints that a service offers.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use matchit::Router;
use serde::Serialize;

use super::{Method, Request, Response};
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

/// Why an endpoint cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadEndpoint {
    pub(crate) endpoint: String,
    pub(crate) reason: String,
}

/// An endpoint that a service offers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndpointDescription {
    /// The paths that it answers, with parameters in braces: `/items/{id}`, `/files/{*path}`.
    pub pattern: String,
    /// What it does with them.
    pub method: Method,
}

/// What is there for a path and a method.
pub(crate) enum Found<S> {
    Handler(Handler<S>, BTreeMap<String, String>),
    NoSuchEndpoint,
    OtherMethods(Vec<Method>),
}

/// The endpoints of one service. Patterns are paths with parameters: `/items/{id}`, or `{*rest}`
/// at the end for everything that follows.
pub struct Endpoints<S> {
    /// From a pattern to its place in `methods`.
    router: Router<usize>,
    methods: Vec<BTreeMap<Method, Handler<S>>>,
    patterns: BTreeMap<String, usize>,
    mistakes: Vec<BadEndpoint>,
}

impl<S: 'static> Endpoints<S> {
    pub(crate) fn new() -> Self {
        Endpoints { router: Router::new(), methods: Vec::new(), patterns: BTreeMap::new(), mistakes: Vec::new() }
    }

    /// Registers an endpoint. A pattern and method that are there already, and a pattern that
    /// cannot be told from another, keep the service from starting.
    pub fn on(&mut self, method: Method, pattern: &str, handler: impl Handle<S>) -> &mut Self {
        if let Err(reason) = self.add(method, pattern, Rc::new(handler)) {
            self.mistakes.push(BadEndpoint { endpoint: format!("{method} {pattern}"), reason });
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

    fn add(&mut self, method: Method, pattern: &str, handler: Handler<S>) -> Result<(), String> {
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
        self.methods[at].insert(method, handler);
        Ok(())
    }

    pub(crate) fn take_mistakes(&mut self) -> Vec<BadEndpoint> {
        std::mem::take(&mut self.mistakes)
    }

    /// All of them, in the order of patterns and methods.
    pub(crate) fn describe(&self) -> Vec<EndpointDescription> {
        let of_pattern = |(pattern, at): (&String, &usize)| {
            let describe = |method: &Method| EndpointDescription { pattern: pattern.clone(), method: *method };
            self.methods[*at].keys().map(describe).collect::<Vec<_>>()
        };
        self.patterns.iter().flat_map(of_pattern).collect()
    }

    pub(crate) fn find(&self, method: Method, path: &str) -> Found<S> {
        let Ok(matched) = self.router.at(path) else {
            return Found::NoSuchEndpoint;
        };
        let methods = &self.methods[*matched.value];
        match methods.get(&method) {
            Some(handler) => {
                let params = matched.params.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
                Found::Handler(handler.clone(), params)
            }
            None => Found::OtherMethods(methods.keys().copied().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
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
}
