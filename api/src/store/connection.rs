//! The connection to SQLite or PostgreSQL, chosen by the URL.

use std::str::FromStr;
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

use super::{dependencies, files, pool};
use crate::http::statements;

/// Opens the database at `url` with at most `connections` connections.
pub async fn open(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    connect(url, 1, connections).await
}

/// The same for a service, which holds all of its connections to PostgreSQL.
///
/// All are opened now, by the runtime that lasts. One that a worker opens for itself ends with that worker when the service
/// stops, maybe in the middle of what another worker asks of it. (Those to SQLite have threads of their own.)
pub async fn hold(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    connect(url, connections, connections).await
}

async fn connect(url: &str, at_once: u32, at_most: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(at_most)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(5))
        .connect_timeout(Duration::from_secs(10))
        .record_stmt_in_spans(false)
        .sqlx_logging(false);
    if url.starts_with("sqlite:") {
        keep_to_ourselves(url)?;
        options.map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                // Every acknowledged write is on the disk, also after a power cut.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(10))
                // A push of a thousand rows stays in memory until it commits, and the log is copied into the file once for several
                // of them. Neither is taken before it is needed.
                .pragma("cache_size", "-4096")
                .pragma("wal_autocheckpoint", "4000")
                .pragma("journal_size_limit", "33554432")
        });
    } else {
        options.min_connections(at_once).max_lifetime(None).idle_timeout(None);
        options.set_application_name("renaksi").statement_timeout(Duration::from_secs(30));
    }
    let mut db = Database::connect(options).await?;
    let system = if url.starts_with("sqlite:") { "sqlite" } else { "postgresql" };
    db.set_metric_callback(move |info| {
        statements::count();
        dependencies::note_statement(&info.statement.sql);
        pool::trace(system, info);
    });
    Ok(db)
}

/// Makes the file of an SQLite database for us alone, or refuses one that others can reach: it holds the keys that sign tokens.
fn keep_to_ourselves(url: &str) -> Result<(), DbErr> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Ok(());
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|error| DbErr::Custom(error.to_string()))?;
    let path = options.get_filename();
    let open = files::open_to_others(path);
    if !open.is_empty() {
        return Err(DbErr::Custom(files::advice(&open)));
    }
    // Where it may not be made, opening it says so in better words.
    let _ = files::make_database(path);
    Ok(())
}

/// Why the database cannot be used, for the person at the terminal.
pub fn reason(error: &DbErr) -> String {
    match error {
        // What we found ourselves is a sentence already.
        DbErr::Custom(reason) => reason.clone(),
        other => other.to_string(),
    }
}

/// Brings the schema up to date: all of the missing steps or none. Processes that start together take turns.
///
/// Where nothing is missing this only reads: a service may run as a role that can alter neither the schema nor the audit log.
pub async fn migrate(db: &DatabaseConnection) -> Result<(), DbErr> {
    // An empty database knows no steps at all, which is an error here and no reason to stop.
    if is_ready(db).await.unwrap_or_default() {
        return Ok(());
    }
    let is_postgres = db.get_database_backend() == DbBackend::Postgres;
    let immediate = TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let turn = if is_postgres { db.begin().await? } else { db.begin_with_options(immediate).await? };
    if is_postgres {
        turn.execute_raw(Statement::from_string(DbBackend::Postgres, "SELECT pg_advisory_xact_lock(7239452911)")).await?;
    }
    Migrator::up(&turn, None).await?;
    turn.commit().await
}

/// The database as it is at one instant, to read: several statements on it agree with each other.
pub async fn snapshot(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    if db.get_database_backend() == DbBackend::Sqlite {
        return db.begin().await;
    }
    db.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await
}

/// Whether the database answers and knows every step of the schema.
pub async fn is_ready(db: &DatabaseConnection) -> Result<bool, DbErr> {
    // By a look only: what the migrator offers makes its table first, which needs the right to.
    let sql = "SELECT version FROM seaql_migrations";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let known = rows.iter().map(|row| row.try_get::<String>("", "version")).collect::<Result<Vec<_>, _>>()?;
    Ok(Migrator::migrations().iter().all(|step| known.iter().any(|known| known == step.name())))
}
