//! `/v1/push/action-reports`

use chrono::{DateTime, Utc};
use entity::action_report::Model;
use entity::measurement::ReportState;
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use sea_orm::FromQueryResult;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::reports::{Compared, Reported};
use crate::http::identifiers::in_lower_case;
use crate::http::schema;
use crate::resources::actions::reports::wire_types::ActionReportInput;
use crate::resources::reporting::ReportKey;

/// The key of a report on an action.
#[derive(ToSchema)]
#[expect(dead_code, reason = "its schema is what is used")]
struct ActionReportKey {
    /// The `id` of the action.
    action: Code,
    /// The quarter of the action's year, 1 to 4.
    #[schema(minimum = 1, maximum = 4)]
    quarter: i32,
}

/// What of a stored report on an action a row is compared with.
#[derive(FromQueryResult)]
pub(super) struct ComparedActionReport {
    action: String,
    quarter: i32,
    revision: i32,
    realisation: Decimal,
    narrative: Option<String>,
    obstacles: Option<String>,
    evidence: Value,
    source_updated_at: Option<DateTime<Utc>>,
    state: ReportState,
}

impl Compared for ComparedActionReport {
    const COLUMNS: &'static [&'static str] =
        &["action", "quarter", "revision", "realisation", "narrative", "obstacles", "evidence", "source_updated_at", "state"];

    fn place(&self) -> ReportKey {
        ReportKey { of: self.action.clone(), part: self.quarter.to_string() }
    }

    fn state(&self) -> ReportState {
        self.state
    }

    fn revision(&self) -> i32 {
        self.revision
    }

    fn changed_at(&self) -> Option<DateTime<Utc>> {
        self.source_updated_at
    }

    fn said(&self) -> Map<String, Value> {
        Map::from_iter([
            ("realisation".to_owned(), json!(self.realisation)),
            ("narrative".to_owned(), json!(self.narrative)),
            ("obstacles".to_owned(), json!(self.obstacles)),
            ("evidence".to_owned(), self.evidence.clone()),
            ("source_updated_at".to_owned(), json!(self.source_updated_at)),
        ])
    }
}

impl Reported for Model {
    fn key_schema() -> Value {
        schema::input::<ActionReportKey>()
    }

    fn key_of(text: &str) -> String {
        in_lower_case(text).into_owned()
    }

    type Compared = ComparedActionReport;

    fn compared(&self) -> ComparedActionReport {
        ComparedActionReport {
            action: self.action.clone(),
            quarter: self.quarter,
            revision: self.revision,
            realisation: self.realisation,
            narrative: self.narrative.clone(),
            obstacles: self.obstacles.clone(),
            evidence: self.evidence.clone(),
            source_updated_at: self.source_updated_at,
            state: self.state,
        }
    }

    fn content(input: &ActionReportInput) -> Value {
        json!([input.realisation, input.narrative, input.obstacles, input.evidence])
    }
}
