//! A measured value of a KPI for one period; a correction is a new revision, the old one stays.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::value::decimal::Decimal;

/// One row of `measurement`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "measurement")]
pub struct Model {
    /// The KPI.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kpi: String,
    /// The period, such as `2022`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: String,
    /// Counts corrections, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i32,
    /// The period's last day: a value of a period stands there.
    pub period_end: Date,
    /// The value.
    pub value: Decimal,
    /// A remark.
    pub note: Option<String>,
    /// What proves it.
    pub evidence: Json,
    /// When the source system last changed it.
    pub source_updated_at: Option<DateTimeUtc>,
    /// Where the facts come from, as the API takes it.
    pub provenance: Option<Json>,
    /// Where it stands in the review.
    pub state: ReportState,
    /// From which day it counts for `as_of`: set when it is verified.
    pub known_on: Option<Date>,
    /// From which day figures count it: `known_on`, but not before its period has begun.
    pub counts_from: Option<Date>,
    /// Whether it is the last revision of its period.
    pub latest: bool,
    /// Whether no verified value of its KPI that counted on its `counts_from` belongs to a later period or revision. The
    /// latest value as of any day is therefore the one of the last `counts_from` among those that lead: one look-up.
    pub leads: bool,
    /// Why a verified value is corrected.
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
    /// Counts the writes, over all revisions of the period.
    pub version: i32,
    /// When this revision was made.
    pub created_at: DateTimeUtc,
    /// When it was last written.
    pub updated_at: DateTimeUtc,
}

/// Where a report stands in the review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// Not handed in yet.
    Draft,
    /// Waits for the reviewer.
    Submitted,
    /// Counts.
    Verified,
    /// Sent back with a reason.
    Returned,
}

impl ActiveModelBehavior for ActiveModel {}
