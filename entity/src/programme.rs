//! Programmes of a masterplan, each led by one OPD.

use sea_orm::entity::prelude::*;

use crate::rules::programme_status::ProgrammeStatus;
use crate::value::decimal::Decimal;

/// One row of `programme`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "programme")]
pub struct Model {
    /// The code that identifies the row. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The masterplan that the programme belongs to.
    pub masterplan: String,
    /// The dimension that the programme serves.
    pub dimension: String,
    /// The name of the programme.
    pub name: String,
    /// A description of the programme.
    pub description: Option<String>,
    /// The OPD that leads the programme.
    pub lead_opd: String,
    /// The codes of the OPDs that support the programme, in the order in which they are shown; `programme_supporting_opd` holds
    /// the references.
    pub supporting_opds: Json,
    /// The present status; its history is in `status_change`.
    pub status: ProgrammeStatus,
    /// The day on which the programme starts.
    pub start_date: Option<Date>,
    /// The day on which the programme ends.
    pub end_date: Option<Date>,
    /// The budget in rupiah.
    pub budget: Option<Decimal>,
    /// The source of the funding, such as APBD.
    pub funding_source: Option<String>,
    /// The codes of the regions in which the programme works, in the order in which they are shown; `programme_region` holds the
    /// references.
    pub regions: Json,
    /// When the source system last changed the programme.
    pub source_updated_at: Option<DateTimeUtc>,
    /// Whether the row is published, so that it can be read without a login.
    pub published: bool,
    /// The source of the facts, as JSON in the form that the API takes.
    pub provenance: Option<Json>,
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
