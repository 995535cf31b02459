//! Security events, for whoever watches for attacks: lines of the log with the target `security`, all in one format.

use crate::telemetry::metrics::SECURITY_EVENTS;

/// The most characters of a text that a stranger chose.
const LONGEST: usize = 254;

/// Logs one event: what happened, to or by whom, from where, and why. Never a secret.
pub fn log(event: &'static str, subject: &str, address: Option<&str>, reason: &str) {
    metrics::counter!(SECURITY_EVENTS, "event" => event).increment(1);
    let subject = subject.chars().take(LONGEST).collect::<String>();
    tracing::warn!(target: "security", event, subject, address, reason, "security");
}

/// The same for what is as it should be.
pub fn note(event: &'static str, subject: &str, address: Option<&str>) {
    metrics::counter!(SECURITY_EVENTS, "event" => event).increment(1);
    tracing::info!(target: "security", event, subject, address, "security");
}
