//! `/v1/regions`

use entity::region::{self, RegionLevel};
use entity::value::code::Code;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::auth::permissions::EditCatalogue;
use crate::crud::members::members;
use crate::crud::resource::{Check, Hooks, Resource};
use crate::crud::typed::kind_of;
use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, FieldError};
use crate::store::kind::{Kind, Names, Own};
use crate::store::transaction::WriteTransaction;

/// The kind.
pub static KIND: Kind = kind_of::<Region>(Names {
    one: "region",
    many: "regions",
    spoken: "region",
    plural: "regions",
    indonesian: "wilayah",
    schema: "Region",
    about: "Regency, districts (kecamatan) and villages (desa), by their Kemendagri codes.",
})
.public(Own::Always);

members! {
    /// A region: the regency, a district (kecamatan) or a village (desa), by its Kemendagri code.
    pub struct Region of region by code {
        /// The name of the region.
        #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub name: String = column.sort().public().label("Name", "Nama", "Nama wilayah."),
        /// Whether it is the regency, a district or a village.
        pub level: RegionLevel = column.sort().public().label("Level", "Tingkat", "Kabupaten, kecamatan atau desa."),
        /// The region it lies in: a district lies in a regency, a village in a district.
        pub parent: Option<Code> = column.refers(&KIND).filter().public().label("Parent", "Induk", "Wilayah yang memuatnya."),
    }
}

impl Resource for Region {
    const KIND: &'static Kind = &KIND;
    type Write = EditCatalogue;
    type ReadOnly = ();
    type Computed = ();
    const HOOKS: Hooks<Self> = Hooks::NONE.check();

    fn example() -> Value {
        json!({ "code": "52.08.04.2006", "name": "Senaru", "level": "village", "parent": "52.08.04" })
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
}

impl Check for Region {
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
