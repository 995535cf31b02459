//! The timeline: how many programmes had which status at the end of each month, quarter or year.

use crate::resources::programmes;
use crate::store::kind::Scope;
use chrono::NaiveDate;
use entity::rules::programme_status::ProgrammeStatus;
use entity::value::period::{Frequency, Period};
use sea_orm::sea_query::Value;
use sea_orm::{ActiveEnum, ConnectionTrait, Statement};
use serde::Serialize;
use utoipa::ToSchema;

use super::counts::StatusCounts;
use super::summary::must_know;
use crate::http::problem::ApiResult;
use crate::store::scope::of_masterplan;
use crate::store::snapshots::AsOf;

/// How many programmes had which status over time.
#[derive(Serialize, ToSchema)]
pub struct Timeline {
    /// The masterplan that is counted; null if all are.
    #[schema(max_length = 64)]
    masterplan: Option<String>,
    /// The last day of the timeline.
    #[schema(max_length = 10)]
    as_of: NaiveDate,
    /// One entry for each period, beginning with the period of the first recorded change.
    #[schema(max_items = 3600)]
    steps: Vec<Step>,
}

/// The programmes at the end of a period.
#[derive(Serialize, ToSchema)]
#[schema(as = TimelineStep)]
pub struct Step {
    /// The period.
    period: Period,
    /// The last day of the period; for the last step the last day of the timeline, if that is earlier.
    #[schema(max_length = 10)]
    ends_on: NaiveDate,
    /// The number of programmes that the masterplan contained, whatever their status.
    #[schema(minimum = 0, maximum = 2147483647)]
    total: u32,
    /// The number of programmes in each status.
    by_status: StatusCounts,
}

struct Move {
    on: NaiveDate,
    from: Option<ProgrammeStatus>,
    to: ProgrammeStatus,
    number: u32,
}

/// Computes the timeline with one statement, or with two if a masterplan is named.
pub async fn compute(
    db: &impl ConnectionTrait,
    scope: Scope,
    masterplan: Option<String>,
    interval: Frequency,
    as_of: AsOf,
) -> ApiResult<Timeline> {
    if let Some(code) = &masterplan {
        must_know(db, scope, code).await?;
    }
    let moves = moves(db, scope, masterplan.as_deref(), as_of).await?;
    Ok(Timeline { masterplan, as_of: as_of.day, steps: steps(&moves, interval, as_of.day) })
}

fn steps(moves: &[Move], interval: Frequency, as_of: NaiveDate) -> Vec<Step> {
    let Some(first) = moves.first() else { return Vec::new() };
    let (mut by_status, mut total, mut next) = (StatusCounts::default(), 0, 0);
    let mut steps = Vec::new();
    let mut period = Some(Period::containing(interval, first.on));
    while let Some(current) = period.filter(|period| period.start() <= as_of) {
        let ends_on = current.end().min(as_of);
        let within = moves[next..].iter().take_while(|one| one.on <= ends_on).collect::<Vec<_>>();
        next += within.len();
        // Arrivals come first: within one day a programme leaves a status only after it has reached it.
        within.iter().for_each(|one| *by_status.of(one.to) += one.number);
        for one in within {
            match one.from {
                Some(from) => *by_status.of(from) -= one.number,
                None => total += one.number,
            }
        }
        steps.push(Step { period: current, ends_on, total, by_status: by_status.clone() });
        period = current.next();
    }
    steps
}

/// All moves between statuses by day, of the programmes that the masterplan contained on the last day of the timeline. A first
/// entry that is dated after the entry that follows it (because the history was entered later than it happened) counts from the
/// day of the entry that follows.
async fn moves(db: &impl ConnectionTrait, scope: Scope, masterplan: Option<&str>, as_of: AsOf) -> ApiResult<Vec<Move>> {
    let (mut values, programmes): (Vec<Value>, _) = (vec![as_of.day.into()], as_of.of(&programmes::KIND));
    let (shown, of_plan) = (scope.shows(&programmes::KIND, "p", as_of), of_masterplan("p", masterplan, &mut values));
    let sql = format!(
        "SELECT moved_on, from_status, to_status, COUNT(*) AS number, MIN(seq) AS seq FROM ( \
           SELECT s.from_status, s.to_status, s.seq, MIN(s.effective_on) OVER \
             (PARTITION BY s.programme ORDER BY s.seq ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS moved_on \
           FROM status_change s JOIN {programmes} p ON p.code = s.programme WHERE {shown} AND {of_plan} \
         ) moves WHERE moved_on <= $1 GROUP BY moved_on, from_status, to_status ORDER BY moved_on, seq"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    rows.iter()
        .map(|row| {
            let from: Option<String> = row.try_get("", "from_status")?;
            let number: i64 = row.try_get("", "number")?;
            Ok(Move {
                on: row.try_get("", "moved_on")?,
                from: from.map(|from| ProgrammeStatus::try_from_value(&from)).transpose()?,
                to: ProgrammeStatus::try_from_value(&row.try_get("", "to_status")?)?,
                number: u32::try_from(number).unwrap_or(u32::MAX),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn each_step_counts_what_was_in_effect_at_its_end() {
        use ProgrammeStatus::{Planned, Running};
        let moves = [
            Move { on: day("2022-03-01"), from: None, to: Planned, number: 40 },
            Move { on: day("2022-10-04"), from: Some(Planned), to: Running, number: 35 },
        ];
        let steps = steps(&moves, Frequency::Quarterly, day("2022-11-15"));
        let counts =
            steps.iter().map(|step| (step.period.to_string(), step.total, step.by_status.planned, step.by_status.running));
        assert_eq!(
            counts.collect::<Vec<_>>(),
            [
                ("2022-Q1".into(), 40, 40, 0),
                ("2022-Q2".into(), 40, 40, 0),
                ("2022-Q3".into(), 40, 40, 0),
                ("2022-Q4".into(), 40, 5, 35)
            ]
        );
        assert_eq!(steps[3].ends_on, day("2022-11-15"));
    }
}
