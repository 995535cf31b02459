//! What `/metrics` tells: each metric with a sentence, labels out of closed sets, and figures that are true.

use std::collections::BTreeSet;
use std::time::Duration;

use renaksi_tests::document::Document;
use renaksi_tests::metrics::Metrics;
use renaksi_tests::receiver::{Manner, Receiver};
use renaksi_tests::resource::OPDS;
use renaksi_tests::stream::Stream;
use renaksi_tests::{Service, on_both_databases};
use serde_json::json;

use super::webhooks::instead_of;

/// What an operator may rely on: the dashboards and alerts of offices name these.
const KNOWN: [(&str, &str); 27] = [
    ("http_request_duration_seconds", "histogram"),
    ("http_requests_total", "counter"),
    ("password_hashes_total", "counter"),
    ("process_start_time_seconds", "gauge"),
    ("renaksi_build_info", "gauge"),
    ("renaksi_database_acquire_seconds", "histogram"),
    ("renaksi_database_bytes", "gauge"),
    ("renaksi_database_connections", "gauge"),
    ("renaksi_database_connections_max", "gauge"),
    ("renaksi_database_up", "gauge"),
    ("renaksi_feed_position", "gauge"),
    ("renaksi_feed_unsealed_events", "gauge"),
    ("renaksi_figures_running", "gauge"),
    ("renaksi_panics_total", "counter"),
    ("renaksi_push_repeats_total", "counter"),
    ("renaksi_rate_limited_total", "counter"),
    ("renaksi_response_cache_bytes", "gauge"),
    ("renaksi_response_cache_entries", "gauge"),
    ("renaksi_response_cache_total", "counter"),
    ("renaksi_security_events_total", "counter"),
    ("renaksi_sql_statements_total", "counter"),
    ("renaksi_streams_open", "gauge"),
    ("renaksi_telemetry_exports_total", "counter"),
    ("renaksi_webhook_attempts_total", "counter"),
    ("renaksi_webhook_deliveries", "gauge"),
    ("renaksi_write_wait_seconds", "histogram"),
    ("renaksi_writers_waiting", "gauge"),
];

async fn metrics(service: &Service) -> Metrics {
    let page = service.anyone().get("/metrics").await.is_status(200);
    Metrics::read(&page.text())
}

/// Waits until a series has a value for which `is` holds.
async fn until(service: &Service, name: &str, labels: &[(&str, &str)], is: impl Fn(f64) -> bool) {
    let mut found = None;
    for _ in 0..300 {
        found = metrics(service).await.value(name, labels);
        if found.is_some_and(&is) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} {labels:?} is {found:?}");
}

