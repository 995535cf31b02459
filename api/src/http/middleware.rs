//! What happens to every request and answer, whatever the route.

use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCEPT_ENCODING, AcceptEncoding, CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentEncoding, Encoding, Header, HeaderMap,
    HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use metrics::{Counter, Histogram};

use super::problem::{ApiError, codes};
use super::rate_limit::Refused;
use super::request_id::{self, RequestId};
use super::statements;
use super::table::pattern_of;
use crate::telemetry::metrics::{HTTP_DURATION, HTTP_REQUESTS};
use crate::telemetry::trace::{self, Answered, RequestSpan};

/// The longest address (path and query) of a request, in bytes: longer than any that the API gives.
const LONGEST_ADDRESS: usize = 8 * 1024;
/// The encodings of answers.
const ENCODINGS: [ContentEncoding; 5] =
    [ContentEncoding::Identity, ContentEncoding::Brotli, ContentEncoding::Gzip, ContentEncoding::Zstd, ContentEncoding::Deflate];
/// The most bytes of a path in the log.
const LONGEST_LOGGED: usize = 512;

/// Outermost: gives the request its id, answers HEAD as GET, logs, counts, and adds what every answer carries.
///
/// What a client makes up reaches neither the names of a metric nor, at full length, the log.
pub async fn request_context<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let started = Instant::now();
    let id = RequestId::choose(request.headers());
    let method = name_of(request.method());
    let path = request.path().to_owned();
    let span = if is_traced(&path) { RequestSpan::begin(request.headers(), Duration::ZERO) } else { None };
    request.extensions_mut().insert(id.clone());
    if request.method() == Method::HEAD {
        // The connection knows that it was a HEAD and leaves the body out.
        request.head_mut().method = Method::GET;
    }
    let (mut response, statements) = match refuse(&request) {
        Some(error) => {
            let answer = error.respond(request.request());
            (request.into_response(answer).map_into_right_body(), 0)
        }
        None => {
            let context = span.as_ref().map(RequestSpan::context);
            let (response, statements) = trace::within(context, statements::counted(next.call(request))).await;
            (response?.map_into_left_body(), statements)
        }
    };
    add_headers(response.headers_mut(), &id, &path);
    let is_noted_outside = response.request().extensions().contains::<NotedOutside>();
    if is_noted_outside {
        response.request().extensions_mut().insert(NotedInside { statements, span });
    } else {
        let (route, status) = (pattern_of(response.request()), response.status());
        let served = Served { id: &id, method, path: &path, route: &route, status, statements, elapsed: started.elapsed() };
        served.count();
        served.log();
        served.trace(span);
    }
    Ok(response)
}

/// Whether requests to a path have spans. What looks after the service asks every few seconds, and there is nothing to learn from it.
fn is_traced(path: &str) -> bool {
    !path.starts_with("/health/") && path != "/metrics"
}

/// Marks a request that is counted and logged further out.
pub struct NotedOutside;

/// What is known inside of a request that is counted and logged further out.
pub struct NotedInside {
    /// How many SQL statements it took.
    pub statements: u64,
    /// Its span.
    pub span: Option<RequestSpan>,
}

/// A request that was answered, for metrics and the log.
pub struct Served<'a> {
    /// Its id.
    pub id: &'a RequestId,
    /// Its method, by [`name_of`].
    pub method: &'static str,
    /// Its path.
    pub path: &'a str,
    /// The pattern of its route.
    pub route: &'a str,
    /// How it was answered.
    pub status: StatusCode,
    /// How many SQL statements it took.
    pub statements: u64,
    /// How long it took.
    pub elapsed: Duration,
}

impl Served<'_> {
    /// Adds the request to the metrics.
    pub fn count(&self) {
        requests(self.method, self.route, self.status).increment(1);
        duration(self.route).record(self.elapsed.as_secs_f64());
        statements::add(self.method, self.route, self.statements);
    }

    /// Writes the request to the log.
    pub fn log(&self) {
        let Self { id, method, route, statements, .. } = self;
        let (path, status, micros) = (cut(self.path, LONGEST_LOGGED), self.status.as_u16(), self.elapsed.as_micros() as u64);
        tracing::info!(request_id = %id.0, method, path, %route, status, statements, micros, "request");
    }

    /// Ends the span of the request, if it has one.
    pub fn trace(&self, span: Option<RequestSpan>) {
        let Some(span) = span else { return };
        let Self { id, method, route, statements, .. } = *self;
        let (path, status) = (cut(self.path, LONGEST_LOGGED), self.status.as_u16());
        span.end(&Answered { method, route, path, status, request_id: &id.0, statements });
    }
}

