//! The answer to a push.

use serde::Serialize;
use utoipa::ToSchema;

use super::rows::Row;
use super::{Outcome, Pushed};
use crate::csv::column::Column;
use crate::http::error_codes::FaultCode;
use crate::http::language::Language;

/// The result of a push.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct PushReport {
    /// The number of rows that were received.
    #[schema(minimum = 0, maximum = 10000)]
    received: u32,
    /// The number of rows for which nothing was stored before.
    #[schema(minimum = 0, maximum = 10000)]
    created: u32,
    /// The number of rows that changed what was stored.
    #[schema(minimum = 0, maximum = 10000)]
    updated: u32,
    /// The number of rows of which everything was stored already.
    #[schema(minimum = 0, maximum = 10000)]
    unchanged: u32,
    /// The number of rows that are older than what is stored.
    #[schema(minimum = 0, maximum = 10000)]
    stale: u32,
    /// The number of rows that cannot be stored.
    #[schema(minimum = 0, maximum = 10000)]
    rejected: u32,
    /// The rows that were rejected or stale; with `rows=all` every row.
    #[schema(max_items = 10000)]
    rows: Vec<PushRow>,
}

/// The result of one row of a push.
#[derive(Debug, Serialize, ToSchema)]
pub struct PushRow {
    /// The number of the row, from 1; the header of a CSV is not counted.
    #[schema(minimum = 1, maximum = 10000)]
    row: u32,
    /// The line of a CSV on which the row begins, from 1.
    #[schema(minimum = 1, maximum = 16777217)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    line: Option<u64>,
    /// The key of the row, such as `STUNTING/2022`; null if the row has none that can be read.
    #[schema(max_length = 200)]
    key: Option<String>,
    /// What became of the row.
    result: PushResult,
    /// The reasons why the row was rejected.
    #[schema(max_items = 100)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<PushFault>,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PushResult {
    /// Nothing was stored for the row before.
    Created,
    /// The row changed what was stored.
    Updated,
    /// All that the row says was stored already.
    Unchanged,
    /// The row is older than what is stored, and changed nothing.
    Stale,
    /// The row cannot be stored.
    Rejected,
}

entity::labels! { PushResult {
    Created: "Created", "Dibuat";
    Updated: "Updated", "Diperbarui";
    Unchanged: "Unchanged", "Tidak berubah";
    Stale: "Out of date", "Usang";
    Rejected: "Rejected", "Ditolak";
} }

/// One field error of a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct PushFault {
    /// The place in the row that is wrong: an RFC 6901 JSON pointer.
    #[schema(max_length = 1000)]
    pointer: String,
    /// The column of a CSV that is wrong.
    #[schema(max_length = 128)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    column: Option<String>,
    /// The code of the field error, a stable word to branch on.
    #[schema(value_type = FaultCode)]
    code: String,
    /// What is wrong, and what is allowed instead.
    #[schema(max_length = 2000)]
    detail: String,
}

impl Outcome {
    /// The result as the answer names it.
    fn result(&self) -> PushResult {
        match self {
            Self::Created => PushResult::Created,
            Self::Updated => PushResult::Updated,
            Self::Unchanged => PushResult::Unchanged,
            Self::Stale => PushResult::Stale,
            Self::Rejected(_) => PushResult::Rejected,
        }
    }
}

impl PushReport {
    /// Builds the report; `columns` are those of a CSV, and empty for other forms.
    pub(super) fn of<T: Pushed>(
        rows: &[Row<T>],
        outcomes: &[Outcome],
        lists_all: bool,
        columns: &[Column],
        language: Language,
    ) -> Self {
        let mut report = Self { received: u32::try_from(rows.len()).unwrap_or(u32::MAX), ..Self::default() };
        for (row, outcome) in rows.iter().zip(outcomes) {
            let is_noted = match outcome {
                Outcome::Created => note(&mut report.created, false),
                Outcome::Updated => note(&mut report.updated, false),
                Outcome::Unchanged => note(&mut report.unchanged, false),
                Outcome::Stale => note(&mut report.stale, true),
                Outcome::Rejected(_) => note(&mut report.rejected, true),
            };
            if is_noted || lists_all {
                report.rows.push(PushRow::of(row, outcome, columns, language));
            }
        }
        report
    }

    /// Whether any row was rejected.
    pub(super) fn has_rejected(&self) -> bool {
        self.rejected > 0
    }

    /// Whether every row only repeats what is stored.
    pub(super) fn is_repeat(&self) -> bool {
        self.unchanged == self.received
    }

    /// The report of a push of which nothing was written.
    pub(super) fn without_writes(self) -> Self {
        let rows = self.rows.into_iter().filter(|row| !matches!(row.result, PushResult::Created | PushResult::Updated)).collect();
        Self { created: 0, updated: 0, rows, ..self }
    }
}

fn note(count: &mut u32, listed: bool) -> bool {
    *count += 1;
    listed
}

impl PushRow {
    fn of<T: Pushed>(row: &Row<T>, outcome: &Outcome, columns: &[Column], language: Language) -> Self {
        let field_errors = match outcome {
            Outcome::Rejected(field_errors) => field_errors.as_slice(),
            _ => &[],
        };
        let errors = field_errors.iter().map(|field_error| {
            let shown = field_error.shown(language);
            let pointer = shown.pointer.unwrap_or_default();
            // A member of an object may have a column of its own; the nearest column is named.
            let holds = |column: &&Column| {
                pointer.strip_prefix(&column.pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let column = columns.iter().filter(|column| !column.pointer.is_empty()).filter(holds);
            let column = column.max_by_key(|column| column.pointer.len()).map(|column| column.name.clone());
            PushFault { column, pointer, code: shown.code, detail: shown.detail }
        });
        let key = row.read.as_ref().ok().map(T::key);
        Self { row: row.number, line: row.line, key, result: outcome.result(), errors: errors.collect() }
    }
}
