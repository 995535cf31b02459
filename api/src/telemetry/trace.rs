//! Spans for OpenTelemetry: of requests, of jobs that the service does by itself, and of the SQL statements of both.
//!
//! A span of a statement is made when the statement is over, from how long it took, so nothing is kept for it meanwhile. Where no
//! receiver is configured, all of this is one look at a variable.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use actix_web::http::header::HeaderMap;
pub use opentelemetry::Context;
use opentelemetry::KeyValue;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, Span};

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

tokio::task_local! {
    /// The span that is being worked on.
    static CURRENT: Context;
}

/// From now on spans are recorded.
pub(super) fn record_with(tracer: SdkTracer) {
    // It is set once, when the service starts.
    let _ = TRACER.set(tracer);
}

/// The span of a request that is being answered.
pub struct RequestSpan {
    span: Span,
    context: Context,
}

/// How a request was answered, for its span.
pub struct Answered<'a> {
    /// Its method.
    pub method: &'static str,
    /// The pattern of its route.
    pub route: &'a str,
    /// Its path, at no more than the length that is logged.
    pub path: &'a str,
    /// Its status.
    pub status: u16,
    /// Its id.
    pub request_id: &'a str,
    /// How many SQL statements it took.
    pub statements: u64,
}

impl RequestSpan {
    /// The span of a request with these headers, which began `ago`; `None` where nothing is recorded. A `traceparent` of the client is its
    /// parent.
    pub fn begin(headers: &HeaderMap, ago: Duration) -> Option<Self> {
        let tracer = TRACER.get()?;
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
        let span = tracer
            .span_builder("request")
            .with_kind(SpanKind::Server)
            .with_start_time(SystemTime::now() - ago)
            .start_with_context(tracer, &parent);
        let context = context_of(&span);
        Some(Self { span, context })
    }

    /// The context of what is done for the request.
    pub fn context(&self) -> Context {
        self.context.clone()
    }

    /// Ends the span.
    pub fn end(mut self, answered: &Answered<'_>) {
        let Answered { method, route, path, status, request_id, statements } = answered;
        self.span.update_name(format!("{method} {route}"));
        let own = |text: &str| text.to_owned();
        self.span.set_attributes([
            KeyValue::new("http.request.method", if *method == "other" { "_OTHER" } else { method }),
            KeyValue::new("http.route", own(route)),
            KeyValue::new("http.response.status_code", i64::from(*status)),
            KeyValue::new("url.path", own(path)),
            KeyValue::new("renaksi.request_id", own(request_id)),
            KeyValue::new("renaksi.sql_statements", i64::try_from(*statements).unwrap_or(i64::MAX)),
        ]);
        if *status >= 500 {
            self.span.set_status(Status::error(""));
        }
        self.span.end();
    }
}

/// Works within a span, if there is one.
pub async fn within<T>(context: Option<Context>, work: impl Future<Output = T>) -> T {
    match context {
        Some(context) => CURRENT.scope(context, work).await,
        None => work.await,
    }
}

/// The span that is being worked on, for work that goes on elsewhere.
pub fn current() -> Option<Context> {
    TRACER.get()?;
    CURRENT.try_with(Clone::clone).ok()
}

/// Does something that no request asked for, within a span of its own.
pub async fn job<T, E>(name: &'static str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let Some(tracer) = TRACER.get() else { return work.await };
    let mut span = tracer.span_builder(name).with_kind(SpanKind::Internal).start_with_context(tracer, &Context::new());
    let done = CURRENT.scope(context_of(&span), work).await;
    if done.is_err() {
        span.set_status(Status::error(""));
    }
    span.end();
    done
}

/// Whether a statement that has just been executed gets a span.
pub fn is_recording() -> bool {
    TRACER.get().is_some() && CURRENT.try_with(|context| context.span().span_context().is_sampled()).unwrap_or_default()
}

/// An SQL statement that was executed: never its text, which may hold values.
pub struct Executed {
    /// The database, as OpenTelemetry calls it.
    pub system: &'static str,
    /// What it did, such as SELECT.
    pub operation: &'static str,
    /// The names of its tables.
    pub tables: Vec<&'static str>,
    /// How long it took.
    pub elapsed: Duration,
    /// Whether it failed.
    pub failed: bool,
}

/// Records the span of a statement.
pub fn executed(Executed { system, operation, tables, elapsed, failed }: Executed) {
    let (Some(tracer), Some(parent)) = (TRACER.get(), current()) else { return };
    let summary = [operation].into_iter().chain(tables.iter().copied()).collect::<Vec<_>>().join(" ");
    let mut attributes = vec![
        KeyValue::new("db.system.name", system),
        KeyValue::new("db.operation.name", operation),
        KeyValue::new("db.query.summary", summary.clone()),
    ];
    if let [table] = tables[..] {
        attributes.push(KeyValue::new("db.collection.name", table));
    }
    let end = SystemTime::now();
    let mut span = tracer
        .span_builder(Cow::Owned(summary))
        .with_kind(SpanKind::Client)
        .with_start_time(end - elapsed)
        .with_attributes(attributes)
        .start_with_context(tracer, &parent);
    if failed {
        span.set_status(Status::error(""));
    }
    span.end_with_timestamp(end);
}

fn context_of(span: &Span) -> Context {
    Context::new().with_remote_span_context(span.span_context().clone())
}

/// The headers of a request, as the propagator reads them.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
