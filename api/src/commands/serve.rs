//! `renaksi serve`

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{App, HttpServer};
use metrics_exporter_prometheus::PrometheusHandle;
use sea_orm::DatabaseConnection;
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use super::CommandResult;
use crate::app::{State, all_routes, app};
use crate::auth::keys::Keys;
use crate::auth::oidc::OidcProvider;
use crate::cache::ResponseCache;
use crate::config::serve::{OnOff, Serve};
use crate::demo::{self, Login};
use crate::feed::limits::StreamLimits;
use crate::feed::seal::Sealer;
use crate::feed::tail::Tail;
use crate::housekeeping;
use crate::http::client_address::TrustedProxies;
use crate::http::cors::Origins;
use crate::http::rate_limit::RateLimits;
use crate::http::security;
use crate::kinds;
use crate::pages;
use crate::store::connection;
use crate::store::figure_cache::FigureCache;
use crate::store::transaction::Store;
use crate::tabular::exports;
use crate::telemetry::metrics::PANICS;
use crate::telemetry::otlp;
use crate::vitals::Vitals;
use crate::webhooks::courier::Courier;

/// The number of database connections that only public reads use.
const CONNECTIONS_OF_THE_PUBLIC: u32 = 4 + exports::MOST as u32;
/// The number of threads that compute figures.
const FIGURE_THREADS: usize = 2;
/// How often durations that were measured are added up: until then each of them takes memory.
const METRICS_EVERY: Duration = Duration::from_secs(1);
/// How long a stop waits for connections to the database that are not given back.
const LONGEST_CLOSE: Duration = Duration::from_secs(10);
/// The number of connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Brings the schema up to date and serves until SIGTERM or Ctrl-C.
pub async fn run(settings: Serve) -> CommandResult {
    log(&settings.log)?;
    allow_connections();
    settings.check()?;
    if settings.demo && !settings.listen.ip().is_loopback() {
        warn_of_demo(settings.listen);
    }
    if settings.password_login == OnOff::Off && settings.oidc_issuer.is_none() {
        tracing::warn!("--password-login off without --oidc-issuer: only clients can get tokens");
    }
    let calendar = settings.calendar()?;
    if settings.rehearsal.is_some() {
        tracing::warn!(today = %calendar.today(), "a rehearsal is running: a file says which day it is");
    }
    let db = connection::hold(&settings.database.database_url, settings.database.database_connections)
        .await
        .map_err(|error| format!("--database-url (DATABASE_URL): {}", connection::reason(&error)))?;
    connection::migrate(&db).await?;
    // This comes before the demo data, whose passwords are shown only once: nothing that can fail may come in between.
    let listener = listen(settings.listen).map_err(|error| format!("--listen (RENAKSI_LISTEN) {}: {error}", settings.listen))?;
    let public_db = connection::hold(&settings.database.database_url, CONNECTIONS_OF_THE_PUBLIC).await?;
    let (metrics, telemetry) = otlp::begin(settings.telemetry()?.as_ref())?;
    let limits = Arc::new(RateLimits::new(settings.rate_limit, settings.rate_limit_figures));
    tokio::spawn(keep_counts_small(metrics.clone(), Arc::clone(&limits)));
    if let Some(address) = settings.metrics_listen {
        serve_metrics(address, metrics.clone())
            .map_err(|error| format!("--metrics-listen (RENAKSI_METRICS_LISTEN) {address}: {error}"))?;
    }
    let store = Store::new(db.clone(), calendar.clone()).with_public_db(public_db.clone()).with_logins(settings.logins());
    let figures = figure_threads()?;
    let logins = if settings.demo { demo::load(&store, settings.fixed()).await.map_err(|error| error.sentence())? } else { None };
    // Events that were committed earlier get their position before anybody follows the feed. A long backlog is sealed while the
    // service runs.
    Sealer::default().step(&store).await.map_err(|error| error.sentence())?;
    let keys = Keys::load(db.clone(), settings.public_url.clone()).await.map_err(|error| error.sentence())?;
    let keys = Data::new(keys);
    let tail = Tail::new(store.clone());
    let webhooks = settings.webhooks();
    let stopping = CancellationToken::new();
    let state = State {
        routes: all_routes(),
        store: Data::new(store.clone()),
        keys: keys.clone(),
        outside: settings.outside()?.map(OidcProvider::new).transpose()?.map(Data::new),
        tail: Data::new(tail.clone()),
        streams: Data::new(StreamLimits::new(settings.public_streams.into(), settings.public_streams_per_address.into())),
        addresses: Data::from(webhooks.addresses.clone()),
        answers: Data::new(ResponseCache::new(store.generation().clone(), calendar.clone())),
        repeats: Data::default(),
        figures: Data::new(FigureCache::new(figures.handle().clone())),
        document: Data::default(),
        stopping: Data::new(stopping.clone()),
        metrics: Data::new(metrics),
        proxies: Data::new(TrustedProxies(settings.trusted_proxies.clone())),
        licence: Data::new(settings.data_licence),
        exports: Data::default(),
        limits: Data::from(limits),
        origins: Data::new(Origins { configured: settings.cors_origins.clone(), local: settings.demo }),
    };
    tokio::spawn(async move { keys.follow().await });
    let vitals = Vitals::new(store.clone(), public_db.clone(), &state);
    tokio::spawn(vitals.follow());
    let watch = store.generation().clone().watch(db.clone(), calendar, &kinds::AUDITED).await;
    tokio::spawn(watch.map_err(|error| error.sentence())?);
    let courier = Courier::new(store.clone(), webhooks)?;
    let courier = actix_web::rt::spawn(courier.run(tail.end(), stopping));
    tokio::spawn(tail.follow());
    tokio::spawn(housekeeping::run(store.clone()));
    serve(settings, listener, state, logins).await?;
    // Messages that are being sent must not be sent a second time by another replica.
    courier.await?;
    telemetry.end().await;
    figures.shutdown_background();
    timeout(LONGEST_CLOSE, close(store, [public_db, db])).await.unwrap_or_else(|_| {
        tracing::warn!("a connection to the database was not given back");
        Ok(())
    })
}

