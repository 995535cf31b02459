//! The records of closed evaluations: the frozen figures of the day of the meeting. A row is written once.

use sea_orm::entity::prelude::*;

/// One row of `evaluation_record`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "evaluation_record")]
pub struct Model {
    /// The evaluation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub evaluation: String,
    /// The audience of the record: `all` or `published`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub audience: String,
    /// The record, as it is answered byte for byte.
    pub content: String,
    /// The SHA-256 of the content, in hexadecimal.
    pub sha256: String,
}

impl ActiveModelBehavior for ActiveModel {}
