//! Targets of KPIs, one for each period.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::value::decimal::Decimal;

/// One row of `kpi_target`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "kpi_target")]
pub struct Model {
    /// The code of the KPI.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kpi: String,
    /// The period, such as `2024`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: String,
    /// The last day of the period, by which targets are sorted.
    pub period_end: Date,
    /// The value to reach, in the unit of the KPI.
    pub value: Decimal,
    /// How binding the target is.
    pub kind: TargetKind,
    /// The source of the facts, as JSON in the form that the API takes.
    pub provenance: Option<Json>,
    /// The version: it grows by one with every write.
    pub version: i32,
    /// When the target was first set.
    pub created_at: DateTimeUtc,
    /// When the target was last changed.
    pub updated_at: DateTimeUtc,
}

/// How binding a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// The target was committed to.
    Commitment,
    /// The target is hoped for.
    Aspiration,
}

crate::labels! { TargetKind {
    Commitment: "Commitment", "Komitmen";
    Aspiration: "Aspiration", "Aspirasi";
} }

impl ActiveModelBehavior for ActiveModel {}
