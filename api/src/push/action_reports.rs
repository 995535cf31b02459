//! `/v1/push/action-reports`

use chrono::{DateTime, Utc};
use entity::action_report;
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::reports::Reported;
use super::rows::{Cells, Column};
use crate::http::identifiers::in_lower_case;
use crate::resources::actions::reports::wire_types::ActionReportInput;
use crate::resources::references::Target;
use crate::resources::reporting::evidence::Evidence;

/// A report on an action, as other systems push it: the whole of it, as `PUT` takes it, with its key.
#[derive(Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionReportRow {
    /// The action, by its `id`.
    #[serde(deserialize_with = "id_in_either_case")]
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

/// An id as it stands in the database, whatever case it comes in.
fn id_in_either_case<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
    let id = String::deserialize(deserializer)?;
    Code::parse(&in_lower_case(&id)).map_err(serde::de::Error::custom)
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
