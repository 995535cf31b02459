//! Failed logins of an account or from an address, counted so that guessing slows down on every replica.

use sea_orm::entity::prelude::*;

/// One row of `login_failure`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_failure")]
pub struct Model {
    /// The SHA-256 of `account:…` or `address:…`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// The number of failures in a row.
    pub failures: i32,
    /// The instant before which attempts are refused.
    pub blocked_until: DateTimeUtc,
    /// The time of the last failure.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
