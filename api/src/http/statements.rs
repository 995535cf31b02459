//! How many SQL statements a request takes. That number does not grow with the rows; `/metrics` shows where it does.

use std::cell::Cell;

use crate::telemetry::metrics::SQL_STATEMENTS;

tokio::task_local! {
    static TAKEN: Cell<u64>;
}

/// Counts a statement: for the request that runs, or else for what the service does by itself.
pub fn count() {
    if TAKEN.try_with(|taken| taken.set(taken.get() + 1)).is_err() {
        add("none", "none", 1);
    }
}

/// Counts statements that were taken elsewhere for the request that runs.
pub fn count_more(statements: u64) {
    // Whoever is no request counted them where they were taken.
    let _ = TAKEN.try_with(|taken| taken.set(taken.get() + statements));
}

/// Does the work of a request and says how many statements it took.
pub async fn counted<T>(work: impl Future<Output = T>) -> (T, u64) {
    TAKEN.scope(Cell::new(0), async { (work.await, TAKEN.with(Cell::get)) }).await
}

/// Adds what requests took to the metric `renaksi_sql_statements_total`.
pub fn add(method: &'static str, route: &str, statements: u64) {
    metrics::counter!(SQL_STATEMENTS, "method" => method, "route" => route.to_owned()).increment(statements);
}
