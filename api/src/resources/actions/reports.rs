//! `/v1/actions/{id}/reports`: the reports of an OPD on an action, quarter by quarter.

pub mod falling;
pub mod wire_types;

use crate::http::language::Noun;
use crate::resources::actions;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::action::{self, Reported};
use entity::action_report::{self, Model};
use entity::value::decimal::Decimal;
use entity::value::period::Period;
use serde_json::{Value, json};

use self::wire_types::{ActionReport, ActionReportInput};
use crate::auth::permissions::ReportActions;
use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::resources::kpis::not_begun;
use crate::resources::reporting::review_state::{ReviewState, along};
use crate::resources::reporting::{Report, ReportKey, ReportKind, Words, Written};
use crate::store::kind::{Audited, Changes, Field, Kind, REPORTED, Recorded, Stored, ValueType};
use crate::store::transaction::WriteTransaction;

/// What the audit log tells of reports.
pub static AUDITED: Audited = Audited::new("action_report", Noun::new("action report", "laporan renaksi"))
    .actions(REPORTED)
    .in_batches(["action", "quarter"])
    .changes(Changes::FromItsDay)
    .recorded(|| Recorded::of::<ActionReport>(ActionReport::example()));

/// Where reports refer to their action.
pub const STORED: Stored = Stored {
    to: &actions::KIND,
    resource: "action_report",
    table: "action_report",
    column: "action",
    name: "action",
    only: None,
};

/// A quarter in a path, for the document.
fn quarter_parameter() -> (Value, &'static str) {
    (
        json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": 4, "example": 3 }),
        "A quarter (triwulan) of the action's year, 1 to 4.",
    )
}

/// Whether a report has a reason already, also after it is written again: a report that does not count yet keeps its reason.
fn has_reason(row: &Model) -> bool {
    !row.review_state().counts() && row.reason.is_some()
}

/// The field error of a realisation that is not possible.
pub fn realisation_field_error(realisation: Decimal) -> Option<FieldError> {
    let text = || Text::new("The realisation must be 0 or more.", "Realisasi harus 0 atau lebih.");
    (realisation < Decimal::default()).then(|| FieldError::at("/realisation", "outside_range", text()))
}

impl Report for Model {
    const KIND: ReportKind = ReportKind::ActionReport;
    const AUDITED: &'static Audited = &AUDITED;
    const OF: &'static Kind = &actions::KIND;
    const WORDS: Words = Words {
        path: "/v1/actions/{id}/reports",
        tag: "actions",
        of: "action",
        of_key: "id",
        part: "quarter",
        part_parameter: quarter_parameter,
        title: "Report",
        a: "an action report",
        of_a: "an action",
        put: "Report on an action",
        about: "the report on what is realised by the end of a quarter of the action's year, counted from the beginning of the year",
        more: " The realisation is counted from the beginning of the year, so it should not fall: a realisation below the one \
            reported for the quarter before, or above the one reported for the next quarter, needs a `reason` \
            (`reason_required`).",
    };
    const ORDER: Field = Field::sort("quarter", ValueType::Integer);
    const BESIDE_OTHERS: bool = true;
    const PART_TYPE: &'static str = "int";
    type Table = action_report::Entity;
    type Of = action::Entity;
    type Subject = Reported;
    type Part = i32;
    type Input = ActionReportInput;
    type Shown = ActionReport;
    type May = ReportActions;

    fn example() -> Value {
        ActionReport::example()
    }

    fn input_example() -> Value {
        json!({ "realisation": "4", "narrative": "Dua unit TPS3R selesai dibangun", "obstacles": "Pengadaan lahan" })
    }

    fn part(text: &str) -> ApiResult<i32> {
        match text {
            "1" => Ok(1),
            "2" => Ok(2),
            "3" => Ok(3),
            "4" => Ok(4),
            _ => Err(ApiError::new(codes::NOT_FOUND).detail(
                format!("`{text}` is not a quarter: expected a number from 1 to 4."),
                format!("`{text}` bukan triwulan: seharusnya angka dari 1 sampai 4."),
            )),
        }
    }

    fn stored(quarter: i32) -> sea_orm::Value {
        quarter.into()
    }

    fn key(action: &Reported) -> &str {
        &action.id
    }

    fn opd(action: &Reported) -> &str {
        &action.opd
    }

    fn field_errors(_: &Reported, _: i32, input: &ActionReportInput) -> Vec<FieldError> {
        realisation_field_error(input.realisation).into_iter().collect()
    }

    fn early(action: &Reported, quarter: i32, today: NaiveDate) -> Option<FieldError> {
        not_begun(Period::Quarter(action.year, u8::try_from(quarter).ok()?), today, "/quarter")
    }

    async fn field_errors_together(
        transaction: &WriteTransaction,
        written: &[Written<'_, Self>],
    ) -> ApiResult<BTreeMap<usize, FieldError>> {
        falling::field_errors(&transaction.db, written).await
    }

    fn reason(input: &ActionReportInput) -> Option<&str> {
        input.reason.as_deref()
    }

    fn drafted(
        transaction: &WriteTransaction,
        action: &str,
        quarter: i32,
        before: Option<&Self>,
        input: ActionReportInput,
    ) -> Self {
        let review_state = ReviewState::drafted(transaction, before.map(Self::review_state).as_ref(), input.reason.clone());
        // The first report has a reason as well, if the realisation falls.
        let kept = before.filter(|row| has_reason(row)).and_then(|row| row.reason.clone());
        Self {
            action: action.to_owned(),
            quarter,
            revision: review_state.revision,
            realisation: input.realisation,
            narrative: input.narrative,
            obstacles: input.obstacles,
            evidence: json!(input.evidence),
            source_updated_at: input.source_updated_at,
            state: review_state.state,
            handed_in_on: before.and_then(|row| row.handed_in_on),
            known_on: review_state.known_on,
            latest: review_state.latest,
            reason: input.reason.or(kept),
            reported_by: review_state.reported_by,
            authors: review_state.authors,
            submitted_by: review_state.submitted_by,
            submitter: review_state.submitter,
            submitted_at: review_state.submitted_at,
            return_reason: review_state.return_reason,
            returned_by: review_state.returned_by,
            verified_by: review_state.verified_by,
            verified_at: review_state.verified_at,
            version: review_state.version,
            created_at: review_state.created_at,
            updated_at: review_state.updated_at,
            first_event: review_state.first_event,
        }
    }

    fn place(&self) -> ReportKey {
        ReportKey { of: self.action.clone(), part: self.quarter.to_string() }
    }

    along!();

    /// Whether a report is on time is decided by the day on which it was first submitted, whatever was corrected since.
    fn handed_in(&mut self, today: NaiveDate) {
        self.handed_in_on.get_or_insert(today);
    }

    async fn count(&mut self, transaction: &WriteTransaction) -> ApiResult<NaiveDate> {
        Ok(transaction.today)
    }
}
