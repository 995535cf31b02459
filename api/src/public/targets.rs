//! `/v1/public/targets`: the targets of all KPIs.

use entity::kpi_target::{self, TargetKind};
use entity::value::decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::parts::{Part, Words};
use crate::resources::kpis;
use crate::resources::provenance::Provenance;
use crate::store::kind::{Field, Kind, ValueType};

/// A target of a KPI for one period.
#[derive(Serialize, ToSchema)]
pub struct PublicTarget {
    /// The code of the KPI.
    #[schema(max_length = 64, example = "STUNTING")]
    kpi: String,
    /// The period at whose end the value is to be reached.
    #[schema(max_length = 7, example = "2024")]
    period: String,
    /// The value to reach, in the unit of the KPI.
    value: Decimal,
    /// How binding the target is.
    kind: TargetKind,
    /// The source of the target.
    provenance: Option<Provenance>,
}

impl Part for PublicTarget {
    type Entity = kpi_target::Entity;

    const OF: &'static Kind = &kpis::KIND;
    const COLUMN: Field = Field::sort("kpi", ValueType::Code);
    const PLACE: Field = Field::sort("period", ValueType::Text);
    const FIELDS: &'static [Field] = &[Field::filter("kind", ValueType::Choice(&["commitment", "aspiration"]))];
    const WORDS: Words = Words {
        path: "targets",
        schema: "PublicTarget",
        of_one: None,
        of_all: [
            "list_public_targets",
            "List the targets of all KPIs (public)",
            "The targets of the KPIs by period. The series of a KPI has them beside its baseline and its values.",
        ],
        page: "targets",
    };

    fn show(row: kpi_target::Model) -> Self {
        Self {
            provenance: Provenance::of(row.provenance.as_ref()),
            kpi: row.kpi,
            period: row.period,
            value: row.value,
            kind: row.kind,
        }
    }

    fn example() -> Vec<Value> {
        vec![json!({ "kpi": "STUNTING", "period": "2024", "value": "14", "kind": "aspiration", "provenance": null })]
    }
}
