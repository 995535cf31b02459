//! `/v1/push/action-reports`

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::measurement::ReportState;
use entity::rules::review::{Arrival, Stored, arrival};
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use entity::{action, action_report};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::measurements::{duplicate, outside};
use super::rows::{Cells, Column, Row};
use super::{Outcome, Pushed};
use crate::auth::permissions::ReportActions;
use crate::http::body;
use crate::http::problem::{ApiResult, Fault};
use crate::resources::actions::reports::realisation_fault;
use crate::resources::actions::reports::wire_types::{ActionReport, ActionReportInput};
use crate::resources::references::{Target, unknown};
use crate::resources::reporting::Report as _;
use crate::resources::reporting::evidence::Evidence;
use crate::resources::reporting::flow::{hand_in, reason_required, written_action};
use crate::store::bulk;
use crate::store::change::{Change, Happening};

/// A report on an action, as other systems push it: the whole of it, as `PUT` takes it, with its key.
#[derive(Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionReportRow {
    /// The action, by its `id`.
    action: Code,
    /// The quarter of the action's year.
    #[schema(minimum = 1, maximum = 4)]
    quarter: i32,
    /// What is realised by the end of the quarter, counted from the beginning of the year, in the action's unit: 0 or more.
    realisation: Decimal,
    /// What was done.
    #[schema(max_length = 10000)]
    narrative: Option<String>,
    /// What stood in the way.
    #[schema(max_length = 10000)]
    obstacles: Option<String>,
    /// What proves it.
    #[serde(default)]
    #[schema(max_items = 20)]
    evidence: Vec<Evidence>,
    /// When the source system last changed it.
    #[schema(max_length = 35)]
    source_updated_at: Option<DateTime<Utc>>,
    /// Why a verified report is corrected: required then.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    reason: Option<String>,
}

/// The last revision of each quarter, by action and quarter.
type Revisions = HashMap<(String, i32), action_report::Model>;

impl ActionReportRow {
    fn input(&self) -> ActionReportInput {
        ActionReportInput {
            realisation: self.realisation,
            narrative: self.narrative.clone(),
            obstacles: self.obstacles.clone(),
            evidence: self.evidence.clone(),
            source_updated_at: self.source_updated_at,
            reason: self.reason.clone(),
        }
    }

    /// The row that is stored in the place of `before`.
    fn over(&self, change: &Change, before: Option<&action_report::Model>, submits: bool) -> action_report::Model {
        let mut after = action_report::Model::drafted(change, &self.action, self.quarter, before, self.input());
        if submits {
            hand_in(change, &mut after);
        }
        after
    }

    /// What is stored, as far as this row is concerned.
    fn beside(&self, stored: &action_report::Model) -> Stored {
        let is_same = stored.realisation == self.realisation
            && stored.narrative == self.narrative
            && stored.obstacles == self.obstacles
            && stored.evidence == json!(self.evidence);
        let is_newer = self.source_updated_at.zip(stored.source_updated_at).is_some_and(|(own, stored)| own < stored);
        Stored { state: stored.state, is_same, is_newer }
    }

    /// Whether it says the same as another row of the push.
    fn repeats(&self, other: &Self) -> bool {
        let said = |row: &Self| (row.realisation, row.narrative.clone(), row.obstacles.clone());
        said(self) == said(other) && self.evidence == other.evidence
    }
}

/// A row that is written, and what it takes the place of.
pub struct Write {
    before: Option<action_report::Model>,
    after: action_report::Model,
}

/// What is known of the things that the rows are about.
struct Known {
    actions: HashMap<String, action::Model>,
    /// The OPDs that the actor may write for; `None` for all.
    covered: Option<HashSet<String>>,
    stored: Revisions,
    submits: bool,
}

