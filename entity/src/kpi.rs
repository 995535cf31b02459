//! KPIs: what is measured, in which unit, and which direction is better.

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
    /// The code that identifies the row. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The masterplan that the KPI belongs to.
    pub masterplan: String,
    /// The dimension that the KPI serves.
    pub dimension: String,
    /// The programme that the KPI measures.
    pub programme: Option<String>,
    /// The OPD that reports the KPI.
    pub opd: String,
    /// The name of the KPI.
    pub name: String,
    /// What the KPI measures.
    pub description: Option<String>,
    /// The kind of unit.
    pub unit_kind: UnitKind,
    /// The unit in words.
    pub unit_label: Option<String>,
    /// The direction in which the KPI should move.
    pub direction: Direction,
    /// How often the KPI is measured.
    pub frequency: Frequency,
    /// The number of decimals to show.
    pub decimals: i32,
    /// The least possible value.
    pub minimum: Option<Decimal>,
    /// The greatest possible value.
    pub maximum: Option<Decimal>,
    /// The period of the baseline.
    pub baseline_period: Option<String>,
    /// The value of the baseline.
    pub baseline_value: Option<Decimal>,
    /// The source of the baseline.
    pub baseline_provenance: Option<Json>,
    /// The source of the values.
    pub source: Option<String>,
    /// The method by which values are obtained.
    pub method: Option<String>,
    /// What Peraturan BPS 5/2020 wants to be known of an indicator beside the above.
    pub statistical_metadata: Option<Json>,
    /// Whether the row is published, so that it can be read without a login.
    pub published: bool,
    /// The text that the search parameter `q` looks through, in lower case.
    pub search: String,
    /// The version of the row: it grows by one with every write, and clients see it in the `ETag`.
    pub version: i32,
    /// When the row was created.
    pub created_at: DateTimeUtc,
    /// When the row was last changed.
    pub updated_at: DateTimeUtc,
}

/// What of a KPI those who report a measurement need: many at once are read at little cost.
#[derive(Clone, Debug, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Measured {
    /// The code of the KPI.
    pub code: String,
    /// The OPD that reports the KPI.
    pub opd: String,
    /// The kind of unit.
    pub unit_kind: UnitKind,
    /// How often the KPI is measured.
    pub frequency: Frequency,
    /// The least possible value.
    pub minimum: Option<Decimal>,
    /// The greatest possible value.
    pub maximum: Option<Decimal>,
}

/// Which values a KPI can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The kind of unit.
    pub unit_kind: UnitKind,
    /// How often the KPI is measured.
    pub frequency: Frequency,
    /// The least and the greatest possible value.
    pub bounds: Bounds,
}

/// The kind of unit in which a KPI is counted. An index is not a percentage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// A share in percent.
    Percent,
    /// A difference between two percentages, in percentage points.
    PercentagePoint,
    /// A number on a scale of its own, such as the scale from 1 to 5 of SPBE.
    Index,
    /// A count, which is not negative.
    Count,
    /// An amount of money.
    Currency,
    /// Another unit, which the label names.
    Other,
}

crate::labels! { UnitKind {
    Percent: "Per cent", "Persen";
    PercentagePoint: "Percentage points", "Poin persen";
    Index: "Index", "Indeks";
    Count: "Count", "Jumlah";
    Currency: "Currency", "Mata uang";
    Other: "Other unit", "Satuan lain";
} }

impl UnitKind {
    /// The measure (ukuran) of Peraturan BPS 5/2020, where the kind of unit tells it.
    pub fn measure(self) -> Option<&'static str> {
        match self {
            Self::Percent => Some("Persentase"),
            Self::PercentagePoint => Some("Poin persentase"),
            Self::Index => Some("Indeks"),
            Self::Count => Some("Jumlah"),
            Self::Currency | Self::Other => None,
        }
    }

    /// Its words, in their order.
    pub const WORDS: &'static [&'static str] = &["percent", "percentage_point", "index", "count", "currency", "other"];
}

impl Model {
    /// The bounds of the values of the KPI.
    pub fn bounds(&self) -> Bounds {
        bounds(self.minimum, self.maximum)
    }

    /// Which values the KPI can have.
    pub fn scale(&self) -> Scale {
        Scale { unit_kind: self.unit_kind, frequency: self.frequency, bounds: self.bounds() }
    }
}

impl Measured {
    /// Which values the KPI can have.
    pub fn scale(&self) -> Scale {
        Scale { unit_kind: self.unit_kind, frequency: self.frequency, bounds: bounds(self.minimum, self.maximum) }
    }
}

fn bounds(minimum: Option<Decimal>, maximum: Option<Decimal>) -> Bounds {
    Bounds { minimum: minimum.map(Decimal::inner), maximum: maximum.map(Decimal::inner) }
}

impl ActiveModelBehavior for ActiveModel {}
