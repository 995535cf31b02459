//! The first answers to requests with an Idempotency-Key, kept for retries of these requests.

use sea_orm::entity::prelude::*;

/// One row of `idempotency_record`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_record")]
pub struct Model {
    /// The SHA-256 over principal, method, path and key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The SHA-256 over the body.
    pub fingerprint: String,
    /// The status of the first answer.
    pub status: i32,
    /// The headers of the first answer that describe its body.
    pub headers: Json,
    /// The body of the first answer.
    pub body: Vec<u8>,
    /// When the request was answered.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
