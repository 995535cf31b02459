//! OpenTelemetry: what a receiver is sent, and that the service does not mind one that takes nothing.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use opentelemetry_proto::tonic::trace::v1::Span;
use renaksi_tests::collector::{Collector, Conduct, Told, attributes, numbers};
use renaksi_tests::resource::OPDS;
use renaksi_tests::server::command;
use renaksi_tests::{App, Backend, on_both_databases, on_sqlite};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A service that sends what it does to a receiver, at once.
fn telling(app: &App, collector: &Collector) -> App {
    app.replica_with(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("{}/", collector.url)),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-scope-orgid=kominfo"),
        ("OTEL_SERVICE_NAME", "renaksi-uji"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "400"),
    ])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The spans of requests to a route, in the order in which they came.
fn requests<'a>(told: &'a Told, name: &str) -> Vec<&'a Span> {
    told.spans.iter().filter(|span| span.name == name).collect()
}

on_both_databases! {
    async fn a_request_is_a_span_and_so_are_its_statements(app) {
        let collector = Collector::start(Conduct::Accepts).await;
        let telling = telling(&app, &collector);
        let anyone = telling.anyone();
        let ask = || anyone.get("/v1/public/programmes?q=kata-rahasia&limit=3").header("traceparent", &format!("00-{TRACE}-{PARENT}-01"));
        ask().header("X-Request-Id", "laporan-77").await.is(200);
        let name = "GET /v1/public/programmes";
        let (span, statements) = collector.until("request with its statements", |told| {
            let span = (*requests(told, name).first()?).clone();
            let statements = told.spans.iter().filter(|other| other.parent_span_id == span.span_id).cloned().collect::<Vec<_>>();
            (!statements.is_empty()).then_some((span, statements))
        }).await;
        assert_eq!((hex(&span.trace_id).as_str(), hex(&span.parent_span_id).as_str(), span.kind), (TRACE, PARENT, 2));
        let told = attributes(&span);
        for (name, value) in [
            ("http.request.method", "GET"),
            ("http.route", "/v1/public/programmes"),
            ("http.response.status_code", "200"),
            ("url.path", "/v1/public/programmes"),
            ("renaksi.request_id", "laporan-77"),
        ] {
            assert_eq!(told.get(name).map(String::as_str), Some(value), "{name}: {told:?}");
        }
        assert_eq!(told["renaksi.sql_statements"], statements.len().to_string());
        let system = if app.backend() == Backend::Sqlite { "sqlite" } else { "postgresql" };
        for statement in &statements {
            let told = attributes(statement);
            assert_eq!((hex(&statement.trace_id).as_str(), statement.kind, told["db.system.name"].as_str()), (TRACE, 3, system));
            assert_eq!(told["db.operation.name"], "SELECT");
            assert!(statement.start_time_unix_nano >= span.start_time_unix_nano - 1_000_000 && statement.end_time_unix_nano <= span.end_time_unix_nano + 1_000_000);
        }
        assert!(statements.iter().any(|statement| statement.name.starts_with("SELECT programme")), "{statements:?}");
        assert!(!format!("{:?}", collector.told()).contains("kata-rahasia"), "what was searched for is told to nobody");

        // What is kept is answered without a statement, and is a span all the same.
        ask().await.is(200);
        let kept = collector.until("kept answer", |told| requests(told, name).get(1).map(|span| (*span).clone())).await;
        assert_eq!((hex(&kept.trace_id).as_str(), attributes(&kept)["renaksi.sql_statements"].as_str()), (TRACE, "0"));
        let resource = collector.told().resource;
        assert_eq!((resource["service.name"].as_str(), resource.contains_key("service.version")), ("renaksi-uji", true));
        assert_eq!(collector.told().headers["x-scope-orgid"], "kominfo");
    }

    async fn figures_and_what_the_service_does_by_itself_are_spans_too(app) {
        let collector = Collector::start(Conduct::Accepts).await;
        let telling = telling(&app, &collector);
        telling.anyone().get("/v1/public/summary").await.is(200);
        // Figures are computed on other threads.
        collector.until("statements of a figure", |told| {
            let span = *requests(told, "GET /v1/public/summary").first()?;
            told.spans.iter().any(|other| other.parent_span_id == span.span_id).then_some(())
        }).await;
        let (code, body) = OPDS.new_body();
        telling.admin().await.create("/v1/opds", body).await;
        collector.until("write", |told| requests(told, "POST /v1/opds").first().map(drop)).await;
        let seal = collector.until("sealing", |told| {
            let seal = *requests(told, "feed.seal").first()?;
            let writes = told.spans.iter().any(|span| span.parent_span_id == seal.span_id && span.name == "INSERT event_seal");
            writes.then(|| seal.clone())
        }).await;
        assert!(seal.parent_span_id.is_empty(), "nobody asked for it");
        assert!(!format!("{:?}", collector.told().spans).contains(&code), "a value in a span");
    }

    async fn a_receiver_is_sent_the_metrics_that_prometheus_reads(app) {
        let collector = Collector::start(Conduct::Accepts).await;
        let telling = telling(&app, &collector);
        for _ in 0..3 {
            telling.anyone().get("/v1/public/opds").await.is(200);
        }
        // A duration that was never measured is sent to nobody.
        telling.admin().await.create("/v1/opds", OPDS.new_body().1).await;
        let labels = [("method", "GET"), ("route", "/v1/public/opds"), ("status", "200")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        collector.until("count of three requests", |told| (numbers(told.metrics.get("http_requests_total")?).get(&labels) == Some(&3.0)).then_some(())).await;
        let page = telling.anyone().get("/metrics").await;
        let page = page.text();
        let read = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).map(str::to_owned).collect::<BTreeSet<_>>();
        assert!(read.len() > 20, "{read:?}");
        collector.until("metric for each that Prometheus reads", |told| read.iter().all(|name| told.metrics.contains_key(name)).then_some(())).await;
        let duration = collector.told().metrics["http_request_duration_seconds"].clone();
        assert!(duration.unit == "s" && duration.description.ends_with('.'), "{duration:?}");
    }
}

