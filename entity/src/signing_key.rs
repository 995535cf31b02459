//! A key that signs access tokens; all replicas share it through this table.

use sea_orm::entity::prelude::*;

/// One row of `signing_key`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    /// RFC 7638 thumbprint.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    /// PKCS #8, DER.
    pub private_der: Vec<u8>,
    /// RFC 7517 public key.
    pub public_jwk: Json,
    /// `current` for the key that signs.
    #[sea_orm(unique)]
    pub slot: String,
    /// When another key took its place; it verifies for a while longer.
    pub retired_at: Option<DateTimeUtc>,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
