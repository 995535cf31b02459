//! Finding events by what they are about.
//!
//! The first event about a report may lie in a batch, which has no key of its own: the report and its later events name it.
//!
//! On SQLite the index of events begins with the part of a key after the slash, such as the period in `STUNTING/2022`, so that the events
//! of one push are neighbours in it. Whoever looks for a key there names that part as well; these functions do.

use entity::{event, feed_head};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, Select, Statement,
};
use uuid::Uuid;

use super::kind::Audited;
use crate::http::problem::ApiResult;

/// The events about the `resource` with this key.
pub fn about(db: &impl ConnectionTrait, resource: &str, key: &str) -> Select<event::Entity> {
    about_any(db, resource, &[key])
}

/// The events about resources with any of these keys.
pub fn about_any(db: &impl ConnectionTrait, resource: &str, keys: &[&str]) -> Select<event::Entity> {
    event::Entity::find().filter(are_about_any(db, resource, keys))
}

/// The condition that events are about resources with any of these keys.
pub fn are_about_any(db: &impl ConnectionTrait, resource: &str, keys: &[&str]) -> Condition {
    use event::Column;
    let parts = keys.iter().map(|key| key.split_once('/').map_or(*key, |(_, part)| part));
    let have_parts = match db.get_database_backend() {
        DbBackend::Sqlite => Condition::all().add(Expr::cust(part("event.\"key\"")).is_in(parts)),
        _ => Condition::all(),
    };
    let have_keys = Column::Key.is_in(keys.iter().copied());
    Condition::all().add(Column::Resource.eq(resource)).add(have_parts).add(have_keys)
}

/// Whether batches of events may be written: a replica of an earlier version could not read them.
pub async fn allows_batches(db: &impl ConnectionTrait) -> ApiResult<bool> {
    Ok(feed_head::Entity::find_by_id(1).one(db).await?.is_some_and(|head| head.batches))
}

/// Allows batches from now on: all replicas know them.
pub async fn allow_batches(db: &impl ConnectionTrait) -> ApiResult<()> {
    let head = feed_head::ActiveModel { id: Unchanged(1), batches: Set(true), ..Default::default() };
    head.update(db).await?;
    Ok(())
}

/// The events that lie in batches and are the first about the thing with this key: there is one for each time that it was created.
pub async fn first_in_batches(db: &impl ConnectionTrait, of: &Audited, key: &str) -> ApiResult<Vec<Uuid>> {
    let Some([whole, part]) = of.batched_by else { return Ok(Vec::new()) };
    use event::Column::FirstEvent;
    let told = about(db, of.name, key).filter(FirstEvent.is_not_null()).select_only().column(FirstEvent).distinct();
    let mut found = told.into_tuple::<Uuid>().all(db).await?;
    let backend = db.get_database_backend();
    // A part may be a number.
    let part = if backend == DbBackend::Postgres { format!("{part}::text") } else { part.to_owned() };
    let (of_whole, of_part) = key.split_once('/').unwrap_or((key, ""));
    let sql =
        format!("SELECT DISTINCT first_event FROM {} WHERE {whole} = $1 AND {part} = $2 AND first_event IS NOT NULL", of.name);
    let statement = Statement::from_sql_and_values(backend, sql, [of_whole.into(), of_part.into()]);
    for row in db.query_all_raw(statement).await? {
        let id: Uuid = row.try_get("", "first_event")?;
        if !found.contains(&id) {
            found.push(id);
        }
    }
    Ok(found)
}

/// The condition, in SQL, that the events called `event` are about the `resource` with this `key`, both of which are SQL, too.
pub fn are_about(backend: DbBackend, event: &str, resource: &str, key: &str) -> String {
    let column = format!("{event}.\"key\"");
    let have_part = match backend {
        DbBackend::Sqlite => format!("{} = {} AND ", part(&column), part(key)),
        _ => String::new(),
    };
    format!("{event}.resource = {resource} AND {have_part}{column} = {key}")
}

/// What comes after the slash of a key, or the whole key, as the index spells it.
fn part(key: &str) -> String {
    format!("substr({key}, instr({key}, '/') + 1)")
}
