//! `/v1/public/coverage` and `/v1/public/programmes/{code}/coverage`

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::coverage::{self, CoverageStatus};
use entity::region;
use futures_util::future::LocalBoxFuture;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::parts::{Part, Words};
use crate::http::problem::ApiResult;
use crate::resources::programmes;
use crate::resources::programmes::coverage::is_last_on;
use crate::store::kind::{Field, Kind, ValueType};
use crate::store::rows::Executor;

/// What a programme has in a village.
#[derive(Serialize, ToSchema)]
pub struct PublicCoverage {
    /// The code of the programme.
    #[schema(max_length = 64, example = "SV-01")]
    programme: String,
    /// The village.
    #[schema(max_length = 64, example = "52.08.04.2006")]
    region: String,
    /// The name of the village.
    #[schema(max_length = 200, example = "Senaru")]
    region_name: String,
    /// What is there.
    status: CoverageStatus,
    /// The first day on which it held.
    #[schema(max_length = 10)]
    effective_on: NaiveDate,
}

impl Part for PublicCoverage {
    type Entity = coverage::Entity;

    const OF: &'static Kind = &programmes::KIND;
    const COLUMN: Field = Field::sort("programme", ValueType::Code);
    const PLACE: Field = Field::sort("region", ValueType::Code);
    const FIELDS: &'static [Field] = &[Field::filter("status", ValueType::Choice(&["planned", "built"]))];
    const HAS_PAST: bool = true;
    const WORDS: Words = Words {
        path: "coverage",
        schema: "PublicCoverage",
        of_one: Some([
            "/v1/public/programmes/{code}/coverage",
            "list_public_coverage",
            "Villages that a programme reaches (public)",
            "What the programme has in each village at the end of a day.",
        ]),
        of_all: [
            "list_all_public_coverage",
            "Villages that the programmes reach (public)",
            "What each programme has in each village at the end of a day.",
        ],
        page: "the coverage",
    };

    fn rows(day: NaiveDate) -> Select<Self::Entity> {
        coverage::Entity::find().filter(coverage::Column::EffectiveOn.lte(day)).filter(Expr::cust(is_last_on(day)))
    }

    fn show(row: coverage::Model) -> Self {
        Self {
            programme: row.programme,
            region: row.region,
            region_name: String::new(),
            status: row.status,
            effective_on: row.effective_on,
        }
    }

    fn complete<'a>(db: &'a Executor<'a>, mut shown: Vec<Self>) -> LocalBoxFuture<'a, ApiResult<Vec<Self>>> {
        Box::pin(async move {
            let villages = region::Entity::find().filter(region::Column::Code.is_in(shown.iter().map(|row| &row.region)));
            let names = villages.all(db).await?.into_iter().map(|village| (village.code, village.name));
            let names = names.collect::<BTreeMap<_, _>>();
            for row in &mut shown {
                row.region_name = names.get(&row.region).cloned().unwrap_or_default();
            }
            Ok(shown)
        })
    }

    fn example() -> Vec<Value> {
        vec![json!({
            "programme": "SV-01", "region": "52.08.04.2006", "region_name": "Senaru", "status": "built", "effective_on": "2022-12-20",
        })]
    }
}
