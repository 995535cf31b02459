//! Masterplans: the documents to which a regency's smart-city programmes belong.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `masterplan`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "masterplan")]
pub struct Model {
    /// The code that identifies the row. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The title of the masterplan.
    pub title: String,
    /// The Kemendagri code of the regency.
    pub region: String,
    /// The regulation (Perbup) on which the masterplan rests.
    pub legal_basis: Option<String>,
    /// The first year of the masterplan.
    pub start_year: Option<i32>,
    /// The last year of the masterplan.
    pub end_year: Option<i32>,
    /// The status of the masterplan. A draft is not public.
    pub status: MasterplanStatus,
    /// A description of the masterplan.
    pub description: Option<String>,
    /// The text that the search parameter `q` looks through, in lower case.
    pub search: String,
    /// The version of the row: it grows by one with every write, and clients see it in the `ETag`.
    pub version: i32,
    /// When the row was created.
    pub created_at: DateTimeUtc,
    /// When the row was last changed.
    pub updated_at: DateTimeUtc,
}

/// The status of a masterplan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum MasterplanStatus {
    /// The masterplan is being written and is not public.
    Draft,
    /// The masterplan is in force.
    Active,
    /// The masterplan has ended.
    Closed,
}

crate::labels! { MasterplanStatus {
    Draft: "Draft", "Rancangan";
    Active: "Active", "Berlaku";
    Closed: "Closed", "Selesai";
} }

impl MasterplanStatus {
    /// Its words, in their order.
    pub const WORDS: &'static [&'static str] = &["draft", "active", "closed"];
}

impl ActiveModelBehavior for ActiveModel {}
