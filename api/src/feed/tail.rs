//! Follows the feed for as long as the service runs: seals what was appended, and tells the streams of this process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use sea_orm::sqlx::postgres::{PgListener, PgPoolOptions};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::Value;
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::sync::watch;

use super::events::{self, FeedEntry, FeedQuery};
use super::seal::{Sealer, Step, head};
use crate::http::problem::ApiResult;
use crate::store::transaction::Store;

/// How long something may wait that nobody woke us for, such as what a replica appended before it was killed.
const AT_LATEST: Duration = Duration::from_secs(1);
/// Sealing many events costs little more than sealing one. Under load it waits for some, and writers keep the machine.
const REST: Duration = Duration::from_millis(100);
/// Events that wait for a stream; one that falls behind reads them from the table instead.
const WAITING: usize = 1_024;
/// The channel by which replicas on one PostgreSQL wake each other.
const CHANNEL: &str = "renaksi_feed";

/// An event as the streams send it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its place in the feed.
    pub position: i64,
    /// Which kind of thing changed.
    pub resource: String,
    /// As those see it who log in.
    pub private: Bytes,
    /// As those see it who only read: without who the people are.
    pub reader: Bytes,
    /// As everybody sees it.
    pub public: Option<Bytes>,
}

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

    /// Every event from now on.
    pub fn listen(&self) -> Receiver<Arc<Frame>> {
        self.live.subscribe()
    }

    /// The place of the last event, and its changes.
    pub fn end(&self) -> watch::Receiver<i64> {
        self.end.subscribe()
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Follows the feed for as long as the service runs. A failure of the database is tried again.
    pub async fn follow(self) {
        // Before anything is sealed here: what a killed process left unsealed is told as well.
        let mut told = head(self.store.db()).await.ok().map(|head| head.position);
        let (mut sealer, mut others) = (Sealer::default(), None);
        loop {
            if self.store.db().get_database_backend() == DbBackend::Postgres && others.is_none() {
                others = listen(self.store.db()).await;
            }
            let began = Instant::now();
            // What failed is logged where it failed.
            match self.step(&mut sealer, &mut told).await.unwrap_or(Step::Nothing) {
                // Those who write get their turn in between: the queue of writers is fair. They also get as much of the machine.
                Step::More => {
                    tokio::time::sleep(began.elapsed()).await;
                    continue;
                }
                Step::All => tokio::time::sleep(REST).await,
                Step::Nothing => {}
            }
            tokio::select! {
                () = self.store.appended() => {}
                () = tokio::time::sleep(AT_LATEST) => {}
                heard = woken(&mut others) => if !heard { others = None },
            }
        }
    }

    /// Seals some of what waits and tells it.
    async fn step(&self, sealer: &mut Sealer, told: &mut Option<i64>) -> ApiResult<Step> {
        let db = self.store.db();
        let step = sealer.step(&self.store).await?;
        if step != Step::Nothing && db.get_database_backend() == DbBackend::Postgres {
            db.execute_raw(Statement::from_string(DbBackend::Postgres, format!("NOTIFY {CHANNEL}"))).await?;
        }
        let end = head(db).await?.position;
        self.end.send_if_modified(|known| std::mem::replace(known, end) != end);
        // Who begins to listen now reads from the table up to there. Of a backlog only the end is told: whoever hears a place
        // beyond the next one reads what lies between from the table.
        let mut last = told.unwrap_or(end).max(end - WAITING as i64 / 2);
        while last < end && self.live.receiver_count() > 0 {
            let page = events::read(db, &FeedQuery::all(last)).await?;
            let Some(newest) = page.last() else { break };
            last = newest.position;
            for frame in events::frames(db, &page).await? {
                // Nobody may have stayed to hear it.
                let _ = self.live.send(Arc::new(frame));
            }
        }
        *told = Some(end.max(last));
        Ok(step)
    }
}

async fn listen(db: &DatabaseConnection) -> Option<PgListener> {
    // A connection of its own: it stays open, and the requests' pool may be small.
    let options = db.get_postgres_connection_pool().connect_options().as_ref().clone();
    let own = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&own).await.ok()?;
    listener.listen(CHANNEL).await.ok()?;
    Some(listener)
}

/// Ends when another replica has sealed something: true; or false when the connection is lost.
async fn woken(listener: &mut Option<PgListener>) -> bool {
    match listener {
        Some(listener) => listener.recv().await.is_ok(),
        None => std::future::pending().await,
    }
}

/// A Server-Sent Event: its place is the id from which a client resumes.
pub fn frame(told: &FeedEntry, action: &str, json: &Value) -> Bytes {
    Bytes::from(format!("id: {}\nevent: {}.{action}\ndata: {json}\n\n", told.position, told.event.resource))
}
