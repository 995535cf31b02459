//! The one way to change a thing.
//!
//! Every write goes through [`Store::write`] or [`Store::transact`]: it opens the transaction, answers a retry from its record, lets the
//! caller check and apply, takes the events, keeps the answer for retries, and commits. Either all of it happened or
//! nothing. A row that is changed is read with [`WriteTransaction::locked`] first, so that what was checked still holds when it
//! is written; what spans rows takes a [`WriteTransaction::lock`] by name.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Instant;

use chrono::{DateTime, NaiveDate, Utc};
use entity::event;
use entity::rules::chain::Content;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait, PrimaryKeyTrait, QuerySelect, Select,
    Statement, TransactionOptions,
};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Notify;
use uuid::Uuid;

use super::bulk;
use super::clock::{Calendar, now};
use super::connection;
use super::dependencies::{self, Counted, Dependencies};
use super::effect::{Effect, Seen, Touched};
use super::generation::{Appended, Generation};
use super::kind::Audited;
use super::retry::{self, Retries, Retry};
use super::rows::Executor;
use super::snapshots;
use super::standing::{self, LoginPolicy, Must, number_of};
use super::tables::Tables;
use super::together;
use super::turns::Turns;
use crate::auth::actor::Actor;
use crate::http::answer::Answer;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::telemetry::metrics::WRITE_WAIT;

/// The database of one process, and what its writers share.
#[derive(Clone)]
pub struct Store {
    db: DatabaseConnection,
    /// Connections that only read for the public: what anybody asks takes none from those who log in and write.
    public_db: DatabaseConnection,
    generation: Generation,
    calendar: Calendar,
    /// SQLite has one writer at a time: writers of this process take turns in a transaction that they share.
    turns: Turns,
    /// Requests with an Idempotency-Key.
    retries: Retries,
    /// Wakes who seals what was appended.
    appended: Arc<Notify>,
    /// The first day of which anything is recorded, with what that depends on.
    first_day: Arc<Lock<Option<(Dependencies, NaiveDate)>>>,
    /// How people may log in.
    logins: LoginPolicy,
}

/// Who asks for a change, and from where.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Who.
    pub actor: Actor,
    /// By which request.
    pub request_id: Option<String>,
    /// From which network address.
    pub address: Option<String>,
}

/// One thing that happened, for the audit log: to a `T`, as the API shows it.
pub struct AuditEvent<'a, T = Value> {
    /// What it is about.
    pub of: &'static Audited,
    /// Which one.
    pub key: &'a str,
    /// What happened to it.
    pub action: &'a str,
    /// Its version afterwards.
    pub version: i32,
    /// The thing before.
    pub before: Option<T>,
    /// The thing afterwards.
    pub after: Option<T>,
}

/// The columns of an event that are written; the database numbers it.
const EVENT: [event::Column; 13] = {
    use event::Column::*;
    [Id, At, Resource, Key, Action, Version, ActorKind, ActorId, RequestId, Address, Before, After, ContentHash]
};

/// A change under way: its transaction and who makes it.
pub struct WriteTransaction {
    /// The transaction.
    pub db: DatabaseTransaction,
    /// Who makes it.
    pub origin: Origin,
    /// The instant of the change.
    pub now: DateTime<Utc>,
    /// The regency's day of the change.
    pub today: NaiveDate,
    /// Whether nothing is written.
    is_preview: bool,
    /// What was appended to the audit log.
    appended: Lock<Option<Appended>>,
}

impl Store {
    /// A store over an open database.
    pub fn new(db: DatabaseConnection, calendar: Calendar) -> Self {
        Self {
            public_db: db.clone(),
            db,
            generation: Generation::default(),
            calendar,
            turns: Turns::default(),
            retries: Retries::default(),
            appended: Arc::default(),
            first_day: Arc::default(),
            logins: LoginPolicy::default(),
        }
    }

    /// The same where people log in by this policy.
    pub fn with_logins(self, logins: LoginPolicy) -> Self {
        Self { logins, ..self }
    }

    /// How people may log in.
    pub fn logins(&self) -> LoginPolicy {
        self.logins
    }

    /// What `actor` may do now: 401 if its account was disabled.
    pub async fn standing_of(&self, actor: &Actor, address: Option<&str>) -> ApiResult<Actor> {
        standing::now(&self.db, actor, address, self.logins).await
    }

