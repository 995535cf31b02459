//! The standing of a KPI: its latest verified value against its baseline and targets, as of any day, with the reasons.

use crate::resources::kpis;
use crate::resources::kpis::targets;
use crate::resources::{dimensions, masterplans, opds, programmes};
use crate::store::kind::{BeforeFirst, Kind, Scope};
use std::collections::HashMap;

use chrono::NaiveDate;
use entity::kpi_target::{self, TargetKind};
use entity::rules::age::{self, Age};
use entity::rules::explanation::Explanation as Explained;
use entity::rules::kpi::{self as rules, Bounds, Direction, Point, Standing};
use entity::rules::projection::{self, Confidence};
use entity::rules::reason::{Reason, ReasonCode};
use entity::rules::spbe::{self, SpbePredicate};
use entity::value::decimal::{Decimal, Percent};
use entity::value::period::{Frequency, Period};
use sea_orm::sea_query::Value;
use sea_orm::{ActiveEnum, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, Statement};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::language::Language;
use crate::http::problem::{ApiError, ApiResult};
use crate::resources::explanation::{Explanation, InLanguage};
use crate::resources::kpis::Unit;
use crate::store::scope;
use crate::store::snapshots::AsOf;

/// The standing of a KPI at the end of a day.
#[derive(Serialize, ToSchema)]
pub struct KpiStanding {
    /// The code of the KPI.
    #[schema(max_length = 64, example = "STUNTING")]
    pub(super) kpi: String,
    /// The name of the KPI.
    #[schema(max_length = 300)]
    pub(super) name: String,
    /// The unit of the values.
    pub(super) unit: Unit,
    /// The direction in which the KPI should move.
    pub(super) direction: Direction,
    /// How often the KPI is measured.
    pub(super) frequency: Frequency,
    /// The day as of whose end the figures hold.
    #[schema(max_length = 10)]
    pub(super) as_of: NaiveDate,
    /// The value from which the KPI starts.
    pub(super) baseline: Option<PeriodValue>,
    /// The latest verified value that was known on that day, of a period that has begun by then.
    pub(super) latest: Option<PeriodValue>,
    /// The target that applies to the period of the latest value, or to the period of the day if there is no value. It is the
    /// target of that period or, if the period has none, the point on the straight line between its neighbours among the baseline
    /// and the targets. After the last target, the last target continues to apply.
    pub(super) target: Option<ApplicableTarget>,
    /// All targets, in the order of their periods.
    #[schema(max_items = 3600)]
    pub(super) targets: Vec<TargetValue>,
    /// The achievement in percent, as in SAKIP. `increase`: (1 + (actual − target) ÷ |target|) × 100, which is actual ÷ target ×
    /// 100 for a positive target. `decrease`: (1 + (target − actual) ÷ |target|) × 100, which is (2 × target − actual) ÷ target ×
    /// 100 for a positive target. It is never below 0, it is not capped above, and it is at least 100 exactly if the target is
    /// met. With a target of 0 it is 100 if the target is met, else null.
    pub(super) achievement: Option<Percent>,
    /// The share of the whole way that is done, in percent: (actual − baseline) ÷ (final target − baseline) × 100. It is negative
    /// if the KPI moves away from the target, and at least 100 exactly if the final target is met. Null if the final target
    /// equals the baseline or lies on the wrong side of it; the explanation then says so.
    pub(super) progress: Option<Percent>,
    /// The standing, by the ratio (actual − baseline) ÷ (applicable target − baseline): `on_track` from 0.95, `at_risk` from
    /// 0.60, `off_track` from 0, else `regressed`. It is `achieved` if the final target is met, and `no_data` without a verified
    /// value or without a target.
    pub(super) standing: Standing,
    /// The projection: the rate from the baseline to the latest value, continued in a straight line.
    pub(super) projected: Option<Projected>,
    /// The change that is still needed in each period: (final target − actual) ÷ periods left, in the unit of the KPI.
    pub(super) required_pace: Option<Decimal>,
    /// The predicate of the latest value, for the SPBE index (Permenpan-RB 59/2020); null for other KPIs.
    pub(super) predicate: Option<SpbePredicate>,
    /// The predicate of the applicable target, for the SPBE index; null for other KPIs.
    pub(super) target_predicate: Option<SpbePredicate>,
    /// How old the data is.
    pub(super) age: DataAge,
    /// The rule, the inputs and the steps, enough to compute the standing by hand.
    explanation: Explanation,
}

