//! What figures cost when there are ten times as many rows, and when every action has a long history.
//!
//! ```text
//! cargo bench -p renaksi --bench scale
//! BENCH_DATABASE_URL=postgres://postgres@127.0.0.1/postgres cargo bench -p renaksi --bench scale   # PostgreSQL too
//! ```
//!
//! 1. Small: 50 OPDs, 500 programmes, 500 KPIs, 5,000 actions with 20,000 reports, 500 findings, beside the demo data.
//! 2. The same after each action was changed 20 times: what is past costs the figures of today nothing.
//! 3. Large: ten times as many of all. The statements stay the same, and time grows no faster than the rows.
//!
//! Each figure is asked as the first after a write, when nothing is kept in memory.

#![allow(dead_code, reason = "the server is common to the benchmarks, and others use more of it")]

#[path = "common/load.rs"]
mod load;
#[path = "common/place.rs"]
mod place;
#[path = "common/rows.rs"]
mod rows;
#[path = "common/run.rs"]
mod run;
#[path = "scale/seed.rs"]
mod seed;
#[path = "common/server.rs"]
mod server;

use std::time::Instant;

use load::Ask;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use run::{Outcome, median, on_each};
use server::Server;

const WRITES: usize = 11;

/// The figures: their path, whether they need a login.
const FIGURES: &[(&str, bool)] = &[
    ("/v1/summary", true),
    ("/v1/public/summary", false),
    ("/v1/scoreboard?year=2022&quarter=4", true),
    ("/v1/public/scoreboard?year=2022&quarter=4", false),
    ("/v1/opds/X-0000/scorecard?year=2022&quarter=4", true),
    ("/v1/timeline?interval=month", true),
];

/// What a figure cost.
struct Cost {
    statements: u64,
    milliseconds: f64,
}

#[actix_web::main]
async fn main() -> Outcome<()> {
    let metrics = PrometheusBuilder::new().install_recorder()?;
    on_each("scale", async |database: &str, url: &str| measure(database, url, &metrics).await).await
}

async fn measure(database: &str, url: &str, metrics: &PrometheusHandle) -> Outcome<()> {
    let server = Server::start(url, metrics).await?;
    let db = server.store.db();
    seed::grow(db, 0..seed::OPDS).await?;
    let small = costs(&server, metrics).await?;
    seed::change(db, 0..seed::OPDS).await?;
    let changed = costs(&server, metrics).await?;
    seed::grow(db, seed::OPDS..10 * seed::OPDS).await?;
    let large = costs(&server, metrics).await?;
    let size = seed::size(db).await?;
    server.stop().await;
    println!("\n{database}: {size}\n");
    println!("{:<48}{:^16}{:^48}", "", "statements", "ms as the first after a write");
    println!(
        "{:<48}{:>8}{:>8}{:>9}{:>10}{:>9}{:>11}{:>9}",
        "", "small", "large", "small", "+ history", "ratio", "large", "ratio"
    );
    for (((path, _), small), (changed, large)) in FIGURES.iter().zip(&small).zip(changed.iter().zip(&large)) {
        println!(
            "{path:<48}{:>8}{:>8}{:>9.2}{:>10.2}{:>9.2}{:>11.2}{:>9.2}",
            small.statements,
            large.statements,
            small.milliseconds,
            changed.milliseconds,
            changed.milliseconds / small.milliseconds,
            large.milliseconds,
            large.milliseconds / small.milliseconds
        );
    }
    Ok(())
}

/// What each figure costs as the first answer after a write.
async fn costs(server: &Server, metrics: &PrometheusHandle) -> Outcome<Vec<Cost>> {
    rows::settle(server.store.db()).await?;
    let mut times = vec![Vec::new(); FIGURES.len()];
    let mut statements = vec![0; FIGURES.len()];
    for number in 0..WRITES {
        let mut connection = server.write(number).await?;
        for (index, (path, login)) in FIGURES.iter().enumerate() {
            let ask = Ask::get(path, login.then_some(server.token.as_str()));
            let before = taken(metrics);
            let started = Instant::now();
            connection.exchange(&ask).await?.must_be(200)?;
            times[index].push(started.elapsed().as_secs_f64() * 1000.0);
            statements[index] = taken(metrics) - before;
        }
    }
    let costs = times.into_iter().zip(statements);
    Ok(costs.map(|(times, statements)| Cost { statements, milliseconds: median(times) }).collect())
}

/// All statements that GET requests took up to now.
fn taken(metrics: &PrometheusHandle) -> u64 {
    let text = metrics.render();
    let lines = text.lines().filter(|line| line.starts_with("renaksi_sql_statements_total{") && line.contains("method=\"GET\""));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}
