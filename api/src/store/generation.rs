//! Which tables were written, and when: what was computed from tables holds until one of them is written.
//!
//! Changes are numbered in each process. A commit of this process is noted before it is answered; commits of others are noticed by
//! a watch that looks for new events several times a second. What an event may change of answers is its [`Effect`].

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use entity::event;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, Statement};
use tokio::sync::Mutex as Queue;
use uuid::Uuid;

use super::clock::Calendar;
use super::dependencies::{Counted, Dependencies};
use super::effect::{Effect, Seen, Touched};
use super::kind::Audited;
use super::tables;
use crate::auth::actor::ActorKind;
use crate::http::problem::{ApiError, ApiResult};

const WATCH_EVERY: Duration = Duration::from_millis(100);
/// The most events of others that are looked at one by one; more are taken to change the past.
const MOST_EVENTS: u64 = 200;
/// The most transactions of this process that are remembered until the watch has met them.
const MOST_OWN: usize = 10_000;

/// What this process knows of changes.
#[derive(Clone, Default)]
pub struct Generation(Arc<Numbers>);

#[derive(Default)]
struct Numbers {
    /// The number of the last change.
    last: AtomicU64,
    /// For each table the number of the last change: of anything, of what is in force, and of what was in force on past days.
    changed: [[AtomicU64; tables::NUMBER]; 3],
    /// On SQLite: the number of the last event that this process appended or knows of.
    last_event: AtomicI64,
    /// On SQLite: the number of the last event of which it is noted what was written.
    noted_event: AtomicI64,
    /// On PostgreSQL: the first event of each transaction of this process, until the watch has met it.
    own: Mutex<HashSet<Uuid>>,
    /// Whether somebody found the database away, and the watch has not found it again since.
    is_away: AtomicBool,
    /// What looks for the commits of others, one look at a time.
    watch: Queue<Option<Watch>>,
}

/// What a transaction of this process appended.
#[derive(Clone, Copy, Debug)]
pub struct Appended {
    /// The first event.
    pub first: Uuid,
    /// What they may change.
    pub touched: Touched,
    /// How many events there are.
    pub count: i64,
    /// On SQLite: the number of the last event.
    pub last: Option<i64>,
}

impl Appended {
    /// On SQLite: the numbers of the events. They have no gaps, since nobody else wrote meanwhile.
    pub(super) fn numbers(&self) -> Option<RangeInclusive<i64>> {
        self.last.map(|last| last - self.count + 1..=last)
    }
}

impl Generation {
    /// The number of the last change. Read it before the rows that an answer is made of.
    pub fn now(&self) -> u64 {
        self.0.last.load(Ordering::SeqCst)
    }

    /// Whether nothing that this depends on was written since.
    pub fn holds(&self, made_of: &Dependencies) -> bool {
        let changed = &self.0.changed[made_of.counted as usize];
        made_of.tables.places().all(|table| changed[table].load(Ordering::SeqCst) <= made_of.since)
    }

    /// Notes, on PostgreSQL, a commit of this process.
    pub fn committed(&self, appended: Appended) {
        // First: the watch does not look at what is known to be of this process.
        self.raise(appended.touched);
        let mut own = self.0.own.lock().unwrap_or_else(PoisonError::into_inner);
        // Only where nobody watches; what is forgotten is taken for another's.
        if own.len() > MOST_OWN {
            own.clear();
        }
        own.insert(appended.first);
        drop(own);
        self.0.is_away.store(false, Ordering::SeqCst);
    }

    /// Notes, on SQLite, the number of the last event that others may have appended. SQLite has one writer at a time and numbers
    /// events without gaps, so one that is not known yet was appended by a command beside the service; what it changed is not
    /// looked at.
    pub fn found(&self, last_event: i64) {
        if self.0.last_event.fetch_max(last_event, Ordering::SeqCst) < last_event {
            self.noted(last_event, Touched::EVERYTHING);
        }
    }

    /// Notes, on SQLite, that tables were written by events up to this number, which are committed.
    pub fn noted(&self, last_event: i64, touched: Touched) {
        self.raise(touched);
        self.0.noted_event.fetch_max(last_event, Ordering::SeqCst);
        self.0.is_away.store(false, Ordering::SeqCst);
    }

    /// Notes, on SQLite, the number of the last event of this process, while no other can write.
    pub fn appended(&self, last_event: i64) {
        self.0.last_event.store(last_event, Ordering::SeqCst);
    }

    /// Notes that the database does not answer.
    pub fn note_away(&self) {
        self.0.is_away.store(true, Ordering::SeqCst);
    }

    /// Whether the database was found away, and not found again since.
    pub fn is_away(&self) -> bool {
        self.0.is_away.load(Ordering::SeqCst)
    }

    /// Notes that tables were written.
    pub fn raise(&self, touched: Touched) {
        if touched == Touched::default() {
            return;
        }
        let number = self.0.last.fetch_add(1, Ordering::SeqCst) + 1;
        for counted in [Counted::Everything, Counted::InForce, Counted::InForceThen] {
            for table in touched.of(counted).places() {
                self.0.changed[counted as usize][table].fetch_max(number, Ordering::SeqCst);
            }
        }
    }

