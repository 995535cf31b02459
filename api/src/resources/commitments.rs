//! `/v1/commitments`

use chrono::NaiveDate;
use entity::value::code::Code;
use entity::{commitment, commitment_signatory};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::programmes::{codes, repeated};
use super::references::Target;
use super::resource::{Key, Names, Reference, Resource};
use crate::auth::permissions::EditCatalogue;
use crate::http::problem::{ApiResult, FieldError};
use crate::store::listing::{Field, Kind};
use crate::store::transaction::WriteTransaction;

/// A joint commitment to the Smart City, as OPDs signed it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// Its title.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub title: String,
    /// When it was signed.
    #[schema(max_length = 10)]
    pub signed_on: Option<NaiveDate>,
    /// Where the document can be read.
    #[schema(max_length = 2000, pattern = r"^https?://[^\s\u0000]+$")]
    pub document_url: Option<String>,
    /// The OPDs that signed it.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub signatories: Vec<Code>,
}

impl Resource for Commitment {
    const NAMES: Names = Names {
        one: "commitment",
        many: "commitments",
        spoken: "commitment",
        plural: "commitments",
        about: "The joint commitment to the Smart City, with the OPDs that signed it.",
    };
    const FIELDS: &'static [Field] = &[Field::sort_nullable("signed_on", Kind::Date), Field::sort("title", Kind::Text)];
    const DEFAULT_SORT: &'static str = "id";
    const KEY: Key = Key::Id;
    const REFERENCES: &'static [Reference] = &[Reference::many("signatories", Target::Opd)];
    type Entity = commitment::Entity;
    type Write = EditCatalogue;

    fn example() -> Value {
        json!({
            "id": "0183a0c4-6f00-7d2e-9d6b-5c1f6a3b7e10", "title": "Komitmen bersama pelaksanaan Smart City Kabupaten Lombok Utara",
            "signed_on": "2022-10-04", "signatories": ["DISKOMINFO", "DINKES", "DLH"],
        })
    }

    fn of(row: &commitment::Model) -> Self {
        Self {
            title: row.title.clone(),
            signed_on: row.signed_on,
            document_url: row.document_url.clone(),
            signatories: codes(&row.signatories),
        }
    }

    fn into_row(self) -> commitment::ActiveModel {
        commitment::ActiveModel {
            title: Set(self.title),
            signed_on: Set(self.signed_on),
            document_url: Set(self.document_url),
            signatories: Set(json!(self.signatories)),
            id: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.title]
    }

    fn field_errors(&self) -> Vec<FieldError> {
        repeated("/signatories", &self.signatories)
    }

    async fn after_write(&self, transaction: &WriteTransaction, id: &str, created: bool) -> ApiResult<()> {
        use commitment_signatory::{ActiveModel, Column, Entity};
        if !created {
            Entity::delete_many().filter(Column::Commitment.eq(id)).exec(&transaction.db).await?;
        }
        let signed = self.signatories.iter().map(|opd| ActiveModel { commitment: Set(id.into()), opd: Set(opd.to_string()) });
        if !self.signatories.is_empty() {
            Entity::insert_many(signed).exec_without_returning(&transaction.db).await?;
        }
        Ok(())
    }
}
