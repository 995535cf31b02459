//! What the chain costs those who write, and how fast it is verified.
//!
//! ```text
//! cargo bench -p renaksi --bench chain
//! BENCH_DATABASE_URL=postgres://postgres@127.0.0.1/postgres cargo bench -p renaksi --bench chain   # PostgreSQL too
//! ```
//!
//! Eight clients create OPDs as fast as they are answered: while events only pile up, and while what is committed is sealed at
//! once. Both take turns on one database; the ratio is the median over the rounds.

#![allow(dead_code, reason = "the server is common to the benchmarks, and others use more of it")]

#[path = "common/load.rs"]
mod load;
#[path = "common/place.rs"]
mod place;
#[path = "common/run.rs"]
mod run;
#[path = "common/server.rs"]
mod server;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use load::{Ask, Connection};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use renaksi::feed::seal::{Sealer, Step, head};
use renaksi::feed::tail::Tail;
use renaksi::feed::verify::{Verdict, verify};
use renaksi::store::progress::Progress;
use renaksi::store::transaction::Store;
use run::{Outcome, median, on_each};
use serde_json::json;
use server::Server;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CLIENTS: usize = 8;
const ROUNDS: usize = 7;
const PERIOD: Duration = Duration::from_secs(3);

/// Names every OPD of the run.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

#[actix_web::main]
async fn main() -> Outcome<()> {
    let metrics = PrometheusBuilder::new().install_recorder()?;
    on_each("chain", async |database: &str, url: &str| measure(database, url, &metrics).await).await
}

async fn measure(database: &str, url: &str, metrics: &PrometheusHandle) -> Outcome<()> {
    let server = Server::start(url, metrics).await?;
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    write(&server, Duration::from_secs(1)).await?;
    for round in 0..ROUNDS {
        // Whoever is second meets a larger table, so they take turns at that too.
        let (sealed, bare) = if round % 2 == 0 {
            let sealed = write_sealed(&server).await?;
            (sealed, write(&server, PERIOD).await?)
        } else {
            let bare = write(&server, PERIOD).await?;
            (write_sealed(&server).await?, bare)
        };
        ratios.push(sealed / bare);
        with.push(sealed);
        without.push(bare);
    }
    seal_all(&server.store).await?;
    let started = Instant::now();
    let Verdict::Sound(end) = verify(server.store.db(), None, Progress::silent()).await? else {
        return Err("the chain is broken".into());
    };
    let verified = end.position as f64 / started.elapsed().as_secs_f64();
    server.stop().await;
    println!("\n{database}: changes a second of {CLIENTS} clients, median of {ROUNDS} rounds");
    println!("  with the chain        {:>10.0}", median(with));
    println!("  without               {:>10.0}", median(without));
    println!("  with ÷ without        {:>10.2}", median(ratios));
    println!("  events verified a second {verified:>7.0} ({} events)", end.position);
    Ok(())
}

/// Seals all that waits.
async fn seal_all(store: &Store) -> Outcome<()> {
    let mut sealer = Sealer::default();
    while sealer.step(store).await.map_err(|error| error.sentence())? != Step::Nothing {}
    Ok(())
}

/// The same while a replica seals.
async fn write_sealed(server: &Server) -> Outcome<f64> {
    // What piled up belongs to no round.
    seal_all(&server.store).await?;
    let before = head(server.store.db()).await?.position;
    let sealing = tokio::spawn(Tail::new(server.store.clone()).follow());
    let rate = write(server, PERIOD).await?;
    sealing.abort();
    let _ = sealing.await;
    let sealed = (head(server.store.db()).await?.position - before) as f64;
    // Else it fell behind, and writers had the machine for themselves.
    let share = sealed / (rate * PERIOD.as_secs_f64());
    if share < 0.9 { Err(format!("only {share:.2} of the changes were sealed").into()) } else { Ok(rate) }
}

/// Changes a second that get answered.
async fn write(server: &Server, period: Duration) -> Outcome<f64> {
    let started = Instant::now();
    let clients = (0..CLIENTS).map(|_| tokio::spawn(create(server.address, server.token.clone(), started + period)));
    let mut answers = 0;
    for client in clients.collect::<Vec<_>>() {
        answers += client.await??;
    }
    Ok(f64::from(answers) / started.elapsed().as_secs_f64())
}

async fn create(address: SocketAddr, token: String, until: Instant) -> io::Result<u32> {
    let mut connection = Connection::open(address).await?;
    let mut answers = 0;
    while Instant::now() < until {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "code": format!("BENCH-{number}"), "name": "Dinas Uji", "short_name": "DU" }).to_string();
        let ask = Ask::new("POST", "/v1/opds", Some(&token), "Content-Type: application/json\r\n", &body);
        connection.exchange(&ask).await?.must_be(201)?;
        answers += 1;
    }
    Ok(answers)
}
