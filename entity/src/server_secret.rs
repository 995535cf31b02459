//! Secrets that the service keeps to itself. All replicas share them through this table.

use sea_orm::entity::prelude::*;

/// One row of `server_secret`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "server_secret")]
pub struct Model {
    /// The purpose of the secret.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The secret: random bytes.
    pub value: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
