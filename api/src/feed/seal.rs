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

use std::collections::{HashMap, HashSet};

use entity::rules::batch;
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
/// From this number on, no further row fits for sure: it may be a batch.
const ENOUGH: i64 = AT_ONCE - batch::MOST as i64 + 1;
/// The most events that are counted: whether more wait matters to nobody.
const MOST_COUNTED: i64 = 100_000;
/// The columns of a seal.
const SEAL: [event_seal::Column; 7] = {
    use event_seal::Column::*;
    [Position, Seq, Resource, Public, Hash, Events, PublicEvents]
};

/// The end of the feed.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Head {
    /// The position of the last event.
    pub position: i64,
    /// The hash of the last block, which ends with that event.
    pub hash: String,
}

/// The present end of the feed.
pub async fn head(db: &impl ConnectionTrait) -> ApiResult<Head> {
    use feed_head::Column::{Hash, Position};
    // No other columns: a backup may be of an earlier version.
    let row = feed_head::Entity::find_by_id(1).select_only().columns([Position, Hash]);
    row.into_model().one(db).await?.ok_or_else(no_head)
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

/// How many events have no place in the feed yet, counted up to about [`MOST_COUNTED`].
pub async fn unsealed(db: &impl ConnectionTrait) -> ApiResult<i64> {
    let backend = db.get_database_backend();
    let waiting = match backend {
        DbBackend::Postgres => {
            "SELECT e.events FROM event e WHERE e.xact >= (SELECT horizon FROM feed_head) \
             AND NOT EXISTS (SELECT 1 FROM event_seal s WHERE s.seq = e.seq OFFSET 0) ORDER BY e.xact"
        }
        // Everything up to the last sealed number is sealed, whatever the horizon says.
        _ => {
            "SELECT events FROM event WHERE seq > \
             MAX((SELECT horizon FROM feed_head), COALESCE((SELECT MAX(seq) FROM event_seal), 0))"
        }
    };
    let sql = format!("SELECT CAST(COALESCE(SUM(events), 0) AS bigint) AS number FROM ({waiting} LIMIT {MOST_COUNTED}) w");
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
    let public = public_events(transaction, &events).await?;
    let hashes = hashes(transaction, &events).await?;
    let sealed = hashes.len();
    let hash = if hashes.is_empty() { head.hash.clone() } else { block_hash(&head.hash, hashes) };
    let end = head.position + i64::try_from(sealed).map_err(ApiError::unexpected)?;
    let mut position = head.position;
    let rows = events.iter().zip(public).map(|(event, public)| {
        position += i64::from(event.events);
        let ending = if position == end { hash.as_str() } else { "" };
        let (is_public, resource) = (public.contains(&true), event.resource.as_str());
        Ok(vec![
            position.into(),
            event.seq.into(),
            resource.into(),
            is_public.into(),
            ending.into(),
            event.events.into(),
            batch::marked(&public).into(),
        ])
    });
    let rows = rows.collect::<Vec<_>>();
    bulk::append::<event_seal::Entity>(&transaction.db, &SEAL, rows).await?;
    pass.floor = last;
    let reached = match pass.horizon {
        // All events below the horizon are sealed only once the pass is complete.
        Some(horizon) if is_last => horizon,
        Some(_) => head.horizon,
        None => pass.floor,
    };
    let horizon = head.horizon.max(reached);
    let mut head = head.into_active_model();
    (head.position, head.hash, head.horizon) = (Set(end), Set(hash), Set(horizon));
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
    /// How many events it holds.
    events: i32,
    /// Of a batch that may hold public events, what it holds.
    batch: Option<Vec<u8>>,
    content_hash: Option<Vec<u8>>,
}

impl Unsealed {
    /// What decides whether its events are public: of a batch only of those that may be.
    fn told(&self) -> ApiResult<Vec<Told>> {
        let Some(batch) = &self.batch else {
            let told = |place: usize| self.told.as_ref()?.get(place).filter(|value| !value.is_null()).cloned();
            let key = told(0).and_then(|key| key.as_str().map(str::to_owned)).unwrap_or_default();
            return Ok(if self.events == 1 { vec![Told { place: 0, key, before: told(1), after: told(2) }] } else { Vec::new() });
        };
        let entries = batch::entries(batch).map_err(ApiError::unexpected)?.into_iter().enumerate();
        let may_be = entries.filter(|(_, batch::Entry(_, _, after))| publicity::may_show(&self.resource, after.get()));
        let told = may_be.map(|(place, batch::Entry(key, _, after))| {
            Ok(Told { place, key, before: None, after: Some(serde_json::from_str(after.get())?) })
        });
        told.collect::<serde_json::Result<_>>().map_err(ApiError::unexpected)
    }

    /// The hashes of the contents, as their writer stored them.
    fn hashes(&self) -> Option<&[Hash]> {
        batch::hashes(self.content_hash.as_deref(), self.events)
    }
}

/// What decides whether an event is public.
struct Told {
    /// The place of the event in its row.
    place: usize,
    key: String,
    before: Option<Value>,
    after: Option<Value>,
}

/// Of each row, which of its events are public. It takes at most one statement.
async fn public_events(transaction: &WriteTransaction, rows: &[Unsealed]) -> ApiResult<Vec<Vec<bool>>> {
    let told = rows.iter().map(Unsealed::told).collect::<ApiResult<Vec<_>>>()?;
    let changes = rows.iter().zip(&told).flat_map(|(row, told)| {
        let change = |told| {
            let Told { key, before, after, .. }: &Told = told;
            Change { resource: &row.resource, key, before: before.as_ref(), after: after.as_ref() }
        };
        told.iter().map(change)
    });
    let mut public = publicity::are_public(&transaction.db, &changes.collect::<Vec<_>>()).await?.into_iter();
    let public_of = |(row, told): (&Unsealed, Vec<Told>)| {
        let public = told.into_iter().zip(public.by_ref()).filter(|(_, is_public)| *is_public);
        let public = public.map(|(told, _)| told.place).collect::<HashSet<_>>();
        (0..usize::try_from(row.events).unwrap_or_default()).map(|place| public.contains(&place)).collect()
    };
    Ok(rows.iter().zip(told).map(public_of).collect())
}

/// The hashes of the contents. A replica of an earlier version may have written events without.
async fn hashes(transaction: &WriteTransaction, events: &[Unsealed]) -> ApiResult<Vec<Hash>> {
    let missing = events.iter().filter(|event| event.hashes().is_none()).map(|event| event.seq).collect::<Vec<_>>();
    let mut made = HashMap::new();
    if !missing.is_empty() {
        let found = event::Entity::find().filter(event::Column::Seq.is_in(missing)).all(&transaction.db).await?;
        let alone = found.iter().filter(|event| event.batch.is_none());
        made.extend(alone.map(|event| (event.seq, [content_hash(event)])));
    }
    let hashes = events.iter().map(|event| {
        let hashes = event.hashes().or_else(|| made.get(&event.seq).map(<[Hash; 1]>::as_slice));
        hashes.ok_or_else(|| ApiError::unexpected("an event without its content"))
    });
    Ok(hashes.collect::<ApiResult<Vec<_>>>()?.concat())
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
    let batches_may_be = publicity::batches_that_may_be_public();
    let columns = format!(
        "e.seq, e.resource, e.content_hash, e.events, CASE WHEN e.batch IS NULL AND ({may_be_public}) THEN {told} END AS told, \
         CASE WHEN e.resource IN ({batches_may_be}) THEN e.batch END AS batch"
    );
    // As many rows as hold few enough events: a batch is sealed as a whole.
    let next = |after: &str| {
        format!(
            "SELECT seq, SUM(events) OVER (ORDER BY seq) - events AS earlier, events AS held \
             FROM (SELECT seq, events FROM event WHERE {after} ORDER BY seq LIMIT {AT_ONCE}) w"
        )
    };
    let few = format!("earlier < {ENOUGH}");
    let events = async |sql: String, values: Vec<sea_orm::Value>| {
        let statement = Statement::from_sql_and_values(backend, sql, values);
        Ok::<_, ApiError>(Unsealed::find_by_statement(statement).all(db).await?)
    };
    if backend != DbBackend::Postgres {
        let next = next("seq > $1");
        let sql = format!("SELECT {columns} FROM ({next}) n CROSS JOIN event e ON e.seq = n.seq WHERE {few} ORDER BY n.seq");
        let events = events(sql, vec![floor.into()]).await?;
        let looked_at = events.iter().map(|event| i64::from(event.events)).sum::<i64>();
        let last = events.last().map_or(floor, |last| last.seq);
        return Ok(Window { events, last, is_last: looked_at < ENOUGH });
    }
    let sql = format!(
        "SELECT MAX(seq) AS last, COALESCE(MAX(earlier + held), 0)::bigint AS looked_at FROM ({}) next WHERE {few}",
        next("seq > $1")
    );
    let row = db.query_one_raw(Statement::from_sql_and_values(backend, sql, [floor.into()])).await?;
    let row = row.ok_or_else(|| ApiError::unexpected("no count of events"))?;
    let (last, looked_at): (Option<i64>, i64) = (row.try_get("", "last")?, row.try_get("", "looked_at")?);
    let last = last.unwrap_or(floor);
    let sql = format!(
        "SELECT {columns} FROM (SELECT * FROM event WHERE seq > $1 AND seq <= $2 OFFSET 0) e \
         WHERE NOT EXISTS (SELECT 1 FROM event_seal s WHERE s.seq = e.seq OFFSET 0) ORDER BY e.seq"
    );
    let events = events(sql, vec![floor.into(), last.into()]).await?;
    Ok(Window { events, last, is_last: looked_at < ENOUGH })
}
