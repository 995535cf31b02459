//! `/v1/masterplans`

use entity::masterplan::{self, MasterplanStatus};
use entity::value::code::Code;
use sea_orm::ActiveValue::{NotSet, Set};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::references::Target;
use super::resource::{Names, Reference, Resource, code};
use crate::auth::permissions::EditCatalogue;
use crate::http::language::Text;
use crate::http::problem::FieldError;
use crate::store::listing::{Field, Kind};

/// A masterplan: the document that the smart-city programmes of a regency belong to.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Masterplan {
    /// Its title.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub title: String,
    /// The regency, by its Kemendagri code.
    pub region: Code,
    /// The regulation (Perbup) it rests on.
    #[schema(max_length = 500)]
    pub legal_basis: Option<String>,
    /// First year.
    #[schema(minimum = 1900, maximum = 2199)]
    pub start_year: Option<i32>,
    /// Last year; not before the first.
    #[schema(minimum = 1900, maximum = 2199)]
    pub end_year: Option<i32>,
    /// Where it stands. A draft is not public.
    pub status: MasterplanStatus,
    /// What it is about.
    #[schema(max_length = 10000)]
    pub description: Option<String>,
}

impl Resource for Masterplan {
    const NAMES: Names = Names {
        one: "masterplan",
        many: "masterplans",
        spoken: "masterplan",
        plural: "masterplans",
        about: "A masterplan is the document that the smart-city programmes of a regency belong to.",
    };
    const FIELDS: &'static [Field] = &[
        Field::filter("region", Kind::Code),
        Field::sort("status", Kind::Choice(&["draft", "active", "closed"])),
        Field::sort_nullable("start_year", Kind::Integer),
        Field::sort_nullable("end_year", Kind::Integer),
        Field::sort("title", Kind::Text),
    ];
    const REFERENCES: &'static [Reference] = &[Reference::one("region", Target::Region)];
    type Entity = masterplan::Entity;
    type Write = EditCatalogue;

    fn example() -> Value {
        json!({
            "code": "KLU-SC", "title": "Masterplan Smart City Kabupaten Lombok Utara", "region": "52.08",
            "legal_basis": "Peraturan Bupati (nomor tidak disebut dalam sumber)", "status": "active",
        })
    }

    fn of(row: &masterplan::Model) -> Self {
        Self {
            title: row.title.clone(),
            region: code(&row.region),
            legal_basis: row.legal_basis.clone(),
            start_year: row.start_year,
            end_year: row.end_year,
            status: row.status,
            description: row.description.clone(),
        }
    }

    fn into_row(self) -> masterplan::ActiveModel {
        masterplan::ActiveModel {
            title: Set(self.title),
            region: Set(self.region.to_string()),
            legal_basis: Set(self.legal_basis),
            start_year: Set(self.start_year),
            end_year: Set(self.end_year),
            status: Set(self.status),
            description: Set(self.description),
            code: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.title, self.description.as_deref().unwrap_or_default()]
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let ends_early = matches!((self.start_year, self.end_year), (Some(start), Some(end)) if end < start);
        let text = || Text::new("It ends before it starts.", "Berakhir sebelum dimulai.");
        ends_early.then(|| FieldError::at("/end_year", "before_start", text())).into_iter().collect()
    }
}
