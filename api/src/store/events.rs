//! Finding events by what they are about.
//!
//! On SQLite the index of events begins with the part of a key after the slash, such as the period in `STUNTING/2022`, so that the events
//! of one push are neighbours in it. Whoever looks for a key there names that part as well; these functions do.

use entity::event;
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Select};

/// The events about the `resource` with this key.
pub fn about(db: &impl ConnectionTrait, resource: &str, key: &str) -> Select<event::Entity> {
    about_any(db, resource, &[key])
}

/// The events about resources with any of these keys.
pub fn about_any(db: &impl ConnectionTrait, resource: &str, keys: &[&str]) -> Select<event::Entity> {
    use event::Column;
    let parts = keys.iter().map(|key| key.split_once('/').map_or(*key, |(_, part)| part));
    let have_parts = match db.get_database_backend() {
        DbBackend::Sqlite => Condition::all().add(Expr::cust(part("event.\"key\"")).is_in(parts)),
        _ => Condition::all(),
    };
    let have_keys = Column::Key.is_in(keys.iter().copied());
    event::Entity::find().filter(Column::Resource.eq(resource)).filter(have_parts).filter(have_keys)
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
