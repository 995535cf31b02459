//! The summary: programmes planned and running, overall and for each dimension, and KPIs by standing, as of any day.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::rules::kpi::Standing;
use entity::rules::programme_status::ProgrammeStatus;
use entity::value::decimal::Percent;
use entity::{dimension, masterplan};
use sea_orm::sea_query::Value;
use sea_orm::{ActiveEnum, ConnectionTrait, EntityTrait, QueryOrder, Statement};
use serde::Serialize;
use utoipa::ToSchema;

use super::standing;
use crate::http::problem::{ApiError, ApiResult};
use crate::store::scope::{Scope, of_masterplan};

/// The state of a masterplan at the end of a day.
#[derive(Serialize, ToSchema)]
pub struct Summary {
    /// The day, as of whose end this holds.
    #[schema(max_length = 10, example = "2022-10-04")]
    as_of: NaiveDate,
    /// The masterplan it is about; null for all.
    #[schema(max_length = 64)]
    masterplan: Option<String>,
    /// All programmes.
    totals: Counts,
    /// The programmes of each dimension, in the order of their positions.
    #[schema(max_items = 1000)]
    dimensions: Vec<DimensionCounts>,
    /// The KPIs.
    kpis: KpiCounts,
}

/// How many programmes.
#[derive(Clone, Default, Serialize, ToSchema)]
#[schema(as = ProgrammeCounts)]
pub struct Counts {
    /// Programmes that the masterplan holds on that day, whatever their status.
    #[schema(minimum = 0, maximum = 2147483647, example = 40)]
    planned: u32,
    /// Those that run.
    #[schema(minimum = 0, maximum = 2147483647, example = 35)]
    running: u32,
    /// Running ÷ planned × 100. Over several groups it is the ratio of the sums, never the mean of their shares. Null where nothing is planned.
    running_percent: Option<Percent>,
    /// How many have each status.
    by_status: StatusCounts,
}

/// How many programmes have each status.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct StatusCounts {
    /// Not begun.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub planned: u32,
    /// Under way.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub running: u32,
    /// Halted for now.
    #[schema(minimum = 0, maximum = 2147483647)]
    suspended: u32,
    /// Done.
    #[schema(minimum = 0, maximum = 2147483647)]
    completed: u32,
    /// Given up.
    #[schema(minimum = 0, maximum = 2147483647)]
    cancelled: u32,
}

/// How many programmes of a dimension.
#[derive(Serialize, ToSchema)]
pub struct DimensionCounts {
    /// The dimension.
    #[schema(max_length = 64, example = "governance")]
    dimension: String,
    /// Its name in Indonesian.
    #[schema(max_length = 200)]
    name: String,
    /// Its name in English.
    #[schema(max_length = 200)]
    name_en: Option<String>,
    /// Programmes that the masterplan holds on that day, whatever their status.
    #[schema(minimum = 0, maximum = 2147483647, example = 10)]
    planned: u32,
    /// Those that run.
    #[schema(minimum = 0, maximum = 2147483647, example = 8)]
    running: u32,
    /// Running ÷ planned × 100; null where nothing is planned.
    running_percent: Option<Percent>,
    /// How many have each status.
    by_status: StatusCounts,
}

/// How many KPIs have each standing.
#[derive(Default, Serialize, ToSchema)]
pub struct KpiCounts {
    /// All KPIs.
    #[schema(minimum = 0, maximum = 2147483647)]
    total: u32,
    /// How many have each standing.
    by_standing: StandingCounts,
}

/// How many KPIs have each standing.
#[derive(Default, Serialize, ToSchema)]
pub struct StandingCounts {
    /// The final target is met.
    #[schema(minimum = 0, maximum = 2147483647)]
    achieved: u32,
    /// At least 0.95 of the way that should be done by now.
    #[schema(minimum = 0, maximum = 2147483647)]
    on_track: u32,
    /// At least 0.60 of it.
    #[schema(minimum = 0, maximum = 2147483647)]
    at_risk: u32,
    /// Less.
    #[schema(minimum = 0, maximum = 2147483647)]
    off_track: u32,
    /// Moved away from the target.
    #[schema(minimum = 0, maximum = 2147483647)]
    regressed: u32,
    /// No verified measurement, or no target.
    #[schema(minimum = 0, maximum = 2147483647)]
    no_data: u32,
}

impl Counts {
    pub(super) fn add(&mut self, status: ProgrammeStatus, number: u32) {
        self.planned += number;
        *self.by_status.of(status) += number;
        self.running = self.by_status.running;
        self.running_percent = Percent::share(self.running.into(), self.planned.into());
    }
}

