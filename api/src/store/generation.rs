//! A number that grows whenever the database may have changed: what was computed at one generation holds until the next.
//!
//! A commit of this process raises it before the commit is answered. Commits of other replicas are noticed by a watch
//! that asks the database several times a second for a mark that every commit moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

const WATCH_EVERY: Duration = Duration::from_millis(250);

/// The generation of what this process knows.
#[derive(Clone, Default)]
pub struct Generation(Arc<AtomicU64>);

impl Generation {
    /// The present generation. Read it before the rows that are kept under it.
    pub fn current(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Notes that something changed.
    pub fn raise(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Follows the commits of other processes for as long as the service runs.
    pub async fn watch(self, db: DatabaseConnection) {
        let mut seen = String::new();
        loop {
            match mark(&db).await {
                Ok(mark) if mark == seen => {}
                Ok(mark) => {
                    seen = mark;
                    self.raise();
                }
                // What was kept may be old by now.
                Err(_) => self.raise(),
            }
            tokio::time::sleep(WATCH_EVERY).await;
        }
    }
}

/// A text that differs after any commit. On PostgreSQL the snapshot itself: the highest number of an event would miss
/// a transaction that took its number early and commits late. SQLite has one writer at a time, so there the number does.
async fn mark(db: &DatabaseConnection) -> Result<String, DbErr> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => "SELECT pg_current_snapshot()::text AS mark",
        _ => "SELECT CAST(COALESCE(MAX(seq), 0) AS TEXT) AS mark FROM event",
    };
    let row = db.query_one_raw(Statement::from_string(backend, sql)).await?;
    row.map_or(Ok(String::new()), |row| row.try_get("", "mark"))
}
