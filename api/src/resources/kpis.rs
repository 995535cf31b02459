//! `/v1/kpis`

pub mod coverage_method;
mod existing;
pub mod measurements;
pub mod statistical_metadata;
pub mod targets;

use chrono::NaiveDate;
use entity::kpi::{self, Scale, UnitKind};
use entity::rules::kpi::{Bounds, Direction};
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use entity::value::period::{Frequency, Period};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use self::statistical_metadata::StatisticalMetadata;
use super::association::PROGRAMME;
use super::provenance::Provenance;
use super::{dimensions, masterplans, opds, programmes};
use crate::auth::permissions::EditCatalogue;
use crate::crud::members::{MemberValue, Parts, members};
use crate::crud::resource::{Check, Hooks, Resource};
use crate::crud::typed::kind_of;
use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::store::kind::{BeforeFirst, Kind, Names, Own, PartColumn, ValueType};
use crate::store::transaction::WriteTransaction;

/// The kind.
pub static KIND: Kind = kind_of::<Kpi>(Names {
    one: "kpi",
    many: "kpis",
    spoken: "KPI",
    plural: "KPIs",
    indonesian: "KPI",
    schema: "Kpi",
    about: "KPIs: what is counted, in which unit, which direction is better, and where it started.",
})
.public_with(Own::Published, "masterplan")
.with_snapshots(BeforeFirst::Absent);

members! {
    /// A KPI: what is counted, in which unit, and which direction is better.
    pub struct Kpi of kpi by code {
        /// The masterplan it belongs to.
        pub masterplan: Code = column.refers(&masterplans::KIND).sort().public().label("Masterplan", "Masterplan", "Masterplan yang memuatnya."),
        /// The dimension it serves.
        pub dimension: Code = column.refers(&dimensions::KIND).sort().public().label("Dimension", "Dimensi", "Dimensi yang dilayaninya."),
        /// The programme it measures.
        pub programme: Option<Code> = column.refers(&programmes::KIND).filter().public().label("Programme", "Program", "Program yang diukurnya."),
        /// The OPD that reports it.
        pub opd: Code = column.refers(&opds::KIND).sort().public().label("OPD", "OPD", "OPD pelapor."),
        /// The name of the KPI.
        #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub name: String = column.sort().public().label("Name", "Nama", "Nama indikator."),
        /// What is counted.
        #[schema(max_length = 10000)]
        pub description: Option<String> = column.public().label("Description", "Deskripsi", "Apa yang dihitung."),
        /// The unit: an index is not a percentage.
        pub unit: Unit = parts.public().label("Unit", "Satuan", "Satuan; indeks bukan persentase."),
        /// The direction in which values get better.
        pub direction: Direction = column.filter().public().label("Direction", "Arah", "Arah yang lebih baik."),
        /// How often it is measured; periods of targets and measurements are of this kind.
        pub frequency: Frequency = column.filter().public().label("Frequency", "Frekuensi", "Seberapa sering diukur; menentukan jenis periode."),
        /// Decimal places to show, none in a new one where this is absent. Values are kept as exact as they come.
        #[serde(default)]
        #[schema(minimum = 0, maximum = 12, example = 1)]
        pub decimals: i32 = column.sort().public().label("Decimals", "Desimal", "Jumlah desimal yang ditampilkan; nilai disimpan setepat aslinya."),
        /// The least its values, targets and baseline can be; null for no bound. In the whole body of a `percent`, which `POST` and
        /// `PUT` send, 0 where it is absent. It may change at any time to a bound that holds all of them.
        pub minimum: Option<Decimal> = column.sort().public().label("Minimum", "Minimum", "Nilai terkecil yang mungkin; null bila tanpa batas."),
        /// The greatest they can be; null for no bound. In the whole body of a `percent` 100 where it is absent: a realisation of 104.5
        /// percent of a plan needs `null`, or more.
        pub maximum: Option<Decimal> = column.sort().public().label("Maximum", "Maksimum", "Nilai terbesar yang mungkin; null bila tanpa batas."),
        /// The value and period from which it started; targets lie on its better side, by `direction`, or at it.
        pub baseline: Option<Baseline> = parts.public().label("Baseline", "Nilai awal", "Nilai dan periode awal."),
        /// The source of its values.
        #[schema(max_length = 1000)]
        pub source: Option<String> = column.public().label("Source", "Sumber data", "Sumber nilai."),
        /// The method by which its values are made.
        #[schema(max_length = 1000)]
        pub method: Option<String> = column.public().label("Method", "Metode", "Cara memperoleh nilai."),
        /// What Peraturan BPS 5/2020 wants to be known of an indicator (MS-Ind) beside what the KPI says already. The public reads it under
        /// `/v1/public/kpis/{code}/metadata`.
        pub statistical_metadata: Option<StatisticalMetadata> = column.public().label("Statistical metadata", "Metadata statistik", "Keterangan indikator menurut Peraturan BPS 5/2020."),
        /// Whether the public sees it: a new one only where this is `true`.
        #[serde(default)]
        pub published: bool = column.filter().label("Published", "Diterbitkan", "Apakah publik dapat melihatnya; yang baru hanya bila `true`."),
    }
}

