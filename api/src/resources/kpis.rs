//! `/v1/kpis`

pub mod coverage_method;
pub mod measurements;
pub mod targets;

use entity::kpi::{self, UnitKind};
use entity::rules::kpi::Direction;
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use entity::value::period::{Frequency, Period};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::provenance::Provenance;
use super::references::Target;
use super::resource::{Names, Reference, Resource, code};
use crate::auth::permissions::EditCatalogue;
use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, Fault, codes};
use crate::store::change::Change;
use crate::store::listing::{Field, Kind};

/// A KPI: what is counted, in which unit, and which direction is better.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Kpi {
    /// The masterplan it belongs to.
    pub masterplan: Code,
    /// The dimension it serves.
    pub dimension: Code,
    /// The programme it measures.
    pub programme: Option<Code>,
    /// The OPD that reports it.
    pub opd: Code,
    /// Its name.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub name: String,
    /// What is counted.
    #[schema(max_length = 10000)]
    pub description: Option<String>,
    /// The unit: an index is not a percentage.
    pub unit: Unit,
    /// Which way is better.
    pub direction: Direction,
    /// How often it is measured; periods of targets and measurements are of this kind.
    pub frequency: Frequency,
    /// Decimal places to show, none in a new one where this is absent. Values are kept as exact as they come.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 12, example = 1)]
    pub decimals: i32,
    /// Where it started.
    pub baseline: Option<Baseline>,
    /// Where values come from.
    #[schema(max_length = 1000)]
    pub source: Option<String>,
    /// How values are made.
    #[schema(max_length = 1000)]
    pub method: Option<String>,
    /// Whether the public sees it: a new one only where this is `true`.
    #[serde(default)]
    pub published: bool,
}

/// The unit of a KPI.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KpiUnit)]
pub struct Unit {
    /// What kind of unit: `percent` takes 0 to 100, `count` whole numbers from 0.
    pub kind: UnitKind,
    /// The unit in words; required for `other`.
    #[schema(max_length = 64, example = "desa")]
    pub label: Option<String>,
}

/// Where a KPI started.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KpiBaseline)]
pub struct Baseline {
    /// The period, of the KPI's frequency.
    pub period: Period,
    /// The value.
    pub value: Decimal,
    /// Where it comes from.
    pub provenance: Option<Provenance>,
}

/// Why a value cannot be one of this unit.
pub fn outside_range(kind: UnitKind, value: Decimal) -> Option<Text> {
    let value = value.inner();
    match kind {
        UnitKind::Percent if value.is_sign_negative() || value > 100.into() => {
            Some(Text::new("A percentage is from 0 to 100.", "Persentase dari 0 sampai 100."))
        }
        UnitKind::Count if value.is_sign_negative() || !value.fract().is_zero() => {
            Some(Text::new("A count is a whole number from 0.", "Jumlah adalah bilangan bulat mulai 0."))
        }
        _ => None,
    }
}

/// Every fault of a value for one period of a KPI.
pub fn value_faults(kpi: &kpi::Model, period: Period, period_pointer: &str, value: Decimal, value_pointer: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    faults.extend(wrong_frequency(kpi.frequency, period, period_pointer));
    faults.extend(outside_range(kpi.unit_kind, value).map(|text| Fault::at(value_pointer, "outside_range", text)));
    faults
}

fn wrong_frequency(frequency: Frequency, period: Period, pointer: &str) -> Option<Fault> {
    let (form, bentuk) = match frequency {
        Frequency::Yearly => ("yearly: `2022`", "tahunan: `2022`"),
        Frequency::Quarterly => ("quarterly: `2022-Q3`", "triwulanan: `2022-Q3`"),
        Frequency::Monthly => ("monthly: `2022-09`", "bulanan: `2022-09`"),
    };
    let text = || Text::new(format!("This KPI is {form}."), format!("Indikator ini {bentuk}."));
    (period.frequency() != frequency).then(|| Fault::at(pointer, "wrong_frequency", text()))
}

/// The KPI called `code`.
pub async fn require(db: &impl sea_orm::ConnectionTrait, code: &str) -> ApiResult<kpi::Model> {
    kpi::Entity::find_by_id(code).one(db).await?.ok_or_else(|| ApiError::not_found("KPI", code))
}

/// The period in a path: 404 where it can be none.
pub fn period_of(text: &str) -> ApiResult<Period> {
    Period::parse(text).map_err(|_| {
        ApiError::new(codes::NOT_FOUND).detail(
            format!("`{text}` is no period: 2022, 2022-Q3 or 2022-09."),
            format!("`{text}` bukan periode: 2022, 2022-Q3, atau 2022-09."),
        )
    })
}

