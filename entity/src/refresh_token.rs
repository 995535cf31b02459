//! A refresh token, of a family that one login began; each is used once.

use sea_orm::entity::prelude::*;

/// One row of `refresh_token`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// SHA-256 of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: String,
    /// All tokens that came of one login.
    pub family: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// When it ends.
    pub expires_at: DateTimeUtc,
    /// When it was exchanged.
    pub used_at: Option<DateTimeUtc>,
    /// When the family was revoked.
    pub revoked_at: Option<DateTimeUtc>,
    /// When it was issued.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
