//! Many rows in few statements, each with the same text for the same number of rows, so that it is prepared once.
//!
//! PostgreSQL takes each column as one parameter, the text of an array, so that its statement is as short for many rows as
//! for one. SQLite takes the values one by one. Both store what sea-orm would.

use std::borrow::Borrow;

use futures_util::future::join;
use sea_orm::sea_query::{Expr, PostgresQueryBuilder, TableBuilder};
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
    insert::<M::Entity>(db, &columns, rows, &conflict).await?;
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
    insert::<E>(db, columns, rows.into_iter(), "").await
}

fn values<M: ModelTrait>(row: &M, columns: &[<M::Entity as EntityTrait>::Column]) -> Vec<Value> {
    columns.iter().map(|column| row.get(*column)).collect()
}

async fn insert<E: EntityTrait>(
    db: &DatabaseTransaction,
    columns: &[E::Column],
    mut rows: impl Iterator<Item = ApiResult<Vec<Value>>>,
    conflict: &str,
) -> ApiResult<Option<i64>> {
    let backend = db.get_database_backend();
    let names = columns.iter().map(|column| format!("\"{}\"", column.as_str())).collect::<Vec<_>>().join(", ");
    // Who appends undoes everything after an error: SQLite need not note how to undo one statement.
    let insert = if backend == DbBackend::Sqlite { "INSERT OR FAIL" } else { "INSERT" };
    let into = format!("{insert} INTO \"{}\" ({names})", E::default().table_name());
    let mut waiting = Vec::new();
    let mut next = || -> ApiResult<Option<Statement>> {
        if waiting.is_empty() {
            waiting = rows.by_ref().take(MOST_ROWS_AT_ONCE).collect::<ApiResult<Vec<_>>>()?;
        }
        let rest = waiting.split_off(rows_at_once(backend, waiting.len()));
        let some = std::mem::replace(&mut waiting, rest);
        if some.is_empty() {
            return Ok(None);
        }
        let (source, values) = match backend {
            DbBackend::Postgres => (unnest(columns), arrays(columns.len(), some)?),
            _ => listed(columns.len(), some),
        };
        Ok(Some(Statement::from_sql_and_values(backend, format!("{into} {source}{conflict}"), values)))
    };
    let (mut statement, mut last) = (next()?, None);
    while let Some(current) = statement {
        // The next rows are made while the database works on these.
        let (written, made) = join(db.execute_raw(current), async { next() }).await;
        let written = written?;
        last = (backend == DbBackend::Sqlite).then(|| i64::try_from(written.last_insert_id()).unwrap_or_default());
        statement = made?;
    }
    Ok(last)
}

/// Rows that are made before the first of them is written: few enough that they take little memory.
const MOST_ROWS_AT_ONCE: usize = 512;

/// How many of these rows are written by one statement. On SQLite a statement has a text for each number of rows, and keeps a cell
/// for each of their values: a few powers of two are enough for any number of rows.
fn rows_at_once(backend: DbBackend, rows: usize) -> usize {
    match backend {
        DbBackend::Postgres => rows,
        _ => [64, 32, 16, 8, 4, 2, 1].into_iter().find(|some| *some <= rows).unwrap_or_default(),
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

/// The rows as a list of values, and these.
fn listed(columns: usize, rows: Vec<Vec<Value>>) -> (String, Vec<Value>) {
    let values = rows.into_iter().flatten().collect::<Vec<_>>();
    let row = format!("({})", vec!["?"; columns].join(", "));
    (format!("VALUES {}", vec![row; values.len() / columns].join(", ")), values)
}

/// The rows as arrays, one for each column.
fn unnest<C: ColumnTrait>(columns: &[C]) -> String {
    let arrays = columns.iter().enumerate().map(|(index, column)| {
        let mut array = format!("${}::text::", index + 1);
        PostgresQueryBuilder.prepare_column_type(column.def().get_column_type(), &mut array);
        array + "[]"
    });
    format!("SELECT * FROM UNNEST({})", arrays.collect::<Vec<_>>().join(", "))
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

/// Puts a value into the text of an array.
fn push(array: &mut String, value: Value) -> ApiResult<()> {
    let text = match value {
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
    };
    let Some(text) = text else {
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
}
