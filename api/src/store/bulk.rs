//! Many rows in few statements, each with the same text for the same number of rows, so that it is prepared once.
//!
//! PostgreSQL takes each column as one parameter, the text of an array, so that its statement is as short for many rows as
//! for one. SQLite takes the values one by one. What many rows have in common, such as who wrote them and when, is sent once. Both
//! store what sea-orm would.

use std::borrow::Borrow;
use std::future::ready;

use futures_util::future::join;
use sea_orm::sea_query::{ColumnType, Expr, PostgresQueryBuilder, TableBuilder};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IdenStatic, Iterable, ModelTrait, Statement, Value,
};

use crate::http::problem::{ApiError, ApiResult};

/// Writes rows; those with the same primary key are replaced.
pub async fn upsert<M: ModelTrait>(db: &DatabaseTransaction, rows: impl IntoIterator<Item: Borrow<M>>) -> ApiResult<()> {
    let columns = <M::Entity as EntityTrait>::Column::iter().collect::<Vec<_>>();
    let rows = rows.into_iter().map(|row| Ok(values(row.borrow(), &columns)));
    let replaced = columns.iter().map(|column| format!("\"{0}\" = EXCLUDED.\"{0}\"", column.as_str())).collect::<Vec<_>>();
    let keys = <M::Entity as EntityTrait>::PrimaryKey::iter().map(|key| format!("\"{}\"", key.as_str())).collect::<Vec<_>>();
    let conflict = format!(" ON CONFLICT ({}) DO UPDATE SET {}", keys.join(", "), replaced.join(", "));
    insert::<M::Entity>(db, ready(Ok(())), &columns, rows, &conflict).await?;
    Ok(())
}

/// Adds rows whose primary keys are new.
pub async fn add<M: ModelTrait>(db: &DatabaseTransaction, rows: impl IntoIterator<Item: Borrow<M>>) -> ApiResult<()> {
    let columns = <M::Entity as EntityTrait>::Column::iter().collect::<Vec<_>>();
    append::<M::Entity>(db, &columns, rows.into_iter().map(|row| Ok(values(row.borrow(), &columns)))).await?;
    Ok(())
}

/// Adds rows, each with the values of `columns`; the other columns take their defaults. Returns the number that SQLite gave to the last
/// row.
pub async fn append<E: EntityTrait>(
    db: &DatabaseTransaction,
    columns: &[E::Column],
    rows: impl IntoIterator<Item = ApiResult<Vec<Value>>>,
) -> ApiResult<Option<i64>> {
    append_after::<E>(db, ready(Ok(())), columns, rows).await
}

/// The same once `before` is done: the first rows are made while the database works on that.
pub async fn append_after<E: EntityTrait>(
    db: &DatabaseTransaction,
    before: impl Future<Output = ApiResult<()>>,
    columns: &[E::Column],
    rows: impl IntoIterator<Item = ApiResult<Vec<Value>>>,
) -> ApiResult<Option<i64>> {
    insert::<E>(db, before, columns, rows.into_iter(), "").await
}

fn values<M: ModelTrait>(row: &M, columns: &[<M::Entity as EntityTrait>::Column]) -> Vec<Value> {
    columns.iter().map(|column| row.get(*column)).collect()
}

async fn insert<E: EntityTrait>(
    db: &DatabaseTransaction,
    before: impl Future<Output = ApiResult<()>>,
    columns: &[E::Column],
    mut rows: impl Iterator<Item = ApiResult<Vec<Value>>>,
    conflict: &str,
) -> ApiResult<Option<i64>> {
    let backend = db.get_database_backend();
    let mut waiting = Vec::new();
    let mut next = || -> ApiResult<Option<Statement>> {
        if waiting.is_empty() {
            waiting = rows.by_ref().take(most_rows_at_once(backend)).collect::<ApiResult<Vec<_>>>()?;
        }
        let rest = waiting.split_off(rows_at_once(backend, waiting.len()));
        let some = std::mem::replace(&mut waiting, rest);
        if some.is_empty() {
            return Ok(None);
        }
        let (insertion, values) = insertion::<E>(backend, columns, some)?;
        Ok(Some(Statement::from_sql_and_values(backend, insertion + conflict, values)))
    };
    let (done, made) = join(before, async { next() }).await;
    done?;
    let (mut statement, mut last) = (made?, None);
    while let Some(current) = statement {
        // The next rows are made while the database works on these.
        let (written, made) = join(db.execute_raw(current), async { next() }).await;
        let written = written?;
        last = (backend == DbBackend::Sqlite).then(|| i64::try_from(written.last_insert_id()).unwrap_or_default());
        statement = made?;
    }
    Ok(last)
}

