//! What is computed of programmes: how far their action plans are done.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::programme;
use entity::rules::renaksi::{self, ActionPlan};
use entity::value::decimal::Percent;
use sea_orm::{ConnectionTrait, DatabaseConnection};

use super::{Programme, ProgrammeProgress};
use crate::crud::resource::Compute;
use crate::http::problem::ApiResult;
use crate::resources::action_plans::{PlannedAction, planned};
use crate::resources::actions;
use crate::store::kind::Scope;
use crate::store::rows::Executor;
use crate::store::snapshots::AsOf;

/// The quarter up to which all of a year counts.
const YEAR_END: u8 = 4;

impl Compute for Programme {
    async fn compute(
        db: &Executor<'_>,
        rows: &[programme::Model],
        scope: Scope,
        today: NaiveDate,
    ) -> ApiResult<Vec<ProgrammeProgress>> {
        let codes = rows.iter().map(|row| row.code.as_str()).collect::<Vec<_>>();
        let progress = progress(db, &codes, scope, today).await?;
        Ok(rows.iter().map(|row| ProgrammeProgress { progress: progress.get(&row.code).copied() }).collect())
    }
}

/// The progress of all programmes that have actions, at the end of a day.
pub(super) async fn of_all(db: &DatabaseConnection, scope: Scope, as_of: AsOf) -> ApiResult<HashMap<String, Percent>> {
    let shown = scope.shows(&actions::KIND, "a", as_of);
    Ok(means(planned(db, as_of, &shown, Vec::new()).await?))
}

/// The progress of those programmes that have actions: two statements, and none for no programmes.
async fn progress(db: &Executor<'_>, codes: &[&str], scope: Scope, today: NaiveDate) -> ApiResult<HashMap<String, Percent>> {
    if codes.is_empty() {
        return Ok(HashMap::new());
    }
    let places = (1..=codes.len()).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
    let as_of = AsOf::new(today, today, db.get_database_backend());
    let condition = format!("a.programme IN ({places}) AND {}", scope.shows(&actions::KIND, "a", as_of));
    let actions = planned(db, as_of, &condition, codes.iter().map(|code| (*code).into()).collect()).await?;
    Ok(means(actions))
}

/// The mean of the actions of each programme.
fn means(actions: Vec<PlannedAction>) -> HashMap<String, Percent> {
    let mut plans: HashMap<String, Vec<ActionPlan>> = HashMap::new();
    for action in actions {
        plans.entry(action.programme).or_default().push(action.plan);
    }
    let mean = |(code, plans): (String, Vec<ActionPlan>)| Some((code, renaksi::mean_progress(&plans, YEAR_END)?));
    plans.into_iter().filter_map(mean).collect()
}
