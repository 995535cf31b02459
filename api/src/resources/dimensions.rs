//! `/v1/dimensions`

use entity::dimension;
use sea_orm::ActiveValue::{NotSet, Set};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::resource::{Names, Resource};
use crate::auth::permissions::EditCatalogue;
use crate::store::listing::{Field, Kind};

/// A dimension of the smart city. Six are usual: governance, branding, economy, living, society, environment.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Name in Indonesian.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub name: String,
    /// Name in English.
    #[schema(max_length = 200)]
    pub name_en: Option<String>,
    /// Where it is shown among the others, from 1.
    #[schema(minimum = 1, maximum = 1000)]
    pub position: i32,
    /// What it covers.
    #[schema(max_length = 10000)]
    pub description: Option<String>,
}

impl Resource for Dimension {
    const NAMES: Names = Names {
        one: "dimension",
        many: "dimensions",
        spoken: "dimension",
        plural: "dimensions",
        about: "The dimensions of the smart city; each programme, Quick Win and KPI serves one.",
    };
    const FIELDS: &'static [Field] = &[Field::sort("position", Kind::Integer), Field::sort("name", Kind::Text)];
    const DEFAULT_SORT: &'static str = "position";
    type Entity = dimension::Entity;
    type Write = EditCatalogue;

    fn example() -> Value {
        json!({ "code": "governance", "name": "Smart Governance", "name_en": "Smart Governance", "position": 1, "description": "Tata kelola pemerintahan" })
    }

    fn of(row: &dimension::Model) -> Self {
        Self {
            name: row.name.clone(),
            name_en: row.name_en.clone(),
            position: row.position,
            description: row.description.clone(),
        }
    }

    fn into_row(self) -> dimension::ActiveModel {
        dimension::ActiveModel {
            name: Set(self.name),
            name_en: Set(self.name_en),
            position: Set(self.position),
            description: Set(self.description),
            code: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name, self.name_en.as_deref().unwrap_or_default(), self.description.as_deref().unwrap_or_default()]
    }
}
