//! What an evaluation found, who has to mend it, and what was done since.

use sea_orm::entity::prelude::*;

use crate::rules::finding::FindingState;

/// One row of `finding`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "finding")]
pub struct Model {
    /// The identifier, a UUIDv7: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The evaluation.
    pub evaluation: String,
    /// The programme it is about.
    pub programme: Option<String>,
    /// The OPD that has to mend it.
    pub opd: Option<String>,
    /// What was found.
    pub text: String,
    /// What should be done.
    pub recommendation: Option<String>,
    /// By which day.
    pub due_on: Option<Date>,
    /// Where it stands.
    pub state: FindingState,
    /// What was done since, as the API shows it.
    pub follow_ups: Json,
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
