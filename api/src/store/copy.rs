//! Copies a whole database into an empty one of either kind, table by table, so that a service goes on with the copy where it
//! stopped: the same ids, positions, hashes, accounts, keys and kept answers.

use sea_orm::prelude::{ChronoDateTimeUtc, Decimal, Json, Uuid};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement, Value};

use super::progress::Progress;
use super::schema::{Holds, Table};

/// The most rows of one statement, and about how many bytes they may take together: memory does not grow with the database.
const ROWS: usize = 200;
const BYTES: usize = 1 << 20;
/// The most rows that are read at once. An answer that is kept for retries may take a megabyte.
const READ: u64 = 50;

/// The name of the first table that holds rows, apart from those that the migrations put there.
pub async fn first_filled<'a>(db: &impl ConnectionTrait, tables: &'a [Table]) -> Result<Option<&'a str>, DbErr> {
    for table in tables.iter().filter(|table| !table.is_seeded) {
        let sql = format!("SELECT 1 AS one FROM \"{}\" LIMIT 1", table.name);
        if db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?.is_some() {
            return Ok(Some(&table.name));
        }
    }
    Ok(None)
}

/// Copies all rows of these tables, in this order. Every event of the source must be sealed.
pub async fn copy(
    from: &DatabaseTransaction,
    to: &DatabaseTransaction,
    tables: &[Table],
    progress: &mut Progress,
) -> Result<u64, DbErr> {
    let mut rows = 0;
    for table in tables {
        if table.is_seeded {
            to.execute_unprepared(&format!("DELETE FROM \"{}\"", table.name)).await?;
        }
        rows += copy_table(from, to, table, progress).await?;
    }
    settle(to, tables).await?;
    Ok(rows)
}

async fn copy_table(
    from: &DatabaseTransaction,
    to: &DatabaseTransaction,
    table: &Table,
    progress: &mut Progress,
) -> Result<u64, DbErr> {
    let (mut after, mut total, mut waiting) = (None, 0, Waiting::default());
    loop {
        let page = from.query_all_raw(next_page(from.get_database_backend(), table, after.as_deref())).await?;
        for row in &page {
            waiting.add(values(row, table)?);
            if waiting.is_enough() {
                waiting.write(to, table).await?;
            }
        }
        total += page.len() as u64;
        progress.add(&table.name, page.len(), usize::try_from(total).unwrap_or(usize::MAX));
        match page.last() {
            Some(last) if page.len() as u64 == READ => after = Some(place(last, table)?),
            _ => break,
        }
    }
    waiting.write(to, table).await?;
    Ok(total)
}

/// How deep a row lies in the tree of its table: a parent must be there before its children.
const DEPTH: &str = "depth_in_tree";

/// The columns by which a table is read, in the order in which its rows can be written.
fn order(table: &Table) -> Vec<(&str, Holds)> {
    let depth = table.parent.as_ref().map(|_| (DEPTH, Holds::Integer));
    let key = table.key.iter().map(|name| (name.as_str(), table.holds(name).unwrap_or(Holds::Text)));
    depth.into_iter().chain(key).collect()
}

/// The next rows after the one at `after`.
fn next_page(backend: DbBackend, table: &Table, after: Option<&[Value]>) -> Statement {
    let name = &table.name;
    let source = match (&table.parent, table.key.first()) {
        (Some(parent), Some(key)) => format!(
            "(WITH RECURSIVE tree(node, depth) AS (SELECT \"{key}\", 0 FROM \"{name}\" WHERE \"{parent}\" IS NULL \
             UNION ALL SELECT child.\"{key}\", tree.depth + 1 FROM \"{name}\" child JOIN tree ON child.\"{parent}\" = tree.node) \
             SELECT own.*, tree.depth AS {DEPTH} FROM \"{name}\" own JOIN tree ON tree.node = own.\"{key}\") AS ordered"
        ),
        _ => format!("\"{name}\""),
    };
    let columns = order(table).iter().map(|(column, _)| format!("\"{column}\"")).collect::<Vec<_>>().join(", ");
    let places = (1..=order(table).len()).map(|number| match backend {
        DbBackend::Postgres => format!("${number}"),
        _ => "?".to_owned(),
    });
    let beyond = match after {
        Some(_) => format!("WHERE ({columns}) > ({})", places.collect::<Vec<_>>().join(", ")),
        None => String::new(),
    };
    let sql = format!("SELECT * FROM {source} {beyond} ORDER BY {columns} LIMIT {READ}");
    Statement::from_sql_and_values(backend, sql, after.unwrap_or_default().to_vec())
}

/// Where a row stands in the order in which its table is read.
fn place(row: &QueryResult, table: &Table) -> Result<Vec<Value>, DbErr> {
    order(table).into_iter().map(|(name, holds)| value(row, name, holds)).collect()
}

