//! What actions plan and what is verified of it, as of any day: what every figure about actions is computed from.

use crate::resources::actions;
use std::collections::HashMap;

use chrono::NaiveDate;
use entity::rules::renaksi::{ActionPlan, begun};
use entity::value::decimal::Decimal;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, QueryResult, Statement};

use crate::http::problem::ApiResult;
use crate::store::snapshots::AsOf;

/// Actions of two statements.
const AT_ONCE: u64 = 4_000;

/// An action with its reports, as of a day.
#[derive(Clone, Debug)]
pub struct PlannedAction {
    /// The action.
    pub id: String,
    /// The programme it serves.
    pub programme: String,
    /// The OPD that carries it out.
    pub opd: String,
    /// What is planned and what is verified of it.
    pub plan: ActionPlan,
    /// The day on which the report for each quarter was first handed in.
    pub handed_in_on: [Option<NaiveDate>; 4],
}

/// The actions `a` that a condition with parameters from $1 on holds for, in the order of their ids. Two statements for some
/// thousand of them, so that the rows of all never stand in memory at once.
pub async fn planned(
    db: &impl ConnectionTrait,
    as_of: AsOf,
    condition: &str,
    values: Vec<Value>,
) -> ApiResult<Vec<PlannedAction>> {
    let mut planned: Vec<PlannedAction> = Vec::new();
    loop {
        let after = planned.last().map(|action| action.id.clone()).unwrap_or_default();
        let some = planned_after(db, as_of, condition, values.clone(), &after).await?;
        let is_last = (some.len() as u64) < AT_ONCE;
        planned.extend(some);
        if is_last {
            return Ok(planned);
        }
    }
}

/// The next of them, after an id.
async fn planned_after(
    db: &impl ConnectionTrait,
    as_of: AsOf,
    condition: &str,
    mut values: Vec<Value>,
    after: &str,
) -> ApiResult<Vec<PlannedAction>> {
    let (actions, backend) = (as_of.of(&actions::KIND), db.get_database_backend());
    let [first, last, day] = [1, 2, 3].map(|more| values.len() + more);
    values.push(after.into());
    let sql = format!(
        "SELECT a.id, a.programme, a.opd, a.year, a.weight, a.due_on, a.target_q1, a.target_q2, a.target_q3, a.target_q4 \
         FROM {actions} a WHERE {condition} AND a.id > ${first} ORDER BY a.id LIMIT {AT_ONCE}"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(backend, sql, values.clone())).await?;
    let mut planned = rows.iter().map(read).collect::<ApiResult<Vec<_>>>()?;
    drop(rows);
    let Some(end) = planned.last().map(|action| action.id.clone()) else { return Ok(planned) };
    let place = planned.iter().enumerate().map(|(place, action)| (action.id.clone(), place)).collect::<HashMap<_, _>>();
    let sql = format!(
        "SELECT r.action, r.quarter, r.realisation, r.handed_in_on, r.known_on FROM {actions} a \
         JOIN action_report r ON r.action = a.id WHERE (r.known_on <= ${day} OR r.handed_in_on <= ${day}) AND {condition} \
         AND a.id > ${first} AND a.id <= ${last} ORDER BY r.action, r.quarter, r.revision"
    );
    values.extend([end.into(), as_of.day.into()]);
    for row in db.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await? {
        if let Some(place) = place.get(&row.try_get::<String>("", "action")?) {
            add_report(&mut planned[*place], &row, as_of.day)?;
        }
    }
    for PlannedAction { plan, .. } in &mut planned {
        plan.realisation = begun(plan.year, plan.realisation, as_of.day);
    }
    Ok(planned)
}

fn read(row: &QueryResult) -> ApiResult<PlannedAction> {
    let decimal = |name: &str| row.try_get::<Decimal>("", name).map(Decimal::inner);
    let plan = ActionPlan {
        year: row.try_get("", "year")?,
        weight: decimal("weight")?,
        due_on: row.try_get("", "due_on")?,
        targets: [decimal("target_q1")?, decimal("target_q2")?, decimal("target_q3")?, decimal("target_q4")?],
        realisation: [None; 4],
    };
    Ok(PlannedAction {
        id: row.try_get("", "id")?,
        programme: row.try_get("", "programme")?,
        opd: row.try_get("", "opd")?,
        plan,
        handed_in_on: [None; 4],
    })
}

/// Adds a revision of a report: the last that was known by the day is in force.
fn add_report(action: &mut PlannedAction, row: &QueryResult, day: NaiveDate) -> ApiResult<()> {
    let quarter: i32 = row.try_get("", "quarter")?;
    let Some(at) = usize::try_from(quarter - 1).ok().filter(|at| *at < 4) else { return Ok(()) };
    let by_then = |name: &str| Ok::<_, sea_orm::DbErr>(row.try_get::<Option<NaiveDate>>("", name)?.filter(|on| *on <= day));
    if by_then("known_on")?.is_some() {
        action.plan.realisation[at] = Some(row.try_get::<Decimal>("", "realisation")?.inner());
    }
    let first = &mut action.handed_in_on[at];
    *first = (*first).into_iter().chain(by_then("handed_in_on")?).min();
    Ok(())
}