    /// The same with connections of their own for what the public reads.
    pub fn with_public_db(self, public_db: DatabaseConnection) -> Self {
        Self { public_db, ..self }
    }

    /// The store as the public reads it: on connections of its own.
    pub fn for_public(&self) -> Self {
        Self { db: self.public_db.clone(), ..self.clone() }
    }

    /// The first day of which anything is recorded, where it was looked up.
    pub(super) fn known_first_day(&self) -> &Lock<Option<(Dependencies, NaiveDate)>> {
        &self.first_day
    }

    /// The database, to read.
    pub fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// The database, to read: in a form that transactions have too.
    pub fn executor(&self) -> Executor<'_> {
        Executor::from(&self.db)
    }

    /// The database as it is at one instant, to read: several figures out of it agree with each other.
    pub async fn snapshot(&self) -> ApiResult<DatabaseTransaction> {
        Ok(connection::snapshot(&self.db).await?)
    }

    /// The generation of what is stored.
    pub fn generation(&self) -> &Generation {
        &self.generation
    }

    /// Whether nothing was written since of what this depends on, by any process.
    pub async fn still_holds(&self, made_of: &Dependencies) -> ApiResult<bool> {
        // What this process knows is looked at first, since that costs nothing.
        Ok(self.generation.holds(made_of) && self.generation.catch_up().await? && self.generation.holds(made_of))
    }

    /// The regency's calendar.
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// Ends when a commit of this process has appended to the audit log since the last time.
    pub async fn appended(&self) {
        self.appended.notified().await;
    }

    /// Does `work` in one transaction together with its events and the record for its retries, if the actor still may. A retry
    /// is looked at like any other request: who was disabled gets no kept answer.
    pub async fn write(
        &self,
        origin: Origin,
        must: Must,
        retry: Retry,
        work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<Answer>,
    ) -> ApiResult<Answer> {
        let principal = origin.actor.id.clone();
        self.write_once(&principal, origin, Some(must), retry, work).await
    }

    /// Does `work` in one transaction for several requests of one actor without an Idempotency-Key, if the actor still may.
    pub async fn write_for_all<T>(
        &self,
        origin: Origin,
        must: Must,
        work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<T>,
    ) -> ApiResult<T> {
        self.run(self.calendar.today(), origin, Some(must), work).await
    }

    /// Does `work`, which only looks what a change would do, in a transaction that sees one instant and keeps no writer waiting, if the
    /// actor may make the change.
    pub async fn preview<T>(
        &self,
        origin: Origin,
        must: Must,
        work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<T>,
    ) -> ApiResult<T> {
        let (db, today) = (self.snapshot().await?, self.calendar.today());
        let mut transaction = WriteTransaction { db, origin, now: now(), today, is_preview: true, appended: Lock::default() };
        let looked = async {
            transaction.look_again(Some(must), self.logins).await?;
            work(&transaction).await
        };
        let looked = looked.await;
        // It has written nothing that could fail to be undone.
        drop(transaction.db.rollback().await);
        looked
    }

    /// The same as [`Store::write`] for a request of somebody without a token. Its key counts together with `secret`, which proves that
    /// a retry comes from the same client.
    pub async fn write_by_secret(
        &self,
        secret: &str,
        origin: Origin,
        retry: Retry,
        work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<Answer>,
    ) -> ApiResult<Answer> {
        self.write_once(secret, origin, None, retry, work).await
    }

    async fn write_once(
        &self,
        principal: &str,
        origin: Origin,
        must: Option<Must>,
        request: Retry,
        work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<Answer>,
    ) -> ApiResult<Answer> {
        let today = self.calendar.today();
        let Some(attempt) = self.retries.attempt(&self.db, principal, request).await? else {
            return self.run(today, origin, must, work).await;
        };
        self.run(today, origin, must, async |transaction: &WriteTransaction| {
            // Another process may be working on it.
            if !transaction.try_lock(attempt.id()).await? {
                return Err(retry::in_use());
            }
            if let Some(answer) = attempt.earlier_answer(&transaction.db, transaction.now).await? {
                return Ok(answer);
            }
            let answer = work(transaction).await?;
            attempt.keep(&transaction.db, transaction.now, &answer).await?;
            Ok(answer)
        })
        .await
    }

    /// How many writes of this process wait for their turn.
    pub fn writers_waiting(&self) -> usize {
        self.turns.waiting() + together::waiting()
    }

    /// Commits, on SQLite, what a worker thread left that has stopped: whoever would have committed it ended with that thread, and its
    /// connection would never be given back.
    pub async fn finish_writes(&self) {
        self.turns.finish().await;
    }

    /// Does `work` in one transaction.
    pub async fn transact<T>(&self, origin: Origin, work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<T>) -> ApiResult<T> {
        self.transact_on(self.calendar.today(), origin, work).await
    }

    /// Does `work` in one transaction whose records count from `today` on: for data that describes a day in the past.
    pub async fn transact_on<T>(
        &self,
        today: NaiveDate,
        origin: Origin,
        work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<T>,
    ) -> ApiResult<T> {
        self.run(today, origin, None, work).await
    }

    async fn run<T>(
        &self,
        today: NaiveDate,
        origin: Origin,
        must: Option<Must>,
        work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<T>,
    ) -> ApiResult<T> {
        let since = Instant::now();
        let is_sqlite = self.db.get_database_backend() == DbBackend::Sqlite;
        let mut turn = if is_sqlite { Some(self.turns.take(&self.db, &self.generation).await?) } else { None };
        let db = match &mut turn {
            Some(turn) => turn.transaction().await?,
            None => connection::begin(&self.db, TransactionOptions::default()).await?,
        };
        metrics::histogram!(WRITE_WAIT).record(since.elapsed());
        let mut transaction = WriteTransaction { db, origin, now: now(), today, is_preview: false, appended: Lock::default() };
        let done = async {
            transaction.look_again(must, self.logins).await?;
            work(&transaction).await
        };
        let (done, written) = dependencies::writing(self.generation.now(), done).await;
        match done {
            Ok(result) => {
                transaction.must_tell_of(written);
                let WriteTransaction { db, appended, .. } = transaction;
                // A login, for one, appends nothing.
                let appended = appended.into_inner().unwrap_or_else(PoisonError::into_inner);
                match turn {
                    Some(turn) => turn.committed(db, appended).await?,
                    None => db.commit().await?,
                }
                if let Some(appended) = appended {
                    self.generation.committed(appended);
                    self.appended.notify_one();
                }
                Ok(result)
            }
            Err(error) => {
                match turn {
                    Some(turn) => turn.failed(transaction.db, &error).await,
                    // What went wrong first says more than that nothing was left to undo.
                    None => drop(transaction.db.rollback().await),
                }
                Err(error)
            }
        }
    }
}

