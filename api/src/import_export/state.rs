//! An import under way, and how it writes rows.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::rules::programme_status::ProgrammeStatus;
use sea_orm::{ColumnTrait, EntityTrait, Iterable, ModelTrait, QueryFilter, QuerySelect, Value};
use uuid::Uuid;

use super::check::Checking;
use super::{Defaults, ExportRow, FileList, Incoming, column_named};
use crate::http::problem::{ApiError, ApiResult};
use crate::store::bulk;
use crate::store::progress::Progress;
use crate::store::transaction::{AuditEvent, FirstEvent, WriteTransaction};

/// An import under way.
pub(super) struct Import<'a> {
    pub(super) transaction: &'a WriteTransaction,
    pub(super) defaults: Defaults,
    pub(super) checking: Checking,
    /// The number of the last event before it: what was imported later is of this import.
    pub(super) began_after: i64,
    /// Of each programme the first and the last status of its history in the file.
    pub(super) statuses: HashMap<String, (ProgrammeStatus, ProgrammeStatus)>,
    /// Entries of status histories that the file did not have.
    pub(super) beginnings: usize,
    /// The hashes of the records of closed evaluations in the file, by evaluation and audience.
    pub(super) records: HashMap<(String, String), String>,
    /// Which values lead their KPI so far.
    pub(super) leading: HashMap<String, Leading>,
    pub(super) progress: Progress,
}

/// Which value of a KPI leads it so far.
#[derive(Default)]
pub(super) struct Leading {
    /// The last day from which one counts, and the highest that counted by then: by period, then by revision.
    pub(super) last: Option<(NaiveDate, (NaiveDate, i32))>,
    /// Whether the values did not come in the order of those days, so that it is to be computed from all of them.
    pub(super) is_unsure: bool,
}

/// Notes in rows their first event, which lies in a batch: of a first revision its own, of any other that of the first. Returns these
/// events in the order of the rows.
async fn in_batches<K: FileList>(
    transaction: &WriteTransaction,
    key: [&str; 2],
    rows: &mut [Incoming<K>],
) -> ApiResult<Vec<Option<FirstEvent>>> {
    let named = column_named::<K>("first_event")
        .zip(column_named::<K>("revision"))
        .zip(column_named::<K>(key[0]).zip(column_named::<K>(key[1])));
    let ((first_event, revision), key) = named.ok_or_else(|| ApiError::unexpected("reports have these columns"))?;
    let is_first = rows.iter().map(|incoming| incoming.row.get(revision) == Value::from(1)).collect::<Vec<_>>();
    let place_of = |incoming: &Incoming<K>| (incoming.row.get(key.0), incoming.row.get(key.1));
    let mut identifiers = transaction.identifiers(is_first.iter().filter(|is_first| **is_first).count()).await?;
    let own = is_first.iter().map(|is_first| identifiers.as_mut().filter(|_| *is_first).and_then(Iterator::next));
    let mut noted = own.collect::<Vec<_>>();
    for later in (0..rows.len()).filter(|index| !is_first[*index]) {
        // The first revision is among these rows, or was written by an earlier step.
        let place = place_of(&rows[later]);
        noted[later] = match (0..later).rev().find(|index| is_first[*index] && place_of(&rows[*index]) == place) {
            Some(first) => noted[first],
            None => {
                let stored = K::Entity::find().select_only().column(first_event).filter(revision.eq(1));
                let stored = stored.filter(key.0.eq(place.0)).filter(key.1.eq(place.1));
                stored.into_tuple::<Option<Uuid>>().one(&transaction.db).await?.flatten()
            }
        };
    }
    for (Incoming { row, .. }, id) in rows.iter_mut().zip(&noted) {
        row.set(first_event, (*id).into());
    }
    Ok(noted.into_iter().zip(is_first).map(|(id, is_first)| FirstEvent::of(id, is_first)).collect())
}

/// Writes rows with their events.
pub(super) async fn write<K: FileList>(import: &Import<'_>, rows: &mut [Incoming<K>]) -> ApiResult<()> {
    let Import { transaction, defaults, .. } = import;
    let first_events = match K::AUDITED.batched_by {
        Some(key) => in_batches(transaction, key, rows).await?,
        None => vec![None; rows.len()],
    };
    let columns = super::Column::<K>::iter().collect::<Vec<_>>();
    let values = rows.iter().map(|incoming| Ok(columns.iter().map(|column| incoming.row.get(*column)).collect()));
    bulk::append::<K::Entity>(&transaction.db, &columns, values).await?;
    let mut recorded = Vec::new();
    for (Incoming { since, row, .. }, first_event) in rows.iter().zip(first_events) {
        if let Some(one) = K::recorded(row)? {
            let since = since.unwrap_or_else(|| defaults.calendar.day_of(one.created_at));
            recorded.push((since.min(transaction.today), one, first_event));
        }
    }
    // What lies in batches comes first.
    recorded.sort_by_key(|(_, _, first_event)| !matches!(first_event, Some(FirstEvent::This(_))));
    let audit_events = recorded.iter().map(|(since, ExportRow { key, version, after, .. }, first_event)| {
        let (before, after, first_event) = (None, Some(after.clone()), *first_event);
        (*since, AuditEvent { of: K::AUDITED, key, action: "imported", version: *version, before, after, first_event })
    });
    transaction.record_imported(audit_events.collect()).await
}
