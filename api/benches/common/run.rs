//! How a benchmark runs: by hand only, on SQLite, and on PostgreSQL where there is one.

use std::error::Error;

use super::place::{Folder, Schema};

/// What a benchmark ends with.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Measures each database: its name and its URL are given.
pub(crate) async fn on_each(bench: &str, measure: impl AsyncFn(&str, &str) -> Outcome<()>) -> Outcome<()> {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("Nothing was measured: run it with `cargo bench -p renaksi --bench {bench}`.");
        return Ok(());
    }
    // Every request is logged, as in service, but to nowhere.
    tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).with_writer(std::io::sink).init();
    let folder = Folder::make()?;
    measure("SQLite", &folder.sqlite_url()).await?;
    let Ok(url) = std::env::var("BENCH_DATABASE_URL") else {
        println!("\nPostgreSQL was not measured: BENCH_DATABASE_URL is not set.");
        return Ok(());
    };
    let schema = Schema::make(&url).await?;
    let measured = measure("PostgreSQL", &schema.url()).await;
    schema.remove().await?;
    measured
}

/// The one in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
