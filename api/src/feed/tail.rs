//! Follows the feed for as long as the service runs: seals new events, and passes them to the streams of this process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::sqlx::postgres::{PgListener, PgPoolOptions};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::sync::watch;

use super::events::{self, Frame};
use super::reading::{self, FeedQuery};
use super::seal::{Sealer, Step, head};
use crate::http::problem::ApiResult;
use crate::store::transaction::Store;

/// How long an event may wait that no signal announced, such as one that a replica appended before it was killed.
const AT_LATEST: Duration = Duration::from_secs(1);
/// The rest between two steps. Sealing many events costs little more than sealing one, so under load it waits for several and
/// leaves the machine to the writers.
const REST: Duration = Duration::from_millis(100);
/// The number of events that wait for a stream; a stream that falls behind reads them from the table instead.
const WAITING: usize = 1_024;
/// The channel by which replicas on one PostgreSQL notify each other.
const CHANNEL: &str = "renaksi_feed";

/// The end of the feed, as this process knows it.
#[derive(Clone)]
pub struct Tail {
    store: Store,
    live: Sender<Arc<Frame>>,
    end: watch::Sender<i64>,
}

impl Tail {
    /// The tail of a store's feed.
    pub fn new(store: Store) -> Self {
        Self { store, live: broadcast::channel(WAITING).0, end: watch::Sender::new(0) }
    }

    /// Receives every event from now on.
    pub fn listen(&self) -> Receiver<Arc<Frame>> {
        self.live.subscribe()
    }

    /// The position of the last event, and its changes.
    pub fn end(&self) -> watch::Receiver<i64> {
        self.end.subscribe()
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Follows the feed for as long as the service runs. After a failure of the database it tries again.
    pub async fn follow(self) {
        // This comes before anything is sealed here, so that events which a killed process left unsealed are passed on as well.
        let mut told = head(self.store.db()).await.ok().map(|head| head.position);
        let (mut sealer, mut others, mut has_appended) = (Sealer::default(), None, false);
        loop {
            if self.store.db().get_database_backend() == DbBackend::Postgres && others.is_none() {
                others = listen(self.store.db()).await;
            }
            let began = Instant::now();
            // The failure was logged where it happened.
            match self.step(&mut sealer, has_appended, &mut told).await.unwrap_or(Step::Nothing) {
                // Writers get their turn in between, since their queue is fair, and as much of the machine.
                Step::More => {
                    tokio::time::sleep(began.elapsed()).await;
                    continue;
                }
                Step::All => tokio::time::sleep(REST).await,
                Step::Nothing => {}
            }
            has_appended = false;
            tokio::select! {
                () = self.store.appended() => has_appended = true,
                () = tokio::time::sleep(AT_LATEST) => {}
                heard = woken(&mut others) => if !heard { others = None },
            }
        }
    }

    /// Seals some of the events that wait and passes them on. Whether any wait need not be looked up if this process `has_appended` some.
    async fn step(&self, sealer: &mut Sealer, has_appended: bool, told: &mut Option<i64>) -> ApiResult<Step> {
        let db = self.store.db();
        let step = if has_appended { sealer.seal_some(&self.store).await? } else { sealer.step(&self.store).await? };
        if step != Step::Nothing && db.get_database_backend() == DbBackend::Postgres {
            db.execute_raw(Statement::from_string(DbBackend::Postgres, format!("NOTIFY {CHANNEL}"))).await?;
        }
        let end = head(db).await?.position;
        self.end.send_if_modified(|known| std::mem::replace(known, end) != end);
        // Whoever subscribes now reads from the table up to that position. Of a backlog only the end is passed on: a stream that
        // receives a position beyond the next one reads the events in between from the table.
        let mut last = told.unwrap_or(end).max(end - WAITING as i64 / 2);
        while last < end && self.live.receiver_count() > 0 {
            let page = reading::read(db, &FeedQuery::all(last)).await?;
            let Some(newest) = page.last() else { break };
            last = newest.position;
            for frame in events::frames(db, &page).await? {
                // There may be no receiver left.
                let _ = self.live.send(Arc::new(frame));
            }
        }
        *told = Some(end.max(last));
        Ok(step)
    }
}

async fn listen(db: &DatabaseConnection) -> Option<PgListener> {
    // It has a connection of its own, because it stays open and the pool for requests may be small.
    let options = db.get_postgres_connection_pool().connect_options().as_ref().clone();
    let own = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&own).await.ok()?;
    listener.listen(CHANNEL).await.ok()?;
    Some(listener)
}

/// Returns true when another replica has sealed events, and false when the connection is lost.
async fn woken(listener: &mut Option<PgListener>) -> bool {
    match listener {
        Some(listener) => listener.recv().await.is_ok(),
        None => std::future::pending().await,
    }
}
