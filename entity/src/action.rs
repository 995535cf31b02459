//! Actions (renaksi): what an OPD has to do for a programme within a year, with a cumulative target for each quarter.

use sea_orm::entity::prelude::*;

use crate::value::decimal::Decimal;

/// One row of `action`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "action")]
pub struct Model {
    /// The identifier, a UUIDv7. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The programme that the action serves.
    pub programme: String,
    /// The OPD that carries out the action.
    pub opd: String,
    /// What is to be done.
    pub title: String,
    /// The unit in which the output is counted, such as `desa`.
    pub output_unit: Option<String>,
    /// The year of the action.
    pub year: i32,
    /// The weight of the action among the others.
    pub weight: Decimal,
    /// The day by which the whole action is to be done.
    pub due_on: Option<Date>,
    /// The cumulative target for the end of March.
    pub target_q1: Decimal,
    /// The cumulative target for the end of June.
    pub target_q2: Decimal,
    /// The cumulative target for the end of September.
    pub target_q3: Decimal,
    /// The cumulative target for the end of the year.
    pub target_q4: Decimal,
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

/// What of an action those who report on it need: many at once are read at little cost.
#[derive(Clone, Debug, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Reported {
    /// The identifier of the action.
    pub id: String,
    /// The OPD that carries out the action.
    pub opd: String,
    /// The year of the action.
    pub year: i32,
}

impl ActiveModelBehavior for ActiveModel {}
