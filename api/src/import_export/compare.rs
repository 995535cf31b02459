//! Compares every row with what the audit log last recorded of it: what somebody changed, added or removed behind the service's back is found.

use std::collections::{HashMap, HashSet};

use entity::event;
use entity::rules::batch;
use sea_orm::sea_query::ColumnType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ModelTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::export::after;
use super::{ExportRow, FileList, Row, column_named, key_of};
use crate::http::problem::{ApiError, ApiResult};
use crate::resources::accounts::Account;
use crate::store::events::{about_any, are_about};

/// Rows of one statement.
const AT_ONCE: u64 = 500;
/// Batches of one statement.
const BATCHES: u64 = 16;

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
    /// The first event about the same, where that lies in a batch.
    first_event: Option<Uuid>,
}

/// The first row of a kind that differs from what the audit log records of it, in words; `None` where all agree.
pub(in crate::import_export) async fn compare_list<K: FileList>(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    let (mut comparison, mut last) = (Comparison::new(K::AUDITED.name, K::EVENT_KEY), None::<Row<K>>);
    loop {
        let rows = after::<K>(last.as_ref()).limit(AT_ONCE).all(db).await?;
        let mut stored = Vec::new();
        for row in &rows {
            let Some(ExportRow { key, version, after, .. }) = K::recorded(row)? else { return Ok(None) };
            stored.push(Stored { name: key_of::<K>(row), key, version, shown: after, first_event: first_event_of::<K>(row) });
        }
        if let Some(difference) = comparison.compare(db, &stored).await? {
            return Ok(Some(difference));
        }
        let is_last = (rows.len() as u64) < AT_ONCE;
        last = rows.into_iter().last();
        if is_last {
            let batched = comparison.batched;
            return match comparison.finish(db).await? {
                None if K::AUDITED.batched_by.is_some() => compare_batches::<K>(db, batched).await,
                difference => Ok(difference),
            };
        }
    }
}

/// The identifier of the first event of a first revision, if it lies in a batch.
fn first_event_of<K: FileList>(row: &Row<K>) -> Option<Uuid> {
    K::AUDITED.batched_by?;
    match (row.get(column_named::<K>("revision")?), row.get(column_named::<K>("first_event")?)) {
        (sea_orm::Value::Int(Some(1)), sea_orm::Value::Uuid(id)) => id,
        _ => None,
    }
}

/// The same of rows whose last event is their first and lies in a batch, of which there are `named` many. The batches are read one after the
/// other: the rows of one lie at many places of the table, but the events of many rows in one batch.
async fn compare_batches<K: FileList>(db: &impl ConnectionTrait, named: usize) -> ApiResult<Option<String>> {
    let resource = K::AUDITED.name;
    let (mut last, mut told) = (0, 0);
    loop {
        let batches = event::Entity::find().filter(event::Column::Resource.eq(resource)).filter(event::Column::Key.eq(""));
        let batches = batches.filter(event::Column::Seq.gt(last)).filter(event::Column::Batch.is_not_null());
        let batches = batches.order_by_asc(event::Column::Seq).limit(BATCHES).all(db).await?;
        let Some(end) = batches.last() else { break };
        last = end.seq;
        for batch in &batches {
            let created = batch::events(batch, 0..batch::MOST).map_err(ApiError::unexpected)?;
            let known = last_events(db, resource, K::EVENT_KEY, created.iter().map(|event| event.key.as_str())).await?;
            let rows = first_revisions::<K>(db, &created).await?;
            let followed = followed(db, batch, &created).await?;
            for event in &created {
                if known.get(&(event.key.clone(), 1)).is_some_and(|last| last.first_event == Some(event.id)) {
                    continue;
                }
                let name = format!("{resource} `{}`", event.key);
                let Some(shown) = rows.get(&event.id) else {
                    if followed.contains(&event.key) {
                        continue;
                    }
                    return Ok(Some(format!("{name} is missing, and an event tells of it")));
                };
                if let Some(member) = difference(event.after.as_ref().unwrap_or(&Value::Null), shown, K::EVENT_KEY) {
                    return Ok(Some(format!("`{member}` of {name} is not what its last event says")));
                }
                told += 1;
            }
        }
    }
    let text = || format!("{named} of the kind {resource} name a batch with their event, and {told} lie in one");
    Ok((told != named).then(text))
}

