//! Measured values of KPIs, one for each period. A correction is a new revision, and the old revision stays.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::value::decimal::Decimal;

/// One row of `measurement`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "measurement")]
pub struct Model {
    /// The code of the KPI.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kpi: String,
    /// The period, such as `2022`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: String,
    /// The number of the revision, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i32,
    /// The last day of the period, by which values are sorted.
    pub period_end: Date,
    /// The value, in the unit of the KPI.
    pub value: Decimal,
    /// A note on the value.
    pub note: Option<String>,
    /// The documents that prove the value.
    pub evidence: Json,
    /// When the source system last changed the value.
    pub source_updated_at: Option<DateTimeUtc>,
    /// The source of the facts, as JSON in the form that the API takes.
    pub provenance: Option<Json>,
    /// The review state of the revision.
    pub state: ReportState,
    /// The day from which the value counts for `as_of`, which is set when it is verified.
    pub known_on: Option<Date>,
    /// The day from which figures count the value: `known_on`, but not before its period has begun.
    pub counts_from: Option<Date>,
    /// Whether this is the last revision for its period.
    pub latest: bool,
    /// Whether, on its `counts_from`, no other counting verified value of the KPI belongs to a later period or revision. The
    /// latest value as of a day is therefore the one with the last `counts_from` among those with this mark, which takes one
    /// look-up.
    pub leads: bool,
    /// Why the revision corrects a verified value.
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
    /// The version of the measurement: it grows by one with every write, over all revisions for the period.
    pub version: i32,
    /// When this revision was created.
    pub created_at: DateTimeUtc,
    /// When this revision was last changed.
    pub updated_at: DateTimeUtc,
    /// The identifier of the event that created the report, where it lies in a batch; the same in all its revisions.
    pub first_event: Option<Uuid>,
}

/// The review state of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// The report was not submitted yet.
    Draft,
    /// The report waits for the reviewer.
    Submitted,
    /// The report is verified and counts.
    Verified,
    /// The report was returned with a reason.
    Returned,
}

crate::labels! { ReportState {
    Draft: "Draft", "Konsep";
    Submitted: "Submitted", "Diajukan";
    Verified: "Verified", "Terverifikasi";
    Returned: "Returned", "Dikembalikan";
} }

impl ActiveModelBehavior for ActiveModel {}
