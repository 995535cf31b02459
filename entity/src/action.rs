//! Renaksi: what an OPD has to do for a programme within a year, with a cumulative target for each quarter.

use sea_orm::entity::prelude::*;

use crate::value::decimal::Decimal;

/// One row of `action`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "action")]
pub struct Model {
    /// The identifier, a UUIDv7: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The programme it serves.
    pub programme: String,
    /// The OPD that carries it out.
    pub opd: String,
    /// What is to be done.
    pub title: String,
    /// What is counted, such as `desa`.
    pub output_unit: Option<String>,
    /// The year.
    pub year: i32,
    /// How much it counts among the others.
    pub weight: Decimal,
    /// The day by which all of it is to be done.
    pub due_on: Option<Date>,
    /// What is to be reached by the end of March.
    pub target_q1: Decimal,
    /// What is to be reached by the end of June.
    pub target_q2: Decimal,
    /// What is to be reached by the end of September.
    pub target_q3: Decimal,
    /// What is to be reached by the end of the year.
    pub target_q4: Decimal,
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
