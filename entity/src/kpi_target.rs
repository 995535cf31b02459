//! A target of a KPI for one period.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::value::decimal::Decimal;

/// One row of `kpi_target`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "kpi_target")]
pub struct Model {
    /// The KPI.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kpi: String,
    /// The period, such as `2024`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: String,
    /// Its last day: the order of targets.
    pub period_end: Date,
    /// The value to reach.
    pub value: Decimal,
    /// How binding it is.
    pub kind: TargetKind,
    /// Where the facts come from, as the API takes it.
    pub provenance: Option<Json>,
    /// Counts the writes.
    pub version: i32,
    /// When it was set.
    pub created_at: DateTimeUtc,
    /// When it was last written.
    pub updated_at: DateTimeUtc,
}

/// How binding a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// Promised.
    Commitment,
    /// Hoped for.
    Aspiration,
}

impl ActiveModelBehavior for ActiveModel {}
