//! What an OPD reports about an action for a quarter; a correction is a new revision, the old one stays.

use sea_orm::entity::prelude::*;

use crate::measurement::ReportState;
use crate::value::decimal::Decimal;

/// One row of `action_report`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "action_report")]
pub struct Model {
    /// The action.
    #[sea_orm(primary_key, auto_increment = false)]
    pub action: String,
    /// The quarter, 1 to 4, of the action's year.
    #[sea_orm(primary_key, auto_increment = false)]
    pub quarter: i32,
    /// Counts corrections, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i32,
    /// What was reached from the beginning of the year, in the action's unit.
    pub realisation: Decimal,
    /// What was done.
    pub narrative: Option<String>,
    /// What stood in the way.
    pub obstacles: Option<String>,
    /// What proves it.
    pub evidence: Json,
    /// When the source system last changed it.
    pub source_updated_at: Option<DateTimeUtc>,
    /// Where it stands in the review.
    pub state: ReportState,
    /// The day on which a report for this quarter was first handed in: that decides whether it was on time.
    pub handed_in_on: Option<Date>,
    /// From which day it counts for `as_of`: set when it is verified.
    pub known_on: Option<Date>,
    /// Whether it is the last revision of its quarter.
    pub latest: bool,
    /// Why a verified report is corrected.
    pub reason: Option<String>,
    /// Who wrote it.
    pub reported_by: String,
    /// The subjects of all who wrote a part of this revision: a list of texts. None in rows from before they were noted.
    pub authors: Option<Json>,
    /// Who handed it in for review.
    pub submitted_by: Option<String>,
    /// The subject of who handed it in.
    pub submitter: Option<String>,
    /// When it was handed in.
    pub submitted_at: Option<DateTimeUtc>,
    /// Why the reviewer sent it back.
    pub return_reason: Option<String>,
    /// Who sent it back.
    pub returned_by: Option<String>,
    /// Who verified it.
    pub verified_by: Option<String>,
    /// When it was verified.
    pub verified_at: Option<DateTimeUtc>,
    /// Counts the writes, over all revisions of the quarter.
    pub version: i32,
    /// When this revision was made.
    pub created_at: DateTimeUtc,
    /// When it was last written.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