/// The unit of a KPI.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KpiUnit)]
pub struct Unit {
    /// What kind of unit: `count` takes whole numbers from 0. What else values can be, `minimum` and `maximum` say.
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

impl Parts<kpi::Entity> for Unit {
    const COLUMNS: &'static [PartColumn] = &[
        PartColumn { name: "unit_kind", part: "kind", value: ValueType::Choice(UnitKind::WORDS) },
        PartColumn { name: "unit_label", part: "label", value: ValueType::Text },
    ];

    fn load(row: &kpi::Model) -> Self {
        Self { kind: row.unit_kind, label: row.unit_label.clone() }
    }

    fn store(self, row: &mut kpi::ActiveModel) {
        row.unit_kind = Set(self.kind);
        row.unit_label = Set(self.label);
    }
}

impl Parts<kpi::Entity> for Option<Baseline> {
    const IS_NULLABLE: bool = true;
    const COLUMNS: &'static [PartColumn] = &[
        PartColumn { name: "baseline_period", part: "period", value: ValueType::Text },
        PartColumn { name: "baseline_value", part: "value", value: ValueType::Decimal },
        PartColumn { name: "baseline_provenance", part: "provenance", value: ValueType::Json },
    ];

    fn load(row: &kpi::Model) -> Self {
        let period = row.baseline_period.as_deref().and_then(|period| Period::parse(period).ok());
        let provenance = || MemberValue::load(&row.baseline_provenance);
        period.zip(row.baseline_value).map(|(period, value)| Baseline { period, value, provenance: provenance() })
    }

    fn store(self, row: &mut kpi::ActiveModel) {
        row.baseline_period = Set(self.as_ref().map(|baseline| baseline.period.to_string()));
        row.baseline_value = Set(self.as_ref().map(|baseline| baseline.value));
        row.baseline_provenance = Set(self.and_then(|baseline| baseline.provenance.store()));
    }
}

impl Kpi {
    /// Between which values those of it lie.
    fn bounds(&self) -> Bounds {
        Bounds { minimum: self.minimum.map(Decimal::inner), maximum: self.maximum.map(Decimal::inner) }
    }
}

/// Why a value cannot be one of this unit, or of a KPI with these bounds.
pub fn outside_range(kind: UnitKind, bounds: Bounds, value: Decimal) -> Option<Text> {
    let value = value.inner();
    if kind == UnitKind::Count && (value.is_sign_negative() || !value.fract().is_zero()) {
        return Some(Text::new("A count is a whole number from 0.", "Jumlah adalah bilangan bulat mulai 0."));
    }
    (!bounds.contain(value)).then(|| {
        Text::new(
            format!("Values of this KPI are {bounds}: its `minimum` and `maximum`."),
            format!("Nilai indikator ini {}: `minimum` dan `maximum`-nya.", allowed_id(bounds)),
        )
    })
}

