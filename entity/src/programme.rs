//! A programme of the masterplan, led by one OPD.

use sea_orm::entity::prelude::*;

use crate::rules::programme_status::ProgrammeStatus;
use crate::value::decimal::Decimal;

/// One row of `programme`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "programme")]
pub struct Model {
    /// The identifier: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The masterplan it belongs to.
    pub masterplan: String,
    /// The dimension it serves.
    pub dimension: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// The OPD that leads it.
    pub lead_opd: String,
    /// Codes of the OPDs that support it, as shown; `programme_supporting_opd` holds the references.
    pub supporting_opds: Json,
    /// Status now; the history is in `status_change`.
    pub status: ProgrammeStatus,
    /// When it starts.
    pub start_date: Option<Date>,
    /// When it ends.
    pub end_date: Option<Date>,
    /// Budget in rupiah.
    pub budget: Option<Decimal>,
    /// Who pays, such as APBD.
    pub funding_source: Option<String>,
    /// Codes of the regions it works in, as shown; `programme_region` holds the references.
    pub regions: Json,
    /// When the source system last changed it.
    pub source_updated_at: Option<DateTimeUtc>,
    /// Whether the public sees it.
    pub published: bool,
    /// Where the facts come from, as the API takes it.
    pub provenance: Option<Json>,
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