impl InLanguage for KpiStanding {
    fn speak(&mut self, language: Language) {
        self.explanation.speak(language);
    }
}

/// How old the data of a KPI is.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub struct DataAge {
    /// The number of periods that have ended after the period of the latest verified value, or of the baseline if there is no
    /// value; null if there is neither. A period has ended on the day after its last one.
    #[schema(required = true, minimum = 0, maximum = 2147483647, example = 0)]
    periods: Option<u32>,
    /// The day on which the value of the first of these periods was due: the 10th of the month after it. Null if none has ended.
    #[schema(required = true, max_length = 10, example = "2024-01-10")]
    due_on: Option<NaiveDate>,
    /// Whether that day has passed, so that the standing rests on old data.
    stale: bool,
}

impl From<Age> for DataAge {
    fn from(Age { periods, due_on, stale }: Age) -> Self {
        Self { periods, due_on, stale }
    }
}

/// A value at the end of a period.
#[derive(Clone, Serialize, ToSchema)]
pub struct PeriodValue {
    /// The period at whose end the value holds.
    period: Period,
    /// The value, in the unit of the KPI.
    value: Decimal,
}

/// A target for a period.
#[derive(Clone, Serialize, ToSchema)]
pub struct TargetValue {
    /// The period of the target.
    period: Period,
    /// The value to reach, in the unit of the KPI.
    value: Decimal,
    /// How binding the target is.
    kind: TargetKind,
}

/// The target that applies to a period.
#[derive(Serialize, ToSchema)]
pub struct ApplicableTarget {
    /// The period to which the target applies.
    period: Period,
    /// The value to reach, in the unit of the KPI; rounded to 4 decimals if it is interpolated.
    value: Decimal,
    /// Whether the value is interpolated: a point on the straight line between a target and its neighbour.
    interpolated: bool,
}

/// Where the KPI will be if it continues at the observed rate.
#[derive(Serialize, ToSchema)]
pub struct Projected {
    /// The period of the final target.
    period: Period,
    /// The projected value for that period, rounded to 4 decimals; it is the `minimum` or `maximum` of the KPI if the line passes
    /// it.
    value: Decimal,
    /// Whether the line passes the `minimum` or `maximum` of the KPI, so that `value` is that bound. Records that were frozen
    /// before KPIs had bounds lack this member.
    #[schema(required = false)]
    bounded: bool,
    /// The first period in which the final target would be met; null if the KPI moves away from it or does not move.
    met_in: Option<Period>,
    /// The number of values on which the projection rests, the baseline included; counted up to 50.
    #[schema(minimum = 2, maximum = 50)]
    points: u32,
    /// How far the projection can be trusted: `low` below 3 points.
    confidence: Confidence,
}

/// A KPI with the data from which its standing follows, apart from the targets.
#[derive(Debug, FromQueryResult)]
struct Position {
    code: String,
    opd: String,
    direction: Direction,
    baseline_period: Option<String>,
    baseline_value: Option<Decimal>,
    latest_period: Option<String>,
    latest_value: Option<Decimal>,
}

/// A KPI with the data that the explanation of its standing shows in addition.
#[derive(Debug, FromQueryResult)]
struct KpiRow {
    #[sea_orm(nested)]
    at: Position,
    name: String,
    unit_kind: entity::kpi::UnitKind,
    unit_label: Option<String>,
    frequency: Frequency,
    minimum: Option<Decimal>,
    maximum: Option<Decimal>,
    method: Option<String>,
    measured: i64,
    early: Option<String>,
}

impl Position {
    fn baseline(&self) -> Option<(Period, Decimal)> {
        self.baseline_period.as_deref().and_then(|period| Period::parse(period).ok()).zip(self.baseline_value)
    }

    fn latest(&self) -> Option<(Period, Decimal)> {
        self.latest_period.as_deref().and_then(|period| Period::parse(period).ok()).zip(self.latest_value)
    }
}

impl KpiRow {
    fn bounds(&self) -> Bounds {
        Bounds { minimum: self.minimum.map(Decimal::inner), maximum: self.maximum.map(Decimal::inner) }
    }

    /// The SPBE index has a predicate of its own.
    fn is_spbe(&self) -> bool {
        self.unit_kind == entity::kpi::UnitKind::Index && (self.at.code == "SPBE" || self.method.as_deref() == Some("spbe"))
    }
}

fn point((period, value): (Period, Decimal)) -> Point {
    Point { period, value: value.inner() }
}

