//! What single writes cost, one after the other and many at the same time.
//!
//! ```text
//! cargo bench -p renaksi --bench puts
//! BENCH_DATABASE_URL=postgres://postgres@127.0.0.1/postgres cargo bench -p renaksi --bench puts   # PostgreSQL too
//! ```
//!
//! One client, and 32 clients, each of a KPI of its own, write a measurement as fast as they are answered. Both take turns on one
//! database; the ratio is the median over the rounds. What waits is written together, so that many clients get many times the answers of
//! one.

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
use std::time::{Duration, Instant};

use load::{Ask, Connection};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use run::{Outcome, median, on_each};
use serde_json::json;
use server::Server;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CLIENTS: usize = 32;
const ROUNDS: usize = 7;
const PERIOD: Duration = Duration::from_secs(2);

#[actix_web::main]
async fn main() -> Outcome<()> {
    let metrics = PrometheusBuilder::new().install_recorder()?;
    on_each("puts", async |database: &str, url: &str| measure(database, url, &metrics).await).await
}

async fn measure(database: &str, url: &str, metrics: &PrometheusHandle) -> Outcome<()> {
    let server = Server::start(url, metrics).await?;
    add_kpis(&server).await?;
    write(&server, CLIENTS, Duration::from_secs(1)).await?;
    let (mut of_one, mut of_many, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (one, many) = (write(&server, 1, PERIOD).await?, write(&server, CLIENTS, PERIOD).await?);
        ratios.push(many / one);
        of_one.push(one);
        of_many.push(many);
    }
    server.stop().await;
    println!("\n{database}: measurements written a second, median of {ROUNDS} rounds");
    println!("  {CLIENTS} clients            {:>10.0}", median(of_many));
    println!("  one client            {:>10.0}", median(of_one));
    println!("  {CLIENTS} clients ÷ one      {:>10.2}", median(ratios));
    Ok(())
}

async fn add_kpis(server: &Server) -> Outcome<()> {
    let mut connection = Connection::open(server.address).await?;
    for number in 0..CLIENTS {
        let kpi = json!({
            "code": format!("BENCH-{number}"), "masterplan": "KLU-SC", "dimension": "society", "opd": "DINKES", "name": "Bench",
            "unit": { "kind": "index" }, "direction": "increase", "frequency": "yearly",
        });
        let json = "Content-Type: application/json\r\n";
        connection.exchange(&Ask::new("POST", "/v1/kpis", Some(&server.token), json, &kpi.to_string())).await?.must_be(201)?;
        let path = format!("/v1/kpis/BENCH-{number}/measurements/2022");
        connection.exchange(&Ask::new("PUT", &path, Some(&server.token), json, r#"{"value":"1"}"#)).await?.must_be(201)?;
    }
    Ok(())
}

/// Writes a second that get answered.
async fn write(server: &Server, clients: usize, period: Duration) -> Outcome<f64> {
    let started = Instant::now();
    let one = |number| tokio::spawn(put(server.address, server.token.clone(), number, started + period));
    let mut answers = 0;
    for client in (0..clients).map(one).collect::<Vec<_>>() {
        answers += client.await??;
    }
    Ok(f64::from(answers) / started.elapsed().as_secs_f64())
}

async fn put(address: SocketAddr, token: String, number: usize, until: Instant) -> io::Result<u32> {
    let mut connection = Connection::open(address).await?;
    let (path, headers) =
        (format!("/v1/kpis/BENCH-{number}/measurements/2022"), "Content-Type: application/json\r\nIf-Match: *\r\n");
    let mut answers = 0;
    while Instant::now() < until {
        let body = json!({ "value": answers.to_string() }).to_string();
        connection.exchange(&Ask::new("PUT", &path, Some(&token), headers, &body)).await?.must_be(200)?;
        answers += 1;
    }
    Ok(answers)
}
