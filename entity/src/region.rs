//! Regions by their Kemendagri codes: the regency, its districts (kecamatan) and its villages (desa).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `region`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "region")]
pub struct Model {
    /// The code that identifies the row. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The name of the region.
    pub name: String,
    /// The level of the region.
    pub level: RegionLevel,
    /// The region in which this one lies.
    pub parent: Option<String>,
    /// The text that the search parameter `q` looks through, in lower case.
    pub search: String,
    /// The version of the row: it grows by one with every write, and clients see it in the `ETag`.
    pub version: i32,
    /// When the row was created.
    pub created_at: DateTimeUtc,
    /// When the row was last changed.
    pub updated_at: DateTimeUtc,
}

/// The level of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum RegionLevel {
    /// The regency (kabupaten or kota).
    Regency,
    /// A district (kecamatan).
    District,
    /// A village (desa or kelurahan).
    Village,
}

crate::labels! { RegionLevel {
    Regency: "Regency", "Kabupaten";
    District: "District", "Kecamatan";
    Village: "Village", "Desa atau kelurahan";
} }

impl RegionLevel {
    /// Its words, in their order.
    pub const WORDS: &'static [&'static str] = &["regency", "district", "village"];
}

impl ActiveModelBehavior for ActiveModel {}
