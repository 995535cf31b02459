//! An import under way, and how it writes rows.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::rules::programme_status::ProgrammeStatus;
use sea_orm::{Iterable, ModelTrait};

use super::check::Checking;
use super::{Defaults, ExportRow, FileList, Incoming};
use crate::http::problem::ApiResult;
use crate::store::bulk;
use crate::store::progress::Progress;
use crate::store::transaction::{AuditEvent, WriteTransaction};

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

/// Writes rows with their events.
pub(super) async fn write<K: FileList>(import: &Import<'_>, rows: &[Incoming<K>]) -> ApiResult<()> {
    let Import { transaction, defaults, .. } = import;
    let columns = super::Column::<K>::iter().collect::<Vec<_>>();
    let values = rows.iter().map(|incoming| Ok(columns.iter().map(|column| incoming.row.get(*column)).collect()));
    bulk::append::<K::Entity>(&transaction.db, &columns, values).await?;
    let mut recorded = Vec::new();
    for Incoming { since, row, .. } in rows {
        if let Some(one) = K::recorded(row)? {
            let since = since.unwrap_or_else(|| defaults.calendar.day_of(one.created_at));
            recorded.push((since.min(transaction.today), one));
        }
    }
    let audit_events = recorded.iter().map(|(since, ExportRow { key, version, after, .. })| {
        let (before, after) = (None, Some(after.clone()));
        (*since, AuditEvent { of: K::AUDITED, key, action: "imported", version: *version, before, after })
    });
    transaction.record_imported(audit_events.collect()).await
}
