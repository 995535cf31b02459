//! What a report on an action looks like on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use entity::action_report;
use entity::measurement::ReportState;
use entity::value::decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::resources::reporting::evidence::Evidence;

/// What a client sends to report on an action.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionReportInput {
    /// What is realised by the end of the quarter, counted from the beginning of the year, in the action's unit: 0 or more. Below
    /// that of the quarter before, or above that of the next, it needs a `reason`.
    pub realisation: Decimal,
    /// What was done.
    #[schema(max_length = 10000)]
    pub narrative: Option<String>,
    /// What stood in the way.
    #[schema(max_length = 10000)]
    pub obstacles: Option<String>,
    /// What proves it: nothing, where this is absent.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub evidence: Vec<Evidence>,
    /// When the source system last changed it.
    #[schema(max_length = 35)]
    pub source_updated_at: Option<DateTime<Utc>>,
    /// Why a verified report is corrected, or why what is realised is less than for the quarter before: required then.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub reason: Option<String>,
}

/// What an OPD reports of an action for a quarter.
#[derive(Serialize, ToSchema)]
pub struct ActionReport {
    /// The action.
    #[schema(max_length = 36)]
    action: String,
    /// The quarter of the action's year.
    #[schema(minimum = 1, maximum = 4)]
    quarter: i32,
    /// Counts corrections of a verified report, from 1.
    #[schema(minimum = 1, maximum = 2147483647)]
    revision: i32,
    /// What is realised by the end of the quarter, counted from the beginning of the year, in the action's unit.
    realisation: Decimal,
    /// What was done.
    #[schema(max_length = 10000)]
    narrative: Option<String>,
    /// What stood in the way.
    #[schema(max_length = 10000)]
    obstacles: Option<String>,
    /// What proves it.
    #[schema(max_items = 20)]
    evidence: Vec<Evidence>,
    /// When the source system last changed it.
    #[schema(max_length = 35)]
    source_updated_at: Option<DateTime<Utc>>,
    /// Where it stands in the review. Only `verified` reports count.
    state: ReportState,
    /// The day on which a report for this quarter was first handed in, whatever was corrected since: it is late after the
    /// 10th of the month after the quarter.
    #[schema(max_length = 10)]
    handed_in_on: Option<NaiveDate>,
    /// From which day it counts for `as_of`: the day it was verified; null while it does not count.
    #[schema(max_length = 10)]
    known_on: Option<NaiveDate>,
    /// Why a verified report was corrected by this revision, or why what is realised fell.
    #[schema(max_length = 2000)]
    reason: Option<String>,
    /// Who wrote it.
    #[schema(max_length = 254)]
    reported_by: String,
    /// Who handed it in for review; somebody else verifies it.
    #[schema(max_length = 254)]
    submitted_by: Option<String>,
    /// When it was handed in.
    #[schema(max_length = 35)]
    submitted_at: Option<DateTime<Utc>>,
    /// What the reviewer wants mended.
    #[schema(max_length = 2000)]
    return_reason: Option<String>,
    /// Who sent it back.
    #[schema(max_length = 254)]
    returned_by: Option<String>,
    /// Who verified it.
    #[schema(max_length = 254)]
    verified_by: Option<String>,
    /// When it was verified.
    #[schema(max_length = 35)]
    verified_at: Option<DateTime<Utc>>,
    /// Counts the writes, over all revisions.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: i32,
    /// When this revision was made.
    #[schema(max_length = 35)]
    created_at: DateTime<Utc>,
    /// When it was last written.
    #[schema(max_length = 35)]
    updated_at: DateTime<Utc>,
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
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl ActionReport {
    /// A report of the real case.
    pub fn example() -> Value {
        json!({
            "action": "0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21", "quarter": 3, "revision": 1, "realisation": "4",
            "narrative": "Dua unit TPS3R selesai dibangun", "obstacles": "Pengadaan lahan", "evidence": [], "source_updated_at": null,
            "state": "verified", "handed_in_on": "2022-10-03", "known_on": "2022-10-04", "reason": null, "reported_by": "demo-dlh",
            "submitted_by": "demo-dlh", "submitted_at": "2022-10-03T01:00:00Z", "return_reason": null, "returned_by": null,
            "verified_by": "verifier@demo.invalid", "verified_at": "2022-10-04T01:00:00Z",
            "version": 3, "created_at": "2022-10-03T01:00:00Z", "updated_at": "2022-10-04T01:00:00Z",
        })
    }
}
