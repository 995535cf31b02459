//! How a KPI stands: its latest verified value against its baseline and targets, as of any day, with the reasons.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::kpi_target::{self, TargetKind};
use entity::rules::explanation::Explanation;
use entity::rules::kpi::{self as rules, Bounds, Direction, Point, Standing};
use entity::rules::projection::{self, Confidence};
use entity::rules::spbe::{self, SpbePredicate};
use entity::value::decimal::{Decimal, Percent};
use entity::value::period::{Frequency, Period};
use sea_orm::sea_query::Value;
use sea_orm::{ActiveEnum, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, Statement};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::{ApiError, ApiResult};
use crate::resources::kpis::Unit;
use crate::store::scope::{self, Scope};
use crate::store::snapshots::AsOf;
use crate::store::visible::Thing;

/// Where a KPI stands at the end of a day.
#[derive(Serialize, ToSchema)]
pub struct KpiStanding {
    /// The KPI.
    #[schema(max_length = 64, example = "STUNTING")]
    kpi: String,
    /// Its name.
    #[schema(max_length = 300)]
    name: String,
    /// The unit of its values.
    unit: Unit,
    /// Which way is better.
    direction: Direction,
    /// How often it is measured.
    frequency: Frequency,
    /// The day, as of whose end this holds.
    #[schema(max_length = 10)]
    as_of: NaiveDate,
    /// Where it started.
    baseline: Option<PeriodValue>,
    /// The latest verified value known on that day, of a period that has begun by then.
    latest: Option<PeriodValue>,
    /// The target that applies to the period of the latest value, or of the day where there is none: the target of that period, or the
    /// point on the straight line between its neighbours among baseline and targets; after the last target, the last goes on.
    target: Option<ApplicableTarget>,
    /// All targets, in the order of their periods.
    #[schema(max_items = 3600)]
    targets: Vec<TargetValue>,
    /// Percent, as in SAKIP: `increase`: (1 + (actual − target) ÷ |target|) × 100, which is actual ÷ target × 100 for a positive target;
    /// `decrease`: (1 + (target − actual) ÷ |target|) × 100, which is (2 × target − actual) ÷ target × 100 for a positive one. Never below
    /// 0, not capped above, and at least 100 exactly where the target is met. With a target of 0 it is 100 where it is met, else null.
    achievement: Option<Percent>,
    /// Percent of the whole way that is done: (actual − baseline) ÷ (final target − baseline) × 100. Negative when it moves away, at least
    /// 100 exactly where the final target is met. Null where the baseline is the final target, or that lies on the wrong side of it:
    /// the explanation says so.
    progress: Option<Percent>,
    /// By the ratio (actual − baseline) ÷ (applicable target − baseline): `on_track` from 0.95, `at_risk` from 0.60, `off_track` from 0,
    /// else `regressed`; `achieved` when the final target is met, `no_data` without a verified value or a target.
    standing: Standing,
    /// The rate from the baseline to the latest value, carried on in a straight line.
    projected: Option<Projected>,
    /// (final target − actual) ÷ periods left: the change a period that is still needed.
    required_pace: Option<Decimal>,
    /// Of the SPBE index (Permenpan-RB 59/2020): the predicate of the latest value. Null for other KPIs.
    predicate: Option<SpbePredicate>,
    /// Of the SPBE index: the predicate of the target that applies. Null for other KPIs.
    target_predicate: Option<SpbePredicate>,
    /// Enough to compute it by hand.
    explanation: Explanation,
}

/// A value at the end of a period.
#[derive(Clone, Serialize, ToSchema)]
pub struct PeriodValue {
    /// The period.
    period: Period,
    /// The value.
    value: Decimal,
}

/// A target of a period.
#[derive(Clone, Serialize, ToSchema)]
pub struct TargetValue {
    /// The period.
    period: Period,
    /// The value.
    value: Decimal,
    /// How binding it is.
    kind: TargetKind,
}

/// The target that applies to a period.
#[derive(Serialize, ToSchema)]
pub struct ApplicableTarget {
    /// The period.
    period: Period,
    /// The value, rounded to 4 places where it lies on a line.
    value: Decimal,
    /// Whether it is a point on the line between others.
    interpolated: bool,
}

/// What comes of going on like this.
#[derive(Serialize, ToSchema)]
pub struct Projected {
    /// The period of the final target.
    period: Period,
    /// The value then, rounded to 4 places; the `minimum` or `maximum` of the KPI where the line goes beyond it.
    value: Decimal,
    /// Whether the line goes beyond the `minimum` or `maximum` of the KPI, so that `value` is that. Records that were frozen before
    /// KPIs had bounds lack it.
    #[schema(required = false)]
    bounded: bool,
    /// The first period in which the final target would be met; null when it moves away or stands still.
    met_in: Option<Period>,
    /// How many values there are, the baseline included; counted up to 50.
    #[schema(minimum = 2, maximum = 50)]
    points: u32,
    /// `low` below 3 points.
    confidence: Confidence,
}

/// A KPI with what its standing follows from, beside the targets.
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

/// A KPI with what the explanation of its standing shows too.
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

