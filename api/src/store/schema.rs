//! The schema as data: every table with its columns, its key and what it refers to, as the migrations make it.
//!
//! It is read from an empty database in memory that the migrations have filled, so there is no second list to keep in step.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement};

use super::connection;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// An instant.
    Instant,
    /// JSON.
    Json,
    /// A UUID.
    Uuid,
    /// Bytes.
    Bytes,
    /// An exact decimal.
    Decimal,
}

impl Holds {
    /// By the type that a column is declared with on SQLite.
    fn declared(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "text" | "varchar" => Self::Text,
            "integer" | "bigint" => Self::Integer,
            "boolean" => Self::Boolean,
            "date_text" => Self::Date,
            "timestamp_with_timezone_text" => Self::Instant,
            "jsonb_text" => Self::Json,
            "uuid_text" => Self::Uuid,
            "blob" => Self::Bytes,
            "real" => Self::Decimal,
            _ => return None,
        })
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub holds: Holds,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
    /// The columns of its primary key, in their order.
    pub key: Vec<String>,
    /// The column by which its rows refer to other rows of the table.
    pub parent: Option<String>,
    /// Whether the migrations put rows into it.
    pub is_seeded: bool,
}

impl Table {
    /// What a column holds.
    pub fn holds(&self, name: &str) -> Option<Holds> {
        self.columns.iter().find(|column| column.name == name).map(|column| column.holds)
    }
}

/// All tables, each after those that it refers to.
pub async fn tables() -> Result<Vec<Table>, DbErr> {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1).sqlx_logging(false);
    let db = Database::connect(options).await?;
    connection::migrate(&db).await?;
    let mut tables = Vec::new();
    let mut refers = BTreeMap::new();
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
                 AND name <> 'seaql_migrations' ORDER BY name";
    for row in db.query_all_raw(Statement::from_string(DbBackend::Sqlite, names)).await? {
        let (table, to) = read(&db, row.try_get("", "name")?).await?;
        refers.insert(table.name.clone(), to);
        tables.push(table);
    }
    in_order(tables, &refers)
}

/// One table, and the others to which it refers.
async fn read(db: &DatabaseConnection, name: String) -> Result<(Table, BTreeSet<String>), DbErr> {
    let rows = async |sql: &str| {
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [name.as_str().into()]);
        db.query_all_raw(statement).await
    };
    let (mut columns, mut key) = (Vec::new(), BTreeMap::new());
    for row in rows("SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid").await? {
        let (column, declared, place): (String, String, i32) =
            (row.try_get("", "name")?, row.try_get("", "type")?, row.try_get("", "pk")?);
        let unknown = || DbErr::Custom(format!("the type `{declared}` of {name}.{column} is not known"));
        let holds = Holds::declared(&declared).ok_or_else(unknown)?;
        if place > 0 {
            key.insert(place, column.clone());
        }
        columns.push(Column { name: column, holds });
    }
    let (mut to, mut parent) = (BTreeSet::new(), None);
    for row in rows("SELECT \"table\" AS referred, \"from\" AS referring FROM pragma_foreign_key_list(?)").await? {
        let (other, column): (String, String) = (row.try_get("", "referred")?, row.try_get("", "referring")?);
        if other == name {
            parent = Some(column);
        } else {
            to.insert(other);
        }
    }
    let some = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, format!("SELECT 1 AS one FROM \"{name}\" LIMIT 1")));
    let is_seeded = some.await?.is_some();
    Ok((Table { key: key.into_values().collect(), name, columns, parent, is_seeded }, to))
}

/// Puts every table after those that it refers to.
fn in_order(mut left: Vec<Table>, refers: &BTreeMap<String, BTreeSet<String>>) -> Result<Vec<Table>, DbErr> {
    let (mut done, mut names) = (Vec::new(), BTreeSet::new());
    while !left.is_empty() {
        let (ready, waiting): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|table| refers.get(&table.name).is_none_or(|to| to.is_subset(&names)));
        if ready.is_empty() {
            let circle = waiting.iter().map(|table| table.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(DbErr::Custom(format!("these tables refer to each other in a circle: {circle}")));
        }
        names.extend(ready.iter().map(|table| table.name.clone()));
        done.extend(ready);
        left = waiting;
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::store::tables;

    #[tokio::test]
    async fn every_table_is_there_after_those_that_it_refers_to() {
        let all = super::tables().await.unwrap();
        let mut names = all.iter().map(|table| table.name.as_str()).collect::<Vec<_>>();
        let place = |name: &str| names.iter().position(|other| *other == name).unwrap();
        assert!(place("opd") < place("programme") && place("programme") < place("kpi") && place("kpi") < place("measurement"));
        assert!(place("user_account") < place("totp"));
        names.sort_unstable();
        // The list of tables that everything else reads: but for the view, and the steps of the schema.
        let known = tables::names().into_iter().filter(|name| !["seaql_migrations", "waiting_report"].contains(name));
        assert_eq!(names, known.collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_table_has_its_columns_its_key_and_its_parent() {
        let all = super::tables().await.unwrap();
        let table = |name: &str| all.iter().find(|table| table.name == name).unwrap();
        assert!(all.iter().all(|table| !table.key.is_empty()));
        assert_eq!(table("measurement").key, ["kpi", "period", "revision"]);
        assert_eq!(table("opd").parent.as_deref(), Some("parent"));
        assert_eq!(table("kpi").parent, None);
        let seeded = all.iter().filter(|table| table.is_seeded).map(|table| table.name.as_str()).collect::<BTreeSet<_>>();
        assert_eq!(seeded, BTreeSet::from(["feed_head", "server_secret", "webhook_cursor"]));
        for (of, column, holds) in [
            ("event", "after", Holds::Json),
            ("event", "id", Holds::Uuid),
            ("event", "at", Holds::Instant),
            ("kpi", "baseline_value", Holds::Decimal),
            ("signing_key", "private_der", Holds::Bytes),
            ("past", "since", Holds::Date),
            ("past", "is_first", Holds::Boolean),
        ] {
            assert_eq!(table(of).holds(column), Some(holds), "{of}.{column}");
        }
    }
}
