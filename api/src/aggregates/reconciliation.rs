//! The reconciliation: the counts that were reported to an evaluation, beside those that the records give for that day.

use crate::resources::evaluations;
use crate::store::kind::Scope;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::evaluation;
use entity::rules::programme_status::ProgrammeStatus;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use utoipa::ToSchema;

use super::summary::{dimensions, must_know, programme_counts};
use crate::http::problem::{ApiError, ApiResult};
use crate::resources::evaluations::ReportedCount;
use crate::store::snapshots::AsOf;

/// The counts that an evaluation was told, beside the counts that are recorded.
#[derive(Serialize, ToSchema)]
pub struct Reconciliation {
    /// The code of the evaluation.
    #[schema(max_length = 64, example = "EVAL-2022-10-04")]
    evaluation: String,
    /// The code of the masterplan that was evaluated.
    #[schema(max_length = 64, example = "KLU-SC")]
    masterplan: String,
    /// The day of the meeting: the records are counted as of its end.
    #[schema(max_length = 10, example = "2022-10-04")]
    as_of: NaiveDate,
    /// The counts of all dimensions together.
    totals: Compared,
    /// The counts of each dimension, in the order of the dimensions' positions.
    #[schema(max_items = 1000)]
    dimensions: Vec<ComparedDimension>,
}

/// The counts of programmes that were reported, beside those that are recorded.
#[derive(Serialize, ToSchema)]
#[schema(as = ReconciledCounts)]
pub struct Compared {
    /// The counts that the meeting was told; null if it was told none.
    reported: Option<Programmes>,
    /// The counts that the records give.
    recorded: Programmes,
    /// Recorded − reported: negative if the meeting was told more than is recorded. Null if the meeting was told nothing.
    difference: Option<Difference>,
}

/// The counts of one dimension that were reported, beside those that are recorded.
#[derive(Serialize, ToSchema)]
#[schema(as = ReconciledDimension)]
pub struct ComparedDimension {
    /// The code of the dimension.
    #[schema(max_length = 64, example = "governance")]
    dimension: String,
    /// The name of the dimension in Indonesian.
    #[schema(max_length = 200)]
    name: String,
    /// The name of the dimension in English.
    #[schema(max_length = 200)]
    name_en: Option<String>,
    /// The counts that the meeting was told; null if it was told nothing of this dimension.
    reported: Option<Programmes>,
    /// The counts that the records give.
    recorded: Programmes,
    /// Recorded − reported: negative if the meeting was told more than is recorded. Null if the meeting was told nothing.
    difference: Option<Difference>,
}

/// How many programmes are planned, and how many of them are running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PlannedAndRunning)]
pub struct Programmes {
    /// The number of programmes that the masterplan contains on the day, whatever their status.
    #[schema(minimum = 0, maximum = 2147483647, example = 10)]
    planned: u32,
    /// The number of those programmes that are running.
    #[schema(minimum = 0, maximum = 2147483647, example = 8)]
    running: u32,
}

/// The difference between two counts of programmes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PlannedAndRunningDifference)]
pub struct Difference {
    /// The difference in the number of planned programmes.
    #[schema(minimum = -2147483647, maximum = 2147483647, example = 0)]
    planned: i64,
    /// The difference in the number of running programmes.
    #[schema(minimum = -2147483647, maximum = 2147483647, example = 0)]
    running: i64,
}

impl Programmes {
    fn of(status: ProgrammeStatus, number: u32) -> Self {
        Self { planned: number, running: if status == ProgrammeStatus::Running { number } else { 0 } }
    }

    fn minus(self, other: Self) -> Difference {
        Difference {
            planned: i64::from(self.planned) - i64::from(other.planned),
            running: i64::from(self.running) - i64::from(other.running),
        }
    }
}

impl std::iter::Sum for Programmes {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self { planned: sum.planned + one.planned, running: sum.running + one.running })
    }
}

impl From<&ReportedCount> for Programmes {
    fn from(count: &ReportedCount) -> Self {
        Self { planned: count.planned, running: count.running }
    }
}

/// The evaluation with this code, or the latest one that was held, as far as `scope` shows it. It takes one statement.
pub async fn asked_for(
    db: &impl ConnectionTrait,
    scope: Scope,
    code: Option<&str>,
    today: NaiveDate,
) -> ApiResult<evaluation::Model> {
    use evaluation::Column;
    let which = match code {
        Some(code) => Column::Code.eq(code),
        None => Column::HeldOn.lte(today),
    };
    let rows = evaluation::Entity::find().filter(which).filter(scope.shows_now(&evaluations::KIND));
    let row = rows.order_by_desc(Column::HeldOn).order_by_desc(Column::Code).one(db).await?;
    row.ok_or_else(|| ApiError::not_found(&evaluations::KIND, code.unwrap_or_default()))
}

/// Computes the reconciliation with three statements, whatever the number of rows. `as_of` is the day of the meeting.
pub async fn compute(
    db: &impl ConnectionTrait,
    scope: Scope,
    evaluation: &evaluation::Model,
    as_of: AsOf,
) -> ApiResult<Reconciliation> {
    must_know(db, scope, &evaluation.masterplan).await?;
    let counts = programme_counts(db, scope, Some(&evaluation.masterplan), as_of, "dimension").await?;
    let reported = ReportedCount::all_of(evaluation);
    let totals = Compared::new(
        (!reported.is_empty()).then(|| reported.iter().map(Programmes::from).sum()),
        counts.iter().map(|((_, status), number)| Programmes::of(*status, *number)).sum(),
    );
    let dimensions = dimensions(db, scope, as_of).await?.into_iter().filter_map(|row| {
        let counted = reported.iter().find(|count| count.dimension.as_str() == row.code).map(Programmes::from);
        let recorded = recorded(&counts, &row.code);
        // A dimension that was created after the day is shown only if there is something to compare.
        let is_shown = row.stands || counted.is_some() || recorded.planned > 0;
        let Compared { reported, recorded, difference } = Compared::new(counted, recorded);
        let shown =
            || ComparedDimension { dimension: row.code, name: row.name, name_en: row.name_en, reported, recorded, difference };
        is_shown.then(shown)
    });
    Ok(Reconciliation {
        evaluation: evaluation.code.clone(),
        masterplan: evaluation.masterplan.clone(),
        as_of: evaluation.held_on,
        totals,
        dimensions: dimensions.collect(),
    })
}

impl Compared {
    fn new(reported: Option<Programmes>, recorded: Programmes) -> Self {
        Self { reported, recorded, difference: reported.map(|reported| recorded.minus(reported)) }
    }
}

fn recorded(counts: &BTreeMap<(String, ProgrammeStatus), u32>, dimension: &str) -> Programmes {
    let own = counts.iter().filter(|((of, _), _)| of == dimension);
    own.map(|((_, status), number)| Programmes::of(*status, *number)).sum()
}
