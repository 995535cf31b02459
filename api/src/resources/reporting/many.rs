//! Many reports in few statements: as many for one of them as for thousands.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Statement};
use serde_json::{Value, json};

use super::Report;
use super::review_state::ReviewState;
use crate::http::problem::ApiResult;
use crate::store::bulk;
use crate::store::transaction::WriteTransaction;

/// What happens where another transaction has locked a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    /// This one waits for the other.
    Waits,
    /// The row is left out.
    IsLeftOut,
}

/// Reads the KPIs or actions with these keys, by key, and locks them until the commit, in one order, so that those who lock several
/// wait for each other instead of deadlocking. It takes one statement.
pub async fn subjects<'a, R: Report>(
    transaction: &WriteTransaction,
    keys: impl Iterator<Item = &'a str>,
    locked: Locked,
) -> ApiResult<HashMap<String, R::Subject>> {
    let key = R::WORDS.of_key;
    let mut keys = keys.collect::<Vec<_>>();
    keys.sort_unstable();
    keys.dedup();
    let are_named = bulk::is_among(transaction.db.get_database_backend(), key, keys)?;
    let named = R::Of::find().filter(are_named).order_by_asc(Expr::col(key));
    let named = match locked {
        Locked::Waits => transaction.locking(named),
        Locked::IsLeftOut => named.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked),
    };
    Ok(named
        .into_partial_model::<R::Subject>()
        .all(&transaction.db)
        .await?
        .into_iter()
        .map(|subject| (R::key(&subject).to_owned(), subject))
        .collect())
}

/// The key of a report, for [`revisions`].
pub fn key<R: Report>(of: &str, part: R::Part) -> Value {
    json!({ "subject": of, "part": part })
}

/// These columns of the revisions under the keys for which `condition` holds.
pub async fn revisions<R: Report, T: FromQueryResult + Send>(
    transaction: &WriteTransaction,
    keys: &[Value],
    columns: &[&str],
    condition: &str,
) -> ApiResult<Vec<T>> {
    let backend = transaction.db.get_database_backend();
    let (table, of, part, kind) = (R::KIND.name(), R::WORDS.of, R::WORDS.part, R::PART_TYPE);
    let condition = condition.replace("{table}", table).replace("{of}", of).replace("{part}", part);
    let columns = columns.iter().map(|column| format!("m.{column}")).collect::<Vec<_>>().join(", ");
    let named = format!("m.{of} = k.subject AND m.{part} = k.part AND {condition}");
    // There is one such row in the database for each key. They are looked for one by one: neither database is to read the table
    // first, as PostgreSQL would go on to do with a table that was small when it made its plan.
    let sql = match backend {
        DbBackend::Postgres => format!(
            "SELECT {columns} FROM json_to_recordset($1::json) AS k(subject text, part {kind}) CROSS JOIN LATERAL \
             (SELECT m.* FROM {table} m WHERE {named} ORDER BY m.revision DESC LIMIT 1) m"
        ),
        _ => format!(
            "SELECT {columns} FROM (SELECT json_extract(value, '$.subject') AS subject, json_extract(value, '$.part') AS part \
             FROM json_each($1)) k CROSS JOIN {table} m ON {named}"
        ),
    };
    let statement = Statement::from_sql_and_values(backend, sql, [json!(keys).to_string().into()]);
    let found = <R as Report>::Table::find().from_raw_sql(statement).into_model::<T>().stream(&transaction.db).await?;
    Ok(found.try_collect().await?)
}

/// Gives the first events of new reports identifiers in batches, if these are allowed.
pub async fn in_batches<'a, R: Report>(
    transaction: &WriteTransaction,
    new: impl ExactSizeIterator<Item = &'a mut R>,
) -> ApiResult<()> {
    if let Some(identifiers) = transaction.identifiers(new.len()).await? {
        for (row, id) in new.zip(identifiers) {
            row.set_review_state(ReviewState { first_event: Some(id), ..row.review_state() });
        }
    }
    Ok(())
}

/// Writes rows, each with the revision that it replaces or follows. The report of a KPI or action that is written first, and a
/// correction of one that counts, are new rows; the corrected one is the latest no more.
pub async fn store<'a, R: Report>(
    transaction: &WriteTransaction,
    rows: impl Iterator<Item = (Option<&'a R>, &'a R)> + Clone,
) -> ApiResult<()> {
    let counts = |before: Option<&R>| before.is_some_and(|before| before.review_state().counts());
    let corrected = rows.clone().filter_map(|(before, _)| before).filter(|before| counts(Some(before))).map(|before| {
        let mut before = before.clone();
        before.set_review_state(ReviewState { latest: false, ..before.review_state() });
        before
    });
    let is_new = |(before, _): &(Option<&R>, &R)| before.is_none() || counts(*before);
    let new = rows.clone().filter(is_new).map(|(_, row)| row);
    let replaced = rows.filter(|row| !is_new(row)).map(|(_, row)| row);
    bulk::upsert::<R>(&transaction.db, corrected).await?;
    bulk::add::<R>(&transaction.db, new).await?;
    bulk::upsert::<R>(&transaction.db, replaced).await
}
