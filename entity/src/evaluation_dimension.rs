//! The dimensions of which an evaluation was told counts: the references behind `evaluation.reported_counts`.

use sea_orm::entity::prelude::*;

/// One row of `evaluation_dimension`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "evaluation_dimension")]
pub struct Model {
    /// The evaluation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub evaluation: String,
    /// A dimension of which it was told counts.
    #[sea_orm(primary_key, auto_increment = false)]
    pub dimension: String,
}

impl ActiveModelBehavior for ActiveModel {}
