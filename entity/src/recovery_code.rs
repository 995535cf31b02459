//! Recovery codes: each takes the place of a one-time code once.

use sea_orm::entity::prelude::*;

/// One row of `recovery_code`; it is deleted when its code is used.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_code")]
pub struct Model {
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// The SHA-256 of the code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: String,
}

impl ActiveModelBehavior for ActiveModel {}
