//! Gives events their place in the feed, and chains them.
//!
//! A reader who follows a cursor must not miss what commits late. The number of an event does not do for a cursor: on
//! PostgreSQL a transaction takes its numbers early and may commit after one that took later numbers, so a reader who has seen
//! those would never look back. Nor should writers queue for a place: that would make them one after the other.
//!
//! So writers append without a place. *Sealing* gives places to what has been committed since: it sees only committed events,
//! one process at a time does it (the row of `feed_head` is locked), and places and hashes commit together. Whoever sees a
//! place therefore sees all places before it. An event that was committed before another transaction began has the smaller
//! number, and both are sealed in the order of their numbers, so causes stand before effects.
//!
//! What is not sealed yet is found without a look at all that is: the horizon says up to where everything is finished and
//! sealed. On PostgreSQL it is a transaction number (all below `pg_snapshot_xmin` have ended), on SQLite, where one writer
//! commits after the other, the number of an event.

use entity::rules::chain::link;
use entity::{event, event_seal, feed_head};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QuerySelect, Statement};

use super::publicity;
use crate::auth::actor::Actor;
use crate::http::problem::{ApiError, ApiResult};
use crate::store::change::{Change, Origin, Store};

/// Events of one statement.
const AT_ONCE: usize = 1_000;
/// The most statements of one transaction, so that a long backlog does not keep writers of SQLite waiting.
const ROUNDS: usize = 20;

/// Where the feed ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The place of the last event.
    pub position: i64,
    /// Its hash.
    pub hash: String,
}

/// Where the feed ends now.
pub async fn head(db: &impl ConnectionTrait) -> ApiResult<Head> {
    let row = feed_head::Entity::find_by_id(1).one(db).await?.ok_or_else(no_head)?;
    Ok(Head { position: row.position, hash: row.hash })
}

fn no_head() -> ApiError {
    ApiError::unexpected("the feed has no head")
}

/// Seals all that is committed now; tells whether any was there. Where another process is at it, it does it all.
pub async fn seal_all(store: &Store) -> ApiResult<bool> {
    let mut any = false;
    while is_behind(store).await? {
        let origin = Origin { actor: Actor::system("feed"), request_id: None, address: None };
        let sealed = store.transact(origin, async |change: &Change| seal(change).await).await?.unwrap_or_default();
        any |= sealed > 0;
        // What is committed meanwhile is for the next time: else there would be no end to it under load.
        if sealed < AT_ONCE * ROUNDS {
            break;
        }
    }
    Ok(any)
}

/// Whether something may wait, without a transaction that writes.
async fn is_behind(store: &Store) -> ApiResult<bool> {
    let backend = store.db().get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT 1 AS one FROM event e WHERE e.xact >= (SELECT horizon FROM feed_head) \
             AND NOT EXISTS (SELECT 1 FROM event_seal s WHERE s.seq = e.seq) LIMIT 1"
        }
        _ => "SELECT 1 AS one FROM event WHERE seq > (SELECT horizon FROM feed_head) LIMIT 1",
    };
    Ok(store.db().query_one_raw(Statement::from_string(backend, sql)).await?.is_some())
}

/// Seals what waits; gives how many, or `None` where another process is at it.
async fn seal(change: &Change) -> ApiResult<Option<usize>> {
    let head = feed_head::Entity::find_by_id(1).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let Some(head) = head.one(&change.db).await? else { return Ok(None) };
    // Before the events are read: what ends in between is looked at again.
    let finished = finished(change).await?;
    let (mut position, mut hash, mut floor, mut sealed, mut horizon) = (head.position, head.hash.clone(), 0, 0, head.horizon);
    for _ in 0..ROUNDS {
        let events = waiting(change, head.horizon, floor).await?;
        let public = publicity::are_public(&change.db, &events).await?;
        let rows = events.iter().zip(public).map(|(event, public)| {
            position += 1;
            hash = link(&hash, event);
            let (seq, resource, hash) = (event.seq, event.resource.clone(), hash.clone());
            event_seal::Model { position, seq, resource, public, hash }.into_active_model().reset_all()
        });
        let rows = rows.collect::<Vec<_>>();
        if !rows.is_empty() {
            event_seal::Entity::insert_many(rows).exec_without_returning(&change.db).await?;
        }
        sealed += events.len();
        floor = events.last().map_or(floor, |last| last.seq);
        if events.len() < AT_ONCE {
            horizon = finished.unwrap_or(floor.max(horizon));
            break;
        }
    }
    let mut head = head.into_active_model();
    (head.position, head.hash, head.horizon) = (Set(position), Set(hash), Set(horizon));
    head.update(&change.db).await?;
    Ok(Some(sealed))
}

/// On PostgreSQL the number below which every transaction has ended.
async fn finished(change: &Change) -> ApiResult<Option<i64>> {
    if change.db.get_database_backend() != DbBackend::Postgres {
        return Ok(None);
    }
    let sql = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon";
    let row = change.db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    Ok(row.map(|row| row.try_get("", "horizon")).transpose()?)
}

/// The next events that have no place yet.
async fn waiting(change: &Change, horizon: i64, floor: i64) -> ApiResult<Vec<event::Model>> {
    let backend = change.db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => format!(
            "SELECT e.* FROM event e WHERE e.xact >= $1 AND e.seq > $2 \
             AND NOT EXISTS (SELECT 1 FROM event_seal s WHERE s.seq = e.seq) ORDER BY e.seq LIMIT {AT_ONCE}"
        ),
        _ => format!("SELECT * FROM event WHERE seq > MAX($1, $2) ORDER BY seq LIMIT {AT_ONCE}"),
    };
    let statement = Statement::from_sql_and_values(backend, sql, [horizon.into(), floor.into()]);
    Ok(event::Entity::find().from_raw_sql(statement).all(&change.db).await?)
}
