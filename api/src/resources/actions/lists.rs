//! Lists of actions in the order of their progress.

use chrono::NaiveDate;
use entity::action;
use futures_util::future::BoxFuture;
use sea_orm::{Condition, DatabaseConnection, EntityTrait, QueryFilter};
use serde_json::Value;

use super::{Action, progress_of, realised};
use crate::crud::resource::ReadWhole;
use crate::crud::typed::shown_with;
use crate::http::problem::ApiResult;
use crate::store::kind::{Field, Scope, ValueType, Whole};

/// Actions of one statement: no database takes any number of parameters.
const AT_ONCE: usize = 4_000;

/// Reads all actions.
struct Actions;

impl ReadWhole for Action {
    const WHOLE: &'static dyn Whole = &Actions;
}

impl Whole for Actions {
    fn has_past(&self) -> bool {
        false
    }

    fn computed(&self) -> &'static [Field] {
        const { &[Field::sort("progress", ValueType::Decimal).computed()] }
    }

    fn text(&self, row: &Value) -> String {
        ["id", "title"].map(|name| row[name].as_str().unwrap_or_default()).join("\n")
    }

    fn rows<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        _: Scope,
        _: NaiveDate,
        today: NaiveDate,
        narrow: Condition,
    ) -> BoxFuture<'a, ApiResult<Vec<Value>>> {
        Box::pin(async move {
            let rows = action::Entity::find().filter(narrow).all(db).await?;
            let mut shown = Vec::with_capacity(rows.len());
            for some in rows.chunks(AT_ONCE) {
                let realised = realised(db, some.iter().map(|row| row.id.clone()).collect()).await?;
                shown.extend(some.iter().map(|row| {
                    let computed = progress_of(row, realised.get(&row.id), today);
                    shown_with::<Action>(row.clone(), computed)
                }));
            }
            Ok(shown)
        })
    }
}
