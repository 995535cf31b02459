//! Gives committed events their position in the feed, and chains them by hashes: the events of one step are a block, with one hash over
//! theirs.
//!
//! A reader who follows a cursor must not miss events that commit late. The number of an event is no good as a cursor: on
//! PostgreSQL a transaction takes its numbers early and may commit after a transaction that took later numbers, so a reader who
//! has seen the later numbers would never look back. Nor should writers wait for a position: that would make them write one after
//! the other.
//!
//! So writers append events without a position. *Sealing* gives positions to what has been committed since: it sees only
//! committed events, only one process at a time does it (the row of `feed_head` is locked), and positions and hashes commit
//! together. Whoever sees a position therefore sees all positions before it. An event that was committed before another
//! transaction began has the smaller number, and both are sealed in the order of their numbers, so that causes come before
//! effects.
//!
//! Events that are not sealed yet are found without a look at all sealed ones: the horizon says up to where everything is
//! finished and sealed. On PostgreSQL it is a transaction number (all below `pg_snapshot_xmin` have ended); on SQLite, where one
//! writer commits after the other, it is the number of an event.
//!
//! PostgreSQL cannot know how many events lie beyond a number that it is given later, and takes a third of all for granted. So that it
//! does not read the whole table instead, these statements leave it no choice: `ORDER BY xact` goes through the index, and `OFFSET 0`
//! has a condition looked up row by row.
//!
//! A backlog may have any length. It is sealed in steps of a bounded number of events, each in a transaction of its own, so that
//! writers get their turn in between. [`Sealer`] remembers how far it has come.

use std::collections::HashMap;

use entity::rules::chain::{Hash, block_hash, content_hash};
use entity::{event, event_seal, feed_head};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter,
    QuerySelect, Statement,
};
use serde_json::Value;

use super::publicity::{self, Change};
use crate::auth::actor::Actor;
use crate::http::problem::{ApiError, ApiResult};
use crate::store::transaction::{Origin, Store, WriteTransaction};
use crate::store::{bulk, sealed};
use crate::telemetry::trace;

/// The number of events of one transaction and one block: few enough that writers on SQLite, who wait for it, do not notice.
const AT_ONCE: i64 = 1_000;
/// The most events that are counted: whether more wait matters to nobody.
const MOST_COUNTED: i64 = 100_000;
/// The columns of a seal.
const SEAL: [event_seal::Column; 5] = {
    use event_seal::Column::*;
    [Position, Seq, Resource, Public, Hash]
};

/// The end of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The position of the last event.
    pub position: i64,
    /// The hash of the last block, which ends with that event.
    pub hash: String,
}

/// The present end of the feed.
pub async fn head(db: &impl ConnectionTrait) -> ApiResult<Head> {
    let row = feed_head::Entity::find_by_id(1).one(db).await?.ok_or_else(no_head)?;
    Ok(Head { position: row.position, hash: row.hash })
}

fn no_head() -> ApiError {
    ApiError::unexpected("the feed has no head")
}

/// The result of one step of sealing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// No event waited, or another process is sealing.
    Nothing,
    /// Events were sealed, and none that had been committed before waits any more.
    All,
    /// As many events were sealed as one step may seal, and more may wait.
    More,
}

/// Seals events step by step.
#[derive(Debug, Default)]
pub struct Sealer {
    /// The pass through a backlog that is in progress.
    pass: Option<Pass>,
}

/// A pass through all events that wait, in the order of their numbers. On PostgreSQL an event with a small number may be
/// committed late, so only a complete pass shows that no event is left below the horizon that was noted when the pass began.
#[derive(Clone, Copy, Debug)]
struct Pass {
    /// All events up to this number that were committed before the pass began are sealed.
    floor: i64,
    /// The horizon once the pass is complete; `None` on SQLite, where it is the floor.
    horizon: Option<i64>,
}

impl Sealer {
    /// Seals some of the events that wait, if any do.
    pub async fn step(&mut self, store: &Store) -> ApiResult<Step> {
        if self.pass.is_none() && !sealed::is_behind(store.db()).await? {
            return Ok(Step::Nothing);
        }
        self.seal_some(store).await
    }

    /// Seals some of the events that wait, in one transaction.
    pub async fn seal_some(&mut self, store: &Store) -> ApiResult<Step> {
        let origin = Origin { actor: Actor::system("feed"), request_id: None, address: None };
        // After a failure the pass begins again.
        let pass = self.pass.take();
        let sealing = store.transact(origin, async |transaction: &WriteTransaction| seal(transaction, pass).await);
        let Some((sealed, left)) = trace::job("feed.seal", sealing).await? else {
            return Ok(Step::Nothing);
        };
        self.pass = left;
        Ok(match (left, sealed) {
            (Some(_), _) => Step::More,
            (None, 0) => Step::Nothing,
            (None, _) => Step::All,
        })
    }
}

