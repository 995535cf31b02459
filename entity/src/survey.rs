//! A survey of how satisfied people are with a public service (Permenpan-RB 14/2017).

use sea_orm::entity::prelude::*;

/// One row of `survey`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "survey")]
pub struct Model {
    /// The identifier, a UUIDv7: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The OPD whose service it is.
    pub opd: String,
    /// The service.
    pub service: String,
    /// The period, such as `2022-S1`.
    pub period: String,
    /// The period's last day.
    pub period_end: Date,
    /// How many answered.
    pub respondents: Option<i32>,
    /// The mean answer to each of the nine elements, as the API takes it; empty where there are sums.
    pub scores: Json,
    /// The sum of the answers to each of them, as the API takes it.
    pub sums: Option<Json>,
    /// Whether the public sees it.
    pub published: bool,
    /// Lower-cased text that `q=` looks through.
    pub search: String,
    /// Counts the writes; clients see it in the ETag.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row was last written.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
