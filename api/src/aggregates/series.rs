//! The series of a KPI: its baseline, targets and verified values by period.

use crate::resources::kpis;
use crate::store::kind::Scope;
use chrono::NaiveDate;
use entity::kpi;
use entity::measurement::{self, ReportState};
use entity::value::decimal::Decimal;
use entity::value::period::Period;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use utoipa::ToSchema;

use super::standing::{TargetValue, targets};
use crate::crud::members::Written;
use crate::http::problem::{ApiError, ApiResult};
use crate::resources::kpis::{Kpi, Unit};
use crate::resources::provenance::Provenance;

/// The baseline, targets and verified values of a KPI by period.
#[derive(Serialize, ToSchema)]
pub struct KpiSeries {
    /// The code of the KPI.
    #[schema(max_length = 64, example = "TPS3R-DESA")]
    kpi: String,
    /// The unit of the values.
    unit: Unit,
    /// The baseline of the KPI; null if it has none or if the baseline lies outside the requested periods.
    baseline: Option<SeriesBaseline>,
    /// The targets of the KPI.
    #[schema(max_items = 3600)]
    targets: Vec<TargetValue>,
    /// The verified values. A value of a period that has not begun was accepted by an earlier version of the service; it counts
    /// from the beginning of its period.
    #[schema(max_items = 3600)]
    actuals: Vec<Actual>,
}

/// The value from which a KPI starts.
#[derive(Serialize, ToSchema)]
pub struct SeriesBaseline {
    /// The period of the baseline.
    period: Period,
    /// The value of the baseline, in the unit of the KPI.
    value: Decimal,
    /// The source of the baseline.
    provenance: Option<Provenance>,
}

/// A verified value of a KPI.
#[derive(Serialize, ToSchema)]
#[schema(as = SeriesActual)]
pub struct Actual {
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

/// Computes the series between two periods, both included, with three statements.
pub async fn compute(
    db: &impl ConnectionTrait,
    scope: Scope,
    code: &str,
    from: Option<Period>,
    to: Option<Period>,
) -> ApiResult<KpiSeries> {
    let kpi = kpi::Entity::find_by_id(code).filter(scope.shows_now(&kpis::KIND)).one(db).await?;
    let kpi = kpi.ok_or_else(|| ApiError::not_found(&kpis::KIND, code))?;
    let (first, last) = (from.map_or(NaiveDate::MIN, Period::start), to.map_or(NaiveDate::MAX, Period::end));
    let within = |period: Period| first <= period.start() && period.end() <= last;
    let mut targets = targets(db, code).await?;
    targets.retain(|target| within(target.period()));
    let baseline = Kpi::load(&kpi).baseline.filter(|baseline| within(baseline.period)).map(|baseline| SeriesBaseline {
        period: baseline.period,
        value: baseline.value,
        provenance: baseline.provenance,
    });
    let actuals = actuals(db, code, from, to).await?;
    let unit = Unit { kind: kpi.unit_kind, label: kpi.unit_label };
    Ok(KpiSeries { kpi: kpi.code, unit, baseline, targets, actuals })
}

async fn actuals(db: &impl ConnectionTrait, code: &str, from: Option<Period>, to: Option<Period>) -> ApiResult<Vec<Actual>> {
    use measurement::Column;
    let mut select = measurement::Entity::find().filter(Column::Kpi.eq(code)).filter(Column::State.eq(ReportState::Verified));
    if let Some(from) = from {
        let from = from.start();
        select = select.filter(Column::Period.gte(Period::text_from(from))).filter(Column::PeriodEnd.gte(from));
    }
    if let Some(to) = to {
        let to = to.end();
        select = select.filter(Column::Period.lt(Period::text_after(to))).filter(Column::PeriodEnd.lte(to));
    }
    let rows = select.order_by_asc(Column::PeriodEnd).order_by_asc(Column::Revision).all(db).await?;
    let mut actuals: Vec<Actual> = Vec::new();
    for row in rows {
        // Of each period, the last verified revision is in force.
        actuals.pop_if(|last| last.period == row.period);
        let provenance = Provenance::of(row.provenance.as_ref());
        actuals.push(Actual { period: row.period, value: row.value, revision: row.revision, known_on: row.known_on, provenance });
    }
    Ok(actuals)
}
