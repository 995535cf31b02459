//! Quick Wins: the programmes with which a dimension shows results first.

use sea_orm::entity::prelude::*;

use crate::rules::programme_status::ProgrammeStatus;

/// One row of `quick_win`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quick_win")]
pub struct Model {
    /// The code that identifies the row. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The dimension that the Quick Win represents.
    pub dimension: String,
    /// The programme to which the Quick Win belongs.
    pub programme: Option<String>,
    /// The OPD that carries out the Quick Win.
    pub opd: String,
    /// The name of the Quick Win.
    pub name: String,
    /// A description of the Quick Win.
    pub description: Option<String>,
    /// The status of the Quick Win.
    pub status: ProgrammeStatus,
    /// The day on which the Quick Win started.
    pub started_on: Option<Date>,
    /// The results of the Quick Win.
    pub outcome: Option<String>,
    /// Whether the row is published, so that it can be read without a login.
    pub published: bool,
    /// The source of the facts, as JSON in the form that the API takes.
    pub provenance: Option<Json>,
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
