//! Awards that the regency, one of its OPDs, programmes, regions or people received.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `award`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "award")]
pub struct Model {
    /// The code that identifies the row. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The name of the award.
    pub name: String,
    /// Who gave the award.
    pub issuer: String,
    /// The category of the award.
    pub category: Option<String>,
    /// The year in which the award was received.
    pub year: Option<i32>,
    /// The kind of the recipient.
    pub recipient_kind: RecipientKind,
    /// The code of the recipient, if it has one.
    pub recipient_ref: Option<String>,
    /// The name of the recipient.
    pub recipient_name: Option<String>,
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

/// The kind of recipient of an award.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum RecipientKind {
    /// The regency itself.
    Regency,
    /// An OPD.
    Opd,
    /// A programme.
    Programme,
    /// A Quick Win.
    QuickWin,
    /// A district or village.
    Region,
    /// A person, by name.
    Person,
}

crate::labels! { RecipientKind {
    Regency: "Regency", "Kabupaten";
    Opd: "OPD", "OPD";
    Programme: "Programme", "Program";
    QuickWin: "Quick Win", "Quick Win";
    Region: "Region", "Wilayah";
    Person: "Person", "Perorangan";
} }

impl RecipientKind {
    /// Its words, in their order.
    pub const WORDS: &'static [&'static str] = &["regency", "opd", "programme", "quick_win", "region", "person"];
}

impl ActiveModelBehavior for ActiveModel {}
