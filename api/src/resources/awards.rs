//! `/v1/awards`

use entity::award::{self, RecipientKind};
use entity::value::code::Code;
use sea_orm::ActiveValue::{NotSet, Set};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::provenance::Provenance;
use super::references::{Target, must_exist};
use super::resource::{Names, Resource, code};
use crate::auth::permissions::EditCatalogue;
use crate::http::language::Text;
use crate::http::problem::{ApiResult, FieldError};
use crate::store::listing::{Field, Kind};
use crate::store::transaction::WriteTransaction;

/// An award that the regency, or somebody or something in it, received.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Award {
    /// Its name.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub name: String,
    /// Who gave it.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub issuer: String,
    /// In which category.
    #[schema(max_length = 300)]
    pub category: Option<String>,
    /// In which year.
    #[schema(minimum = 1900, maximum = 2199)]
    pub year: Option<i32>,
    /// Who received it.
    pub recipient: Recipient,
    /// Whether the public sees it: a new one only where this is `true`.
    #[serde(default)]
    pub published: bool,
    /// Where the facts come from.
    pub provenance: Option<Provenance>,
}

/// Who received an award: a thing of this service by its code, or a person by name.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AwardRecipient)]
pub struct Recipient {
    /// What kind of recipient.
    pub kind: RecipientKind,
    /// Its code; a person has none.
    pub r#ref: Option<Code>,
    /// Its name, where it has no code or another name fits better.
    #[schema(max_length = 300)]
    pub name: Option<String>,
}

/// What the code of a recipient of this kind refers to.
pub fn target(kind: RecipientKind) -> Option<Target> {
    match kind {
        RecipientKind::Regency | RecipientKind::Region => Some(Target::Region),
        RecipientKind::Opd => Some(Target::Opd),
        RecipientKind::Programme => Some(Target::Programme),
        RecipientKind::QuickWin => Some(Target::QuickWin),
        RecipientKind::Person => None,
    }
}

/// The kinds of recipient that refer to a thing of this kind.
pub fn kinds_of(thing: &str) -> &'static [&'static str] {
    match thing {
        "region" => &["regency", "region"],
        "opd" => &["opd"],
        "programme" => &["programme"],
        "quick_win" => &["quick_win"],
        _ => &[],
    }
}

impl Resource for Award {
    const NAMES: Names = Names {
        one: "award",
        many: "awards",
        spoken: "award",
        plural: "awards",
        about: "Awards that the regency, or somebody or something in it, received.",
    };
    const FIELDS: &'static [Field] = &[
        Field::sort_nullable("year", Kind::Integer),
        Field::sort("issuer", Kind::Text),
        Field::filter("published", Kind::Flag),
        Field::sort("name", Kind::Text),
    ];
    type Entity = award::Entity;
    type Write = EditCatalogue;

    fn example() -> Value {
        json!({
            "code": "ADWI-SENARU", "name": "Anugerah Desa Wisata Indonesia (ADWI)", "issuer": "Kementerian Pariwisata",
            "category": "Daya Tarik Wisata", "recipient": { "kind": "region", "ref": "52.08.04.2006", "name": "Desa Senaru" }, "published": true,
            "provenance": { "publisher": "Katada.id", "date": "2022-10-04", "basis": "stated" },
        })
    }

    fn of(row: &award::Model) -> Self {
        Self {
            name: row.name.clone(),
            issuer: row.issuer.clone(),
            category: row.category.clone(),
            year: row.year,
            recipient: Recipient {
                kind: row.recipient_kind,
                r#ref: row.recipient_ref.as_deref().map(code),
                name: row.recipient_name.clone(),
            },
            published: row.published,
            provenance: Provenance::of(row.provenance.as_ref()),
        }
    }

    fn into_row(self) -> award::ActiveModel {
        award::ActiveModel {
            name: Set(self.name),
            issuer: Set(self.issuer),
            category: Set(self.category),
            year: Set(self.year),
            recipient_kind: Set(self.recipient.kind),
            recipient_ref: Set(self.recipient.r#ref.map(|code| code.to_string())),
            recipient_name: Set(self.recipient.name),
            published: Set(self.published),
            provenance: Set(Provenance::stored(self.provenance.as_ref())),
            code: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        vec![
            &self.name,
            &self.issuer,
            self.category.as_deref().unwrap_or_default(),
            self.recipient.name.as_deref().unwrap_or_default(),
        ]
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let recipient = &self.recipient;
        match (target(recipient.kind), &recipient.r#ref, &recipient.name) {
            (Some(_), None, _) => {
                vec![FieldError::at("/recipient/ref", "required", Text::new("The code of the recipient.", "Kode penerima."))]
            }
            (None, Some(_), _) => {
                vec![FieldError::at(
                    "/recipient/ref",
                    "not_allowed",
                    Text::new("A person has no code here.", "Orang tidak memiliki kode di sini."),
                )]
            }
            (None, None, None) => {
                vec![FieldError::at("/recipient/name", "required", Text::new("The name of the person.", "Nama orangnya."))]
            }
            _ => Vec::new(),
        }
    }

    async fn check(&self, transaction: &WriteTransaction, _code: &str, _before: Option<&award::Model>) -> ApiResult<()> {
        let (Some(target), Some(code)) = (target(self.recipient.kind), &self.recipient.r#ref) else { return Ok(()) };
        must_exist(&transaction.db, "/recipient/ref", target, code).await
    }
}
