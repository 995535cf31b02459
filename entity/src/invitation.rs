//! Invitations, with which people set their passwords themselves. A user has at most one: a new one replaces it.

use sea_orm::entity::prelude::*;

/// One row of `invitation`; it is deleted when the invitation is used.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    /// The user who is invited.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// The SHA-256 of the invitation.
    #[sea_orm(unique)]
    pub hash: String,
    /// When the invitation expires.
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
