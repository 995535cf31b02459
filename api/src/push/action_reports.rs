//! `/v1/push/action-reports`

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use entity::action_report;
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::reports::{Reported, Writes};
use super::rows::{Cells, Column, Row};
use crate::http::problem::{ApiResult, Fault};
use crate::resources::actions::reports::{falling, needs_none};
use crate::resources::actions::reports::wire_types::ActionReportInput;
use crate::resources::references::Target;
use crate::resources::reporting::evidence::Evidence;
use crate::store::change::Change;

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
    /// Why a verified report is corrected, or why what is realised is less than for the quarter before: required then.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    reason: Option<String>,
}

impl Reported for ActionReportRow {
    type Report = action_report::Model;
    const OF: Target = Target::Action;
    const PART: &'static str = "int";
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

    fn of(&self) -> &str {
        &self.action
    }

    fn part(&self) -> i32 {
        self.quarter
    }

    fn changed_at(&self) -> Option<DateTime<Utc>> {
        self.source_updated_at
    }

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

    /// Of the rows that would be written those that make what is realised fall are rejected, which leaves others beside what is
    /// stored: until none is left that falls.
    async fn faults_beside_others(
        change: &Change,
        rows: &[Row<Self>],
        writes: &Writes<action_report::Model>,
    ) -> ApiResult<BTreeMap<usize, Fault>> {
        let written = writes.iter().filter_map(|(index, before)| Some((*index, rows[*index].read.as_ref().ok()?, before)));
        let written = written.collect::<Vec<_>>();
        let actions = written.iter().map(|(_, row, _)| row.action.as_str()).collect::<BTreeSet<_>>();
        let stored = falling::reported(&change.db, actions).await?;
        let mut faults = BTreeMap::new();
        loop {
            let mut reported = stored.clone();
            let left = written.iter().filter(|(index, ..)| !faults.contains_key(index)).collect::<Vec<_>>();
            for (_, row, _) in &left {
                falling::set(reported.entry(row.action.to_string()).or_default(), row.quarter, row.realisation);
            }
            let unexplained = |row: &Self, before: Option<&action_report::Model>| row.reason.is_none() && !needs_none(before, row.realisation);
            let fell = left.into_iter().filter(|(_, row, before)| unexplained(row, before.as_deref()));
            let fell = fell.filter_map(|(index, row, _)| {
                Some((*index, falling::fault(reported.get(row.action.as_str())?, row.quarter, row.realisation)?))
            });
            let fell = fell.collect::<Vec<_>>();
            if fell.is_empty() {
                return Ok(faults);
            }
            faults.extend(fell);
        }
    }

    fn says(&self, stored: &action_report::Model) -> bool {
        stored.realisation == self.realisation
            && stored.narrative == self.narrative
            && stored.obstacles == self.obstacles
            && stored.evidence == json!(self.evidence)
    }

    fn repeats(&self, other: &Self) -> bool {
        let said = |row: &Self| (row.realisation, row.narrative.clone(), row.obstacles.clone());
        said(self) == said(other) && self.evidence == other.evidence
    }
}
