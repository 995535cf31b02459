//! Findings of evaluations: what was found, who has to resolve it, and what was done since.

use sea_orm::entity::prelude::*;

use crate::rules::finding::FindingState;

/// One row of `finding`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "finding")]
pub struct Model {
    /// The identifier, a UUIDv7. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The evaluation.
    pub evaluation: String,
    /// The programme that the finding is about.
    pub programme: Option<String>,
    /// The OPD that is responsible for resolving the finding.
    pub opd: Option<String>,
    /// The text of the finding.
    pub text: String,
    /// The recommendation of the evaluation.
    pub recommendation: Option<String>,
    /// The day by which the finding is to be resolved.
    pub due_on: Option<Date>,
    /// The state of the finding.
    pub state: FindingState,
    /// The follow-ups: what was done about the finding, as the API shows them.
    pub follow_ups: Json,
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
