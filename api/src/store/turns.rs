//! Writers on SQLite, which has one writer at a time: those that wait share a transaction and its commit, since waiting for the disk
//! takes longer than most of what they write.
//!
//! Each has its turn in a savepoint of its own, so that what fails leaves no trace and hurts no other. The first one needs none: what
//! it wrote is all that there is to undo. Each is answered only when the shared transaction is on the disk; if that fails, all of its
//! writers fail.

use std::mem;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sea_orm::{DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::effect::Touched;
use super::generation::{Appended, Generation};
use crate::http::problem::{ApiError, ApiResult};

/// The queue of the writers of a process, in the order in which they came.
#[derive(Clone, Default)]
pub(super) struct Turns {
    shared: Arc<Mutex<Option<Shared>>>,
    waiting: Arc<AtomicUsize>,
}

/// Somebody who waits for a turn, or has stopped doing so when this is dropped.
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    /// Counts somebody who begins to wait.
    pub(super) fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A transaction that writers share.
struct Shared {
    /// The transaction, while no first writer has it.
    transaction: Option<DatabaseTransaction>,
    /// Those who wait for the commit.
    written: Vec<oneshot::Sender<ApiResult<()>>>,
    /// The numbers of the events that they appended.
    events: Option<RangeInclusive<i64>>,
    /// What they changed.
    touched: Touched,
    generation: Generation,
}

/// The turn of a writer: nobody else of this process writes meanwhile.
pub(super) struct Turn {
    shared: OwnedMutexGuard<Option<Shared>>,
}

impl Turns {
    /// How many wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Waits for the turn of a writer.
    pub(super) async fn take(&self, db: &DatabaseConnection, generation: &Generation) -> ApiResult<Turn> {
        let waiting = Waiting::new(&self.waiting);
        let mut shared = Arc::clone(&self.shared).lock_owned().await;
        drop(waiting);
        // A first writer that was given up has taken the transaction with it.
        if shared.as_ref().is_none_or(|shared| shared.transaction.is_none()) {
            let immediate =
                TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
            let transaction = db.begin_with_options(immediate).await?;
            *shared = Some(Shared {
                transaction: Some(transaction),
                written: Vec::new(),
                events: None,
                touched: Touched::default(),
                generation: generation.clone(),
            });
            let turns = self.clone();
            tokio::spawn(async move { turns.finish().await });
        }
        Ok(Turn { shared })
    }

    /// Commits what was written, once all who wait by now have written.
    pub(super) async fn finish(&self) {
        let mut turn = self.shared.lock().await;
        if let Some(shared) = turn.take() {
            shared.commit().await;
        }
    }
}

impl Turn {
    /// The transaction of one writer: of the first one the whole, of the others a part that can be undone alone.
    pub(super) async fn transaction(&mut self) -> ApiResult<DatabaseTransaction> {
        let shared = self.shared.as_mut().ok_or_else(no_transaction)?;
        let transaction = if shared.written.is_empty() { shared.transaction.take() } else { None };
        match (transaction, &shared.transaction) {
            (Some(transaction), _) => Ok(transaction),
            (None, Some(transaction)) => Ok(transaction.begin().await?),
            (None, None) => Err(no_transaction()),
        }
    }

    /// Ends the turn of somebody who wrote in `transaction`, and waits until that is on the disk.
    pub(super) async fn committed(mut self, transaction: DatabaseTransaction, appended: Option<Appended>) -> ApiResult<()> {
        let (sender, receiver) = oneshot::channel();
        let shared = self.shared.as_mut().ok_or_else(no_transaction)?;
        if shared.transaction.is_some() {
            transaction.commit().await?;
        } else {
            shared.transaction = Some(transaction);
        }
        shared.written.push(sender);
        if let Some(appended) = appended {
            let events = appended.numbers();
            shared.events = match (shared.events.take(), events) {
                (Some(before), Some(events)) => Some(*before.start()..=*events.end()),
                (before, events) => events.or(before),
            };
            shared.touched.add_all(appended.touched);
        }
        drop(self);
        receiver.await.map_err(ApiError::unexpected)?
    }

    /// Ends the turn of somebody who wrote in `transaction` and failed: what it wrote is undone.
    ///
    /// The transaction ends for all who share it where that cannot be undone alone: on an error of the storage, such as a full disk,
    /// SQLite undoes all of it, and what came next would be written outside of any transaction.
    pub(super) async fn failed(mut self, transaction: DatabaseTransaction, error: &ApiError) {
        let is_undone = transaction.rollback().await.is_ok();
        let is_shared = self.shared.as_ref().is_some_and(|shared| shared.transaction.is_some());
        if is_undone && is_shared {
            return;
        }
        let Some(Shared { transaction, written, .. }) = self.shared.take() else { return };
        if let Some(transaction) = transaction {
            // It may be undone already; the pool drops a connection that does not know that.
            let _ = transaction.rollback().await;
        }
        for writer in written {
            let _ = writer.send(Err(error.clone()));
        }
    }
}

fn no_transaction() -> ApiError {
    ApiError::unexpected("no transaction to share")
}

impl Shared {
    async fn commit(mut self) {
        let written = mem::take(&mut self.written);
        let Some(transaction) = self.transaction.take() else { return };
        let result = if written.is_empty() {
            transaction.rollback().await.map_err(ApiError::from)
        } else {
            self.on_disk(transaction).await
        };
        for writer in written {
            // Who has gone does not hear it.
            let _ = writer.send(result.clone());
        }
    }

    async fn on_disk(self, transaction: DatabaseTransaction) -> ApiResult<()> {
        let Some((first, last)) = self.events.map(RangeInclusive::into_inner) else {
            return Ok(transaction.commit().await?);
        };
        // No other process writes meanwhile: what one wrote before has the numbers up to here.
        self.generation.found(first - 1);
        self.generation.appended(last);
        let committed = transaction.commit().await;
        match &committed {
            Ok(()) => self.generation.noted(last, self.touched),
            // Others may give these numbers to other events.
            Err(_) => self.generation.appended(0),
        }
        Ok(committed?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use chrono::Utc;
    use chrono::offset::Offset;
    use futures_util::FutureExt;
    use sea_orm::{ConnectionTrait, EntityTrait};
    use tokio::time::timeout;

    use super::{Generation, Turns};
    use crate::auth::actor::Actor;
    use crate::http::language::Noun;
    use crate::store::clock::Calendar;
    use crate::store::connection;
    use crate::store::dependencies::{self, Counted, Dependencies};
    use crate::store::generation::last_event;
    use crate::store::kind::Audited;
    use crate::store::transaction::{AuditEvent, Origin, Store, WriteTransaction};

    static AWARD: Audited = Audited::new("award", Noun::new("award", "penghargaan"));
    static SURVEY: Audited = Audited::new("survey", Noun::new("survey", "survei"));

    async fn opened(url: &str) -> Store {
        Store::new(connection::open(url, 2).await.unwrap(), Calendar::new(Utc.fix()))
    }

    async fn write(store: &Store, of: &'static Audited, number: usize) {
        let origin = Origin { actor: Actor::system("test"), request_id: None, address: None };
        let one = || AuditEvent {
            of,
            key: "1",
            action: "created",
            version: 1,
            before: None,
            after: Some(serde_json::json!({})),
            first_event: None,
        };
        let writing = async |transaction: &WriteTransaction| transaction.record_all((0..number).map(|_| one())).await;
        store.transact(origin, writing).await.unwrap();
    }

    /// What an answer depends on that is made of awards now.
    async fn made_of_awards(store: &Store) -> Dependencies {
        let reading = entity::award::Entity::find().all(store.db());
        let (read, made_of) = dependencies::recorded(store.generation().now(), Counted::Everything, reading).await;
        read.unwrap();
        made_of
    }

    /// A folder for a test, and the URL of a database in it.
    fn place() -> (std::path::PathBuf, String) {
        let folder = std::env::temp_dir().join(format!("renaksi-turns-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let url = format!("sqlite://{}", folder.join("a.db").display());
        (folder, url)
    }

    #[tokio::test]
    async fn a_worker_that_stops_leaves_no_transaction_behind() {
        let (folder, url) = place();
        let db = connection::open(&url, 2).await.unwrap();
        let (turns, left) = (Turns::default(), db.clone());
        let of_worker = turns.clone();
        let worker = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut turn = of_worker.take(&left, &Generation::default()).await.unwrap();
                let transaction = turn.transaction().await.unwrap();
                transaction.execute_unprepared("CREATE TABLE t (number integer)").await.unwrap();
                // The worker ends before the task that commits has its turn.
                assert!(turn.committed(transaction, None).now_or_never().is_none());
            });
        });
        worker.join().unwrap();
        let closed = timeout(Duration::from_millis(200), db.clone().close());
        assert!(closed.await.is_err(), "the connection was not given back");
        turns.finish().await;
        timeout(Duration::from_secs(10), db.close()).await.unwrap().unwrap();
        let db = connection::open(&url, 1).await.unwrap();
        db.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
        db.close().await.unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn what_another_process_wrote_is_known_once_this_one_has_written() {
        let (folder, url) = place();
        let (service, command) = (opened(&url).await, opened(&url).await);
        connection::migrate(service.db()).await.unwrap();
        service.generation().appended(last_event(service.db()).await.unwrap());
        for events in [1, 2, 70] {
            let made_of = made_of_awards(&service).await;
            write(&service, &SURVEY, events).await;
            write(&service, &SURVEY, 1).await;
            assert!(service.generation().holds(&made_of), "its own writes are told apart");
            write(&command, &AWARD, events).await;
            assert!(service.generation().holds(&made_of), "nobody has looked yet");
            write(&service, &SURVEY, 1).await;
            assert!(!service.generation().holds(&made_of));
            let made_of = made_of_awards(&service).await;
            write(&service, &SURVEY, 3).await;
            assert!(service.generation().holds(&made_of), "the same is not noticed twice");
        }
        for store in [service, command] {
            store.db().clone().close().await.unwrap();
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
