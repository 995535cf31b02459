//! Members of the Smart City council.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `council_member`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "council_member")]
pub struct Model {
    /// The identifier, a UUIDv7. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The name of the person.
    pub name: String,
    /// The office of the person outside of the council.
    pub position: Option<String>,
    /// The role of the person in the council.
    pub role: CouncilRole,
    /// The first day of the term.
    pub since: Option<Date>,
    /// The last day of the term.
    pub until: Option<Date>,
    /// The text that the search parameter `q` looks through, in lower case.
    pub search: String,
    /// The version of the row: it grows by one with every write, and clients see it in the `ETag`.
    pub version: i32,
    /// When the row was created.
    pub created_at: DateTimeUtc,
    /// When the row was last changed.
    pub updated_at: DateTimeUtc,
}

/// The role of a person in the council.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum CouncilRole {
    /// Chairs the council.
    Chair,
    /// Sits in the council.
    Member,
    /// Keeps the records of the council.
    Secretary,
}

crate::labels! { CouncilRole {
    Chair: "Chair", "Ketua";
    Member: "Member", "Anggota";
    Secretary: "Secretary", "Sekretaris";
} }

impl CouncilRole {
    /// Its words, in their order.
    pub const WORDS: &'static [&'static str] = &["chair", "member", "secretary"];
}

impl ActiveModelBehavior for ActiveModel {}