/// What bounds allow, in Indonesian.
fn allowed_id(bounds: Bounds) -> String {
    match (bounds.minimum, bounds.maximum) {
        (Some(least), Some(most)) => format!("dari {least} sampai {most}"),
        (Some(least), None) => format!("paling sedikit {least}"),
        (None, Some(most)) => format!("paling banyak {most}"),
        (None, None) => "bebas".to_owned(),
    }
}

/// Every field error of a value for one period of a KPI.
pub fn value_field_errors(
    scale: Scale,
    period: Period,
    period_pointer: &str,
    value: Decimal,
    value_pointer: &str,
) -> Vec<FieldError> {
    let mut field_errors = Vec::new();
    field_errors.extend(wrong_frequency(scale.frequency, period, period_pointer));
    let text = outside_range(scale.unit_kind, scale.bounds, value);
    field_errors.extend(text.map(|text| FieldError::at(value_pointer, "outside_range", text)));
    field_errors
}

/// The field error of a report for a period that has not begun: nothing can be known of it yet.
pub fn not_begun(period: Period, today: NaiveDate, pointer: &str) -> Option<FieldError> {
    let start = period.start();
    let text = || {
        Text::new(
            format!("{period} begins on {start}, and today is {today}: nothing is reported of a period before it has begun."),
            format!("{period} mulai {start}, sedangkan hari ini {today}: periode yang belum mulai tidak dapat dilaporkan."),
        )
    };
    (!period.has_begun(today)).then(|| FieldError::at(pointer, "period_not_begun", text()))
}

/// The field error of a target that lies on the wrong side of the baseline.
pub fn against_direction(kpi: &kpi::Model, target: Decimal, pointer: &str) -> Option<FieldError> {
    let baseline = kpi.baseline_value?;
    if !kpi.direction.is_against(baseline.inner(), target.inner()) {
        return None;
    }
    let (en, id) = match kpi.direction {
        Direction::Increase => ("increase: a target is not below the baseline", "naik: target tidak di bawah nilai awal"),
        Direction::Decrease => ("decrease: a target is not above the baseline", "turun: target tidak di atas nilai awal"),
    };
    let text = Text::new(format!("This KPI should {en}, {baseline}."), format!("Indikator ini seharusnya {id}, {baseline}."));
    Some(FieldError::at(pointer, "against_direction", text))
}

fn wrong_frequency(frequency: Frequency, period: Period, pointer: &str) -> Option<FieldError> {
    let (form, bentuk) = match frequency {
        Frequency::Yearly => ("yearly: `2022`", "tahunan: `2022`"),
        Frequency::Semesterly => ("semesterly: `2022-S1`", "semesteran: `2022-S1`"),
        Frequency::Quarterly => ("quarterly: `2022-Q3`", "triwulanan: `2022-Q3`"),
        Frequency::Monthly => ("monthly: `2022-09`", "bulanan: `2022-09`"),
    };
    let text = || Text::new(format!("This KPI is {form}."), format!("Indikator ini {bentuk}."));
    (period.frequency() != frequency).then(|| FieldError::at(pointer, "wrong_frequency", text()))
}

/// The KPI called `code`.
pub async fn require(db: &impl sea_orm::ConnectionTrait, code: &str) -> ApiResult<kpi::Model> {
    kpi::Entity::find_by_id(code).one(db).await?.ok_or_else(|| ApiError::not_found(&KIND, code))
}

/// A period in a path, for the document.
pub fn period_parameter() -> (Value, &'static str) {
    (
        json!({ "type": "string", "maxLength": 7, "pattern": Period::PATTERN, "example": "2022" }),
        "A period: `2022`, `2022-S1`, `2022-Q3` or `2022-09`.",
    )
}

