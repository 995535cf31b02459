//! Which browser apps may read answers (the Fetch standard's CORS protocol): the public part is open to all origins, the
//! rest to those configured. Own code, since the ready-made middleware knows one policy for all paths and answers a
//! refused preflight with plain text.

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpResponse, http::header::ORIGIN};

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
/// What an app sends by itself, and what libraries add: those that read streams, and those that trace requests.
const REQUEST_HEADERS: &str = "Accept, Accept-Language, Authorization, baggage, Cache-Control, Content-Type, Idempotency-Key, If-Match, \
     If-Modified-Since, If-None-Match, Last-Event-ID, traceparent, tracestate, X-Request-Id, X-Requested-With";
/// What answers say beside their body. Browsers show scripts the usual headers of a body without being asked to.
const ANSWER_HEADERS: &str = "Accept-Patch, Age, Allow, Content-Disposition, ETag, Idempotent-Replayed, Link, Location, RateLimit, \
     RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id";

/// Origins of browser apps that may use the API with a login.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// Those that are configured.
    pub configured: Vec<String>,
    /// Whether every app on the developer's own machine may, whatever its port: with the demo data.
    pub local: bool,
}

impl Origins {
    fn allow(&self, origin: &[u8]) -> bool {
        self.configured.iter().any(|known| known.as_bytes() == origin) || (self.local && is_local(origin))
    }
}

/// Whether an origin is `http(s)://localhost` or `http(s)://127.0.0.1`, with any port or none.
fn is_local(origin: &[u8]) -> bool {
    let Some((scheme, authority)) = std::str::from_utf8(origin).ok().and_then(|origin| origin.split_once("://")) else {
        return false;
    };
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    ["http", "https"].contains(&scheme) && ["localhost", "127.0.0.1"].contains(&host) && port.parse::<u16>().is_ok()
}

/// Middleware: answers preflights and marks answers that another origin may read.
pub async fn cors<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let is_open = is_open(request.path());
    let allowed = allowed_origin(&request, is_open);
    let asks_first = request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match &allowed {
        Some(_) if asks_first => request.into_response(preflight()).map_into_right_body(),
        _ => next.call(request).await?.map_into_left_body(),
    };
    let headers = response.headers_mut();
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
    }
    if !is_open {
        vary(headers);
    }
    Ok(response)
}

fn is_open(path: &str) -> bool {
    ["/v1/public/", "/problems", "/openapi.", "/.well-known/"].iter().any(|start| path.starts_with(start))
}

fn allowed_origin(request: &ServiceRequest, is_open: bool) -> Option<HeaderValue> {
    let origin = request.headers().get(ORIGIN)?;
    if is_open {
        return Some(HeaderValue::from_static("*"));
    }
    let known = request.app_data::<Data<Origins>>()?;
    known.allow(origin.as_bytes()).then(|| origin.clone())
}

fn preflight() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "3600"))
        .finish()
}

/// A cache must keep the answers for different origins apart.
fn vary(headers: &mut HeaderMap) {
    headers.append(HeaderName::from_static("vary"), HeaderValue::from_static("Origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_local_by_its_host_alone() {
        for origin in ["http://localhost:5173", "https://localhost", "http://127.0.0.1:3000", "http://localhost:65535"] {
            assert!(is_local(origin.as_bytes()), "{origin}");
        }
        for origin in [
            "null",
            "http://localhost.evil.example",
            "http://evil.example:80",
            "http://localhost:5173.evil.example",
            "http://127.0.0.1.evil.example:80",
            "http://localhost@evil.example",
            "http://localhost:5173@evil.example",
            "file://localhost",
            "http://127.0.0.2:80",
            "http://localhost:99999",
        ] {
            assert!(!is_local(origin.as_bytes()), "{origin}");
        }
    }
}
