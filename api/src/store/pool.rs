//! The metrics of a database (its connections, how long one takes to get, its size), and spans of its statements.

use sea_orm::metric::Info;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use super::tables;
use crate::telemetry::trace::{self, Executed};

/// Records the span of a statement, if spans are recorded.
pub(super) fn trace(system: &'static str, info: &Info<'_>) {
    if trace::is_recording() {
        let (operation, tables) = (operation_of(&info.statement.sql), tables::named_in(&info.statement.sql));
        trace::executed(Executed { system, operation, tables, elapsed: info.elapsed, failed: info.failed });
    }
}

/// What a statement does, in one word.
fn operation_of(sql: &str) -> &'static str {
    const KNOWN: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];
    // What begins with a common table expression reads.
    let first = sql.split_ascii_whitespace().next().filter(|word| *word != "WITH").unwrap_or("SELECT");
    KNOWN.into_iter().find(|known| first.eq_ignore_ascii_case(known)).unwrap_or("OTHER")
}

/// The connections of a pool as they are now, and its greatest number.
pub struct Connections {
    /// Those that are open.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: usize,
    /// How many there may be.
    pub most: u32,
}

/// The connections of a database.
pub fn connections(db: &DatabaseConnection) -> Connections {
    if db.get_database_backend() == DbBackend::Sqlite {
        let pool = db.get_sqlite_connection_pool();
        Connections { open: pool.size(), idle: pool.num_idle(), most: pool.options().get_max_connections() }
    } else {
        let pool = db.get_postgres_connection_pool();
        Connections { open: pool.size(), idle: pool.num_idle(), most: pool.options().get_max_connections() }
    }
}

/// Takes a connection and gives it back, to see how long that takes.
pub async fn probe(db: &DatabaseConnection) -> Result<(), sea_orm::sqlx::Error> {
    if db.get_database_backend() == DbBackend::Sqlite {
        db.get_sqlite_connection_pool().acquire().await.map(drop)
    } else {
        db.get_postgres_connection_pool().acquire().await.map(drop)
    }
}

/// How many bytes the database takes, without its write-ahead log.
pub async fn size(db: &DatabaseConnection) -> Result<i64, DbErr> {
    let sql = if db.get_database_backend() == DbBackend::Sqlite {
        "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()"
    } else {
        "SELECT pg_database_size(current_database()) AS bytes"
    };
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    row.map_or(Ok(0), |row| row.try_get("", "bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_does_one_thing() {
        for (sql, operation) in [
            ("SELECT 1", "SELECT"),
            ("  insert INTO opd VALUES ($1)", "INSERT"),
            ("WITH a AS (SELECT 1) SELECT * FROM a", "SELECT"),
            ("PRAGMA optimize", "OTHER"),
            ("", "SELECT"),
        ] {
            assert_eq!(operation_of(sql), operation, "{sql}");
        }
    }
}