/// How many events have no place in the feed yet, counted up to [`MOST_COUNTED`].
pub async fn unsealed(db: &impl ConnectionTrait) -> ApiResult<i64> {
    let backend = db.get_database_backend();
    let waiting = match backend {
        DbBackend::Postgres => {
            "SELECT 1 AS one FROM event e WHERE e.xact >= (SELECT horizon FROM feed_head) \
             AND NOT EXISTS (SELECT 1 FROM event_seal s WHERE s.seq = e.seq OFFSET 0) ORDER BY e.xact"
        }
        // Everything up to the last sealed number is sealed, whatever the horizon says.
        _ => {
            "SELECT 1 AS one FROM event WHERE seq > \
             MAX((SELECT horizon FROM feed_head), COALESCE((SELECT MAX(seq) FROM event_seal), 0))"
        }
    };
    let sql = format!("SELECT COUNT(*) AS number FROM ({waiting} LIMIT {MOST_COUNTED}) w");
    let row = db.query_one_raw(Statement::from_string(backend, sql)).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "number"))?)
}

/// Seals events that wait, going on with `pass`. Returns how many were sealed, and the pass if it is not complete. `None` if
/// another process is sealing.
async fn seal(transaction: &WriteTransaction, pass: Option<Pass>) -> ApiResult<Option<(usize, Option<Pass>)>> {
    let head = feed_head::Entity::find_by_id(1).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let Some(head) = head.one(&transaction.db).await? else { return Ok(None) };
    let mut pass = match pass {
        Some(pass) => pass,
        None => begin(transaction, head.horizon).await?,
    };
    let Window { events, last, is_last } = waiting(transaction, pass.floor).await?;
    let changes = events.iter().map(Unsealed::change).collect::<Vec<_>>();
    let public = publicity::are_public(&transaction.db, &changes).await?;
    let hashes = hashes(transaction, &events).await?;
    let hash = if hashes.is_empty() { head.hash.clone() } else { block_hash(&head.hash, hashes) };
    let position = head.position + i64::try_from(events.len()).map_err(ApiError::unexpected)?;
    let rows = (head.position + 1..).zip(events.iter().zip(public)).map(|(place, (event, public))| {
        let ending = if place == position { hash.as_str() } else { "" };
        Ok(vec![place.into(), event.seq.into(), event.resource.as_str().into(), public.into(), ending.into()])
    });
    let rows = rows.collect::<Vec<_>>();
    bulk::append::<event_seal::Entity>(&transaction.db, &SEAL, rows).await?;
    let sealed = events.len();
    pass.floor = last;
    let reached = match pass.horizon {
        // All events below the horizon are sealed only once the pass is complete.
        Some(horizon) if is_last => horizon,
        Some(_) => head.horizon,
        None => pass.floor,
    };
    let horizon = head.horizon.max(reached);
    let mut head = head.into_active_model();
    (head.position, head.hash, head.horizon) = (Set(position), Set(hash), Set(horizon));
    head.update(&transaction.db).await?;
    Ok(Some((sealed, (!is_last).then_some(pass))))
}

/// Begins a pass at the first event that may wait: on PostgreSQL the first of a transaction that had not ended `sealed_below`.
///
/// On SQLite everything up to the last sealed number is sealed, whatever the horizon says.
async fn begin(transaction: &WriteTransaction, sealed_below: i64) -> ApiResult<Pass> {
    if let Some(horizon) = finished(transaction).await? {
        let sql = "SELECT MIN(seq) - 1 AS floor FROM (SELECT seq FROM event WHERE xact >= $1 ORDER BY xact) recent";
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [sealed_below.into()]);
        let row = transaction.db.query_one_raw(statement).await?;
        let floor: Option<i64> = row.map(|row| row.try_get("", "floor")).transpose()?.flatten();
        return Ok(Pass { floor: floor.unwrap_or(i64::MAX), horizon: Some(horizon) });
    }
    let sql = "SELECT MAX((SELECT horizon FROM feed_head), COALESCE((SELECT MAX(seq) FROM event_seal), 0)) AS floor";
    let row = transaction.db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
    Ok(Pass { floor: row.map_or(Ok(0), |row| row.try_get("", "floor"))?, horizon: None })
}

