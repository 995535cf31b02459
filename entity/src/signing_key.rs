//! Keys that sign access tokens. All replicas share them through this table.

use sea_orm::entity::prelude::*;

/// One row of `signing_key`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    /// The RFC 7638 thumbprint of the key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    /// The private key: PKCS #8, DER.
    pub private_der: Vec<u8>,
    /// The public key, in the form of RFC 7517.
    pub public_jwk: Json,
    /// The word `current` for the key that signs.
    #[sea_orm(unique)]
    pub slot: String,
    /// When another key replaced this one, which still verifies tokens for a while.
    pub retired_at: Option<DateTimeUtc>,
    /// When it was created.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
