//! The addresses from which an account logged in lately: failed logins of others from there do not hold it up.

use sea_orm::entity::prelude::*;

/// One row of `known_address`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "known_address")]
pub struct Model {
    /// The SHA-256 of the account and the address prefix.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// When the account last logged in from there.
    pub seen_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
