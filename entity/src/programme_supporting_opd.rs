//! The OPDs that support a programme: the references behind `programme.supporting_opds`.

use sea_orm::entity::prelude::*;

/// One row of `programme_supporting_opd`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "programme_supporting_opd")]
pub struct Model {
    /// The programme.
    #[sea_orm(primary_key, auto_increment = false)]
    pub programme: String,
    /// An OPD that supports it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub opd: String,
}

impl ActiveModelBehavior for ActiveModel {}
