//! Which villages a programme reaches: what was planned and built, from which day. Rows are only ever added.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `coverage`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "coverage")]
pub struct Model {
    /// The programme.
    #[sea_orm(primary_key, auto_increment = false)]
    pub programme: String,
    /// The region.
    #[sea_orm(primary_key, auto_increment = false)]
    pub region: String,
    /// Order within programme and region, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i32,
    /// What is there from then on.
    pub status: CoverageStatus,
    /// The first day on which it holds.
    pub effective_on: Date,
    /// Who recorded it.
    pub recorded_by: String,
    /// When it was recorded.
    pub recorded_at: DateTimeUtc,
}

/// What a programme has in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum CoverageStatus {
    /// It is to come.
    Planned,
    /// It is there.
    Built,
}

impl ActiveModelBehavior for ActiveModel {}
