//! The forms of a report on an action in requests and answers.

use chrono::{DateTime, NaiveDate, Utc};
use entity::action_report;
use entity::measurement::ReportState;
use entity::value::decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::precondition::Tagged;
use crate::resources::reporting::evidence::Evidence;

/// The body of a request that reports on an action.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionReportInput {
    /// What is realised by the end of the quarter, counted from the beginning of the year, in the unit of the action: 0 or more.
    /// A value below that of the quarter before, or above that of the next quarter, needs a `reason`.
    pub realisation: Decimal,
    /// What was done in the quarter.
    #[schema(max_length = 10000)]
    pub narrative: Option<String>,
    /// The obstacles that were met.
    #[schema(max_length = 10000)]
    pub obstacles: Option<String>,
    /// The documents that prove the report; without this member there are none.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub evidence: Vec<Evidence>,
    /// When the source system last changed the report.
    #[schema(max_length = 35)]
    pub source_updated_at: Option<DateTime<Utc>>,
    /// Why a verified report is corrected, or why the realisation is less than that of the quarter before. It is required in
    /// these cases.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub reason: Option<String>,
}

/// The report of an OPD on an action for a quarter.
#[derive(Serialize, ToSchema)]
pub struct ActionReport {
    /// The identifier of the action.
    #[schema(max_length = 36)]
    action: String,
    /// The quarter of the action's year, 1 to 4.
    #[schema(minimum = 1, maximum = 4)]
    quarter: i32,
    /// The number of the revision: 1 for the first report, one more for each correction of a verified report.
    #[schema(minimum = 1, maximum = 2147483647)]
    revision: i32,
    /// What is realised by the end of the quarter, counted from the beginning of the year, in the unit of the action.
    realisation: Decimal,
    /// What was done in the quarter.
    #[schema(max_length = 10000)]
    narrative: Option<String>,
    /// The obstacles that were met.
    #[schema(max_length = 10000)]
    obstacles: Option<String>,
    /// The documents that prove the report.
    #[schema(max_items = 20)]
    evidence: Vec<Evidence>,
    /// When the source system last changed the report.
    #[schema(max_length = 35)]
    source_updated_at: Option<DateTime<Utc>>,
    /// The review state of the report. Only `verified` reports count.
    state: ReportState,
    /// The day on which a report for this quarter was first submitted, whatever was corrected since. The report is late after the
    /// 10th of the month after the quarter.
    #[schema(max_length = 10)]
    handed_in_on: Option<NaiveDate>,
    /// The day from which the report counts for `as_of`, which is the day on which it was verified; null while it does not count.
    #[schema(max_length = 10)]
    known_on: Option<NaiveDate>,
    /// Why this revision corrects a verified report, or why the realisation fell.
    #[schema(max_length = 2000)]
    reason: Option<String>,
    /// Who wrote this revision.
    #[schema(max_length = 254)]
    reported_by: String,
    /// Who submitted this revision for review; somebody else has to verify it.
    #[schema(max_length = 254)]
    submitted_by: Option<String>,
    /// When this revision was submitted.
    #[schema(max_length = 35)]
    submitted_at: Option<DateTime<Utc>>,
    /// The reviewer's reason for returning the report: what has to be corrected.
    #[schema(max_length = 2000)]
    return_reason: Option<String>,
    /// Who returned this revision.
    #[schema(max_length = 254)]
    returned_by: Option<String>,
    /// Who verified this revision.
    #[schema(max_length = 254)]
    verified_by: Option<String>,
    /// When this revision was verified.
    #[schema(max_length = 35)]
    verified_at: Option<DateTime<Utc>>,
    /// The version of the report: it grows by one with every write, over all revisions.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: i32,
    /// The entity tag: what `If-Match` takes to change this.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = true, min_length = 3, max_length = 128, example = "\"1-5ea2bd2b24c80\"")]
    etag: String,
    /// When this revision was created.
    #[schema(max_length = 35)]
    created_at: DateTime<Utc>,
    /// When this revision was last changed.
    #[schema(max_length = 35)]
    updated_at: DateTime<Utc>,
}

impl Tagged for ActionReport {
    fn tagged(self, etag: String) -> Self {
        Self { etag, ..self }
    }
}

impl From<&action_report::Model> for ActionReport {
    fn from(row: &action_report::Model) -> Self {
        Self {
            action: row.action.clone(),
            quarter: row.quarter,
            revision: row.revision,
            realisation: row.realisation,
            narrative: row.narrative.clone(),
            obstacles: row.obstacles.clone(),
            evidence: serde_json::from_value(row.evidence.clone()).unwrap_or_default(),
            source_updated_at: row.source_updated_at,
            state: row.state,
            handed_in_on: row.handed_in_on,
            known_on: row.known_on,
            reason: row.reason.clone(),
            reported_by: row.reported_by.clone(),
            submitted_by: row.submitted_by.clone(),
            submitted_at: row.submitted_at,
            return_reason: row.return_reason.clone(),
            returned_by: row.returned_by.clone(),
            verified_by: row.verified_by.clone(),
            verified_at: row.verified_at,
            version: row.version,
            etag: String::new(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl ActionReport {
    /// An example of a report, from the real case.
    pub fn example() -> Value {
        json!({
            "action": "0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21", "quarter": 3, "revision": 1, "realisation": "4",
            "narrative": "Dua unit TPS3R selesai dibangun", "obstacles": "Pengadaan lahan", "evidence": [], "source_updated_at": null,
            "state": "verified", "handed_in_on": "2022-10-03", "known_on": "2022-10-04", "reason": null, "reported_by": "demo-dlh",
            "submitted_by": "demo-dlh", "submitted_at": "2022-10-03T01:00:00Z", "return_reason": null, "returned_by": null,
            "verified_by": "verifier@demo.invalid", "verified_at": "2022-10-04T01:00:00Z",
            "version": 3, "etag": "\"3-5ea2bd2b24c80\"", "created_at": "2022-10-03T01:00:00Z", "updated_at": "2022-10-04T01:00:00Z",
        })
    }
}
