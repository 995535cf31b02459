//! A person who logs in.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `user_account`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_account")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Lower-cased address: the user name.
    #[sea_orm(unique)]
    pub email: String,
    /// Name to show.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// The OPD of an operator.
    pub opd: Option<String>,
    /// Whether the person may log in.
    pub active: bool,
    /// Argon2id, in PHC form.
    pub password_hash: String,
    /// Last successful login.
    pub last_login_at: Option<DateTimeUtc>,
    /// Lower-cased text that `q=` looks through.
    pub search: String,
    /// Counts the writes; clients see it in the ETag.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row was last written.
    pub updated_at: DateTimeUtc,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything: the Kominfo office.
    Admin,
    /// Reads all, verifies reports: the council.
    Verifier,
    /// Writes for one OPD and those below it.
    Operator,
    /// Reads all, writes nothing.
    Viewer,
}

impl ActiveModelBehavior for ActiveModel {}
