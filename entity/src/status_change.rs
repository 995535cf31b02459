//! The status history of programmes: which status held from which day. Rows are only ever added.

use sea_orm::entity::prelude::*;

use crate::rules::programme_status::ProgrammeStatus;

/// One row of `status_change`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "status_change")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The programme.
    pub programme: String,
    /// Order within the programme, from 1.
    pub seq: i32,
    /// Status before; none for the first entry.
    pub from_status: Option<ProgrammeStatus>,
    /// Status from then on.
    pub to_status: ProgrammeStatus,
    /// The first day on which it held.
    pub effective_on: Date,
    /// Why.
    pub reason: Option<String>,
    /// Who recorded it.
    pub recorded_by: String,
    /// When it was recorded.
    pub recorded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
