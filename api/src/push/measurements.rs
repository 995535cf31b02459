//! `/v1/push/measurements`

use entity::measurement::Model;
use entity::value::code::Code;
use entity::value::period::Period;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::reports::Reported;
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

impl Reported for Model {
    fn key_schema() -> Value {
        schema::input::<MeasurementKey>()
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

    fn content(input: &MeasurementInput) -> Value {
        json!([input.value, input.note, input.evidence, input.provenance])
    }
}
