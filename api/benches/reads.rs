//! What reading costs, as ratios measured in one run.
//!
//! ```text
//! cargo bench -p renaksi --bench reads
//! BENCH_DATABASE_URL=postgres://postgres@127.0.0.1/postgres cargo bench -p renaksi --bench reads   # PostgreSQL too
//! ```
//!
//! 1. Requests a second of the answers that are read most, each against an actix-web server without any middleware that returns
//!    the same bytes from memory. Both take turns, so that what else the machine does weighs
//!    on both; the ratio is the median over the rounds.
//! 2. How long an answer takes right after a write, when nothing is kept in memory.
//!
//! Both at the size of the demo data and with 2,000 programmes, 500 KPIs and 1,000,000 measurements: no answer may cost
//! more because of rows that are not in it. On PostgreSQL it works in a schema of its own, which it drops at the end.

#[path = "common/load.rs"]
mod load;
#[path = "common/place.rs"]
mod place;
#[path = "common/rows.rs"]
mod rows;
#[path = "common/run.rs"]
mod run;
#[path = "reads/seed.rs"]
mod seed;
#[path = "common/server.rs"]
mod server;

use std::time::{Duration, Instant};

use load::{Ask, Connection};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use renaksi::store::effect::Touched;
use run::{Outcome, median, on_each};
use server::Server;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(600);
const CONNECTIONS: usize = 16;
const WRITES: usize = 21;

/// The answers whose speed is compared: their name, their path, whether they need a login.
const ANSWERS: &[(&str, &str, bool)] = &[
    ("public summary", "/v1/public/summary?as_of=2022-10-04", false),
    ("public programmes", "/v1/public/programmes?limit=50", false),
    ("public standing", "/v1/public/kpis/STUNTING/standing", false),
    ("programmes, logged in", "/v1/programmes?limit=50", true),
];

/// Medians of requests a second: of the service, of the same bytes from memory, and of the rounds' ratios.
struct Speed {
    ours: f64,
    fixed: f64,
    ratio: f64,
}

#[actix_web::main]
async fn main() -> Outcome<()> {
    let metrics = PrometheusBuilder::new().install_recorder()?;
    on_each("reads", async |database: &str, url: &str| measure(database, url, &metrics).await).await
}

/// Measures one database at both sizes.
async fn measure(database: &str, url: &str, metrics: &PrometheusHandle) -> Outcome<()> {
    let server = Server::start(url, metrics).await?;
    let small = (speeds(&server).await?, after_writes(&server).await?);
    let started = Instant::now();
    let size = seed::grow(server.store.db()).await?;
    server.store.generation().raise(Touched::EVERYTHING);
    println!("\n{database}: {size}, seeded in {:.0} s", started.elapsed().as_secs_f64());
    let large = (speeds(&server).await?, after_writes(&server).await?);
    server.stop().await;
    println!("\n{:<28}{:>31}{:>31}", "", "demo", "large");
    println!(
        "{:<28}{:>10}{:>12}{:>9}{:>10}{:>12}{:>9}",
        "requests a second", "service", "from memory", "ratio", "service", "from memory", "ratio"
    );
    for ((name, small), (_, large)) in small.0.iter().zip(&large.0) {
        let columns = |speed: &Speed| format!("{:>10.0}{:>12.0}{:>9.2}", speed.ours, speed.fixed, speed.ratio);
        println!("{name:<28}{}{}", columns(small), columns(large));
    }
    println!("\n{:<28}{:>10}{:>10}{:>15}", "ms right after a write", "demo", "large", "large ÷ demo");
    for ((name, small), (_, large)) in small.1.iter().zip(&large.1) {
        println!("{name:<28}{small:>10.2}{large:>10.2}{:>15.2}", large / small);
    }
    Ok(())
}

/// The speed of each answer, the service and the memory taking turns.
async fn speeds(server: &Server) -> Outcome<Vec<(&'static str, Speed)>> {
    let mut pairs = Vec::new();
    for (name, path, login) in ANSWERS {
        let token = login.then_some(server.token.as_str());
        let ours = Ask::get(path, token);
        let fixed = server.fix(name, &Connection::open(server.address).await?.exchange(&ours).await?)?;
        pairs.push((*name, ours, Ask::get(&fixed, token)));
    }
    let mut rates = vec![(Vec::new(), Vec::new()); pairs.len()];
    for _ in 0..ROUNDS {
        for ((_, ours, fixed), rates) in pairs.iter().zip(&mut rates) {
            rates.0.push(load::rate(server.address, ours, CONNECTIONS, ROUND).await?);
            rates.1.push(load::rate(server.memory, fixed, CONNECTIONS, ROUND).await?);
        }
    }
    let speed = |(ours, fixed): (Vec<f64>, Vec<f64>)| {
        let ratios = ours.iter().zip(&fixed).map(|(ours, fixed)| ours / fixed).collect();
        Speed { ours: median(ours), fixed: median(fixed), ratio: median(ratios) }
    };
    Ok(pairs.into_iter().zip(rates).map(|((name, ..), rates)| (name, speed(rates))).collect())
}

/// Milliseconds that answers take as the first after a write.
async fn after_writes(server: &Server) -> Outcome<Vec<(&'static str, f64)>> {
    let public = server.last_page("/v1/public/programmes?limit=20", None).await?;
    let own = server.last_page("/v1/programmes?limit=20", Some(&server.token)).await?;
    let asks = [
        ("public summary, 2022-10-04", Ask::get("/v1/public/summary?as_of=2022-10-04", None)),
        ("public summary, today", Ask::get("/v1/public/summary", None)),
        ("public timeline", Ask::get("/v1/public/timeline?interval=year", None)),
        ("public standing, 2022-10-04", Ask::get("/v1/public/kpis/STUNTING/standing?as_of=2022-10-04", None)),
        ("public standing, today", Ask::get("/v1/public/kpis/STUNTING/standing", None)),
        ("public programmes, first 20", Ask::get("/v1/public/programmes?limit=20", None)),
        ("public programmes, last 20", Ask::get(&public, None)),
        ("programmes, first 20", Ask::get("/v1/programmes?limit=20", Some(&server.token))),
        ("programmes, last 20", Ask::get(&own, Some(&server.token))),
        ("… with count=true", Ask::get("/v1/programmes?limit=20&count=true", Some(&server.token))),
    ];
    let mut times = vec![Vec::new(); asks.len()];
    for number in 0..WRITES {
        let mut connection = server.write(number).await?;
        // As if it had changed all that these answers are made of.
        server.store.generation().raise(Touched::EVERYTHING);
        for ((_, ask), times) in asks.iter().zip(&mut times) {
            let started = Instant::now();
            connection.exchange(ask).await?.must_be(200)?;
            times.push(started.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Ok(asks.iter().zip(times).map(|((name, _), times)| (*name, median(times))).collect())
}
