//! `/v1/push/action-reports`

use entity::action_report::Model;
use entity::value::code::Code;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::reports::Reported;
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

impl Reported for Model {
    fn key_schema() -> Value {
        schema::input::<ActionReportKey>()
    }

    fn key_of(text: &str) -> String {
        in_lower_case(text).into_owned()
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

    fn content(input: &ActionReportInput) -> Value {
        json!([input.realisation, input.narrative, input.obstacles, input.evidence])
    }
}
