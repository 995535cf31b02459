//! A KPI: what is counted, in which unit, and which direction is better.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rules::kpi::{Bounds, Direction};
use crate::value::{decimal::Decimal, period::Frequency};

/// One row of `kpi`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "kpi")]
pub struct Model {
    /// The identifier: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The masterplan it belongs to.
    pub masterplan: String,
    /// The dimension it serves.
    pub dimension: String,
    /// The programme it measures.
    pub programme: Option<String>,
    /// The OPD that reports it.
    pub opd: String,
    /// Its name.
    pub name: String,
    /// What is counted.
    pub description: Option<String>,
    /// Kind of unit.
    pub unit_kind: UnitKind,
    /// The unit in words.
    pub unit_label: Option<String>,
    /// Which way is better.
    pub direction: Direction,
    /// How often it is measured.
    pub frequency: Frequency,
    /// Decimal places to show.
    pub decimals: i32,
    /// The least its values can be.
    pub minimum: Option<Decimal>,
    /// The greatest its values can be.
    pub maximum: Option<Decimal>,
    /// Period of the baseline.
    pub baseline_period: Option<String>,
    /// Value of the baseline.
    pub baseline_value: Option<Decimal>,
    /// Where the baseline comes from.
    pub baseline_provenance: Option<Json>,
    /// Where values come from.
    pub source: Option<String>,
    /// How values are made.
    pub method: Option<String>,
    /// Whether the public sees it.
    pub published: bool,
    /// Lower-cased text that `q=` looks through.
    pub search: String,
    /// Counts the writes; clients see it in the ETag.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row was last written.
    pub updated_at: DateTimeUtc,
}

/// What kind of unit a KPI is counted in: an index is not a percentage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// Parts of a hundred.
    Percent,
    /// A difference of two percentages.
    PercentagePoint,
    /// A number on a scale of its own, such as SPBE's 1 to 5.
    Index,
    /// How many: not negative.
    Count,
    /// Money.
    Currency,
    /// Something else, named by the label.
    Other,
}

impl Model {
    /// Between which values those of the KPI lie.
    pub fn bounds(&self) -> Bounds {
        Bounds { minimum: self.minimum.map(Decimal::inner), maximum: self.maximum.map(Decimal::inner) }
    }
}

impl ActiveModelBehavior for ActiveModel {}