    /// Notes what there is before anything is kept, and returns what follows the commits of other processes for as long as the service
    /// runs. `audited` are all that events may be about.
    pub async fn watch(
        self,
        db: DatabaseConnection,
        calendar: Calendar,
        audited: &'static [&'static Audited],
    ) -> ApiResult<impl Future<Output = ()>> {
        let mut watch = Watch { db, calendar, audited, finished: None, met: HashSet::new() };
        match watch.db.get_database_backend() {
            DbBackend::Postgres => {
                watch.look_at_transactions(&self).await?;
            }
            _ => {
                let last = last_event(&watch.db).await?;
                self.appended(last);
                self.noted(last, Touched::default());
            }
        }
        *self.0.watch.lock().await = Some(watch);
        Ok(self.follow())
    }

    async fn follow(self) {
        loop {
            tokio::time::sleep(WATCH_EVERY).await;
            if self.catch_up().await.is_ok() {
                self.0.is_away.store(false, Ordering::SeqCst);
            }
        }
    }

    /// Notes what other processes have committed up to now, without waiting for the next look of the watch. Returns whether all that is
    /// committed is noted; on SQLite what this process is committing may not be yet.
    pub async fn catch_up(&self) -> ApiResult<bool> {
        let mut watch = self.0.watch.lock().await;
        let looked = match watch.as_mut() {
            Some(watch) => watch.look(self).await,
            // Where nobody looked from the beginning, anything may have been written.
            None => Ok((Touched::EVERYTHING, false)),
        };
        // Without a look, what was kept may be old.
        self.raise(looked.as_ref().map_or(Touched::EVERYTHING, |(touched, _)| *touched));
        Ok(looked?.1)
    }
}

/// The number of the last event.
pub async fn last_event(db: &impl ConnectionTrait) -> ApiResult<i64> {
    let sql = "SELECT COALESCE(MAX(seq), 0) AS last FROM event";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "last"))?)
}

/// Looks for the commits of other processes.
struct Watch {
    db: DatabaseConnection,
    calendar: Calendar,
    /// All that events may be about.
    audited: &'static [&'static Audited],
    /// On PostgreSQL: all transactions below this number were looked at,
    finished: Option<i64>,
    /// and these of the others.
    met: HashSet<i64>,
}

impl Watch {
    /// What others may have changed since the last look, and whether all else that is committed is noted.
    async fn look(&mut self, generation: &Generation) -> ApiResult<(Touched, bool)> {
        match self.db.get_database_backend() {
            DbBackend::Postgres => Ok((self.look_at_transactions(generation).await?, true)),
            _ => {
                let last = last_event(&self.db).await?;
                generation.found(last);
                Ok((Touched::default(), last <= generation.0.noted_event.load(Ordering::SeqCst)))
            }
        }
    }

    /// PostgreSQL commits in any order: what is new are transactions that were not met, among those that had not ended before the
    /// last look. If the look is given up half-way, the next one begins where this one did.
    async fn look_at_transactions(&mut self, generation: &Generation) -> ApiResult<Touched> {
        // Before the first look, everything has been.
        let from = self.finished.unwrap_or(i64::MAX);
        let sql = "SELECT s.finished, e.xact, e.id \
                   FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS finished) s LEFT JOIN \
                   (SELECT DISTINCT ON (xact) xact, id FROM event WHERE xact >= $1 ORDER BY xact, seq) e ON TRUE";
        let rows = self.db.query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [from.into()])).await?;
        let first = rows.first().ok_or_else(|| ApiError::unexpected("no snapshot"))?;
        let finished: i64 = first.try_get("", "finished")?;
        let (mut new, mut met) = (Vec::new(), HashSet::new());
        {
            let mut own = generation.0.own.lock().unwrap_or_else(PoisonError::into_inner);
            for row in &rows {
                let (transaction, first): (Option<i64>, Option<Uuid>) = (row.try_get("", "xact")?, row.try_get("", "id")?);
                let Some((transaction, first)) = transaction.zip(first) else { continue };
                if !own.remove(&first) && !self.met.contains(&transaction) {
                    new.push(transaction);
                }
                met.insert(transaction);
            }
        }
        let touched = if new.is_empty() { Touched::default() } else { self.touched_by(&new).await? };
        (self.finished, self.met) = (Some(finished), met);
        Ok(touched)
    }

    /// What transactions of others may have changed.
    async fn touched_by(&self, transactions: &[i64]) -> ApiResult<Touched> {
        let Self { db, calendar, audited, .. } = self;
        let numbers = transactions.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        let of_these = "xact = ANY(CAST('{' || $1 || '}' AS bigint[]))";
        let known = |name: &str| audited.iter().find(|of| of.name == name).copied();
        let mut touched = Touched::default();
        // Of reports, which come in thousands, only what is verified needs a closer look.
        let reports = audited.iter().filter(|of| of.changes.needs_verification()).map(|of| format!("'{}'", of.name));
        let reports = reports.collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT DISTINCT resource, actor_kind FROM event WHERE {of_these} AND action <> 'verified' AND resource IN ({reports})"
        );
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [numbers.as_str().into()]);
        for row in db.query_all_raw(statement).await? {
            let (name, actor): (String, String) = (row.try_get("", "resource")?, row.try_get("", "actor_kind")?);
            let Some(of) = known(&name) else { return Ok(Touched::EVERYTHING) };
            let seen = Seen { actor: ActorKind::named(&actor), of, is_verified: false };
            touched.add(of, seen.effect().unwrap_or(Effect::Past));
        }
        let sql =
            format!("SELECT * FROM event WHERE {of_these} AND (action = 'verified' OR resource NOT IN ({reports})) LIMIT $2");
        let values = [numbers.into(), (MOST_EVENTS + 1).into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let events = event::Entity::find().from_raw_sql(statement).all(db).await?;
        if events.len() as u64 > MOST_EVENTS {
            return Ok(Touched::EVERYTHING);
        }
        let today = calendar.today();
        for event in &events {
            // What this version does not know may change anything.
            let Some(of) = known(&event.resource) else { return Ok(Touched::EVERYTHING) };
            let seen = Seen { actor: ActorKind::named(&event.actor_kind), of, is_verified: event.action == "verified" };
            touched.add(of, seen.effect_of(event.before.as_ref(), event.after.as_ref(), today));
        }
        Ok(touched)
    }
}