/// The period in a path: 404 where it can be none.
pub fn period_of(text: &str) -> ApiResult<Period> {
    Period::parse(text).map_err(|_| {
        ApiError::new(codes::NOT_FOUND).detail(
            format!("`{text}` is no period: 2022, 2022-S1, 2022-Q3 or 2022-09."),
            format!("`{text}` bukan periode: 2022, 2022-S1, 2022-Q3, atau 2022-09."),
        )
    })
}

impl Resource for Kpi {
    const KIND: &'static Kind = &KIND;
    type Write = EditCatalogue;
    type ReadOnly = ();
    type Computed = ();
    const HOOKS: Hooks<Self> = Hooks::NONE.check().attached_to(&programmes::KIND, &PROGRAMME);

    fn example() -> Value {
        json!({
            "code": "STUNTING", "masterplan": "KLU-SC", "dimension": "living", "programme": "SL-01", "opd": "DINKES",
            "name": "Prevalensi stunting", "unit": { "kind": "percent", "label": "persen" }, "direction": "decrease", "frequency": "yearly",
            "decimals": 1, "minimum": "0", "maximum": "100", "baseline": { "period": "2021", "value": "28.3" }, "published": true,
        })
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name, self.description.as_deref().unwrap_or_default()]
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.opd)
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let mut field_errors = Vec::new();
        if self.unit.kind == UnitKind::Other && self.unit.label.is_none() {
            field_errors.push(FieldError::at(
                "/unit/label",
                "required",
                Text::new("The unit in words.", "Satuan dalam kata-kata."),
            ));
        }
        if self.minimum.zip(self.maximum).is_some_and(|(minimum, maximum)| maximum < minimum) {
            let text = Text::new("Not less than `minimum`.", "Tidak kurang dari `minimum`.");
            field_errors.push(FieldError::at("/maximum", "outside_range", text));
            return field_errors;
        }
        if let Some(baseline) = &self.baseline {
            field_errors.extend(wrong_frequency(self.frequency, baseline.period, "/baseline/period"));
            let text = outside_range(self.unit.kind, self.bounds(), baseline.value);
            field_errors.extend(text.map(|text| FieldError::at("/baseline/value", "outside_range", text)));
        }
        field_errors
    }

    /// A percentage is from 0 to 100 where nothing else is said.
    fn complete(whole: &mut Value) {
        let is_percent = whole.pointer("/unit/kind").is_some_and(|kind| kind == "percent");
        let Some(members) = whole.as_object_mut().filter(|_| is_percent) else { return };
        for (bound, value) in [("minimum", "0"), ("maximum", "100")] {
            members.entry(bound).or_insert(json!(value));
        }
    }
}

impl Check for Kpi {
    /// The frequency and the kind of unit hold for all values there are, bounds, direction and baseline for those that stand.
    async fn check(&self, transaction: &WriteTransaction, code: &str, before: Option<&kpi::Model>) -> ApiResult<()> {
        let Some(before) = before else { return Ok(()) };
        existing::must_agree(self, transaction, code, before).await?;
        if before.frequency == self.frequency && before.unit_kind == self.unit.kind {
            return Ok(());
        }
        let targets =
            entity::kpi_target::Entity::find().filter(entity::kpi_target::Column::Kpi.eq(code)).one(&transaction.db).await?;
        let measurements =
            entity::measurement::Entity::find().filter(entity::measurement::Column::Kpi.eq(code)).one(&transaction.db).await?;
        if targets.is_none() && measurements.is_none() {
            return Ok(());
        }
        Err(ApiError::new(codes::CONFLICT).detail(
            "It has targets or measurements: `frequency` and `unit.kind` can no longer change.",
            "Sudah ada target atau capaian: `frequency` dan `unit.kind` tidak dapat diubah lagi.",
        ))
    }
}
