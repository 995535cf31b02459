//! The reports that wait for the reviewer, of every kind.

use sea_orm::entity::prelude::*;

/// One row of the view `waiting_report`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "waiting_report")]
pub struct Model {
    /// The kind of the report: `measurement` or `action_report`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// The key of the report in the audit log, such as `STUNTING/2023`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The KPI of a measurement; none for an action report.
    pub kpi: Option<String>,
    /// The action of an action report; none for a measurement.
    pub action: Option<String>,
    /// When the report was submitted.
    pub submitted_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
