//! What a push of 10,000 measurements costs, against the same rows in bare multi-row `INSERT … ON CONFLICT` statements on the
//! same connections, in one run.
//!
//! ```text
//! cargo bench -p renaksi --bench push
//! BENCH_DATABASE_URL=postgres://postgres@127.0.0.1/postgres cargo bench -p renaksi --bench push   # PostgreSQL too
//! ```
//!
//! Both take turns; the ratio is the median over the rounds. The push also checks each row, appends an event for each, and
//! keeps its answer for a retry. The memory is the peak of this process, which holds the client as well.

#![allow(dead_code, reason = "the server is common to the benchmarks, and others use more of it")]

#[path = "common/load.rs"]
mod load;
#[path = "common/place.rs"]
mod place;
#[path = "common/run.rs"]
mod run;
#[path = "common/server.rs"]
mod server;

use std::fmt::Write;
use std::time::Instant;

use entity::measurement::{self, Column, PrimaryKey};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use run::{Outcome, median, on_each};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter, TransactionTrait,
};
use serde_json::json;
use server::Server;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const KPIS: usize = 100;
const PERIODS: usize = 100;
const ROUNDS: usize = 5;
/// Rows of a statement: SQLite takes 32,766 parameters.
const ROWS_AT_ONCE: usize = 1_200;

#[actix_web::main]
async fn main() -> Outcome<()> {
    let metrics = PrometheusBuilder::new().install_recorder()?;
    on_each("push", async |database: &str, url: &str| measure(database, url, &metrics).await).await
}

async fn measure(database: &str, url: &str, metrics: &PrometheusHandle) -> Outcome<()> {
    let server = Server::start(url, metrics).await?;
    // The client brings no cryptography of its own. An error means it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    add_kpis(&client, &server).await?;
    let before = peak_memory()?;
    let (mut pushes, mut inserts, mut repeats, mut ratios) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        empty(&server).await?;
        let push = push(&client, &server, "created").await?;
        repeats.push(self::push(&client, &server, "unchanged").await?);
        let rows = pushed().all(server.store.db()).await?;
        empty(&server).await?;
        let insert = insert(&server, rows).await?;
        ratios.push(insert / push);
        pushes.push(push);
        inserts.push(insert);
    }
    server.stop().await;
    let rows = (KPIS * PERIODS) as f64;
    println!("\n{database}: rows a second, median of {ROUNDS} rounds of {rows}");
    println!("  push                  {:>10.0}", rows / median(pushes));
    println!("  bare INSERT           {:>10.0}", rows / median(inserts));
    println!("  push ÷ bare INSERT    {:>10.2}", median(ratios));
    println!("  the same push again   {:>10.0}", rows / median(repeats));
    println!("  peak memory           {:>10.0} MB, {before:.0} MB before the first push", peak_memory()?);
    Ok(())
}

fn pushed() -> sea_orm::Select<measurement::Entity> {
    measurement::Entity::find().filter(Column::Kpi.starts_with("BENCH-"))
}

/// Without what the rounds write: rows, events, kept answers.
async fn empty(server: &Server) -> Outcome<()> {
    let db = server.store.db();
    measurement::Entity::delete_many().filter(Column::Kpi.starts_with("BENCH-")).exec(db).await?;
    db.execute_unprepared("DELETE FROM event WHERE resource = 'measurement'").await?;
    Ok(())
}

async fn add_kpis(client: &reqwest::Client, server: &Server) -> Outcome<()> {
    for number in 0..KPIS {
        let kpi = json!({
            "code": format!("BENCH-{number}"), "masterplan": "KLU-SC", "dimension": "society", "opd": "DINKES", "name": "Bench",
            "unit": { "kind": "index" }, "direction": "increase", "frequency": "monthly",
        });
        let url = format!("http://{}/v1/kpis", server.address);
        client.post(url).bearer_auth(&server.token).json(&kpi).send().await?.error_for_status()?;
    }
    Ok(())
}

/// Seconds of one push; all its rows must have become `result`.
async fn push(client: &reqwest::Client, server: &Server, result: &str) -> Outcome<f64> {
    let mut body = String::new();
    for kpi in 0..KPIS {
        for period in 0..PERIODS {
            let (year, month) = (2010 + period / 12, period % 12 + 1);
            writeln!(
                body,
                r#"{{"kpi":"BENCH-{kpi}","period":"{year}-{month:02}","value":"{kpi}.{period}","note":"Laporan bulanan"}}"#
            )?;
        }
    }
    let url = format!("http://{}/v1/push/measurements", server.address);
    let request = client.post(url).bearer_auth(&server.token).header("Content-Type", "application/x-ndjson").body(body);
    let started = Instant::now();
    let answer = request.send().await?.error_for_status()?.text().await?;
    let seconds = started.elapsed().as_secs_f64();
    let report: serde_json::Value = serde_json::from_str(&answer)?;
    if report[result] != json!(KPIS * PERIODS) { Err(answer.into()) } else { Ok(seconds) }
}

/// Seconds that the same rows take in bare statements, in one transaction.
async fn insert(server: &Server, rows: Vec<measurement::Model>) -> Outcome<f64> {
    let started = Instant::now();
    let transaction = server.store.db().begin().await?;
    for some in rows.chunks(ROWS_AT_ONCE) {
        let some = some.iter().map(|row| row.clone().into_active_model().reset_all());
        let replaced = OnConflict::columns(PrimaryKey::iter()).update_columns(Column::iter()).to_owned();
        measurement::Entity::insert_many(some).on_conflict(replaced).exec_without_returning(&transaction).await?;
    }
    transaction.commit().await?;
    Ok(started.elapsed().as_secs_f64())
}

/// The peak of this process, in MB.
fn peak_memory() -> Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse::<f64>()? / 1000.0)
}
