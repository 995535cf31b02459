//! `/v1/push/measurements`

use chrono::{DateTime, Utc};
use entity::measurement::{Model, ReportState};
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use entity::value::period::Period;
use sea_orm::FromQueryResult;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::reports::{Compared, Reported};
use crate::http::schema;
use crate::resources::kpis::measurements::wire_types::MeasurementInput;
use crate::resources::provenance::Provenance;
use crate::resources::reporting::ReportKey;

/// The key of a measurement.
#[derive(ToSchema)]
#[expect(dead_code, reason = "its schema is what is used")]
struct MeasurementKey {
    /// The code of the KPI.
    kpi: Code,
    /// The period, in the frequency of the KPI.
    period: Period,
}

/// What of a stored measurement a row is compared with.
#[derive(FromQueryResult)]
pub(super) struct ComparedMeasurement {
    kpi: String,
    period: String,
    revision: i32,
    value: Decimal,
    note: Option<String>,
    evidence: Value,
    source_updated_at: Option<DateTime<Utc>>,
    provenance: Option<Value>,
    state: ReportState,
}

impl Compared for ComparedMeasurement {
    const COLUMNS: &'static [&'static str] =
        &["kpi", "period", "revision", "value", "note", "evidence", "source_updated_at", "provenance", "state"];

    fn place(&self) -> ReportKey {
        ReportKey { of: self.kpi.clone(), part: self.period.clone() }
    }

    fn state(&self) -> ReportState {
        self.state
    }

    fn revision(&self) -> i32 {
        self.revision
    }

    fn changed_at(&self) -> Option<DateTime<Utc>> {
        self.source_updated_at
    }

    fn said(&self) -> Map<String, Value> {
        Map::from_iter([
            ("value".to_owned(), json!(self.value)),
            ("note".to_owned(), json!(self.note)),
            ("evidence".to_owned(), self.evidence.clone()),
            ("source_updated_at".to_owned(), json!(self.source_updated_at)),
            ("provenance".to_owned(), json!(Provenance::of(self.provenance.as_ref()))),
        ])
    }
}

impl Reported for Model {
    fn key_schema() -> Value {
        schema::input::<MeasurementKey>()
    }

    type Compared = ComparedMeasurement;

    fn compared(&self) -> ComparedMeasurement {
        ComparedMeasurement {
            kpi: self.kpi.clone(),
            period: self.period.clone(),
            revision: self.revision,
            value: self.value,
            note: self.note.clone(),
            evidence: self.evidence.clone(),
            source_updated_at: self.source_updated_at,
            provenance: self.provenance.clone(),
            state: self.state,
        }
    }

    fn content(input: &MeasurementInput) -> Value {
        json!([input.value, input.note, input.evidence, input.provenance])
    }
}
