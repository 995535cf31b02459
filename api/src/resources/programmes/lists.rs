//! Lists of programmes as they were at the end of a past day, and in the order of their progress.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::programme;
use entity::value::decimal::Percent;
use futures_util::future::BoxFuture;
use sea_orm::{Condition, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, Statement};
use serde_json::{Map, Value, json};

use super::{KIND, Programme, ProgrammeProgress, progress};
use crate::crud::resource::ReadWhole;
use crate::crud::typed::shown_with;
use crate::http::problem::ApiResult;
use crate::store::kind::{Field, Scope, Stamp, ValueType, Whole};
use crate::store::snapshots::AsOf;

/// Reads all programmes of a day.
struct Programmes;

impl ReadWhole for Programme {
    const WHOLE: &'static dyn Whole = &Programmes;
}

impl Whole for Programmes {
    fn has_past(&self) -> bool {
        true
    }

    fn computed(&self) -> &'static [Field] {
        const { &[Field::sort_nullable("progress", ValueType::Decimal).computed()] }
    }

    fn text(&self, row: &Value) -> String {
        ["code", "name", "description"].map(|name| row[name].as_str().unwrap_or_default()).join("\n")
    }

    fn rows<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        scope: Scope,
        day: NaiveDate,
        today: NaiveDate,
        narrow: Condition,
    ) -> BoxFuture<'a, ApiResult<Vec<Value>>> {
        Box::pin(async move {
            let as_of = AsOf::new(day, today, db.get_database_backend());
            let progress = progress::of_all(db, scope, as_of).await?;
            if as_of.is_past() {
                return past(db, scope, as_of, &progress).await;
            }
            let rows = programme::Entity::find().filter(narrow).all(db).await?;
            let shown = |row: programme::Model| {
                let computed = ProgrammeProgress { progress: progress.get(&row.code).copied() };
                shown_with::<Programme>(row, computed)
            };
            Ok(rows.into_iter().map(shown).collect())
        })
    }
}

/// The programmes of a past day. A programme existed from the first day of its status history, as it was made.
async fn past(db: &DatabaseConnection, scope: Scope, as_of: AsOf, progress: &HashMap<String, Percent>) -> ApiResult<Vec<Value>> {
    let (programmes, shown, day) = (as_of.of(&KIND), scope.shows(&KIND, "p", as_of), as_of.day);
    let sql = format!(
        "SELECT code, content, status FROM (SELECT p.code, kept.content, \
           (SELECT s.to_status FROM status_change s WHERE s.programme = p.code AND s.effective_on <= $1 \
            ORDER BY s.seq DESC LIMIT 1) AS status \
         FROM {programmes} p JOIN past kept ON kept.resource = 'programme' AND kept.\"key\" = p.code \
           AND (kept.since <= '{day}' OR kept.is_first) AND kept.until > '{day}' WHERE {shown}) known \
         WHERE status IS NOT NULL ORDER BY code"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, [day.into()])).await?;
    let shown = rows.iter().map(|row| {
        let (code, content, status): (String, Value, String) =
            (row.try_get("", "code")?, row.try_get("", "content")?, row.try_get("", "status")?);
        Ok(as_kept(&content, &status, progress.get(&code).copied()))
    });
    shown.collect()
}

/// A programme with all its members, out of what was kept of it. What it did not have then is null, or an empty list.
fn as_kept(content: &Value, status: &str, progress: Option<Percent>) -> Value {
    let instant = |name: &str| content[name].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok()).unwrap_or_default();
    let stamp = Stamp {
        version: content["version"].as_i64().and_then(|version| i32::try_from(version).ok()).unwrap_or(1),
        created_at: instant("created_at"),
        updated_at: instant("updated_at"),
    };
    let computed = Map::from_iter([("progress".to_owned(), json!(progress))]);
    let members = KIND.members().into_iter().map(|member| {
        let value = match (member.name, content.get(member.name)) {
            ("status", _) => json!(status),
            ("progress", _) => json!(progress),
            ("etag", _) => json!(stamp.etag_with(&computed)),
            (_, Some(value)) => value.clone(),
            (_, None) if member.value == ValueType::Codes => json!([]),
            (_, None) => Value::Null,
        };
        (member.name.to_owned(), value)
    });
    Value::Object(members.collect())
}
