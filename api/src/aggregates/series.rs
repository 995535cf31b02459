//! The series of a KPI: baseline, targets and actuals by period.

use chrono::NaiveDate;
use entity::kpi;
use entity::measurement::{self, ReportState};
use entity::value::decimal::Decimal;
use entity::value::period::Period;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use utoipa::ToSchema;

use super::standing::{TargetValue, targets};
use crate::http::problem::{ApiError, ApiResult};
use crate::resources::kpis::{Kpi, Unit};
use crate::resources::provenance::Provenance;
use crate::resources::resource::Resource;
use crate::store::scope::Scope;
use crate::store::visible::Thing;

/// The values of a KPI by period.
#[derive(Serialize, ToSchema)]
pub struct KpiSeries {
    /// The KPI.
    #[schema(max_length = 64, example = "TPS3R-DESA")]
    kpi: String,
    /// The unit of its values.
    unit: Unit,
    /// Where it started; null where there is none, or it lies outside the periods asked for.
    baseline: Option<SeriesBaseline>,
    /// The targets.
    #[schema(max_items = 3600)]
    targets: Vec<TargetValue>,
    /// The verified values; one of a period that has not begun was taken by an earlier version, and counts from then on.
    #[schema(max_items = 3600)]
    actuals: Vec<Actual>,
}

/// Where a KPI started.
#[derive(Serialize, ToSchema)]
pub struct SeriesBaseline {
    /// The period.
    period: Period,
    /// The value.
    value: Decimal,
    /// Where it comes from.
    provenance: Option<Provenance>,
}

/// A verified value.
#[derive(Serialize, ToSchema)]
#[schema(as = SeriesActual)]
pub struct Actual {
    /// The period.
    #[schema(max_length = 7, example = "2022")]
    period: String,
    /// The value.
    value: Decimal,
    /// Counts corrections, from 1.
    #[schema(minimum = 1, maximum = 2147483647)]
    revision: i32,
    /// From which day it counts.
    #[schema(max_length = 10)]
    known_on: Option<NaiveDate>,
    /// Where it comes from.
    provenance: Option<Provenance>,
}

/// Computes the series between two periods, both included: three statements.
pub async fn compute(
    db: &impl ConnectionTrait,
    scope: Scope,
    code: &str,
    from: Option<Period>,
    to: Option<Period>,
) -> ApiResult<KpiSeries> {
    let kpi = kpi::Entity::find_by_id(code).filter(scope.shows_now(Thing::Kpi)).one(db).await?;
    let kpi = kpi.ok_or_else(|| ApiError::not_found("KPI", code))?;
    let (first, last) = (from.map_or(NaiveDate::MIN, Period::start), to.map_or(NaiveDate::MAX, Period::end));
    let within = |period: Period| first <= period.start() && period.end() <= last;
    let mut targets = targets(db, code).await?;
    targets.retain(|target| within(target.period()));
    let baseline = Kpi::of(&kpi).baseline.filter(|baseline| within(baseline.period)).map(|baseline| SeriesBaseline {
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
        select = select.filter(Column::PeriodEnd.gte(from.start()));
    }
    if let Some(to) = to {
        select = select.filter(Column::PeriodEnd.lte(to.end()));
    }
    let rows = select.order_by_asc(Column::PeriodEnd).order_by_asc(Column::Revision).all(db).await?;
    let mut actuals: Vec<Actual> = Vec::new();
    for row in rows {
        // Of each period the last revision is in force.
        actuals.pop_if(|last| last.period == row.period);
        let provenance = Provenance::of(row.provenance.as_ref());
        actuals.push(Actual { period: row.period, value: row.value, revision: row.revision, known_on: row.known_on, provenance });
    }
    Ok(actuals)
}
