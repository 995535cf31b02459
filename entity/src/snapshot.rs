//! Snapshots of resources that figures count: what a resource was like from one day to another, for `as_of`. There is one row for
//! each resource and each day on which it changed.

use sea_orm::entity::prelude::*;

/// One row of `past`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "past")]
pub struct Model {
    /// The kind of resource, such as `programme`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub resource: String,
    /// The code or id of the resource.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The first day at whose end the resource had this content.
    #[sea_orm(primary_key, auto_increment = false)]
    pub since: Date,
    /// The first day on which it no longer had this content; 9999-12-31 while it has.
    pub until: Date,
    /// Whether nothing is known of the resource before.
    pub is_first: bool,
    /// The resource, as the API shows it.
    pub content: Json,
}

impl ActiveModelBehavior for ActiveModel {}
