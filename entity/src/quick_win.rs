//! A Quick Win: the programme a dimension shows first.

use sea_orm::entity::prelude::*;

use crate::rules::programme_status::ProgrammeStatus;

/// One row of `quick_win`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quick_win")]
pub struct Model {
    /// The identifier: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The dimension it stands for.
    pub dimension: String,
    /// The programme behind it.
    pub programme: Option<String>,
    /// The OPD that carries it out.
    pub opd: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// Where it stands.
    pub status: ProgrammeStatus,
    /// When it started.
    pub started_on: Option<Date>,
    /// What came of it.
    pub outcome: Option<String>,
    /// Whether the public sees it.
    pub published: bool,
    /// Where the facts come from, as the API takes it.
    pub provenance: Option<Json>,
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