on_both_databases! {
    async fn each_metric_is_told_in_a_sentence_and_is_there_from_the_start(app) {
        until(&app, "renaksi_database_up", &[], |up| up == 1.0).await;
        app.anyone().get("/v1/public/opds").await.is(200);
        until(&app, "renaksi_webhook_deliveries", &[("state", "due")], |due| due == 0.0).await;
        let all = metrics(&app).await;
        for (name, kind) in KNOWN {
            let family = all.0.get(name).unwrap_or_else(|| panic!("{name} is missing"));
            assert!(family.kind == kind && !family.series.is_empty(), "{name}: {family:?}");
        }
        for (name, family) in &all.0 {
            assert!(family.help.ends_with('.') && family.help.starts_with(char::is_uppercase), "{name}: {:?}", family.help);
            assert!(KNOWN.iter().any(|(known, _)| known == name) || name.starts_with("process_"), "{name} is new: name it here");
        }
        assert!(all.value("renaksi_database_bytes", &[]).unwrap() > 100_000.0);
        assert!(all.value("renaksi_database_connections_max", &[("pool", "main")]).unwrap() >= 2.0);
        let open = |state| all.value("renaksi_database_connections", &[("pool", "main"), ("state", state)]).unwrap();
        assert!(open("idle") + open("busy") >= 1.0);
    }

    async fn what_a_client_makes_up_adds_no_series(app) {
        let (anyone, admin) = (app.anyone(), app.admin().await);
        for made_up in 0..30 {
            anyone.get(format!("/v1/public/opds/X-{made_up}")).await.is(404);
            anyone.get(format!("/nowhere/{made_up}")).await.is(404);
            anyone.get(format!("/v1/public/opds?q=w{made_up}")).await.is(200);
        }
        anyone.log_in("nobody@example.go.id", "not-a-password-of-anybody").await.is(400);
        admin.get("/v1/opds").await.is(200);
        let paths = Document::get().root()["paths"].as_object().unwrap().keys().map(String::as_str);
        let routes = paths.chain(["unmatched", "none", "/", "/metrics"]).map(str::to_owned).collect::<BTreeSet<_>>();
        for series in metrics(&app).await.series() {
            for (label, value) in &series.labels {
                let is_known = match label.as_str() {
                    "route" => routes.contains(value),
                    "method" => ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "none", "other"].contains(&value.as_str()),
                    "status" => value.parse::<u16>().is_ok_and(|status| (200..600).contains(&status)) || ["idle", "busy"].contains(&value.as_str()),
                    "le" => value == "+Inf" || value.parse::<f64>().is_ok(),
                    "scope" | "pool" => ["public", "private", "main"].contains(&value.as_str()),
                    "state" => ["idle", "busy", "due", "retrying"].contains(&value.as_str()),
                    "result" => ["hit", "miss", "delivered", "retried", "failed", "accepted"].contains(&value.as_str()),
                    "limit" => ["requests", "figures"].contains(&value.as_str()),
                    "signal" => ["traces", "metrics"].contains(&value.as_str()),
                    "event" => value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                    "version" => value == env!("CARGO_PKG_VERSION"),
                    _ => false,
                };
                assert!(is_known, "{label}={value} of {}", series.name);
            }
        }
    }

    async fn the_figures_are_true(app) {
        // Alone, since any replica may send a message of a webhook.
        let app = instead_of(&app, &[("RENAKSI_WEBHOOK_ALLOW_HTTP", "true"), ("RENAKSI_WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8")]);
        let (anyone, admin) = (app.anyone(), app.admin().await);
        let before = metrics(&app).await;
        for _ in 0..3 {
            anyone.get("/v1/public/opds").await.is(200);
        }
        let after = metrics(&app).await;
        let grew = |name: &str, labels: &[(&str, &str)]| after.value(name, labels).unwrap_or(0.0) - before.value(name, labels).unwrap_or(0.0);
        assert_eq!(grew("http_requests_total", &[("method", "GET"), ("route", "/v1/public/opds"), ("status", "200")]), 3.0);
        assert_eq!(grew("renaksi_response_cache_total", &[("result", "hit")]), 2.0);
        assert_eq!(grew("http_request_duration_seconds_count", &[("route", "/v1/public/opds")]), 3.0);
        until(&app, "renaksi_response_cache_entries", &[], |kept| kept >= 1.0).await;
        until(&app, "renaksi_response_cache_bytes", &[], |bytes| bytes > 500.0).await;

        let stream = Stream::open(&app, "/v1/public/events/stream", None, None);
        until(&app, "renaksi_streams_open", &[("scope", "public")], |open| open == 1.0).await;
        drop(stream);

        let receiver = Receiver::start(Manner::Fails).await;
        let position = metrics(&app).await.value("renaksi_feed_position", &[]).unwrap();
        let hook = json!({ "url": receiver.url, "event_types": ["opd.created"] });
        admin.create("/v1/webhooks", hook).await;
        admin.create("/v1/opds", OPDS.new_body().1).await;
        until(&app, "renaksi_webhook_attempts_total", &[("result", "retried")], |retried| retried >= 1.0).await;
        until(&app, "renaksi_webhook_deliveries", &[("state", "retrying")], |waiting| waiting == 1.0).await;
        until(&app, "renaksi_feed_position", &[], |now| now >= position + 2.0).await;
        until(&app, "renaksi_feed_unsealed_events", &[], |unsealed| unsealed == 0.0).await;
        assert!(metrics(&app).await.value("renaksi_write_wait_seconds_count", &[]).unwrap() >= 2.0);
    }
}