/// Closes connections once all are given back; a SQLite file is left without its write-ahead log then. What was acknowledged is on the disk
/// in any case.
async fn close(store: Store, databases: [DatabaseConnection; 2]) -> CommandResult {
    store.finish_writes().await;
    for db in databases {
        db.close().await?;
    }
    Ok(())
}

/// Starts the threads that compute figures, so that the threads which answer requests stay free.
fn figure_threads() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(FIGURE_THREADS).thread_name("figures").enable_all().build()
}

/// Warns if the demo, whose account names are well known, listens on an address that others can reach.
fn warn_of_demo(address: SocketAddr) {
    let reason =
        "--demo (RENAKSI_DEMO) creates accounts with well-known names; do not use it for a service that others can reach";
    security::log("demo_in_public", "--demo", Some(&address.to_string()), reason);
    eprintln!("renaksi: WARNING: {reason}. This one listens on {address}.");
}

/// Raises the limit of open files: streams stay open, and the usual soft limit of 1,024 files would refuse the next client.
fn allow_connections() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

/// Binds the address even if its last connections are still closing, as a restarted service must.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Adds up what was measured, also where nobody reads the metrics, and forgets addresses that asked little.
async fn keep_counts_small(metrics: PrometheusHandle, limits: Arc<RateLimits>) {
    for second in 1u64.. {
        tokio::time::sleep(METRICS_EVERY).await;
        metrics.run_upkeep();
        limits.forget(second.is_multiple_of(60));
    }
}

/// Serves the metrics on an address of their own until the process ends.
fn serve_metrics(address: SocketAddr, metrics: PrometheusHandle) -> std::io::Result<()> {
    let metrics = Data::new(metrics);
    let server = HttpServer::new(move || App::new().app_data(metrics.clone()).configure(pages::mount_metrics));
    let server = server.disable_signals().workers(1).listen(listen(address)?)?;
    for address in server.addrs() {
        tracing::info!(%address, "metrics");
    }
    tokio::spawn(server.run());
    Ok(())
}

async fn serve(settings: Serve, listener: TcpListener, state: State, logins: Option<Vec<Login>>) -> CommandResult {
    let address = listener.local_addr()?;
    let stopping = state.stopping.clone();
    let mut server = HttpServer::new(move || app(state.clone()))
        .disable_signals()
        .shutdown_timeout(settings.shutdown_seconds)
        // Longer than balancers and clients keep idle connections, so that none of them sends into a connection that is being
        // closed.
        .keep_alive(Duration::from_secs(75))
        .client_request_timeout(Duration::from_secs(15))
        // Work that nobody waits for any more is cancelled.
        .h1_allow_half_closed(false);
    if let Some(workers) = settings.workers {
        server = server.workers(workers.into());
    }
    let server = server.listen(listener)?.run();
    let handle = server.handle();
    // Whoever reads the line about listening may ask the service to stop at once, so the handler is installed before the line is
    // printed.
    let terminate = signal(SignalKind::terminate())?;
    announce(address, logins.as_deref())?;
    tokio::spawn(async move {
        stop_asked(terminate).await;
        // Streams end and no new message is sent, while running requests finish.
        stopping.cancel();
        tracing::info!("stopping");
        tokio::time::sleep(Duration::from_secs(settings.drain_seconds)).await;
        handle.stop(true).await;
    });
    server.await?;
    Ok(())
}

fn log(filter: &str) -> CommandResult {
    let filter = EnvFilter::builder().parse(filter).map_err(|error| format!("--log (RENAKSI_LOG): {error}"))?;
    tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).with_writer(std::io::stderr).init();
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(place = ?panic.location(), "panic");
        metrics::counter!(PANICS).increment(1);
    }));
    Ok(())
}

/// Prints on standard output where the service listens and, once, how to log in to the demo.
fn announce(address: SocketAddr, logins: Option<&[Login]>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    if let Some(logins) = logins {
        writeln!(
            out,
            "\nThe demo data is loaded. These accounts were created for it; their passwords and secrets are shown only now:\n"
        )?;
        for login in logins {
            writeln!(out, "  {:<32}{:<18}{}", login.name, login.what, login.secret)?;
        }
        writeln!(out, "\nTry:  curl 'http://{address}/v1/public/summary?as_of=2022-10-04'\nRead: http://{address}/docs/")?;
    }
    out.flush()
}

async fn stop_asked(mut terminate: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
