//! A region by its Kemendagri code: regency, district (kecamatan) or village (desa).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `region`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "region")]
pub struct Model {
    /// The identifier: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// Its name.
    pub name: String,
    /// Which kind of region.
    pub level: RegionLevel,
    /// The region it lies in.
    pub parent: Option<String>,
    /// Lower-cased text that `q=` looks through.
    pub search: String,
    /// Counts the writes; clients see it in the ETag.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row was last written.
    pub updated_at: DateTimeUtc,
}

/// Which kind of region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum RegionLevel {
    /// Kabupaten or kota.
    Regency,
    /// Kecamatan.
    District,
    /// Desa or kelurahan.
    Village,
}

impl ActiveModelBehavior for ActiveModel {}
