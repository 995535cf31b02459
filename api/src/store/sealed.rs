//! Which state of the database a snapshot shows: every change has an event, and every event gets its position in the feed soon after
//! it was committed. While none waits for its position, that of the last one names the state.

use entity::feed_head;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};

use crate::http::problem::ApiResult;

/// Whether events may be waiting for their position, found out without a transaction that writes.
pub async fn is_behind(db: &impl ConnectionTrait) -> ApiResult<bool> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            // Row by row along the index: PostgreSQL cannot know that few events lie beyond the horizon.
            "SELECT 1 AS one FROM event e WHERE e.xact >= (SELECT horizon FROM feed_head) \
             AND NOT EXISTS (SELECT 1 FROM event_seal s WHERE s.seq = e.seq OFFSET 0) ORDER BY e.xact LIMIT 1"
        }
        _ => "SELECT 1 AS one FROM event WHERE seq > (SELECT horizon FROM feed_head) LIMIT 1",
    };
    Ok(db.query_one_raw(Statement::from_string(backend, sql)).await?.is_some())
}

/// The position of the last event, if none waits for its own.
pub async fn position_of_state(db: &impl ConnectionTrait) -> ApiResult<Option<i64>> {
    if is_behind(db).await? {
        return Ok(None);
    }
    Ok(feed_head::Entity::find_by_id(1).one(db).await?.map(|head| head.position))
}