impl StatusCounts {
    pub(super) fn of(&mut self, status: ProgrammeStatus) -> &mut u32 {
        match status {
            ProgrammeStatus::Planned => &mut self.planned,
            ProgrammeStatus::Running => &mut self.running,
            ProgrammeStatus::Suspended => &mut self.suspended,
            ProgrammeStatus::Completed => &mut self.completed,
            ProgrammeStatus::Cancelled => &mut self.cancelled,
        }
    }
}

impl KpiCounts {
    fn add(&mut self, standing: Standing) {
        self.total += 1;
        let count = match standing {
            Standing::Achieved => &mut self.by_standing.achieved,
            Standing::OnTrack => &mut self.by_standing.on_track,
            Standing::AtRisk => &mut self.by_standing.at_risk,
            Standing::OffTrack => &mut self.by_standing.off_track,
            Standing::Regressed => &mut self.by_standing.regressed,
            Standing::NoData => &mut self.by_standing.no_data,
        };
        *count += 1;
    }
}

/// Computes the summary: five statements, whatever the number of rows.
pub async fn compute(
    db: &impl ConnectionTrait,
    scope: Scope,
    masterplan: Option<String>,
    as_of: NaiveDate,
) -> ApiResult<Summary> {
    if let Some(code) = &masterplan {
        must_know(db, scope, code).await?;
    }
    let counts = programme_counts(db, scope, masterplan.as_deref(), as_of).await?;
    let mut totals = Counts::default();
    for ((_, status), number) in &counts {
        totals.add(*status, *number);
    }
    let rows =
        dimension::Entity::find().order_by_asc(dimension::Column::Position).order_by_asc(dimension::Column::Code).all(db).await?;
    let dimensions = rows.into_iter().map(|row| of_dimension(row, &counts)).collect();
    let mut kpis = KpiCounts::default();
    for standing in standing::all(db, scope, masterplan.as_deref(), as_of).await? {
        kpis.add(standing);
    }
    Ok(Summary { as_of, masterplan, totals, dimensions, kpis })
}

fn of_dimension(row: dimension::Model, counts: &BTreeMap<(String, ProgrammeStatus), u32>) -> DimensionCounts {
    let mut own = Counts::default();
    for ((_, status), number) in counts.iter().filter(|((dimension, _), _)| *dimension == row.code) {
        own.add(*status, *number);
    }
    DimensionCounts {
        dimension: row.code,
        name: row.name,
        name_en: row.name_en,
        planned: own.planned,
        running: own.running,
        running_percent: own.running_percent,
        by_status: own.by_status,
    }
}

/// 404 for a masterplan that is not there, or not public.
pub async fn must_know(db: &impl ConnectionTrait, scope: Scope, code: &str) -> ApiResult<()> {
    let row = masterplan::Entity::find_by_id(code).one(db).await?;
    let is_draft = |row: &masterplan::Model| row.status == masterplan::MasterplanStatus::Draft;
    match row {
        Some(row) if scope == Scope::All || !is_draft(&row) => Ok(()),
        _ => Err(ApiError::not_found("masterplan", code)),
    }
}

/// How many programmes of each dimension had each status at the end of a day: of each programme the last entry of its
/// history that was in effect.
async fn programme_counts(
    db: &impl ConnectionTrait,
    scope: Scope,
    masterplan: Option<&str>,
    as_of: NaiveDate,
) -> ApiResult<BTreeMap<(String, ProgrammeStatus), u32>> {
    let mut values: Vec<Value> = vec![as_of.into()];
    let (published, of_plan) = (scope.condition("p"), of_masterplan("p", masterplan, &mut values));
    let sql = format!(
        "SELECT dimension, status, COUNT(*) AS number FROM (SELECT p.dimension, \
           (SELECT s.to_status FROM status_change s WHERE s.programme = p.code AND s.effective_on <= $1 \
            ORDER BY s.seq DESC LIMIT 1) AS status \
           FROM programme p WHERE {published} AND {of_plan}) known GROUP BY dimension, status"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let counts = rows.iter().map(|row| {
        // Without a status on that day the programme was not there yet.
        let Some(status) = row.try_get::<Option<String>>("", "status")? else { return Ok(None) };
        let number: i64 = row.try_get("", "number")?;
        let group = (row.try_get("", "dimension")?, ProgrammeStatus::try_from_value(&status)?);
        Ok(Some((group, u32::try_from(number).unwrap_or(u32::MAX))))
    });
    counts.filter_map(Result::transpose).collect()
}
