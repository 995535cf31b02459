//! The regions in which a programme works: the references behind `programme.regions`.

use sea_orm::entity::prelude::*;

/// One row of `programme_region`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "programme_region")]
pub struct Model {
    /// The programme.
    #[sea_orm(primary_key, auto_increment = false)]
    pub programme: String,
    /// A region in which it works.
    #[sea_orm(primary_key, auto_increment = false)]
    pub region: String,
}

impl ActiveModelBehavior for ActiveModel {}
