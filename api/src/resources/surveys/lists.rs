//! Lists of surveys in the order of their index.

use chrono::NaiveDate;
use entity::survey;
use futures_util::future::BoxFuture;
use sea_orm::{Condition, DatabaseConnection, EntityTrait, QueryFilter};
use serde_json::Value;

use super::{Survey, explained};
use crate::crud::resource::ReadWhole;
use crate::crud::typed::shown_with;
use crate::http::problem::ApiResult;
use crate::store::kind::{Field, Scope, ValueType, Whole};

/// Reads all surveys.
struct Surveys;

impl ReadWhole for Survey {
    const WHOLE: &'static dyn Whole = &Surveys;
}

impl Whole for Surveys {
    fn has_past(&self) -> bool {
        false
    }

    fn computed(&self) -> &'static [Field] {
        const { &[Field::sort("ikm", ValueType::Decimal).computed()] }
    }

    fn text(&self, row: &Value) -> String {
        ["id", "service"].map(|name| row[name].as_str().unwrap_or_default()).join("\n")
    }

    fn rows<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        _: Scope,
        _: NaiveDate,
        _: NaiveDate,
        narrow: Condition,
    ) -> BoxFuture<'a, ApiResult<Vec<Value>>> {
        Box::pin(async move {
            let rows = survey::Entity::find().filter(narrow).all(db).await?;
            let shown = |row: survey::Model| {
                let computed = explained(&row);
                shown_with::<Survey>(row, computed)
            };
            Ok(rows.into_iter().map(shown).collect())
        })
    }
}
