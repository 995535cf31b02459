//! The tables of which answers are made, as sets: an answer holds until one of its tables is written.

use std::ops::{BitOr, BitOrAssign};

/// The tables whose changes the audit log tells of, so that every replica learns of them, in alphabetical order.
const FOLLOWED: [&str; 25] = [
    "action",
    "action_report",
    "award",
    "commitment",
    "commitment_signatory",
    "council_member",
    "coverage",
    "dimension",
    "evaluation",
    "evaluation_dimension",
    "evaluation_record",
    "finding",
    "kpi",
    "kpi_target",
    "masterplan",
    "measurement",
    "opd",
    "past",
    "programme",
    "programme_region",
    "programme_supporting_opd",
    "quick_win",
    "region",
    "status_change",
    "survey",
];

/// The other tables and views, in alphabetical order: what is made of them is not kept.
const NOT_FOLLOWED: [&str; 19] = [
    "client",
    "event",
    "event_seal",
    "feed_head",
    "idempotency_record",
    "invitation",
    "known_address",
    "login_failure",
    "recovery_code",
    "refresh_token",
    "seaql_migrations",
    "server_secret",
    "signing_key",
    "totp",
    "user_account",
    "waiting_report",
    "webhook",
    "webhook_cursor",
    "webhook_delivery",
];

/// The number of tables that are followed.
pub const NUMBER: usize = FOLLOWED.len();

/// The names of all tables and views, in alphabetical order.
#[cfg(test)]
pub(super) fn names() -> Vec<&'static str> {
    let mut names = [FOLLOWED.as_slice(), &NOT_FOLLOWED].concat();
    names.sort_unstable();
    names
}

/// A set of tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tables(u32);

impl Tables {
    /// All that are followed.
    pub const ALL: Self = Self((1 << NUMBER) - 1);
    /// Stands for all that are not followed.
    const OTHERS: Self = Self(1 << NUMBER);

    /// The tables of these names.
    pub fn of(names: impl IntoIterator<Item = &'static str>) -> Self {
        names.into_iter().map(Self::named).fold(Self::default(), BitOr::bitor)
    }

    /// The tables that a statement reads or writes: the names after the words that a table's name follows. What is no table, such as
    /// the name of a common table expression, is passed over.
    pub fn in_sql(sql: &str) -> Self {
        after_table_words(sql).map(Self::named).fold(Self::default(), BitOr::bitor)
    }

    /// The tables that a statement writes.
    pub fn written_in(sql: &str) -> Self {
        let mut words = sql.split_ascii_whitespace();
        let named = |word: Option<&str>| word.map(|word| Self::named(word.trim_matches('"'))).unwrap_or_default();
        match words.next() {
            Some("INSERT" | "DELETE") => named(words.skip_while(|word| !matches!(*word, "INTO" | "FROM")).nth(1)),
            Some("UPDATE") => named(words.next()),
            _ => Self::default(),
        }
    }

    fn named(name: &str) -> Self {
        match FOLLOWED.binary_search(&name) {
            Ok(place) => Self(1 << place),
            Err(_) if NOT_FOLLOWED.binary_search(&name).is_ok() => Self::OTHERS,
            Err(_) => Self::default(),
        }
    }

    /// Whether the audit log tells of every change of these tables.
    pub fn are_followed(self) -> bool {
        self.0 & Self::OTHERS.0 == 0
    }

    /// Those that are followed.
    pub fn followed(self) -> Self {
        Self(self.0 & Self::ALL.0)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are not among `others`.
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// The places of those that are followed, from 0 to [`NUMBER`].
    pub fn places(self) -> impl Iterator<Item = usize> {
        let mut left = self.followed().0;
        std::iter::from_fn(move || {
            let place = left.trailing_zeros();
            (left != 0).then(|| {
                left &= left - 1;
                place as usize
            })
        })
    }

    /// Their names, for a message.
    pub fn names(self) -> Vec<&'static str> {
        self.places().map(|place| FOLLOWED[place]).collect()
    }
}

/// The names of the tables that a statement reads or writes, each once.
pub fn named_in(sql: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for word in after_table_words(sql) {
        let known = FOLLOWED.binary_search(&word).map(|place| FOLLOWED[place]);
        let known = known.or_else(|_| NOT_FOLLOWED.binary_search(&word).map(|place| NOT_FOLLOWED[place]));
        if let Some(name) = known.ok().filter(|name| !names.contains(name)) {
            names.push(name);
        }
    }
    names
}

/// The words of a statement that come after those which the name of a table follows.
fn after_table_words(sql: &str) -> impl Iterator<Item = &str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut words = sql.split(move |letter| !is_part(letter)).filter(|word| !word.is_empty()).peekable();
    std::iter::from_fn(move || {
        while let Some(word) = words.next() {
            if ["FROM", "JOIN", "INTO", "UPDATE"].iter().any(|before| word.eq_ignore_ascii_case(before)) {
                return words.peek().copied();
            }
        }
        None
    })
}

impl BitOr for Tables {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Tables {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

    use super::*;
    use crate::store::connection;

    #[test]
    fn a_statement_tells_its_tables() {
        let sql = "WITH RECURSIVE branch(code) AS (SELECT code FROM opd UNION SELECT opd.code FROM opd JOIN branch ON TRUE) \
                   SELECT \"kpi\".\"programme\" FROM \"kpi\" LEFT JOIN past p ON EXISTS (SELECT 1 from measurement m)";
        assert_eq!(Tables::in_sql(sql), Tables::of(["opd", "kpi", "past", "measurement"]));
        assert_eq!(named_in(sql), ["opd", "kpi", "past", "measurement"]);
        assert_eq!(named_in("SELECT e.* FROM event e WHERE 'FROM kpi' = $1 AND s IN (SELECT 1 FROM event)"), ["event", "kpi"]);
        assert_eq!(Tables::in_sql("INSERT INTO \"award\" (\"code\") VALUES (?)").names(), ["award"]);
        assert_eq!(Tables::in_sql("UPDATE \"survey\" SET name = ?").names(), ["survey"]);
        assert_eq!(Tables::written_in("INSERT OR FAIL INTO \"award\" (\"code\") VALUES (?)").names(), ["award"]);
        assert_eq!(Tables::written_in("DELETE FROM award WHERE code = ?").names(), ["award"]);
        assert_eq!(Tables::written_in("UPDATE \"survey\" SET name = (SELECT 1 FROM opd)").names(), ["survey"]);
        assert_eq!(Tables::written_in("DELETE FROM \"award\" WHERE TRUE").names(), ["award"]);
        assert!(!Tables::in_sql("SELECT * FROM event").are_followed());
        assert!(Tables::in_sql("SELECT 1").is_empty());
        assert_eq!(Tables::ALL.places().count(), NUMBER);
    }

    #[tokio::test]
    async fn every_table_of_the_schema_is_known() {
        let db = Database::connect("sqlite::memory:").await.unwrap();
        connection::migrate(&db).await.unwrap();
        let sql = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let rows = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
        let names = rows.iter().map(|row| row.try_get::<String>("", "name").unwrap()).collect::<Vec<_>>();
        assert_eq!(names, super::names());
        assert!(FOLLOWED.is_sorted() && NOT_FOLLOWED.is_sorted());
    }
}
