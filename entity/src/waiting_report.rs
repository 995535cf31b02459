//! What waits for the reviewer, of every kind of report.

use sea_orm::entity::prelude::*;

/// One row of the view `waiting_report`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "waiting_report")]
pub struct Model {
    /// What is reported: `measurement` or `action_report`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// Which one, as the audit log calls it: `STUNTING/2023`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The KPI of a measurement.
    pub kpi: Option<String>,
    /// The action of an action report.
    pub action: Option<String>,
    /// When it was handed in.
    pub submitted_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
