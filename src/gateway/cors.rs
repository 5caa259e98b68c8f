//! Pages of other origins: who of them may read what the gateway says. Nobody, unless that is asked for.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

/// What pages may send, and what they may read besides the body.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("allow, rehearsal-elapsed, rehearsal-hops, rehearsal-outcome, retry-after");
/// Seconds for which a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The origins whose pages may read answers: none, some, or all (`*`).
#[derive(Clone, Debug, Default)]
pub(super) struct Origins(Vec<String>);

impl Origins {
    pub(super) fn new(origins: impl IntoIterator<Item = String>) -> Self {
        Origins(origins.into_iter().collect())
    }

    /// The origin of a request, if there is one and its pages may read the answer.
    fn allowed<'r>(&self, headers: &'r HeaderMap) -> Option<&'r HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.0.iter().any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes()).then_some(origin)
    }

    /// The answer to a browser that asks whether a page may send what it wants to, if this is such a
    /// question and the page may.
    pub(super) fn preflight(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let headers = request.headers();
        if request.method() != Method::OPTIONS
            || self.0.is_empty()
            || !headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        {
            return None;
        }
        self.allowed(headers)?;
        let mut response = HttpResponse::build(StatusCode::NO_CONTENT);
        response.insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS));
        response.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS));
        response.insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE));
        Some(response.finish())
    }

    /// Adds to a response who may read it.
    pub(super) fn allow(&self, request: &HeaderMap, response: &mut HttpResponse) {
        if self.0.is_empty() {
            return;
        }
        // Whoever keeps the answer for later must keep it apart for each origin.
        response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = self.allowed(request) {
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}
