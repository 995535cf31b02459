//! Secrets that the service keeps to itself; all replicas share them through this table.

use sea_orm::entity::prelude::*;

/// One row of `server_secret`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "server_secret")]
pub struct Model {
    /// What it is for.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Random bytes.
    pub value: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
