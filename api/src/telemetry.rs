//! What can be observed of the service: metrics on `/metrics` and, where a receiver is configured, traces and metrics by OpenTelemetry.

pub mod metrics;
pub mod otlp;
mod recorder;
pub mod trace;
