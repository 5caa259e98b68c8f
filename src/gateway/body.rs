//! Bodies of requests: what they are, and how much of them is read.

use std::rc::Rc;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;

use super::conversation::Conversation;
use super::limits::Limits;
use super::problem::Problem;

/// Reads a body, which has neither too many bytes nor too much time.
pub(super) async fn read(request: &HttpRequest, payload: Payload, limits: &Limits) -> Result<Bytes, Problem> {
    let headers = request.headers();
    // RFC 9112, section 6.3. Of a request to change protocols the server below takes all that ever comes for the
    // body, so that its end is seen to here.
    if !headers.contains_key(header::CONTENT_LENGTH) && !headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(Bytes::new());
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limits.body as u64) {
        return Err(too_large(limits));
    }
    let ends = length.filter(|_| headers.contains_key(header::UPGRADE));
    match actix_web::rt::time::timeout(limits.body_time, collect(payload, ends, limits)).await {
        Ok(body) => {
            if let Some(conversation) = request.conn_data::<Rc<Conversation>>() {
                conversation.end_body();
            }
            body
        }
        Err(_) => {
            let detail = format!("the body did not come within {:?}", limits.body_time);
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
        }
    }
}

/// `ends`: after how many bytes, if the payload does not say so itself.
async fn collect(mut payload: Payload, ends: Option<u64>, limits: &Limits) -> Result<Bytes, Problem> {
    // Nearly every body comes in one piece, which need not be copied.
    let mut body = Bytes::new();
    let mut pieces = BytesMut::new();
    while ends.is_none_or(|ends| ((body.len() + pieces.len()) as u64) < ends)
        && let Some(piece) = payload.next().await
    {
        let piece = piece.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
        if body.len() + pieces.len() + piece.len() > limits.body {
            return Err(too_large(limits));
        }
        if body.is_empty() && pieces.is_empty() {
            body = piece;
        } else {
            pieces.extend_from_slice(&std::mem::take(&mut body));
            pieces.extend_from_slice(&piece);
        }
    }
    let mut body = if pieces.is_empty() { body } else { pieces.freeze() };
    body.truncate(ends.and_then(|ends| usize::try_from(ends).ok()).unwrap_or(usize::MAX));
    Ok(body)
}

fn too_large(limits: &Limits) -> Problem {
    let detail = format!("a body has at most {} bytes", limits.body);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// Whether a request says that its body is JSON, or JSON of some kind (`…+json`).
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(media_type)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let is = |kind: &str| essence.eq_ignore_ascii_case(kind);
    let is_kind_of_json = || {
        let begins = essence.get(..12).is_some_and(|kind| kind.eq_ignore_ascii_case("application/"));
        begins && essence.get(essence.len() - 5..).is_some_and(|ends| ends.eq_ignore_ascii_case("+json"))
    };
    is("application/json") || is("application/json-rpc") || is("application/jsonrequest") || is_kind_of_json()
}

/// For a body that does not say that it is JSON.
pub(super) fn not_json() -> Problem {
    let detail = "a body is JSON, and says so with `Content-Type: application/json`";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn json_goes_by_several_names() {
        let is = |media_type: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            is_json(&headers)
        };
        for json in
            ["application/json", "Application/JSON; charset=utf-8", "application/json-rpc", "application/vnd.a+json"]
        {
            assert!(is(json), "{json}");
        }
        for other in ["text/json", "application/x-www-form-urlencoded", "", "application/", "json", "application/jsonx"]
        {
            assert!(!is(other), "{other}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
