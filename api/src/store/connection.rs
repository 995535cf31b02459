//! The connection to SQLite or PostgreSQL, chosen by the URL.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions, SqliteSynchronous,
};
use sea_orm::sqlx::{self, Connection};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    IsolationLevel, SqliteTransactionMode, SqlxSqliteConnector, Statement, TransactionOptions, TransactionTrait,
};

use super::{dependencies, files, pool};
use crate::http::statements;
use crate::http::trouble::{Trouble, trouble};

/// Opens the database at `url` with at most `connections` connections.
pub async fn open(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    connect(url, connections, false).await
}

/// How long a request waits for a connection, or for others to be done with theirs.
pub const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long a transaction of a service may stand still between two statements. A replica that is frozen, or whose machine went away without
/// a word, holds its locks until then and no longer.
const STANDS_STILL: (&str, &str) = ("idle_in_transaction_session_timeout", "10s");

/// The same for a service, which holds all of its connections to PostgreSQL.
///
/// All are opened now, by the runtime that lasts. One that a worker opens for itself ends with that worker when the service
/// stops, maybe in the middle of what another worker asks of it. (Those to SQLite have threads of their own.)
pub async fn hold(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    connect(url, connections, true).await
}

/// How the connections of services, and of most commands, are called in PostgreSQL's list of connections.
const APPLICATION: &str = "renaksi";
/// How the connection of a command is called that nobody else may work beside.
const APPLICATION_ALONE: &str = "renaksi, alone";

/// The file of a SQLite database; `None` for PostgreSQL and for a database in memory.
pub fn file_of(url: &str) -> Result<Option<PathBuf>, DbErr> {
    if !url.starts_with("sqlite:") || is_in_memory(url) {
        return Ok(None);
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|error| DbErr::Custom(error.to_string()))?;
    Ok(Some(options.get_filename().to_owned()))
}

fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

/// Opens the database by one connection, and only if no service holds it. On SQLite nobody else can open it until it is closed.
pub async fn alone(url: &str) -> Result<DatabaseConnection, DbErr> {
    let in_use = |by: &str| DbErr::Custom(format!("the database is in use by {by}: stop what works with it first"));
    if let Some(path) = file_of(url)? {
        keep_to_ourselves(url)?;
        let options = tuned(SqliteConnectOptions::new().filename(path), false).locking_mode(SqliteLockingMode::Exclusive);
        let db = one_connection(options.create_if_missing(true).busy_timeout(Duration::from_secs(1))).await;
        return db.map_err(|error| if is_locked(&error) { in_use("another process") } else { error });
    }
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).min_connections(1).max_lifetime(None).idle_timeout(None).sqlx_logging(false);
    options.connect_timeout(Duration::from_secs(10)).record_stmt_in_spans(false);
    options.set_application_name(APPLICATION_ALONE);
    let db = Database::connect(options).await?;
    let sql = format!(
        "SELECT COUNT(*) AS others FROM pg_stat_activity WHERE datname = current_database() \
         AND application_name LIKE '{APPLICATION}%' AND pid <> pg_backend_pid()"
    );
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let others: i64 = row.map_or(Ok(0), |row| row.try_get("", "others"))?;
    if others > 0 {
        return Err(in_use(&format!("{others} connections of Renaksi")));
    }
    Ok(db)
}

/// Opens a file of a SQLite database that nobody writes to, and writes nothing to it or beside it.
pub async fn open_still(path: &Path) -> Result<DatabaseConnection, DbErr> {
    one_connection(SqliteConnectOptions::new().filename(path).read_only(true).immutable(true)).await
}

/// Opens a file of a SQLite database.
pub async fn open_file(path: &Path) -> Result<DatabaseConnection, DbErr> {
    one_connection(tuned(SqliteConnectOptions::new().filename(path), false)).await
}

async fn one_connection(options: SqliteConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None).connect_with(options);
    let pool = pool.await.map_err(|error| DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error.into())))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// Whether another process holds the lock of an SQLite database.
fn is_locked(error: &DbErr) -> bool {
    error.to_string().contains("database is locked")
}

