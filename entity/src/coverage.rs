//! The villages that a programme reaches: what was planned or built there, and from which day. Rows are only ever added.

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
    /// The Kemendagri code of the village.
    #[sea_orm(primary_key, auto_increment = false)]
    pub region: String,
    /// The number of the entry within programme and village, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i32,
    /// The coverage from that day on.
    pub status: CoverageStatus,
    /// The first day on which the entry holds.
    pub effective_on: Date,
    /// Who recorded the entry.
    pub recorded_by: String,
    /// When the entry was recorded.
    pub recorded_at: DateTimeUtc,
}

/// The coverage of a village by a programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum CoverageStatus {
    /// The programme is planned in the village.
    Planned,
    /// The programme is built in the village.
    Built,
}

crate::labels! { CoverageStatus {
    Planned: "Planned", "Direncanakan";
    Built: "Built", "Terbangun";
} }

impl ActiveModelBehavior for ActiveModel {}
