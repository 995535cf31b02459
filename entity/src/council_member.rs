//! A member of the Smart City council.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `council_member`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "council_member")]
pub struct Model {
    /// The identifier, a UUIDv7: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The person.
    pub name: String,
    /// What the person is outside of the council.
    pub position: Option<String>,
    /// What the person is in the council.
    pub role: CouncilRole,
    /// The first day of the term.
    pub since: Option<Date>,
    /// The last day of the term.
    pub until: Option<Date>,
    /// Lower-cased text that `q=` looks through.
    pub search: String,
    /// Counts the writes; clients see it in the ETag.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row was last written.
    pub updated_at: DateTimeUtc,
}

/// What a person is in the council.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum CouncilRole {
    /// Chairs it.
    Chair,
    /// Sits in it.
    Member,
    /// Keeps its records.
    Secretary,
}

impl ActiveModelBehavior for ActiveModel {}
