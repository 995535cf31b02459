//! Surveys of how satisfied people are with a public service (Permenpan-RB 14/2017).

use sea_orm::entity::prelude::*;

/// One row of `survey`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "survey")]
pub struct Model {
    /// The identifier, a UUIDv7. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The OPD that provides the service.
    pub opd: String,
    /// The name of the service.
    pub service: String,
    /// The period, such as `2022-S1`.
    pub period: String,
    /// The last day of the period.
    pub period_end: Date,
    /// The number of respondents.
    pub respondents: Option<i32>,
    /// The mean answer to each of the nine elements, as JSON in the form that the API takes; null if there are sums.
    pub scores: Json,
    /// The sum of the answers to each element, as JSON in the form that the API takes.
    pub sums: Option<Json>,
    /// Whether the row is published, so that it can be read without a login.
    pub published: bool,
    /// The text that the search parameter `q` looks through, in lower case.
    pub search: String,
    /// The version of the row: it grows by one with every write, and clients see it in the `ETag`.
    pub version: i32,
    /// When the row was created.
    pub created_at: DateTimeUtc,
    /// When the row was last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
