//! The secrets from which the one-time codes of people are computed (RFC 6238). A secret is in force from `totp_since` of its user.

use sea_orm::entity::prelude::*;

/// One row of `totp`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "totp")]
pub struct Model {
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// The secret: 160 random bits.
    pub secret: Vec<u8>,
    /// The time step of the last code that was accepted: no code of that step or an earlier one is accepted again.
    pub last_step: i64,
    /// When the secret was created.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