/// On PostgreSQL, the number below which every transaction has ended.
async fn finished(transaction: &WriteTransaction) -> ApiResult<Option<i64>> {
    if transaction.db.get_database_backend() != DbBackend::Postgres {
        return Ok(None);
    }
    let sql = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon";
    let row = transaction.db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    Ok(row.map(|row| row.try_get("", "horizon")).transpose()?)
}

/// What sealing reads of an event.
#[derive(Debug, FromQueryResult)]
struct Unsealed {
    seq: i64,
    resource: String,
    /// Of an event that may be public, what decides that: the key, and the resource before and after.
    told: Option<Value>,
    content_hash: Option<Vec<u8>>,
}

impl Unsealed {
    /// What of the event decides whether it is public.
    fn change(&self) -> Change<'_> {
        let told = |place: usize| self.told.as_ref()?.get(place).filter(|value| !value.is_null());
        let key = told(0).and_then(Value::as_str).unwrap_or_default();
        Change { resource: &self.resource, key, before: told(1), after: told(2) }
    }

    /// The hash of the content, as its writer stored it.
    fn hash(&self) -> Option<Hash> {
        self.content_hash.as_deref().and_then(|hash| hash.try_into().ok())
    }
}

/// The hashes of the contents. A replica of an earlier version may have written events without.
async fn hashes(transaction: &WriteTransaction, events: &[Unsealed]) -> ApiResult<Vec<Hash>> {
    let missing = events.iter().filter(|event| event.hash().is_none()).map(|event| event.seq).collect::<Vec<_>>();
    let mut made = HashMap::new();
    if !missing.is_empty() {
        let found = event::Entity::find().filter(event::Column::Seq.is_in(missing)).all(&transaction.db).await?;
        made.extend(found.iter().map(|event| (event.seq, content_hash(event))));
    }
    let hash = |event: &Unsealed| event.hash().or_else(|| made.get(&event.seq).copied());
    events.iter().map(|event| hash(event).ok_or_else(|| ApiError::unexpected("an event without its content"))).collect()
}

/// The next events, as many as one step looks at.
struct Window {
    /// Those that have no position yet.
    events: Vec<Unsealed>,
    /// The number of the last that was looked at.
    last: i64,
    /// Whether there are no more.
    is_last: bool,
}

/// Looks at the next events. Those of PostgreSQL may be sealed already: it numbers events in another order than it commits them.
async fn waiting(transaction: &WriteTransaction, floor: i64) -> ApiResult<Window> {
    let db = &transaction.db;
    let backend = db.get_database_backend();
    let may_be_public = publicity::may_be_public();
    let told = match backend {
        DbBackend::Postgres => r#"jsonb_build_array(e."key", e.before, e.after)"#,
        _ => r#"json_array(e."key", json(e.before), json(e.after))"#,
    };
    let columns = format!("e.seq, e.resource, e.content_hash, CASE WHEN {may_be_public} THEN {told} END AS told");
    let events = async |sql: String, values: Vec<sea_orm::Value>| {
        let statement = Statement::from_sql_and_values(backend, sql, values);
        Ok::<_, ApiError>(Unsealed::find_by_statement(statement).all(db).await?)
    };
    if backend != DbBackend::Postgres {
        let sql = format!("SELECT {columns} FROM event e WHERE e.seq > $1 ORDER BY e.seq LIMIT {AT_ONCE}");
        let events = events(sql, vec![floor.into()]).await?;
        let (last, is_last) = (events.last().map_or(floor, |last| last.seq), (events.len() as i64) < AT_ONCE);
        return Ok(Window { events, last, is_last });
    }
    let sql = format!(
        "SELECT MAX(seq) AS last, COUNT(*) AS number FROM (SELECT seq FROM event WHERE seq > $1 ORDER BY seq LIMIT {AT_ONCE}) next"
    );
    let row = db.query_one_raw(Statement::from_sql_and_values(backend, sql, [floor.into()])).await?;
    let row = row.ok_or_else(|| ApiError::unexpected("no count of events"))?;
    let (last, number): (Option<i64>, i64) = (row.try_get("", "last")?, row.try_get("", "number")?);
    let last = last.unwrap_or(floor);
    let sql = format!(
        "SELECT {columns} FROM (SELECT * FROM event WHERE seq > $1 AND seq <= $2 OFFSET 0) e \
         WHERE NOT EXISTS (SELECT 1 FROM event_seal s WHERE s.seq = e.seq OFFSET 0) ORDER BY e.seq"
    );
    let events = events(sql, vec![floor.into(), last.into()]).await?;
    Ok(Window { events, last, is_last: number < AT_ONCE })
}
