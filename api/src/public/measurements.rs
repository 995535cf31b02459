//! `/v1/public/measurements`: the verified values of all KPIs.

use chrono::NaiveDate;
use entity::value::decimal::Decimal;
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, QueryFilter, Select};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::parts::{Part, Words};
use crate::resources::kpis;
use crate::resources::provenance::Provenance;
use crate::store::kind::{Field, Kind, ValueType};

/// The verified value of a KPI for one period.
#[derive(Serialize, ToSchema)]
pub struct PublicMeasurement {
    /// The code of the KPI.
    #[schema(max_length = 64, example = "STUNTING")]
    kpi: String,
    /// The period of the value.
    #[schema(max_length = 7, example = "2022")]
    period: String,
    /// The value, in the unit of the KPI.
    value: Decimal,
    /// The number of the revision: 1 for the first report of the period, one more for each correction.
    #[schema(minimum = 1, maximum = 2147483647)]
    revision: i32,
    /// The day from which the value counts.
    #[schema(max_length = 10)]
    known_on: Option<NaiveDate>,
    /// The source of the value.
    provenance: Option<Provenance>,
}

/// What of `measurement` this list shows: there may be a million rows, and the whole of each is several times as much.
#[allow(unreachable_pub, reason = "what the macro makes is public")]
mod row {
    use entity::value::decimal::Decimal;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "measurement")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub kpi: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub period: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub revision: i32,
        pub value: Decimal,
        pub known_on: Option<Date>,
        pub provenance: Option<Json>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Of each period, the last verified revision is in force. It is looked up row by row: PostgreSQL joins what is asked with `NOT EXISTS`, and
/// then reads the table from its beginning for each page.
const IS_IN_FORCE: &str = "measurement.state = 'verified' AND measurement.revision >= (SELECT MAX(later.revision) FROM measurement later \
    WHERE later.kpi = measurement.kpi AND later.period = measurement.period AND later.state = 'verified')";

impl Part for PublicMeasurement {
    type Entity = row::Entity;

    const OF: &'static Kind = &kpis::KIND;
    const COLUMN: Field = Field::sort("kpi", ValueType::Code);
    const PLACE: Field = Field::sort("period", ValueType::Text);
    const FIELDS: &'static [Field] = &[Field::filter("known_on", ValueType::Date)];
    const WORDS: Words = Words {
        path: "measurements",
        schema: "PublicMeasurement",
        of_one: None,
        of_all: [
            "list_public_measurements",
            "List the verified values of all KPIs (public)",
            "The verified value of each KPI for each period; where it was corrected, the last verified revision. The series of a KPI has \
             them beside its baseline and its targets.",
        ],
        page: "verified values",
    };

    fn rows(_: NaiveDate) -> Select<Self::Entity> {
        row::Entity::find().filter(Expr::cust(IS_IN_FORCE))
    }

    fn show(row: row::Model) -> Self {
        Self {
            provenance: Provenance::of(row.provenance.as_ref()),
            kpi: row.kpi,
            period: row.period,
            value: row.value,
            revision: row.revision,
            known_on: row.known_on,
        }
    }

    fn example() -> Vec<Value> {
        vec![json!({
            "kpi": "STUNTING", "period": "2022", "value": "22.9", "revision": 1, "known_on": "2022-10-04", "provenance": null,
        })]
    }
}
