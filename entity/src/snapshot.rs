//! What a thing that figures count was like, from one day to another: the answer to `as_of`. One row a thing and a day on which it changed.

use sea_orm::entity::prelude::*;

/// One row of `past`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "past")]
pub struct Model {
    /// Kind of thing, such as `programme`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub resource: String,
    /// Which one: its code or id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The first day on which it was so at its end.
    #[sea_orm(primary_key, auto_increment = false)]
    pub since: Date,
    /// The first day on which it no longer was; 9999-12-31 while it is.
    pub until: Date,
    /// Whether nothing is known of the thing before.
    pub is_first: bool,
    /// The thing, as the API shows it.
    pub content: Json,
}

impl ActiveModelBehavior for ActiveModel {}
