//! Writers on SQLite, which has one writer at a time: those that wait share a transaction and its commit, since waiting for the disk
//! takes longer than most of what they write.
//!
//! Each has its turn in a savepoint of its own, so that what fails leaves no trace and hurts no other. Each is answered only when the
//! shared transaction is on the disk; if that fails, all of its writers fail.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sea_orm::{DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::generation::{Generation, last_event};
use crate::http::problem::{ApiError, ApiResult};

/// The queue of the writers of a process, in the order in which they came.
#[derive(Clone, Default)]
pub(super) struct Turns {
    shared: Arc<Mutex<Option<Shared>>>,
    waiting: Arc<AtomicUsize>,
}

/// Somebody who waits for a turn, or has stopped doing so when this is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
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
    transaction: DatabaseTransaction,
    /// Those who wait for the commit.
    written: Vec<oneshot::Sender<ApiResult<()>>>,
    has_events: bool,
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
        if shared.is_none() {
            let immediate =
                TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
            let transaction = db.begin_with_options(immediate).await?;
            // From now on no other process writes; what one wrote before is known.
            generation.found(last_event(&transaction).await?);
            *shared = Some(Shared { transaction, written: Vec::new(), has_events: false, generation: generation.clone() });
            // Whoever commits waits for its turn too, and so behind all who wait by then.
            let queue = Arc::clone(&self.shared);
            tokio::spawn(async move {
                let mut turn = queue.lock().await;
                if let Some(shared) = turn.take() {
                    shared.commit().await;
                }
            });
        }
        Ok(Turn { shared })
    }
}

impl Turn {
    /// Begins what one writer writes.
    pub(super) async fn begin(&self) -> ApiResult<DatabaseTransaction> {
        let shared = self.shared.as_ref().ok_or_else(|| ApiError::unexpected("no transaction to share"))?;
        Ok(shared.transaction.begin().await?)
    }

    /// Ends the turn of somebody who wrote, and waits until that is on the disk.
    pub(super) async fn committed(mut self, has_events: bool) -> ApiResult<()> {
        let (sender, receiver) = oneshot::channel();
        if let Some(shared) = self.shared.as_mut() {
            shared.written.push(sender);
            shared.has_events |= has_events;
        }
        drop(self);
        receiver.await.map_err(ApiError::unexpected)?
    }

    /// Ends the transaction for all who share it where what one wrote cannot be undone alone: on an error of the storage, such as a
    /// full disk, SQLite undoes all of it, and what came next would be written outside of any transaction.
    pub(super) async fn broken(mut self, error: &ApiError) {
        let Some(Shared { transaction, written, .. }) = self.shared.take() else { return };
        // It may be undone already; the pool drops a connection that does not know that.
        let _ = transaction.rollback().await;
        for writer in written {
            let _ = writer.send(Err(error.clone()));
        }
    }
}

impl Shared {
    async fn commit(mut self) {
        let written = mem::take(&mut self.written);
        let result =
            if written.is_empty() { self.transaction.rollback().await.map_err(ApiError::from) } else { self.on_disk().await };
        for writer in written {
            // Who has gone does not hear it.
            let _ = writer.send(result.clone());
        }
    }

    async fn on_disk(self) -> ApiResult<()> {
        if !self.has_events {
            return Ok(self.transaction.commit().await?);
        }
        let last = last_event(&self.transaction).await?;
        self.generation.appended(last);
        let committed = self.transaction.commit().await;
        if committed.is_err() {
            // Others may give these numbers to other events.
            self.generation.appended(0);
        }
        Ok(committed?)
    }
}
