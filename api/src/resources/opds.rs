//! `/v1/opds`

use entity::opd;
use entity::value::code::Code;
use sea_orm::ActiveValue::{NotSet, Set};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::references::Target;
use super::resource::{Names, Reference, Resource, code};
use crate::auth::permissions::EditCatalogue;
use crate::http::problem::{ApiError, ApiResult};
use crate::store::listing::{Field, Kind};
use crate::store::transaction::WriteTransaction;

/// An OPD (organisasi perangkat daerah): a regional government agency. OPDs form a tree.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Opd {
    /// Full name.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub name: String,
    /// Short name.
    #[schema(max_length = 64)]
    pub short_name: Option<String>,
    /// The OPD above it.
    pub parent: Option<Code>,
    /// Who heads it.
    #[schema(max_length = 200)]
    pub head_name: Option<String>,
    /// The head's office.
    #[schema(max_length = 200)]
    pub head_title: Option<String>,
    /// Contact address. Never public.
    #[schema(max_length = 254, pattern = r"^[^@\s\u0000]+@[^@\s\u0000]+$")]
    pub email: Option<String>,
    /// Contact number. Never public.
    #[schema(max_length = 40, pattern = r"^[0-9+() .-]+$")]
    pub phone: Option<String>,
    /// Its site.
    #[schema(max_length = 2000, pattern = r"^https?://[^\s\u0000]+$")]
    pub website: Option<String>,
    /// Whether it still exists: a new one does where this is absent.
    #[serde(default = "yes")]
    pub active: bool,
}

fn yes() -> bool {
    true
}

impl Resource for Opd {
    const NAMES: Names = Names {
        one: "opd",
        many: "opds",
        spoken: "OPD",
        plural: "OPDs",
        about: "OPD (organisasi perangkat daerah): the regional government agencies that lead programmes and report KPIs. They form a tree.",
    };
    const FIELDS: &'static [Field] =
        &[Field::filter("parent", Kind::Code), Field::filter("active", Kind::Flag), Field::sort("name", Kind::Text)];
    const REFERENCES: &'static [Reference] = &[Reference::one("parent", Target::Opd)];
    type Entity = opd::Entity;
    type Write = EditCatalogue;

    fn example() -> Value {
        json!({ "code": "PKM-KAYANGAN", "name": "Puskesmas Kayangan", "parent": "DINKES", "active": true })
    }

    fn of(row: &opd::Model) -> Self {
        Self {
            name: row.name.clone(),
            short_name: row.short_name.clone(),
            parent: row.parent.as_deref().map(code),
            head_name: row.head_name.clone(),
            head_title: row.head_title.clone(),
            email: row.email.clone(),
            phone: row.phone.clone(),
            website: row.website.clone(),
            active: row.active,
        }
    }

    fn into_row(self) -> opd::ActiveModel {
        opd::ActiveModel {
            name: Set(self.name),
            short_name: Set(self.short_name),
            parent: Set(self.parent.map(|code| code.to_string())),
            head_name: Set(self.head_name),
            head_title: Set(self.head_title),
            email: Set(self.email),
            phone: Set(self.phone),
            website: Set(self.website),
            active: Set(self.active),
            code: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name, self.short_name.as_deref().unwrap_or_default()]
    }

    /// The tree has no cycle: nothing stands below itself. Two moves at once could make one, so they take turns.
    async fn check(&self, transaction: &WriteTransaction, code: &str, before: Option<&opd::Model>) -> ApiResult<()> {
        let Some(parent) = &self.parent else { return Ok(()) };
        if before.is_some_and(|before| before.parent.as_deref() == Some(parent.as_str())) {
            return Ok(());
        }
        transaction.lock("the tree of OPDs").await?;
        if parent.as_str() == code || transaction.is_below(parent, code).await? {
            return Err(ApiError::field_error(
                "/parent",
                "cycle",
                format!("`{parent}` is `{code}` itself or stands below it."),
                format!("`{parent}` adalah `{code}` sendiri atau berada di bawahnya."),
            ));
        }
        Ok(())
    }
}
