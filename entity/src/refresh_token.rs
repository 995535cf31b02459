//! Refresh tokens. All tokens that follow from one login form a family; `rules::refresh_token` says what each is worth.

use sea_orm::entity::prelude::*;

/// One row of `refresh_token`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// The SHA-256 of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: String,
    /// The family of the token, which one login began.
    pub family: Uuid,
    /// The user to whom the token was issued.
    pub user_id: Uuid,
    /// When the token expires.
    pub expires_at: DateTimeUtc,
    /// When the token was first exchanged for the next one.
    pub used_at: Option<DateTimeUtc>,
    /// When the family was revoked.
    pub revoked_at: Option<DateTimeUtc>,
    /// When the token was issued.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
