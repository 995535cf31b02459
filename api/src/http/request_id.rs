//! The id of a request: the client's own if it sent a sane one, else the trace id of `traceparent`, else a new one.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};
use uuid::Uuid;

/// The header that carries it. A constant: the name of a header that is given as a text is parsed for each request.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The header of W3C Trace Context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The id a request goes by, in `X-Request-Id`, problems, logs and events.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl RequestId {
    /// Takes the client's id, or makes one.
    pub fn choose(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let own = text(HEADER).filter(|id| is_sane(id));
        let traced = text(TRACEPARENT).and_then(trace_id);
        Self(own.or(traced).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned))
    }

    /// The id as the value of [`HEADER`].
    pub fn header_value(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

/// The id of `request`.
pub fn of(request: &HttpRequest) -> Option<String> {
    request.extensions().get::<RequestId>().map(|id| id.0.clone())
}

fn is_sane(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
}

/// The trace id of a W3C `traceparent` (version 00).
fn trace_id(header: &str) -> Option<&str> {
    let mut parts = header.split('-');
    let (_version, trace) = (parts.next()?, parts.next()?);
    let is_hex = trace.bytes().all(|byte| byte.is_ascii_hexdigit());
    (trace.len() == 32 && is_hex && trace.bytes().any(|byte| byte != b'0')).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_kept_and_a_strange_one_replaced() {
        assert!(is_sane("abc-123"));
        assert!(!is_sane("a b"));
        assert!(!is_sane(""));
        assert_eq!(trace_id("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert_eq!(trace_id("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), None);
    }
}