/// The most rows of one statement: few enough that they take little memory, and that the next are made while the database writes
/// them. On PostgreSQL each statement costs a round trip; SQLite keeps a cell for each value of one.
fn most_rows_at_once(backend: DbBackend) -> usize {
    match backend {
        DbBackend::Postgres => 256,
        _ => 64,
    }
}

/// From this number of rows on, what all of them have in common is sent once. Fewer have too much in common by chance, and each
/// choice of columns is a statement of its own, which has to be prepared.
const MANY: usize = 16;

/// How many of these rows are written by one statement. On SQLite a statement has a text for each number of rows: a few powers of
/// two are enough for any number of rows.
fn rows_at_once(backend: DbBackend, rows: usize) -> usize {
    match backend {
        DbBackend::Postgres => rows,
        _ => rows.checked_ilog2().map_or(0, |power| 1 << power),
    }
}

/// The condition that a column of texts holds one of these. They are one parameter, so that the statement has the same text for any
/// number of them.
pub fn is_among<'a>(backend: DbBackend, column: &str, texts: impl IntoIterator<Item = &'a str>) -> ApiResult<Expr> {
    Ok(match backend {
        DbBackend::Postgres => {
            let mut texts = arrays(1, texts.into_iter().map(|text| vec![text.into()]).collect())?;
            Expr::cust_with_values(format!("\"{column}\" = ANY ($1::text::text[])"), texts.pop())
        }
        _ => {
            let texts = serde_json::to_string(&texts.into_iter().collect::<Vec<_>>()).map_err(ApiError::unexpected)?;
            Expr::cust_with_values(format!("\"{column}\" IN (SELECT value FROM json_each(?))"), [texts])
        }
    })
}

/// The statement that inserts rows, and its values: what the rows have in common, then the rest of them.
fn insertion<E: EntityTrait>(
    backend: DbBackend,
    columns: &[E::Column],
    rows: Vec<Vec<Value>>,
) -> ApiResult<(String, Vec<Value>)> {
    let differs = differing(columns.len(), &rows);
    let (own, common): (Vec<_>, Vec<_>) = columns.iter().zip(&differs).partition(|(_, differs)| **differs);
    let mut values = rows.first().map(|row| kept(row.clone(), &differs, false)).unwrap_or_default();
    let rows = rows.into_iter().map(|row| kept(row, &differs, true)).collect::<Vec<_>>();
    let is_postgres = backend == DbBackend::Postgres;
    let common_values = common.iter().enumerate().map(|(index, (column, _))| {
        if is_postgres { format!(", ${}::text::{}", index + 1, type_of(*column)) } else { ", ?".to_owned() }
    });
    let common_values = common_values.collect::<String>();
    let source = if is_postgres {
        let arrays_of = own
            .iter()
            .enumerate()
            .map(|(index, (column, _))| format!("${}::text::{}[]", common.len() + index + 1, type_of(*column)));
        let arrays_of = arrays_of.collect::<Vec<_>>().join(", ");
        values = values.into_iter().map(|value| Ok(text(value)?.into())).collect::<ApiResult<_>>()?;
        values.extend(arrays(own.len(), rows)?);
        format!("UNNEST({arrays_of})")
    } else {
        let row = format!("({})", vec!["?"; own.len()].join(", "));
        let listed = vec![row; rows.len()].join(", ");
        values.extend(rows.into_iter().flatten());
        // Without a condition SQLite would take an `ON CONFLICT` for that of a join.
        format!("(VALUES {listed}) WHERE TRUE")
    };
    // Who appends undoes everything after an error: SQLite need not note how to undo one statement.
    let insert = if is_postgres { "INSERT" } else { "INSERT OR FAIL" };
    let names = own.iter().chain(&common).map(|(column, _)| format!("\"{}\"", column.as_str())).collect::<Vec<_>>().join(", ");
    let table = E::default();
    Ok((format!("{insert} INTO \"{}\" ({names}) SELECT *{common_values} FROM {source}", table.table_name()), values))
}

/// Of each column, whether it may differ between the rows: of few rows every column may.
fn differing(columns: usize, rows: &[Vec<Value>]) -> Vec<bool> {
    let differs = (0..columns).map(|column| {
        let mut values = rows.iter().map(|row| row.get(column));
        let first = values.next();
        values.any(|value| Some(value) != first)
    });
    let differs = differs.collect::<Vec<_>>();
    if rows.len() < MANY || !differs.contains(&true) { vec![true; columns] } else { differs }
}

/// The values of a row in the columns that differ between the rows, or in those that do not.
fn kept(row: Vec<Value>, differs: &[bool], that_differ: bool) -> Vec<Value> {
    row.into_iter().zip(differs).filter(|(_, differs)| **differs == that_differ).map(|(value, _)| value).collect()
}

