//! The status histories of programmes: which status held from which day. Rows are only ever added.

use sea_orm::entity::prelude::*;

use crate::rules::programme_status::ProgrammeStatus;

/// One row of `status_change`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "status_change")]
pub struct Model {
    /// The identifier, a UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The programme.
    pub programme: String,
    /// The number of the entry within the programme, from 1.
    pub seq: i32,
    /// The status before the change; none for the first entry.
    pub from_status: Option<ProgrammeStatus>,
    /// The status after the change.
    pub to_status: ProgrammeStatus,
    /// The first day on which the status holds.
    pub effective_on: Date,
    /// The reason for the change.
    pub reason: Option<String>,
    /// Who recorded the change.
    pub recorded_by: String,
    /// When the change was recorded.
    pub recorded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
