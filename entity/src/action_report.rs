//! The reports of OPDs on their actions, one for each quarter. A correction is a new revision, and the old revision stays.

use sea_orm::entity::prelude::*;

use crate::measurement::ReportState;
use crate::value::decimal::Decimal;

/// One row of `action_report`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "action_report")]
pub struct Model {
    /// The identifier of the action.
    #[sea_orm(primary_key, auto_increment = false)]
    pub action: String,
    /// The quarter, 1 to 4, of the action's year.
    #[sea_orm(primary_key, auto_increment = false)]
    pub quarter: i32,
    /// The number of the revision, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i32,
    /// What is realised from the beginning of the year, in the unit of the action.
    pub realisation: Decimal,
    /// What was done in the quarter.
    pub narrative: Option<String>,
    /// The obstacles that were met.
    pub obstacles: Option<String>,
    /// The documents that prove the report.
    pub evidence: Json,
    /// When the source system last changed the report.
    pub source_updated_at: Option<DateTimeUtc>,
    /// The review state of the revision.
    pub state: ReportState,
    /// The day on which a report for this quarter was first submitted, which decides whether it was on time.
    pub handed_in_on: Option<Date>,
    /// The day from which the report counts for `as_of`, which is set when it is verified.
    pub known_on: Option<Date>,
    /// Whether this is the last revision for its quarter.
    pub latest: bool,
    /// Why the revision corrects a verified report.
    pub reason: Option<String>,
    /// Who wrote the revision.
    pub reported_by: String,
    /// The subjects of all who wrote a part of this revision, as a list of texts. It is empty in rows from before subjects were
    /// noted.
    pub authors: Option<Json>,
    /// Who submitted the revision for review.
    pub submitted_by: Option<String>,
    /// The subject of the actor who submitted the revision.
    pub submitter: Option<String>,
    /// When the revision was submitted.
    pub submitted_at: Option<DateTimeUtc>,
    /// Why the reviewer returned the revision.
    pub return_reason: Option<String>,
    /// Who returned the revision.
    pub returned_by: Option<String>,
    /// Who verified the revision.
    pub verified_by: Option<String>,
    /// When the revision was verified.
    pub verified_at: Option<DateTimeUtc>,
    /// The version of the report: it grows by one with every write, over all revisions for the quarter.
    pub version: i32,
    /// When this revision was created.
    pub created_at: DateTimeUtc,
    /// When this revision was last changed.
    pub updated_at: DateTimeUtc,
    /// The identifier of the event that created the report, where it lies in a batch; the same in all its revisions.
    pub first_event: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
