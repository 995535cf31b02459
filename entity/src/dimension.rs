//! Dimensions of the smart city, such as governance or environment.

use sea_orm::entity::prelude::*;

/// One row of `dimension`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dimension")]
pub struct Model {
    /// The code that identifies the row. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The name in Indonesian.
    pub name: String,
    /// The name in English.
    pub name_en: Option<String>,
    /// The position in which the dimension is shown among the others, from 1.
    pub position: i32,
    /// What the dimension covers.
    pub description: Option<String>,
    /// The text that the search parameter `q` looks through, in lower case.
    pub search: String,
    /// The version of the row: it grows by one with every write, and clients see it in the `ETag`.
    pub version: i32,
    /// When the row was created.
    pub created_at: DateTimeUtc,
    /// When the row was last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
