//! Compares every row with what the audit log last recorded of it: what somebody changed, added or removed behind the service's back is found.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QuerySelect, Statement};
use serde_json::{Map, Value, json};

use super::export::after;
use super::{ExportRow, FileList, Row, key_of};
use crate::http::problem::{ApiError, ApiResult};
use crate::resources::accounts::Account;
use crate::store::events::are_about;

/// Rows of one statement.
const AT_ONCE: u64 = 500;

/// Which event tells of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKey {
    /// The last one of its key.
    Last,
    /// The last one of its key that has the row's revision: a report has several rows under one key.
    Revision,
    /// The one of its key whose version is the row's number: each entry of a history has its own.
    Number,
}

/// The members that count writes: the revision below a deleted draft is the latest again, without an event of its own.
const COUNTERS: [&str; 2] = ["version", "updated_at"];

/// The members of accounts that change with each use, without an event.
const USES: [&str; 2] = ["last_login_at", "last_used_at"];

/// Members that earlier versions recorded and that follow from the others: the explanation of a survey.
const FOLLOWING: [&str; 1] = ["explanation"];

/// The last event of a row.
struct LastEvent {
    after: Value,
    /// Whether anything followed that says it is gone.
    is_live: bool,
}

/// The first row of a kind that differs from what the audit log records of it, in words; `None` where all agree.
pub(in crate::import_export) async fn compare_list<K: FileList>(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    let (mut comparison, mut last) = (Comparison::new(K::AUDITED.name, K::EVENT_KEY), None::<Row<K>>);
    loop {
        let rows = after::<K>(last.as_ref()).limit(AT_ONCE).all(db).await?;
        let mut stored = Vec::new();
        for row in &rows {
            let Some(ExportRow { key, version, after, .. }) = K::recorded(row)? else { return Ok(None) };
            stored.push(Stored { name: key_of::<K>(row), key, version, shown: after });
        }
        if let Some(difference) = comparison.compare(db, &stored).await? {
            return Ok(Some(difference));
        }
        let is_last = (rows.len() as u64) < AT_ONCE;
        last = rows.into_iter().last();
        if is_last {
            return comparison.finish(db).await;
        }
    }
}

/// The same for accounts: there are few, and what proves who they are is in no event.
pub async fn compare_accounts<A: Account>(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    let mut comparison = Comparison::new(A::NAMES.one, EventKey::Last);
    let rows = A::Entity::find().all(db).await?;
    let stored = rows.iter().map(|row| {
        let key = A::id(row);
        Stored { name: key.clone(), key, version: 0, shown: json!(A::from(row)) }
    });
    for some in stored.collect::<Vec<_>>().chunks(AT_ONCE as usize) {
        if let Some(difference) = comparison.compare(db, some).await? {
            return Ok(Some(difference));
        }
    }
    comparison.finish(db).await
}

/// A row, as the audit log would record it.
struct Stored {
    name: String,
    key: String,
    version: i32,
    shown: Value,
}

/// The rows of a kind beside the audit log, in the order of their keys.
struct Comparison {
    resource: &'static str,
    event_key: EventKey,
    /// How many of the rows that were read exist by their last event.
    live: i64,
    last_key: String,
}

impl Comparison {
    fn new(resource: &'static str, event_key: EventKey) -> Self {
        Self { resource, event_key, live: 0, last_key: String::new() }
    }

    async fn compare(&mut self, db: &impl ConnectionTrait, rows: &[Stored]) -> ApiResult<Option<String>> {
        let known = last_events(db, self.resource, self.event_key, rows.iter().map(|row| row.key.as_str())).await?;
        for row in rows {
            let number = match self.event_key {
                EventKey::Last => 0,
                EventKey::Revision => row.shown["revision"].as_i64().unwrap_or_default(),
                EventKey::Number => i64::from(row.version),
            };
            let name = format!("{} `{}`", self.resource, row.name);
            let Some(event) = known.get(&(row.key.clone(), number)) else {
                return Ok(Some(format!("{name} stands in the database, and no event tells of it")));
            };
            if self.event_key == EventKey::Last && !event.is_live {
                return Ok(Some(format!("{name} stands in the database, but its last event says that it was deleted")));
            }
            if let Some(member) = difference(&event.after, &row.shown, self.event_key) {
                return Ok(Some(format!("`{member}` of {name} is not what its last event says")));
            }
            if row.key != self.last_key {
                self.live += i64::from(event.is_live);
                self.last_key.clone_from(&row.key);
            }
        }
        Ok(None)
    }