impl Resource for Kpi {
    const NAMES: Names = Names {
        one: "kpi",
        many: "kpis",
        spoken: "KPI",
        plural: "KPIs",
        about: "KPIs: what is counted, in which unit, which direction is better, and where it started.",
    };
    const FIELDS: &'static [Field] = &[
        Field::sort("masterplan", Kind::Code),
        Field::sort("dimension", Kind::Code),
        Field::filter("programme", Kind::Code),
        Field::sort("opd", Kind::Code),
        Field::filter("direction", Kind::Choice(&["increase", "decrease"])),
        Field::filter("frequency", Kind::Choice(&["yearly", "quarterly", "monthly"])),
        Field::sort("decimals", Kind::Integer),
        Field::filter("published", Kind::Flag),
        Field::sort("name", Kind::Text),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference::one("masterplan", Target::Masterplan),
        Reference::one("dimension", Target::Dimension),
        Reference::one("programme", Target::Programme),
        Reference::one("opd", Target::Opd),
    ];
    type Entity = kpi::Entity;
    type Write = EditCatalogue;

    fn example() -> Value {
        json!({
            "code": "STUNTING", "masterplan": "KLU-SC", "dimension": "living", "programme": "SL-01", "opd": "DINKES",
            "name": "Prevalensi stunting", "unit": { "kind": "percent", "label": "persen" }, "direction": "decrease", "frequency": "yearly",
            "decimals": 1, "baseline": { "period": "2021", "value": "28.3" }, "published": true,
        })
    }

    fn of(row: &kpi::Model) -> Self {
        let period = row.baseline_period.as_deref().and_then(|period| Period::parse(period).ok());
        let baseline = period.zip(row.baseline_value).map(|(period, value)| Baseline {
            period,
            value,
            provenance: Provenance::of(row.baseline_provenance.as_ref()),
        });
        Self {
            masterplan: code(&row.masterplan),
            dimension: code(&row.dimension),
            programme: row.programme.as_deref().map(code),
            opd: code(&row.opd),
            name: row.name.clone(),
            description: row.description.clone(),
            unit: Unit { kind: row.unit_kind, label: row.unit_label.clone() },
            direction: row.direction,
            frequency: row.frequency,
            decimals: row.decimals,
            baseline,
            source: row.source.clone(),
            method: row.method.clone(),
            published: row.published,
        }
    }

    fn into_row(self) -> kpi::ActiveModel {
        let (period, value, provenance) = match self.baseline {
            Some(baseline) => {
                (Some(baseline.period.to_string()), Some(baseline.value), Provenance::stored(baseline.provenance.as_ref()))
            }
            None => (None, None, None),
        };
        kpi::ActiveModel {
            masterplan: Set(self.masterplan.to_string()),
            dimension: Set(self.dimension.to_string()),
            programme: Set(self.programme.map(|code| code.to_string())),
            opd: Set(self.opd.to_string()),
            name: Set(self.name),
            description: Set(self.description),
            unit_kind: Set(self.unit.kind),
            unit_label: Set(self.unit.label),
            direction: Set(self.direction),
            frequency: Set(self.frequency),
            decimals: Set(self.decimals),
            baseline_period: Set(period),
            baseline_value: Set(value),
            baseline_provenance: Set(provenance),
            source: Set(self.source),
            method: Set(self.method),
            published: Set(self.published),
            code: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name, self.description.as_deref().unwrap_or_default()]
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.opd)
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.unit.kind == UnitKind::Other && self.unit.label.is_none() {
            faults.push(Fault::at("/unit/label", "required", Text::new("The unit in words.", "Satuan dalam kata-kata.")));
        }
        if let Some(baseline) = &self.baseline {
            faults.extend(wrong_frequency(self.frequency, baseline.period, "/baseline/period"));
            faults.extend(
                outside_range(self.unit.kind, baseline.value).map(|text| Fault::at("/baseline/value", "outside_range", text)),
            );
        }
        faults
    }

    /// The frequency and the kind of unit hold for all values there are.
    async fn check(&self, change: &Change, code: &str, before: Option<&kpi::Model>) -> ApiResult<()> {
        let Some(before) = before else { return Ok(()) };
        if before.frequency == self.frequency && before.unit_kind == self.unit.kind {
            return Ok(());
        }
        let targets = entity::kpi_target::Entity::find().filter(entity::kpi_target::Column::Kpi.eq(code)).one(&change.db).await?;
        let measurements =
            entity::measurement::Entity::find().filter(entity::measurement::Column::Kpi.eq(code)).one(&change.db).await?;
        if targets.is_none() && measurements.is_none() {
            return Ok(());
        }
        Err(ApiError::new(codes::CONFLICT).detail(
            "It has targets or measurements: `frequency` and `unit.kind` can no longer change.",
            "Sudah ada target atau capaian: `frequency` dan `unit.kind` tidak dapat diubah lagi.",
        ))
    }
}
