//! The dimensions whose counts were reported to an evaluation: the references behind `evaluation.reported_counts`.

use sea_orm::entity::prelude::*;

/// One row of `evaluation_dimension`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "evaluation_dimension")]
pub struct Model {
    /// The evaluation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub evaluation: String,
    /// A dimension whose counts were reported to it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub dimension: String,
}

impl ActiveModelBehavior for ActiveModel {}
