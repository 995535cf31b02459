//! `/v1/council-members`

use chrono::NaiveDate;
use entity::council_member::{self, CouncilRole};
use sea_orm::ActiveValue::{NotSet, Set};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::resource::{Key, Names, Resource};
use crate::auth::permissions::EditCatalogue;
use crate::http::language::Text;
use crate::http::problem::FieldError;
use crate::store::listing::{Field, Kind};

/// A member of the Smart City council.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CouncilMember {
    /// The person.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub name: String,
    /// What the person is outside of the council.
    #[schema(max_length = 300)]
    pub position: Option<String>,
    /// What the person is in the council.
    pub role: CouncilRole,
    /// The first day of the term.
    #[schema(max_length = 10)]
    pub since: Option<NaiveDate>,
    /// The last day of the term; not before the first.
    #[schema(max_length = 10)]
    pub until: Option<NaiveDate>,
}

impl Resource for CouncilMember {
    const NAMES: Names = Names {
        one: "council_member",
        many: "council-members",
        spoken: "council member",
        plural: "council members",
        about: "The Smart City council: who sits in it, as what, from when until when.",
    };
    const FIELDS: &'static [Field] = &[
        Field::sort("role", Kind::Choice(&["chair", "member", "secretary"])),
        Field::sort_nullable("since", Kind::Date),
        Field::sort_nullable("until", Kind::Date),
        Field::sort("name", Kind::Text),
    ];
    const DEFAULT_SORT: &'static str = "id";
    const KEY: Key = Key::Id;
    type Entity = council_member::Entity;
    type Write = EditCatalogue;

    fn example() -> Value {
        json!({
            "id": "0183a0c4-6f00-7d2e-9d6b-5c1f6a3b7e20", "name": "H. Djohan Sjamsu", "position": "Bupati Lombok Utara",
            "role": "chair",
        })
    }

    fn of(row: &council_member::Model) -> Self {
        Self { name: row.name.clone(), position: row.position.clone(), role: row.role, since: row.since, until: row.until }
    }

    fn into_row(self) -> council_member::ActiveModel {
        council_member::ActiveModel {
            name: Set(self.name),
            position: Set(self.position),
            role: Set(self.role),
            since: Set(self.since),
            until: Set(self.until),
            id: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name, self.position.as_deref().unwrap_or_default()]
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let ends_early = matches!((self.since, self.until), (Some(since), Some(until)) if until < since);
        let text = || Text::new("It ends before it starts.", "Berakhir sebelum dimulai.");
        ends_early.then(|| FieldError::at("/until", "before_start", text())).into_iter().collect()
    }
}
