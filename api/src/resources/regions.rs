//! `/v1/regions`

use entity::region::{self, RegionLevel};
use entity::value::code::Code;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::references::Target;
use super::resource::{Names, Reference, Resource, code};
use crate::auth::permissions::EditCatalogue;
use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, FieldError};
use crate::store::listing::{Field, Kind};
use crate::store::transaction::WriteTransaction;

/// A region, by its Kemendagri code such as `52.08.01.2001`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Its name.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub name: String,
    /// Which kind of region.
    pub level: RegionLevel,
    /// The region it lies in: a district in a regency, a village in a district.
    pub parent: Option<Code>,
}

impl Resource for Region {
    const NAMES: Names = Names {
        one: "region",
        many: "regions",
        spoken: "region",
        plural: "regions",
        about: "Regency, districts (kecamatan) and villages (desa), by their Kemendagri codes.",
    };
    const FIELDS: &'static [Field] = &[
        Field::sort("level", Kind::Choice(&["regency", "district", "village"])),
        Field::filter("parent", Kind::Code),
        Field::sort("name", Kind::Text),
    ];
    const REFERENCES: &'static [Reference] = &[Reference::one("parent", Target::Region)];
    type Entity = region::Entity;
    type Write = EditCatalogue;

    fn example() -> Value {
        json!({ "code": "52.08.04.2006", "name": "Senaru", "level": "village", "parent": "52.08.04" })
    }

    fn of(row: &region::Model) -> Self {
        Self { name: row.name.clone(), level: row.level, parent: row.parent.as_deref().map(code) }
    }

    fn into_row(self) -> region::ActiveModel {
        region::ActiveModel {
            name: Set(self.name),
            level: Set(self.level),
            parent: Set(self.parent.map(|code| code.to_string())),
            code: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let missing = self.level != RegionLevel::Regency && self.parent.is_none();
        let text =
            || Text::new("A district or village lies in another region.", "Kecamatan atau desa berada di dalam wilayah lain.");
        missing.then(|| FieldError::at("/parent", "required", text())).into_iter().collect()
    }

    /// A region lies in one of the level above it; so there can be no cycle.
    async fn check(&self, transaction: &WriteTransaction, _code: &str, _before: Option<&region::Model>) -> ApiResult<()> {
        let Some(parent) = &self.parent else { return Ok(()) };
        let parent = region::Entity::find_by_id(parent.to_string()).one(&transaction.db).await?;
        let fits = lies_in(self.level, parent.map(|parent| parent.level));
        if fits { Ok(()) } else { Err(ApiError::invalid(vec![wrong_level()])) }
    }
}

/// Whether a region of a level lies in one of the other level, or in none.
pub fn lies_in(level: RegionLevel, parent: Option<RegionLevel>) -> bool {
    parent
        == match level {
            RegionLevel::Regency => None,
            RegionLevel::District => Some(RegionLevel::Regency),
            RegionLevel::Village => Some(RegionLevel::District),
        }
}

/// The field error of a region that lies in one of another level.
pub fn wrong_level() -> FieldError {
    let text = Text::new(
        "A district lies in a regency, a village in a district, a regency in none.",
        "Kecamatan berada di kabupaten, desa di kecamatan, kabupaten tidak di wilayah lain.",
    );
    FieldError::at("/parent", "wrong_level", text)
}