    async fn finish(self, db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
        let missing = count_live(db, self.resource).await? - self.live;
        let text = || format!("{missing} of the kind {} are missing that the events tell of", self.resource);
        Ok((missing != 0).then(text))
    }
}

/// The first member of an event that a row has otherwise. A member that came with a later version of the service is not
/// in an old event, and null is the same as absent.
fn difference(recorded: &Value, stored: &Value, event_key: EventKey) -> Option<String> {
    let nothing = Map::new();
    let recorded = recorded.as_object().unwrap_or(&nothing);
    let differs = |(name, value): &(&String, &Value)| {
        let is_counter = event_key == EventKey::Revision && COUNTERS.contains(&name.as_str());
        let is_no_fact = USES.contains(&name.as_str()) || FOLLOWING.contains(&name.as_str());
        !is_counter && !is_no_fact && without_nulls(value) != without_nulls(stored.get(name.as_str()).unwrap_or(&Value::Null))
    };
    recorded.iter().find(differs).map(|(name, _)| name.clone())
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// The last events of rows of a kind, by key and number. One statement.
async fn last_events(
    db: &impl ConnectionTrait,
    resource: &str,
    event_key: EventKey,
    keys: impl Iterator<Item = &str>,
) -> ApiResult<HashMap<(String, i64), LastEvent>> {
    let mut keys = keys.collect::<Vec<_>>();
    keys.dedup();
    let keys = serde_json::to_string(&keys).map_err(ApiError::unexpected)?;
    let backend = db.get_database_backend();
    let is_postgres = backend == DbBackend::Postgres;
    let number = match (event_key, is_postgres) {
        // No literal: a number among what is grouped by stands for a column.
        (EventKey::Last, _) => "e.version * 0",
        (EventKey::Revision, true) => "CAST(e.after->>'revision' AS bigint)",
        (EventKey::Revision, false) => "json_extract(e.after, '$.revision')",
        (EventKey::Number, _) => "e.version",
    };
    let given = if is_postgres { "json_array_elements_text($2::json) AS g(value)" } else { "json_each($2) AS g" };
    let (are_given, are_of_same) = (are_about(backend, "e", "$1", "g.value"), are_about(backend, "l", "e.resource", "e.\"key\""));
    let sql = format!(
        "SELECT e.\"key\", CAST({number} AS bigint) AS number, e.after, \
         (SELECT l.after IS NOT NULL FROM event l WHERE {are_of_same} ORDER BY l.seq DESC LIMIT 1) AS is_live \
         FROM event e WHERE e.seq IN (SELECT MAX(e.seq) FROM {given} CROSS JOIN event e \
         WHERE {are_given} AND e.after IS NOT NULL GROUP BY e.\"key\", {number})"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(backend, sql, [resource.into(), keys.into()])).await?;
    let events = rows.iter().map(|row| {
        let key = (row.try_get("", "key")?, row.try_get("", "number")?);
        Ok((key, LastEvent { after: row.try_get("", "after")?, is_live: row.try_get("", "is_live")? }))
    });
    events.collect()
}

/// How many rows of a kind exist by their last event.
async fn count_live(db: &impl ConnectionTrait, resource: &str) -> ApiResult<i64> {
    let backend = db.get_database_backend();
    let are_of_same = are_about(backend, "l", "e.resource", "e.\"key\"");
    let sql = format!(
        "SELECT COUNT(*) AS number FROM event e WHERE e.resource = $1 AND e.after IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM event l WHERE {are_of_same} AND l.seq > e.seq)"
    );
    let row = db.query_one_raw(Statement::from_sql_and_values(backend, sql, [resource.into()])).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "number"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_an_old_event_does_not_know_is_no_difference() {
        let recorded = json!({ "name": "A", "note": null, "unit": { "kind": "index", "label": null }, "version": 2 });
        let stored = json!({ "name": "A", "minimum": "0", "unit": { "kind": "index" }, "version": 3 });
        assert_eq!(difference(&recorded, &stored, EventKey::Revision), None);
        assert_eq!(difference(&recorded, &stored, EventKey::Last), Some("version".to_owned()));
        let stored = json!({ "name": "B", "unit": { "kind": "index" }, "version": 2 });
        assert_eq!(difference(&recorded, &stored, EventKey::Last), Some("name".to_owned()));
    }
}