/// What the explanation shows beside the position. How many periods have a verified value that counts on the day ($1), the first
/// revision being the first that does: more than 49 make no difference. And the first period with a verified value that is known
/// and does not count yet, since it has not begun.
const SHOWN: &str = "k.name, k.unit_kind, k.unit_label, k.frequency, k.minimum, k.maximum, k.method, \
                     (SELECT COUNT(*) FROM (SELECT 1 FROM measurement f \
                     WHERE f.kpi = k.code AND f.revision = 1 AND f.counts_from <= $1 LIMIT 49) measured) AS measured, \
                     (SELECT MIN(f.period) FROM measurement f WHERE f.kpi = k.code AND f.counts_from > f.known_on \
                     AND f.counts_from > $1 AND f.known_on <= $1) AS early, ";

/// Of each KPI what its standing follows from and more `columns`. Its latest verified value that counts on a day ($1) is
/// the highest revision of the last period: two look-ups in an index, however many measurements there are.
fn select(columns: &str, kpis: &str, condition: &str) -> String {
    format!(
        "SELECT {columns}k.code, k.opd, k.direction, k.baseline_period, k.baseline_value, m.period AS latest_period, \
           m.value AS latest_value \
         FROM {kpis} k LEFT JOIN measurement m ON m.kpi = k.code AND m.leads AND m.counts_from = \
           (SELECT MAX(l.counts_from) FROM measurement l WHERE l.kpi = k.code AND l.leads AND l.counts_from <= $1) \
         WHERE {condition} ORDER BY k.code"
    )
}

/// The standings of all KPIs, each with the OPD that reports it: two statements.
pub async fn all(
    db: &impl ConnectionTrait,
    scope: Scope,
    masterplan: Option<&str>,
    as_of: AsOf,
) -> ApiResult<Vec<(String, Standing)>> {
    let mut values: Vec<Value> = vec![as_of.day.into()];
    let condition = format!("{} AND {}", scope.shows(Thing::Kpi, "k", as_of), scope::of_masterplan("k", masterplan, &mut values));
    let sql = select("", &as_of.kpis(), &condition);
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let mut values = Vec::new();
    let condition = format!("{} AND {}", scope.shows(Thing::Kpi, "k", as_of), scope::of_masterplan("k", masterplan, &mut values));
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

/// The standing of one KPI: three statements. A KPI that was made after the day is as it was made.
pub async fn compute(db: &impl ConnectionTrait, scope: Scope, code: &str, as_of: AsOf) -> ApiResult<KpiStanding> {
    let things = as_of.or_made(db, "kpi", code).await?;
    let standing = explained(db, scope, ("code", code), things, as_of.day).await?.pop();
    standing.ok_or_else(|| ApiError::not_found("KPI", code))
}

/// The standings of all KPIs of a masterplan in the order of their codes: two statements, whatever their number.
pub async fn of_masterplan(
    db: &impl ConnectionTrait,
    scope: Scope,
    masterplan: &str,
    as_of: AsOf,
) -> ApiResult<Vec<KpiStanding>> {
    explained(db, scope, ("masterplan", masterplan), as_of, as_of.day).await
}

/// The standings of the KPIs that an OPD reports, in the order of their codes: two statements, whatever their number.
pub async fn of_opd(db: &impl ConnectionTrait, scope: Scope, opd: &str, as_of: AsOf) -> ApiResult<Vec<KpiStanding>> {
    explained(db, scope, ("opd", opd), as_of, as_of.day).await
}

/// The standings of those KPIs whose column has a value, by what was known on a day. Two statements.
async fn explained(
    db: &impl ConnectionTrait,
    scope: Scope,
    (column, value): (&str, &str),
    things: AsOf,
    day: NaiveDate,
) -> ApiResult<Vec<KpiStanding>> {
    let shown = scope.shows(Thing::Kpi, "k", things);
    let sql = select(SHOWN, &things.kpis(), &format!("k.{column} = $2 AND {shown}"));
    let values = [day.into(), value.into()];
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let condition = format!("k.{column} = $1 AND {shown}");
    let mut targets = targets_of(db, things, &condition, vec![value.into()]).await?;
    rows.iter()
        .map(|row| {
            let kpi = KpiRow::from_query_result(row, "")?;
            let own = targets.remove(&kpi.at.code).unwrap_or_default();
            Ok(explain(kpi, own, day))
        })
        .collect()
}

/// The targets of the KPIs `k` that a condition holds for, by KPI, in the order of their periods.
async fn targets_of(
    db: &impl ConnectionTrait,
    as_of: AsOf,
    condition: &str,
    values: Vec<Value>,
) -> ApiResult<HashMap<String, Vec<TargetValue>>> {
    let (kpis, targets) = (as_of.kpis(), as_of.kpi_targets());
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
    /// The period.
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
    // Why there is no figure where one could be expected.
    reasons.extend([&progress, &achievement].into_iter().flatten().filter_map(|figure| figure.clone().err()));
    if let Some(period) = &kpi.early {
        reasons.push(format!("there is a verified value of {period}, which counts once that period has begun"));
    }
    if projected.is_some_and(|projection| projection.bounded) {
        reasons.push(format!("the projection ends at a bound: values of this KPI are {bounds}"));
    }
    let explanation = Explanation::new("kpi_standing", result.rule_version, reasons)
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
        explanation,
    }
}
