//! What a measurement looks like on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use entity::measurement::{self, ReportState};
use entity::value::decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::resources::provenance::Provenance;

/// What a client sends to report a value.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasurementInput {
    /// The value, in the KPI's unit.
    pub value: Decimal,
    /// A remark.
    #[schema(max_length = 5000)]
    pub note: Option<String>,
    /// What proves it.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub evidence: Vec<Evidence>,
    /// When the source system last changed it.
    #[schema(max_length = 35)]
    pub source_updated_at: Option<DateTime<Utc>>,
    /// Where it comes from. With a `date` the value counts for `as_of` from that day, else from the day it was verified.
    pub provenance: Option<Provenance>,
}

/// A document that proves a value.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it is.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub title: String,
    /// Where it can be read.
    #[schema(max_length = 2000, pattern = r"^https?://[^\s\u0000]+$")]
    pub url: Option<String>,
    /// SHA-256 of the document, in hexadecimal.
    #[schema(max_length = 64, pattern = r"^[0-9a-f]{64}$")]
    pub sha256: Option<String>,
}

/// The value of a KPI for one period.
#[derive(Serialize, ToSchema)]
pub struct Measurement {
    /// The KPI.
    #[schema(max_length = 64)]
    kpi: String,
    /// The period.
    #[schema(max_length = 7)]
    period: String,
    /// Counts corrections of a verified value, from 1.
    #[schema(minimum = 1, maximum = 2147483647)]
    revision: i32,
    /// The value, in the KPI's unit.
    value: Decimal,
    /// A remark.
    #[schema(max_length = 5000)]
    note: Option<String>,
    /// What proves it.
    #[schema(max_items = 20)]
    evidence: Vec<Evidence>,
    /// When the source system last changed it.
    #[schema(max_length = 35)]
    source_updated_at: Option<DateTime<Utc>>,
    /// Where it comes from.
    provenance: Option<Provenance>,
    /// Where it stands in the review. Only `verified` values count.
    state: ReportState,
    /// From which day it counts for `as_of`; null while it does not count.
    #[schema(max_length = 10)]
    known_on: Option<NaiveDate>,
    /// Who wrote it.
    #[schema(max_length = 254)]
    reported_by: String,
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
            reported_by: row.reported_by.clone(),
            verified_by: row.verified_by.clone(),
            verified_at: row.verified_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl Measurement {
    /// The value of the real case.
    pub fn example() -> Value {
        json!({
            "kpi": "STUNTING", "period": "2022", "revision": 1, "value": "22.9", "note": "Disampaikan pada evaluasi 4 Oktober 2022",
            "evidence": [], "source_updated_at": null, "provenance": { "publisher": "Katada.id", "title": null, "url": null,
            "date": "2022-10-04", "quote": null, "basis": "stated" }, "state": "verified", "known_on": "2022-10-04",
            "reported_by": "admin@demo.invalid", "verified_by": "admin@demo.invalid", "verified_at": "2022-10-04T01:00:00Z",
            "version": 1, "created_at": "2022-10-04T01:00:00Z", "updated_at": "2022-10-04T01:00:00Z",
        })
    }
}
