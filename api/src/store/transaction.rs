//! The one way to change a thing.
//!
//! Every write goes through [`Store::write`] or [`Store::transact`]: it opens the transaction, answers a retry from its record, lets the
//! caller check and apply, takes the events, keeps the answer for retries, and commits. Either all of it happened or
//! nothing. A row that is changed is read with [`WriteTransaction::locked`] first, so that what was checked still holds when it
//! is written; what spans rows takes a [`WriteTransaction::lock`] by name.

mod own_opds;
mod recording;

use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Instant;

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait, PrimaryKeyTrait, QuerySelect, Select,
    Statement, TransactionOptions,
};
use tokio::sync::Notify;

use super::clock::{Calendar, now};
use super::connection;
use super::dependencies::{self, Counted, Dependencies};
use super::generation::{Appended, Generation};
use super::retry::{self, Retries, Retry};
use super::rows::Executor;
use super::standing::{self, LoginPolicy, Must, number_of};
use super::tables::Tables;
use super::together;
use super::turns::Turns;
use crate::auth::actor::Actor;
use crate::http::answer::Answer;
use crate::http::problem::ApiResult;
use crate::telemetry::metrics::WRITE_WAIT;

pub use recording::{AuditEvent, FirstEvent};

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
                    None => {
                        db.commit().await?;
                        if let Some(appended) = appended {
                            self.generation.committed(appended);
                        }
                    }
                }
                if appended.is_some() {
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
}