/// The metric of the requests of a route that were answered so.
pub fn requests(method: &'static str, route: &str, status: StatusCode) -> Counter {
    metrics::counter!(HTTP_REQUESTS, "method" => method, "route" => route.to_owned(), "status" => status.as_str().to_owned())
}

/// The metric of how long requests of a route take.
pub fn duration(route: &str) -> Histogram {
    metrics::histogram!(HTTP_DURATION, "route" => route.to_owned())
}

/// The name of a method of RFC 9110 or RFC 5789, for metrics and the log; any other token is a method too, but nobody's here.
pub fn name_of(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// Refuses what no route can answer, before anything is done for it.
fn refuse(request: &ServiceRequest) -> Option<ApiError> {
    let length = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if length > LONGEST_ADDRESS {
        return Some(ApiError::new(codes::MALFORMED).detail(
            format!("The address of the request is longer than {LONGEST_ADDRESS} bytes."),
            format!("Alamat permintaan lebih panjang dari {LONGEST_ADDRESS} bita."),
        ));
    }
    (!accepts_any_encoding(request)).then(|| {
        let names = ENCODINGS.map(ContentEncoding::as_str).join(", ");
        ApiError::new(codes::NOT_ACCEPTABLE).detail(
            format!("`Accept-Encoding` allows none of the available encodings: {names}."),
            format!("`Accept-Encoding` tidak memperbolehkan satu pun pengodean yang tersedia: {names}."),
        )
    })
}

/// Whether a client accepts at least one of [`ENCODINGS`]. The middleware that compresses would refuse it without a problem document.
fn accepts_any_encoding(request: &ServiceRequest) -> bool {
    // Few requests exclude an encoding.
    let excludes = |value: &HeaderValue| value.as_bytes().windows(3).any(|part| part.eq_ignore_ascii_case(b"q=0"));
    if !request.headers().get_all(ACCEPT_ENCODING).any(excludes) {
        return true;
    }
    let known = ENCODINGS.map(Encoding::Known);
    AcceptEncoding::parse(request).map_or(true, |accepted| accepted.negotiate(known.iter()).is_some())
}

/// The beginning of a text, of at most so many bytes.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

fn add_headers(headers: &mut HeaderMap, id: &RequestId, path: &str) {
    if let Some(id) = id.header_value() {
        headers.insert(request_id::HEADER, id);
    }
    let mut add = |name: HeaderName, value: &'static str| drop(headers.insert(name, HeaderValue::from_static(value)));
    add(X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(REFERRER_POLICY, "no-referrer");
    add(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    // What needs more, or less, says so itself.
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    }
    if path.starts_with("/v1/") && !headers.contains_key(CACHE_CONTROL) {
        // What is about accounts stays nowhere; the rest is asked for anew each time, by who may see it.
        let is_of_accounts =
            ["/v1/auth/", "/v1/me", "/v1/users", "/v1/clients", "/v1/webhooks"].iter().any(|of| path.starts_with(of));
        let value = if is_of_accounts { "no-store" } else { "private, no-cache" };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
    }
}

/// Innermost: every error, also one of the framework, leaves as a problem.
pub async fn problems(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let spent = request.extensions().get::<Refused>().map(|Refused(error)| error.clone());
    if let Err(error) = spent.map_or_else(|| refuse_nul(&request), Err) {
        let answer = error.respond(request.request());
        return Ok(request.into_response(answer));
    }
    let response = next.call(request).await?;
    let Some(error) = response.response().error() else {
        return Ok(response.map_into_boxed_body());
    };
    let rendered = match error.as_error::<ApiError>() {
        Some(error) => error.respond(response.request()),
        None => of_framework(response.status()).respond(response.request()),
    };
    Ok(response.into_response(rendered))
}

fn of_framework(status: StatusCode) -> ApiError {
    ApiError::new(match status.as_u16() {
        404 => codes::NOT_FOUND,
        405 => codes::METHOD_NOT_ALLOWED,
        413 => codes::TOO_LARGE,
        415 => codes::UNSUPPORTED_MEDIA_TYPE,
        400..=499 => codes::MALFORMED,
        _ => codes::INTERNAL,
    })
}

/// No code and no database text holds a NUL, so nothing is at such a path.
fn refuse_nul(request: &ServiceRequest) -> Result<(), ApiError> {
    if request.path().contains("%00") { Err(ApiError::new(codes::NOT_FOUND)) } else { Ok(()) }
}
