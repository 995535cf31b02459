//! A dimension of the smart city, such as governance or environment.

use sea_orm::entity::prelude::*;

/// One row of `dimension`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dimension")]
pub struct Model {
    /// The identifier: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// Name in Indonesian.
    pub name: String,
    /// Name in English.
    pub name_en: Option<String>,
    /// Order in which dimensions are shown, from 1.
    pub position: i32,
    /// What it covers.
    pub description: Option<String>,
    /// Lower-cased text that `q=` looks through.
    pub search: String,
    /// Counts the writes; clients see it in the ETag.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row was last written.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