fn shown((period, value): (Period, Decimal)) -> PeriodValue {
    PeriodValue { period, value }
}

/// What the explanation shows in addition: the number of periods that have a verified value which counts on the day ($1), told
/// from the first revisions and counted up to 49, since more make no difference; and the first period with a verified value that
/// is known but does not count yet, because the period has not begun.
const SHOWN: &str = "k.name, k.unit_kind, k.unit_label, k.frequency, k.minimum, k.maximum, k.method, \
                     (SELECT COUNT(*) FROM (SELECT 1 FROM measurement f \
                     WHERE f.kpi = k.code AND f.revision = 1 AND f.counts_from <= $1 LIMIT 49) measured) AS measured, \
                     (SELECT MIN(f.period) FROM measurement f WHERE f.kpi = k.code AND f.counts_from > f.known_on \
                     AND f.counts_from > $1 AND f.known_on <= $1) AS early, ";

/// For each KPI the data from which its standing follows, and further `columns`. The latest verified value that counts on a day
/// ($1) is the highest revision of the last period: two look-ups in an index, however many measurements there are.
fn select(columns: &str, kpis: &str, condition: &str) -> String {
    format!(
        "SELECT {columns}k.code, k.opd, k.direction, k.baseline_period, k.baseline_value, m.period AS latest_period, \
           m.value AS latest_value \
         FROM {kpis} k LEFT JOIN measurement m ON m.kpi = k.code AND m.leads AND m.counts_from = \
           (SELECT MAX(l.counts_from) FROM measurement l WHERE l.kpi = k.code AND l.leads AND l.counts_from <= $1) \
         WHERE {condition} ORDER BY k.code"
    )
}

/// The standings of all KPIs, each with the OPD that reports it. It takes two statements.
pub async fn all(
    db: &impl ConnectionTrait,
    scope: Scope,
    masterplan: Option<&str>,
    as_of: AsOf,
) -> ApiResult<Vec<(String, Standing)>> {
    let mut values: Vec<Value> = vec![as_of.day.into()];
    let condition =
        format!("{} AND {}", scope.shows(&kpis::KIND, "k", as_of), scope::of_masterplan("k", masterplan, &mut values));
    let sql = select("", &as_of.of(&kpis::KIND), &condition);
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let mut values = Vec::new();
    let condition =
        format!("{} AND {}", scope.shows(&kpis::KIND, "k", as_of), scope::of_masterplan("k", masterplan, &mut values));
    let targets = targets_of(db, as_of, &condition, values).await?;
    rows.iter()
        .map(|row| {
            let kpi = Position::from_query_result(row, "")?;
            let (baseline, latest) = (kpi.baseline().map(point), kpi.latest().map(point));
            let own = targets.get(&kpi.code).into_iter().flatten().map(TargetValue::point).collect::<Vec<_>>();
            let standing = rules::standing(kpi.direction, baseline.as_ref(), &own, latest.as_ref()).standing;
            Ok((kpi.opd, standing))
        })
        .collect()
}

/// The standing of one KPI. It takes three statements. A KPI that was created after the day is shown as it was created.
pub async fn compute(db: &impl ConnectionTrait, scope: Scope, code: &str, as_of: AsOf) -> ApiResult<KpiStanding> {
    let content = as_of.or_made(db, "kpi", code).await?;
    let standing = explained(db, scope, ("code", code), content, as_of.day).await?.pop();
    standing.ok_or_else(|| ApiError::not_found(&kpis::KIND, code))
}

/// The standings of all KPIs of a masterplan in the order of their codes. It takes two statements, whatever their number.
pub async fn of_masterplan(
    db: &impl ConnectionTrait,
    scope: Scope,
    masterplan: &str,
    as_of: AsOf,
) -> ApiResult<Vec<KpiStanding>> {
    explained(db, scope, ("masterplan", masterplan), as_of, as_of.day).await
}

/// The standings of the KPIs that an OPD reports, in the order of their codes. It takes two statements, whatever their number.
pub async fn of_opd(db: &impl ConnectionTrait, scope: Scope, opd: &str, as_of: AsOf) -> ApiResult<Vec<KpiStanding>> {
    explained(db, scope, ("opd", opd), as_of, as_of.day).await
}

/// What a KPI belongs to; null where the public does not see it.
#[derive(Debug, FromQueryResult)]
pub struct Belonging {
    /// The code of its masterplan.
    pub masterplan: Option<String>,
    /// The code of its dimension.
    pub dimension: Option<String>,
    /// The code of its programme.
    pub programme: Option<String>,
    /// The code of its OPD.
    pub opd: Option<String>,
}