/// The type of a column on PostgreSQL.
fn type_of(column: &impl ColumnTrait) -> String {
    let mut name = String::new();
    match column.def().get_column_type() {
        // As it is stored: `json` would be read twice.
        ColumnType::Json => name.push_str("jsonb"),
        other => PostgresQueryBuilder.prepare_column_type(other, &mut name),
    }
    name
}

/// The texts of these arrays.
fn arrays(columns: usize, rows: Vec<Vec<Value>>) -> ApiResult<Vec<Value>> {
    let mut arrays = vec![String::from("{"); columns];
    for row in rows {
        for (array, value) in arrays.iter_mut().zip(row) {
            if array.len() > 1 {
                array.push(',');
            }
            push(array, value)?;
        }
    }
    Ok(arrays.into_iter().map(|array| Value::from(array + "}")).collect())
}

/// The text of a value, as PostgreSQL reads it.
fn text(value: Value) -> ApiResult<Option<String>> {
    Ok(match value {
        Value::Bool(value) => value.map(|value| value.to_string()),
        Value::Int(value) => value.map(|value| value.to_string()),
        Value::BigInt(value) => value.map(|value| value.to_string()),
        Value::String(value) => value,
        Value::Decimal(value) => value.map(|value| value.to_string()),
        Value::Bytes(value) => value.map(|value| format!("\\x{}", hex::encode(value))),
        Value::Uuid(value) => value.map(|value| value.to_string()),
        Value::Json(value) => value.map(|value| value.to_string()),
        Value::ChronoDate(value) => value.map(|value| value.to_string()),
        Value::ChronoDateTimeUtc(value) => value.map(|value| value.to_rfc3339()),
        other => return Err(ApiError::unexpected(format!("no column holds such a value: {other:?}"))),
    })
}

/// Puts a value into the text of an array.
fn push(array: &mut String, value: Value) -> ApiResult<()> {
    let Some(text) = text(value)? else {
        array.push_str("NULL");
        return Ok(());
    };
    array.push('"');
    for part in text.split_inclusive(['"', '\\']) {
        let (plain, special) = match part.as_bytes().last() {
            Some(b'"' | b'\\') => part.split_at(part.len() - 1),
            _ => (part, ""),
        };
        array.push_str(plain);
        if !special.is_empty() {
            array.push('\\');
            array.push_str(special);
        }
    }
    array.push('"');
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_an_array_means_otherwise_is_escaped() {
        let rows = [vec![Value::from(r#"a "b" \ {c}, d"#), Value::from(7)], vec![Value::String(None), Value::Int(None)]];
        let arrays = arrays(2, rows.into()).unwrap();
        assert_eq!(arrays, [Value::from(r#"{"a \"b\" \\ {c}, d",NULL}"#), Value::from(r#"{"7",NULL}"#)]);
    }

    #[test]
    fn what_many_rows_have_in_common_is_sent_once() {
        use entity::event_seal::{Column, Entity};
        let columns = [Column::Position, Column::Seq, Column::Resource, Column::Public, Column::Hash];
        let made = |backend, rows: i64| {
            let row = |number: i64| vec![number.into(), (number + 5).into(), "kpi".into(), true.into(), Value::String(None)];
            insertion::<Entity>(backend, &columns, (1..=rows).map(row).collect()).unwrap()
        };
        let (few, values) = made(DbBackend::Sqlite, 2);
        let named = r#"INSERT OR FAIL INTO "event_seal" ("position", "seq", "resource", "public", "hash")"#;
        assert_eq!(few, format!("{named} SELECT * FROM (VALUES (?, ?, ?, ?, ?), (?, ?, ?, ?, ?)) WHERE TRUE"));
        assert_eq!(values.len(), 10);
        let (many, values) = made(DbBackend::Sqlite, 16);
        assert_eq!(many, format!("{named} SELECT *, ?, ?, ? FROM (VALUES {}) WHERE TRUE", vec!["(?, ?)"; 16].join(", ")));
        assert_eq!(values[..5], ["kpi".into(), true.into(), Value::String(None), 1_i64.into(), 6_i64.into()]);
        let (many, values) = made(DbBackend::Postgres, 16);
        let named = named.replace("INSERT OR FAIL", "INSERT");
        let common = "$1::text::varchar, $2::text::bool, $3::text::varchar";
        assert_eq!(many, format!("{named} SELECT *, {common} FROM UNNEST($4::text::bigint[], $5::text::bigint[])"));
        assert_eq!(values[..3], ["kpi".into(), "true".into(), Value::String(None)]);
        assert_eq!(values.len(), 5);
    }
}
