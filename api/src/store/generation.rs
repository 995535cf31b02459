//! Numbers that grow whenever what is answered may have changed: what was computed at one generation holds until the next.
//!
//! There are two: that of today's answers, and that of answers about past days, which few changes touch ([`Effect`]). A commit
//! of this process raises them before the commit is answered. Commits of others are noticed by a watch that looks for new
//! events several times a second.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use entity::event;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, Statement};
use uuid::Uuid;

use super::clock::Calendar;
use super::effect::{Effect, Seen};
use super::kind::{Audited, Changes};
use crate::auth::actor::ActorKind;
use crate::http::problem::{ApiError, ApiResult};

const WATCH_EVERY: Duration = Duration::from_millis(250);
/// The most events of others that are looked at one by one; more are taken to change the past.
const MOST_EVENTS: u64 = 200;
/// The most transactions of this process that are remembered until the watch has met them.
const MOST_OWN: usize = 10_000;

/// The generations of what this process knows.
#[derive(Clone, Default)]
pub struct Generation(Arc<Numbers>);

#[derive(Default)]
struct Numbers {
    present: AtomicU64,
    past: AtomicU64,
    /// On SQLite: how many events this process appended.
    appended: AtomicI64,
    /// On PostgreSQL: the first event of each transaction of this process, until the watch has met it.
    own: Mutex<HashSet<Uuid>>,
}

/// What a transaction of this process appended.
#[derive(Clone, Copy, Debug)]
pub struct Appended {
    /// How many events.
    pub number: i64,
    /// The first of them.
    pub first: Uuid,
    /// What they may change.
    pub effect: Effect,
}

impl Generation {
    /// The generation of answers about today, or of those about a past day. Read it before the rows that are kept under it.
    pub fn current(&self, of_the_past: bool) -> u64 {
        if of_the_past { &self.0.past } else { &self.0.present }.load(Ordering::SeqCst)
    }

    /// Notes a commit of this process.
    pub fn committed(&self, appended: Appended) {
        self.0.appended.fetch_add(appended.number, Ordering::SeqCst);
        let mut own = self.0.own.lock().unwrap_or_else(PoisonError::into_inner);
        // Only where nobody watches; what is forgotten is taken for another's.
        if own.len() > MOST_OWN {
            own.clear();
        }
        own.insert(appended.first);
        drop(own);
        self.raise(appended.effect);
    }

    /// Notes that something changed.
    pub fn raise(&self, effect: Effect) {
        if effect >= Effect::Past {
            self.0.past.fetch_add(1, Ordering::SeqCst);
        }
        if effect >= Effect::Present {
            self.0.present.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Follows the commits of other processes for as long as the service runs. `audited` are all that events may be about.
    pub async fn watch(self, db: DatabaseConnection, calendar: Calendar, audited: &[&'static Audited]) {
        let mut watch = Watch::default();
        loop {
            let effect = match db.get_database_backend() {
                DbBackend::Postgres => watch.look_at_transactions(&db, &self, &calendar, audited).await,
                _ => watch.look_at_file(&db, &self).await,
            };
            // After a failure what was kept may be old.
            self.raise(effect.unwrap_or(Effect::Past));
            tokio::time::sleep(WATCH_EVERY).await;
        }
    }
}

/// How far the watch has come.
#[derive(Default)]
struct Watch {
    /// On SQLite: how many events others appended.
    others: Option<i64>,
    /// On PostgreSQL: all transactions below this number were looked at,
    finished: Option<i64>,
    /// and these of the others.
    met: HashSet<i64>,
}

impl Watch {
    /// SQLite has one writer at a time and numbers events without gaps, so events that are not ours were appended by others. That
    /// is a command beside the service; what it changes is not looked at.
    async fn look_at_file(&mut self, db: &DatabaseConnection, generation: &Generation) -> ApiResult<Effect> {
        // Read before the table: an event of ours that is appended in between is looked at twice at worst.
        let own = generation.0.appended.load(Ordering::SeqCst);
        generation.0.own.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let sql = "SELECT COALESCE(MAX(seq), 0) AS last FROM event";
        let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
        let others = row.map_or(Ok(0), |row| row.try_get::<i64>("", "last"))? - own;
        let known = self.others.replace(others);
        Ok(if known.is_none_or(|known| known == others) { Effect::Nothing } else { Effect::Past })
    }

    /// PostgreSQL commits in any order: what is new are transactions that were not met, among those that had not ended before the
    /// last look.
    async fn look_at_transactions(
        &mut self,
        db: &DatabaseConnection,
        generation: &Generation,
        calendar: &Calendar,
        audited: &[&'static Audited],
    ) -> ApiResult<Effect> {
        let sql = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS finished";
        let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        let row = row.ok_or_else(|| ApiError::unexpected("no snapshot"))?;
        let finished: i64 = row.try_get("", "finished")?;
        let Some(from) = self.finished.replace(finished) else { return Ok(Effect::Nothing) };
        let sql = "SELECT DISTINCT ON (xact) xact, id FROM event WHERE xact >= $1 ORDER BY xact, seq";
        let rows = db.query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [from.into()])).await?;
        let mut new = Vec::new();
        let mut met = HashSet::new();
        {
            let mut own = generation.0.own.lock().unwrap_or_else(PoisonError::into_inner);
            for row in rows {
                let (transaction, first): (i64, Uuid) = (row.try_get("", "xact")?, row.try_get("", "id")?);
                if !own.remove(&first) && !self.met.contains(&transaction) {
                    new.push(transaction);
                }
                met.insert(transaction);
            }
        }
        self.met = met;
        if new.is_empty() { Ok(Effect::Nothing) } else { effect_of(db, &new, calendar, audited).await }
    }
}

/// What transactions of others may change.
async fn effect_of(
    db: &DatabaseConnection,
    transactions: &[i64],
    calendar: &Calendar,
    audited: &[&'static Audited],
) -> ApiResult<Effect> {
    let numbers = transactions.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    // Reports come in thousands, and touch the past only when they are verified.
    let reports = audited.iter().filter(|of| of.changes == Changes::FromItsDay).map(|of| format!("'{}'", of.name));
    let reports = reports.collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT * FROM event WHERE xact = ANY(CAST('{{' || $1 || '}}' AS bigint[])) \
         AND (action = 'verified' OR resource NOT IN ({reports})) LIMIT $2"
    );
    let values = [numbers.into(), (MOST_EVENTS + 1).into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let events = event::Entity::find().from_raw_sql(statement).all(db).await?;
    if events.len() as u64 > MOST_EVENTS {
        return Ok(Effect::Past);
    }
    let today = calendar.today();
    let effects = events.iter().map(|event| {
        let actor = ActorKind::named(&event.actor_kind);
        // What this version does not know may change anything.
        let Some(of) = audited.iter().find(|of| of.name == event.resource).copied() else { return Effect::Past };
        let seen = Seen { actor, of, is_verified: event.action == "verified" };
        seen.effect_of(event.before.as_ref(), event.after.as_ref(), today)
    });
    Ok(effects.max().unwrap_or(Effect::Present))
}
