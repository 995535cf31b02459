//! `/v1/push/action-reports`

use entity::action_report::Model;
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::reports::{Reported, compared};
use crate::http::identifiers::in_lower_case;
use crate::http::schema;
use crate::resources::actions::reports::wire_types::ActionReportInput;

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

compared! {
    /// What of a stored report on an action a row is compared with.
    ComparedActionReport: action, quarter: i32;
    realisation: Decimal, narrative: Option<String>, obstacles: Option<String>
}

impl Reported for Model {
    type Compared = ComparedActionReport;

    fn key_schema() -> Value {
        schema::input::<ActionReportKey>()
    }

    fn key_of(text: &str) -> String {
        in_lower_case(text).into_owned()
    }

    fn said(stored: &ComparedActionReport) -> Map<String, Value> {
        Map::from_iter([
            ("realisation".to_owned(), json!(stored.realisation)),
            ("narrative".to_owned(), json!(stored.narrative)),
            ("obstacles".to_owned(), json!(stored.obstacles)),
            ("evidence".to_owned(), stored.evidence.clone()),
            ("source_updated_at".to_owned(), json!(stored.source_updated_at)),
        ])
    }

    fn content(input: &ActionReportInput) -> Value {
        json!([input.realisation, input.narrative, input.obstacles, input.evidence])
    }
}
