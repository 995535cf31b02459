//! An award that the regency, one of its OPDs, programmes, regions or people received.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `award`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "award")]
pub struct Model {
    /// The identifier: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// Its name.
    pub name: String,
    /// Who gave it.
    pub issuer: String,
    /// In which category.
    pub category: Option<String>,
    /// In which year.
    pub year: Option<i32>,
    /// What kind of recipient.
    pub recipient_kind: RecipientKind,
    /// Code of the recipient, where it has one.
    pub recipient_ref: Option<String>,
    /// Name of the recipient.
    pub recipient_name: Option<String>,
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

/// What kind of recipient an award has.
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

impl ActiveModelBehavior for ActiveModel {}
