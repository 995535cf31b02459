//! Many rows in few statements, each with the same text for the same number of rows, so that it is prepared once.
//!
//! PostgreSQL takes each column as one parameter, the text of an array, so that its statement is as short for many rows as
//! for one. SQLite takes the values one by one. Both store what sea-orm would.

use std::borrow::Borrow;

use futures_util::future::join;
use sea_orm::sea_query::{PostgresQueryBuilder, TableBuilder};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IdenStatic, Iterable, ModelTrait, Statement, Value,
};

use crate::http::problem::{ApiError, ApiResult};

/// Writes rows; those with the same primary key are replaced.
pub async fn upsert<M: ModelTrait>(db: &DatabaseTransaction, rows: impl IntoIterator<Item: Borrow<M>>) -> ApiResult<()> {
    let columns = <M::Entity as EntityTrait>::Column::iter().collect::<Vec<_>>();
    let values = rows.into_iter().map(|row| Ok(columns.iter().map(|column| row.borrow().get(*column)).collect()));
    let replaced = columns.iter().map(|column| format!("\"{0}\" = EXCLUDED.\"{0}\"", column.as_str())).collect::<Vec<_>>();
    let keys = <M::Entity as EntityTrait>::PrimaryKey::iter().map(|key| format!("\"{}\"", key.as_str())).collect::<Vec<_>>();
    let conflict = format!(" ON CONFLICT ({}) DO UPDATE SET {}", keys.join(", "), replaced.join(", "));
    insert::<M::Entity>(db, &columns, values, &conflict).await
}

/// Adds rows, each with the values of `columns`; the other columns take their defaults.
pub async fn append<E: EntityTrait>(
    db: &DatabaseTransaction,
    columns: &[E::Column],
    rows: impl IntoIterator<Item = ApiResult<Vec<Value>>>,
) -> ApiResult<()> {
    insert::<E>(db, columns, rows.into_iter(), "").await
}

async fn insert<E: EntityTrait>(
    db: &DatabaseTransaction,
    columns: &[E::Column],
    mut rows: impl Iterator<Item = ApiResult<Vec<Value>>>,
    conflict: &str,
) -> ApiResult<()> {
    let backend = db.get_database_backend();
    let names = columns.iter().map(|column| format!("\"{}\"", column.as_str())).collect::<Vec<_>>().join(", ");
    let into = format!("INSERT INTO \"{}\" ({names})", E::default().table_name());
    let mut next = || -> ApiResult<Option<Statement>> {
        let some = rows.by_ref().take(rows_at_once(backend)).collect::<ApiResult<Vec<_>>>()?;
        if some.is_empty() {
            return Ok(None);
        }
        let (source, values) = match backend {
            DbBackend::Postgres => (unnest(columns), arrays(columns.len(), some)?),
            _ => listed(columns.len(), some),
        };
        Ok(Some(Statement::from_sql_and_values(backend, format!("{into} {source}{conflict}"), values)))
    };
    let mut statement = next()?;
    while let Some(current) = statement {
        // The next rows are made while the database works on these.
        let (written, made) = join(db.execute_raw(current), async { next() }).await;
        written?;
        statement = made?;
    }
    Ok(())
}

/// Rows of one statement: few enough that they take little memory. SQLite keeps a cell for each of their values.
fn rows_at_once(backend: DbBackend) -> usize {
    if backend == DbBackend::Postgres { 500 } else { 100 }
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