/// The standings of all KPIs with what they belong to, in the order of their codes. It takes two statements, whatever their number.
pub async fn of_all(db: &impl ConnectionTrait, scope: Scope, as_of: AsOf) -> ApiResult<Vec<(Belonging, KpiStanding)>> {
    let shown = scope.shows(&kpis::KIND, "k", as_of);
    let named = |member: &str, kind: &Kind| {
        if scope == Scope::All {
            return format!("k.{member} AS of_{member}, ");
        }
        let (rows, is_shown) = (as_of.counting(kind, BeforeFirst::AsMade), scope.shows(kind, "n", as_of));
        format!("(SELECT n.code FROM {rows} n WHERE n.code = k.{member} AND {is_shown}) AS of_{member}, ")
    };
    let belonging = [
        named("masterplan", &masterplans::KIND),
        named("dimension", &dimensions::KIND),
        named("programme", &programmes::KIND),
        named("opd", &opds::KIND),
    ];
    let sql = select(&format!("{SHOWN}{}", belonging.concat()), &as_of.of(&kpis::KIND), &shown);
    let values = [as_of.day.into()];
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let mut targets = targets_of(db, as_of, &shown, Vec::new()).await?;
    rows.iter()
        .map(|row| {
            let kpi = KpiRow::from_query_result(row, "")?;
            let own = targets.remove(&kpi.at.code).unwrap_or_default();
            Ok((Belonging::from_query_result(row, "of_")?, explain(kpi, own, as_of.day)))
        })
        .collect()
}

/// The standings of the KPIs whose column has a value, by what was known on a day. It takes two statements.
async fn explained(
    db: &impl ConnectionTrait,
    scope: Scope,
    (column, value): (&str, &str),
    content: AsOf,
    day: NaiveDate,
) -> ApiResult<Vec<KpiStanding>> {
    let shown = scope.shows(&kpis::KIND, "k", content);
    let sql = select(SHOWN, &content.of(&kpis::KIND), &format!("k.{column} = $2 AND {shown}"));
    let values = [day.into(), value.into()];
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let condition = format!("k.{column} = $1 AND {shown}");
    let mut targets = targets_of(db, content, &condition, vec![value.into()]).await?;
    rows.iter()
        .map(|row| {
            let kpi = KpiRow::from_query_result(row, "")?;
            let own = targets.remove(&kpi.at.code).unwrap_or_default();
            Ok(explain(kpi, own, day))
        })
        .collect()
}

/// The targets of those KPIs `k` for which a condition holds, by KPI, in the order of their periods.
async fn targets_of(
    db: &impl ConnectionTrait,
    as_of: AsOf,
    condition: &str,
    values: Vec<Value>,
) -> ApiResult<HashMap<String, Vec<TargetValue>>> {
    let (kpis, targets) = (as_of.of(&kpis::KIND), targets::as_of(as_of));
    let sql =
        format!("SELECT t.kpi, t.period, t.value, t.kind FROM {targets} t JOIN {kpis} k ON k.code = t.kpi WHERE {condition}");
    let mut by_kpi: HashMap<String, Vec<TargetValue>> = HashMap::new();
    for row in db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await? {
        let period = period_of(&row.try_get::<String>("", "period")?)?;
        let kind = TargetKind::try_from_value(&row.try_get("", "kind")?)?;
        let target = TargetValue { period, value: row.try_get("", "value")?, kind };
        by_kpi.entry(row.try_get("", "kpi")?).or_default().push(target);
    }
    by_kpi.values_mut().for_each(|targets| targets.sort_by_key(|target| target.period));
    Ok(by_kpi)
}

/// The targets of a KPI, in the order of their periods.
pub async fn targets(db: &impl ConnectionTrait, code: &str) -> ApiResult<Vec<TargetValue>> {
    let rows = kpi_target::Entity::find().filter(kpi_target::Column::Kpi.eq(code)).order_by_asc(kpi_target::Column::PeriodEnd);
    let rows = rows.all(db).await?;
    rows.into_iter().map(|row| Ok(TargetValue { period: period_of(&row.period)?, value: row.value, kind: row.kind })).collect()
}

impl TargetValue {
    /// Reads a period as it is stored.
    pub fn period(&self) -> Period {
        self.period
    }

    fn point(&self) -> Point {
        point((self.period, self.value))
    }
}

