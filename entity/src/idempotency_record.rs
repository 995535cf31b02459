//! The first answer to a request that carried an Idempotency-Key, kept for its retries.

use sea_orm::entity::prelude::*;

/// One row of `idempotency_record`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_record")]
pub struct Model {
    /// SHA-256 over principal, method, path and key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// SHA-256 over the body.
    pub fingerprint: String,
    /// Status of the first answer.
    pub status: i32,
    /// Headers of the first answer that describe its body.
    pub headers: Json,
    /// The first answer's body.
    pub body: Vec<u8>,
    /// When it was answered.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
