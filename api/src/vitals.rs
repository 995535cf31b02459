//! Measures every few seconds what no request measures: what is kept, what waits, what is open, and whether the database answers.
//!
//! All of it goes into the metrics. What is in memory is looked at each second; the database is asked less often, and never for
//! longer than a moment.

use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actix_web::web::Data;
use sea_orm::DatabaseConnection;

use crate::app::State;
use crate::cache::ResponseCache;
use crate::feed::limits::StreamLimits;
use crate::feed::seal;
use crate::http::problem::{ApiError, ApiResult};
use crate::push::repeats::Repeats;
use crate::store::clock::now;
use crate::store::figure_cache::FigureCache;
use crate::store::kind::Scope;
use crate::store::pool;
use crate::store::transaction::Store;
use crate::telemetry::metrics as names;
use crate::webhooks::queue;

/// How often what is in memory is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How many of these pass before the database is asked again.
const DATABASE_EACH: u64 = 5;
/// How long the database may take to answer.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What is measured.
pub struct Vitals {
    store: Store,
    public_db: DatabaseConnection,
    answers: Data<ResponseCache>,
    repeats: Data<Repeats>,
    figures: Data<FigureCache>,
    streams: Data<StreamLimits>,
}

impl Vitals {
    /// Measures what the application shares.
    pub fn new(store: Store, public_db: DatabaseConnection, state: &State) -> Self {
        let State { answers, repeats, figures, streams, .. } = state.clone();
        Self { store, public_db, answers, repeats, figures, streams }
    }

    /// Measures for as long as the service runs.
    pub async fn follow(self) {
        begin();
        for second in 0u64.. {
            self.look();
            if second.is_multiple_of(DATABASE_EACH) {
                self.ask().await;
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Looks at what is in memory.
    fn look(&self) {
        let (answers, repeats) = (self.answers.size(), self.repeats.size());
        metrics::gauge!(names::CACHE_ENTRIES).set(number(answers.0 + repeats.0));
        metrics::gauge!(names::CACHE_BYTES).set(number(answers.1 + repeats.1));
        metrics::gauge!(names::WRITERS_WAITING).set(number(self.store.writers_waiting()));
        for (label, scope) in [("public", Scope::Published), ("private", Scope::All)] {
            metrics::gauge!(names::FIGURES_RUNNING, "scope" => label).set(number(self.figures.running(scope)));
        }
        for (label, open) in [("public", self.streams.public_open()), ("private", self.streams.private_open())] {
            metrics::gauge!(names::STREAMS_OPEN, "scope" => label).set(number(open));
        }
        for (pool, db) in self.pools() {
            let connections = pool::connections(db);
            let busy = number(connections.open) - number(connections.idle);
            metrics::gauge!(names::DATABASE_CONNECTIONS, "pool" => pool, "state" => "idle").set(number(connections.idle));
            metrics::gauge!(names::DATABASE_CONNECTIONS, "pool" => pool, "state" => "busy").set(busy.max(0.0));
            metrics::gauge!(names::DATABASE_CONNECTIONS_MAX, "pool" => pool).set(number(connections.most));
        }
        look_at_process();
    }

    fn pools(&self) -> [(&'static str, &DatabaseConnection); 2] {
        [("main", self.store.db()), ("public", &self.public_db)]
    }

    /// Asks the database.
    async fn ask(&self) {
        let asked = tokio::time::timeout(LONGEST_WAIT, self.ask_all()).await;
        let is_up = matches!(asked, Ok(Ok(())));
        metrics::gauge!(names::DATABASE_UP).set(if is_up { 1.0 } else { 0.0 });
    }

    async fn ask_all(&self) -> ApiResult<()> {
        for (pool, db) in self.pools() {
            let since = Instant::now();
            pool::probe(db).await.map_err(|error| ApiError::unavailable(error.to_string()))?;
            metrics::histogram!(names::DATABASE_ACQUIRE, "pool" => pool).record(since.elapsed());
        }
        let db = self.store.db();
        metrics::gauge!(names::DATABASE_BYTES).set(number(pool::size(db).await?));
        metrics::gauge!(names::FEED_POSITION).set(number(seal::head(db).await?.position));
        metrics::gauge!(names::FEED_UNSEALED).set(number(seal::unsealed(db).await?));
        let (due, retrying) = queue::backlog(db, now()).await?;
        metrics::gauge!(names::WEBHOOK_DELIVERIES, "state" => "due").set(number(due));
        metrics::gauge!(names::WEBHOOK_DELIVERIES, "state" => "retrying").set(number(retrying));
        Ok(())
    }
}

/// Tells what does not change, and begins what is counted at zero: an alert on a counter that is not there yet would never fire.
fn begin() {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    metrics::gauge!(names::START_TIME).set(since.as_secs_f64());
    metrics::gauge!(names::BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics::counter!(names::PANICS).increment(0);
    // Registered is enough: it is shown with a count of zero.
    let _ = metrics::histogram!(names::WRITE_WAIT);
    metrics::counter!(names::PASSWORD_HASHES).increment(0);
    for limit in ["requests", "figures"] {
        metrics::counter!(names::RATE_LIMITED, "limit" => limit).increment(0);
    }
    metrics::counter!(names::PUSH_REPEATS).increment(0);
    for result in ["hit", "miss"] {
        metrics::counter!(names::CACHE_LOOKUPS, "result" => result).increment(0);
    }
    for result in ["delivered", "retried", "failed"] {
        metrics::counter!(names::WEBHOOK_ATTEMPTS, "result" => result).increment(0);
    }
    for event in ["login_failed", "forged_token", "refresh_token_reused"] {
        metrics::counter!(names::SECURITY_EVENTS, "event" => event).increment(0);
    }
    for signal in ["traces", "metrics"] {
        for result in ["accepted", "failed"] {
            metrics::counter!(names::TELEMETRY_EXPORTS, "signal" => signal, "result" => result).increment(0);
        }
    }
}

/// What Linux tells of the process; elsewhere nothing.
fn look_at_process() {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u32>().ok());
    if let Some(kibibytes) = kibibytes {
        metrics::gauge!(names::MEMORY).set(f64::from(kibibytes) * 1024.0);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        metrics::gauge!(names::OPEN_FILES).set(number(open.count()));
    }
}

/// A number as metrics have it: whole up to 2^53.
fn number(number: impl TryInto<i64>) -> f64 {
    let whole = number.try_into().unwrap_or(i64::MAX);
    whole as f64
}
