//! The OPDs that signed a commitment: the references behind `commitment.signatories`.

use sea_orm::entity::prelude::*;

/// One row of `commitment_signatory`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "commitment_signatory")]
pub struct Model {
    /// The commitment.
    #[sea_orm(primary_key, auto_increment = false)]
    pub commitment: String,
    /// An OPD that signed it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub opd: String,
}

impl ActiveModelBehavior for ActiveModel {}