on_sqlite! {
    async fn an_empty_variable_sends_nothing(app) {
        let silent = app.replica_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", ""), ("OTEL_TRACES_EXPORTER", "otlp")]);
        silent.anyone().get("/v1/public/opds").header("traceparent", &format!("00-{TRACE}-{PARENT}-01")).await.is(200);
        assert!(!silent.server().log().contains("OpenTelemetry"), "{}", silent.server().log());
    }

    async fn a_receiver_that_takes_nothing_is_named_once_and_found_again(app) {
        let collector = Collector::start(Conduct::Refuses).await;
        let telling = telling(&app, &collector);
        telling.anyone().get("/v1/public/opds").await.is(200);
        collector.until("several attempts", |told| (told.messages >= 6).then_some(())).await;
        let told_of = |text: &str| telling.server().log().lines().filter(|line| line.contains(text)).count();
        telling.server().logged(&["accepts nothing", "\"signal\":\"metrics\"", "503"]);
        assert!(told_of("accepts nothing") <= 2, "once for each signal: {}", telling.server().log());
        collector.change(Conduct::Accepts);
        telling.anyone().get("/v1/public/opds").await.is(200);
        collector.until("span", |told| requests(told, "GET /v1/public/opds").first().map(drop)).await;
        telling.server().logged(&["accepts messages again"]);
    }

    async fn a_receiver_that_hangs_slows_nothing_and_does_not_keep_the_service(app) {
        let collector = Collector::start(Conduct::Hangs).await;
        let telling = telling(&app, &collector);
        let anyone = telling.anyone();
        anyone.get("/v1/public/opds").await.is(200);
        collector.until("message", |told| (told.messages > 0).then_some(())).await;
        let since = Instant::now();
        // More spans than the queue holds.
        for _ in 0..60 {
            join_all((0..50).map(|_| async { anyone.get("/v1/public/opds").await.is(200) })).await;
        }
        assert!(since.elapsed() < Duration::from_secs(30), "3,000 kept answers took {:?}", since.elapsed());
        let since = Instant::now();
        telling.server().terminate();
        assert_eq!(telling.server().wait().code(), Some(0));
        assert!(since.elapsed() < Duration::from_secs(10), "stopping took {:?}", since.elapsed());
    }
}

#[test]
fn a_wrong_setting_of_opentelemetry_is_named() {
    let start = |settings: &[(&str, &str)]| {
        let output = command(&["serve", "--listen", "127.0.0.1:0", "--database-url", "sqlite::memory:"])
            .envs(settings.iter().copied())
            .output();
        let output = output.unwrap();
        assert!(!output.status.success(), "{settings:?} started");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    for (settings, name) in [
        (vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1")], "otlp-endpoint"),
        (vec![endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], "OTEL_EXPORTER_OTLP_PROTOCOL"),
        (vec![endpoint, ("OTEL_TRACES_EXPORTER", "zipkin")], "OTEL_TRACES_EXPORTER"),
    ] {
        let said = start(&settings);
        assert!(said.contains(name), "{settings:?}: {said}");
    }
}
