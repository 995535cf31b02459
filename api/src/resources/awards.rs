//! `/v1/awards`

use entity::award::{self, RecipientKind};
use entity::value::code::Code;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, SimpleExpr};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::provenance::Provenance;
use super::{opds, programmes, quick_wins, regions};
use crate::auth::permissions::EditCatalogue;
use crate::crud::members::{Parts, members};
use crate::crud::resource::Resource;
use crate::crud::typed::kind_of;
use crate::http::language::Text;
use crate::http::problem::FieldError;
use crate::store::kind::{Kind, Names, Own, PartColumn, Stored, ValueType, Within};

/// The kind.
pub static KIND: Kind = kind_of::<Award>(Names {
    one: "award",
    many: "awards",
    spoken: "award",
    plural: "awards",
    indonesian: "penghargaan",
    schema: "Award",
    about: "Awards that the regency, or somebody or something in it, received.",
})
.public(Own::Published)
.found_in_shown(found_in_shown);

members! {
    /// An award that the regency, or somebody or something in it, received.
    pub struct Award of award by code {
        /// The name of the award.
        #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub name: String = column.sort().public().label("Name", "Nama", "Nama penghargaan."),
        /// Who gave it.
        #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub issuer: String = column.sort().public().label("Issuer", "Pemberi", "Pemberi penghargaan."),
        /// The category in which it was given.
        #[schema(max_length = 300)]
        pub category: Option<String> = column.public().label("Category", "Kategori", "Kategori penghargaan."),
        /// The year in which it was given.
        #[schema(minimum = 1900, maximum = 2199)]
        pub year: Option<i32> = column.sort().public().label("Year", "Tahun", "Tahun pemberian."),
        /// Who received it.
        pub recipient: Recipient = parts.refers_within(&RecipientReference).public().label("Recipient", "Penerima", "Penerima penghargaan."),
        /// Whether the public sees it: a new one only where this is `true`.
        #[serde(default)]
        pub published: bool = column.filter().label("Published", "Diterbitkan", "Apakah publik dapat melihatnya; yang baru hanya bila `true`."),
        /// Where the facts come from.
        pub provenance: Option<Provenance> = column.public().label("Provenance", "Sumber", "Asal keterangan ini."),
    }
}

/// Who received an award: a resource of this service by its code, or a person by name.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AwardRecipient)]
pub struct Recipient {
    /// The kind of recipient.
    pub kind: RecipientKind,
    /// The code of the recipient; a person has none.
    pub r#ref: Option<Code>,
    /// The name of the recipient, where it has no code or another name fits better.
    #[schema(max_length = 300)]
    pub name: Option<String>,
}

impl Parts<award::Entity> for Recipient {
    const COLUMNS: &'static [PartColumn] = &[
        PartColumn { name: "recipient_kind", part: "kind", value: ValueType::Choice(RecipientKind::WORDS) },
        PartColumn { name: "recipient_ref", part: "ref", value: ValueType::Code },
        PartColumn { name: "recipient_name", part: "name", value: ValueType::Text },
    ];

    fn load(row: &award::Model) -> Self {
        let code = row.recipient_ref.as_deref().and_then(|code| Code::parse(code).ok());
        Self { kind: row.recipient_kind, r#ref: code, name: row.recipient_name.clone() }
    }

    fn store(self, row: &mut award::ActiveModel) {
        row.recipient_kind = Set(self.kind);
        row.recipient_ref = Set(self.r#ref.map(|code| code.to_string()));
        row.recipient_name = Set(self.name);
    }
}

/// What the code of a recipient of this kind refers to.
fn target(kind: RecipientKind) -> Option<&'static Kind> {
    match kind {
        RecipientKind::Regency | RecipientKind::Region => Some(&regions::KIND),
        RecipientKind::Opd => Some(&opds::KIND),
        RecipientKind::Programme => Some(&programmes::KIND),
        RecipientKind::QuickWin => Some(&quick_wins::KIND),
        RecipientKind::Person => None,
    }
}

/// The reference within a recipient.
struct RecipientReference;

impl Within for RecipientReference {
    fn named(&self, value: &Value) -> Vec<(String, &'static Kind, String)> {
        let kind = RecipientKind::deserialize(&value["kind"]).ok().and_then(target);
        let code = value["ref"].as_str().map(str::to_owned);
        kind.zip(code).map(|(kind, code)| ("/ref".to_owned(), kind, code)).into_iter().collect()
    }

    fn hide(&self, value: &mut Value) {
        (value["ref"], value["name"]) = (Value::Null, Value::Null);
    }

    fn stored(&self) -> Vec<Stored> {
        let of = |to, kinds| Stored {
            to,
            resource: KIND.names.one,
            table: KIND.table(),
            column: "recipient_ref",
            name: KIND.key.name(),
            only: Some(("recipient_kind", kinds)),
        };
        vec![
            of(&regions::KIND, &["regency", "region"]),
            of(&opds::KIND, &["opd"]),
            of(&programmes::KIND, &["programme"]),
            of(&quick_wins::KIND, &["quick_win"]),
        ]
    }
}

/// A recipient that is hidden is not named, so nobody finds an award by its name: the last of what `q=` looks through.
fn found_in_shown(pattern: LikeExpr) -> SimpleExpr {
    let is_hidden = [&programmes::KIND, &quick_wins::KIND].map(|kind| {
        let (name, is_public) = (kind.table(), kind.is_public("r"));
        format!("(award.recipient_kind = '{name}' AND NOT EXISTS (SELECT 1 FROM {name} r WHERE r.code = award.recipient_ref AND {is_public}))")
    });
    let shown = "SUBSTR(search, 1, LENGTH(search) - LENGTH(COALESCE(recipient_name, '')))";
    Expr::cust(format!("NOT ({})", is_hidden.join(" OR "))).or(Expr::cust(shown).like(pattern))
}

impl Resource for Award {
    const KIND: &'static Kind = &KIND;
    type Write = EditCatalogue;
    type ReadOnly = ();
    type Computed = ();

    fn example() -> Value {
        json!({
            "code": "ADWI-SENARU", "name": "Anugerah Desa Wisata Indonesia (ADWI)", "issuer": "Kementerian Pariwisata",
            "category": "Daya Tarik Wisata", "recipient": { "kind": "region", "ref": "52.08.04.2006", "name": "Desa Senaru" }, "published": true,
            "provenance": { "publisher": "Katada.id", "date": "2022-10-04", "basis": "stated" },
        })
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
}