/// The first revisions that name one of these events, as the audit log would record them, by the event.
async fn first_revisions<K: FileList>(db: &impl ConnectionTrait, created: &[event::Model]) -> ApiResult<HashMap<Uuid, Value>> {
    let key = K::AUDITED.batched_by.and_then(|[whole, part]| column_named::<K>(whole).zip(column_named::<K>(part)));
    let (whole, part) = key.ok_or_else(|| ApiError::unexpected("only reports lie in batches"))?;
    let parts = created.iter().filter_map(|event| event.key.split_once('/'));
    let (mut wholes, mut parts) = parts.unzip::<_, _, Vec<_>, Vec<_>>();
    for texts in [&mut wholes, &mut parts] {
        texts.sort_unstable();
        texts.dedup();
    }
    // A part may be a number.
    let parts = parts.into_iter().map(|text| match part.def().get_column_type() {
        ColumnType::Integer => text.parse::<i32>().unwrap_or_default().into(),
        _ => sea_orm::Value::from(text),
    });
    let rows = K::Entity::find().filter(whole.is_in(wholes)).filter(part.is_in(parts)).all(db).await?;
    let mut found = HashMap::new();
    for row in rows {
        if let (Some(id), Some(ExportRow { key, after, .. })) = (first_event_of::<K>(&row), K::recorded(&row)?)
            && created.iter().any(|event| event.id == id && event.key == key)
        {
            found.insert(id, after);
        }
    }
    Ok(found)
}

/// Those keys of a batch about which there are later events.
async fn followed(db: &impl ConnectionTrait, batch: &event::Model, created: &[event::Model]) -> ApiResult<HashSet<String>> {
    let keys = created.iter().map(|event| event.key.as_str()).collect::<Vec<_>>();
    let later = about_any(db, &batch.resource, &keys).filter(event::Column::Seq.gt(batch.seq));
    let keys = later.select_only().column(event::Column::Key).distinct().into_tuple::<String>().all(db).await?;
    Ok(keys.into_iter().collect())
}

/// The same for accounts: there are few, and what proves who they are is in no event.
pub async fn compare_accounts<A: Account>(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    let mut comparison = Comparison::new(A::NAMES.one, EventKey::Last);
    let rows = A::Entity::find().all(db).await?;
    let stored = rows.iter().map(|row| {
        let key = A::id(row);
        Stored { name: key.clone(), key, version: 0, shown: json!(A::from(row)), first_event: None }
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
    /// The first event, where it lies in a batch.
    first_event: Option<Uuid>,
}

/// The rows of a kind beside the audit log, in the order of their keys.
struct Comparison {
    resource: &'static str,
    event_key: EventKey,
    /// How many of the rows that were read exist by their last event.
    live: i64,
    last_key: String,
    /// How many of them name a batch with their only event.
    batched: usize,
}

impl Comparison {
    fn new(resource: &'static str, event_key: EventKey) -> Self {
        Self { resource, event_key, live: 0, last_key: String::new(), batched: 0 }
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
            let event = known.get(&(row.key.clone(), number));
            // A draft with the same key may have been deleted before.
            if row.first_event.is_some() && event.is_none_or(|event| event.first_event != row.first_event) {
                self.batched += 1;
                continue;
            }
            let Some(event) = event else {
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
        "SELECT e.\"key\", CAST({number} AS bigint) AS number, e.after, e.first_event, \
         (SELECT l.after IS NOT NULL FROM event l WHERE {are_of_same} ORDER BY l.seq DESC LIMIT 1) AS is_live \
         FROM event e WHERE e.seq IN (SELECT MAX(e.seq) FROM {given} CROSS JOIN event e \
         WHERE {are_given} AND e.after IS NOT NULL GROUP BY e.\"key\", {number})"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(backend, sql, [resource.into(), keys.into()])).await?;
    let events = rows.iter().map(|row| {
        let key = (row.try_get("", "key")?, row.try_get("", "number")?);
        let (after, is_live) = (row.try_get("", "after")?, row.try_get("", "is_live")?);
        Ok((key, LastEvent { after, is_live, first_event: row.try_get("", "first_event")? }))
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
