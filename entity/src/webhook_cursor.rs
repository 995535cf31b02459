//! The position in the feed up to which deliveries of webhooks have been created. The table has one row.

use sea_orm::entity::prelude::*;

/// One row of `webhook_cursor`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_cursor")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The position of the last event that was handled.
    pub position: i64,
}

impl ActiveModelBehavior for ActiveModel {}
