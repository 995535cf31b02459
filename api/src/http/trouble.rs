//! Recognizes the errors of a database that are temporary, by its own error codes: it is unavailable, busy or out of storage. Neither the
//! request nor this service is at fault.

use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::{DbErr, RuntimeErr, sqlx};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It cannot be reached, is starting or stopping, only reads for now, or its storage fails.
    Away,
    /// It gave up waiting: for a lock, or for a statement that took too long. The transaction was undone.
    Busy,
    /// There is no room to write. Reading goes on.
    Full,
}

/// The trouble behind an error, if it is one.
pub fn trouble(error: &DbErr) -> Option<Trouble> {
    let cause = match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => return Some(Trouble::Away),
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => cause,
        _ => return None,
    };
    match &**cause {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            Some(Trouble::Away)
        }
        sqlx::Error::Database(cause) => {
            let code = cause.code()?;
            if cause.try_downcast_ref::<PgDatabaseError>().is_some() { of_postgres(&code) } else { of_sqlite(&code) }
        }
        _ => None,
    }
}

/// By the code of an SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn of_postgres(code: &str) -> Option<Trouble> {
    Some(match code {
        "53100" => Trouble::Full,
        // Cancelled by the limit of a statement; a deadlock; a lock that was not to be waited for; a transaction that stood still.
        "57014" | "40001" | "40P01" | "55P03" | "25P03" => Trouble::Busy,
        // A server that only reads, as a standby does until it is promoted.
        "25006" | "58030" => Trouble::Away,
        _ if ["08", "53", "57P"].iter().any(|class| code.starts_with(class)) => Trouble::Away,
        _ => return None,
    })
}

/// By the low byte of a result code: <https://www.sqlite.org/rescode.html>
fn of_sqlite(code: &str) -> Option<Trouble> {
    Some(match code.parse::<u32>().ok()? & 0xff {
        // SQLITE_FULL
        13 => Trouble::Full,
        // SQLITE_BUSY, SQLITE_LOCKED
        5 | 6 => Trouble::Busy,
        // SQLITE_NOMEM, SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN
        7 | 8 | 10 | 14 => Trouble::Away,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_postgres_are_known() {
        for (code, trouble) in [
            ("53100", Some(Trouble::Full)),
            ("53300", Some(Trouble::Away)),
            ("57P01", Some(Trouble::Away)),
            ("57P03", Some(Trouble::Away)),
            ("08006", Some(Trouble::Away)),
            ("25006", Some(Trouble::Away)),
            ("57014", Some(Trouble::Busy)),
            ("40P01", Some(Trouble::Busy)),
            ("23505", None),
            ("42P01", None),
            ("22003", None),
        ] {
            assert_eq!(of_postgres(code), trouble, "{code}");
        }
    }

    #[test]
    fn codes_of_sqlite_are_known() {
        for (code, trouble) in [
            ("13", Some(Trouble::Full)),
            ("5", Some(Trouble::Busy)),
            ("517", Some(Trouble::Busy)),
            ("778", Some(Trouble::Away)),
            ("1032", Some(Trouble::Away)),
            ("2067", None),
            ("1", None),
            ("11", None),
        ] {
            assert_eq!(of_sqlite(code), trouble, "{code}");
        }
    }
}