impl WriteTransaction {
    /// The transaction, in a form that connections have too.
    pub fn executor(&self) -> Executor<'_> {
        Executor::from(&self.db)
    }

    /// The audit log must tell of every table that was written: answers that are made of it are dropped by that alone.
    fn must_tell_of(&self, written: Tables) {
        if cfg!(debug_assertions) {
            let appended = *self.appended.lock().unwrap_or_else(PoisonError::into_inner);
            let told = appended.map(|appended| appended.touched.of(Counted::Everything)).unwrap_or_default();
            let untold = written.without(told).names();
            assert!(untold.is_empty(), "no event of this transaction tells that it wrote {untold:?}");
        }
    }

    /// From here on the actor is who it is now, not who its token says it was.
    async fn look_again(&mut self, must: Option<Must>, logins: LoginPolicy) -> ApiResult<()> {
        if let Some(must) = must {
            let Origin { actor, address, .. } = &self.origin;
            self.origin.actor = must.look_again(&self.db, actor, address.as_deref(), logins).await?;
        }
        Ok(())
    }

    /// Reads a row and keeps others from changing it until the commit.
    pub async fn locked<E: EntityTrait>(
        &self,
        key: <E::PrimaryKey as PrimaryKeyTrait>::ValueType,
    ) -> ApiResult<Option<E::Model>> {
        Ok(self.locking(E::find_by_id(key)).one(&self.db).await?)
    }

    /// A query whose rows others cannot change until the commit. A preview keeps nobody from anything.
    pub fn locking<E: EntityTrait>(&self, rows: Select<E>) -> Select<E> {
        if self.is_preview { rows } else { rows.lock_exclusive() }
    }

    /// Lets only one change at a time hold `name`, for rules over several rows. SQLite has one writer anyway, and a preview keeps nobody
    /// from anything.
    pub async fn lock(&self, name: &str) -> ApiResult<()> {
        if self.db.get_database_backend() == DbBackend::Postgres && !self.is_preview {
            let lock =
                Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_advisory_xact_lock($1)", [number_of(name).into()]);
            self.db.execute_raw(lock).await?;
        }
        Ok(())
    }

    /// The same without waiting: whether `name` was free.
    pub async fn try_lock(&self, name: &str) -> ApiResult<bool> {
        if self.db.get_database_backend() != DbBackend::Postgres {
            return Ok(true);
        }
        let sql = "SELECT pg_try_advisory_xact_lock($1) AS free";
        let row = self.db.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [number_of(name).into()]));
        Ok(row.await?.map_or(Ok(false), |row| row.try_get("", "free"))?)
    }

    /// Appends to the audit log.
    pub async fn record(&self, audit_event: AuditEvent<'_>) -> ApiResult<()> {
        self.record_all([audit_event]).await
    }

    /// Appends several to the audit log, in their order.
    pub async fn record_all<T: Serialize>(&self, audit_events: impl IntoIterator<Item = AuditEvent<'_, T>>) -> ApiResult<()> {
        self.record_of_all(audit_events.into_iter().map(|audit_event| (&self.origin, audit_event))).await
    }

    /// The same for several requests of the actor, each with its origin.
    pub async fn record_of_all<'a, T: Serialize>(
        &self,
        audit_events: impl IntoIterator<Item = (&'a Origin, AuditEvent<'a, T>)>,
    ) -> ApiResult<()> {
        let mut left: BTreeMap<&'static str, snapshots::Snapshots> = BTreeMap::new();
        let events = audit_events.into_iter().map(|(origin, audit_event)| {
            let json = |thing: Option<&T>| thing.map(serde_json::to_value).transpose().map_err(ApiError::unexpected);
            let seen = self.seen(audit_event.of, audit_event.action);
            let is_tracked = audit_event.of.snapshots.is_some();
            let effect = match seen.effect() {
                // Many rows are reports: what they hold need not be looked at.
                Some(effect) if !is_tracked => effect,
                _ => {
                    let (before, after) = (json(audit_event.before.as_ref())?, json(audit_event.after.as_ref())?);
                    let effect = seen.effect_of(before.as_ref(), after.as_ref(), self.today);
                    if is_tracked {
                        left.entry(audit_event.of.name).or_default().insert(audit_event.key.to_owned(), after);
                    }
                    effect
                }
            };
            self.event(origin, audit_event, effect)
        });
        self.append(events).await?;
        for (resource, left) in left {
            snapshots::remember(&self.db, self.today, resource, left).await?;
        }
        Ok(())
    }

    /// Appends things that were imported, each with the first day of which figures count it.
    pub async fn record_imported(&self, audit_events: Vec<(NaiveDate, AuditEvent<'_>)>) -> ApiResult<()> {
        let mut begun: BTreeMap<&'static str, snapshots::FirstSnapshots> = BTreeMap::new();
        for (since, AuditEvent { of, key, after, .. }) in &audit_events {
            if let Some(content) = after.clone().filter(|_| of.snapshots.is_some()) {
                begun.entry(of.name).or_default().push(((*key).to_owned(), *since, content));
            }
        }
        let events = audit_events.into_iter().map(|(_, audit_event)| self.event(&self.origin, audit_event, Effect::Past));
        self.append(events).await?;
        for (resource, begun) in begun {
            snapshots::begin(&self.db, self.today, resource, begun).await?;
        }
        Ok(())
    }

    async fn append(&self, events: impl Iterator<Item = ApiResult<Vec<sea_orm::Value>>>) -> ApiResult<()> {
        let last = bulk::append::<event::Entity>(&self.db, &EVENT, events).await?;
        if let Some(appended) = self.appended.lock().map_err(ApiError::unexpected)?.as_mut() {
            appended.last = last.or(appended.last);
        }
        Ok(())
    }

    fn seen(&self, of: &'static Audited, action: &str) -> Seen {
        Seen { actor: self.origin.actor.kind, of, is_verified: action == "verified" }
    }

    /// The values of [`EVENT`]. What was before and after becomes text at once: that is how it is stored and sent.
    fn event<T: Serialize>(
        &self,
        origin: &Origin,
        audit_event: AuditEvent<'_, T>,
        effect: Effect,
    ) -> ApiResult<Vec<sea_orm::Value>> {
        debug_assert!(
            audit_event.of.can(audit_event.action),
            "`{}.{}` is not among the actions of its `Audited`",
            audit_event.of.name,
            audit_event.action
        );
        let id = Uuid::now_v7();
        let mut appended = self.appended.lock().map_err(ApiError::unexpected)?;
        appended
            .get_or_insert(Appended { first: id, touched: Touched::default(), last: None })
            .touched
            .add(audit_event.of, effect);
        let text = |thing: Option<T>| thing.map(|thing| serde_json::to_string(&thing)).transpose().map_err(ApiError::unexpected);
        let (before, after) = (text(audit_event.before)?, text(audit_event.after)?);
        let content = Content {
            id,
            at: self.now,
            resource: audit_event.of.name,
            key: audit_event.key,
            action: audit_event.action,
            version: audit_event.version,
            actor_kind: origin.actor.kind.name(),
            actor_id: &origin.actor.name,
            request_id: origin.request_id.as_deref(),
            address: origin.address.as_deref(),
            before: before.as_deref(),
            after: after.as_deref(),
        };
        let hash = content.hash().map_err(ApiError::unexpected)?;
        Ok(vec![
            content.id.into(),
            content.at.into(),
            content.resource.into(),
            content.key.into(),
            content.action.into(),
            content.version.into(),
            content.actor_kind.into(),
            content.actor_id.into(),
            content.request_id.into(),
            content.address.into(),
            before.into(),
            after.into(),
            hash.to_vec().into(),
        ])
    }

    /// The OPDs that the actor may write for, where it is bound to some: its own and those below. One statement.
    pub async fn covered(&self) -> ApiResult<Option<HashSet<String>>> {
        let Some(own) = self.origin.actor.bound_to()? else { return Ok(None) };
        let backend = self.db.get_database_backend();
        // UNION, not UNION ALL: it ends even if the tree had a cycle.
        let sql = "WITH RECURSIVE branch(code) AS (SELECT code FROM opd WHERE code = $1 \
                   UNION SELECT opd.code FROM opd JOIN branch ON opd.parent = branch.code) SELECT code FROM branch";
        let rows = self.db.query_all_raw(Statement::from_sql_and_values(backend, sql, [own.into()])).await?;
        rows.iter().map(|row| row.try_get("", "code").map_err(ApiError::from)).collect::<ApiResult<_>>().map(Some)
    }

    /// 403 unless the actor may write for `opd`: an operator's own OPD or one below it.
    pub async fn must_cover(&self, opd: &str) -> ApiResult<()> {
        let Some(own) = self.origin.actor.bound_to()? else { return Ok(()) };
        if own == opd || self.is_below(opd, own).await? { Ok(()) } else { Err(self.outside(opd)) }
    }

    /// The refusal of a write for an OPD that the actor may not write for.
    pub fn outside(&self, opd: &str) -> ApiError {
        let own = self.origin.actor.opd.as_deref().unwrap_or_default();
        ApiError::new(codes::OUTSIDE_OWN_OPD)
            .detail(format!("`{opd}` is not `{own}` or below it."), format!("`{opd}` bukan `{own}` atau di bawahnya."))
    }

    /// Whether `opd` stands below `above` in the tree.
    pub async fn is_below(&self, opd: &str, above: &str) -> ApiResult<bool> {
        let backend = self.db.get_database_backend();
        // UNION, not UNION ALL: it ends even if the tree had a cycle.
        let sql = "WITH RECURSIVE line(code) AS (SELECT parent FROM opd WHERE code = $1 \
                   UNION SELECT opd.parent FROM opd JOIN line ON opd.code = line.code WHERE opd.parent IS NOT NULL) \
                   SELECT 1 AS found FROM line WHERE code = $2";
        let row = self.db.query_one_raw(Statement::from_sql_and_values(backend, sql, [opd.into(), above.into()])).await?;
        Ok(row.is_some())
    }
}