/// Whether a connection can be used again. Where SQLite undid a transaction by itself, as it may on a full disk, the driver goes on
/// counting it, and every later one would be taken for a part of it.
async fn is_at_rest(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // What was dropped is undone before this is answered.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// How every connection to SQLite that writes is set up.
fn tuned(sqlite: SqliteConnectOptions, is_service: bool) -> SqliteConnectOptions {
    sqlite
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // Every acknowledged write is on the disk, also after a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10))
        // In KiB, for each connection, and not taken before it is needed: a push of a thousand rows stays in memory until it commits.
        // A command, such as an import, has one connection and writes more.
        .pragma("cache_size", if is_service { "-4096" } else { "-8192" })
        // The log is copied into the file once for several pushes.
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "33554432")
        // A page of a list is read at once: otherwise its thread and that of the request take turns every few rows.
        .row_buffer_size(512)
}

async fn connect(url: &str, connections: u32, is_service: bool) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(LONGEST_WAIT)
        .connect_timeout(Duration::from_secs(10))
        .record_stmt_in_spans(false)
        .sqlx_logging(false);
    if url.starts_with("sqlite:") {
        keep_to_ourselves(url)?;
        // A file does not go away as a server may: no connection needs a test before it is used.
        options.test_before_acquire(false);
        options.map_sqlx_sqlite_opts(move |sqlite| tuned(sqlite, is_service).create_if_missing(true));
        options.map_sqlx_sqlite_pool_opts(|pool| pool.after_release(|connection, _| Box::pin(is_at_rest(connection))));
    } else {
        options.max_lifetime(None).idle_timeout(None);
        options.set_application_name(APPLICATION).statement_timeout(Duration::from_secs(30));
        if is_service {
            options.min_connections(connections);
            options.map_sqlx_postgres_opts(|postgres| postgres.options([STANDS_STILL]));
        }
    }
    let opened = file_identity(url)?;
    let mut db = Database::connect(options).await?;
    if file_identity(url)? != opened {
        // A restore put another file in its place while this waited for its lock: what is written now would be lost.
        return Err(DbErr::Custom("the database was replaced while it was opened: start again".to_owned()));
    }
    let system = if url.starts_with("sqlite:") { "sqlite" } else { "postgresql" };
    db.set_metric_callback(move |info| {
        statements::count();
        dependencies::note_statement(&info.statement.sql);
        pool::trace(system, info);
    });
    Ok(db)
}

/// Which file lies at the place of a SQLite database.
fn file_identity(url: &str) -> Result<Option<u64>, DbErr> {
    Ok(file_of(url)?.and_then(|path| files::identity(&path)))
}

/// Makes the file of an SQLite database for us alone, or refuses one that others can reach: it holds the keys that sign tokens.
fn keep_to_ourselves(url: &str) -> Result<(), DbErr> {
    let Some(path) = file_of(url)? else { return Ok(()) };
    let open = files::open_to_others(&path);
    if !open.is_empty() {
        return Err(DbErr::Custom(files::advice(&open)));
    }
    // Where it may not be made, opening it says so in better words.
    let _ = files::make_database(&path);
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
        return settle(db).await;
    }
    let turn = take_turn(db).await?;
    Migrator::up(&turn, None).await.map_err(|error| match trouble(&error) {
        Some(Trouble::Busy) => DbErr::Custom(format!(
            "a step of the schema waited {PATIENCE_OF_STEPS} for a table that somebody uses, such as pg_dump, and all steps were undone: \
             start again when that has ended ({error})"
        )),
        _ => error,
    })?;
    turn.commit().await?;
    settle(db).await
}

/// How long a step of the schema waits for a table. Whoever comes after it waits, too: for that long replicas of the version before stand
/// still, and no longer.
const PATIENCE_OF_STEPS: &str = "10s";

/// Begins a transaction that changes the schema, or what belongs to it, once nobody else does.
async fn take_turn(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        let immediate =
            TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
        return db.begin_with_options(immediate).await;
    }
    let turn = db.begin().await?;
    // A step over many rows takes as long as it takes, and so does waiting for whoever is at it.
    turn.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
    turn.execute_unprepared("SELECT pg_advisory_xact_lock(7239452911)").await?;
    turn.execute_unprepared(&format!("SET LOCAL lock_timeout = '{PATIENCE_OF_STEPS}'")).await?;
    Ok(turn)
}

/// On PostgreSQL, whether the numbers of transactions that are stored come from another server: a dump was restored on this one,
/// which has not counted that far.
const FROM_ANOTHER_SERVER: &str = "SELECT (SELECT horizon FROM feed_head) > now.number \
     OR COALESCE((SELECT MAX(xact) FROM event) >= now.number, FALSE) AS strange \
     FROM (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS number) AS now";

