//! The forms of a measurement in requests and answers.

use chrono::{DateTime, NaiveDate, Utc};
use entity::measurement::{self, ReportState};
use entity::value::decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::precondition::Tagged;
use crate::resources::provenance::Provenance;
use crate::resources::reporting::evidence::Evidence;

/// The body of a request that reports a value.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasurementInput {
    /// The value, in the unit of the KPI.
    pub value: Decimal,
    /// A note on the value.
    #[schema(max_length = 5000)]
    pub note: Option<String>,
    /// The documents that prove the value; without this member there are none.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub evidence: Vec<Evidence>,
    /// When the source system last changed the value.
    #[schema(max_length = 35)]
    pub source_updated_at: Option<DateTime<Utc>>,
    /// The source of the value. If it has a `date`, the value counts for `as_of` from that day, otherwise from the day on which
    /// it was verified; but never before its period has begun.
    pub provenance: Option<Provenance>,
    /// Why a verified value is corrected. It is required for a correction, and meaningless otherwise.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub reason: Option<String>,
}

/// The measured value of a KPI for one period.
#[derive(Serialize, ToSchema)]
pub struct Measurement {
    /// The code of the KPI.
    #[schema(max_length = 64)]
    kpi: String,
    /// The period of the value.
    #[schema(max_length = 7)]
    period: String,
    /// The number of the revision: 1 for the first value, one more for each correction of a verified value.
    #[schema(minimum = 1, maximum = 2147483647)]
    revision: i32,
    /// The value, in the unit of the KPI.
    value: Decimal,
    /// A note on the value.
    #[schema(max_length = 5000)]
    note: Option<String>,
    /// The documents that prove the value.
    #[schema(max_items = 20)]
    evidence: Vec<Evidence>,
    /// When the source system last changed the value.
    #[schema(max_length = 35)]
    source_updated_at: Option<DateTime<Utc>>,
    /// The source of the value.
    provenance: Option<Provenance>,
    /// The review state of the value. Only `verified` values count.
    state: ReportState,
    /// The day from which the value counts for `as_of`, although never before its period has begun; null while it does not count.
    #[schema(max_length = 10)]
    known_on: Option<NaiveDate>,
    /// Why this revision corrects a verified value.
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
    /// The reviewer's reason for returning the value: what has to be corrected.
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
    /// The version of the measurement: it grows by one with every write, over all revisions.
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

impl Tagged for Measurement {
    fn tagged(self, etag: String) -> Self {
        Self { etag, ..self }
    }
}

impl From<&measurement::Model> for Measurement {
    fn from(row: &measurement::Model) -> Self {
        Self {
            kpi: row.kpi.clone(),
            period: row.period.clone(),
            revision: row.revision,
            value: row.value,
            note: row.note.clone(),
            evidence: serde_json::from_value(row.evidence.clone()).unwrap_or_default(),
            source_updated_at: row.source_updated_at,
            provenance: Provenance::of(row.provenance.as_ref()),
            state: row.state,
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

impl Measurement {
    /// An example of a measurement, from the real case.
    pub fn example() -> Value {
        json!({
            "kpi": "STUNTING", "period": "2022", "revision": 1, "value": "22.9", "note": "Disampaikan pada evaluasi 4 Oktober 2022",
            "evidence": [], "source_updated_at": null, "provenance": { "publisher": "Katada.id", "title": null, "url": null,
            "date": "2022-10-04", "quote": null, "basis": "stated" }, "state": "verified", "known_on": "2022-10-04",
            "reason": null, "reported_by": "demo-dinkes", "submitted_by": "demo-dinkes", "submitted_at": "2022-10-03T01:00:00Z",
            "return_reason": null, "returned_by": null, "verified_by": "verifier@demo.invalid", "verified_at": "2022-10-04T01:00:00Z",
            "version": 1, "etag": "\"1-5ea2bd2b24c80\"", "created_at": "2022-10-04T01:00:00Z", "updated_at": "2022-10-04T01:00:00Z",
        })
    }
}
