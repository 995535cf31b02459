//! `/v1/push/measurements`

use chrono::{DateTime, Utc};
use entity::measurement;
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use entity::value::period::Period;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::reports::Reported;
use super::rows::Column;
use crate::resources::kpis::measurements::wire_types::MeasurementInput;
use crate::resources::provenance::Provenance;
use crate::resources::references::Target;
use crate::resources::reporting::evidence::Evidence;

/// A measurement, as other systems push it: the whole of it, as `PUT` takes it, with its key.
#[derive(Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasurementRow {
    /// The KPI.
    kpi: Code,
    /// The period, of the KPI's frequency.
    period: Period,
    /// The value, in the KPI's unit.
    value: Decimal,
    /// A remark.
    #[schema(max_length = 5000)]
    note: Option<String>,
    /// What proves it.
    #[serde(default)]
    #[schema(max_items = 20)]
    evidence: Vec<Evidence>,
    /// When the source system last changed it.
    #[schema(max_length = 35)]
    source_updated_at: Option<DateTime<Utc>>,
    /// Where it comes from.
    provenance: Option<Provenance>,
    /// Why a verified value is corrected: required then.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    reason: Option<String>,
}

impl Reported for MeasurementRow {
    type Report = measurement::Model;
    const OF: Target = Target::Kpi;
    const PART: &'static str = "text";
    const COLUMNS: &'static [Column] = &[
        Column::text("kpi", "/kpi", true),
        Column::text("period", "/period", true),
        Column::text("value", "/value", true),
        Column::text("note", "/note", false),
        Column::text("source_updated_at", "/source_updated_at", false),
        Column::text("reason", "/reason", false),
        Column::text("evidence_title", "/evidence/0/title", false),
        Column::text("evidence_url", "/evidence/0/url", false),
        Column::text("evidence_sha256", "/evidence/0/sha256", false),
    ];

    fn of(&self) -> &str {
        &self.kpi
    }

    fn part(&self) -> Period {
        self.period
    }

    fn changed_at(&self) -> Option<DateTime<Utc>> {
        self.source_updated_at
    }

    fn input(&self) -> MeasurementInput {
        MeasurementInput {
            value: self.value,
            note: self.note.clone(),
            evidence: self.evidence.clone(),
            source_updated_at: self.source_updated_at,
            provenance: self.provenance.clone(),
            reason: self.reason.clone(),
        }
    }

    fn says(&self, stored: &measurement::Model) -> bool {
        stored.value == self.value
            && stored.note == self.note
            && stored.evidence == json!(self.evidence)
            && stored.provenance == Provenance::stored(self.provenance.as_ref())
    }

    fn repeats(&self, other: &Self) -> bool {
        self.value == other.value
            && self.note == other.note
            && self.evidence == other.evidence
            && self.provenance == other.provenance
    }
}
