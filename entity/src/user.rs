//! Users: people who log in.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `user_account`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_account")]
pub struct Model {
    /// The identifier, a UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The e-mail address in lower case, which is the user name.
    #[sea_orm(unique)]
    pub email: String,
    /// The name to show.
    pub name: String,
    /// The role of the user.
    pub role: Role,
    /// The OPD of an operator.
    pub opd: Option<String>,
    /// Whether the user may log in.
    pub active: bool,
    /// The argon2id hash of the password, in PHC form; none until the person has set a password.
    pub password_hash: Option<String>,
    /// Since when a login needs a one-time code; none where it needs none.
    pub totp_since: Option<DateTimeUtc>,
    /// The time of the last successful login.
    pub last_login_at: Option<DateTimeUtc>,
    /// The text that the search parameter `q` looks through, in lower case.
    pub search: String,
    /// The version of the row: it grows by one with every write, and clients see it in the `ETag`.
    pub version: i32,
    /// When the row was created.
    pub created_at: DateTimeUtc,
    /// When the row was last changed.
    pub updated_at: DateTimeUtc,
}

/// The role of a user, which decides what the person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May do everything: the Kominfo office.
    Admin,
    /// Reads everything and verifies reports: the Smart City council.
    Verifier,
    /// Reads everything and writes for one OPD and the OPDs below it.
    Operator,
    /// Reads everything and writes nothing.
    Viewer,
}

crate::labels! { Role {
    Admin: "Administrator", "Administrator";
    Verifier: "Verifier", "Verifikator";
    Operator: "Operator", "Operator";
    Viewer: "Viewer", "Pemantau";
} }

impl ActiveModelBehavior for ActiveModel {}