fn period_of(stored: &str) -> ApiResult<Period> {
    Period::parse(stored).map_err(|_| ApiError::unexpected(format!("`{stored}` is stored but is no period")))
}

fn explain(kpi: KpiRow, targets: Vec<TargetValue>, as_of: NaiveDate) -> KpiStanding {
    let (baseline, latest, direction) = (kpi.at.baseline(), kpi.at.latest(), kpi.at.direction);
    let points = targets.iter().map(TargetValue::point).collect::<Vec<_>>();
    let (from, at) = (baseline.map(point), latest.map(point));
    let result = rules::standing(direction, from.as_ref(), &points, at.as_ref());
    let period = latest.map_or_else(|| Period::containing(kpi.frequency, as_of), |(period, _)| period);
    let applicable = rules::applicable_target(from.as_ref(), &points, period);
    let last = points.last();
    let progress = from.as_ref().zip(last).zip(at.as_ref());
    let progress = progress.map(|((from, last), at)| rules::progress(direction, from.value, last.value, at.value));
    let achievement = applicable.zip(at.as_ref()).map(|(target, at)| rules::achievement(direction, target, at.value));
    let bounds = kpi.bounds();
    let measured_after = from.as_ref().zip(at.as_ref()).filter(|(from, at)| from.period < at.period).zip(last);
    let measured = u32::try_from(kpi.measured).unwrap_or_default();
    let projected =
        measured_after.and_then(|((from, at), last)| projection::projection(direction, from, at, last, bounds, measured + 1));
    let pace = at.as_ref().zip(last).and_then(|(at, last)| projection::required_pace(at, last));
    let predicate =
        |value: Option<rust_decimal::Decimal>| value.filter(|_| kpi.is_spbe()).map(|value| spbe::predicate(value, as_of));
    let mut reasons = result.reasons;
    // Says why there is no figure where one could be expected.
    reasons.extend([&progress, &achievement].into_iter().flatten().filter_map(|figure| figure.clone().err()));
    if let Some(period) = &kpi.early {
        reasons.push(Reason::new(ReasonCode::ValueNotBegun).with("period", period));
    }
    if projected.is_some_and(|projection| projection.bounded) {
        let bounded = Reason::new(ReasonCode::ProjectionBounded);
        let bounded = kpi.minimum.into_iter().fold(bounded, |reason, least| reason.with("minimum", least));
        reasons.push(kpi.maximum.into_iter().fold(bounded, |reason, most| reason.with("maximum", most)));
    }
    let explanation = Explained::new("kpi_standing", result.rule_version, reasons)
        .input("as_of", as_of)
        .input("direction", direction.to_value())
        .optional_input("baseline", baseline.map(|(period, value)| format!("{value} ({period})")))
        .optional_input("actual", latest.map(|(period, value)| format!("{value} ({period})")))
        .optional_input("applicable_target", applicable.map(|value| format!("{} ({period})", Decimal::computed(value, 4))))
        .optional_input("final_target", targets.last().map(|target| format!("{} ({})", target.value, target.period)))
        .optional_input("minimum", kpi.minimum)
        .optional_input("maximum", kpi.maximum)
        .optional_input("ratio", result.ratio.map(|ratio| Decimal::computed(ratio, 4)));
    KpiStanding {
        target: applicable.map(|value| ApplicableTarget {
            period,
            value: Decimal::computed(value, 4),
            interpolated: targets.iter().all(|target| target.period != period)
                && targets.last().is_some_and(|last| period < last.period),
        }),
        predicate: predicate(at.as_ref().map(|at| at.value)),
        target_predicate: predicate(applicable),
        unit: Unit { kind: kpi.unit_kind, label: kpi.unit_label },
        kpi: kpi.at.code,
        name: kpi.name,
        direction,
        frequency: kpi.frequency,
        as_of,
        baseline: baseline.map(shown),
        latest: latest.map(shown),
        targets,
        achievement: achievement.and_then(Result::ok),
        progress: progress.and_then(Result::ok),
        standing: result.standing,
        projected: projected.map(|projection| Projected {
            period: projection.period,
            value: Decimal::computed(projection.value, 4),
            bounded: projection.bounded,
            met_in: projection.met_in,
            points: projection.points,
            confidence: projection.confidence,
        }),
        required_pace: pace.map(|pace| Decimal::computed(pace, 4)),
        age: age::age(kpi.frequency, latest.or(baseline).map(|(period, _)| period), as_of).into(),
        explanation: explanation.into(),
    }
}
