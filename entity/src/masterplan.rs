//! A masterplan: the document that a regency's smart-city programmes belong to.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `masterplan`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "masterplan")]
pub struct Model {
    /// The identifier: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// Its title.
    pub title: String,
    /// The regency, by its Kemendagri code.
    pub region: String,
    /// The regulation (Perbup) it rests on.
    pub legal_basis: Option<String>,
    /// First year of the plan.
    pub start_year: Option<i32>,
    /// Last year of the plan.
    pub end_year: Option<i32>,
    /// Where it stands; a draft is not public.
    pub status: MasterplanStatus,
    /// What it is about.
    pub description: Option<String>,
    /// Lower-cased text that `q=` looks through.
    pub search: String,
    /// Counts the writes; clients see it in the ETag.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row was last written.
    pub updated_at: DateTimeUtc,
}

/// Where a masterplan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum MasterplanStatus {
    /// Being written: not public.
    Draft,
    /// In force.
    Active,
    /// Ended.
    Closed,
}

impl ActiveModelBehavior for ActiveModel {}