/// The values of a row in the order of the columns.
fn values(row: &QueryResult, table: &Table) -> Result<Vec<Value>, DbErr> {
    table.columns.iter().map(|column| value(row, &column.name, column.holds)).collect()
}

/// A value of either database, as the service reads it.
fn value(row: &QueryResult, name: &str, holds: Holds) -> Result<Value, DbErr> {
    Ok(match holds {
        Holds::Text => row.try_get::<Option<String>>("", name)?.into(),
        // PostgreSQL tells integers of four bytes from those of eight.
        Holds::Integer => match row.try_get::<Option<i64>>("", name) {
            Ok(value) => value.into(),
            Err(_) => row.try_get::<Option<i32>>("", name)?.map(i64::from).into(),
        },
        Holds::Boolean => row.try_get::<Option<bool>>("", name)?.into(),
        Holds::Date => row.try_get::<Option<chrono::NaiveDate>>("", name)?.into(),
        Holds::Instant => row.try_get::<Option<ChronoDateTimeUtc>>("", name)?.into(),
        Holds::Json => row.try_get::<Option<Json>>("", name)?.into(),
        Holds::Uuid => row.try_get::<Option<Uuid>>("", name)?.into(),
        Holds::Bytes => row.try_get::<Option<Vec<u8>>>("", name)?.into(),
        Holds::Decimal => decimal(row, name)?.into(),
    })
}

/// A decimal: on SQLite the shortest text that stands for the number that is stored.
fn decimal(row: &QueryResult, name: &str) -> Result<Option<Decimal>, DbErr> {
    if let Ok(value) = row.try_get::<Option<f64>>("", name) {
        let parsed = value.map(|value| value.to_string().parse::<Decimal>()).transpose();
        return parsed.map_err(|error| DbErr::Custom(format!("a number in {name} cannot be copied: {error}")));
    }
    Ok(row.try_get::<Option<Decimal>>("", name)?.map(|value| value.normalize()))
}

/// Rows that wait to be written in one statement.
#[derive(Default)]
struct Waiting {
    rows: usize,
    bytes: usize,
    values: Vec<Value>,
}

impl Waiting {
    fn add(&mut self, row: Vec<Value>) {
        self.rows += 1;
        self.bytes += row.iter().map(size).sum::<usize>();
        self.values.extend(row);
    }

    fn is_enough(&self) -> bool {
        self.rows >= ROWS || self.bytes >= BYTES
    }

    async fn write(&mut self, to: &DatabaseTransaction, table: &Table) -> Result<(), DbErr> {
        if self.rows == 0 {
            return Ok(());
        }
        let backend = to.get_database_backend();
        let is_postgres = backend == DbBackend::Postgres;
        let mut names = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>();
        let width = names.len();
        // The numbers of transactions of another server mean nothing here; see `connection::settle`.
        let settled = is_postgres && table.name == EVENTS;
        if settled {
            names.push("xact".to_owned());
        }
        let row = |row: usize| {
            let places = (1..=width).map(|column| if is_postgres { format!("${}", row * width + column) } else { "?".into() });
            let more = settled.then(|| "0".to_owned());
            format!("({})", places.chain(more).collect::<Vec<_>>().join(", "))
        };
        let rows = (0..self.rows).map(row).collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT INTO \"{}\" ({}) VALUES {rows}", table.name, names.join(", "));
        let Self { values, .. } = std::mem::take(self);
        to.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        Ok(())
    }
}

/// The audit log.
const EVENTS: &str = "event";

/// About how many bytes a value takes, of those that may be long.
fn size(value: &Value) -> usize {
    match value {
        Value::String(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        Value::Json(Some(json)) => json.to_string().len(),
        _ => 8,
    }
}

/// Sets what each kind of database counts by itself.
async fn settle(to: &DatabaseTransaction, tables: &[Table]) -> Result<(), DbErr> {
    if to.get_database_backend() != DbBackend::Postgres {
        // Here the feed counts events, and every one is sealed.
        to.execute_unprepared("UPDATE feed_head SET horizon = (SELECT COALESCE(MAX(seq), 0) FROM event)").await?;
        return Ok(());
    }
    // And here transactions, of which none of this server has appended anything yet.
    to.execute_unprepared("UPDATE feed_head SET horizon = 0").await?;
    for table in tables {
        let [key] = table.key.as_slice() else { continue };
        if table.holds(key) == Some(Holds::Integer) {
            // Nothing happens where no sequence numbers the rows.
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{0}', '{key}'), (SELECT MAX(\"{key}\") FROM \"{0}\")) \
                 WHERE EXISTS (SELECT 1 FROM \"{0}\")",
                table.name
            );
            to.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        }
    }
    Ok(())
}
