//! `/v1/push/measurements`

use entity::measurement::Model;
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use entity::value::period::Period;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::reports::{Reported, compared};
use crate::http::schema;
use crate::resources::kpis::measurements::wire_types::MeasurementInput;
use crate::resources::provenance::Provenance;

/// The key of a measurement.
#[derive(ToSchema)]
#[expect(dead_code, reason = "its schema is what is used")]
struct MeasurementKey {
    /// The code of the KPI.
    kpi: Code,
    /// The period, in the frequency of the KPI.
    period: Period,
}

compared! {
    /// What of a stored measurement a row is compared with.
    ComparedMeasurement: kpi, period: String;
    value: Decimal, note: Option<String>, provenance: Option<Value>
}

impl Reported for Model {
    type Compared = ComparedMeasurement;

    fn key_schema() -> Value {
        schema::input::<MeasurementKey>()
    }

    fn said(stored: &ComparedMeasurement) -> Map<String, Value> {
        Map::from_iter([
            ("value".to_owned(), json!(stored.value)),
            ("note".to_owned(), json!(stored.note)),
            ("evidence".to_owned(), stored.evidence.clone()),
            ("source_updated_at".to_owned(), json!(stored.source_updated_at)),
            ("provenance".to_owned(), json!(Provenance::of(stored.provenance.as_ref()))),
        ])
    }

    fn content(input: &MeasurementInput) -> Value {
        json!([input.value, input.note, input.evidence, input.provenance])
    }
}
