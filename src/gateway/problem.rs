//! What is wrong with a request, for machines: RFC 9457.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use rehearsal_actors::outcome::OutcomeKind;
use serde::Serialize;

use super::crossing::OUTCOME;

/// Of bodies that describe a [`Problem`].
pub(super) const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A problem: why a request has no answer of a service. It has no type beyond its status.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    type_: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: Box<str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    definite: Option<bool>,
    #[serde(skip)]
    allow: Option<Cow<'static, str>>,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem that shows before anything was asked of a service.
    pub(super) fn new(status: StatusCode, detail: impl Into<Box<str>>) -> Self {
        Problem {
            type_: "about:blank",
            title: status.canonical_reason().unwrap_or("Failure"),
            status,
            detail: detail.into(),
            instance: "".into(),
            outcome: None,
            definite: None,
            allow: None,
        }
    }

    /// Which request had it.
    pub(super) fn at(mut self, path: &str) -> Self {
        self.instance = path.into();
        self
    }

    /// How the request ended, and whether it is certain that it was not carried out.
    pub(super) fn outcome(mut self, outcome: OutcomeKind) -> Self {
        self.outcome = Some(outcome.name());
        self.definite = Some(outcome.is_definite_failure());
        self
    }

    /// Which methods would do, where the one of the request does not.
    pub(super) fn allow(mut self, methods: impl Into<Cow<'static, str>>) -> Self {
        self.allow = Some(methods.into());
        self
    }

    /// A response that says so, to which headers may be added.
    pub(super) fn builder(&self) -> HttpResponseBuilder {
        let mut builder = HttpResponse::build(self.status);
        builder.insert_header((header::CONTENT_TYPE, MEDIA_TYPE));
        if let Some(outcome) = self.outcome {
            builder.insert_header((OUTCOME, HeaderValue::from_static(outcome)));
        }
        if let Some(methods) = self.allow.as_deref() {
            builder.insert_header((header::ALLOW, methods));
        }
        match self.status {
            // What the rest of the connection is about, nobody can say.
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => {
                builder.force_close();
            }
            StatusCode::UNAUTHORIZED => {
                builder.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                builder.insert_header((header::RETRY_AFTER, HeaderValue::from_static("1")));
            }
            _ => {}
        }
        builder
    }

    /// As JSON. Texts and numbers have JSON.
    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl From<Problem> for HttpResponse {
    fn from(problem: Problem) -> Self {
        problem.builder().body(problem.to_json())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_problem_says_what_is_known_and_leaves_out_the_rest() {
        let told = |problem: &Problem| serde_json::from_slice::<Value>(&problem.to_json()).unwrap_or_default();
        let plain = Problem::new(StatusCode::URI_TOO_LONG, "");
        assert_eq!(told(&plain), json!({ "type": "about:blank", "title": "URI Too Long", "status": 414 }));
        let timed_out =
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "too late").at("/shop/x").outcome(OutcomeKind::TimedOut);
        assert_eq!(
            told(&timed_out),
            json!({
                "type": "about:blank", "title": "Gateway Timeout", "status": 504, "detail": "too late",
                "instance": "/shop/x", "outcome": "timed_out", "definite": false,
            })
        );
    }
}
