//! The connection to SQLite or PostgreSQL, chosen by the URL.

use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};

use crate::http::statements;

/// Opens the database at `url` with at most `connections` connections.
pub async fn open(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(5))
        .connect_timeout(Duration::from_secs(10))
        .record_stmt_in_spans(false)
        .sqlx_logging(false);
    if url.starts_with("sqlite:") {
        options.map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                // Every acknowledged write is on the disk, also after a power cut.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(10))
        });
    } else {
        // These are opened by the runtime of the service. One that a worker opens for itself ends with that worker when the
        // service stops, maybe before the requests of another.
        options.min_connections(connections.min(4));
        options.set_application_name("renaksi").statement_timeout(Duration::from_secs(30));
    }
    let mut db = Database::connect(options).await?;
    db.set_metric_callback(|_| statements::count());
    Ok(db)
}

/// Brings the schema up to date: all of the missing steps or none. Processes that start together take turns.
pub async fn migrate(db: &DatabaseConnection) -> Result<(), DbErr> {
    let is_postgres = db.get_database_backend() == DbBackend::Postgres;
    let immediate = TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let turn = if is_postgres { db.begin().await? } else { db.begin_with_options(immediate).await? };
    if is_postgres {
        turn.execute_raw(Statement::from_string(DbBackend::Postgres, "SELECT pg_advisory_xact_lock(7239452911)")).await?;
    }
    Migrator::up(&turn, None).await?;
    turn.commit().await
}

/// Whether the database answers and knows every step of the schema.
pub async fn is_ready(db: &DatabaseConnection) -> Result<bool, DbErr> {
    Ok(Migrator::get_pending_migrations(db).await?.is_empty())
}