/// Makes the feed go on where a dump was restored. By the numbers of transactions the feed knows which events are sealed, and replicas
/// which are new; with those of another server, new events would never get a position.
async fn settle(db: &DatabaseConnection) -> Result<(), DbErr> {
    let is_strange = async |db: &DatabaseConnection| -> Result<bool, DbErr> {
        let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, FROM_ANOTHER_SERVER)).await?;
        row.map_or(Ok(false), |row| row.try_get("", "strange"))
    };
    if db.get_database_backend() != DbBackend::Postgres || !is_strange(db).await? {
        return Ok(());
    }
    let turn = take_turn(db).await?;
    // All of it happened before anything on this server, and one pass finds what is not sealed.
    let forgotten = async {
        turn.execute_unprepared("UPDATE event SET xact = 0 WHERE xact <> 0").await?;
        turn.execute_unprepared("UPDATE feed_head SET horizon = 0").await
    };
    forgotten.await.map_err(|error| {
        DbErr::Custom(format!("the database was restored from another server: run `renaksi migrate` as its owner once ({error})"))
    })?;
    turn.commit().await
}

/// Begins a transaction, in a task of its own: where nobody waits for it any more, it is begun and undone there. Otherwise its connection
/// would go back to the others in the middle of a `BEGIN`, and the driver for PostgreSQL does not know of the transaction that it is in
/// then.
pub(super) async fn begin(db: &DatabaseConnection, options: TransactionOptions) -> Result<DatabaseTransaction, DbErr> {
    let db = db.clone();
    let begun = tokio::spawn(async move { db.begin_with_options(options).await });
    begun.await.map_err(|error| DbErr::Custom(format!("a transaction was not begun: {error}")))?
}

/// The database as it is at one instant, to read: several statements on it agree with each other.
pub async fn snapshot(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    if db.get_database_backend() == DbBackend::Sqlite {
        return begin(db, TransactionOptions::default()).await;
    }
    let reading = TransactionOptions {
        isolation_level: Some(IsolationLevel::RepeatableRead),
        access_mode: Some(AccessMode::ReadOnly),
        ..TransactionOptions::default()
    };
    let snapshot = begin(db, reading).await?;
    // Nobody waits for whoever only reads, and a reader of what is written from it may be slow.
    snapshot.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
    Ok(snapshot)
}

/// Whether the database answers and knows every step of the schema.
pub async fn is_ready(db: &DatabaseConnection) -> Result<bool, DbErr> {
    Ok(steps_of(db).await?.is_superset(&steps()))
}

/// The steps of the schema that this version knows.
pub fn steps() -> BTreeSet<String> {
    Migrator::migrations().iter().map(|step| step.name().to_owned()).collect()
}

/// The steps of the schema that a database has taken.
pub async fn steps_of(db: &impl ConnectionTrait) -> Result<BTreeSet<String>, DbErr> {
    // By a look only: what the migrator offers makes its table first, which needs the right to.
    let sql = "SELECT version FROM seaql_migrations";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter().map(|row| row.try_get::<String>("", "version")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn a_transaction_that_sqlite_undid_by_itself_leaves_no_connection_behind() {
        let folder = std::env::temp_dir().join(format!("renaksi-connection-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let db = open(&format!("sqlite://{}", folder.join("a.db").display()), 1).await.unwrap();
        db.execute_unprepared("CREATE TABLE t (bytes blob)").await.unwrap();
        // For this connection there is no more room.
        db.execute_unprepared("PRAGMA max_page_count = 10").await.unwrap();
        let shared = take_turn(&db).await.unwrap();
        let one = shared.begin().await.unwrap();
        let full = one.execute_unprepared("INSERT INTO t VALUES (zeroblob(1000000))").await.unwrap_err();
        assert_eq!(trouble(&full), Some(Trouble::Full), "{full}");
        assert!(one.rollback().await.is_err(), "SQLite has undone all of it");
        let _ = shared.rollback().await;
        // The next transaction is a transaction, and what it writes stays.
        let next = take_turn(&db).await.unwrap();
        next.execute_unprepared("INSERT INTO t VALUES (zeroblob(10))").await.unwrap();
        next.commit().await.unwrap();
        let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, "SELECT COUNT(*) AS rows FROM t")).await.unwrap();
        assert_eq!(row.unwrap().try_get::<i64>("", "rows").unwrap(), 1);
        db.close().await.unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }
}
