//! Sends traces and metrics to an OpenTelemetry receiver by OTLP over HTTP, where one is configured.
//!
//! Nothing waits for the receiver. Spans go into a queue of bounded length, which a thread of its own empties; metrics are sent by
//! another, once a minute. What finds the queue full, or is not accepted, is dropped.

use std::env;
use std::fmt::{self, Debug};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::metrics::{BUCKETS, TELEMETRY_EXPORTS, describe};
use super::recorder::Both;
use super::trace;

/// The name under which spans and metrics are recorded.
const SCOPE: &str = "renaksi";
/// How long a message may take, unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long what is left may take to be sent when the service stops.
const FAREWELL: Duration = Duration::from_secs(3);
/// The most bytes of an answer that are read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Where traces and metrics go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The address of the receiver, without a slash at the end.
    pub endpoint: String,
    /// The name of the service.
    pub service_name: String,
    /// Whether traces are sent.
    pub traces: bool,
    /// Whether metrics are sent.
    pub metrics: bool,
}

/// What is being sent.
#[derive(Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
}

/// Begins to record metrics and, where a receiver is configured, to send them and traces to it.
pub fn begin(settings: Option<&Settings>) -> Result<(PrometheusHandle, Telemetry), Box<dyn std::error::Error>> {
    let prometheus = PrometheusBuilder::new().set_buckets(&BUCKETS)?.build_recorder();
    let handle = prometheus.handle();
    let mut telemetry = Telemetry::default();
    let Some(settings) = settings else {
        metrics::set_global_recorder(prometheus)?;
        describe();
        return Ok((handle, telemetry));
    };
    let resource = Resource::builder()
        .with_service_name(settings.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()))
        .build();
    if settings.metrics {
        let exporter = MetricExporter::builder()
            .with_http()
            .with_http_client(Sender::new("metrics", "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT")?)
            .with_endpoint(endpoint(settings, "METRICS"))
            .build()?;
        let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter).with_resource(resource.clone()).build();
        metrics::set_global_recorder(Both::new(prometheus, provider.meter(SCOPE)))?;
        telemetry.metrics = Some(provider);
    } else {
        metrics::set_global_recorder(prometheus)?;
    }
    describe();
    if settings.traces {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new("traces", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")?)
            .with_endpoint(endpoint(settings, "TRACES"))
            .build()?;
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        trace::record_with(provider.tracer(SCOPE));
        telemetry.traces = Some(provider);
    }
    Ok((handle, telemetry))
}

/// Where a signal goes: the standard has a variable for each, which is taken as it is.
fn endpoint(settings: &Settings, signal: &str) -> String {
    let own = env::var(format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")).ok().filter(|own| !own.is_empty());
    own.unwrap_or_else(|| format!("{}/v1/{}", settings.endpoint, signal.to_ascii_lowercase()))
}

impl Telemetry {
    /// Sends what is left, for at most a few seconds.
    pub async fn end(self) {
        let (sender, receiver) = oneshot::channel();
        // A thread that nobody waits for: a task of the runtime would keep the process until the receiver answers.
        std::thread::spawn(move || {
            if let Some(traces) = self.traces {
                let _ = traces.shutdown_with_timeout(FAREWELL);
            }
            if let Some(metrics) = self.metrics {
                let _ = metrics.shutdown_with_timeout(FAREWELL);
            }
            let _ = sender.send(());
        });
        let _ = tokio::time::timeout(FAREWELL, receiver).await;
    }
}

/// Sends messages over the network by the runtime of the service: the threads that make them have none.
struct Sender {
    signal: &'static str,
    client: reqwest::Client,
    runtime: Handle,
    is_failing: AtomicBool,
}

impl Debug for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sender").field("signal", &self.signal).finish_non_exhaustive()
    }
}

impl Sender {
    fn new(signal: &'static str, own_timeout: &str) -> Result<Self, reqwest::Error> {
        // An error means that the process has a default provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let milliseconds = |name: &str| env::var(name).ok()?.parse().ok().map(Duration::from_millis);
        let timeout = milliseconds(own_timeout).or_else(|| milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT")).unwrap_or(TIMEOUT);
        let client = reqwest::Client::builder()
            .timeout(timeout)
            // What is exported must not be sent on to somebody else.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("renaksi/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { signal, client, runtime: Handle::current(), is_failing: AtomicBool::new(false) })
    }

    /// Counts a message, and logs when messages begin to fail and when they arrive again.
    fn note(&self, failure: Option<&str>) {
        let result = if failure.is_some() { "failed" } else { "accepted" };
        metrics::counter!(TELEMETRY_EXPORTS, "signal" => self.signal, "result" => result).increment(1);
        let was_failing = self.is_failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(reason) if !was_failing => {
                tracing::warn!(
                    signal = self.signal,
                    reason,
                    "the OpenTelemetry receiver accepts nothing, and what it misses is dropped"
                );
            }
            None if was_failing => tracing::info!(signal = self.signal, "the OpenTelemetry receiver accepts messages again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move { send(&client, request).await }).await;
        let sent = sent.map_err(HttpError::from).and_then(|sent| sent);
        let failure = match &sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("status {}", response.status().as_u16())),
            Err(error) => Some(error.to_string()),
        };
        self.note(failure.as_deref());
        sent
    }
}

async fn send(client: &reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    // The address may hold something that only the receiver should know.
    let mut response = client.execute(request.try_into()?).await.map_err(reqwest::Error::without_url)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        body.extend_from_slice(&chunk[..chunk.len().min(LONGEST_ANSWER - body.len())]);
        if body.len() == LONGEST_ANSWER {
            break;
        }
    }
    let mut answer = Response::builder().status(response.status()).body(Bytes::from(body))?;
    *answer.headers_mut() = response.headers().clone();
    Ok(answer)
}
