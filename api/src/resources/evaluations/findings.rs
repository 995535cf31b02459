//! `/v1/evaluations/{code}/findings`

use chrono::NaiveDate;
use entity::finding;
use entity::rules::finding::FindingState;
use entity::value::code::Code;
use sea_orm::ActiveValue::{NotSet, Set};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::follow_ups::MOST_FOLLOW_UPS;
use crate::auth::permissions::HoldEvaluations;
use crate::resources::references::Target;
use crate::resources::resource::{Key, Names, NewRow, Parent, Reference, Resource, code};
use crate::store::listing::{Field, Kind};

/// The words for the state of a finding.
const STATES: &[&str] = &["open", "in_progress", "done"];

/// What an evaluation found. Its `state` changes only through its follow-ups, also after the evaluation was closed.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The programme it is about.
    pub programme: Option<Code>,
    /// The OPD that has to mend it.
    pub opd: Option<Code>,
    /// What was found.
    #[schema(min_length = 1, max_length = 10000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub text: String,
    /// What should be done.
    #[schema(max_length = 10000)]
    pub recommendation: Option<String>,
    /// By which day.
    #[schema(max_length = 10)]
    pub due_on: Option<NaiveDate>,
}

impl Resource for Finding {
    const NAMES: Names = Names {
        one: "finding",
        many: "findings",
        spoken: "finding",
        plural: "findings",
        about: "What an evaluation found, who has to mend it by when, and what was done since.",
    };
    const FIELDS: &'static [Field] = &[
        Field::filter("programme", Kind::Code),
        Field::filter("opd", Kind::Code),
        Field::sort("state", Kind::Choice(STATES)),
        Field::sort_nullable("due_on", Kind::Date),
    ];
    const DEFAULT_SORT: &'static str = "id";
    const KEY: Key = Key::Id;
    const PARENT: Option<Parent> = Some(Parent { many: "evaluations", member: "evaluation", to: Target::Evaluation });
    const REFERENCES: &'static [Reference] =
        &[Reference::one("programme", Target::Programme), Reference::one("opd", Target::Opd)];
    type Entity = finding::Entity;
    type Write = HoldEvaluations;

    fn example() -> Value {
        json!({
            "id": "0183a0c6-5c00-7a00-8000-000000000001", "evaluation": "EVAL-2022-10-04",
            "text": "Seluruh OPD terus berbenah menjalankan rencana aksi dan masterplan",
        })
    }

    fn of(row: &finding::Model) -> Self {
        Self {
            programme: row.programme.as_deref().map(code),
            opd: row.opd.as_deref().map(code),
            text: row.text.clone(),
            recommendation: row.recommendation.clone(),
            due_on: row.due_on,
        }
    }

    fn into_row(self) -> finding::ActiveModel {
        finding::ActiveModel {
            programme: Set(self.programme.map(|code| code.to_string())),
            opd: Set(self.opd.map(|code| code.to_string())),
            text: Set(self.text),
            recommendation: Set(self.recommendation),
            due_on: Set(self.due_on),
            evaluation: NotSet,
            state: NotSet,
            follow_ups: NotSet,
            id: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.text, self.recommendation.as_deref().unwrap_or_default()]
    }

    fn read_only(row: Option<&finding::Model>) -> Map<String, Value> {
        let state = row.map_or(FindingState::Open, |row| row.state);
        let follow_ups = row.map_or_else(|| json!([]), |row| row.follow_ups.clone());
        Map::from_iter([("state".to_owned(), json!(state)), ("follow_ups".to_owned(), follow_ups)])
    }

    fn read_only_schema() -> Map<String, Value> {
        let state = json!({ "type": "string", "enum": STATES, "readOnly": true, "description": "Where it stands. Only a follow-up changes it." });
        let moved = json!({ "type": ["string", "null"], "enum": ["open", "in_progress", "done", null], "description": "The state that it moved to; null where it stayed." });
        let follow_up = json!({
            "type": "object", "additionalProperties": false, "required": ["by", "at", "text", "state"],
            "properties": {
                "by": { "type": "string", "maxLength": 254, "description": "Who told it." },
                "at": { "type": "string", "format": "date-time", "maxLength": 35, "description": "When." },
                "text": { "type": "string", "maxLength": 10000, "description": "What was done." },
                "state": moved,
            },
        });
        let follow_ups = json!({
            "type": "array", "maxItems": MOST_FOLLOW_UPS, "items": follow_up, "readOnly": true,
            "description": "What was done since, the oldest first.",
        });
        Map::from_iter([("state".to_owned(), state), ("follow_ups".to_owned(), follow_ups)])
    }

    fn before_insert(row: &mut NewRow<Self>) {
        row.state = Set(FindingState::Open);
        row.follow_ups = Set(json!([]));
    }
}