impl Pushed for ActionReportRow {
    type May = ReportActions;
    type Plan = Vec<Write>;
    const COLUMNS: &'static [Column] = &[
        Column::text("action", "/action", true),
        Column { name: "quarter", pointer: "/quarter", cells: Cells::Integer, required: true },
        Column::text("realisation", "/realisation", true),
        Column::text("narrative", "/narrative", false),
        Column::text("obstacles", "/obstacles", false),
        Column::text("source_updated_at", "/source_updated_at", false),
        Column::text("reason", "/reason", false),
        Column::text("evidence_title", "/evidence/0/title", false),
        Column::text("evidence_url", "/evidence/0/url", false),
        Column::text("evidence_sha256", "/evidence/0/sha256", false),
    ];

    fn read(value: Value) -> Result<Self, Vec<Fault>> {
        body::accept_or_faults(value)
    }

    fn key(&self) -> String {
        format!("{}/{}", self.action, self.quarter)
    }

    async fn decide(change: &Change, rows: &[Row<Self>], submits: bool) -> ApiResult<(Vec<Outcome>, Vec<Write>)> {
        let good = rows.iter().filter_map(|row| row.read.as_ref().ok());
        let ids = good.map(|row| row.action.as_str()).collect::<BTreeSet<_>>();
        // In one order, so that pushes that overlap wait for each other instead of for ever.
        let actions = action::Entity::find().filter(action::Column::Id.is_in(ids.iter().copied()));
        let actions = actions.order_by_asc(action::Column::Id).lock_exclusive().all(&change.db).await?;
        let actions = actions.into_iter().map(|action| (action.id.clone(), action)).collect();
        let mut known = Known { actions, covered: change.covered().await?, stored: stored(change, ids).await?, submits };
        let (mut plan, mut seen) = (Vec::new(), HashMap::new());
        let outcomes = rows.iter().map(|row| match &row.read {
            Err(faults) => Outcome::Rejected(faults.clone()),
            Ok(row) => known.judge(change, row, &mut seen, &mut plan),
        });
        Ok((outcomes.collect(), plan))
    }

    async fn write(change: &Change, _: &[Row<Self>], plan: Vec<Write>) -> ApiResult<()> {
        let frozen = plan.iter().filter_map(|write| write.before.as_ref().filter(|row| row.state == ReportState::Verified));
        let superseded = frozen.map(|row| action_report::Model { latest: false, ..row.clone() });
        bulk::upsert::<action_report::Model>(&change.db, superseded).await?;
        bulk::upsert::<action_report::Model>(&change.db, plan.iter().map(|write| &write.after)).await?;
        let keys = plan.iter().map(|write| write.after.place().to_string()).collect::<Vec<_>>();
        let happenings = plan.iter().zip(&keys).map(|(write, key)| Happening {
            resource: action_report::Model::KIND.name(),
            key,
            action: written_action(write.before.as_ref()),
            version: write.after.version,
            before: write.before.as_ref().map(ActionReport::from),
            after: Some(ActionReport::from(&write.after)),
        });
        change.record_all(happenings).await
    }
}

impl Known {
    fn judge<'a>(
        &mut self,
        change: &Change,
        row: &'a ActionReportRow,
        seen: &mut HashMap<(&'a str, i32), &'a ActionReportRow>,
        plan: &mut Vec<Write>,
    ) -> Outcome {
        let faults = self.faults(row);
        if !faults.is_empty() {
            return Outcome::Rejected(faults);
        }
        if let Some(earlier) = seen.insert((row.action.as_str(), row.quarter), row) {
            return if row.repeats(earlier) { Outcome::Unchanged } else { Outcome::Rejected(vec![duplicate()]) };
        }
        let before = self.stored.remove(&(row.action.to_string(), row.quarter));
        let outcome = match arrival(before.as_ref().map(|before| row.beside(before)), self.submits) {
            Arrival::Unchanged => return Outcome::Unchanged,
            Arrival::Stale => return Outcome::Stale,
            Arrival::Revision if row.reason.is_none() => return Outcome::Rejected(vec![reason_required()]),
            Arrival::New => Outcome::Created,
            Arrival::Replacement | Arrival::Revision => Outcome::Updated,
        };
        let after = row.over(change, before.as_ref(), self.submits);
        plan.push(Write { before, after });
        outcome
    }

    /// Every fault that the row has beside what is stored.
    fn faults(&self, row: &ActionReportRow) -> Vec<Fault> {
        let Some(action) = self.actions.get(row.action.as_str()) else {
            return vec![unknown("/action".into(), Target::Action, &row.action)];
        };
        if self.covered.as_ref().is_some_and(|covered| !covered.contains(&action.opd)) {
            return vec![outside("/action", &action.opd)];
        }
        realisation_fault(row.realisation).into_iter().collect()
    }
}

/// The last revision of each quarter of these actions. One statement.
async fn stored(change: &Change, actions: BTreeSet<&str>) -> ApiResult<Revisions> {
    use action_report::Column;
    let latest = action_report::Entity::find().filter(Column::Action.is_in(actions)).filter(Column::Latest.eq(true));
    let found = latest.all(&change.db).await?;
    Ok(found.into_iter().map(|row| ((row.action.clone(), row.quarter), row)).collect())
}
