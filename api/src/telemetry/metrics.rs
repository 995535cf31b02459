//! EVERY METRIC, NAMED ONCE: its name, its kind, its unit, and the sentence that `/metrics` shows for it.
//!
//! Labels come from closed sets, so that nothing a client sends adds a time series.

use metrics::Unit;

/// The upper bounds of the buckets of every duration, in seconds. An answer that is kept takes some 10 µs, and the slowest figure some
/// seconds.
pub const BUCKETS: [f64; 13] = [0.000_1, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number that only grows, until the process starts again.
    Counter,
    /// A number as it is now.
    Gauge,
    /// How often a duration was within each bucket.
    Histogram,
}

/// A metric.
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its unit.
    pub unit: Unit,
    /// What it tells.
    pub help: &'static str,
}

/// Makes a constant for the name of each metric, and the list of all.
macro_rules! metrics {
    ($($constant:ident = $name:literal, $kind:ident, $unit:ident, $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        /// All metrics.
        pub const ALL: &[Metric] = &[$(Metric { name: $name, kind: Kind::$kind, unit: Unit::$unit, help: $help }),*];
    };
}

metrics! {
    HTTP_REQUESTS = "http_requests_total", Counter, Count,
        "Requests that were answered, by method, pattern of the route and status.";
    HTTP_DURATION = "http_request_duration_seconds", Histogram, Seconds,
        "How long requests took to be answered, by pattern of the route.";
    SQL_STATEMENTS = "renaksi_sql_statements_total", Counter, Count,
        "SQL statements, by method and route of the request that took them; none is what the service does by itself.";
    PASSWORD_HASHES = "password_hashes_total", Counter, Count,
        "Passwords and secrets that were hashed or checked, each of which takes some 50 ms of a processor.";
    RATE_LIMITED = "renaksi_rate_limited_total", Counter, Count,
        "Requests that were refused because their address asked too much, by the limit that they exceeded.";
    SECURITY_EVENTS = "renaksi_security_events_total", Counter, Count,
        "Security events, which the log describes one by one, by kind.";
    PANICS = "renaksi_panics_total", Counter, Count,
        "Handlers and tasks that panicked, which is always an error of the service.";
    CACHE_LOOKUPS = "renaksi_response_cache_total", Counter, Count,
        "Requests that might be answered from memory, by whether they were (hit) or not (miss).";
    PUSH_REPEATS = "renaksi_push_repeats_total", Counter, Count,
        "Pushes that were answered from memory, since they repeat one that changed nothing and nothing was written meanwhile.";
    CACHE_ENTRIES = "renaksi_response_cache_entries", Gauge, Count,
        "Answers that are kept in memory.";
    CACHE_BYTES = "renaksi_response_cache_bytes", Gauge, Bytes,
        "Memory that the kept answers take.";
    FIGURES_RUNNING = "renaksi_figures_running", Gauge, Count,
        "Figures that are being computed, for the public and for those who log in.";
    STREAMS_OPEN = "renaksi_streams_open", Gauge, Count,
        "Event streams that are open, of the public and of those who log in.";
    WRITERS_WAITING = "renaksi_writers_waiting", Gauge, Count,
        "Writes that wait for their turn; on PostgreSQL only reports that one account puts at the same time do.";
    WRITE_WAIT = "renaksi_write_wait_seconds", Histogram, Seconds,
        "How long writes waited for their turn on SQLite, or for a connection to PostgreSQL.";
    DATABASE_UP = "renaksi_database_up", Gauge, Count,
        "Whether the database answered the last time it was asked: 1 or 0.";
    DATABASE_BYTES = "renaksi_database_bytes", Gauge, Bytes,
        "Size of the database, without the write-ahead log.";
    DATABASE_CONNECTIONS = "renaksi_database_connections", Gauge, Count,
        "Open connections to the database, by pool and by whether they are busy or idle.";
    DATABASE_CONNECTIONS_MAX = "renaksi_database_connections_max", Gauge, Count,
        "The greatest number of connections to the database that a pool opens.";
    DATABASE_ACQUIRE = "renaksi_database_acquire_seconds", Histogram, Seconds,
        "How long a probe, made every 5 seconds, waited for a connection to the database, by pool.";
    FEED_POSITION = "renaksi_feed_position", Gauge, Count,
        "Position of the last event of the feed.";
    FEED_UNSEALED = "renaksi_feed_unsealed_events", Gauge, Count,
        "Events that are committed and have no place in the feed yet; counted up to 100000.";
    WEBHOOK_DELIVERIES = "renaksi_webhook_deliveries", Gauge, Count,
        "Webhook messages that wait, by whether they are to be sent now (due) or after a failure (retrying).";
    WEBHOOK_ATTEMPTS = "renaksi_webhook_attempts_total", Counter, Count,
        "Attempts to deliver a webhook message, by result: delivered, retried, or failed for good.";
    TELEMETRY_EXPORTS = "renaksi_telemetry_exports_total", Counter, Count,
        "Messages to the OpenTelemetry receiver, by signal and result; what is not accepted is dropped.";
    BUILD_INFO = "renaksi_build_info", Gauge, Count,
        "Always 1; the label version is that of the running service.";
    START_TIME = "process_start_time_seconds", Gauge, Seconds,
        "When the process started, in seconds since 1970.";
    MEMORY = "process_resident_memory_bytes", Gauge, Bytes,
        "Memory of the process that is in RAM; only on Linux.";
    OPEN_FILES = "process_open_fds", Gauge, Count,
        "Files and connections that the process has open; only on Linux.";
}

/// Tells the recorder what each metric is.
pub(super) fn describe() {
    for Metric { name, kind, unit, help } in ALL {
        match kind {
            Kind::Counter => metrics::describe_counter!(*name, *unit, *help),
            Kind::Gauge => metrics::describe_gauge!(*name, *unit, *help),
            Kind::Histogram => metrics::describe_histogram!(*name, *unit, *help),
        }
    }
}

/// A metric by its name.
pub(super) fn named(name: &str) -> Option<&'static Metric> {
    ALL.iter().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_metric_is_named_once_and_told_in_a_sentence() {
        assert_eq!(ALL.iter().map(|metric| metric.name).collect::<BTreeSet<_>>().len(), ALL.len());
        for Metric { name, kind, help, .. } in ALL {
            assert!(help.ends_with('.') && help.starts_with(char::is_uppercase), "{name}: {help}");
            assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert_eq!(*kind == Kind::Histogram, name.ends_with("_seconds") && *name != START_TIME, "{name}");
        }
        assert!(BUCKETS.is_sorted());
    }
}
